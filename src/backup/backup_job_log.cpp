#include "archive/archive_reader.h"
#include "backup/backup_job.h"
#include "backup/finished_set.h"
#include "backup_set/sealed_storage.h"
#include "base/crash_point.h"
#include "job/progress_gate.h"
#include "storage/subtree_storage.h"
#include "storage/throttled_storage.h"

// The steps that only a backup PLUS ARCHIVELOG has: the log from the end of its copy up to now becomes part of the set.

namespace tidemark::backup {

using catalog::BackupTaskStatus;

/// Up to what is committed now, noted before anything of it is stored: who goes on after a crash stores the same.
job::Pause BackupJob::chooseLog() {
    const catalog::ArchiveRound round = currentRound();
    parts_.write_archive(round.path);
    const auto archive = storage::openStorage(round.path);
    const archive::RoundKey key{static_cast<std::uint64_t>(round.dest_id), static_cast<std::uint64_t>(round.round_id)};
    try {
        const archive::ArchiveReader reader(*archive, key);
        course_.progress().log = {
            .archive_uri = round.path,
            .range = archive::rangeUntilNow(reader, key, mysql::GtidPosition::parse(course_.description().gtid),
                                            set_.min_restore_scn)};
    } catch (const Error&) {
        storage::requireMounted(*archive);  // what goes meanwhile looks like missing log
        throw;
    }
    course_.save();
    crashPoint("backup.log-chosen");
    return beginToCopyLog();
}

job::Pause BackupJob::beginToCopyLog() {
    set_.min_restore_scn = set_.consistent_scn = set_.start_replay_scn = course_.progress().log->range.after_scn;
    log_archive_ = storage::openStorage(course_.progress().log->archive_uri);
    task_.stats = statsOfCopy();
    enter(BackupTaskStatus::BackupLog);
    wait_.reset();
    course_.go(Step::CopyLog);
    return {};
}

job::Pause BackupJob::copyLog(std::stop_token stop) {
    try {
        extractLog(stop);
    } catch (const Error&) {
        // Of either destination: what is not mounted looks like missing objects.
        if (!stop.stop_requested()) storage::requireMounted(*log_archive_);
        throw;
    }
    log_archive_.reset();
    crashPoint("backup.log-copied");
    course_.go(Step::Complete);
    return {};
}

void BackupJob::extractLog(std::stop_token stop) {
    backup_set::BackupSetDescription& description = course_.description();
    const archive::ArchiveReader reader(*log_archive_, course_.progress().log->range.round);
    archive::LogExtract extract(reader, *log_archive_, course_.progress().log->range);
    const storage::Key directory = backup_set::logDirectory(description.id);
    storage::ThrottledStorage limited(*course_.storage(), parts_.capacity.destination_reading,
                                      parts_.capacity.destination_writing, {.stop = stop});
    storage::SubtreeStorage plain(limited, directory);
    // The log tells as much as the data do.
    backup_set::SealedStorage sealed(plain, key());
    storage::Storage& to = key() ? static_cast<storage::Storage&>(sealed) : plain;
    job::ProgressGate gate(parts_.clock, Nanos{std::chrono::nanoseconds(TaskRecorder::kInterval).count()});
    showLog(extract.files(), {});
    const auto objects = extract.copyTo(to, std::move(stop), [&](const archive::LogExtract::Progress& done) {
        context_.moved();
        if (gate.due() || done.files == extract.files()) showLog(extract.files(), done);
    });
    description.plus_archivelog = true;
    description.log_end_scn = course_.progress().log->range.until;
    description.log_files = extract.files();
    description.log_objects.clear();
    for (const archive::ExtractedObject& object : objects) {
        description.log_objects.push_back(
            key() ? backup_set::logObjectAt(*course_.storage(), directory + object.key)
                  : backup_set::LogObject{directory + object.key, object.size, object.checksum});
    }
}

void BackupJob::showLog(std::uint64_t files, const archive::LogExtract::Progress& done) {
    task_.stats.output_bytes = course_.description().output_bytes + done.bytes;
    task_.stats.log_file_count = static_cast<std::int64_t>(files);
    task_.stats.finish_log_file_count = static_cast<std::int64_t>(done.files);
    recorder().show(task_);
}

}  // namespace tidemark::backup
