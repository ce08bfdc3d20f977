#include "base/error.h"
#include "base/process.h"
#include "restore/data_restore.h"
#include "source/backup_log.h"
#include "source/private_directory.h"

namespace tidemark::restore {

void prepareFiles(const std::filesystem::path& directory, std::uint64_t memory, std::stop_token stop) {
    const source::PrivateDirectory work({});
    const std::filesystem::path log = work.path() / "log";
    Command command;
    // --no-defaults comes first; it reads the backup-my.cnf that the backup has put into the directory all the same.
    command.arguments = {"mariadb-backup",
                         "--no-defaults",
                         "--prepare",
                         "--target-dir=" + directory.string(),
                         "--use-memory=" + std::to_string(memory),
                         "--tmpdir=" + work.path().string()};
    command.stderr_file = log;
    Child child(command);
    for (;;) {
        const auto status = child.waitFor(std::chrono::milliseconds(50));
        if (stop.stop_requested()) throw Error(ErrorCode::Cancelled, "the restore was cancelled");
        if (!status) continue;
        if (status->ok() && source::completedOk(log)) return;
        throw Error(ErrorCode::Unavailable, "preparing " + directory.string() + ": mariadb-backup ended with " +
                                                status->text() + ": " + source::complaintOf(log));
    }
}

}  // namespace tidemark::restore
