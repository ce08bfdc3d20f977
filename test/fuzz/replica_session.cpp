#include "virtual_primary/replica_session.h"

#include <unistd.h>

#include "archive/round_writer.h"
#include "fuzz.h"
#include "mysql/binlog_event.h"
#include "mysql/handshake.h"
#include "scripted_peer.h"
#include "storage/memory_storage.h"

/// A replica, or whoever finds the port of the virtual primary.
namespace tidemark::fuzz {
namespace {

using namespace mysql;

constexpr archive::RoundKey kServedRound{1, 1};
constexpr std::uint8_t kLoggedIn = 1;  ///< of the first byte: the input comes after a login that is right

/// One transaction, of an event that is annotated.
class Served {
public:
    Served() {
        archive::RoundWriter round(place_, {kServedRound, 1002, 1}, [] {
            return archive::RoundWriter::StartPoint{1000, {}};
        });
        const Bytes format = makeEventBytes(EventType::FormatDescription, Bytes(100, 4));
        round.setFormat(format, "10.11");
        round.beginTransaction(2000);
        archive::TransactionEntry entry;
        entry.gtid = {0, 1, 17};
        entry.scn = 2000;
        round.append(makeHeartbeat(1, "some file", 9));
        round.endTransaction(entry);
        round.flush();
        reader_.emplace(place_);
    }
    const archive::ArchiveReader& reader() const { return *reader_; }

private:
    static Bytes makeEventBytes(EventType type, Bytes body) {
        body[0] = 4;
        body[1] = 0;
        body[2 + 50 + 4] = kEventHeaderSize;
        ByteWriter out;
        out.u32(1).u8(static_cast<std::uint8_t>(type)).u32(1);
        out.u32(static_cast<std::uint32_t>(kEventHeaderSize + body.size() + kEventChecksumSize)).u32(4).u16(0);
        return out.bytes(body).u32(0).take();
    }

    storage::MemoryStorage place_;
    std::optional<archive::ArchiveReader> reader_;
};

/// Logs in, with what the primary's greeting asks for, and says what the input has.
void speak(int socket, const virtual_primary::ServingState& state, bool logs_in, ByteView input) {
    if (logs_in) {
        WireConnection connection(Fd(dup(socket)), {});
        const Greeting hello = parseGreeting(connection.readMessage(after(std::chrono::seconds(5))));
        HandshakeResponse login;
        login.capabilities.basic = capability::kProtocol41 | capability::kSecureConnection | capability::kPluginAuth;
        login.user = state.user;
        login.auth = nativePasswordToken(state.password, hello.scramble);
        login.plugin = hello.plugin;
        connection.writeMessage(buildHandshakeResponse(login));
    }
    sendAll(socket, input);
    drain(socket);
}

void runReplicaSession(ByteView input) {
    static const Served served;
    Choices choices(input);
    const bool logs_in = (choices.byte() & kLoggedIn) != 0;
    virtual_primary::ServingState state;
    state.user = "replica";
    state.password = "secret";
    Connection ends = connectedPair();
    const std::jthread replica([&] { speak(ends.others.get(), state, logs_in, choices.rest()); });
    WireConnection connection(std::move(ends.ours), {});
    const virtual_primary::VirtualPrimaryOptions options{.round = kServedRound, .until = kScnUnlimited, .server_id = 7};
    const bool left =
        accepted([&] { virtual_primary::ReplicaSession(connection, served.reader(), options, state).run(); });
    requireThat(logs_in || !left, "nobody is let in without the password");
}

std::vector<Bytes> replicaSessionSeeds() {
    ByteWriter out;
    out.u8(kLoggedIn);
    for (const std::string_view text :
         {"\3SELECT UNIX_TIMESTAMP()", "\3SHOW VARIABLES LIKE 'SERVER_ID'", "\3SET @master_heartbeat_period= 100000000",
          "\3SELECT @master_binlog_checksum", "\3SET @slave_connect_state='0-1-3'", "\3SET @slave_until_gtid='0-1-17'"})
        out.bytes(packet(0, viewOf(text)));
    out.bytes(packet(0, ByteWriter().u8(0x15).u32(9).u8(0).u8(0).u8(0).u16(0).u32(0).u32(0).data()));
    out.bytes(packet(0, ByteWriter().u8(0x12).u32(4).u16(2).u32(9).data()));
    out.bytes(packet(0, viewOf("\1")));
    HandshakeResponse login;
    login.capabilities.basic = capability::kProtocol41 | capability::kSecureConnection;
    login.user = "replica";
    login.auth = Bytes(20, 'x');
    return {out.take(), ByteWriter().u8(0).bytes(packet(1, buildHandshakeResponse(login))).take()};
}

const Registered registered_replica_session({"replica_session", runReplicaSession, replicaSessionSeeds});

}  // namespace
}  // namespace tidemark::fuzz
