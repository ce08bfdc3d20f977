#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "mysql/packet.h"

/// The packets of a login. Payloads only, without frame. Every parser is bounded and throws Corrupt.
namespace tidemark::mysql {

constexpr std::size_t kScrambleSize = 20;

/// Protocol::HandshakeV10, the server's first packet.
struct Greeting {
    std::string version;  ///< as sent, "5.5.5-10.11.19-MariaDB…"
    std::uint32_t thread_id = 0;
    Bytes scramble;  ///< kScrambleSize bytes without NUL
    Capabilities capabilities;
    std::uint8_t charset = 0;
    std::uint16_t status = 0;
    std::string plugin;
};

Bytes buildGreeting(const Greeting& greeting);
Greeting parseGreeting(ByteView payload);

/// Bytes for a challenge: random, 7 bits, no NUL.
Bytes makeScramble();

/// Protocol::HandshakeResponse41, the client's answer. `capabilities` is what the client sent, whatever was offered.
struct HandshakeResponse {
    Capabilities capabilities;
    std::uint32_t max_packet = 0;
    std::uint8_t charset = 0;
    std::array<std::uint8_t, 19> filler{};
    std::string user;
    Bytes auth;
    std::optional<std::string> database;
    std::string plugin;
    Bytes attributes;  ///< the encoded connection attributes, without the length before them
};

/// The layout follows the bits that were `offered` as well as sent, as a server reads it.
/// Throws Corrupt; InvalidRequest for a client older than MySQL 4.1 and for a request to switch to TLS.
HandshakeResponse parseHandshakeResponse(ByteView payload, const Capabilities& offered);
/// The layout follows response.capabilities.
Bytes buildHandshakeResponse(const HandshakeResponse& response);

/// COM_CHANGE_USER's payload after the command byte.
struct ChangeUser {
    std::string user;
    Bytes auth;
    std::string database;
    Bytes rest;  ///< charset, plugin and attributes, still encoded
};

ChangeUser parseChangeUser(ByteView payload, const Capabilities& agreed);
/// With the command byte. `plugin` replaces the client's, and `auth` is sent as given.
Bytes buildChangeUser(const ChangeUser& request, const std::string& plugin, const Capabilities& agreed);

}  // namespace tidemark::mysql
