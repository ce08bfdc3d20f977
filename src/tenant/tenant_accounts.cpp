#include <fmt/format.h>

#include "catalog/compatibility.h"
#include "mysql/session_settings.h"
#include "tenant/tenant_config.h"

namespace tidemark::tenant {

using catalog::CompatibilityMode;

namespace {

/// What the daemon does in a tenant: back up (RELOAD, LOCK TABLES, PROCESS), read and purge the binlog, set up and stop
/// replication, switch read_only, events and semi-sync, keep the views' schema, end sessions, size the buffer pool.
/// Everything global, nothing on user data but reading.
constexpr const char* kDaemonPrivileges =
    "SELECT, RELOAD, SHUTDOWN, PROCESS, SHOW DATABASES, SUPER, LOCK TABLES, REPLICATION SLAVE, BINLOG MONITOR, SHOW "
    "VIEW, "
    "CREATE USER, EVENT, SET USER, CONNECTION ADMIN, READ_ONLY ADMIN, REPLICATION SLAVE ADMIN, REPLICATION MASTER "
    "ADMIN, "
    "BINLOG ADMIN, BINLOG REPLAY, SLAVE MONITOR";

/// Bits of mysql.global_priv's `access`, as MariaDB numbers its privileges (they never change: they are on disk).
enum Privilege : unsigned {
    kSelect = 0,
    kProcess = 8,
    kShowDatabases = 14,
    kLockTables = 17,
    kBinlogMonitor = 20,
    kShowView = 22,
    kCreateUser = 25,
    kSlaveMonitor = 38
};

/// The global privileges that an account of a tenant may have. REPLICATION SLAVE is not among them: a semi-synchronous
/// replica of a client would acknowledge in the archiver's place. GRANT OPTION is not: it would combine with SELECT
/// on `mysql` to a right to take away the entries that protect it.
constexpr std::uint64_t kTenantPrivileges = 1ULL << kSelect | 1ULL << kProcess | 1ULL << kShowDatabases |
                                            1ULL << kLockTables | 1ULL << kBinlogMonitor | 1ULL << kShowView |
                                            1ULL << kCreateUser | 1ULL << kSlaveMonitor;

/// For a user without an entry of its own on these schemas, the entry of the empty user counts before a pattern such
/// as `%`.* (the more specific name wins): nobody gets in by a pattern.
std::string guardSql(CompatibilityMode mode) {
    return fmt::format(
        "REPLACE INTO mysql.db (Host, Db, User) VALUES ('%', 'mysql', ''), ('%', '{}', ''), ('%', 'tidemark', '');\n",
        systemSchema(mode));
}

}  // namespace

std::string initFileText(const std::string& secret, Profile profile, CompatibilityMode mode) {
    std::string text;
    for (const std::string_view settings : mysql::kSessionSettings)
        text.append(settings).append(";\n");
    text +=
        "SET sql_log_bin=0;\n"
        "CREATE USER IF NOT EXISTS `tidemark`@`localhost`;\n";
    text += fmt::format(
        "ALTER USER `tidemark`@`localhost` IDENTIFIED VIA mysql_native_password USING PASSWORD('{}') "
        "REQUIRE NONE WITH MAX_USER_CONNECTIONS 0 PASSWORD EXPIRE NEVER ACCOUNT UNLOCK;\n",
        secret);
    text += "REVOKE ALL PRIVILEGES, GRANT OPTION FROM `tidemark`@`localhost`;\n";
    text += fmt::format("GRANT {} ON *.* TO `tidemark`@`localhost`;\n", kDaemonPrivileges);
    text += fmt::format(
        "GRANT ALL PRIVILEGES ON `{}`.* TO `tidemark`@`localhost`;\n"
        "GRANT ALL PRIVILEGES ON `tidemark`.* TO `tidemark`@`localhost`;\n",
        systemSchema(mode));
    // Until the next start, whose init file takes it away again; nobody else is let in meanwhile.
    if (profile == Profile::Upgrade)
        text += "GRANT ALL PRIVILEGES ON *.* TO `tidemark`@`localhost` WITH GRANT OPTION;\n";
    // A replay gives events the status back that the source had.
    text += "GRANT UPDATE ON `mysql`.`event` TO `tidemark`@`localhost`;\n";
    text += guardSql(mode);
    text += "DELETE FROM mysql.proxies_priv;\n";
    text += fmt::format(
        "UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.access', "
        "CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & {0}) "
        "WHERE NOT (User = 'tidemark' AND Host = 'localhost') "
        "AND CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & ~{0} <> 0;\n",
        kTenantPrivileges);
    return text + "FLUSH PRIVILEGES;\n";
}

std::string administratorSql(CompatibilityMode mode) {
    return "SET sql_log_bin=0;\n"
           "DELETE FROM mysql.global_priv WHERE User IN ('root', '', 'mysql');\n"
           "DELETE FROM mysql.db;\n"
           "DELETE FROM mysql.proxies_priv;\n" +
           guardSql(mode) +
           fmt::format(
               "FLUSH PRIVILEGES;\n"
               "CREATE USER `{0}`@`%`;\n"
               "GRANT PROCESS, SHOW DATABASES, BINLOG MONITOR, CREATE USER ON *.* TO `{0}`@`%`;\n"
               "GRANT ALL PRIVILEGES ON `%`.* TO `{0}`@`%` WITH GRANT OPTION;\n"
               // More specific than `%`, and so all it has there:
               "GRANT SELECT ON `mysql`.* TO `{0}`@`%`;\n"
               "GRANT SELECT, SHOW VIEW ON `{1}`.* TO `{0}`@`%` WITH GRANT OPTION;\n",
               administrator(mode), systemSchema(mode));
}

std::string systemSchemaSql(CompatibilityMode mode) {
    const std::string create =
        fmt::format("CREATE DATABASE IF NOT EXISTS `{}` CHARACTER SET utf8mb4;\n", systemSchema(mode));
    if (mode == CompatibilityMode::Mysql) return create;
    return "DROP DATABASE IF EXISTS `oceanbase`;\nDROP DATABASE IF EXISTS `sys`;\n" + create;
}

}  // namespace tidemark::tenant
