#include <array>

#include "catalog/schema.h"

namespace tidemark::catalog {
namespace {

// Every table has a primary key (a Galera cluster demands it later), ids come from `sequence` and not from
// AUTO_INCREMENT (which leaves holes of its own on several nodes), times are UTC, SCNs nanoseconds, 0 = none.
// Tables that views show one to one keep the types of docs/views.md.
constexpr const char* kStep1 = R"sql(
CREATE TABLE IF NOT EXISTS tidemark.sequence (
    name VARCHAR(64) NOT NULL,
    scope BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (name, scope));

CREATE TABLE IF NOT EXISTS tidemark.commit_marker (
    owner BIGINT UNSIGNED NOT NULL,
    slot INT NOT NULL,
    token BIGINT UNSIGNED NOT NULL,
    at TIMESTAMP(6) NULL,
    PRIMARY KEY (owner, slot));

-- which views are installed: a hash of their text
CREATE TABLE IF NOT EXISTS tidemark.view_version (fingerprint BIGINT UNSIGNED NOT NULL PRIMARY KEY);

CREATE TABLE IF NOT EXISTS tidemark.cluster (
    id BIGINT NOT NULL PRIMARY KEY,
    name VARCHAR(128) NOT NULL);

-- whose catalog this is: 1 in sys, the tenant's id in a tenant's copy
CREATE TABLE IF NOT EXISTS tidemark.own_tenant (tenant_id BIGINT NOT NULL PRIMARY KEY);
INSERT IGNORE INTO tidemark.own_tenant VALUES (1);

CREATE TABLE IF NOT EXISTS tidemark.zone (
    name VARCHAR(128) NOT NULL PRIMARY KEY,
    region VARCHAR(128) NOT NULL,
    idc VARCHAR(128) NOT NULL,
    create_time TIMESTAMP(6) NULL,
    modify_time TIMESTAMP(6) NULL);

CREATE TABLE IF NOT EXISTS tidemark.server (
    id BIGINT NOT NULL PRIMARY KEY,
    ip VARCHAR(46) NOT NULL,
    rpc_port BIGINT NOT NULL,
    sql_port BIGINT NOT NULL,
    zone VARCHAR(128) NOT NULL,
    build_version VARCHAR(256) NOT NULL,
    start_service_time TIMESTAMP(6) NULL,
    create_time TIMESTAMP(6) NULL,
    modify_time TIMESTAMP(6) NULL,
    UNIQUE KEY (ip, rpc_port));

CREATE TABLE IF NOT EXISTS tidemark.server_resource (
    server_id BIGINT NOT NULL PRIMARY KEY,
    cpu_capacity BIGINT NOT NULL,
    memory_capacity BIGINT NOT NULL,
    disk_capacity BIGINT NOT NULL,
    log_disk_in_use BIGINT NULL,
    data_disk_in_use BIGINT NULL);

CREATE TABLE IF NOT EXISTS tidemark.unit_config (
    id BIGINT NOT NULL PRIMARY KEY,
    name VARCHAR(128) NOT NULL UNIQUE,
    max_cpu DOUBLE NOT NULL,
    min_cpu DOUBLE NOT NULL,
    memory_size BIGINT NOT NULL,
    log_disk_size BIGINT NOT NULL,
    max_iops BIGINT NOT NULL,
    min_iops BIGINT NOT NULL,
    iops_weight BIGINT NOT NULL,
    create_time TIMESTAMP(6) NULL,
    modify_time TIMESTAMP(6) NULL);

CREATE TABLE IF NOT EXISTS tidemark.resource_pool (
    id BIGINT NOT NULL PRIMARY KEY,
    name VARCHAR(128) NOT NULL UNIQUE,
    tenant_id BIGINT NULL,
    unit_count BIGINT NOT NULL,
    unit_config_id BIGINT NOT NULL,
    zone_list VARCHAR(8192) NOT NULL,
    create_time TIMESTAMP(6) NULL,
    modify_time TIMESTAMP(6) NULL,
    KEY (tenant_id));

CREATE TABLE IF NOT EXISTS tidemark.unit (
    id BIGINT NOT NULL PRIMARY KEY,
    tenant_id BIGINT NULL,
    pool_id BIGINT NOT NULL,
    group_id BIGINT NOT NULL,
    zone VARCHAR(128) NOT NULL,
    server_id BIGINT NOT NULL,
    unit_config_id BIGINT NOT NULL,
    log_disk_in_use BIGINT NULL,
    data_disk_in_use BIGINT NULL,
    create_time TIMESTAMP(6) NULL,
    modify_time TIMESTAMP(6) NULL,
    KEY (tenant_id), KEY (pool_id));

CREATE TABLE IF NOT EXISTS tidemark.tenant (
    tenant_id BIGINT NOT NULL PRIMARY KEY,
    name VARCHAR(128) NOT NULL UNIQUE,
    status VARCHAR(64) NOT NULL,
    role VARCHAR(100) NOT NULL,
    mode VARCHAR(6) NOT NULL,
    switchover_status VARCHAR(100) NOT NULL,
    switchover_epoch BIGINT NOT NULL,
    primary_zone VARCHAR(128) NOT NULL,
    locality VARCHAR(4096) NOT NULL,
    comment VARCHAR(4096) NOT NULL,
    log_mode VARCHAR(100) NOT NULL,
    locked TINYINT NOT NULL DEFAULT 0,
    server_id INT UNSIGNED NOT NULL,
    charset VARCHAR(64) NOT NULL,
    collation VARCHAR(64) NOT NULL,
    variables LONGTEXT NOT NULL,
    sync_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    readable_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    recovery_until_scn BIGINT UNSIGNED NOT NULL,
    create_time TIMESTAMP(6) NULL,
    modify_time TIMESTAMP(6) NULL);

-- apart from the tenant's row, which is copied into the tenant
CREATE TABLE IF NOT EXISTS tidemark.tenant_secret (
    tenant_id BIGINT NOT NULL PRIMARY KEY,
    reference VARCHAR(1024) NOT NULL);

CREATE TABLE IF NOT EXISTS tidemark.tenant_job (
    job_id BIGINT NOT NULL PRIMARY KEY,
    job_type VARCHAR(128) NOT NULL,
    status VARCHAR(128) NOT NULL,
    result_code BIGINT NULL,
    progress BIGINT NOT NULL,
    tenant_id BIGINT NULL,
    sql_text LONGTEXT NULL,
    extra_info VARCHAR(512) NULL,
    start_time TIMESTAMP(6) NULL,
    modify_time TIMESTAMP(6) NULL);

CREATE TABLE IF NOT EXISTS tidemark.rootservice_event (
    id BIGINT NOT NULL PRIMARY KEY,
    at TIMESTAMP(6) NOT NULL,
    module VARCHAR(64) NOT NULL,
    event VARCHAR(64) NOT NULL,
    name1 VARCHAR(256) NULL, value1 VARCHAR(256) NULL,
    name2 VARCHAR(256) NULL, value2 VARCHAR(256) NULL,
    name3 VARCHAR(256) NULL, value3 VARCHAR(256) NULL,
    name4 VARCHAR(256) NULL, value4 VARCHAR(256) NULL,
    name5 VARCHAR(256) NULL, value5 VARCHAR(256) NULL,
    name6 VARCHAR(256) NULL, value6 VARCHAR(256) NULL,
    extra_info VARCHAR(512) NULL);

CREATE TABLE IF NOT EXISTS tidemark.parameter_definition (
    name VARCHAR(128) NOT NULL PRIMARY KEY,
    data_type VARCHAR(128) NOT NULL,
    scope VARCHAR(64) NOT NULL,
    default_value VARCHAR(512) NOT NULL,
    default_number BIGINT NULL,
    section VARCHAR(128) NOT NULL,
    edit_level VARCHAR(128) NOT NULL,
    info VARCHAR(4096) NOT NULL);

-- tenant_id 0: the cluster's; number: the value in microseconds, bytes or as it is
CREATE TABLE IF NOT EXISTS tidemark.parameter_value (
    tenant_id BIGINT NOT NULL,
    name VARCHAR(128) NOT NULL,
    value VARCHAR(512) NOT NULL,
    number BIGINT NULL,
    PRIMARY KEY (tenant_id, name));

CREATE TABLE IF NOT EXISTS tidemark.destination (
    dest_id BIGINT NOT NULL PRIMARY KEY,
    tenant_id BIGINT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    path VARCHAR(2048) NOT NULL,
    KEY (tenant_id));

CREATE TABLE IF NOT EXISTS tidemark.archive_destination (
    tenant_id BIGINT NOT NULL PRIMARY KEY,
    dest_id BIGINT NOT NULL,
    path VARCHAR(2048) NOT NULL,
    binding VARCHAR(16) NOT NULL,
    piece_switch_days BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL);

CREATE TABLE IF NOT EXISTS tidemark.backup_destination (
    tenant_id BIGINT NOT NULL PRIMARY KEY,
    dest_id BIGINT NOT NULL,
    path VARCHAR(2048) NOT NULL);

CREATE TABLE IF NOT EXISTS tidemark.archive_round (
    tenant_id BIGINT NOT NULL,
    round_id BIGINT NOT NULL,
    dest_id BIGINT NOT NULL,
    status VARCHAR(64) NOT NULL,
    start_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    checkpoint_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    base_piece_id BIGINT NOT NULL,
    used_piece_id BIGINT NOT NULL,
    piece_switch_days BIGINT NOT NULL,
    input_bytes BIGINT NOT NULL DEFAULT 0,
    output_bytes BIGINT NOT NULL DEFAULT 0,
    deleted_input_bytes BIGINT NOT NULL DEFAULT 0,
    deleted_output_bytes BIGINT NOT NULL DEFAULT 0,
    comment VARCHAR(4096) NOT NULL DEFAULT '',
    path VARCHAR(2048) NOT NULL,
    PRIMARY KEY (tenant_id, round_id));

CREATE TABLE IF NOT EXISTS tidemark.archive_piece (
    tenant_id BIGINT NOT NULL,
    piece_id BIGINT NOT NULL,
    dest_id BIGINT NOT NULL,
    round_id BIGINT NOT NULL,
    status VARCHAR(64) NOT NULL,
    file_status VARCHAR(64) NOT NULL,
    start_scn BIGINT UNSIGNED NOT NULL,
    checkpoint_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    max_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    end_scn BIGINT UNSIGNED NOT NULL,
    input_bytes BIGINT NOT NULL DEFAULT 0,
    output_bytes BIGINT NOT NULL DEFAULT 0,
    path VARCHAR(2048) NOT NULL,
    create_time TIMESTAMP(6) NULL,
    PRIMARY KEY (tenant_id, piece_id));

CREATE TABLE IF NOT EXISTS tidemark.backup_job (
    tenant_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    backup_set_id BIGINT NOT NULL DEFAULT 0,
    initiator_tenant_id BIGINT NOT NULL,
    initiator_job_id BIGINT NOT NULL,
    executors MEDIUMTEXT NOT NULL,
    dest_id BIGINT NOT NULL DEFAULT 0,
    plus_archivelog TINYINT NOT NULL DEFAULT 0,
    backup_type VARCHAR(64) NOT NULL,
    job_level VARCHAR(64) NOT NULL,
    start_time TIMESTAMP(6) NULL,
    end_time TIMESTAMP(6) NULL,
    status VARCHAR(64) NOT NULL,
    result BIGINT NOT NULL DEFAULT 0,
    comment VARCHAR(4096) NOT NULL DEFAULT '',
    description VARCHAR(4096) NOT NULL DEFAULT '',
    path VARCHAR(4096) NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, job_id),
    KEY (initiator_tenant_id, initiator_job_id));
CREATE TABLE IF NOT EXISTS tidemark.backup_job_history LIKE tidemark.backup_job;

CREATE TABLE IF NOT EXISTS tidemark.backup_task (
    tenant_id BIGINT NOT NULL,
    task_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    backup_set_id BIGINT NOT NULL,
    start_time TIMESTAMP(6) NULL,
    end_time TIMESTAMP(6) NULL,
    status VARCHAR(64) NOT NULL,
    start_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    end_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    user_ls_start_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    input_bytes BIGINT NOT NULL DEFAULT 0,
    output_bytes BIGINT NOT NULL DEFAULT 0,
    extra_meta_bytes BIGINT NOT NULL DEFAULT 0,
    tablet_count BIGINT NOT NULL DEFAULT 0,
    finish_tablet_count BIGINT NOT NULL DEFAULT 0,
    macro_block_count BIGINT NOT NULL DEFAULT 0,
    finish_macro_block_count BIGINT NOT NULL DEFAULT 0,
    file_count BIGINT NOT NULL DEFAULT 0,
    log_file_count BIGINT NOT NULL DEFAULT 0,
    finish_log_file_count BIGINT NOT NULL DEFAULT 0,
    result BIGINT NOT NULL DEFAULT 0,
    comment VARCHAR(4096) NOT NULL DEFAULT '',
    path VARCHAR(4096) NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, task_id),
    KEY (tenant_id, job_id));
