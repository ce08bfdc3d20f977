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

/// kDaemonPrivileges as bits, in its order.
constexpr std::uint64_t kDaemonAccess =
    1ULL << kSelect | 1ULL << 6 | 1ULL << 7 | 1ULL << kProcess | 1ULL << kShowDatabases | 1ULL << 15 |
    1ULL << kLockTables | 1ULL << 19 | 1ULL << kBinlogMonitor | 1ULL << kShowView | 1ULL << kCreateUser | 1ULL << 26 |
    1ULL << 30 | 1ULL << 32 | 1ULL << 33 | 1ULL << 34 | 1ULL << 35 | 1ULL << 36 | 1ULL << 37 | 1ULL << kSlaveMonitor;

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

std::string repairAccountSql(const std::string& secret) {
    return fmt::format(
        "ALTER USER `tidemark`@`localhost` IDENTIFIED VIA mysql_native_password USING PASSWORD('{}') "
        "REQUIRE NONE WITH MAX_QUERIES_PER_HOUR 0 MAX_UPDATES_PER_HOUR 0 MAX_CONNECTIONS_PER_HOUR 0 "
        "MAX_USER_CONNECTIONS 0 MAX_STATEMENT_TIME 0 PASSWORD EXPIRE NEVER ACCOUNT UNLOCK",
        secret);
}

std::string accountCheckSql(CompatibilityMode mode) {
    return fmt::format(
        "SELECT (SELECT COUNT(*) FROM mysql.global_priv WHERE Host = 'localhost' AND User = 'tidemark'"
        " AND CAST(JSON_VALUE(Priv, '$.access') AS UNSIGNED) & {0} = {0}"
        " AND COALESCE(JSON_VALUE(Priv, '$.max_queries'), 0) = 0 AND COALESCE(JSON_VALUE(Priv, '$.max_updates'), 0) = 0"
        " AND COALESCE(JSON_VALUE(Priv, '$.max_connections'), 0) = 0"
        " AND COALESCE(JSON_VALUE(Priv, '$.max_user_connections'), 0) = 0) = 1"
        " AND (SELECT COUNT(*) FROM mysql.db WHERE Host = 'localhost' AND User = 'tidemark'"
        " AND Db IN ('{1}', 'tidemark') AND 'Y' = ALL (SELECT Select_priv UNION SELECT Insert_priv"
        " UNION SELECT Update_priv UNION SELECT Delete_priv UNION SELECT Create_priv UNION SELECT Drop_priv"
        " UNION SELECT Alter_priv UNION SELECT Create_view_priv UNION SELECT Show_view_priv)) = 2",
        kDaemonAccess, systemSchema(mode));
}

std::string makeAccountSql(const std::string& secret, CompatibilityMode mode) {
    return fmt::format(
        "CREATE USER IF NOT EXISTS `tidemark`@`localhost`; {}; "
        "GRANT ALL PRIVILEGES ON *.* TO `tidemark`@`localhost` WITH GRANT OPTION; "
        "GRANT ALL PRIVILEGES ON `{}`.* TO `tidemark`@`localhost`; "
        "GRANT ALL PRIVILEGES ON `tidemark`.* TO `tidemark`@`localhost`",
        repairAccountSql(secret), systemSchema(mode));
}

std::string initFileText(const std::string& secret, Profile profile, CompatibilityMode mode) {
    std::string text;
    for (const std::string_view settings : mysql::kSessionSettings)
        text.append(settings).append(";\n");
    text +=
        "SET sql_log_bin=0;\n"
        "CREATE USER IF NOT EXISTS `tidemark`@`localhost`;\n";
    text += repairAccountSql(secret) + ";\n";
    text += "REVOKE ALL PRIVILEGES, GRANT OPTION FROM `tidemark`@`localhost`;\n";
    // Until the next start, whose init file takes it away again; nobody else is let in meanwhile. mariadb-upgrade needs
    // it; and a log that is replayed may drop the account, where a restart would end the replay: a session that is open
    // must be able to make it again.
    const bool alone = profile == Profile::Upgrade || profile == Profile::Replay;
    text += fmt::format("GRANT {} ON *.* TO `tidemark`@`localhost`{};\n", alone ? "ALL PRIVILEGES" : kDaemonPrivileges,
                        alone ? " WITH GRANT OPTION" : "");
    text += fmt::format(
        "GRANT ALL PRIVILEGES ON `{}`.* TO `tidemark`@`localhost`;\n"
        "GRANT ALL PRIVILEGES ON `tidemark`.* TO `tidemark`@`localhost`;\n",
        systemSchema(mode));
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
