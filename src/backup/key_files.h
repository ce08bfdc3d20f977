#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "backup/backup_job.h"
#include "backup_set/tenant_key.h"
#include "base/log.h"

namespace tidemark::backup {

/// Names the file with the key of a tenant's backups, on this node.
constexpr const char* kKeyFileParameter = "backup_key_file";

/// The keys of tenants for whose backups nobody gives a password: docs/decisions/encryption.md. Each tenant has one of
/// its own. Thread-safe.
class KeyFiles {
public:
    explicit KeyFiles(const BackupJobParts& parts);

    /// SET backup_key_file: makes the file, if it is not there; empty: for nothing is encrypted. Throws what is wrong
    /// with it, Ob::OpNotAllow if it is another tenant's, or a copy of that.
    void set(const catalog::Tenant& tenant, const std::string& file);
    /// BACKUP KEY: stores a copy of the tenant's key that a password opens. Throws 4018 if it has none.
    void save(const catalog::Tenant& tenant, const std::string& uri, std::string_view password);
    /// Those of the tenants of this cluster, as far as they can be read here.
    std::vector<backup_set::TenantKey> all();
    /// What encrypts the backups of a tenant; nullopt: nothing does. Throws Ob::BackupFileNotExist if its file is gone.
    std::optional<PasswordKey> wrappingOf(const catalog::Tenant& tenant);

private:
    backup_set::TenantKey keyIn(const std::string& file) const;
    /// Of the tenants that have one.
    std::vector<std::pair<catalog::Tenant, std::string>> files();
    std::optional<backup_set::TenantKey> keyIfReadable(const catalog::Tenant& tenant, const std::string& file) const;

    const BackupJobParts& parts_;
    const Logger log_;
};

}  // namespace tidemark::backup
