#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "mysql/sql_client.h"

namespace tidemark::cli {

/// Columns on the screen, not bytes: continuation bytes of UTF-8 take no room.
std::size_t width(const std::string& text);

/// Prints rows in aligned columns under their headings; numbers to the right, NULL as "-". No rows: one line that
/// says so.
void printTable(std::ostream& out, const std::string& title, const mysql::Result& result);

/// The rows as a JSON array of objects, keys in lower case; numbers stay texts as the server sent them, NULL is null.
nlohmann::json toJson(const mysql::Result& result);

/// "1.5 GiB", "12 KiB", "0 B".
std::string humanBytes(double bytes);

/// "1:02:03" or "0:42".
std::string humanDuration(double seconds);

}  // namespace tidemark::cli
