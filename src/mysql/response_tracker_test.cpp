#include "mysql/response_tracker.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

#include "base/error.h"
#include "base/random.h"
#include "mysql/reply.h"
#include "testing/source_directory.h"

namespace tidemark::mysql {
namespace {

struct Captured {
    Capabilities agreed;
    Command command = Command::Sleep;
    std::string label;
    Bytes bytes;
};

std::vector<Captured> capturedResponses() {
    std::ifstream file(testing::sourceDirectory() / "testdata/mysql/responses.txt");
    std::vector<Captured> all;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("#")) continue;
        std::istringstream fields(line);
        Captured one;
        unsigned command = 0;
        std::string hex;
        fields >> std::hex >> one.agreed.basic >> one.agreed.extended >> command >> one.label >> hex;
        one.command = static_cast<Command>(command);
        for (std::size_t i = 0; i < hex.size(); i += 2) {
            one.bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
        }
        all.push_back(one);
    }
    return all;
}

/// A capability set whose responses have no optional parts.
constexpr Capabilities kPlain{.basic = capability::kProtocol41};

ResponseTracker fed(const Captured& captured, std::size_t piece) {
    ResponseTracker tracker(captured.agreed);
    tracker.begin(captured.command);
    for (std::size_t at = 0; at < captured.bytes.size(); at += piece) {
        EXPECT_FALSE(tracker.complete()) << captured.label << ": complete " << captured.bytes.size() - at
                                         << " bytes early";
        const ByteView part = ByteView(captured.bytes).subspan(at, std::min(piece, captured.bytes.size() - at));
        EXPECT_EQ(tracker.feed(part), part.size());
    }
    return tracker;
}

