#include "restore/disk_room.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"

namespace tidemark::restore {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kLeastKept = 1024 * kMiB;
constexpr std::uint64_t kMostKept = 50 * 1024 * kMiB;
constexpr std::uint64_t kKeptShare = 20;

}  // namespace

DiskRoom roomOf(const std::filesystem::path& path) {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) throwErrno(errno, "looking at " + path.string());
    return {.size = std::uint64_t{info.f_blocks} * info.f_frsize, .free = std::uint64_t{info.f_bavail} * info.f_frsize};
}

std::uint64_t roomForTenants(const DiskRoom& disk) {
    return std::clamp(disk.size / kKeptShare, kLeastKept, kMostKept);
}

void requireRoom(const std::filesystem::path& path, std::uint64_t bytes, std::uint64_t kept, const std::string& what) {
    const std::uint64_t free = roomOf(path).free;
    if (free >= kept && free - kept >= bytes) return;
    const std::string stays =
        kept == 0 ? "" : fmt::format(", and {} MiB have to stay free for the tenants", kept / kMiB);
    throw Error(ErrorCode::NoSpace,
                fmt::format("{} has {} MiB of free space; {} needs {} MiB{}", path.string(), free / kMiB, what,
                            bytes / kMiB, stays),
                kept == 0 ? "make room and restore again" : "make room and validate again");
}

}  // namespace tidemark::restore
