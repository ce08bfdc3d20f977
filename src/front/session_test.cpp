#include "front/session.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <fstream>
#include <random>

#include "base/random.h"
#include "front/front_fixture.h"
#include "front/kill_statement.h"
#include "mysql/reply.h"
#include "testing/mariadb_server.h"

namespace tidemark::front {
namespace {

using mysql::Command;

TEST(KillStatement, FindsTheConnectionsNumber) {
    const auto id = [](std::string_view text) -> std::uint64_t {
        const auto target = findKillTarget(text);
        if (!target) return 0;
        EXPECT_EQ(text.substr(target->offset, target->size), std::to_string(target->connection_id));
        return target->connection_id;
    };
    EXPECT_EQ(id("KILL 7"), 7U);
    EXPECT_EQ(id("  kill\n query 1073741825 ; "), 1073741825U);
    EXPECT_EQ(id("/* tool */ KILL HARD CONNECTION 12"), 12U);
    EXPECT_EQ(id("KILL SOFT QUERY 12 -- now\n"), 12U);
    EXPECT_EQ(id("KILL QUERY ID 12"), 0U) << "a query's id";
    EXPECT_EQ(id("KILL USER bob"), 0U);
    EXPECT_EQ(id("KILL @id"), 0U);
    EXPECT_EQ(id("KILL 5 + 5"), 0U);
    EXPECT_EQ(id("KILL 99999999999999999999999"), 0U);
    EXPECT_EQ(id("KILL"), 0U);
    EXPECT_EQ(id("/* KILL 5"), 0U);
    EXPECT_EQ(id("SELECT 5"), 0U);
}

class FrontSession : public FrontTest {};

TEST_F(FrontSession, PassesPacketsOverSixteenMebibytesBothWays) {
    const LibClient client = admin();
    std::string big;
    big.resize(20'000'000, 'x');
    EXPECT_EQ(client.value("SELECT LENGTH('" + big + "')"), "20000000");
    EXPECT_EQ(client.value("SELECT REPEAT('y', 35000000)").size(), 35'000'000U);
    std::string exact;
    exact.resize(mysql::kMaxPayload - 1 - std::string("SELECT LENGTH('')").size(), 'z');
    EXPECT_EQ(client.value("SELECT LENGTH('" + exact + "')"), std::to_string(exact.size()));
    EXPECT_EQ(client.value("SELECT 1"), "1");
}

TEST_F(FrontSession, RunsSeveralStatementsInOneQuery) {
    const LibClient client = admin(CLIENT_MULTI_STATEMENTS);
    EXPECT_EQ(client.run("SELECT 1; SET @a = 5; SELECT 2; DO 1"), 0U);
    EXPECT_EQ(client.value("SELECT @a"), "5");
    EXPECT_EQ(client.run("SELECT 1; SELECT nope; SELECT 3"), 1054U);
    EXPECT_EQ(client.value("SELECT 4"), "4");
}

TEST_F(FrontSession, LoadsLocalFiles) {
    const std::filesystem::path file = std::filesystem::temp_directory_path() / ("front-" + std::to_string(getpid()));
    {
        std::ofstream out(file);
        for (int i = 0; i < 200'000; ++i)
            out << i << "\tsome text to load " << i << "\n";
    }
    const LibClient client = admin();
    EXPECT_EQ(client.run("TRUNCATE shop.t"), 0U);
    EXPECT_EQ(client.run("LOAD DATA LOCAL INFILE '" + file.string() + "' INTO TABLE shop.t"), 0U) << client.message();
    EXPECT_EQ(client.value("SELECT CONCAT(COUNT(*), ' ', MAX(a)) FROM shop.t"), "200000 199999");
    EXPECT_EQ(client.run("LOAD DATA LOCAL INFILE '" + file.string() + "' INTO TABLE shop.none"), 1146U);
    EXPECT_NE(client.run("LOAD DATA LOCAL INFILE '/nonexistent' INTO TABLE shop.t"), 0U);
    EXPECT_EQ(client.value("SELECT 6"), "6");
    std::filesystem::remove(file);
}

/// Connector/C caches metadata, fetches through cursors and sends whole arrays: all that the tracker has to follow.
TEST_F(FrontSession, RunsPreparedStatements) {
    const LibClient client = admin();
    client.run("TRUNCATE shop.t");
    MYSQL_STMT* insert = mysql_stmt_init(client.get());
    const std::string text = "INSERT INTO shop.t VALUES (?, 'x')";
    ASSERT_EQ(mysql_stmt_prepare(insert, text.data(), text.size()), 0);
    unsigned count = 500;
    std::vector<int> values(count);
    for (unsigned i = 0; i < count; ++i)
        values[i] = static_cast<int>(i);
    MYSQL_BIND bind{};
    bind.buffer_type = MYSQL_TYPE_LONG;
    bind.buffer = values.data();
    mysql_stmt_attr_set(insert, STMT_ATTR_ARRAY_SIZE, &count);
    ASSERT_EQ(mysql_stmt_bind_param(insert, &bind), 0);
    EXPECT_EQ(mysql_stmt_execute(insert), 0) << mysql_stmt_error(insert);
    mysql_stmt_close(insert);

    const std::string query = "SELECT a, b FROM shop.t ORDER BY a";
    const unsigned long rows = 100;
    for (const unsigned long cursor : {CURSOR_TYPE_NO_CURSOR, CURSOR_TYPE_READ_ONLY}) {
        MYSQL_STMT* select = mysql_stmt_init(client.get());
        ASSERT_EQ(mysql_stmt_prepare(select, query.data(), query.size()), 0);
        mysql_stmt_attr_set(select, STMT_ATTR_CURSOR_TYPE, &cursor);
        mysql_stmt_attr_set(select, STMT_ATTR_PREFETCH_ROWS, &rows);
        for (int execution = 0; execution < 2; ++execution) {
            ASSERT_EQ(mysql_stmt_execute(select), 0) << mysql_stmt_error(select);
            int seen = 0;
            while (mysql_stmt_fetch(select) == 0)
                ++seen;
            EXPECT_EQ(seen, 500);
        }
        mysql_stmt_close(select);
    }
    EXPECT_EQ(client.value("SELECT COUNT(*) FROM shop.t"), "500");
}

TEST_F(FrontSession, AnswersInOrderWhateverIsSentAhead) {
    RawClient client(front->port());
    ASSERT_EQ(client.logIn("PLAIN@acme").at(0), 0x00);
    Bytes all;
    for (int round = 0; round < 50; ++round) {
        for (const std::string& text :
             {std::string("SELECT SLEEP(0.001)"), std::string("SHOW TENANT"), "SELECT " + std::to_string(round),
              std::string("ALTER SYSTEM ROWS 2"), std::string("SELECT nope")}) {
            const Bytes packet = mysql::packet(0, ByteWriter().u8(0x03).text(text).data());
            all.insert(all.end(), packet.begin(), packet.end());
        }
    }
    client.send(all);
    const auto values = [&] {
        std::string seen;
        Bytes first = client.payload().value();
        if (first.at(0) == 0xff) return std::string("error");
        for (int left = first.at(0); left >= 0; --left)
            client.payload();  // definitions and EOF
        for (Bytes row = client.payload().value(); row.at(0) != 0xfe; row = client.payload().value()) {
            ByteReader reader(row, "row");
            seen += std::string(mysql::readLenencString(reader)) + ";";
        }
        return seen;
    };
    for (int round = 0; round < 50; ++round) {
        EXPECT_EQ(values(), "0;");
        EXPECT_EQ(values(), "acme;");
        EXPECT_EQ(values(), std::to_string(round) + ";");
        EXPECT_EQ(values(), "0;1;");
        EXPECT_EQ(values(), "error");
    }
}

TEST_F(FrontSession, KillsByTheIdThatTheClientKnows) {
    const LibClient victim = admin(), killer = admin();
    const unsigned long id = mysql_thread_id(victim.get());
    EXPECT_NE(victim.value("SELECT CONNECTION_ID()"), std::to_string(id)) << "the tenant counts for itself";

    std::jthread query([&] { EXPECT_EQ(victim.value("SELECT SLEEP(30)"), "error 1317"); });
    const std::string count = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO = 'SELECT SLEEP(30)'";
    ASSERT_TRUE(eventually([&] { return killer.value(count) == "1"; }));
    EXPECT_EQ(killer.run("KILL QUERY " + std::to_string(id)), 0U);
    query.join();

    EXPECT_EQ(connect("admin@sys", "geheim").run("KILL " + std::to_string(id)), 1094U) << "another tenant's session";
    EXPECT_EQ(victim.value("SELECT 1"), "1");
    EXPECT_EQ(mysql_kill(killer.get(), id), 0);
    EXPECT_TRUE(eventually([&] { return front->counters().sessions == 1; })) << "the idle client was not told";
    EXPECT_EQ(killer.run("KILL 1073999999"), 1094U);
    const LibClient native = admin();
    EXPECT_EQ(killer.run("KILL " + native.value("SELECT CONNECTION_ID()")), 0U) << "the tenant's own ids work too";
    EXPECT_TRUE(eventually([&] { return front->counters().sessions == 1; }));
}

TEST_F(FrontSession, ChangesTheUserWithinTheTenantOnly) {
    const LibClient client = admin();
    EXPECT_NE(mysql_change_user(client.get(), "plain@sys", "", nullptr), 0);
    EXPECT_EQ(client.error(), 1045U);
    EXPECT_NE(client.message().find("belongs to tenant 'acme', not 'sys'"), std::string::npos) << client.message();
    EXPECT_NE(mysql_change_user(client.get(), "tidemark@acme", "", nullptr), 0);
    EXPECT_EQ(client.value("SELECT CURRENT_USER()"), "admin@127.0.0.1") << "the connection is still usable";
    EXPECT_EQ(client.value("SHOW CALLER"), "acme");
    ASSERT_EQ(mysql_change_user(client.get(), "plain@acme", "", "shop"), 0) << client.message();
    EXPECT_EQ(client.value("SELECT CONCAT(CURRENT_USER(), ' ', DATABASE())"), "plain@127.0.0.1 shop");
    ASSERT_EQ(mysql_change_user(client.get(), "other@acme", "x", nullptr), 0) << client.message();
    EXPECT_EQ(client.value("SELECT CURRENT_USER()"), "other@127.0.0.1");
    EXPECT_NE(mysql_change_user(client.get(), "admin@acme", "falsch", nullptr), 0);
    EXPECT_EQ(client.error(), 1045U);
}

TEST_F(FrontSession, PassesOnWhyATenantClosesInTheMiddleOfAQuery) {
    sharedConnect().script("SET GLOBAL max_allowed_packet = 1048576");
    RawClient client(front->port());
    ASSERT_EQ(client.logIn("plain@acme").at(0), 0x00);
    try {
        client.command(Command::Query, "SELECT '" + std::string(3'000'000, 'x') + "'");
    } catch (const Error&) {
        // the front may have closed before all was sent
    }
    const auto answer = client.payload();
    sharedConnect().script("SET GLOBAL max_allowed_packet = 67108864");
    ASSERT_TRUE(answer) << "the connection broke without a word";
    EXPECT_EQ(mysql::parseError(*answer).sql()->number, 1153);
    EXPECT_TRUE(allGone());
}

TEST_F(FrontSession, EndsWhenTheTenantEndsTheConnection) {
    const LibClient client = admin();
    EXPECT_EQ(client.run("SET wait_timeout = 1"), 0U);
    EXPECT_TRUE(allGone());
    EXPECT_NE(client.run("SELECT 1"), 0U);
}

TEST_F(FrontSession, ForgetsClientsThatVanish) {
    std::vector<RawClient> clients;
    for (int i = 0; i < 20; ++i) {
        clients.emplace_back(front->port());
        ASSERT_EQ(clients.back().logIn("plain@acme").at(0), 0x00);
    }
    EXPECT_EQ(front->counters().sessions, 20U);
    for (int i = 0; i < 20; ++i) {
        if (i % 2 == 0) clients[i].command(Command::Query, "SELECT SLEEP(0.2), REPEAT('x', 3000000)");
        if (i % 4 == 1) clients[i].send(Bytes{200, 0, 0, 0, 3});  // half a command
        clients[i].reset();
    }
    EXPECT_TRUE(allGone());
    EXPECT_TRUE(eventually([] {
        return sharedConnect().scalar("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'plain'") ==
               "0";
    })) << "the tenant still has sessions of clients that are gone";
    EXPECT_EQ(front->counters().sessions_total, 20U);
}

TEST_F(FrontSession, SaysThatTheTenantDiedDuringTheQuery) {
    testing::MariadbServer server(tenantOptions());
    server.connect().script("CREATE USER plain@'127.0.0.1'");
    directory.set("mortal", TenantAddress{.name = "mortal", .socket = server.socket()});
    const LibClient busy = connect("plain@mortal"), idle = connect("plain@mortal");
    ASSERT_TRUE(busy.connected() && idle.connected());
    std::jthread query([&] {
        EXPECT_EQ(busy.run("SELECT SLEEP(60)"), 1053U);
        EXPECT_NE(busy.message().find("tenant 'mortal'"), std::string::npos) << busy.message();
    });
    ASSERT_TRUE(eventually([&] {
        return server.connect().scalar(
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'") == "1";
    }));
    server.kill();
    query.join();
    EXPECT_TRUE(allGone());
    const LibClient late = connect("plain@mortal");
    EXPECT_EQ(late.error(), 8001U) << late.message();
}

TEST_F(FrontSession, LetsAReplicaReadTheBinlog) {
    RawClient client(front->port());
    ASSERT_EQ(client.logIn("replica@acme").at(0), 0x00);
    for (const char* text : {"SET @master_binlog_checksum = @@global.binlog_checksum",
                             "SET @mariadb_slave_capability = 4", "SET @slave_connect_state = ''"}) {
        client.command(Command::Query, text);
        ASSERT_EQ(client.payload().value().at(0), 0x00);
    }
    client.send(mysql::packet(0, ByteWriter().u8(0x12).u32(4).u16(0).u32(4711).data()));
    const Bytes event = client.payload().value();
    EXPECT_EQ(event.at(0), 0x00);
    EXPECT_EQ(event.at(5), 4) << "the first event is a rotate";
    EXPECT_EQ(client.payload().value().at(5), 15) << "then the format description";
    front->stop(std::chrono::seconds(30));
    EXPECT_EQ(front->counters().sessions, 0U) << "a dump has no end of its own";
}

TEST_F(FrontSession, StopEndsIdleSessionsAtOnceAndBusyOnesAfterTheirCommand) {
    const LibClient idle = admin(), busy = admin();
    auto holder = sharedConnect();
    holder.query("SELECT GET_LOCK('busy', 0)");
    std::jthread query([&] { EXPECT_EQ(busy.value("SELECT GET_LOCK('busy', 60)"), "1") << "it was cut off"; });
    ASSERT_TRUE(eventually([] {
        return sharedConnect().scalar(
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User lock'") == "1";
    }));
    std::jthread stop([&] { front->stop(std::chrono::seconds(60)); });
    EXPECT_TRUE(eventually([&] { return front->counters().sessions == 1; })) << "the idle one is kept";
    holder.query("SELECT RELEASE_LOCK('busy')");
    query.join();
    stop.join();
    EXPECT_EQ(front->counters().sessions, 0U);
    EXPECT_NE(idle.run("SELECT 1"), 0U);
    EXPECT_FALSE(admin().connected());
}

TEST_F(FrontSession, StopCutsOffWhatDoesNotEnd) {
    const LibClient busy = admin();
    std::jthread query([&] { EXPECT_NE(busy.run("SELECT SLEEP(10)"), 0U); });
    ASSERT_TRUE(eventually([] {
        return sharedConnect().scalar(
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'") == "1";
    }));
    front->stop(std::chrono::milliseconds(50));
    EXPECT_EQ(front->counters().sessions, 0U);
}

/// The kernel takes connections for it, and nobody else does.
class HungTenant {
public:
    HungTenant() : listening_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
        path().string().copy(address.sun_path, sizeof address.sun_path - 1);
        if (bind(listening_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            listen(listening_.get(), 10) != 0) {
            throwErrno(errno, "listen");
        }
    }
    std::filesystem::path path() const { return directory_.path() / "s"; }

private:
    testing::TemporaryDirectory directory_;
    Fd listening_;
};

TEST_F(FrontSession, ALoginThatItsTenantDoesNotAnswerIsToldSo) {
    const HungTenant hung;
    directory.set("hung", TenantAddress{.name = "hung", .socket = hung.path()});
    begin({.tenant_login_timeout = std::chrono::milliseconds(50)});
    const LibClient client = connect("plain@hung");
    EXPECT_EQ(client.error(), 8001U) << client.message();
    EXPECT_NE(client.message().find("tenant 'hung' does not answer"), std::string::npos) << client.message();
    EXPECT_TRUE(allGone());
}

TEST_F(FrontSession, StopTellsWhoIsStillLoggingIn) {
    const HungTenant hung;
    directory.set("hung", TenantAddress{.name = "hung", .socket = hung.path()});
    std::jthread login([&] {
        const LibClient client = connect("plain@hung");
        EXPECT_EQ(client.error(), 1053U) << client.message();
    });
    ASSERT_TRUE(eventually([&] { return front->counters().sessions == 1; }));
    RawClient silent(front->port());
    ASSERT_TRUE(silent.payload().has_value());  // greeted
    front->stop();
    const auto last = silent.payload();
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->at(0), 0xff);
    EXPECT_EQ(silent.sequence(), 2) << "its own packet is counted, though it did not come";
}

TEST_F(FrontSession, StopTellsWhoseStatementDoesNotEnd) {
    const LibClient busy = admin();
    std::jthread query([&] {
        EXPECT_EQ(busy.run("ALTER SYSTEM WAIT"), 1053U) << busy.message();
        service.release();
    });
    service.waitUntilSomebodyWaits();
    front->stop(std::chrono::milliseconds(50));
}

TEST_F(FrontSession, SurvivesRandomCommands) {
    const std::uint32_t seed = randomU32();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (int round = 0; round < 60; ++round) {
        RawClient client(front->port());
        ASSERT_EQ(client.logIn("plain@acme").at(0), 0x00);
        for (int i = 0; i < 20; ++i) {
            Bytes payload(random() % 40);
            for (auto& byte : payload)
                byte = static_cast<std::uint8_t>(random());
            if (!payload.empty()) payload[0] = static_cast<std::uint8_t>(random() % 0x20);
            try {
                client.send(mysql::packet(0, payload));
            } catch (const Error&) {
                break;  // such as after COM_QUIT
            }
        }
        client.reset();
    }
    EXPECT_TRUE(allGone());
    EXPECT_EQ(admin().value("SELECT 1"), "1");
}

}  // namespace
}  // namespace tidemark::front