CREATE TABLE IF NOT EXISTS tidemark.backup_task_history LIKE tidemark.backup_task;

CREATE TABLE IF NOT EXISTS tidemark.backup_set (
    tenant_id BIGINT NOT NULL,
    backup_set_id BIGINT NOT NULL,
    dest_id BIGINT NOT NULL,
    backup_type VARCHAR(64) NOT NULL,
    prev_full_set_id BIGINT NOT NULL DEFAULT 0,
    prev_inc_set_id BIGINT NOT NULL DEFAULT 0,
    start_time TIMESTAMP(6) NULL,
    end_time TIMESTAMP(6) NULL,
    status VARCHAR(64) NOT NULL,
    file_status VARCHAR(64) NOT NULL,
    plus_archivelog TINYINT NOT NULL DEFAULT 0,
    start_replay_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    min_restore_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    consistent_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    input_bytes BIGINT NOT NULL DEFAULT 0,
    output_bytes BIGINT NOT NULL DEFAULT 0,
    extra_meta_bytes BIGINT NOT NULL DEFAULT 0,
    tablet_count BIGINT NOT NULL DEFAULT 0,
    finish_tablet_count BIGINT NOT NULL DEFAULT 0,
    macro_block_count BIGINT NOT NULL DEFAULT 0,
    finish_macro_block_count BIGINT NOT NULL DEFAULT 0,
    file_count BIGINT NOT NULL DEFAULT 0,
    log_file_count BIGINT NOT NULL DEFAULT 0,
    finish_log_file_count BIGINT NOT NULL DEFAULT 0,
    result BIGINT NOT NULL DEFAULT 0,
    comment VARCHAR(4096) NOT NULL DEFAULT '',
    tenant_compatible VARCHAR(64) NOT NULL DEFAULT '',
    backup_compatible BIGINT NOT NULL DEFAULT 1,
    cluster_version VARCHAR(64) NOT NULL DEFAULT '',
    path VARCHAR(4096) NOT NULL,
    PRIMARY KEY (tenant_id, backup_set_id));

