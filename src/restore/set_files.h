#pragma once

#include <string>
#include <vector>

#include "block/page.h"

namespace tidemark::restore {

/// Throws Corrupt, naming `object` and the file, unless every file is one that a backup stores: in a
/// schema's directory, or one of the few beside these. Others would be obeyed: InnoDB follows *.isl to any place,
/// mariadbd replicates from where master.info says.
void requireOrdinaryFiles(const std::vector<block::StoredFile>& files, const std::string& object);

}  // namespace tidemark::restore
