#pragma once

#include <filesystem>
#include <string>

namespace tidemark::source {

/// Whether mariadb-backup's log ends with its own word that all went well. Its exit status alone does not say so.
bool completedOk(const std::filesystem::path& log);

/// The line of the log that says best what went wrong, as it may be shown (base/program_log.h): the last that speaks of
/// an error, else the last one. Empty if there is none.
std::string complaintOf(const std::filesystem::path& log);

}  // namespace tidemark::source
