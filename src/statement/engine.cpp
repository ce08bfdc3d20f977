#include "statement/engine.h"

#include <fmt/format.h>
#include <strings.h>

#include <algorithm>
#include <sstream>

#include "archive/archive_dest.h"
#include "backup_set/tenant_key.h"
#include "oceanbase/ob_error.h"
#include "storage/destination.h"
#include "storage/open_storage.h"

namespace tidemark::statement {
namespace {

bool isSys(const Caller& caller) {
    return caller.tenant == "sys";
}

/// Questions about oneself are everybody's.
bool isHarmless(const Statement& statement) {
    return std::holds_alternative<ShowTenant>(statement) || std::holds_alternative<ShowParameters>(statement);
}

/// Clauses TENANT belong to sys; a tenant's own session speaks of itself.
void refuseNamesFromTenants(const Caller& caller, const TenantClause& clause, const Error& refusal) {
    if (!isSys(caller) && clause.given) throw refusal;
}

/// Where a statement is about one tenant.
const std::string& onlyName(const TenantClause& clause) {
    if (clause.names.size() == 1) return clause.names[0];
    throw obError(Ob::NotSupported, "naming other than one tenant here is", "write the statement once per tenant");
}

/// One file for several tenants would be one key: who opens the backups of one would open those of all.
void requireOneTenant(const TenantClause& clause, const std::string& parameter) {
    if (!clause.all && clause.names.size() < 2) return;
    throw obError(
        Ob::OpNotAllow, "one " + parameter + " for several tenants is",
        fmt::format("each tenant has a key of its own: ALTER SYSTEM SET {} = '/path/of/t' TENANT = t, for each",
                    parameter));
}

// What the records of backups and restores have room for, in characters.
constexpr std::size_t kLongestBackupDescription = 4096;
constexpr std::size_t kLongestRestoreDescription = 1024;

constexpr const char* kRoots = "tenant_destination_roots";

bool isDestination(const std::string& parameter) {
    return parameter == "log_archive_dest" || parameter == "log_archive_dest_state" || parameter == "data_backup_dest";
}

/// The first four columns are OceanBase's.
StatementResult shownPreview(const std::vector<restore::PreviewRow>& rows) {
    using Kind = restore::PreviewRow::Kind;
    StatementResult result{.columns = {"backup_type", "backup_id", "backup_dest", "description", "read_bytes",
                                       "restored_bytes", "estimated_seconds"}};
    for (const restore::PreviewRow& row : rows) {
        const bool whole = row.kind == Kind::Whole;
        const auto unlessWhole = [&](std::string text) {
            return whole ? std::nullopt : std::optional<std::string>(std::move(text));
        };
        std::optional<std::string> seconds;
        if (row.seconds) seconds = fmt::format("{:.3f}", *row.seconds);
        result.rows.push_back({whole                   ? "RESTORE"
                               : row.kind == Kind::Set ? "BACKUP_SET"
                                                       : "BACKUP_PIECE",
                               unlessWhole(std::to_string(row.id)), unlessWhole(row.uri), row.description,
                               std::to_string(row.read_bytes), std::to_string(row.restored_bytes), seconds});
    }
    return result;
}

}  // namespace

StatementResult Engine::execute(const Caller& caller, std::string_view text,
                                const std::vector<mysql::Value>& parameters) {
    const Statement statement = parse(text, parameters);
    if (!isHarmless(statement) && !caller.alter_system) {
        throw obError(Ob::NoPrivilege, "ALTER SYSTEM",
                      "an account with CREATE USER on *.* has it, such as the tenant's administrator");
    }
    return std::visit([&](const auto& one) { return run(caller, one); }, statement);
}

void Engine::requireSys(const Caller& caller) {
    if (!isSys(caller)) throw obError(Ob::NoPrivilege, "ALTER SYSTEM", "log in to tenant sys: user@sys");
}

void Engine::requireFits(const char* what, const std::string& text, std::size_t limit) {
    // In UTF-8 every character has one byte that continues none.
    const auto begins = [](unsigned char byte) { return (byte & 0xc0) != 0x80; };
    if (static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins)) <= limit) return;
    throw Error(ErrorCode::InvalidRequest, SqlCode{1406, "22001"},
                fmt::format("Data too long for {}: it may have {} characters", what, limit));
}

