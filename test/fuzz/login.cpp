#include "front/login_name.h"
#include "fuzz.h"
#include "mysql/handshake.h"

namespace tidemark::fuzz {
namespace {

using namespace mysql;

constexpr std::uint32_t kOffered = capability::kProtocol41 | capability::kConnectWithDb |
                                   capability::kSecureConnection | capability::kPluginAuth |
                                   capability::kConnectAttributes | capability::kPluginAuthLenenc;

void response(ByteView payload, std::uint32_t offered) {
    HandshakeResponse first = parseHandshakeResponse(payload, {.basic = offered});
    requireThat(first.user.size() + first.auth.size() + first.attributes.size() <= payload.size(),
                "a login holds no more than was sent");
    // What we send on has the layout of what both sides have, as Login::agree makes it.
    const bool as_mysql = first.capabilities.has(capability::kMysql);
    first.capabilities.basic &= offered | capability::kProtocol41;
    if (as_mysql) first.capabilities.basic |= capability::kMysql;
    if (!first.capabilities.has(capability::kPluginAuthLenenc) && first.auth.size() > 255) return;
    const HandshakeResponse again =
        promised([&] { return parseHandshakeResponse(buildHandshakeResponse(first), first.capabilities); });
    requireThat(again.user == first.user && again.auth == first.auth && again.plugin == first.plugin &&
                    again.attributes == first.attributes && again.database.value_or("") == first.database.value_or(""),
                "a login reads as it was written");
}

/// One of any parts reads as it was written.
void written(ByteView input) {
    Choices choices(input);
    HandshakeResponse login;
    login.capabilities.basic = choices.number() | capability::kProtocol41;
    const auto text = [&] {
        const std::string part(textOf(choices.part()));
        return part.substr(0, part.find('\0'));
    };
    login.user = text();
    const ByteView auth = choices.part();
    login.auth.assign(auth.begin(), auth.end());
    if (!login.capabilities.has(capability::kPluginAuthLenenc | capability::kSecureConnection)) login.auth.clear();
    if (login.capabilities.has(capability::kConnectWithDb)) login.database = text();
    if (login.capabilities.has(capability::kPluginAuth)) login.plugin = text();
    if (login.capabilities.has(capability::kConnectAttributes)) {
        const ByteView attributes = choices.longPart();
        login.attributes.assign(attributes.begin(), attributes.end());
    }
    const Bytes built = buildHandshakeResponse(login);
    if (built.size() == 32) return;  // what asks for TLS has this size
    const HandshakeResponse read = promised([&] { return parseHandshakeResponse(built, login.capabilities); });
    requireThat(read.user == login.user && read.auth == login.auth && read.database == login.database &&
                    read.plugin == login.plugin && read.attributes == login.attributes,
                "a login of any parts reads as it was written");
}

void changeUser(ByteView payload, std::uint32_t agreed) {
    const Capabilities bits{.basic = agreed};
    const ChangeUser first = parseChangeUser(payload, bits);
    const Bytes built = buildChangeUser(first, "a_plugin", bits);
    const ChangeUser again = parseChangeUser(ByteView(built).subspan(1), bits);
    requireThat(again.user == first.user && again.auth == first.auth && again.database == first.database,
                "COM_CHANGE_USER reads as it was written");
}

void greeting(ByteView payload) {
    const Greeting first = parseGreeting(payload);
    requireThat(first.scramble.size() == kScrambleSize, "a challenge has its size");
    const Greeting again = promised([&] { return parseGreeting(buildGreeting(first)); });
    requireThat(again.version == first.version && again.thread_id == first.thread_id &&
                    again.scramble == first.scramble && again.capabilities.basic == first.capabilities.basic &&
                    again.capabilities.extended == first.capabilities.extended && again.plugin == first.plugin,
                "a greeting reads as it was written");
}

void name(const std::string& text) {
    const front::LoginName login = front::splitLoginName(text);
    requireThat(login.user.size() + login.tenant.size() <= text.size() + 3, "a name is not longer than what was sent");
    front::isReservedUser(login.user);
    front::defaultDatabase(front::userInTenant(login.user, true), true);
}

void runLogin(ByteView input) {
    Choices choices(input);
    switch (choices.byte() % 5) {
        case 0:
            return response(choices.rest(), kOffered);
        case 1:
            return response(choices.rest().subspan(std::min<std::size_t>(4, choices.rest().size())), choices.number());
        case 2:
            return changeUser(choices.rest(), kOffered);
        case 4:
            return written(choices.rest());
        default:
            greeting(choices.rest());
            name(choices.text());
    }
}

Bytes chosen(std::uint8_t way, ByteView payload) {
    return ByteWriter().u8(way).bytes(payload).take();
}

std::vector<Bytes> loginSeeds() {
    HandshakeResponse login;
    login.capabilities.basic = kOffered;
    login.max_packet = 1 << 24;
    login.user = "root@shop#tidemark";
    login.auth = Bytes(20, 'x');
    login.database = "orders";
    login.plugin = "mysql_native_password";
    login.attributes = ByteWriter().u8(4).text("_pid").u8(2).text("17").take();
    Greeting hello{.version = "5.5.5-10.11.14-MariaDB",
                   .thread_id = 7,
                   .scramble = makeScramble(),
                   .capabilities = {.basic = kOffered, .extended = 4},
                   .plugin = "mysql_native_password"};
    ChangeUser change{.user = "app", .auth = Bytes(20, 'y'), .database = "d", .rest = bytesOf({"\x2d\0plugin\0", 9})};
    const Bytes change_packet = buildChangeUser(change, "p", {.basic = kOffered});
    return {chosen(0, buildHandshakeResponse(login)), chosen(2, ByteView(change_packet).subspan(1)),
            chosen(3, buildGreeting(hello)), chosen(3, viewOf("'tidemark'@sys#c")),
            chosen(4, ByteWriter()
                          .u8(0)
                          .u8(0x0a)
                          .u8(0x80)
                          .u8(8)
                          .string("root")
                          .u8(200)
                          .text(std::string(200, 'p'))
                          .string("db")
                          .string("plugin")
                          .data())};
}

const Registered registered_login({"login", runLogin, loginSeeds});

}  // namespace
}  // namespace tidemark::fuzz