-- one row per restore; the views make two of it
CREATE TABLE IF NOT EXISTS tidemark.restore_job (
    job_id BIGINT NOT NULL PRIMARY KEY,
    tenant_id BIGINT NOT NULL DEFAULT 0,
    tenant_name VARCHAR(128) NOT NULL,
    backup_tenant_id BIGINT NOT NULL DEFAULT 0,
    backup_tenant_name VARCHAR(128) NOT NULL DEFAULT '',
    backup_cluster_name VARCHAR(128) NOT NULL DEFAULT '',
    backup_dest LONGTEXT NOT NULL,
    restore_option VARCHAR(4096) NOT NULL,
    restore_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    sys_status VARCHAR(64) NOT NULL,
    tenant_status VARCHAR(64) NULL,
    start_time TIMESTAMP(6) NULL,
    finish_time TIMESTAMP(6) NULL,
    set_list LONGTEXT NOT NULL,
    piece_list LONGTEXT NOT NULL,
    description VARCHAR(1024) NULL,
    backup_cluster_version BIGINT NOT NULL DEFAULT 0,
    total_bytes BIGINT NULL,
    finish_bytes BIGINT NOT NULL DEFAULT 0,
    tablet_count BIGINT NOT NULL DEFAULT 0,
    finish_tablet_count BIGINT NOT NULL DEFAULT 0,
    recover_start_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    recover_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    result BIGINT NOT NULL DEFAULT 0,
    comment VARCHAR(1024) NULL,
    KEY (tenant_id));
