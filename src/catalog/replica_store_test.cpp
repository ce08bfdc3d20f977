#include "catalog/replica_store.h"

#include <gmock/gmock.h>

#include "catalog/schema.h"
#include "catalog/stores.h"
#include "testing/mariadb_server.h"

namespace tidemark::catalog {
namespace {

using ::testing::ElementsAre;

class ReplicaStoreTest : public ::testing::Test {
protected:
    void bootstrap() {
        catalog_.migrate();
        stores_.cluster.bootstrap(
            {.cluster = {.name = "c"}, .zone = {.name = "zone1"}, .server = {.ip = "127.0.0.1", .zone = "zone1"}});
    }
    /// "tenant kind role status directory" of each.
    std::vector<std::string> at(std::int64_t server) {
        std::vector<std::string> found;
        for (const Replica& replica : stores_.replicas.at(server)) {
            found.push_back(std::to_string(replica.tenant) + ' ' + text(replica.kind) + ' ' + text(replica.role) + ' ' +
                            text(replica.status) + ' ' + replica.directory);
        }
        return found;
    }

    testing::MariadbServer sys_;
    SystemClock clock_;
    Catalog catalog_{{.endpoint = sys_.endpoint()}, clock_};
    Stores stores_{catalog_};
};

TEST_F(ReplicaStoreTest, ReplicasComeAndGoWithTheirTenant) {
    bootstrap();
    sys_.connect().script(
        "INSERT INTO tidemark.zone (name, region, idc) VALUES ('zone2', '', '');"
        "INSERT INTO tidemark.server (id, ip, rpc_port, sql_port, zone, build_version) VALUES (2, 'b', 1, 1, 'zone2', "
        "'')");
    stores_.resources.createUnit({.name = "u", .memory_size = 1});
    stores_.resources.createPool("p", "u", 1, {"zone1", "zone2"});
    EXPECT_THAT(at(1), ElementsAre("1 MANAGED LEADER NORMAL 1")) << "sys";
    EXPECT_THROW(stores_.tenants.create({.name = "t", .pools = {"p", "none"}}), Error);
    EXPECT_THAT(at(2), ElementsAre()) << "a tenant that was not made has none";

    const TenantId id = stores_.tenants.create({.name = "t", .pools = {"p"}, .status = TenantStatus::Restore}).id;
    EXPECT_THAT(at(1), ElementsAre("1 MANAGED LEADER NORMAL 1", "1002 MANAGED LEADER RESTORE 1002"));
    EXPECT_THAT(at(2), ElementsAre("1002 MANAGED FOLLOWER RESTORE 1002"));
    stores_.tenants.setStatus(id, TenantStatus::Dropping);
    EXPECT_THAT(at(2), ElementsAre("1002 MANAGED FOLLOWER DROPPING 1002"));
    stores_.tenants.remove(id);
    EXPECT_THAT(at(1), ElementsAre("1 MANAGED LEADER NORMAL 1"));
    EXPECT_THAT(at(2), ElementsAre());
}

/// A catalog of the time when a tenant was one process.
TEST_F(ReplicaStoreTest, ATenantOfTheReleaseBeforeHasItsReplicaHere) {
    auto sys = sys_.connect();
    sys.script(
        "CREATE DATABASE tidemark CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;"
        "CREATE TABLE tidemark.schema_version (version INT NOT NULL PRIMARY KEY)");
    int version = 0;
    for (const char* step : schemaSteps()) {
        if (std::string_view(step).find("tidemark.replica (") != std::string_view::npos) break;
        sys.script(step);
        sys.query("INSERT INTO tidemark.schema_version VALUES (?)", {std::int64_t{++version}});
    }
    ASSERT_LT(version, static_cast<int>(schemaSteps().size()));
    for (const char* tenant : {"1, 'sys', 'NORMAL'", "1002, 'a', 'NORMAL'", "1004, 'b', 'RESTORE'"}) {
        sys.script(
            "INSERT INTO tidemark.tenant (tenant_id, name, status, role, mode, switchover_status, switchover_epoch, "
            "primary_zone, locality, comment, log_mode, server_id, charset, collation, variables, "
            "recovery_until_scn) SELECT " +
            std::string(tenant) + ", 'PRIMARY', 'MYSQL', 'NORMAL', 0, '', '', '', 'NOARCHIVELOG', 7, '', '', '{}', 0");
    }
    // The second tenant has two pools, and so two units at the same node.
    sys.script(
        "INSERT INTO tidemark.unit (id, tenant_id, pool_id, group_id, zone, server_id, unit_config_id) VALUES "
        "(1, 1, 1, 0, 'z', 1, 1), (2, 1002, 2, 0, 'z', 1, 1), (3, 1002, 3, 0, 'z', 1, 1), "
        "(4, 1004, 4, 0, 'z', 1, 1), (5, NULL, 5, 0, 'z', 1, 1)");
    catalog_.migrate();
    EXPECT_THAT(at(1), ElementsAre("1 MANAGED LEADER NORMAL 1", "1002 MANAGED LEADER NORMAL 1002",
                                   "1004 MANAGED LEADER RESTORE 1004"));
}

}  // namespace
}  // namespace tidemark::catalog
