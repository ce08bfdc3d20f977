#include "mysql/handshake.h"

#include "base/error.h"
#include "base/random.h"

namespace tidemark::mysql {
namespace {

constexpr std::size_t kFirstScramblePart = 8;
/// Offset of MariaDB's extended bits in the response; before it, the 19 bytes of filler start at 9.
constexpr std::size_t kResponseFixedSize = 32;

Bytes toBytes(ByteView view) {
    return {view.begin(), view.end()};
}

Bytes readAuth(ByteReader& reader, const Capabilities& agreed) {
    if (agreed.has(capability::kPluginAuthLenenc)) return toBytes(reader.bytes(readLenenc(reader)));
    if (agreed.has(capability::kSecureConnection)) return toBytes(reader.bytes(reader.u8()));
    return toBytes(viewOf(reader.nulTerminated()));
}

/// Some clients leave out the last NUL of the packet.
std::string readLastText(ByteReader& reader) {
    const std::string_view rest = textOf(reader.rest());
    if (rest.find('\0') != std::string_view::npos) return std::string(reader.nulTerminated());
    reader.skip(rest.size());
    return std::string(rest);
}

}  // namespace

Bytes makeScramble() {
    Bytes scramble = randomBytes(kScrambleSize);
    for (std::uint8_t& byte : scramble)
        byte = static_cast<std::uint8_t>(1 + byte % 127);
    return scramble;
}

Bytes buildGreeting(const Greeting& greeting) {
    const ByteView scramble = greeting.scramble;
    ByteWriter writer;
    writer.u8(10).nulTerminated(greeting.version).u32(greeting.thread_id);
    writer.bytes(scramble.first(kFirstScramblePart)).u8(0);
    writer.u16(static_cast<std::uint16_t>(greeting.capabilities.basic)).u8(greeting.charset).u16(greeting.status);
    writer.u16(static_cast<std::uint16_t>(greeting.capabilities.basic >> 16)).u8(kScrambleSize + 1);
    writer.u32(0).u16(0).u32(greeting.capabilities.extended);
    writer.bytes(scramble.subspan(kFirstScramblePart)).u8(0).nulTerminated(greeting.plugin);
    return writer.take();
}

Greeting parseGreeting(ByteView payload) {
    ByteReader reader(payload, "server greeting");
    if (const int version = reader.u8(); version != 10) {
        throw Error(ErrorCode::Corrupt, "server greeting: protocol version " + std::to_string(version) + ", not 10");
    }
    Greeting greeting;
    greeting.version = reader.nulTerminated();
    greeting.thread_id = reader.u32();
    greeting.scramble = toBytes(reader.bytes(kFirstScramblePart));
    reader.skip(1);
    greeting.capabilities.basic = reader.u16();
    greeting.charset = reader.u8();
    greeting.status = reader.u16();
    greeting.capabilities.basic |= static_cast<std::uint32_t>(reader.u16()) << 16;
    reader.skip(1 + 6);
    const std::uint32_t extended = reader.u32();
    if (!greeting.capabilities.has(capability::kMysql)) greeting.capabilities.extended = extended;
    const ByteView rest = reader.bytes(kScrambleSize - kFirstScramblePart);
    greeting.scramble.insert(greeting.scramble.end(), rest.begin(), rest.end());
    reader.skip(1);
    if (greeting.capabilities.has(capability::kPluginAuth)) greeting.plugin = readLastText(reader);
    return greeting;
}

HandshakeResponse parseHandshakeResponse(ByteView payload, const Capabilities& offered) {
    ByteReader reader(payload, "login packet");
    HandshakeResponse response;
    response.capabilities.basic = reader.u32();
    if (!response.capabilities.has(capability::kProtocol41)) {
        throw Error(ErrorCode::InvalidRequest, "the client speaks a protocol older than MySQL 4.1",
                    "use a newer client");
    }
    if (payload.size() == kResponseFixedSize && response.capabilities.has(capability::kSsl)) {
        throw Error(ErrorCode::InvalidRequest, "the client asks for TLS, which was not offered",
                    "switch TLS off in the client");
    }
    const Capabilities agreed{.basic = response.capabilities.basic & offered.basic};
    response.max_packet = reader.u32();
    response.charset = reader.u8();
    const ByteView filler = reader.bytes(response.filler.size());
    std::copy(filler.begin(), filler.end(), response.filler.begin());
    const std::uint32_t extended = reader.u32();
    if (!response.capabilities.has(capability::kMysql)) response.capabilities.extended = extended;
    response.user = reader.nulTerminated();
    response.auth = readAuth(reader, agreed);
    if (agreed.has(capability::kConnectWithDb) && !reader.atEnd()) response.database = readLastText(reader);
    if (agreed.has(capability::kPluginAuth) && !reader.atEnd()) response.plugin = readLastText(reader);
    if (agreed.has(capability::kConnectAttributes) && !reader.atEnd()) {
        response.attributes = toBytes(viewOf(readLenencString(reader)));
    }
    return response;
}

Bytes buildHandshakeResponse(const HandshakeResponse& response) {
    const Capabilities& bits = response.capabilities;
    ByteWriter writer;
    writer.u32(bits.basic).u32(response.max_packet).u8(response.charset).bytes(response.filler);
    writer.u32(bits.extended).nulTerminated(response.user);
    if (bits.has(capability::kPluginAuthLenenc)) {
        writeLenencString(writer, textOf(response.auth));
    } else if (bits.has(capability::kSecureConnection)) {
        if (response.auth.size() > 255) throw Error(ErrorCode::Corrupt, "login packet: over 255 bytes of proof");
        writer.u8(static_cast<std::uint8_t>(response.auth.size())).bytes(response.auth);
    } else {
        writer.bytes(response.auth).u8(0);
    }
    if (bits.has(capability::kConnectWithDb)) writer.nulTerminated(response.database.value_or(""));
    if (bits.has(capability::kPluginAuth)) writer.nulTerminated(response.plugin);
    if (bits.has(capability::kConnectAttributes)) writeLenencString(writer, textOf(response.attributes));
    return writer.take();
}

ChangeUser parseChangeUser(ByteView payload, const Capabilities& agreed) {
    ByteReader reader(payload, "COM_CHANGE_USER");
    ChangeUser request;
    request.user = reader.nulTerminated();
    if (agreed.has(capability::kSecureConnection)) {
        request.auth = toBytes(reader.bytes(reader.u8()));
    } else {
        request.auth = toBytes(viewOf(reader.nulTerminated()));
    }
    request.database = readLastText(reader);
    request.rest = toBytes(reader.rest());
    return request;
}

Bytes buildChangeUser(const ChangeUser& request, const std::string& plugin, const Capabilities& agreed) {
    ByteWriter writer;
    writer.u8(static_cast<std::uint8_t>(Command::ChangeUser)).nulTerminated(request.user);
    if (agreed.has(capability::kSecureConnection)) {
        if (request.auth.size() > 255) throw Error(ErrorCode::Corrupt, "COM_CHANGE_USER: over 255 bytes of proof");
        writer.u8(static_cast<std::uint8_t>(request.auth.size())).bytes(request.auth);
    } else {
        writer.bytes(request.auth).u8(0);
    }
    writer.nulTerminated(request.database);
    ByteReader rest(request.rest, "COM_CHANGE_USER");
    if (rest.atEnd()) return writer.take();
    writer.u16(rest.u16());
    if (!agreed.has(capability::kPluginAuth) || rest.atEnd()) return writer.bytes(rest.rest()).take();
    readLastText(rest);
    writer.nulTerminated(plugin).bytes(rest.rest());
    return writer.take();
}

}  // namespace tidemark::mysql