CREATE TABLE IF NOT EXISTS tidemark.restore_job_history LIKE tidemark.restore_job;
)sql";

/// What became of a tenant's settings and is not in its archive yet: see setting_change_store.h.
constexpr const char* kStep2 = R"sql(
CREATE TABLE IF NOT EXISTS tidemark.setting_change (
    tenant_id BIGINT NOT NULL,
    change_id BIGINT NOT NULL,
    scn BIGINT UNSIGNED NOT NULL,
    gtid LONGTEXT NOT NULL,
    settings LONGTEXT NOT NULL,
    PRIMARY KEY (tenant_id, change_id));
)sql";

/// Who does which piece of work: see work_store.h.
constexpr const char* kStep3 = R"sql(
CREATE TABLE IF NOT EXISTS tidemark.work (
    work_id BIGINT NOT NULL PRIMARY KEY,
    kind VARCHAR(32) NOT NULL,
    tenant_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    state VARCHAR(16) NOT NULL,
    owner_node BIGINT NOT NULL DEFAULT 0,
    owner_session BIGINT UNSIGNED NOT NULL DEFAULT 0,
    epoch BIGINT UNSIGNED NOT NULL DEFAULT 0,
    lease_until TIMESTAMP(6) NULL,
    renewals BIGINT UNSIGNED NOT NULL DEFAULT 0,
    attempt INT NOT NULL DEFAULT 1,
    next_run TIMESTAMP(6) NULL,
    cancelled TINYINT NOT NULL DEFAULT 0,
    waiting_for VARCHAR(1024) NOT NULL DEFAULT '',
    progress LONGTEXT NOT NULL,
    create_time TIMESTAMP(6) NULL,
    UNIQUE KEY (kind, tenant_id, job_id),
    KEY (owner_node, owner_session));
