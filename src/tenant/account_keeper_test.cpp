#include "tenant/account_keeper.h"

#include "mysql/wire_client.h"
#include "tenant/node_fixture.h"

namespace tidemark::tenant {
namespace {

using AccountKeeperTest = NodeFixture;

TEST_F(AccountKeeperTest, MakesItsAccountAgainAtTheStart) {
    create("acme");
    root(1002).query("DROP USER tidemark@localhost");
    end();
    begin();
    EXPECT_EQ(daemon(1002).scalar("SELECT CURRENT_USER()"), "tidemark@localhost");
}

/// What an administrator can do to the daemon's account; the daemon's next session works all the same.
TEST_F(AccountKeeperTest, ItsAccountIsMadeGoodAtTheFirstRefusal) {
    create("acme");
    EXPECT_EQ(daemon(1002).scalar("SELECT CURRENT_USER()"), "tidemark@localhost");
    const auto process = server(1002)->pid();
    for (const char* change :
         {"ALTER USER tidemark@localhost IDENTIFIED BY 'other'", "ALTER USER tidemark@localhost ACCOUNT LOCK",
          "ALTER USER tidemark@localhost PASSWORD EXPIRE", "ALTER USER tidemark@localhost REQUIRE SSL",
          "ALTER USER tidemark@localhost WITH MAX_USER_CONNECTIONS 1"}) {
        root(1002).query(change);
        EXPECT_EQ(daemon(1002).scalar("SELECT CURRENT_USER()"), "tidemark@localhost") << change;
        EXPECT_EQ(mysql::WireClient(server(1002)->endpoint(), {}).query("SELECT CURRENT_USER()"), "tidemark@localhost")
            << change;
    }
    EXPECT_EQ(server(1002)->pid(), process) << "for these nothing is restarted";
}

TEST_F(AccountKeeperTest, ItsAccountIsMadeAgainAtTheFirstRefusal) {
    for (const char* change : {"DROP USER tidemark@localhost", "RENAME USER tidemark@localhost TO other@localhost",
                               "REVOKE ALL PRIVILEGES, GRANT OPTION FROM tidemark@localhost",
                               "ALTER USER tidemark@localhost WITH MAX_QUERIES_PER_HOUR 1"}) {
        const std::string name = "t" + std::to_string(stores_->tenants.all().size());
        const catalog::TenantId id = create(name).id;
        mysql::SqlClient(server(id)->endpoint());
        root(id).query(change);
        mysql::SqlClient client(server(id)->endpoint());
        EXPECT_EQ(client.scalar("SELECT CURRENT_USER()"), "tidemark@localhost") << change;
        client.script("SET sql_log_bin = 0; CREATE TABLE oceanbase.own (a INT); SET GLOBAL read_only = OFF");
    }
}

TEST_F(AccountKeeperTest, AHealthyAccountIsLeftAlone) {
    create("acme");
    EXPECT_EQ(daemon(1002).scalar(accountCheckSql(catalog::CompatibilityMode::Mysql)), "1");
}

}  // namespace
}  // namespace tidemark::tenant
