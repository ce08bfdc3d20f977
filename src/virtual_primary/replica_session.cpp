#include "virtual_primary/replica_session.h"

#include <openssl/crypto.h>
#include <strings.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/random.h"
#include "storage/loss.h"
#include "virtual_primary/dump_sender.h"

namespace tidemark::virtual_primary {
namespace {

constexpr std::uint32_t kLongPassword = 1, kLongFlag = 4, kConnectWithDb = 8, kProtocol41 = 0x200,
                        kTransactions = 0x2000, kSecureConnection = 0x8000, kPluginAuth = 0x80000,
                        kLengthEncodedAuth = 0x200000;
constexpr std::string_view kNativePassword = "mysql_native_password";
/// "5.5.5-" is what MariaDB 10 puts before its version, and what a replica knows it by.
constexpr std::string_view kVersion = "5.5.5-10.11.0-MariaDB-tidemark";
constexpr std::chrono::seconds kLoginLimit{10};
/// A replica asks its questions at once; afterwards it may stay silent between START SLAVE and its end.
constexpr std::chrono::hours kCommandLimit{24};
constexpr int kFatalReplicationError = 1236;

bool startsWith(std::string_view text, std::string_view beginning) {
    return text.size() >= beginning.size() && strncasecmp(text.data(), beginning.data(), beginning.size()) == 0;
}

Bytes makeScramble() {
    Bytes scramble = randomBytes(20);
    // Printable, since the protocol ends it with a NUL.
    for (auto& byte : scramble)
        byte = static_cast<std::uint8_t>('!' + byte % ('~' - '!'));
    return scramble;
}

Bytes makeGreeting(ByteView scramble) {
    constexpr std::uint32_t kOffered =
        kLongPassword | kLongFlag | kConnectWithDb | kProtocol41 | kTransactions | kSecureConnection | kPluginAuth;
    ByteWriter out;
    out.u8(10).nulTerminated(kVersion).u32(1).bytes(scramble.first(8)).u8(0);
    out.u16(kOffered & 0xffff).u8(45).u16(2).u16(kOffered >> 16).u8(21).bytes(Bytes(10));
    out.bytes(scramble.subspan(8)).u8(0).nulTerminated(kNativePassword);
    return out.take();
}

struct Login {
    std::string user;
    Bytes token;
};

Login parseLogin(ByteView response) {
    ByteReader in(response, "login");
    const std::uint32_t capabilities = in.u32();
    in.skip(4 + 1 + 23);
    Login login;
    login.user = in.nulTerminated();
    // A length-encoded length below 251 is one byte too, and no token is longer.
    const std::size_t size = (capabilities & (kSecureConnection | kLengthEncodedAuth)) != 0 ? in.u8() : 0;
    const ByteView token = in.bytes(size);
    login.token.assign(token.begin(), token.end());
    return login;
}

bool sameSecret(ByteView a, ByteView b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view unquoted(std::string_view value) {
    while (!value.empty() && value.front() == ' ')
        value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == ';'))
        value.remove_suffix(1);
    if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'') value = value.substr(1, value.size() - 2);
    return value;
}

Bytes columnDefinition(std::string_view name) {
    constexpr std::uint8_t kVarString = 0xfd;
    ByteWriter out;
    for (const std::string_view part : {std::string_view("def"), std::string_view(), std::string_view(),
                                        std::string_view(), name, std::string_view()}) {
        out.string(part);  // below 251 bytes a varint is the protocol's length too, and names here are below 128
    }
    return out.u8(12).u16(45).u32(1024).u8(kVarString).u16(0).u8(0).u16(0).take();
}

}  // namespace

void applySetting(std::string_view statement, ReplicaWishes& wishes) {
    const auto at = statement.find('@');
    const auto equals = statement.find('=');
    if (at == std::string_view::npos || equals == std::string_view::npos || equals < at) return;
    std::string_view name = statement.substr(at + 1, equals - at - 1);
    while (!name.empty() && name.back() == ' ')
        name.remove_suffix(1);
    const std::string_view value = unquoted(statement.substr(equals + 1));
    if (name == "slave_connect_state") wishes.connect_state = mysql::GtidPosition::parse(value);
    if (name == "slave_until_gtid") wishes.until = mysql::GtidPosition::parse(value);
    if (name != "master_heartbeat_period") return;
    std::uint64_t period = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), period);
    if (failure != std::errc{}) throw Error(ErrorCode::InvalidRequest, "the heartbeat period is no number");
    const auto wanted = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::nanoseconds(std::min<std::uint64_t>(period, INT64_MAX)));
    wishes.heartbeat =
        std::clamp<std::chrono::milliseconds>(wanted, std::chrono::milliseconds(100), std::chrono::hours(1));
}

