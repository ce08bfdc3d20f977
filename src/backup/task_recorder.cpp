#include "backup/task_recorder.h"

#include <pthread.h>

#include <algorithm>

#include "base/error.h"
#include "block/page.h"

namespace tidemark::backup {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kDrainLimit{5};

/// So much that it is worth a write where nothing else has changed.
bool drifted(std::optional<std::chrono::milliseconds> now, std::optional<std::chrono::milliseconds> shown) {
    if (!now || !shown) return now != shown;
    const auto by = std::chrono::abs(*now - *shown);
    return by * 25 > *shown;
}

}  // namespace

std::int64_t shownMacroBlocks(std::uint64_t bytes) {
    return static_cast<std::int64_t>((bytes + block::kMacroBlockSize - 1) / block::kMacroBlockSize);
}

catalog::BackupStats countersOf(const DataBackupProgress& progress) {
    catalog::BackupStats stats;
    // What is done is read before its total, which then cannot be the lower one.
    stats.input_bytes = progress.read_bytes;
    stats.output_bytes = progress.stored.stored_bytes;
    stats.finish_tablet_count = static_cast<std::int64_t>(progress.finished_tablets.load());
    stats.tablet_count = static_cast<std::int64_t>(progress.total_tablets.load());
    const std::uint64_t total = progress.total_bytes;
    stats.macro_block_count = shownMacroBlocks(total);
    stats.finish_macro_block_count = stats.input_bytes == total
                                         ? stats.macro_block_count
                                         : static_cast<std::int64_t>(stats.input_bytes / block::kMacroBlockSize);
    return stats;
}

catalog::BackupStats withoutSetback(catalog::BackupStats stats, const catalog::BackupStats& shown) {
    const std::int64_t done = stats.finish_macro_block_count;
    if (shown.finish_macro_block_count == 0) return stats;
    const std::int64_t same_share = done * shown.macro_block_count / shown.finish_macro_block_count;
    stats.macro_block_count = std::max(done, std::min(stats.macro_block_count, same_share));
    return stats;
}

TaskRecorder::TaskRecorder(catalog::BackupStore& store, job::WorkContext& work, job::TimeLeft& time_left, Logger log)
    : store_(store),
      work_(work),
      time_left_(time_left),
      log_(std::move(log)),
      shown_since_(Steady::now()),
      tried_(shown_since_),
      thread_([this](std::stop_token stop) {
          pthread_setname_np(pthread_self(), "backup-progress");
          run(std::move(stop));
      }) {}

TaskRecorder::~TaskRecorder() {
    thread_.request_stop();
    changed_.notifyAll();
}

void TaskRecorder::show(const catalog::BackupTask& task) {
    const MutexLock lock(mutex_);
    if (!stages_.empty() && stages_.back().status == task.status) {
        stages_.back() = task;
    } else if (stages_.empty() && task_ && task_->status == task.status) {
        task_ = task;
        written_ = false;
    } else {
        stages_.push_back(task);
    }
    ++shows_;
    changed_.notifyAll();
}

void TaskRecorder::follow(std::shared_ptr<const DataBackupProgress> progress) {
    const MutexLock lock(mutex_);
    progress_ = std::move(progress);
    shown_ = {};
}

void TaskRecorder::drain() {
    MutexLock lock(mutex_);
    const Time limit = Steady::now() + kDrainLimit;
    while (!(stages_.empty() && written_ && Steady::now() >= shown_since_ + kShown) && Steady::now() < limit)
        changed_.waitUntil(lock, std::min(limit, Steady::now() + kShown));
}

void TaskRecorder::run(std::stop_token stop) {
    MutexLock lock(mutex_);
    while (!stop.stop_requested()) {
        const Time next = due();
        if (Steady::now() >= next) {
            const std::optional<Write> write = toWrite();
            if (!write) continue;
            lock.unlock();
            const bool done = store(write->task);
            lock.lock();
            failed_ = !done;
            if (done) stored(*write);
        } else {
            changed_.waitUntil(lock, stop, next, [&]() REQUIRES(mutex_) { return due() < next; });
        }
    }
}

TaskRecorder::Time TaskRecorder::due() const {
    const Time earliest = failed_ ? tried_ + kInterval : Time();
    if (!stages_.empty()) return std::max(shown_since_ + kShown, earliest);
    return written_ ? tried_ + kInterval : earliest;
}

std::optional<TaskRecorder::Write> TaskRecorder::toWrite() {
    const bool next_stage = !stages_.empty();
    const std::uint64_t bytes = progress_ ? progress_->read_bytes + progress_->stored.stored_bytes : 0;
    tried_ = Steady::now();
    if (bytes != counted_bytes_) work_.moved();
    estimate();
    const bool same = written_ && bytes == counted_bytes_ && !drifted(left_, shown_left_);
    if (!next_stage && (!task_ || same)) return std::nullopt;
    return Write{counted(next_stage ? stages_.front() : *task_), next_stage, bytes, shows_};
}

void TaskRecorder::stored(const Write& write) {
    counted_bytes_ = write.bytes;
    shown_ = write.task.stats;
    shown_left_ = write.task.left;
    written_ = write.shows == shows_;  // what came meanwhile may concern this stage
    if (write.next_stage) {
        task_ = stages_.front();
        stages_.pop_front();
        shown_since_ = Steady::now();
    }
    changed_.notifyAll();
}

bool TaskRecorder::store(const catalog::BackupTask& task) const {
    try {
        store_.progress(work_.claim(), task);
        return true;
    } catch (const Error& error) {
        log_->warn("progress could not be recorded: {}", error.what());
        return false;
    }
}

/// By bytes of the tenant's files, then by files of the log that is copied into the set.
void TaskRecorder::estimate() {
    std::optional<job::TimeLeft::Seconds> left;
    const Time now = Steady::now();
    if (task_ && task_->stats.log_file_count > 0) {
        left = time_left_.update(now, static_cast<double>(task_->stats.finish_log_file_count),
                                 static_cast<double>(task_->stats.log_file_count));
    } else if (progress_) {
        const auto done = static_cast<double>(progress_->read_bytes);
        left = time_left_.update(now, done, std::max(done, static_cast<double>(progress_->total_bytes)));
    }
    if (left) left_ = std::chrono::duration_cast<std::chrono::milliseconds>(*left);
}

catalog::BackupTask TaskRecorder::counted(catalog::BackupTask task) const {
    task.left = left_;
    if (!progress_) return task;
    const catalog::BackupStats known = task.stats;
    task.stats = withoutSetback(countersOf(*progress_), shown_);
    task.stats.output_bytes = std::max(task.stats.output_bytes, known.output_bytes);
    task.stats.file_count = known.file_count;
    task.stats.log_file_count = known.log_file_count;
    task.stats.finish_log_file_count = known.finish_log_file_count;
    return task;
}

}  // namespace tidemark::backup
