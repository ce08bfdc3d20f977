#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "mysql/sql_client.h"

/// Tidemark's own statements, as plain data. Syntax: docs/sql.md; it follows OceanBase V4.3.3's. Names and values are
/// as the user wrote them; nothing has been checked against the catalog.
namespace tidemark::statement {

/// The clause TENANT [=] name[,name…] | ALL. Absent means: the session's own tenant, or from sys all of them.
struct TenantClause {
    bool given = false;
    bool all = false;
    std::vector<std::string> names;
};

// --- ALTER SYSTEM … ---

/// SET name = value [, …] [TENANT = t]: destinations and parameters. Names in lower case.
struct SetParameters {
    std::vector<std::pair<std::string, std::string>> assignments;
    TenantClause tenants;
};
struct SwitchArchiveMode {
    bool archive = true;
    TenantClause tenants;
    std::string description;
};
struct Backup {
    bool incremental = false;
    TenantClause tenants;
    std::optional<std::string> to;
    bool plus_archivelog = false;
    std::string description;
};
/// SET ENCRYPTION: of the backups that the session starts next.
struct SetEncryption {
    Secret password;  ///< empty: OFF
};
/// SET DECRYPTION: of the sets that the session restores. None: OFF.
struct SetDecryption {
    std::vector<Secret> passwords;
};
struct CancelBackup {
    TenantClause tenants;
};
/// VALIDATE BACKUPSET n[, n …] | ALL [TENANT = t] [WITH RESTORE]. Tidemark's own.
struct Validate {
    std::string sets;  ///< "1,2" or "ALL"
    TenantClause tenants;
    bool with_restore = false;
};
struct CancelValidate {
    TenantClause tenants;
};
/// WITH KEY FROM 'uri' ENCRYPTED BY 'password': what BACKUP KEY has stored there.
struct SavedKeys {
    std::string from;  ///< empty: the clause is not there
    Secret password;
};
struct Restore {
    std::string tenant;
    std::string from;
    std::optional<Scn> until_scn;
    std::optional<std::string> until_time;
    std::string options;  ///< 'pool_list=…&primary_zone=…'
    SavedKeys keys;
    std::string description;
};
/// RESTORE without a tenant, … PREVIEW: nothing is restored.
struct PreviewRestore {
    std::string from;
    std::optional<Scn> until_scn;
    std::optional<std::string> until_time;
    SavedKeys keys;
};
struct CancelRestore {
    std::string tenant;
};
/// BACKUP KEY TENANT = t TO 'uri' ENCRYPTED BY 'password'.
struct BackupKey {
    TenantClause tenants;
    std::string to;
    Secret password;
};
struct ActivateStandby {
    TenantClause tenants;
};
/// Ends the node and its databases. Tidemark's own; OceanBase has no such statement.
struct Shutdown {};

/// CATALOG BACKUP [FROM 'uri[,uri]'] [TENANT = t] [WITH KEY FROM …]. Tidemark's own.
struct CatalogBackup {
    std::string from;  ///< empty: the tenant's present destinations
    TenantClause tenants;
    SavedKeys keys;
};

// --- the removal of backups ---

struct AddDeletePolicy {
    std::string name;
    std::optional<std::string> recovery_window;
    std::optional<std::string> redundancy;
    std::optional<std::string> backup_copies;
    TenantClause tenants;
};
struct DropDeletePolicy {
    std::string name;
    TenantClause tenants;
};
struct CancelDeleteBackup {
    TenantClause tenants;
};
/// [EXPLAIN] … DELETE OBSOLETE BACKUP | BACKUPSET n[,n…] | BACKUPPIECE n[,n…]
struct DeleteBackup {
    enum class What { Obsolete, Sets, Pieces };
    What what = What::Obsolete;
    std::vector<std::int64_t> ids;  ///< of sets or pieces
    bool explain = false;           ///< nothing is done; rows tell what would be
    TenantClause tenants;
};
/// KEEP BACKUPSET n [UNTIL 'time'], NOKEEP BACKUPSET n
struct KeepBackupSet {
    bool keep = true;
    std::int64_t set = 0;
    std::optional<std::string> until;
    TenantClause tenants;
};

// --- resources and tenants ---

using Options = std::map<std::string, std::string>;  ///< option in lower case → value as written

struct CreateUnit {
    bool if_not_exists = false;
    std::string name;
    Options options;
};
struct AlterUnit {
    std::string name;
    Options options;
};
struct DropUnit {
    bool if_exists = false;
    std::string name;
};
struct CreatePool {
    bool if_not_exists = false;
    std::string name;
    Options options;  ///< unit, unit_num, replica_type
    std::vector<std::string> zones;
};
struct AlterPool {
    std::string name;
    Options options;
    std::vector<std::string> zones;
};
struct DropPool {
    bool if_exists = false;
    std::string name;
};
struct TenantOptions {
    std::vector<std::string> pools;
    Options options;    ///< locality, primary_zone, charset, collate, comment, read_only
    Options variables;  ///< after SET VARIABLES
};
struct CreateTenant {
    bool if_not_exists = false;
    std::string name;
    TenantOptions options;
};
struct AlterTenant {
    std::string name;
    TenantOptions options;
    std::optional<bool> lock;
    std::optional<std::string> rename_to;
};
struct DropTenant {
    bool if_exists = false;
    std::string name;
    bool force = false;
};

// --- answers with rows ---

struct ShowTenant {};
struct ShowRestorePreview {};
struct ShowParameters {
    std::optional<std::string> like;
    TenantClause tenants;
};
/// A statement of OceanBase that Tidemark knows and does not do (yet); `what` fills "%s not supported".
struct Unsupported {
    std::string what;
};

using Statement =
    std::variant<SetParameters, SwitchArchiveMode, SetEncryption, SetDecryption, Backup, CancelBackup, Validate,
                 CancelValidate, Restore, PreviewRestore, CancelRestore, ActivateStandby, AddDeletePolicy,
                 DropDeletePolicy, CancelDeleteBackup, DeleteBackup, KeepBackupSet, CatalogBackup, BackupKey, Shutdown,
                 CreateUnit, AlterUnit, DropUnit, CreatePool, AlterPool, DropPool, CreateTenant, AlterTenant,
                 DropTenant, ShowTenant, ShowRestorePreview, ShowParameters, Unsupported>;

/// See StatementService::isOwn.
bool isOwnStatement(std::string_view text);

/// Whether it may have a password in it, so that it must not be shown to anybody else.
bool mayHoldPassword(std::string_view text);

/// How many `?`. Throws Ob::ParseSql if the text is no valid statement.
std::size_t countParameters(std::string_view text);

/// The one tenant that a statement of sys names. `caller`, the session's own, for all other statements: of other
/// tenants, and what names none, or several, or is not valid.
std::string tenantOf(std::string_view text, const std::vector<mysql::Value>& parameters, const std::string& caller);

/// Throws Ob::ParseSql, naming the place, if the text is no valid statement.
Statement parse(std::string_view text, const std::vector<mysql::Value>& parameters = {});

}  // namespace tidemark::statement
