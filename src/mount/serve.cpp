#include "mount/serve.h"

#include <fcntl.h>
#include <sys/file.h>

#include "backup_set/mount_files.h"
#include "base/error.h"
#include "base/file.h"
#include "base/program.h"
#include "mount/fetching.h"
#include "opened/mount.h"
#include "storage/open_storage.h"

namespace tidemark::mount {
namespace {

namespace fs = std::filesystem;

/// Decoded frames that are kept.
constexpr std::size_t kFrameBytes = 64 << 20;

fs::path directoryOf(const std::string& uri) {
    constexpr std::string_view kFile = "file://";
    return storage::plainUri(uri).substr(kFile.size());
}

/// After the mount, which a confined process cannot make; before any thread, which would not be confined.
void confine(const backup_set::OpenOrder& order, const Logger& log) {
    FileAccess access = accessOf("tidemark-mount", {order.local, order.control, "/dev/fuse"});
    access.readable.push_back(directoryOf(order.data_uri));
    const auto sandbox = makeSandbox(access);
    if (!sandbox || !enterSandbox(sandbox->get())) log->warn("it is not confined to its files: no Landlock here");
}

/// Nothing if another one has it.
std::optional<Fd> takeTurn(const fs::path& lock) {
    Fd fd = openFile(lock, O_RDWR | O_CREAT, 0600);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
    return fd;
}

[[noreturn]] void fail(const backup_set::MountFiles& files, const Error& error, bool no_mount) {
    const bool may_heal = error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::NoSpace;
    replaceFile(files.failure(), backup_set::MountFailure{no_mount, may_heal, error.what()}.text());
    throw Error(error);
}

}  // namespace

void serve(const backup_set::OpenOrder& order) {
    const Logger log = makeLogger("mount");
    const backup_set::MountFiles files{order.control};
    const auto turn = takeTurn(files.lock());
    if (!turn) return;
    fs::remove(files.failure());
    std::unique_ptr<storage::Storage> storage;
    std::unique_ptr<block::BlockReader> reader;
    std::optional<opened::OpenedSet> set;
    try {
        storage = storage::openStorage(order.data_uri);
        const auto description = backup_set::readBackupSet(*storage, order.set, order.key);
        reader = backup_set::openOrRebuildBlocks(*storage, description, order.key, order.control);
        set.emplace(*reader, order.local, kFrameBytes);
    } catch (const Error& error) {
        fail(files, error, false);
    }
    std::optional<opened::Mount> mount;
    try {
        mount.emplace(*set, order.at, log);
    } catch (const Error& error) {
        fail(files, error, true);
    }
    confine(order, log);
    log->info("serves set {} of {} at {}", order.set.number, order.data_uri, order.at.string());
    {
        const Fetching fetching(*set, *reader, files);
        mount->serve();
    }
    set->sync();
    log->info("was unmounted");
}

}  // namespace tidemark::mount
