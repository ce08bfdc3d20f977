#pragma once

#include <cstdint>
#include <filesystem>

namespace tidemark::source {

/// Looks, before a copy, for what mariadb-backup is known to fail on: minutes later, or not before its --prepare at a
/// restore. Throws Conflict, with what to do: trying again changes nothing. docs/decisions/data_path.md has the list.
void requireCopyable(const std::filesystem::path& data_directory);

/// The same against a given limit, for tests.
void requireCopyable(const std::filesystem::path& data_directory, std::uint64_t open_files);

}  // namespace tidemark::source
