#include <fcntl.h>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/program.h"
#include "base/require_going.h"
#include "block/stored_path.h"
#include "restore/data_restore.h"
#include "restore/disk_room.h"
#include "restore/lacks_resources.h"
#include "restore/no_sync.h"
#include "restore/prepare_options.h"
#include "source/backup_log.h"
#include "source/preload.h"
#include "source/private_directory.h"

namespace tidemark::restore {

namespace {

/// What mariadb-backup writes into such files is a name, or ten lines.
std::string smallFile(const std::filesystem::path& path) {
    constexpr std::uint64_t kLargest = 64 << 10;
    std::error_code missing;
    const std::uint64_t size = std::filesystem::file_size(path, missing);
    if (!missing && size > kLargest) {
        throw Error(ErrorCode::Corrupt,
                    path.filename().string() + " of the backup set has " + std::to_string(size) + " bytes",
                    "restore from another backup set");
    }
    return readFile(path).value_or("");
}

/// What mariadb-backup has put there for tables that were renamed while it ran: --prepare renames t.ibd to what t.ren
/// says, wherever that is.
void requireInnerRenames(const std::filesystem::path& directory) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
        if (entry.path().extension() != ".ren") continue;
        block::requireInnerPath(smallFile(entry.path()), entry.path().string());
    }
}

/// For what need not survive a crash: a file system that has much on its way to the disk is not waited for.
void writeFile(const std::filesystem::path& path, std::string_view content, unsigned mode) {
    std::filesystem::remove(path);
    const Fd file = openFile(path, O_WRONLY | O_CREAT | O_EXCL, mode);
    writeAll(file.get(), viewOf(content), path);
}

/// A program that ends itself, by exit or abort(), would do so again with the same files: then they are not what was
/// backed up, or it has a defect. Unless it wanted for something.
ErrorCode causeOf(const ExitStatus& status, const std::filesystem::path& directory, const std::string& complaint) {
    constexpr std::uint64_t kFull = 1 << 20;
    if (roomOf(directory).free < kFull) return ErrorCode::NoSpace;
    return status.killed() || lacksResources(complaint) ? ErrorCode::Unavailable : ErrorCode::Corrupt;
}

}  // namespace

void prepareFiles(const std::filesystem::path& directory, std::uint64_t memory, std::stop_token stop,
                  WrongPages wrong) {
    requireInnerRenames(directory);
    const std::filesystem::path options = directory / "backup-my.cnf";
    writeFile(options, prepareOptions(smallFile(options)), 0600);
    const source::PrivateDirectory work(directory.parent_path());
    const std::filesystem::path log = work.path() / "log";
    const std::filesystem::path library = work.path() / "no_sync.so";
    writeFile(library, textOf(noSyncLibrary()), 0500);
    Command command;
    // Without --no-defaults, which would make it assume InnoDB's defaults (pages of 16 KiB). It reads that option file,
    // no other, and loads the plugins that are named there, whatever its arguments say.
    command.arguments = {"mariadb-backup", "--prepare", "--target-dir=" + directory.string(),
                         "--use-memory=" + std::to_string(memory), "--tmpdir=" + work.path().string(),
                         // It finds in the page cache what is not on the disk yet: a direct read would wait.
                         "--innodb-flush-method=fsync"};
    // Such a page is not in the way of the others.
    if (wrong == WrongPages::Keep) command.arguments.emplace_back("--innodb-force-recovery=1");
    command.environment = {source::preloading(library)};
    // The redo log names the files that it changes, and it comes from outside.
    command.file_access = accessOf("mariadb-backup", {directory, work.path()});
    command.stderr_file = log;
    command.priority = Priority::Background;
    Child child(command);
    for (;;) {
        const auto status = child.waitFor(std::chrono::milliseconds(50));
        requireGoing(stop, "the restore was cancelled");
        if (!status) continue;
        if (status->ok() && source::completedOk(log)) return;
        const std::string complaint = source::complaintOf(log);
        throw Error(
            causeOf(*status, directory, complaint),
            "preparing " + directory.string() + ": mariadb-backup ended with " + status->text() + ": " + complaint);
    }
}

}  // namespace tidemark::restore
