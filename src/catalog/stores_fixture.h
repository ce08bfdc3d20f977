#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "catalog/stores.h"
#include "oceanbase/ob_error.h"
#include "testing/mariadb_server.h"

namespace tidemark::catalog {

constexpr Nanos kStart = 1'717'233'024'046'643'000;

/// The OceanBase number an action fails with, 0 if it does not fail.
template <typename Action>
int failure(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return error.sql() ? error.sql()->number : -1;
    }
    return 0;
}

inline int numberOf(Ob error) {
    return obError(error, "x").sql()->number;
}

class StoresTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() { server_ = std::make_unique<testing::MariadbServer>(); }
    static void TearDownTestSuite() { server_.reset(); }

    StoresTest() {
        server_->connect().script("DROP DATABASE IF EXISTS tidemark");
        catalog_.migrate();
        stores_.cluster.bootstrap({.cluster = {.name = "c1", .id = 7},
                                   .zone = {.name = "zone1"},
                                   .server = {.ip = "127.0.0.1", .zone = "zone1", .build_version = "0.1.0"},
                                   .sys_server_id = 77,
                                   .sys_memory = 1 << 28});
    }

    Tenant makeTenant(const std::string& name) {
        stores_.resources.createUnit({.name = "u_" + name, .max_cpu = 2, .min_cpu = 1, .memory_size = 1 << 30});
        stores_.resources.createPool("p_" + name, "u_" + name, 1, {"zone1"});
        return stores_.tenants.create({.name = name, .pools = {"p_" + name}, .variables = {{"a", "it's"}}});
    }

    /// Of who does the tenant's backup.
    WorkClaim claim(TenantId tenant, JobId job) {
        const auto row = stores_.work.find("backup", tenant, job).value();
        if (row.owner.node != 0) return row.claim();
        return stores_.work.take(row, {.node = 1, .session = 5}, std::chrono::hours(1)).value().claim();
    }
    /// With a pool of its own.
    NewTenant newTenant(const std::string& name, const std::string& pool = "p_restore") {
        if (!stores_.resources.findUnit("u_restore"))
            stores_.resources.createUnit({.name = "u_restore", .max_cpu = 2, .min_cpu = 1, .memory_size = 1 << 30});
        if (!stores_.resources.findPool(pool)) stores_.resources.createPool(pool, "u_restore", 1, {"zone1"});
        return {.name = name, .pools = {pool}, .status = TenantStatus::Restore, .role = TenantRole::Restore};
    }
    /// Of who does it, whenever it is due.
    WorkClaim claimRestore(const char* kind, JobId job) {
        catalog_.write({}, [](mysql::SqlClient& client) { client.query("UPDATE tidemark.work SET next_run = NULL"); });
        const auto row = stores_.work.find(kind, kSysTenantId, job).value();
        return stores_.work.take(row, {.node = 1, .session = 5}, std::chrono::hours(1)).value().claim();
    }
    void moveToHistory(JobId job) { stores_.restores.moveToHistory(claimRestore(kRestoreHistoryWork, job), job); }

    static inline std::unique_ptr<testing::MariadbServer> server_;
    ManualClock clock_{kStart};
    Catalog catalog_{{.endpoint = server_->endpoint()}, clock_};
    Stores stores_{catalog_};
};

}  // namespace tidemark::catalog
