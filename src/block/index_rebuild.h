#pragma once

#include <filesystem>

#include "block/block_reader.h"

namespace tidemark::block {

/// Makes the index of a set again, byte for byte, from nothing but its data objects and those that it leans on, and
/// stores it into `into` under the key that the lost one has. `directory` is that of the set's own layer. Reads the
/// tables of all of these objects, and no frame; keeps what they say in scratch files, which lie in `scratch`.
///
/// Throws Corrupt or NotFound, naming the object, if one of them is damaged or missing, or was made before data objects
/// told of files.
void rebuildIndex(storage::Storage& storage, const storage::Key& directory, const ChainKeyPtr& chain,
                  const DirectoryOf& directory_of_others, const std::filesystem::path& scratch, storage::Storage& into);

}  // namespace tidemark::block