std::vector<catalog::Tenant> Engine::allUserTenants() {
    auto tenants = parts_.stores.tenants.all();
    std::erase_if(tenants, [](const catalog::Tenant& tenant) { return tenant.id == catalog::kSysTenantId; });
    return tenants;
}

std::vector<catalog::Tenant> Engine::named(const TenantClause& clause) {
    if (clause.all) return allUserTenants();
    std::vector<catalog::Tenant> tenants;
    for (const std::string& name : clause.names) {
        // By id: the catalog compares names without case.
        catalog::Tenant tenant = parts_.stores.tenants.get(name);
        const auto same = [&](const catalog::Tenant& other) { return other.id == tenant.id; };
        if (std::none_of(tenants.begin(), tenants.end(), same)) tenants.push_back(std::move(tenant));
    }
    return tenants;
}

// --- parameters and destinations ---

StatementResult Engine::run(const Caller& caller, const SetParameters& set) {
    refuseNamesFromTenants(caller, set.tenants, obError(Ob::NotSupported, "user tenant cannot specify tenant names"));
    std::vector<catalog::Tenant> tenants{parts_.stores.tenants.get(caller.tenant)};
    if (set.tenants.given) tenants = named(set.tenants);
    for (const auto& [name, value] : set.assignments) {
        if (set.tenants.given && isDestination(name)) onlyName(set.tenants);
        if (name == backup::kKeyFileParameter && !value.empty()) requireOneTenant(set.tenants, name);
        for (const catalog::Tenant& tenant : tenants)
            requireAllowed(caller, tenant, name, value);
    }
    for (const auto& [name, value] : set.assignments) {
        for (const catalog::Tenant& tenant : tenants)
            setOne(tenant, name, value);
    }
    return {};
}

/// The daemon makes and writes directories as its own user, which is not the tenant's administrator's to direct.
void Engine::requireAllowed(const Caller& caller, const catalog::Tenant& tenant, const std::string& name,
                            const std::string& value) {
    if (!isSys(caller) && name == backup::kKeyFileParameter) requireSys(caller);
    const bool archive = name == "log_archive_dest";
    if (isSys(caller) || value.empty() || (!archive && name != "data_backup_dest")) return;
    const std::string uri = storage::plainUri(archive ? archive::parseArchiveDest(value).location : value);
    if (parts_.stores.destinations.known(tenant.id, uri)) return;
    std::istringstream roots(parts_.stores.parameters.value(catalog::kSysTenantId, kRoots));
    for (std::string root; std::getline(roots, root, ',');) {
        if (storage::liesIn(uri, root)) return;
    }
    throw obError(Ob::OpNotAllow, fmt::format("{} outside of the directories in {} is", name, kRoots),
                  fmt::format("in sys: ALTER SYSTEM SET {} = '/directory', or SET {} = '{}' TENANT = {}", kRoots, name,
                              value, tenant.name));
}