-- backups that were at work when the daemon was replaced by this version
INSERT IGNORE INTO tidemark.work (work_id, kind, tenant_id, job_id, state, progress)
    SELECT ROW_NUMBER() OVER (ORDER BY tenant_id, job_id), 'backup', tenant_id, job_id, 'READY', ''
    FROM tidemark.backup_job WHERE tenant_id <> 1;
REPLACE INTO tidemark.sequence SELECT 'work', 0, COALESCE(MAX(work_id), 0) FROM tidemark.work;
)sql";

/// The copies of a tenant's database, each at a node: see replica_store.h. Until now each tenant had one, here.
constexpr const char* kStep4 = R"sql(
CREATE TABLE IF NOT EXISTS tidemark.replica (
    tenant_id BIGINT NOT NULL,
    server_id BIGINT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    role VARCHAR(16) NOT NULL,
    status VARCHAR(64) NOT NULL,
    directory VARCHAR(1024) NOT NULL DEFAULT '',
    endpoint VARCHAR(1024) NOT NULL DEFAULT '',
    account VARCHAR(128) NOT NULL DEFAULT '',
    secret_ref VARCHAR(1024) NOT NULL DEFAULT '',
    create_time TIMESTAMP(6) NULL,
    modify_time TIMESTAMP(6) NULL,
    PRIMARY KEY (tenant_id, server_id),
    KEY (server_id));
INSERT IGNORE INTO tidemark.replica
    (tenant_id, server_id, kind, role, status, directory, create_time, modify_time)
    SELECT DISTINCT t.tenant_id, u.server_id, 'MANAGED', 'LEADER', t.status, t.tenant_id, t.create_time, t.modify_time
    FROM tidemark.tenant t JOIN tidemark.unit u ON u.tenant_id = t.tenant_id;
)sql";

