#include "server/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "tenant/tenant_paths.h"

namespace tidemark::server {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMarker = "tidemark-data";
constexpr const char* kLayout = "tidemark data directory, layout 1\n";

/// Ids are counted up by two from 1002: room for a hundred years of a new tenant every five minutes.
constexpr catalog::TenantId kLongestId = 99'999'999;

}  // namespace

DataDirectory::DataDirectory(fs::path root) : root_(std::move(root)) {
    tenant::pathsOf(tenants(), kLongestId);
    std::error_code failed;
    if (fs::create_directories(root_, failed)) fs::permissions(root_, fs::perms::owner_all);
    if (failed) throwErrno(failed.value(), "making the data directory " + root_.string());
    checkContent();
    lock();
    replaceFile(root_ / kMarker, kLayout);
    for (const fs::path& directory : {tenants(), throwaways(), templates()}) {
        if (fs::create_directory(directory)) fs::permissions(directory, fs::perms::owner_all);
    }
}

/// An operator's slip must not make somebody's home a data directory.
void DataDirectory::checkContent() const {
    const auto marker = readFile(root_ / kMarker);
    if (marker == kLayout) return;
    if (marker) {
        throw Error(ErrorCode::InvalidRequest, root_.string() + " was made by a newer Tidemark: " + *marker,
                    "start it with that version");
    }
    const std::string unfinished_marker = fmt::format("{}.tmp", kMarker);
    for (const auto& entry : fs::directory_iterator(root_)) {
        // Left by a first start that ended before it could write the marker.
        if (entry.path().filename() == "lock" || entry.path().filename() == unfinished_marker) continue;
        throw Error(ErrorCode::InvalidRequest,
                    fmt::format("{} is no data directory of Tidemark, but has files in it, such as {}", root_.string(),
                                entry.path().filename().string()),
                    "name an empty directory or one that does not exist with --data-dir");
    }
}

void DataDirectory::lock() {
    const fs::path path = root_ / "lock";
    lock_ = openFile(path, O_RDWR | O_CREAT, 0600);
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) throwErrno(errno, "locking " + path.string());
        const std::string holder = readFile(path).value_or("");
        throw Error(ErrorCode::Conflict,
                    fmt::format("another tidemarkd (pid {}) uses the data directory {}",
                                holder.empty() ? "unknown" : holder, root_.string()),
                    "end it first, or give this one a directory of its own with --data-dir");
    }
    const std::string pid = std::to_string(getpid());
    if (::ftruncate(lock_.get(), 0) != 0) throwErrno(errno, "writing " + path.string());
    writeAt(lock_.get(), viewOf(pid), 0, path);
}

void DataDirectory::unlock() {
    ::flock(lock_.get(), LOCK_UN);
}

}  // namespace tidemark::server
