#include "mysql/wire_connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <thread>

#include "base/error.h"
#include "mysql/dump_client.h"
#include "testing/mariadb_server.h"

namespace tidemark::mysql {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Pair {
    Pair() {
        int fds[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) throwErrno(errno, "socketpair");
        a.emplace(Fd(fds[0]), stop.get_token());
        b.emplace(Fd(fds[1]), std::stop_token{});
    }
    std::stop_source stop;
    std::optional<WireConnection> a;
    std::optional<WireConnection> b;
};

ErrorCode codeOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.code();
    }
    ADD_FAILURE() << "no error";
    return ErrorCode::Internal;
}

TEST(WireConnection, CarriesMessagesOfAnySize) {
    constexpr std::size_t kPacket = WireConnection::kMaxPacket;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kPacket - 1, kPacket, kPacket + 1, 2 * kPacket}) {
        Pair pair;
        Bytes message(size);
        for (std::size_t i = 0; i < size; i += 97)
            message[i] = static_cast<std::uint8_t>(i);
        std::jthread sender([&] {
            pair.a->writeMessage(message);
            pair.a->queueBegin(size);  // and the same in parts
            pair.a->queuePart(ByteView(message).first(size / 3));
            pair.a->queuePart(ByteView(message).subspan(size / 3));
            pair.a->writeMessage(Bytes{42});
        });
        EXPECT_TRUE(pair.b->readMessage(after(seconds(20)), 3 * kPacket) == message) << size;
        EXPECT_TRUE(pair.b->readMessage(after(seconds(20)), 3 * kPacket) == message) << size;
        EXPECT_EQ(pair.b->readMessage(after(seconds(20))), Bytes{42}) << size;
    }
}

TEST(WireConnection, RefusesWhatIsTooLongOrOutOfOrder) {
    Pair pair;
    pair.a->writeMessage(Bytes(1000));
    EXPECT_EQ(codeOf([&] { pair.b->readMessage(after(seconds(5)), 999); }), ErrorCode::Corrupt);
    pair.a->beginExchange();
    pair.a->writeMessage(Bytes(1));
    EXPECT_EQ(codeOf([&] { pair.b->readMessage(after(seconds(5))); }), ErrorCode::Corrupt);
}

TEST(WireConnection, NeverWaitsLongerThanItIsAllowedTo) {
    Pair pair;
    EXPECT_FALSE(pair.b->readPacket(after(milliseconds(20))));
    EXPECT_EQ(codeOf([&] { pair.b->readMessage(after(milliseconds(20))); }), ErrorCode::Unavailable);
    std::jthread stopper([&] { pair.stop.request_stop(); });
    EXPECT_EQ(codeOf([&] { pair.a->readPacket(after(seconds(60))); }), ErrorCode::Cancelled);
    EXPECT_EQ(codeOf([&] { pair.b->readPacket(after(seconds(5))); }), ErrorCode::Unavailable);  // the other end
}

TEST(WireClient, LogsInWithAndWithoutPassword) {
    testing::MariadbServer server;
    server.connect().script("CREATE USER p@localhost IDENTIFIED BY 'secret'; CREATE USER e@localhost IDENTIFIED BY ''");
    auto endpoint = server.endpoint();
    EXPECT_EQ(WireClient(endpoint, {}).query("SELECT CURRENT_USER()"), "root@localhost");
    endpoint.user = "p";
    endpoint.password = "secret";
    WireClient client(endpoint, {});
    EXPECT_EQ(client.query("SELECT CURRENT_USER()"), "p@localhost");
    EXPECT_EQ(client.query("SELECT NULL"), std::nullopt);
    EXPECT_EQ(client.query("SET @a=1"), std::nullopt);
    EXPECT_EQ(client.query("SELECT REPEAT('x', 70000)")->size(), 70000U);
    EXPECT_EQ(codeOf([&] { client.query("SELEC"); }), ErrorCode::Unavailable);
    EXPECT_EQ(client.query("SELECT 'still there'"), "still there");
    endpoint.password = "wrong";
    EXPECT_EQ(codeOf([&] { WireClient(endpoint, {}); }), ErrorCode::Denied);
    server.kill();
    EXPECT_EQ(codeOf([&] { WireClient(endpoint, {}); }), ErrorCode::Unavailable);
}

TEST(DumpClient, IsToldWhyAPositionCannotBeHad) {
    testing::MariadbServer server;
    server.connect().script("CREATE DATABASE d; FLUSH BINARY LOGS");
    DumpClient dump(server.endpoint(), {.server_id = 900, .position = GtidPosition::parse("1002-101-5")}, {});
    try {
        while (dump.next(after(seconds(10)))) {
        }
        FAIL() << "no error";
    } catch (const Error& error) {
        ASSERT_TRUE(error.sql());
        EXPECT_EQ(error.sql()->number, 1236) << error.what();
    }
}

}  // namespace
}  // namespace tidemark::mysql
