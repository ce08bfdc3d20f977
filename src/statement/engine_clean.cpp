#include "oceanbase/ob_error.h"
#include "restore/restore_options.h"
#include "restore/set_keys.h"
#include "statement/engine.h"

// The statements about which backups there are, and about their removal.

namespace tidemark::statement {

catalog::Tenant Engine::oneTenant(const Caller& caller, const TenantClause& clause) {
    const bool in_sys = caller.tenant == "sys";
    if (!in_sys && clause.given) throw obError(Ob::NotSupported, "user tenant cannot specify tenant names");
    if (!in_sys) return parts_.stores.tenants.get(caller.tenant);
    if (!clause.given)
        throw obError(Ob::NotSupported, "Too little tenant names specified, only one tenant name can be specified");
    if (clause.all || clause.names.size() != 1)
        throw obError(Ob::NotSupported, "Too many tenant names specified, only one tenant name can be specified");
    catalog::Tenant tenant = parts_.stores.tenants.get(clause.names[0]);
    if (tenant.id == catalog::kSysTenantId)
        throw obError(Ob::NotSupported, "cleaning of the sys tenant is", "it has no backups; name a user tenant");
    return tenant;
}

/// What sys has begun for a tenant says so in INITIATOR_TENANT_ID.
static catalog::TenantId initiator(const Caller& caller, const catalog::Tenant& tenant) {
    return caller.tenant == "sys" ? catalog::kSysTenantId : tenant.id;
}

StatementResult Engine::run(const Caller& caller, const AddDeletePolicy& add) {
    if (add.name != "default") throw obError(Ob::NotSupported, "The policy name is not 'default', it is");
    parts_.clean.addPolicy(oneTenant(caller, add.tenants), {.recovery_window = add.recovery_window,
                                                            .redundancy = add.redundancy,
                                                            .backup_copies = add.backup_copies});
    return {};
}

StatementResult Engine::run(const Caller& caller, const DropDeletePolicy& drop) {
    if (drop.name != "default") throw obError(Ob::NotSupported, "The policy name is not 'default', it is");
    parts_.clean.dropPolicy(oneTenant(caller, drop.tenants));
    return {};
}

StatementResult Engine::run(const Caller& caller, const CancelDeleteBackup& cancel) {
    if (caller.tenant != "sys") {
        parts_.clean.cancel({oneTenant(caller, cancel.tenants)});
    } else {
        parts_.clean.cancel(cancel.tenants.given ? named(cancel.tenants) : allUserTenants());
    }
    return {};
}

static StatementResult resultOf(const std::vector<clean::PreviewRow>& rows) {
    StatementResult result{
        .columns = {"ACTION", "OBJECT", "ID", "FILES", "BYTES", "FROM_TIME", "UNTIL_TIME", "PATH", "REASON"}};
    const auto time = [](Scn scn) {
        return scn == 0 ? std::nullopt : std::optional(formatTimestamp(static_cast<Nanos>(scn)));
    };
    for (const clean::PreviewRow& row : rows) {
        const bool stored = !row.path.empty();
        const auto if_stored = [&](std::string text) { return stored ? std::optional(std::move(text)) : std::nullopt; };
        result.rows.push_back({row.action, row.object, if_stored(std::to_string(row.id)),
                               if_stored(std::to_string(row.files)), if_stored(std::to_string(row.bytes)),
                               time(row.from), time(row.until), if_stored(row.path), row.reason});
    }
    return result;
}

StatementResult Engine::run(const Caller& caller, const DeleteBackup& remove) {
    const catalog::Tenant tenant = oneTenant(caller, remove.tenants);
    const auto by = initiator(caller, tenant);
    switch (remove.what) {
        case DeleteBackup::What::Obsolete:
            if (remove.explain) return resultOf(parts_.clean.explainObsolete(tenant));
            parts_.clean.deleteObsolete(tenant, by);
            break;
        case DeleteBackup::What::Sets:
            if (remove.explain) return resultOf(parts_.clean.explainSets(tenant, remove.ids));
            parts_.clean.deleteSets(tenant, remove.ids, by);
            break;
        case DeleteBackup::What::Pieces:
            if (remove.explain) return resultOf(parts_.clean.explainPieces(tenant, remove.ids));
            parts_.clean.deletePieces(tenant, remove.ids, by);
            break;
    }
    return {};
}

StatementResult Engine::run(const Caller& caller, const CatalogBackup& catalog) {
    if (!catalog.from.empty() || !catalog.keys.from.empty()) requireSys(caller);
    const catalog::Tenant tenant = oneTenant(caller, catalog.tenants);
    const auto tenant_keys = keysFor(catalog.keys);
    restore::SetKeys keys(caller.memory->decryption, tenant_keys);
    const auto key_of = [&](storage::Storage& storage, const backup_set::SetId& id) {
        return keys.find(storage, id);
    };
    const auto uris = catalog.from.empty() ? std::vector<std::string>() : restore::destinationsOf(catalog.from);
    StatementResult result{.columns = {"OBJECT", "ID", "RESULT", "PATH", "COMMENT"}};
    for (const backup::CatalogRow& row : parts_.backup.catalogBackups(tenant, uris, key_of)) {
        const auto id = row.id == 0 ? std::nullopt : std::optional(std::to_string(row.id));
        result.rows.push_back({row.object, id, row.result, row.path, row.comment});
    }
    return result;
}

StatementResult Engine::run(const Caller& caller, const KeepBackupSet& keep) {
    const catalog::Tenant tenant = oneTenant(caller, keep.tenants);
    if (keep.keep) {
        parts_.clean.keep(tenant, keep.set, keep.until);
    } else {
        parts_.clean.dropKeep(tenant, keep.set);
    }
    return {};
}

}  // namespace tidemark::statement
