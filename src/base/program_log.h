#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark {

/// A line that a program of MariaDB has printed, as errors and views may show it: what it says happened, and to which
/// file, table or account, but nothing of what users store. Programs print pages, records, rows, statements and values,
/// so what they print is not shown because it looks harmless; it is left out unless its place says what it is:
///
/// - a line of more than 1000 bytes, or of a dump, is empty;
/// - from where a statement, a record or what a user's program says begins, nothing is left;
/// - what stands in quotes is `***`, but for names behind words as `file` and `table`;
/// - so are runs of 24 letters and digits. Bytes that no text has are `?`.
std::string withoutContent(std::string_view line);

/// The whole lines in the last 16 KiB of a log, withoutContent(); none that is empty then. None if there is no log.
std::vector<std::string> lastLines(const std::filesystem::path& log);

}  // namespace tidemark
