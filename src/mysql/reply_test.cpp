#include "mysql/reply.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <thread>

#include "base/random.h"
#include "mysql/response_tracker.h"

namespace tidemark::mysql {
namespace {

std::vector<Capabilities> clients() {
    return {
        {.basic = capability::kProtocol41},
        {.basic = capability::kProtocol41 | capability::kDeprecateEof | capability::kSessionTrack},
        {.basic = capability::kProtocol41, .extended = 0x1d},
        {.basic = capability::kProtocol41 | capability::kDeprecateEof, .extended = 0x1c},
    };
}

bool isWhole(const Bytes& reply, const Capabilities& agreed, Command command) {
    ResponseTracker tracker(agreed);
    tracker.begin(command);
    return tracker.feed(reply) == reply.size() && tracker.complete();
}

TEST(Reply, ResultsAreWholeResponsesForEveryClient) {
    const std::vector<TextRow> rows{{"1", std::nullopt, std::string(70'000, 'x')}, {std::nullopt, "", "z"}};
    for (const Capabilities& agreed : clients()) {
        const ReplyStyle style{.agreed = agreed};
        const Bytes text = resultReply(style, {"a", "b", "c"}, rows, RowFormat::Text);
        EXPECT_TRUE(isWhole(text, agreed, Command::Query));
        EXPECT_EQ(parseTextResponse(text, agreed), rows);
        EXPECT_TRUE(
            isWhole(resultReply(style, {"a", "b", "c"}, rows, RowFormat::Binary), agreed, Command::StmtExecute));
        EXPECT_TRUE(isWhole(okReply(style, 300), agreed, Command::Query));
        EXPECT_TRUE(isWhole(preparedReply(style, 0x80000000, 3), agreed, Command::StmtPrepare));
        EXPECT_TRUE(isWhole(preparedReply(style, 0x80000000, 0), agreed, Command::StmtPrepare));
        EXPECT_TRUE(isWhole(errorReply(1, {1064, "42000"}, "no"), agreed, Command::Query));
    }
}

TEST(Reply, OkCarriesTheSessionsFlags) {
    for (const Capabilities& agreed : clients()) {
        const ReplyStyle style{.agreed = agreed, .status = status::kInTransaction | status::kNoBackslashEscapes};
        ResponseTracker tracker(agreed);
        tracker.begin(Command::Query);
        tracker.feed(okReply(style));
        EXPECT_EQ(tracker.status(), style.status);
    }
}

TEST(Reply, ErrorReadsBack) {
    const Bytes reply = errorReply(1, {8001, "08004"}, "Server is initializing");
    const Error error = parseError(ByteView(reply).subspan(kHeaderSize));
    EXPECT_EQ(error.sql()->number, 8001);
    EXPECT_EQ(error.sql()->sqlstate, "08004");
    EXPECT_STREQ(error.what(), "Server is initializing");
}

TEST(Reply, AnErrorOutlivesTheThreadThatReadIt) {
    const Bytes reply = errorReply(1, {1317, "70100"}, "Query execution was interrupted");
    std::optional<Error> error;
    std::thread([&] { error = parseError(ByteView(reply).subspan(kHeaderSize)); }).join();
    // Takes the memory that the first thread has given back.
    std::thread([] {
        std::vector<std::string> noise;
        for (std::size_t size = 16; size < 512; ++size)
            noise.emplace_back(size, 'x');
    }).join();
    EXPECT_EQ(error->sql()->sqlstate, std::string("70100"));
}

TEST(Reply, ParserThrowsTheServersError) {
    const Capabilities agreed = clients()[0];
    EXPECT_THROW(parseTextResponse(errorReply(1, {1146, "42S02"}, "no table"), agreed), Error);
    EXPECT_TRUE(parseTextResponse(okReply({.agreed = agreed}), agreed).empty());
}

TEST(Reply, ParserSurvivesMutatedResponses) {
    const std::uint32_t seed = randomU32();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto known = clients();
    for (int round = 0; round < 4000; ++round) {
        const Capabilities& agreed = known[random() % known.size()];
        Bytes bytes =
            resultReply({.agreed = agreed}, {"a", "b"}, {{"1", std::nullopt}, {"22", "333"}}, RowFormat::Text);
        for (unsigned i = random() % 4; i > 0; --i)
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        if (random() % 3 == 0) bytes.resize(random() % bytes.size());
        try {
            parseTextResponse(bytes, agreed);
        } catch (const Error&) {
            continue;
        }
    }
}

}  // namespace
}  // namespace tidemark::mysql