/// Up to when the archive of an idle tenant is complete beyond its last checkpoint: it moves without a word to the
/// destination. Apart from the round, so that a tenant's copy of it can be one that costs no commit.
constexpr const char* kStep5 = R"sql(
CREATE TABLE IF NOT EXISTS tidemark.archive_covered (
    tenant_id BIGINT NOT NULL PRIMARY KEY,
    round_id BIGINT NOT NULL,
    scn BIGINT UNSIGNED NOT NULL);
-- what is in the making is found without reading what is history
CREATE INDEX IF NOT EXISTS by_status ON tidemark.archive_piece (tenant_id, status);
CREATE INDEX IF NOT EXISTS by_status ON tidemark.backup_set (tenant_id, status);
)sql";

// Restores that ran, or had just ended, when the daemon was replaced by this version: work of their kinds.
constexpr const char* kStep6 = R"sql(
INSERT IGNORE INTO tidemark.work (work_id, kind, tenant_id, job_id, state, progress)
    SELECT (SELECT COALESCE(MAX(work_id), 0) FROM tidemark.work) + ROW_NUMBER() OVER (ORDER BY job_id),
           IF(finish_time IS NULL, 'restore', 'restore-history'), 1, job_id, 'READY', ''
    FROM tidemark.restore_job;
REPLACE INTO tidemark.sequence SELECT 'work', 0, COALESCE(MAX(work_id), 0) FROM tidemark.work;
)sql";

/// What restores that succeeded took, for estimates of later ones on the same node: see restore_store.h.
constexpr const char* kStep7 = R"sql(
CREATE TABLE IF NOT EXISTS tidemark.restore_pace (
    job_id BIGINT NOT NULL PRIMARY KEY,
    server_id BIGINT NOT NULL,
    file_bytes BIGINT UNSIGNED NOT NULL,
    file_us BIGINT NOT NULL,
    log_bytes BIGINT UNSIGNED NOT NULL,
    log_us BIGINT NOT NULL,
    rest_us BIGINT NOT NULL,
    KEY by_server (server_id, job_id));
)sql";

/// The removal of backups, what of them is to stay, and what is in use: see delete_store.h, backup_use.h.
constexpr const char* kStep8 = R"sql(
CREATE TABLE IF NOT EXISTS tidemark.delete_policy (
    tenant_id BIGINT NOT NULL PRIMARY KEY,
    policy_name VARCHAR(256) NOT NULL,
    recovery_window VARCHAR(64) NOT NULL);
CREATE TABLE IF NOT EXISTS tidemark.delete_job (
    tenant_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    initiator_tenant_id BIGINT NOT NULL,
    initiator_job_id BIGINT NOT NULL DEFAULT 0,
    delete_type VARCHAR(64) NOT NULL,
    expiry TIMESTAMP(6) NULL,
    parameter VARCHAR(1024) NOT NULL DEFAULT '',
    job_level VARCHAR(64) NOT NULL,
    start_time TIMESTAMP(6) NULL,
    end_time TIMESTAMP(6) NULL,
    status VARCHAR(64) NOT NULL,
    task_count BIGINT NOT NULL DEFAULT 0,
    success_task_count BIGINT NOT NULL DEFAULT 0,
    result BIGINT NOT NULL DEFAULT 0,
    comment VARCHAR(4096) NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, job_id));
CREATE TABLE IF NOT EXISTS tidemark.delete_job_history LIKE tidemark.delete_job;
CREATE TABLE IF NOT EXISTS tidemark.delete_task (
    tenant_id BIGINT NOT NULL,
    task_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    task_type VARCHAR(64) NOT NULL,
    id BIGINT NOT NULL,
    round_id BIGINT NOT NULL DEFAULT 0,
    dest_id BIGINT NOT NULL,
    start_time TIMESTAMP(6) NULL,
    end_time TIMESTAMP(6) NULL,
    status VARCHAR(64) NOT NULL,
    begun TINYINT NOT NULL DEFAULT 0,
    was VARCHAR(64) NOT NULL DEFAULT '',
    total_bytes BIGINT NOT NULL DEFAULT 0,
    deleted_bytes BIGINT NOT NULL DEFAULT 0,
    total_files BIGINT NOT NULL DEFAULT 0,
    deleted_files BIGINT NOT NULL DEFAULT 0,
    result BIGINT NOT NULL DEFAULT 0,
    comment VARCHAR(4096) NOT NULL DEFAULT '',
    path VARCHAR(4096) NOT NULL,
    PRIMARY KEY (tenant_id, task_id),
    KEY (tenant_id, job_id));
