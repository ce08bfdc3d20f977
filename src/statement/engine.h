#pragma once

#include <functional>
#include <string>
#include <vector>

#include "archive/archive_service.h"
#include "backup/backup_service.h"
#include "catalog/stores.h"
#include "clean/clean_service.h"
#include "restore/restore_service.h"
#include "statement/statement.h"
#include "statement/statement_service.h"
#include "tenant/resource_service.h"
#include "tenant/standby_service.h"
#include "tenant/tenant_service.h"
#include "validate/validate_service.h"

namespace tidemark::statement {

/// What the statements are carried out with. All references outlive the engine.
struct EngineParts {
    catalog::Catalog& catalog;
    catalog::Stores& stores;
    tenant::ResourceService& resources;
    tenant::TenantService& tenants;
    tenant::StandbyService& standbys;
    archive::ArchiveService& archive;
    backup::BackupService& backup;
    restore::RestoreService& restore;
    clean::CleanService& clean;
    validate::ValidateService& validate;
    std::function<void()> shutdown;  ///< asks the node to end with its databases; returns at once
};

/// Text → Statement → the one service that does it. Checks who may; everything else is checked by the services.
/// Thread-safe: it has no state of its own.
class Engine : public StatementService {
public:
    explicit Engine(EngineParts parts) : parts_(std::move(parts)) {}

    bool isOwn(std::string_view text) const override { return isOwnStatement(text); }
    std::size_t parameterCount(std::string_view text) const override { return countParameters(text); }
    std::string about(const Caller& caller, std::string_view text,
                      const std::vector<mysql::Value>& parameters) const override {
        return tenantOf(text, parameters, caller.tenant);
    }
    StatementResult execute(const Caller& caller, std::string_view text,
                            const std::vector<mysql::Value>& parameters) override;

private:
    StatementResult run(const Caller& caller, const SetParameters& set);
    StatementResult run(const Caller& caller, const SwitchArchiveMode& mode);
    StatementResult run(const Caller& caller, const SetEncryption& set);
    StatementResult run(const Caller& caller, const SetDecryption& set);
    StatementResult run(const Caller& caller, const Backup& backup);
    StatementResult run(const Caller& caller, const CancelBackup& cancel);
    StatementResult run(const Caller& caller, const Validate& validate);
    StatementResult run(const Caller& caller, const CancelValidate& cancel);
    StatementResult run(const Caller& caller, const Restore& restore);
    StatementResult run(const Caller& caller, const PreviewRestore& preview);
    StatementResult run(const Caller& caller, const ShowRestorePreview& show);
    StatementResult run(const Caller& caller, const CancelRestore& cancel);
    StatementResult run(const Caller& caller, const ActivateStandby& activate);
    StatementResult run(const Caller& caller, const AddDeletePolicy& add);
    StatementResult run(const Caller& caller, const DropDeletePolicy& drop);
    StatementResult run(const Caller& caller, const CancelDeleteBackup& cancel);
    StatementResult run(const Caller& caller, const DeleteBackup& remove);
    StatementResult run(const Caller& caller, const KeepBackupSet& keep);
    StatementResult run(const Caller& caller, const CatalogBackup& catalog);
    StatementResult run(const Caller& caller, const BackupKey& backup);
    StatementResult run(const Caller& caller, const Shutdown& shutdown);
    StatementResult run(const Caller& caller, const CreateUnit& create);
    StatementResult run(const Caller& caller, const AlterUnit& alter);
    StatementResult run(const Caller& caller, const DropUnit& drop);
    StatementResult run(const Caller& caller, const CreatePool& create);
    StatementResult run(const Caller& caller, const AlterPool& alter);
    StatementResult run(const Caller& caller, const DropPool& drop);
    StatementResult run(const Caller& caller, const CreateTenant& create);
    StatementResult run(const Caller& caller, const AlterTenant& alter);
    StatementResult run(const Caller& caller, const DropTenant& drop);
    StatementResult run(const Caller& caller, const ShowTenant& show);
    StatementResult run(const Caller& caller, const ShowParameters& show);
    StatementResult run(const Caller& caller, const Unsupported& statement);

    /// Throws Ob::NoPrivilege unless the session is in sys.
    static void requireSys(const Caller& caller);
    /// Throws 1406 if the text has more characters than its record has room for.
    static void requireFits(const char* what, const std::string& text, std::size_t limit);
    /// The tenants whose archive mode is to change. Throws if sys is one of them.
    std::vector<catalog::Tenant> toSwitch(const Caller& caller, const SwitchArchiveMode& mode);
    /// Throws Ob::OpNotAllow if a tenant's own session names a directory that sys has not allowed it.
    void requireAllowed(const Caller& caller, const catalog::Tenant& tenant, const std::string& name,
                        const std::string& value);
    void setOne(const catalog::Tenant& tenant, const std::string& name, const std::string& value);
    /// The tenants a clause means: the named ones, all user tenants, or the session's own.
    std::vector<catalog::Tenant> named(const TenantClause& clause);
    std::vector<catalog::Tenant> allUserTenants();
    /// The one tenant that a statement about cleaning is about.
    catalog::Tenant oneTenant(const Caller& caller, const TenantClause& clause);

    std::vector<backup_set::TenantKey> keysFor(const SavedKeys& saved);

    const EngineParts parts_;
};

}  // namespace tidemark::statement
