#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tenant/tenant_paths.h"

namespace tidemark::tenant {

/// In what way a tenant's mariadbd runs; docs/decisions/tenant.md lists the differences.
enum class Profile {
    Primary,  ///< open for writing, full durability
    Standby,  ///< read_only, no events; full durability and a binlog, so that it can be activated without a restart
    Replay,   ///< as Standby, but without binlog and durability: only while a restore replays the log into it
    Upgrade   ///< as Replay, and the daemon's account may do everything: only while a restore runs mariadb-upgrade
};

/// Whether what it commits survives a crash, and is in a binlog.
constexpr bool isDurable(Profile profile) {
    return profile == Profile::Primary || profile == Profile::Standby;
}

/// Connections that are kept back for the daemon: administration, backup, archiver, mirror of views.
constexpr unsigned kReservedConnections = 10;

/// The least MEMORY_SIZE of a unit, bytes: mariadbd takes about 40 MiB with an almost empty pool.
constexpr std::uint64_t kLeastMemory = 64ULL << 20;

/// Everything a tenant's my.cnf is made from.
struct TenantSettings {
    catalog::TenantId tenant = 0;
    TenantPaths paths;
    std::uint32_t server_id = 0;
    double max_cpu = 1;
    std::uint64_t memory_bytes = kLeastMemory;  ///< MEMORY_SIZE of all its units on this node
    std::uint64_t log_disk_bytes = 0;  ///< LOG_DISK_SIZE: bounds the redo log; the binlog is purged by the daemon
    std::uint64_t min_iops = 0;        ///< MIN_IOPS, MAX_IOPS of its units; 0: no limit
    std::uint64_t max_iops = 0;
    Profile profile = Profile::Primary;
    catalog::CompatibilityMode mode = catalog::CompatibilityMode::Mysql;
    bool as_root = false;  ///< the daemon is root: mariadbd refuses that unless it is told
    std::string charset = "utf8mb4";
    std::string collation = "utf8mb4_general_ci";
    /// What its mariadbd takes for the machine's time zone: a value of TZ; empty: the daemon's.
    std::string system_time_zone;
    /// Settings of mariadbd chosen by the tenant's creator: serverSettings() of tenant_variables.h.
    std::map<std::string, std::string> variables;
};

/// How many pages a second InnoDB writes in the background: when it has little to do, and at most.
struct IoPlan {
    std::uint64_t capacity = 200;  ///< MariaDB's own values
    std::uint64_t capacity_max = 2000;
};

/// The units' IOPS, or MariaDB's own values where there is no limit, as in a replay. Pure.
IoPlan planIo(const TenantSettings& settings);

/// How MEMORY_SIZE is spent. Bytes, except counts.
struct MemoryPlan {
    std::uint64_t buffer_pool = 0;
    std::uint64_t redo_log = 0;  ///< size of the redo log file; on disk, but recovery time and page flushing follow it
    std::uint64_t log_buffer = 0;
    std::uint64_t key_buffer = 0;       ///< MyISAM indexes
    std::uint64_t aria_page_cache = 0;  ///< system tables and temporary tables on disk
    std::uint64_t temporary_table = 0;  ///< of one session, before it goes to disk
    unsigned table_cache = 0;           ///< open tables
    unsigned client_connections = 0;    ///< without the reserved ones
};

/// Splits a tenant's memory. Pure.
MemoryPlan planMemory(const TenantSettings& settings);

/// The text of my.cnf. Pure: the same settings give the same text.
std::string configText(const TenantSettings& settings);

/// Whether a replay and an upgrade run with a value of their own for this option, whatever the tenant has: it must not
/// be set while they run.
bool isFixedInReplay(std::string_view option);

/// The text of mariadbd's init_file, run at every start before anyone can connect, without a trace in the binlog.
/// It creates or repairs the daemon's own account with `secret` as password, so that a restored tenant, which
/// brings the accounts of another cluster, is reachable too; and takes from every other account the global privileges
/// that no tenant's account may have (docs/decisions/tenant.md, "Accounts").
std::string initFileText(const std::string& secret, Profile profile, catalog::CompatibilityMode mode);

/// What of it an account with CREATE USER can do: password, plugin, lock, limits and expiry of the daemon's account.
std::string repairAccountSql(const std::string& secret);
/// The account and all it has, for one that may grant everything: only while a log is replayed.
std::string makeAccountSql(const std::string& secret, catalog::CompatibilityMode mode);
/// A query whose answer is 1 while the daemon's account has the privileges that it was given, and no limits.
std::string accountCheckSql(catalog::CompatibilityMode mode);

/// The SQL that makes the tenant's administrator, root@'%' or SYS@'%' without a password; it takes away what
/// mariadb-install-db, or the template of the other mode, has for one. Part of the template, so that creating a tenant
/// runs no SQL.
std::string administratorSql(catalog::CompatibilityMode mode);

/// Likewise the empty schema of the views. In ORACLE mode MariaDB's own `sys` gives way to it.
std::string systemSchemaSql(catalog::CompatibilityMode mode);

/// What an ORACLE tenant runs with: '' is NULL, as in OceanBase; and as strict as MariaDB is by itself, which ORACLE
/// alone would not be.
constexpr const char* kOracleSqlMode =
    "ORACLE,EMPTY_STRING_IS_NULL,STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

/// The daemon's own account in every tenant: `tidemark`@`localhost`. The front refuses clients of that name.
constexpr const char* kDaemonAccount = "tidemark";

}  // namespace tidemark::tenant
