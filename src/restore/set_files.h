#pragma once

#include <string>

#include "block/block_index.h"

namespace tidemark::restore {

/// Throws Corrupt, naming `object` and the file, unless every file of an index is one that a backup stores: in a
/// schema's directory, or one of the few beside these. Others would be obeyed: InnoDB follows *.isl to any place,
/// mariadbd replicates from where master.info says.
void requireOrdinaryFiles(const block::BlockIndex& index, const std::string& object);

}  // namespace tidemark::restore
