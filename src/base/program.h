#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/sandbox.h"

namespace tidemark {

/// Where `program` is, as execvp() finds it in PATH; empty if it is nowhere. Links are resolved.
std::filesystem::path findProgram(const std::string& program);

/// The trees that `program` reads and executes: the system's, and its own installation when that lies elsewhere
/// (/home/x/mariadb for /home/x/mariadb/bin/mariadbd). For FileAccess::readable.
std::vector<std::filesystem::path> treesOf(const std::string& program);

/// What a program may reach that needs nothing but the system, its own tree and `writable`.
FileAccess accessOf(const std::string& program, std::vector<std::filesystem::path> writable);

}  // namespace tidemark
