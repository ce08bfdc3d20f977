#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace tidemark::restore {

/// What a file system has, in bytes.
struct DiskRoom {
    std::uint64_t size = 0;
    std::uint64_t free = 0;  ///< for who is not root
};

/// Of the file system that `path` lies on. Throws as throwErrno() does.
DiskRoom roomOf(const std::filesystem::path& path);

/// What stays free for the tenants beside files that are only made to be looked at: a twentieth of the file system, no
/// less than 1 GiB and no more than 50 GiB.
std::uint64_t roomForTenants(const DiskRoom& disk);

/// Throws NoSpace unless `bytes` more fit and `kept` stay free then. `what` needs them: "the backup set".
void requireRoom(const std::filesystem::path& path, std::uint64_t bytes, std::uint64_t kept, const std::string& what);

}  // namespace tidemark::restore
