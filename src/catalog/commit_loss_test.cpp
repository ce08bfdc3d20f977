// What a lost connection in the middle of COMMIT leads to. A relay between the catalog and sys loses it at exactly that
// point, on either side of the server's decision.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "base/file.h"
#include "catalog/catalog.h"
#include "catalog/sql_row.h"
#include "testing/mariadb_server.h"

namespace tidemark::catalog {
namespace {

enum class Loss { None, BeforeTheServerHasIt, AfterTheServerDidIt };

sockaddr_un addressOf(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
}

/// A unix socket that passes everything on to sys's, one connection at a time, and cuts at the next COMMIT as told.
class Relay {
public:
    explicit Relay(std::filesystem::path server)
        : server_(std::move(server)), listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const sockaddr_un address = addressOf(path());
        if (bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            listen(listener_.get(), 8) != 0) {
            throwErrno(errno, "making the relay");
        }
        thread_ = std::jthread([this](std::stop_token stop) {
            while (!stop.stop_requested())
                serve(stop);
        });
    }

    std::filesystem::path path() const { return directory_.path() / "relay"; }
    std::atomic<Loss> loss = Loss::None;

private:
    void serve(const std::stop_token& stop) {
        pollfd waiting{listener_.get(), POLLIN, 0};
        if (poll(&waiting, 1, 20) <= 0) return;
        const Fd client(accept(listener_.get(), nullptr, nullptr));
        const Fd server(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_un address = addressOf(server_);
        if (connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
        while (!stop.stop_requested() && pass(client.get(), server.get())) {
        }
    }

    /// False at the end of the connection.
    bool pass(int client, int server) {
        pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        if (poll(ends, 2, 20) <= 0) return true;
        char bytes[65536];
        if (ends[1].revents != 0) {
            const ssize_t size = read(server, bytes, sizeof bytes);
            return size > 0 && write(client, bytes, static_cast<std::size_t>(size)) == size;
        }
        const ssize_t size = read(client, bytes, sizeof bytes);
        if (size <= 0) return false;
        const std::string_view text(bytes, static_cast<std::size_t>(size));
        const Loss now = text.ends_with("COMMIT") ? loss.exchange(Loss::None) : Loss::None;
        if (now == Loss::BeforeTheServerHasIt) return false;
        if (write(server, bytes, static_cast<std::size_t>(size)) != size) return false;
        if (now == Loss::None) return true;
        if (read(server, bytes, sizeof bytes) <= 0) ADD_FAILURE() << "no answer to COMMIT";
        return false;
    }

    testing::TemporaryDirectory directory_;
    const std::filesystem::path server_;
    Fd listener_;
    std::jthread thread_;
};

class CommitLossTest : public ::testing::TestWithParam<Loss> {};

TEST_P(CommitLossTest, TheTransactionHappensExactlyOnce) {
    testing::MariadbServer sys;
    Relay relay(sys.socket());
    mysql::Endpoint endpoint = sys.endpoint();
    endpoint.socket = relay.path().string();
    const SystemClock clock;
    Catalog catalog({.endpoint = endpoint, .connections = 1}, clock);
    catalog.migrate();
    const auto take_number = [&] {
        return catalog.write({{1002, Topic::Tenant}},
                             [](mysql::SqlClient& client) { return nextId(client, "test", 0); });
    };
    EXPECT_EQ(take_number(), 1);
    for (std::int64_t number = 2; number <= 5; ++number) {
        relay.loss = GetParam();
        EXPECT_EQ(take_number(), number);
        EXPECT_EQ(relay.loss, Loss::None);  // it was used
    }
    EXPECT_EQ(sys.connect().scalar("SELECT last FROM tidemark.sequence WHERE name = 'test'"), "5");
    EXPECT_EQ(catalog.changes().count(1002), 5);
}

INSTANTIATE_TEST_SUITE_P(EitherSide, CommitLossTest,
                         ::testing::Values(Loss::BeforeTheServerHasIt, Loss::AfterTheServerDidIt));

}  // namespace
}  // namespace tidemark::catalog