void Engine::setOne(const catalog::Tenant& tenant, const std::string& name, const std::string& value) {
    const bool key_file = name == backup::kKeyFileParameter;
    if ((isDestination(name) || key_file) && tenant.id == catalog::kSysTenantId) {
        throw obError(Ob::NotSupported, "set " + name + " of the sys tenant is", "name a user tenant: TENANT = t");
    }
    if (name == "log_archive_dest") {
        parts_.archive.setDestination(tenant, value);
    } else if (name == "data_backup_dest") {
        parts_.backup.setDestination(tenant, value);
    } else if (key_file) {
        parts_.backup.keyFiles().set(tenant, value);
    } else if (name == "log_archive_dest_state") {
        if (strcasecmp(value.c_str(), "ENABLE") == 0) return;  // the only state there is
        if (strcasecmp(value.c_str(), "DEFER") != 0) throw obError(Ob::InvalidArgument, name);
        throw obError(Ob::NotSupported, "log_archive_dest_state " + value + " is");
    } else if (name == "log_restore_source") {
        throw obError(Ob::NotSupported, "log_restore_source is");
    } else {
        if (name == "archive_lag_target" && !parts_.stores.destinations.archive(tenant.id)) {
            throw obError(Ob::OpNotAllow, "log_archive_dest has not been set, set archive_lag_target is",
                          "ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file:///path' TENANT = " + tenant.name);
        }
        parts_.stores.parameters.set(tenant.id, name, value);
        if (name == "archive_lag_target") parts_.archive.lagTargetChanged(tenant.id);
        if (name == "backup_clean_interval") parts_.clean.intervalChanged();
    }
}

StatementResult Engine::run(const Caller& caller, const ShowParameters& show) {
    refuseNamesFromTenants(caller, show.tenants, obError(Ob::NotSupported, "user tenant cannot specify tenant names"));
    const std::string tenant = show.tenants.given ? onlyName(show.tenants) : caller.tenant;
    const catalog::Tenant target = parts_.stores.tenants.get(tenant);
    const mysql::Result found = parts_.catalog.read([&](mysql::SqlClient& client) {
        return client.query(
            "SELECT zone AS zone, 'observer' AS svr_type, svr_ip AS svr_ip, svr_port AS svr_port, name AS name,"
            " data_type AS data_type, value AS value, info AS info, section AS section, scope AS scope,"
            " IF(isdefault = 'YES', 'DEFAULT', scope) AS source, edit_level AS edit_level, default_value AS "
            "default_value, isdefault AS isdefault"
            " FROM oceanbase.GV$OB_PARAMETERS"
            " WHERE (tenant_id = ? OR tenant_id IS NULL) AND name LIKE ? ORDER BY name",
            {target.id, show.like.value_or("%")});
    });
    StatementResult result{.columns = found.columns};
    for (const mysql::Row& row : found.rows)
        result.rows.push_back(row.values());
    return result;
}

StatementResult Engine::run(const Caller& caller, const ShowTenant& /*show*/) {
    return {.columns = {"Current_tenant_name"}, .rows = {{caller.tenant}}};
}

StatementResult Engine::run(const Caller& /*caller*/, const Unsupported& statement) {
    throw obError(Ob::NotSupported, statement.what + " is", "docs/sql.md lists what Tidemark does");
}

// --- archive, backup, restore ---

StatementResult Engine::run(const Caller& caller, const SwitchArchiveMode& mode) {
    refuseNamesFromTenants(caller, mode.tenants, obError(Ob::NoPrivilege, "ALTER SYSTEM"));
    for (const std::string& name : mode.tenants.names) {
        if (strcasecmp(name.c_str(), "ALL_USER") != 0 && strcasecmp(name.c_str(), "ALL_META") != 0) continue;
        throw obError(Ob::NotSupported, "use all_user/all_meta in 'ALTER SYSTEM ARCHIVELOG' syntax is", "write ALL");
    }
    const auto tenants = toSwitch(caller, mode);
    mode.archive ? parts_.archive.enable(tenants) : parts_.archive.disable(tenants);
    return {};
}