CREATE TABLE IF NOT EXISTS tidemark.delete_task_history LIKE tidemark.delete_task;
-- until: an SCN, the greatest there is for ever
CREATE TABLE IF NOT EXISTS tidemark.backup_keep (
    tenant_id BIGINT NOT NULL,
    backup_set_id BIGINT NOT NULL,
    until BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (tenant_id, backup_set_id));
-- good for as long as its record of work
CREATE TABLE IF NOT EXISTS tidemark.backup_use (
    tenant_id BIGINT NOT NULL,
    backup_set_id BIGINT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    work_tenant_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    log_from BIGINT UNSIGNED NOT NULL DEFAULT 0,
    log_until BIGINT UNSIGNED NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, backup_set_id, kind, work_tenant_id, job_id));
)sql";

/// Which copy of the tenant a backup is at, and a set consists of.
constexpr const char* kStep9 = R"sql(
ALTER TABLE tidemark.backup_task ADD COLUMN IF NOT EXISTS turn BIGINT NOT NULL DEFAULT 1;
ALTER TABLE tidemark.backup_task_history ADD COLUMN IF NOT EXISTS turn BIGINT NOT NULL DEFAULT 1;
ALTER TABLE tidemark.backup_set ADD COLUMN IF NOT EXISTS turn BIGINT NOT NULL DEFAULT 1;
)sql";

/// How long what runs still takes, and how far the log reaches that a set carries itself.
constexpr const char* kStep10 = R"sql(
ALTER TABLE tidemark.backup_task ADD COLUMN IF NOT EXISTS milliseconds_left BIGINT NULL;
ALTER TABLE tidemark.backup_task_history ADD COLUMN IF NOT EXISTS milliseconds_left BIGINT NULL;
ALTER TABLE tidemark.restore_job ADD COLUMN IF NOT EXISTS milliseconds_left BIGINT NULL;
ALTER TABLE tidemark.restore_job_history ADD COLUMN IF NOT EXISTS milliseconds_left BIGINT NULL;
ALTER TABLE tidemark.backup_set ADD COLUMN IF NOT EXISTS log_end_scn BIGINT UNSIGNED NOT NULL DEFAULT 0;
)sql";

/// Validations, and what they found: see validate_store.h.
constexpr const char* kStep11 = R"sql(
CREATE TABLE IF NOT EXISTS tidemark.validate_job (
    tenant_id BIGINT NOT NULL,
    job_id BIGINT NOT NULL,
    initiator_tenant_id BIGINT NOT NULL,
    sets VARCHAR(4096) NOT NULL,
    status VARCHAR(64) NOT NULL,
    start_time TIMESTAMP(6) NULL,
    end_time TIMESTAMP(6) NULL,
    set_count BIGINT NOT NULL DEFAULT 0,
    piece_count BIGINT NOT NULL DEFAULT 0,
    total_bytes BIGINT UNSIGNED NOT NULL DEFAULT 0,
    finish_bytes BIGINT UNSIGNED NOT NULL DEFAULT 0,
    object_count BIGINT NOT NULL DEFAULT 0,
    finish_object_count BIGINT NOT NULL DEFAULT 0,
    finding_count BIGINT NOT NULL DEFAULT 0,
    lost_sets LONGTEXT NOT NULL DEFAULT '',
    lost_ranges LONGTEXT NOT NULL DEFAULT '',
    result BIGINT NOT NULL DEFAULT 0,
    comment VARCHAR(4096) NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, job_id));