ReplicaSession::ReplicaSession(mysql::WireConnection& connection, const archive::ArchiveReader& reader,
                               const VirtualPrimaryOptions& options, ServingState& state)
    : connection_(connection), reader_(reader), options_(options), state_(state) {}

void ReplicaSession::run() {
    login();
    for (;;) {
        connection_.beginExchange();
        const Bytes command = connection_.readMessage(mysql::after(kCommandLimit), 64 << 10);
        ByteReader in(command, "command");
        switch (in.u8()) {
            case 0x01:
                return;  // COM_QUIT
            case 0x03:
                answerQuery(textOf(in.rest()));
                break;
            case 0x0e:  // COM_PING
            case 0x15:
                sendOk();
                break;  // COM_REGISTER_SLAVE
            case 0x12:
                dump(in.rest());
                break;
            default:
                sendError(1047, "this is a virtual primary; it knows replicas only");
        }
    }
}

void ReplicaSession::login() {
    const Bytes scramble = makeScramble();
    connection_.writeMessage(makeGreeting(scramble));
    Login login = parseLogin(connection_.readMessage(mysql::after(kLoginLimit), 64 << 10));
    if (login.token.size() != 20) {
        ByteWriter change;
        change.u8(0xfe).nulTerminated(kNativePassword).bytes(scramble).u8(0);
        connection_.writeMessage(change.data());
        login.token = connection_.readMessage(mysql::after(kLoginLimit), 64 << 10);
    }
    if (login.user != state_.user || !sameSecret(login.token, mysql::nativePasswordToken(state_.password, scramble))) {
        connection_.writeMessage(mysql::makeErrPacket(1045, "28000", "Access denied"));
        throw Error(ErrorCode::Denied, "login refused");
    }
    sendOk();
}

void ReplicaSession::answerQuery(std::string_view text) {
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    if (startsWith(text, "SET")) {
        applySetting(text, wishes_);
        return sendOk();
    }
    if (startsWith(text, "SHOW VARIABLES LIKE 'SERVER_ID'")) {
        return sendRow({"Variable_name", "Value"}, {"server_id", std::to_string(options_.server_id)});
    }
    if (startsWith(text, "SHOW")) return sendRow({"Variable_name", "Value"}, {});
    if (startsWith(text, "SELECT UNIX_TIMESTAMP")) {
        return sendRow({"UNIX_TIMESTAMP()"}, {std::to_string(SystemClock().now() / kSecond)});
    }
    if (startsWith(text, "SELECT @master_binlog_checksum")) return sendRow({"@master_binlog_checksum"}, {"CRC32"});
    // @@GLOBAL.gtid_domain_id, and whatever a later version asks for: a number that means nothing.
    if (startsWith(text, "SELECT")) return sendRow({"value"}, {"0"});
    sendError(1047, "this is a virtual primary; it knows replicas only");
}

void ReplicaSession::dump(ByteView command) {
    ByteReader in(command, "dump request");
    in.skip(4);  // position in a file: a replica by GTID means nothing by it
    wishes_.annotate_rows = (in.u16() & 2) != 0;
    const std::uint32_t replica_id = in.u32();
    if (!wishes_.connect_state)
        return sendError(kFatalReplicationError, "the virtual primary serves replicas by GTID only");
    if (replica_id == options_.server_id) {
        return sendError(kFatalReplicationError, "the replica has the virtual primary's server id");
    }
    std::optional<DumpSender> sender;
    try {
        sender.emplace(connection_, reader_, options_, state_, wishes_);
        sender->run();
    } catch (const Error& error) {
        const bool archive = !sender || state_.failure() || storage::isLoss(error);
        if (!archive) throw;
        state_.fail(std::current_exception());
        sendError(kFatalReplicationError, error.what());
    }
}

void ReplicaSession::sendOk() {
    constexpr std::uint16_t kAutocommit = 2;
    connection_.writeMessage(ByteWriter().u8(0).u8(0).u8(0).u16(kAutocommit).u16(0).data());
}

void ReplicaSession::sendError(int number, const std::string& text) {
    connection_.writeMessage(mysql::makeErrPacket(number, "HY000", text.substr(0, 500)));
}

void ReplicaSession::sendEof() {
    connection_.queueMessage(ByteWriter().u8(0xfe).u16(0).u16(2).data());
}

/// A result of one row, or of none if there are no values.
void ReplicaSession::sendRow(const std::vector<std::string>& names, const std::vector<std::string>& values) {
    connection_.queueMessage(ByteWriter().u8(static_cast<std::uint8_t>(names.size())).data());
    for (const auto& name : names)
        connection_.queueMessage(columnDefinition(name));
    sendEof();
    if (!values.empty()) {
        ByteWriter row;
        for (const auto& value : values)
            row.string(value);
        connection_.queueMessage(row.data());
    }
    sendEof();
    connection_.flush();
}

}  // namespace tidemark::virtual_primary
