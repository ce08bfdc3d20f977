#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>

namespace tidemark {

/// Every place where a test ends the daemon as `kill -9` would, in the order in which work meets them. What each
/// leaves, the next start has to deal with: test/scenario/test_crash_points.py visits all of them.
constexpr std::string_view kCrashPoints[] = {
    // the catalog's schema, at a start
    "schema.step-made",
    "schema.step-noted",
    // objects at a destination, of whatever kind
    "storage.object-written",
    "storage.object-published",
    // SET DATA_BACKUP_DEST and LOG_ARCHIVE_DEST
    "destination.numbered",
    "destination.directory-made",
    "destination.marked",
    "destination.probe-written",
    "destination.checked",
    "destination.recorded",
    // CREATE, DROP TENANT
    "tenant.row-written",
    "tenant.directory-made",
    "tenant.files-made",
    "tenant.started",
    "tenant.normal",
    "tenant.dropping",
    "tenant.killed",
    "tenant.directory-renamed",
    "tenant.files-removed",
    "tenant.row-removed",
    // ARCHIVELOG, the archive itself, NOARCHIVELOG
    "archive.round-written",
    "archive.round-beginning",
    "archive.round-started",
    "archive.piece-started",
    "archive.segment-begun",
    "archive.segment-sealed",
    "archive.checkpoint-put",
    "archive.checkpoint-replaced",
    "archive.piece-frozen",
    "archive.piece-switched",
    "archive.progress-recorded",
    "archive.round-stopping",
    "archive.round-ended",
    "archive.round-stopped",
    // BACKUP, and the removal of what one left that was cancelled
    "backup.job-written",
    "backup.set-recorded",
    "backup.turn-begun",
    "backup.copied",
    "backup.copy-noted",
    "backup.log-chosen",
    "backup.log-segment-copied",
    "backup.log-copied",
    "backup.described",
    "backup.set-visible",
    "backup.end-recorded",
    "backup.cleaning",
    // DELETE BACKUPSET, DELETE OBSOLETE BACKUP, and a policy
    "clean.policy-written",
    "clean.policy-ran",
    "clean.job-written",
    "clean.task-begun",
    "clean.hidden",
    "clean.removing",
    "clean.emptied",
    "clean.removed",
    "clean.task-ended",
    "clean.end-recorded",
    // RESTORE, ACTIVATE
    "restore.rows-written",
    "restore.directory-made",
    "restore.tenant-noted",
    "restore.file-written",
    "restore.files-written",
    "restore.prepared",
    "restore.replay-started",
    "restore.replaying",
    "restore.replayed",
    "restore.flushed",
    "restore.server-started",
    "restore.standby",
    "restore.upgraded",
    "restore.views-installed",
    "restore.readable",
    "restore.durable",
    "restore.opened",
    "restore.failure-noted",
    "restore.tenant-removed",
    "restore.end-recorded",
    "restore.in-history",
    // RESTORE … method=quick, and what comes after it
    "quick.source-noted",
    "quick.opened",
    "quick.hydrated",
    "quick.mount-point-removed",
    "quick.files-moved",
    "quick.normal",
    // VALIDATE
    "validate.job-written",
    "validate.planned",
    "validate.unit-checked",
    "validate.unit-noted",
    // … WITH RESTORE
    "validate.server-made",
    "validate.restored",
    "validate.server-started",
    "validate.replayed",
    "validate.tables-checked",
    "validate.end-recorded",
    "activate.role-set",
};

/// One of kCrashPoints. Any other name does not compile.
class CrashPoint {
public:
    // NOLINTNEXTLINE(google-explicit-constructor): a call names its point and nothing else
    consteval CrashPoint(const char* name) : index_(indexOf(name)) {}
    constexpr int index() const { return index_; }

private:
    static consteval int indexOf(std::string_view name) {
        for (std::size_t i = 0; i < std::size(kCrashPoints); ++i) {
            if (kCrashPoints[i] == name) return static_cast<int>(i);
        }
        throw "there is no crash point of this name";
    }

    int index_;
};

namespace detail {
inline std::atomic<int> armed_crash_point{-1};
void reachCrashPoint();
}  // namespace detail

/// The daemon ends here, without a trace, if this point is armed.
inline void crashPoint(CrashPoint point) {
    if (detail::armed_crash_point.load(std::memory_order_relaxed) == point.index()) detail::reachCrashPoint();
}

/// Arms the point of `name` or `name:nth`: its nth visit is the end. Empty: none. Throws InvalidRequest, naming all
/// that there are, for anything else. Before any other thread exists.
void armCrashPoint(const std::string& text);

}  // namespace tidemark
