#include "mysql/wire_client.h"

#include <fmt/format.h>

#include "base/error.h"
#include "mysql/account_guard.h"
#include "mysql/session_settings.h"

namespace tidemark::mysql {
namespace {

constexpr std::uint32_t kLongPassword = 1, kLongFlag = 4, kProtocol41 = 0x200, kTransactions = 0x2000,
                        kSecureConnection = 0x8000, kPluginAuth = 0x80000;
constexpr std::uint32_t kMaxPacketSize = 1U << 30;  // the largest event a server writes
constexpr std::uint8_t kUtf8mb4 = 45;
constexpr std::string_view kNativePassword = "mysql_native_password";

bool isErr(ByteView message) {
    return !message.empty() && message[0] == 0xff;
}
bool isEof(ByteView message) {
    return !message.empty() && message.size() < 9 && message[0] == 0xfe;
}

/// The 20 bytes that the password is to be mixed with, from the server's first message.
Bytes scrambleOf(ByteView greeting) {
    if (isErr(greeting)) throwErrPacket(greeting, "logging in");
    ByteReader in(greeting, "server greeting");
    if (in.u8() != 10) throw Error(ErrorCode::Unavailable, "the server speaks another protocol");
    in.nulTerminated();
    in.skip(4);
    const ByteView first = in.bytes(8);
    Bytes scramble(first.begin(), first.end());
    in.skip(1 + 2 + 1 + 2 + 2 + 1 + 10);
    const ByteView second = in.bytes(12);
    scramble.insert(scramble.end(), second.begin(), second.end());
    return scramble;
}

std::optional<std::string> lengthEncodedText(ByteReader& in) {
    const std::uint8_t first = in.u8();
    if (first == 0xfb) return std::nullopt;
    std::uint64_t size = first;
    if (first == 0xfc) size = in.u16();
    if (first == 0xfd) size = in.u24();
    if (first == 0xfe) size = in.u64();
    return std::string(textOf(in.bytes(size)));
}

}  // namespace

/// Where somebody looks after the account, an ordinary session finds out whether it works, and has it made good.
static const Endpoint& withGoodAccount(const Endpoint& endpoint) {
    if (guardOf(endpoint.socket, endpoint.user)) {
        Endpoint brief = endpoint;
        brief.statement_timeout = endpoint.connect_timeout;
        const SqlClient probe(brief);
    }
    return endpoint;
}

WireClient::WireClient(const Endpoint& endpoint, std::stop_token stop)
    : connection_(WireConnection::dial(withGoodAccount(endpoint)), std::move(stop)),
      answer_limit_(endpoint.connect_timeout) {
    login(endpoint);
    for (const std::string_view settings : kSessionSettings)
        query(settings);
}

void WireClient::login(const Endpoint& endpoint) {
    const Bytes scramble = scrambleOf(connection_.readMessage(answerDeadline()));
    const Bytes token = nativePasswordToken(endpoint.password, scramble);
    ByteWriter response;
    response.u32(kLongPassword | kLongFlag | kProtocol41 | kTransactions | kSecureConnection | kPluginAuth);
    response.u32(kMaxPacketSize).u8(kUtf8mb4).bytes(Bytes(23)).nulTerminated(endpoint.user);
    response.u8(static_cast<std::uint8_t>(token.size())).bytes(token).nulTerminated(kNativePassword);
    connection_.writeMessage(response.data());
    finishLogin(endpoint.password);
}

void WireClient::finishLogin(const std::string& password) {
    Bytes answer = connection_.readMessage(answerDeadline());
    if (!answer.empty() && answer[0] == 0xfe) {
        ByteReader in(answer, "authentication request");
        in.skip(1);
        const std::string_view plugin = in.nulTerminated();
        if (plugin != kNativePassword) {
            throw Error(ErrorCode::Denied,
                        fmt::format("the account wants {}; only {} is known", plugin, kNativePassword));
        }
        connection_.writeMessage(nativePasswordToken(password, in.bytes(20)));
        answer = connection_.readMessage(answerDeadline());
    }
    if (isErr(answer)) throwErrPacket(answer, "logging in");
    if (answer.empty() || answer[0] != 0) throw Error(ErrorCode::Denied, "the login was not understood");
}

std::optional<std::string> WireClient::query(std::string_view statement) {
    connection_.beginExchange();
    connection_.writeMessage(ByteWriter().u8(3).text(statement).data());
    const Bytes head = connection_.readMessage(answerDeadline());
    if (isErr(head)) throwErrPacket(head, std::string(statement.substr(0, 60)));
    if (head.empty() || head[0] == 0) return std::nullopt;
    while (!isEof(connection_.readMessage(answerDeadline()))) {
        // column definitions
    }
    std::optional<std::string> first;
    bool any = false;
    for (;;) {
        const Bytes row = connection_.readMessage(answerDeadline());
        if (isErr(row)) throwErrPacket(row, std::string(statement.substr(0, 60)));
        if (isEof(row)) return first;
        ByteReader in(row, "result row");
        if (!any) first = lengthEncodedText(in);
        any = true;
    }
}

void WireClient::command(ByteView payload) {
    connection_.beginExchange();
    connection_.writeMessage(payload);
    const Bytes answer = connection_.readMessage(answerDeadline());
    if (isErr(answer)) throwErrPacket(answer, "registering as a replica");
}

}  // namespace tidemark::mysql
