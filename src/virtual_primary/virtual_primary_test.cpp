#include "virtual_primary/virtual_primary.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <iostream>
#include <random>

#include "base/error.h"
#include "mysql/dump_client.h"
#include "storage/memory_storage.h"
#include "testing/archived_server.h"
#include "virtual_primary/replica_session.h"

namespace tidemark::virtual_primary {
namespace {

using archive::ArchiveReader;
using mysql::GtidPosition;
using std::chrono::seconds;
using testing::MariadbServer;

constexpr archive::RoundKey kRound{1001, 1};

/// A hundred transactions in d.t, archived; made once.
storage::MemoryStorage& archivedLog() {
    static storage::MemoryStorage storage;
    static const bool made = [] {
        testing::ArchivedServer source(storage);
        source.startArchiver();
        auto client = source.server.connect();
        client.script("CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY)");
        for (int i = 0; i < 100; ++i)
            client.query("INSERT INTO d.t VALUES (?)", {std::int64_t{i}});
        source.awaitArchived();
        source.stopArchiver();
        return true;
    }();
    EXPECT_TRUE(made);
    return storage;
}

mysql::Endpoint endpointOf(const VirtualPrimary& primary) {
    mysql::Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = primary.port();
    endpoint.user = primary.user();
    endpoint.password = primary.password();
    return endpoint;
}

void startReplica(const MariadbServer& server, const VirtualPrimary& primary, const std::string& start) {
    auto client = server.connect();
    client.query("SET GLOBAL gtid_slave_pos=?", {start});
    client.query(
        "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=?, MASTER_USER=?, MASTER_PASSWORD=?, "
        "MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1, MASTER_HEARTBEAT_PERIOD=0.2",
        {std::uint64_t{primary.port()}, primary.user(), primary.password()});
}

/// Waits until a query has the wanted answer.
void await(mysql::SqlClient& client, const std::string& query, const std::string& wanted) {
    for (int i = 0; i < 600; ++i) {
        if (client.scalar(query) == wanted) return;
        client.query("DO SLEEP(0.05)");
    }
    FAIL() << query << " is " << client.scalar(query).value_or("NULL") << ", not " << wanted;
}

std::string field(mysql::SqlClient& client, const char* name) {
    return client.query("SHOW SLAVE STATUS").rows.at(0).text(name);
}

int heartbeats(mysql::SqlClient& client) {
    return std::stoi(client.query("SHOW STATUS LIKE 'Slave_received_heartbeats'").rows.at(0).text(1));
}

TEST(VirtualPrimary, FeedsReplicasAndKeepsThemAlive) {
    const ArchiveReader reader(archivedLog());
    const VirtualPrimary primary(reader, {kRound, reader.rounds().at(0).checkpoint_scn, 7});
    const MariadbServer first({"--skip-log-bin", "--server-id=202"});
    const MariadbServer second({"--skip-log-bin", "--server-id=203", "--replicate-annotate-row-events=OFF"});
    for (const auto* server : {&first, &second}) {
        startReplica(*server, primary, "");
        server->connect().query("START SLAVE");
    }
    for (const auto* server : {&first, &second}) {
        auto client = server->connect();
        await(client, "SELECT @@gtid_slave_pos", "1002-101-102");
        // Heartbeats must agree with the position that the replica has counted itself, or it stops with an error.
        for (int i = 0; i < 200 && heartbeats(client) < 3; ++i)
            client.query("DO SLEEP(0.05)");
        EXPECT_GE(heartbeats(client), 3);
        EXPECT_EQ(field(client, "Slave_IO_Running"), "Yes");
        EXPECT_EQ(field(client, "Last_IO_Error"), "");
        EXPECT_EQ(field(client, "Last_SQL_Error"), "");
        // A replica that comes again goes on where it was, though its file and position mean nothing here.
        const std::uint64_t sent = primary.sentBytes();
        client.query("STOP SLAVE IO_THREAD");
        client.query("START SLAVE IO_THREAD");
        await(client, "SELECT COUNT(*) FROM d.t", "100");
        EXPECT_EQ(client.scalar("SELECT @@gtid_slave_pos"), "1002-101-102");
        EXPECT_EQ(primary.sentBytes(), sent);
    }
    EXPECT_FALSE(primary.failure());
}

TEST(VirtualPrimary, NeverSendsMoreThanItMay) {
    const ArchiveReader reader(archivedLog());
    std::vector<Scn> scns;
    reader.transactions(0, kScnUnlimited, [&](const auto& entry) {
        scns.push_back(entry.scn);
        return true;
    });
    const VirtualPrimary primary(reader, {kRound, scns.at(41), 7});
    const MariadbServer server({"--skip-log-bin", "--server-id=202"});
    startReplica(server, primary, "");
    auto client = server.connect();
    client.query("START SLAVE");
    await(client, "SELECT @@gtid_slave_pos", "1002-101-42");
    for (int i = 0; i < 200 && heartbeats(client) < 2; ++i)
        client.query("DO SLEEP(0.05)");
    EXPECT_EQ(client.scalar("SELECT @@gtid_slave_pos"), "1002-101-42");
    EXPECT_EQ(field(client, "Slave_IO_Running") + field(client, "Slave_SQL_Running"), "YesYes");
    client.query("STOP SLAVE");
    client.query("START SLAVE UNTIL master_gtid_pos='1002-101-90'");
    for (int i = 0; i < 200 && field(client, "Last_IO_Errno") == "0"; ++i)
        client.query("DO SLEEP(0.05)");
    EXPECT_NE(field(client, "Last_IO_Error").find("it ends at 1002-101-42"), std::string::npos)
        << field(client, "Last_IO_Error");
    EXPECT_EQ(client.scalar("SELECT @@gtid_slave_pos"), "1002-101-42");
}

TEST(VirtualPrimary, TellsAReplicaThatAsksForWhatItHasNot) {
    auto& whole = archivedLog();
    storage::MemoryStorage later;  // a round that begins behind the replica
    for (const auto& object : whole.list("")) {
        if (!object.key.starts_with("rounds/") && !object.key.ends_with("single_piece_info.obarc")) {
            later.put(object.key, whole.getAll(object.key));
        }
    }
    auto start = archive::readRoundStart(whole, kRound);
    start.position = GtidPosition::parse("1002-101-50");
    archive::putRecord(later, start);
    auto piece = archive::readPiece(whole, archive::pieceInfoKey({1001, 1, 1}), {1001, 1, 1});
    piece.start = start.position;
    archive::putRecord(later, archive::pieceInfoKey({1001, 1, 1}), piece);
    const ArchiveReader reader(later);
    const VirtualPrimary primary(reader, {kRound, kScnUnlimited, 7});
    mysql::DumpClient dump(endpointOf(primary), {.server_id = 9, .position = GtidPosition::parse("1002-101-10")}, {});
    try {
        while (dump.next(mysql::after(seconds(10)))) {
        }
        FAIL() << "no error";
    } catch (const Error& error) {
        ASSERT_TRUE(error.sql());
        EXPECT_EQ(error.sql()->number, 1236);
        EXPECT_NE(std::string(error.what()).find("begins at 1002-101-50"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(primary.failure());
}

TEST(VirtualPrimary, LetsNobodyElseIn) {
    const ArchiveReader reader(archivedLog());
    const VirtualPrimary primary(reader, {kRound, kScnUnlimited, 7});
    auto endpoint = endpointOf(primary);
    mysql::WireClient(endpoint, {}).query("SELECT 1");
    for (const auto& [user, password] : std::vector<std::pair<std::string, std::string>>{
             {primary.user(), ""}, {primary.user(), "wrong"}, {"root", primary.password()}, {"", ""}}) {
        endpoint.user = user;
        endpoint.password = password;
        try {
            mysql::WireClient(endpoint, {}).query("SELECT 1");
            ADD_FAILURE() << user << " came in";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Denied) << error.what();
        }
    }
}

TEST(ReplicaWishes, AreReadFromAnyWords) {
    ReplicaWishes wishes;
    applySetting("SET @slave_connect_state='1-2-3,4-5-6'", wishes);
    applySetting("SET @slave_until_gtid = ''", wishes);
    applySetting("SET @master_heartbeat_period= 2000000000", wishes);
    applySetting("SET @slave_gtid_strict_mode=1", wishes);
    applySetting("SET NAMES latin1", wishes);
    EXPECT_EQ(wishes.connect_state->text(), "1-2-3,4-5-6");
    EXPECT_TRUE(wishes.until->empty());
    EXPECT_EQ(wishes.heartbeat, seconds(2));
    EXPECT_THROW(applySetting("SET @slave_connect_state='x'", wishes), Error);
}

TEST(VirtualPrimary, SurvivesClientsThatTalkNonsense) {
    const std::uint64_t seed = std::random_device{}();
    std::cout << "seed " << seed << "\n";
    std::mt19937_64 random(seed);
    const ArchiveReader reader(archivedLog());
    const VirtualPrimary primary(reader, {kRound, kScnUnlimited, 7});
    const std::vector<std::string> beginnings = {"",     "\x03SELECT ", "\x03SET @slave_connect_state='",  "\x12",
                                                 "\x15", "\x03SHOW ",   "\x03SET @slave_until_gtid='1-1-", "\x0e"};
    for (int round = 0; round < 1500; ++round) {
        try {
            const auto nonsense = [&] {
                std::string text = beginnings[random() % beginnings.size()];
                for (std::uint64_t i = random() % 40; i > 0; --i)
                    text += static_cast<char>(random());
                return text;
            };
            if (random() % 4 == 0) {  // not even a login
                mysql::WireConnection raw(mysql::WireConnection::dial(endpointOf(primary)), {});
                raw.readMessage(mysql::after(seconds(10)));
                raw.writeMessage(viewOf(nonsense()));
                if (random() % 2 == 0) raw.readMessage(mysql::after(seconds(10)));
            } else {
                mysql::WireClient client(endpointOf(primary), {});
                for (int i = 0; i < 4; ++i)
                    client.command(viewOf(nonsense()));
            }
        } catch (const Error&) {
            // it was refused, or the answer was not an OK
        }
    }
    EXPECT_EQ(mysql::WireClient(endpointOf(primary), {}).query("SHOW VARIABLES LIKE 'SERVER_ID'"), "server_id");
}

}  // namespace
}  // namespace tidemark::virtual_primary
