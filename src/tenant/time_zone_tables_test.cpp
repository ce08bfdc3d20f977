#include "tenant/time_zone_tables.h"

#include <gmock/gmock.h>

#include <fstream>
#include <random>

#include "base/time_zone.h"
#include "tenant/tenant_fixture.h"

namespace tidemark::tenant {
namespace {

class TimeZoneTablesTest : public TenantFixture {
protected:
    static std::string zones(const TenantServer& server) {
        return mysql::SqlClient(server.endpoint()).scalar("SELECT COUNT(*) FROM mysql.time_zone_name").value_or("");
    }
};

TEST_F(TimeZoneTablesTest, EveryTenantKnowsNamedZonesFromItsFirstMoment) {
    const auto server = started(1002);
    auto sql = administrator(*server);
    sql.query("SET time_zone = 'Europe/Berlin'");
    EXPECT_EQ(sql.scalar("SELECT FROM_UNIXTIME(1779624000)"), "2026-05-24 14:00:00");
    EXPECT_EQ(sql.scalar("SELECT @@global.gtid_binlog_pos"), "");
}

TEST_F(TimeZoneTablesTest, HoldWhatTheZoneFilesSay) {
    const auto server = started(1002);
    auto sql = administrator(*server);
    std::mt19937_64 random(20261126);
    std::uniform_int_distribution<std::int64_t> times(1, 2'145'000'000);
    for (const std::string& name : timeZoneNames()) {
        const auto zone = TimeZone::find(name);
        sql.query("SET time_zone = ?", {name});
        for (int i = 0; i < 5; ++i) {
            const std::int64_t time = times(random);
            EXPECT_EQ(sql.scalar("SELECT TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', FROM_UNIXTIME(?))", {time}),
                      std::to_string(time + zone->at(time).offset))
                << name << " at " << time;
        }
    }
}

TEST_F(TimeZoneTablesTest, AreFilledAtTheStartOfATenantThatHasNone) {
    const auto server = object(1002);
    server->create(sharedTemplate());
    TenantSettings with_account = settings(1002);
    server->configure(with_account);
    // As the files of an older Tidemark have them.
    std::ofstream init(server->paths().initFile(), std::ios::app);
    for (const char* table : {"time_zone", "time_zone_name", "time_zone_transition", "time_zone_transition_type"})
        init << "TRUNCATE mysql." << table << ";\n";
    init.close();
    server->start();
    ASSERT_EQ(zones(*server), "0");
    ASSERT_TRUE(server->stop());

    with_account.variables["time_zone"] = "Asia/Tokyo";
    server->configure(with_account);
    server->start();
    EXPECT_EQ(zones(*server), std::to_string(timeZoneNames().size()));
    mysql::SqlClient sql(server->endpoint());
    EXPECT_EQ(sql.scalar("SELECT @@global.time_zone"), "Asia/Tokyo");
    EXPECT_EQ(sql.scalar("SELECT @@global.gtid_binlog_pos"), "") << "written to the binlog";
}

TEST_F(TimeZoneTablesTest, LetNoValueBecomeAStatementOfItsOwn) {
    auto bad = settings(1002);
    bad.variables["time_zone"] = "UTC'; DROP DATABASE mysql; -- ";
    EXPECT_THROW(timeZoneSql(bad), Error);
}

}  // namespace
}  // namespace tidemark::tenant
