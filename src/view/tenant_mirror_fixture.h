#pragma once

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <thread>

#include "catalog/stores.h"
#include "testing/mariadb_server.h"
#include "view/sys_views.h"
#include "view/tenant_mirror.h"
#include "view/view_definition.h"

namespace tidemark::view {

using namespace std::chrono_literals;
using catalog::TenantId;
using std::chrono::steady_clock;

constexpr auto kLimit = 60s;  // for what has to happen, on a machine that is busy otherwise

/// A sys for all tests, and a server of a tenant for each.
class TenantMirrorTest : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        sys_ = std::make_unique<testing::MariadbServer>();
        SystemClock clock;
        catalog::Catalog catalog({.endpoint = sys_->endpoint()}, clock);
        catalog.migrate();
        installSysViews(catalog);
        catalog::Stores(catalog).cluster.bootstrap(
            {.cluster = {.name = "c"}, .zone = {.name = "zone1"}, .server = {.ip = "10.0.0.1", .zone = "zone1"}});
    }
    static void TearDownTestSuite() { sys_.reset(); }

    explicit TenantMirrorTest(std::vector<std::string> options = {}) : tenant_(std::move(options)) {
        // The daemon's account: what it may do is what the mirror relies on.
        tenant_.connect().script(
            "SET sql_log_bin = 0;"
            "CREATE USER tidemark@localhost IDENTIFIED BY 'secret';"
            "GRANT ALL ON *.* TO tidemark@localhost WITH GRANT OPTION;"
            "CREATE USER admin@localhost;");
        endpoint_ = tenant_.endpoint();
        endpoint_.user = "tidemark";
        endpoint_.password = "secret";
    }

    TenantId makeTenant(catalog::CompatibilityMode mode = catalog::CompatibilityMode::Mysql) {
        const std::string name = nameWithPool();
        return stores_.tenants.create({.name = name, .pools = {"p_" + name}, .mode = mode}).id;
    }

    /// One with a restore that runs.
    TenantId makeRestoring(catalog::CompatibilityMode mode = catalog::CompatibilityMode::Mysql) {
        const std::string name = nameWithPool();
        const auto begun = stores_.restores.start({.tenant_name = name, .backup_dest = "file:///b"},
                                                  {.name = name, .pools = {"p_" + name}, .mode = mode}, "");
        const auto row = stores_.work.find(catalog::kRestoreWork, catalog::kSysTenantId, begun.job.job_id).value();
        stores_.restores.tenantCreated(stores_.work.take(row, {1, 1}, 1h).value().claim(), begun.job.job_id);
        return begun.tenant.id;
    }

    static std::set<std::string> namesInTenants() {
        std::set<std::string> names;
        for (const ViewDefinition& view : viewDefinitions()) {
            if (view.in_tenants && !view.name.starts_with("CDB_")) names.emplace(view.name);
        }
        return names;
    }

    /// Polls, as a client would, until the tenant's answer is the expected one; returns how long that took.
    steady_clock::duration until(const std::string& query, const std::string& expected) {
        mysql::SqlClient client = tenant_.connect();
        const auto start = steady_clock::now();
        std::optional<std::string> last;
        while (steady_clock::now() < start + kLimit) {
            last = client.scalar(query);
            if (last == expected) return steady_clock::now() - start;
            std::this_thread::sleep_for(5ms);
        }
        ADD_FAILURE() << query << " stayed " << last.value_or("NULL") << ", not " << expected;
        return kLimit;
    }

    static inline std::unique_ptr<testing::MariadbServer> sys_;
    testing::MariadbServer tenant_;
    mysql::Endpoint endpoint_;
    SystemClock clock_;
    catalog::Catalog catalog_{{.endpoint = sys_->endpoint()}, clock_};
    catalog::Stores stores_{catalog_};

private:
    static inline int made_ = 0;

    /// Of a tenant to be, for which there is a pool.
    std::string nameWithPool() {
        const std::string name = "t" + std::to_string(++made_);
        stores_.resources.createUnit({.name = "u_" + name, .max_cpu = 1, .memory_size = 1 << 30});
        stores_.resources.createPool("p_" + name, "u_" + name, 1, {"zone1"});
        return name;
    }
};

}  // namespace tidemark::view
