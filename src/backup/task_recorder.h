#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <thread>

#include "backup/data_backup.h"
#include "base/log.h"
#include "base/mutex.h"
#include "catalog/backup_store.h"
#include "job/shown_stage.h"
#include "job/time_left.h"
#include "job/work_context.h"

namespace tidemark::backup {

/// In the views a macro block is 2 MiB of data, so that their share tells the truth: a tenant's many small files take a
/// block each as they are read.
std::int64_t shownMacroBlocks(std::uint64_t bytes);

/// What the views show of a copy, as far as it has come.
catalog::BackupStats countersOf(const DataBackupProgress& progress);

/// A total that grows by more than is done of it, or by what rounding adds, must not make the share of what is done
/// fall: it follows as far as the share of `shown` allows. Both counts stay, and the total is never below what is done.
catalog::BackupStats withoutSetback(catalog::BackupStats stats, const catalog::BackupStats& shown);

/// Keeps the row of *_BACKUP_TASKS true while a backup runs.
///
/// A thread writes the counters at each interval and a new stage at once, in order, none left out. A stage stays in the
/// row for at least kShown, however short it was, so that who looks every 20 ms sees each; the row is behind by that
/// much at most for each stage that was shorter. The backup itself never waits for this, but for drain().
///
/// It is also what tells the engine that the copy moves. A catalog that fails is logged and asked again at the next
/// interval. Thread-safe.
class TaskRecorder {
public:
    static constexpr std::chrono::milliseconds kInterval{200};
    static constexpr std::chrono::milliseconds kShown = job::ShownStage::kShown;

    /// The row exists, in INIT. `time_left` is used by nobody else meanwhile.
    TaskRecorder(catalog::BackupStore& store, job::WorkContext& work, job::TimeLeft& time_left, Logger log);
    /// What is not written by then is not written any more.
    ~TaskRecorder();
    TaskRecorder(const TaskRecorder&) = delete;
    TaskRecorder& operator=(const TaskRecorder&) = delete;

    /// The row is to say this, once the stages before it have been seen.
    void show(const catalog::BackupTask& task);
    /// From now on the counters are those of this copy, as far as it has come.
    void follow(std::shared_ptr<const DataBackupProgress> progress);
    /// Waits until everything is written and the last stage has been shown; gives up when the catalog takes nothing.
    void drain();

private:
    using Time = std::chrono::steady_clock::time_point;

    struct Write {
        catalog::BackupTask task;
        bool next_stage = false;
        std::uint64_t bytes = 0;  ///< read and stored
        std::uint64_t shows = 0;
    };

    void run(std::stop_token stop);
    /// When there is something to write next.
    Time due() const REQUIRES(mutex_);
    /// The stage that is shown, or the next one if it is that one's turn; none if nothing has changed.
    std::optional<Write> toWrite() REQUIRES(mutex_);
    void estimate() REQUIRES(mutex_);
    bool store(const catalog::BackupTask& task) const;
    void stored(const Write& write) REQUIRES(mutex_);
    catalog::BackupTask counted(catalog::BackupTask task) const REQUIRES(mutex_);

    catalog::BackupStore& store_;
    job::WorkContext& work_;
    job::TimeLeft& time_left_;
    const Logger log_;

    Mutex mutex_;
    ConditionVariable changed_;
    std::optional<catalog::BackupTask> task_ GUARDED_BY(mutex_);  ///< as it is shown; none in INIT
    bool written_ GUARDED_BY(mutex_) = true;      ///< task_ is in the catalog as it is, but for its counters
    bool failed_ GUARDED_BY(mutex_) = false;      ///< the last write
    std::uint64_t shows_ GUARDED_BY(mutex_) = 0;  ///< how often show() was called
    std::deque<catalog::BackupTask> stages_ GUARDED_BY(mutex_);  ///< that are to be shown after it
    std::shared_ptr<const DataBackupProgress> progress_ GUARDED_BY(mutex_);
    std::uint64_t counted_bytes_ GUARDED_BY(mutex_) = 0;                ///< read and stored, when the row was written
    catalog::BackupStats shown_ GUARDED_BY(mutex_);                     ///< in the row, of progress_
    std::optional<std::chrono::milliseconds> left_ GUARDED_BY(mutex_);  ///< as it is estimated now
    std::optional<std::chrono::milliseconds> shown_left_ GUARDED_BY(mutex_);  ///< in the row
    Time shown_since_ GUARDED_BY(mutex_);                                     ///< task_'s stage
    Time tried_ GUARDED_BY(mutex_);                                           ///< the last write
    std::jthread thread_;                                                     ///< last: it uses all of the above
};

}  // namespace tidemark::backup
