#include "view/sys_views.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "catalog/stores.h"
#include "testing/mariadb_server.h"
#include "view/view_columns_test.h"
#include "view/view_definition.h"

namespace tidemark::view {
namespace {

class SysViewsTest : public ::testing::Test {
protected:
    SysViewsTest() {
        catalog_.migrate();
        installSysViews(catalog_);
    }

    testing::MariadbServer server_;
    SystemClock clock_;
    catalog::Catalog catalog_{{.endpoint = server_.endpoint()}, clock_};
};

TEST_F(SysViewsTest, ColumnsAreOceanBases) {
    mysql::SqlClient client = server_.connect();
    std::set<std::string> names;
    for (const ViewDefinition& view : viewDefinitions())
        names.emplace(view.name);
    expectColumns(client, "sys", names);
}

TEST_F(SysViewsTest, InstallsNothingThatIsThere) {
    mysql::SqlClient client = server_.connect();
    const auto position = client.query("SHOW MASTER STATUS").rows.at(0).text("Position");
    installSysViews(catalog_);
    client.query("DELETE FROM tidemark.view_version");
    client.query("DROP VIEW oceanbase.DBA_OB_ZONES");
    installSysViews(catalog_);
    EXPECT_EQ(client.scalar("SELECT COUNT(*) FROM oceanbase.dba_ob_zones"), "0");
    EXPECT_NE(client.query("SHOW MASTER STATUS").rows.at(0).text("Position"), position);
}

}  // namespace
}  // namespace tidemark::view