CREATE TABLE IF NOT EXISTS tidemark.validate_finding (
    tenant_id BIGINT NOT NULL,
    finding_id BIGINT NOT NULL,
    status VARCHAR(64) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    object VARCHAR(4096) NOT NULL,
    what VARCHAR(4096) NOT NULL,
    dest_id BIGINT NOT NULL DEFAULT 0,
    backup_set_id BIGINT NOT NULL DEFAULT 0,
    round_id BIGINT NOT NULL DEFAULT 0,
    piece_id BIGINT NOT NULL DEFAULT 0,
    first_job_id BIGINT NOT NULL,
    last_job_id BIGINT NOT NULL,
    first_seen TIMESTAMP(6) NULL,
    last_seen TIMESTAMP(6) NULL,
    closed_time TIMESTAMP(6) NULL,
    harm VARCHAR(16) NOT NULL,
    harm_from_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    harm_to_scn BIGINT UNSIGNED NOT NULL DEFAULT 0,
    lost_sets LONGTEXT NOT NULL DEFAULT '',
    lost_ranges LONGTEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, finding_id),
    KEY by_status (tenant_id, status));
)sql";

/// How sets are encrypted, and the keys of those that are, each wrapped by the key of a node. Apart from the sets: of
/// them tenants have copies.
constexpr const char* kStep12 = R"sql(
ALTER TABLE tidemark.backup_job
    ADD COLUMN IF NOT EXISTS encryption_mode VARCHAR(64) NOT NULL DEFAULT 'NONE',
    ADD COLUMN IF NOT EXISTS passwd VARCHAR(128) NOT NULL DEFAULT '';
ALTER TABLE tidemark.backup_job_history
    ADD COLUMN IF NOT EXISTS encryption_mode VARCHAR(64) NOT NULL DEFAULT 'NONE',
    ADD COLUMN IF NOT EXISTS passwd VARCHAR(128) NOT NULL DEFAULT '';
ALTER TABLE tidemark.backup_task
    ADD COLUMN IF NOT EXISTS encryption_mode VARCHAR(64) NOT NULL DEFAULT 'NONE',
    ADD COLUMN IF NOT EXISTS passwd VARCHAR(128) NOT NULL DEFAULT '';
ALTER TABLE tidemark.backup_task_history
    ADD COLUMN IF NOT EXISTS encryption_mode VARCHAR(64) NOT NULL DEFAULT 'NONE',
    ADD COLUMN IF NOT EXISTS passwd VARCHAR(128) NOT NULL DEFAULT '';
ALTER TABLE tidemark.backup_set
    ADD COLUMN IF NOT EXISTS encryption_mode VARCHAR(64) NOT NULL DEFAULT 'NONE',
    ADD COLUMN IF NOT EXISTS passwd VARCHAR(128) NOT NULL DEFAULT '';
CREATE TABLE IF NOT EXISTS tidemark.backup_key (
    tenant_id BIGINT NOT NULL,
    backup_set_id BIGINT NOT NULL,
    wrapped VARCHAR(1024) NOT NULL,
    PRIMARY KEY (tenant_id, backup_set_id));
)sql";

/// Validations that also restore, and what they are at.
constexpr const char* kStep13 = R"sql(
ALTER TABLE tidemark.validate_job
    ADD COLUMN IF NOT EXISTS with_restore BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN IF NOT EXISTS stage VARCHAR(64) NOT NULL DEFAULT '',
    ADD COLUMN IF NOT EXISTS stage_set_id BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS table_count BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN IF NOT EXISTS finish_table_count BIGINT NOT NULL DEFAULT 0;
)sql";

/// Restores whose files stay at the destination at first.
constexpr const char* kStep14 = R"sql(
ALTER TABLE tidemark.restore_job ADD COLUMN IF NOT EXISTS restore_type VARCHAR(64) NOT NULL DEFAULT 'FULL';
ALTER TABLE tidemark.restore_job_history ADD COLUMN IF NOT EXISTS restore_type VARCHAR(64) NOT NULL DEFAULT 'FULL';
ALTER TABLE tidemark.tenant ADD COLUMN IF NOT EXISTS restore_data_mode VARCHAR(64) NOT NULL DEFAULT 'NORMAL';
)sql";

constexpr std::array<const char*, 14> kSteps = {kStep1, kStep2, kStep3,  kStep4,  kStep5,  kStep6,  kStep7,
                                                kStep8, kStep9, kStep10, kStep11, kStep12, kStep13, kStep14};

}  // namespace

std::span<const char* const> schemaSteps() {
    return kSteps;
}

}  // namespace tidemark::catalog