std::vector<catalog::Tenant> Engine::toSwitch(const Caller& caller, const SwitchArchiveMode& mode) {
    const auto in_mode = [&](const catalog::Tenant& tenant) {
        return (tenant.log_mode == catalog::LogMode::Archivelog) == mode.archive;
    };
    std::vector<catalog::Tenant> tenants{parts_.stores.tenants.get(caller.tenant)};
    if (mode.tenants.all || (isSys(caller) && !mode.tenants.given)) {
        tenants = allUserTenants();
        if (tenants.empty()) throw obError(Ob::NotSupported, "No valid tenant name given", "there is no user tenant");
        // "All" are those that are not in the mode yet, and a standby has no log of its own; a named one gets told.
        std::erase_if(tenants, [&](const catalog::Tenant& tenant) {
            return in_mode(tenant) || tenant.role != catalog::TenantRole::Primary;
        });
    } else if (mode.tenants.given) {
        tenants = named(mode.tenants);
    }
    for (const catalog::Tenant& tenant : tenants) {
        if (tenant.id == catalog::kSysTenantId) throw obError(Ob::NotSupported, "archiving of the sys tenant is");
    }
    return tenants;
}

/// The password itself is not kept.
StatementResult Engine::run(const Caller& caller, const SetEncryption& set) {
    caller.memory->encryption.reset();
    if (!set.password.empty()) caller.memory->encryption = PasswordKey::of(set.password.text());
    return {};
}

/// Which sets they open is known when they are restored.
StatementResult Engine::run(const Caller& caller, const SetDecryption& set) {
    if (!isSys(caller))
        throw obError(Ob::NotSupported, "non-sys tenant set decryption is", "log in to tenant sys: user@sys");
    caller.memory->decryption.clear();
    for (const Secret& password : set.passwords)
        caller.memory->decryption.push_back(password.copy());
    return {};
}

StatementResult Engine::run(const Caller& caller, const Backup& backup) {
    refuseNamesFromTenants(caller, backup.tenants,
                           obError(Ob::NotSupported, "user tenant cannot specify tenant names"));
    if (backup.to) {
        throw obError(Ob::NotSupported, "backup do not support using specify path", "SET DATA_BACKUP_DEST first");
    }
    requireFits("DESCRIPTION", backup.description, kLongestBackupDescription);
    auto& encryption = caller.memory->encryption;
    const backup::BackupOptions options{.incremental = backup.incremental,
                                        .plus_archivelog = backup.plus_archivelog,
                                        .description = backup.description,
                                        .encryption = encryption ? &*encryption : nullptr};
    if (!isSys(caller)) {
        parts_.backup.startOwn(parts_.stores.tenants.get(caller.tenant), options);
    } else if (backup.tenants.given && !backup.tenants.all) {
        parts_.backup.startNamed(named(backup.tenants), options);
    } else {
        parts_.backup.startAll(options);
    }
    encryption.reset();
    return {};
}

StatementResult Engine::run(const Caller& caller, const CancelBackup& cancel) {
    refuseNamesFromTenants(caller, cancel.tenants,
                           obError(Ob::NotSupported, "user tenant cannot specify tenant names"));
    if (!isSys(caller)) {
        parts_.backup.cancel({parts_.stores.tenants.get(caller.tenant)});
    } else {
        parts_.backup.cancel(cancel.tenants.given ? named(cancel.tenants) : allUserTenants());
    }
    return {};
}

StatementResult Engine::run(const Caller& caller, const Validate& validate) {
    refuseNamesFromTenants(caller, validate.tenants,
                           obError(Ob::NotSupported, "user tenant cannot specify tenant names"));
    const auto initiator = parts_.stores.tenants.get(caller.tenant);
    const bool all_tenants = isSys(caller) && (!validate.tenants.given || validate.tenants.all);
    if (!all_tenants) {
        parts_.validate.start(isSys(caller) ? named(validate.tenants) : std::vector{initiator}, initiator.id,
                              validate.sets, validate.with_restore);
    } else if (validate.sets == "ALL") {
        parts_.validate.startAll(allUserTenants(), initiator.id, validate.with_restore);
    } else {
        throw obError(Ob::NotSupported, "VALIDATE of numbered sets of all tenants is",
                      "each tenant has numbers of its own: name one, TENANT = t, or write ALL");
    }
    return {};
}