TEST(ResponseTracker, KnowsTheEndOfEveryCapturedResponseInPiecesOfAnySize) {
    const auto all = capturedResponses();
    ASSERT_EQ(all.size(), 144U);
    for (const Captured& captured : all) {
        SCOPED_TRACE(captured.label + " with capabilities " + std::to_string(captured.agreed.basic));
        for (const std::size_t piece : {1U, 2U, 3U, 7U, 64U, 100'000U}) {
            const ResponseTracker tracker = fed(captured, piece);
            EXPECT_EQ(tracker.complete(), captured.label != "file-request");
            EXPECT_EQ(tracker.wantsFile(), captured.label == "file-request");
            EXPECT_EQ(tracker.failed(),
                      captured.label.find("error") != std::string::npos || captured.label == "unknown");
            EXPECT_TRUE(tracker.atPacketBoundary());
        }
    }
}

TEST(ResponseTracker, LeavesWhatFollowsTheResponse) {
    for (Captured captured : capturedResponses()) {
        const std::size_t size = captured.bytes.size();
        captured.bytes.resize(size + 50, 0x01);
        ResponseTracker tracker(captured.agreed);
        tracker.begin(captured.command);
        EXPECT_EQ(tracker.feed(captured.bytes), size) << captured.label;
    }
}

TEST(ResponseTracker, ReportsTheFlagsOfTheSession) {
    for (const Captured& captured : capturedResponses()) {
        const ResponseTracker tracker = fed(captured, 1000);
        if (captured.label == "transaction") {
            EXPECT_EQ(tracker.status(), status::kInTransaction | status::kAutocommit);
        } else if (captured.label == "rollback") {
            EXPECT_EQ(tracker.status(), status::kAutocommit);
        } else if (captured.label == "fetch-some") {
            EXPECT_NE(tracker.status() & status::kCursorExists, 0);
        }
    }
}

TEST(ResponseTracker, GoesOnAfterTheFile) {
    ResponseTracker tracker(kPlain);
    tracker.begin(Command::Query);
    const Bytes request = packet(1, viewOf("\xfb/tmp/f"));
    EXPECT_EQ(tracker.feed(request), request.size());
    ASSERT_TRUE(tracker.wantsFile());
    tracker.fileSent(41);
    EXPECT_FALSE(tracker.complete());
    EXPECT_EQ(tracker.nextSequence(), 42);
    tracker.feed(okReply({.agreed = kPlain, .sequence = 42}, 7));
    EXPECT_TRUE(tracker.complete());
}

TEST(ResponseTracker, TakesProgressReportsForWhatTheyAre) {
    const Bytes report = packet(1, ByteWriter()
                                       .u8(0xff)
                                       .u16(0xffff)
                                       .u8(1)
                                       .u8(1)
                                       .u8(2)
                                       .u24(500)
                                       .text("\x04"
                                             "copy")
                                       .data());
    Capabilities agreed = kPlain;
    ResponseTracker deaf(agreed);
    deaf.begin(Command::Query);
    deaf.feed(report);
    EXPECT_TRUE(deaf.complete()) << "a client that does not know progress reports takes it for an error";
    agreed.extended = extended::kProgress;
    ResponseTracker tracker(agreed);
    tracker.begin(Command::Query);
    for (int i = 0; i < 3; ++i)
        tracker.feed(report);
    EXPECT_FALSE(tracker.complete());
    tracker.feed(okReply({.agreed = agreed, .sequence = 4}));
    EXPECT_TRUE(tracker.complete());
    EXPECT_FALSE(tracker.failed());
}

TEST(ResponseTracker, FollowsRowsOverSixteenMebibytes) {
    // The row's continuation starts with bytes that would be an EOF and an ERR packet.
    PacketWriter packets(1);
    packets.add(Bytes{1});
    packets.add(
        viewOf("\x03"
               "def definition"));
    packets.add(ByteWriter().u8(0xfe).u16(0).u16(2).data());
    Bytes row(2UL * kMaxPayload + 5, 0xff);
    row[0] = 0xfe;  // a value with an 8-byte length
    row[kMaxPayload] = 0xfe;
    packets.add(row);
    packets.add(Bytes(kMaxPayload, 0xfe));  // continued by an empty packet
    packets.add(ByteWriter().u8(0xfe).u16(0).u16(2).data());
    for (const std::size_t piece : {65536UL, 1000003UL, 1UL << 30}) {
        ResponseTracker tracker(kPlain);
        tracker.begin(Command::Query);
        for (ByteView rest = packets.data(); !rest.empty(); rest = rest.subspan(std::min(piece, rest.size()))) {
            ASSERT_FALSE(tracker.complete());
            tracker.feed(rest.first(std::min(piece, rest.size())));
        }
        EXPECT_TRUE(tracker.complete());
    }
}

TEST(ResponseTracker, ExpectsNothingAfterCommandsWithoutAnswer) {
    for (const Command command : {Command::Quit, Command::StmtClose, Command::StmtSendLongData}) {
        ResponseTracker tracker(kPlain);
        tracker.begin(command);
        EXPECT_TRUE(tracker.complete());
    }
}

TEST(ResponseTracker, NumbersThePacketThatWouldComeNext) {
    ResponseTracker tracker(kPlain);
    tracker.begin(Command::Query, 2);  // a query that took three packets
    EXPECT_EQ(tracker.nextSequence(), 3);
    tracker.feed(packet(3, Bytes{1}));
    EXPECT_EQ(tracker.nextSequence(), 4);
    tracker.feed(Bytes{9, 0});
    EXPECT_FALSE(tracker.atPacketBoundary());
}

/// Damaged responses: the end is found or not, or they are refused; the answer does not depend on how they were cut.
TEST(ResponseTracker, JudgesMutatedResponsesTheSameHoweverTheyAreCut) {
    const std::uint32_t seed = randomU32();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto all = capturedResponses();
    const auto outcome = [](const Captured& captured, const Bytes& bytes, std::size_t piece) {
        ResponseTracker tracker(captured.agreed);
        tracker.begin(captured.command);
        std::size_t used = 0;
        try {
            while (used < bytes.size() && !tracker.complete() && !tracker.wantsFile()) {
                used += tracker.feed(ByteView(bytes).subspan(used, std::min(piece, bytes.size() - used)));
            }
        } catch (const Error&) {
            return std::string("refused");
        }
        return std::to_string(used) + (tracker.complete() ? " complete" : "") + std::to_string(tracker.status());
    };
    for (int round = 0; round < 8000; ++round) {
        const Captured& captured = all[random() % all.size()];
        Bytes bytes = captured.bytes;
        for (unsigned i = 1 + random() % 4; i > 0; --i) {
            // Mostly the steering bytes: lengths low and first bytes; a random length would just eat the rest.
            bytes[random() % bytes.size()] =
                static_cast<std::uint8_t>(random() % 3 == 0 ? 0xfb + random() % 5 : random() % 12);
        }
        EXPECT_EQ(outcome(captured, bytes, 1 << 20), outcome(captured, bytes, 1 + random() % 9)) << captured.label;
    }
}

}  // namespace
}  // namespace tidemark::mysql
