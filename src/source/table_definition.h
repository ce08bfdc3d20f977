#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace tidemark::source {

/// What a table's definition (.frm) begins with: as much as tableFiles() wants to see.
constexpr std::size_t kDefinitionHead = 4;

/// Endings of the files that must be there beside a definition, told from the definition's first bytes. Empty for
/// engines whose files need not be there: InnoDB makes its own anew from the redo log, others have none.
///
/// mariadb-backup 10.11 copies the definition of a table that was made and renamed while it ran, but for these engines
/// not its data, and reports success (seen with --target-dir as with --stream).
std::vector<std::string_view> tableFiles(ByteView definition_head);

}  // namespace tidemark::source
