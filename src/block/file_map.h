#pragma once

#include "block/set_index.h"

namespace tidemark::block {

/// A map as a record of the index.
void encodeFileMap(ByteWriter& out, const FileMap& map);
/// Throws Corrupt, naming `origin`, unless the map is whole and every frame lies inside its object.
FileMap decodeFileMap(ByteReader& in, const std::vector<IndexLayer>& layers, const std::string& origin);

}  // namespace tidemark::block
