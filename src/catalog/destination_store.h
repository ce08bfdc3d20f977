#pragma once

#include <string>

#include "catalog/catalog.h"

namespace tidemark::catalog {

/// Where a tenant's log goes: LOG_ARCHIVE_DEST and LOG_ARCHIVE_DEST_STATE.
struct ArchiveDestination {
    TenantId tenant = 0;
    std::int64_t dest_id = 0;
    std::string path;  ///< the URI as views show it: without secrets
    Binding binding = Binding::Optional;
    std::int64_t piece_switch_days = 1;  ///< 1..7
    DestinationState state = DestinationState::Enable;
};

/// Where a tenant's backups go: DATA_BACKUP_DEST.
struct BackupDestination {
    TenantId tenant = 0;
    std::int64_t dest_id = 0;
    std::string path;
};

/// Destinations of tenants. Ids count from 1001 for the whole cluster; the same tenant, kind and path always has the
/// same id. That a path is usable is the caller's to check first. Thread-safe.
class DestinationStore {
public:
    explicit DestinationStore(Catalog& catalog) : catalog_(catalog) {}

    /// The id of this destination, a new one if it has none. Does not make it the tenant's present one, so that a
    /// caller can write the format file, which carries the id, first.
    std::int64_t idOf(TenantId tenant, DestinationUse kind, const std::string& path);

    /// Whether the tenant has, or had, this destination, of whatever kind.
    bool known(TenantId tenant, const std::string& path);

    /// Replaces the whole setting (path, binding, interval) and keeps the state. Returns what is now set.
    ArchiveDestination setArchive(TenantId tenant, const std::string& path, Binding binding,
                                  std::int64_t piece_switch_days);
    void clearArchive(TenantId tenant);
    /// nullopt when the tenant has none.
    std::optional<ArchiveDestination> archive(TenantId tenant);

    BackupDestination setBackup(TenantId tenant, const std::string& path);
    void clearBackup(TenantId tenant);
    std::optional<BackupDestination> backup(TenantId tenant);

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