StatementResult Engine::run(const Caller& caller, const CancelValidate& cancel) {
    refuseNamesFromTenants(caller, cancel.tenants,
                           obError(Ob::NotSupported, "user tenant cannot specify tenant names"));
    if (!isSys(caller)) {
        parts_.validate.cancel({parts_.stores.tenants.get(caller.tenant)});
    } else {
        parts_.validate.cancel(cancel.tenants.given ? named(cancel.tenants) : allUserTenants());
    }
    return {};
}

StatementResult Engine::run(const Caller& caller, const Restore& restore) {
    requireSys(caller);
    requireFits("DESCRIPTION", restore.description, kLongestRestoreDescription);
    const auto keys = keysFor(restore.keys);
    parts_.restore.start({.tenant = restore.tenant,
                          .from = restore.from,
                          .until_scn = restore.until_scn,
                          .until_time = restore.until_time,
                          .options = restore.options,
                          .description = restore.description,
                          .passwords = caller.memory->decryption,
                          .tenant_keys = keys});
    return {};
}

/// Those of this cluster, and what BACKUP KEY has stored, if that is named.
std::vector<backup_set::TenantKey> Engine::keysFor(const SavedKeys& saved) {
    auto keys = parts_.backup.keyFiles().all();
    if (saved.from.empty()) return keys;
    for (backup_set::TenantKey& key :
         backup_set::savedTenantKeys(*storage::openStorage(saved.from), saved.password.text()))
        keys.push_back(std::move(key));
    return keys;
}

StatementResult Engine::run(const Caller& caller, const BackupKey& backup) {
    requireSys(caller);
    if (backup.tenants.all || backup.tenants.names.size() != 1)
        throw obError(Ob::InvalidArgument, "tenant list, count of tenants must be 1");
    parts_.backup.keyFiles().save(named(backup.tenants).at(0), backup.to, backup.password.text());
    return {};
}

StatementResult Engine::run(const Caller& caller, const PreviewRestore& preview) {
    requireSys(caller);
    const auto keys = keysFor(preview.keys);
    const auto rows = parts_.restore.preview({.uris = restore::destinationsOf(preview.from),
                                              .until_scn = preview.until_scn,
                                              .until_time = preview.until_time,
                                              .passwords = caller.memory->decryption,
                                              .tenant_keys = keys});
    caller.memory->restore_preview = shownPreview(rows);
    return {};
}

StatementResult Engine::run(const Caller& caller, const ShowRestorePreview& /*show*/) {
    requireSys(caller);
    if (caller.memory->restore_preview) return *caller.memory->restore_preview;
    throw obError(Ob::EntryNotExist, "nothing has been previewed in this session",
                  "ALTER SYSTEM RESTORE FROM 'data uri,archive uri' PREVIEW");
}

StatementResult Engine::run(const Caller& caller, const CancelRestore& cancel) {
    requireSys(caller);
    parts_.restore.cancel(cancel.tenant);
    return {};
}

StatementResult Engine::run(const Caller& caller, const ActivateStandby& activate) {
    refuseNamesFromTenants(caller, activate.tenants,
                           obError(Ob::InvalidArgument, "tenant name, please don't specify tenant name"));
    if (isSys(caller) && !activate.tenants.given) throw obError(Ob::NotSupported, "omitting tenant name is");
    const auto tenant = parts_.stores.tenants.get(activate.tenants.given ? onlyName(activate.tenants) : caller.tenant);
    if (tenant.id == catalog::kSysTenantId) {
        throw obError(Ob::InvalidArgument, "tenant name, only support operating user tenant");
    }
    parts_.standbys.activate(tenant.id);
    return {};
}

StatementResult Engine::run(const Caller& caller, const Shutdown& /*shutdown*/) {
    requireSys(caller);
    parts_.shutdown();
    return {};
}

}  // namespace tidemark::statement
