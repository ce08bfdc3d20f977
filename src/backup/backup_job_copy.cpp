#include <algorithm>

#include "backup/backup_job.h"
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
    course_.go(Step::Copy);
    return {};
}

void BackupJob::describeTenant() {
    const catalog::Cluster cluster = parts_.stores.cluster.cluster();
    task_.start_scn = static_cast<Scn>(parts_.clock.now());
    course_.describe(set_);
    backup_set::BackupSetDescription& description = course_.description();
    description.cluster_name = cluster.name;
    description.cluster_id = static_cast<std::uint64_t>(cluster.id);
    description.tenant_name = tenant_.name;
    description.tenant_id = static_cast<std::uint64_t>(tenant_.id);
    description.dest_id = static_cast<std::uint64_t>(set_.dest_id);
    description.tenant_settings = tenant::carriedSettings(tenant_);
    description.comment = row_.description;
    description.start_scn = task_.start_scn;
    // The log from here on is what makes the copy consistent.
    task_.user_ls_start_scn = parts_.clock.now();
}

job::Pause BackupJob::copy(std::stop_token stop) {
    if (!course_.copy([&] { return copyOnce(stop); }, stop)) {
        task_.turn = course_.progress().turn;
        enter(BackupTaskStatus::BackupUserMeta);
        return {};
    }
    task_.end_scn = static_cast<Scn>(parts_.clock.now());
    crashPoint("backup.copied");
    return {};
}

job::Pause BackupJob::noteCopy() {
    course_.noteCopy(ownPosition(course_.copied().facts.gtid));
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
    DataBackup backup(source, *course_.storage(), share.lane(),
                      {.set = course_.description().id,
                       .turn = course_.progress().turn,
                       .parent = course_.parent(),
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
