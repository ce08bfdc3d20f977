#pragma once

#include "block/set_index.h"

namespace tidemark::block {

/// A map as a record of the index, with hashes of so many bytes.
void encodeFileMap(ByteWriter& out, const FileMap& map, std::size_t hash_size);
/// Throws Corrupt, naming `origin`, unless the map is whole and every frame lies inside its object.
FileMap decodeFileMap(ByteReader& in, const std::vector<IndexLayer>& layers, std::size_t hash_size,
                      const std::string& origin);

}  // namespace tidemark::block
