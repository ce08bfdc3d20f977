#include <algorithm>

#include "backup/backup_job.h"
#include "backup/set_making.h"
#include "base/crash_point.h"
#include "mysql/gtid.h"
#include "source/mariadb_backup.h"
#include "tenant/carried_settings.h"

// The steps in which the tenant's files become the blocks of the set, in as many turns as it takes.

namespace tidemark::backup {

using catalog::BackupTaskStatus;

namespace {

BackupTaskStatus statusOf(DataPhase phase) {
    switch (phase) {
        case DataPhase::Server:
            return BackupTaskStatus::BackupDataSys;
        case DataPhase::Redo:
            return BackupTaskStatus::BackupDataMinor;
        case DataPhase::Tables:
            break;
    }
    return BackupTaskStatus::BackupDataMajor;
}

}  // namespace

job::Pause BackupJob::beginCopy() {
    enter(BackupTaskStatus::BackupSysMeta);
    describeTenant();
    enter(BackupTaskStatus::BackupUserMeta);
    step_ = Step::Copy;
    return {};
}

/// Noted before anything of it is stored, so that no two attempts ever write the same objects.
void BackupJob::nextTurn() {
    progress_.turn = std::max(progress_.turn, 1U) + 1;  // one that an older version began was the first
    task_.turn = progress_.turn;
    context_.saveProgress(progress_.text());
}

void BackupJob::describeTenant() {
    const catalog::Cluster cluster = parts_.stores.cluster.cluster();
    task_.start_scn = static_cast<Scn>(parts_.clock.now());
    description_.id = idOf(set_);
    description_.prev_full_set = static_cast<std::uint32_t>(set_.prev_full_set_id);
    description_.prev_incremental_set = static_cast<std::uint32_t>(set_.prev_inc_set_id);
    description_.cluster_name = cluster.name;
    description_.cluster_id = static_cast<std::uint64_t>(cluster.id);
    description_.tenant_name = tenant_.name;
    description_.tenant_id = static_cast<std::uint64_t>(tenant_.id);
    description_.dest_id = static_cast<std::uint64_t>(set_.dest_id);
    description_.tenant_settings = tenant::carriedSettings(tenant_);
    description_.comment = row_.description;
    description_.start_time = set_.start_time;
    description_.start_scn = task_.start_scn;
    // The log from here on is what makes the copy consistent.
    task_.user_ls_start_scn = parts_.clock.now();
}

job::Pause BackupJob::copy(std::stop_token stop) {
    try {
        copied_ = copyOnce(stop);
        // What went beneath a destination that is not mounted is not there.
        storage::requireMounted(*storage_);
    } catch (const Error& error) {
        if (stop.stop_requested()) throw;
        return copyAgain(error);
    }
    task_.end_scn = static_cast<Scn>(parts_.clock.now());
    crashPoint("backup.copied");
    step_ = Step::NoteCopy;
    return {};
}

/// Throws what is handled if there is no sense in it. A destination that goes, however often, is no failure of a copy:
/// the next one begins when ask() has found it there.
job::Pause BackupJob::copyAgain(const Error& error) {
    // mariadb-backup loses the data of Aria and MyISAM tables that are created and renamed while it runs, which is
    // found out at the end of the copy: docs/decisions/data_path.md. Another copy rarely meets the same again.
    if (isDestinationAway()) {
        log_->warn("set {} is copied again when its destination is back: {}", set_.backup_set_id, error.what());
    } else {
        if (error.code() != ErrorCode::Unavailable || ++failed_copies_ == kMostCopies) throw;
        log_->warn("copy {} of {}: {}", failed_copies_, kMostCopies, error.what());
    }
    nextTurn();
    enter(BackupTaskStatus::BackupUserMeta);
    return {};
}

bool BackupJob::isDestinationAway() const {
    return storage_ && storage::isAway(*storage_);
}

job::Pause BackupJob::noteCopy() {
    describeCopy(description_, *copied_, progress_.turn, ownPosition(copied_->facts.gtid));
    progress_.copied = description_;
    context_.saveProgress(progress_.text());
    crashPoint("backup.copy-noted");
    return beginToWait();
}

DataBackupResult BackupJob::copyOnce(std::stop_token stop) {
    counters_ = std::make_shared<DataBackupProgress>();
    const auto server = parts_.tenants.server(row_.tenant);
    source::MariadbBackupSource source({.data_directory = server->paths().data(),
                                        .endpoint = server->endpoint(),
                                        .work_directory = server->paths().directory});
    job::Share share(parts_.capacity, job::backupShare(row_.tenant));
    DataBackup backup(source, *storage_, share.lane(),
                      {.set = description_.id,
                       .turn = progress_.turn,
                       .parent = parent_,
                       .data_file_size = static_cast<std::uint64_t>(
                           parts_.stores.parameters.bytes(row_.tenant, "backup_data_file_size")),
                       .scratch = server->paths().directory,
                       .key = key(),
                       .limits = DataBackupLimits{.source_reading = parts_.capacity.tenant_reading,
                                                  .destination_reading = parts_.capacity.destination_reading,
                                                  .destination_writing = parts_.capacity.destination_writing},
                       .on_phase = [this](DataPhase phase) { enter(statusOf(phase)); }},
                      *counters_);
    recorder().follow(counters_);
    return backup.run(std::move(stop));
}

std::string BackupJob::ownPosition(const std::string& gtid) {
    mysql::SqlClient tenant(parts_.tenants.server(row_.tenant)->endpoint());
    const auto binlog = mysql::GtidPosition::parse(tenant.scalar("SELECT @@gtid_binlog_pos").value_or(""));
    const auto copied = mysql::GtidPosition::parse(gtid);
    mysql::GtidPosition own;
    for (const auto& [domain, last] : copied.domains()) {
        if (binlog.domains().contains(domain)) own.set(last);
    }
    return own.text();
}

}  // namespace tidemark::backup
