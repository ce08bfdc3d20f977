#include "mysql/handshake.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "base/random.h"

namespace tidemark::mysql {
namespace {

constexpr std::uint32_t kOffered = 0x81fff7fe & ~capability::kCompress;

Greeting greeting() {
    return {.version = "5.5.5-10.11.19-MariaDB",
            .thread_id = 0x40000001,
            .scramble = makeScramble(),
            .capabilities = {.basic = kOffered, .extended = 0x1d},
            .charset = 45,
            .status = 2,
            .plugin = "mysql_native_password"};
}

HandshakeResponse response() {
    return {.capabilities = {.basic = kOffered & ~capability::kMysql, .extended = 0x1d},
            .max_packet = 1U << 24,
            .charset = 45,
            .user = "bob@example.com@acme#c1",
            .auth = Bytes(20, 9),
            .database = "shop",
            .plugin = "mysql_native_password",
            .attributes = {3, 'k', 'e', 'y', 1, 'v'}};
}

TEST(Handshake, GreetingReadsBack) {
    const Greeting sent = greeting();
    const Greeting read = parseGreeting(buildGreeting(sent));
    EXPECT_EQ(read.version, sent.version);
    EXPECT_EQ(read.thread_id, sent.thread_id);
    EXPECT_EQ(read.scramble, sent.scramble);
    EXPECT_EQ(read.capabilities.basic, sent.capabilities.basic);
    EXPECT_EQ(read.capabilities.extended, sent.capabilities.extended);
    EXPECT_EQ(read.charset, sent.charset);
    EXPECT_EQ(read.plugin, sent.plugin);
}

TEST(Handshake, ChallengeHasNoZeroByte) {
    for (int i = 0; i < 100; ++i) {
        const Bytes scramble = makeScramble();
        EXPECT_EQ(scramble.size(), kScrambleSize);
        for (const auto byte : scramble)
            EXPECT_TRUE(byte > 0 && byte < 128);
    }
}

TEST(Handshake, ResponseReadsBackWhateverProofLayoutWasAgreed) {
    for (const std::uint32_t without :
         {0U, capability::kPluginAuthLenenc, capability::kPluginAuthLenenc | capability::kSecureConnection}) {
        HandshakeResponse sent = response();
        sent.capabilities.basic &= ~without;
        const HandshakeResponse read = parseHandshakeResponse(buildHandshakeResponse(sent), {.basic = kOffered});
        EXPECT_EQ(read.user, sent.user);
        EXPECT_EQ(read.auth, sent.auth);
        EXPECT_EQ(read.database, sent.database);
        EXPECT_EQ(read.plugin, sent.plugin);
        EXPECT_EQ(read.attributes, sent.attributes);
        EXPECT_EQ(read.capabilities.extended, 0x1dU);
    }
}

TEST(Handshake, IgnoresExtendedBitsOfAClientThatIsNoMariaDb) {
    HandshakeResponse sent = response();
    sent.capabilities.basic |= capability::kMysql;
    EXPECT_EQ(parseHandshakeResponse(buildHandshakeResponse(sent), {.basic = kOffered}).capabilities.extended, 0U);
}

TEST(Handshake, ReadsALastTextWithoutItsZero) {
    HandshakeResponse sent = response();
    sent.capabilities.basic &= ~capability::kConnectAttributes;
    Bytes payload = buildHandshakeResponse(sent);
    payload.pop_back();
    EXPECT_EQ(parseHandshakeResponse(payload, {.basic = kOffered}).plugin, "mysql_native_password");
}

TEST(Handshake, RefusesOldClientsAndUnofferedTls) {
    HandshakeResponse old = response();
    old.capabilities.basic &= ~capability::kProtocol41;
    EXPECT_THROW(parseHandshakeResponse(buildHandshakeResponse(old), {.basic = kOffered}), Error);
    const Bytes tls = ByteWriter().u32(kOffered | capability::kSsl).u32(0).bytes(Bytes(24, 0)).take();
    try {
        parseHandshakeResponse(tls, {.basic = kOffered});
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::InvalidRequest);
    }
}

TEST(Handshake, ChangeUserKeepsWhatItNeedNotKnow) {
    const Capabilities agreed{.basic = kOffered};
    const Bytes attributes{6, 3, 'k', 'e', 'y', 1, 'v'};
    const Bytes sent = ByteWriter()
                           .nulTerminated("ann@acme")
                           .u8(3)
                           .text("pwd")
                           .nulTerminated("shop")
                           .u16(45)
                           .nulTerminated("client_ed25519")
                           .bytes(attributes)
                           .take();
    ChangeUser request = parseChangeUser(sent, agreed);
    EXPECT_EQ(request.user, "ann@acme");
    request.user = "ann";
    request.auth.clear();
    const Bytes built = buildChangeUser(request, "none", agreed);
    const Bytes expected = ByteWriter()
                               .u8(0x11)
                               .nulTerminated("ann")
                               .u8(0)
                               .nulTerminated("shop")
                               .u16(45)
                               .nulTerminated("none")
                               .bytes(attributes)
                               .take();
    EXPECT_EQ(built, expected);
}

/// Flips, drops and adds bytes; whatever comes out is parsed or refused, nothing else.
TEST(Handshake, SurvivesMutatedPackets) {
    const std::uint32_t seed = randomU32();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const Capabilities offered{.basic = kOffered};
    const std::vector<Bytes> originals{buildGreeting(greeting()), buildHandshakeResponse(response()),
                                       buildChangeUser({.user = "u", .rest = {45, 0, 'p', 0, 1}}, "p", offered)};
    for (int round = 0; round < 6000; ++round) {
        Bytes bytes = originals[round % originals.size()];
        for (unsigned i = random() % 4; i > 0; --i)
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        if (random() % 3 == 0) bytes.resize(random() % (bytes.size() + 1));
        try {
            switch (round % 3) {
                case 0:
                    parseGreeting(bytes);
                    break;
                case 1:
                    buildHandshakeResponse(parseHandshakeResponse(bytes, offered));
                    break;
                default:
                    buildChangeUser(parseChangeUser(bytes, offered), "none", offered);
            }
        } catch (const Error&) {
            continue;
        }
    }
}

}  // namespace
}  // namespace tidemark::mysql
