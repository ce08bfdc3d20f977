#pragma once

#include "catalog/archive_store.h"
#include "catalog/backup_store.h"
#include "catalog/cluster_store.h"
#include "catalog/delete_store.h"
#include "catalog/destination_store.h"
#include "catalog/event_store.h"
#include "catalog/parameter_store.h"
#include "catalog/replica_store.h"
#include "catalog/resource_store.h"
#include "catalog/restore_store.h"
#include "catalog/setting_change_store.h"
#include "catalog/tenant_store.h"
#include "catalog/validate_store.h"
#include "catalog/work_store.h"

namespace tidemark::catalog {

/// All stores over one catalog, for wiring. What needs one store takes that one.
struct Stores {
    explicit Stores(Catalog& catalog)
        : cluster(catalog),
          parameters(catalog),
          resources(catalog),
          tenants(catalog),
          replicas(catalog),
          destinations(catalog),
          archive(catalog),
          setting_changes(catalog),
          backups(catalog),
          deletions(catalog),
          restores(catalog),
          validations(catalog),
          events(catalog),
          work(catalog) {}

    ClusterStore cluster;
    ParameterStore parameters;
    ResourceStore resources;
    TenantStore tenants;
    ReplicaStore replicas;
    DestinationStore destinations;
    ArchiveStore archive;
    SettingChangeStore setting_changes;
    BackupStore backups;
    DeleteStore deletions;
    RestoreStore restores;
    ValidateStore validations;
    EventStore events;
    WorkStore work;
};

}  // namespace tidemark::catalog
