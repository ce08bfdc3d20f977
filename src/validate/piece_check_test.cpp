#include "validate/piece_check.h"

#include <gtest/gtest.h>

#include <random>

#include "archive/round_writer.h"
#include "mysql/binlog_event.h"
#include "storage/memory_storage.h"

namespace tidemark::validate {
namespace {

using archive::PieceKey;
using catalog::FindingKind;
using catalog::Harm;
using storage::MemoryStorage;

constexpr Scn kSeconds = static_cast<Scn>(kSecond);
constexpr Scn kStart = 1'000 * kSeconds;
constexpr archive::RoundKey kRound{1001, 1};

Bytes formatEvent() {
    ByteWriter body;
    body.u16(4).bytes(Bytes(50, 'a')).u32(0).u8(19).bytes(Bytes(30, 1)).u8(1);
    ByteWriter event;
    event.u32(0).u8(15).u32(101).u32(static_cast<std::uint32_t>(19 + body.size() + 4)).u32(0).u16(0).bytes(body.data());
    return event.u32(0).take();
}

/// A round whose pieces take 10 s: transactions with these sequences, one a second, each in a segment of its own.
void writeRound(storage::Storage& storage, const std::vector<std::uint64_t>& sequences, bool closed) {
    archive::RoundWriter writer(storage, {kRound, 1002, 1, static_cast<Nanos>(10 * kSeconds)},
                                [] { return archive::RoundWriter::StartPoint{kStart, {}}; });
    writer.setFormat(formatEvent(), "a");
    Scn at = kStart;
    for (const std::uint64_t sequence : sequences) {
        at += kSeconds;
        writer.beginTransaction(at);
        for (int events = 0; events < 3; ++events)
            writer.append(mysql::makeHeartbeat(101, "binlog.000001", static_cast<std::uint32_t>(sequence)));
        archive::TransactionEntry entry;
        entry.gtid = {1002, 101, sequence};
        entry.scn = std::max(writer.lastScn() + 1, at);  // the first of a piece comes behind its begin
        writer.endTransaction(entry);
        writer.flush();
    }
    if (closed) writer.close("the test ends it");
    else writer.checkpoint(at + kSeconds / 2);
}

class PieceCheckTest : public ::testing::Test {
protected:
    ~PieceCheckTest() override {
        if (HasFailure()) ADD_FAILURE() << "seed " << seed_;
    }

    PieceCheckTest() {
        for (std::uint64_t n = 1; n <= 25; ++n)
            sequences_.push_back(n);
    }

    template <typename Check>
    std::vector<Finding> with(storage::Storage& storage, Check check) {
        CheckProgress progress;
        const Checking checking{.storage = storage, .lane = lane_, .progress = progress, .scratch = {}, .stop = {}};
        auto findings = check(checking);
        bytes_ += progress.bytes;
        objects_ += progress.objects;
        return findings;
    }

    /// All pieces, and the round.
    std::vector<Finding> checkAll(storage::Storage& storage, std::uint64_t pieces = 3, bool closed = true) {
        bytes_ = 0;
        objects_ = 0;
        std::vector<Finding> all = with(storage, [](const Checking& with) { return checkRound(with, kRound); });
        for (std::uint64_t number = 1; number <= pieces; ++number) {
            const bool last = number == pieces;
            const PieceToCheck piece{.key = {kRound.dest, kRound.round, number},
                                     .frozen = closed || !last,
                                     .last = last,
                                     .follows = number > 1,
                                     .start_scn = kStart + (number - 1) * 10 * kSeconds,
                                     .end_scn = kStart + (last ? 25 : number * 10) * kSeconds};
            for (Finding& finding :
                 with(storage, [&](const Checking& checking) { return PieceCheck(checking, piece).run(); }))
                all.push_back(std::move(finding));
        }
        return all;
    }

    static void copy(MemoryStorage& from, MemoryStorage& to, const storage::Key& key, const Bytes* instead) {
        for (const auto& object : from.list("")) {
            if (object.key != key) to.put(object.key, from.getAll(object.key));
            else if (instead != nullptr) to.put(key, *instead);
        }
    }

    static storage::Key segment(std::uint64_t piece, std::uint64_t id) {
        return archive::segmentKey({kRound.dest, kRound.round, piece}, id);
    }

    const unsigned seed_ = std::random_device()();
    std::mt19937 random_{seed_};
    block::WorkerPool pool_{2};
    block::Lane lane_{pool_};
    std::vector<std::uint64_t> sequences_;
    std::uint64_t bytes_ = 0;
    std::int64_t objects_ = 0;
};

TEST_F(PieceCheckTest, ReadsAllOfWhatIsWholeAndFindsNothing) {
    MemoryStorage storage;
    writeRound(storage, sequences_, true);
    ASSERT_EQ(storage.list(segment(1, 1).substr(0, segment(1, 1).rfind('/'))).size(), 9U) << "one a second, 10 s a piece";
    for (const Finding& finding : checkAll(storage))
        ADD_FAILURE() << finding.object << ": " << finding.what;
    std::uint64_t bytes = 0;
    for (const auto& object : storage.list(""))
        bytes += object.size;
    EXPECT_EQ(bytes_, bytes);
    EXPECT_EQ(objects_, static_cast<std::int64_t>(storage.list("").size()));
}

TEST_F(PieceCheckTest, FindsNothingInARoundThatGoesOn) {
    MemoryStorage storage;
    writeRound(storage, sequences_, false);
    for (const Finding& finding : checkAll(storage, 3, false))
        ADD_FAILURE() << finding.object << ": " << finding.what;
}

TEST_F(PieceCheckTest, FindsEveryBit) {
    for (const bool closed : {true, false}) {
        MemoryStorage whole;
        writeRound(whole, sequences_, closed);
        const auto objects = whole.list("");
        for (int i = 0; i < 300; ++i) {
            const storage::Key& key = objects[random_() % objects.size()].key;
            Bytes content = whole.getAll(key);
            const std::size_t at = random_() % content.size();
            content[at] ^= static_cast<std::uint8_t>(1 << random_() % 8);
            MemoryStorage harmed;
            copy(whole, harmed, key, &content);
            const auto findings = checkAll(harmed, 3, closed);
            ASSERT_EQ(findings.size(), 1U) << key << " byte " << at;
            EXPECT_EQ(findings[0].object, harmed.url() + "/" + key) << "byte " << at << ": " << findings[0].what;
            // A bit of a version makes it a newer one.
            EXPECT_TRUE(findings[0].kind == FindingKind::Damaged || findings[0].kind == FindingKind::NewerVersion)
                << findings[0].what;
        }
    }
}

TEST_F(PieceCheckTest, SaysWhichLogIsMissing) {
    MemoryStorage whole;
    writeRound(whole, sequences_, true);
    MemoryStorage one;
    copy(whole, one, segment(2, 4), nullptr);
    auto findings = checkAll(one);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, FindingKind::Missing);
    EXPECT_EQ(findings[0].harm, Harm::Log);
    // Of piece 2 segments 1, 2, 3 … are of the seconds 10, 11, 12 …
    EXPECT_EQ(findings[0].harm_from, kStart + 12 * kSeconds);
    EXPECT_EQ(findings[0].harm_to, kStart + 13 * kSeconds);

    MemoryStorage three;
    copy(whole, three, segment(2, 4), nullptr);
    for (const std::uint64_t id : {5U, 6U})
        three.remove(segment(2, id));
    findings = checkAll(three);
    ASSERT_EQ(findings.size(), 1U) << "neighbours are one finding";
    EXPECT_EQ(findings[0].what, "it and the 2 segments behind it do not exist");
    EXPECT_EQ(findings[0].harm_to, kStart + 15 * kSeconds);

    MemoryStorage last;
    copy(whole, last, segment(1, 9), nullptr);
    findings = checkAll(last);
    ASSERT_EQ(findings.size(), 1U) << "at the end of a piece";
    EXPECT_EQ(findings[0].harm_from, kStart + 8 * kSeconds);
}

TEST_F(PieceCheckTest, MissesTheLastSegmentOfAnOpenPiece) {
    MemoryStorage whole;
    writeRound(whole, sequences_, false);
    MemoryStorage without;
    copy(whole, without, segment(3, 6), nullptr);
    const auto findings = checkAll(without, 3, false);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].object, without.url() + "/" + segment(3, 6));
    EXPECT_EQ(findings[0].kind, FindingKind::Missing);
}

TEST_F(PieceCheckTest, FindsAGapBetweenWholeSegments) {
    MemoryStorage whole;
    writeRound(whole, sequences_, true);
    MemoryStorage other;
    std::vector<std::uint64_t> others = sequences_;
    others[2] = 300;  // the third transaction is another one; those behind it follow it
    for (std::size_t i = 3; i < others.size(); ++i)
        others[i] = 300 + i;
    writeRound(other, others, true);
    const Bytes third = other.getAll(segment(1, 3));
    MemoryStorage mixed;
    copy(whole, mixed, segment(1, 3), &third);
    const auto findings = checkAll(mixed);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, FindingKind::Gap);
    EXPECT_EQ(findings[0].object, mixed.url() + "/" + segment(1, 4)) << findings[0].what;
    EXPECT_EQ(findings[0].harm, Harm::Log);
}

TEST_F(PieceCheckTest, FindsAGapBetweenWholePieces) {
    MemoryStorage whole;
    writeRound(whole, sequences_, true);
    MemoryStorage other;
    std::vector<std::uint64_t> others = sequences_;
    others[8] = 900;  // the last one of piece 1
    for (std::size_t i = 9; i < others.size(); ++i)
        others[i] = 900 + i;
    writeRound(other, others, true);
    MemoryStorage mixed;
    for (const auto& object : whole.list("")) {
        const bool first = object.key.find("r1p1") != object.key.npos;
        mixed.put(object.key, (first ? other : whole).getAll(object.key));
    }
    const auto findings = checkAll(mixed);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].kind, FindingKind::Gap) << findings[0].what;
    EXPECT_TRUE(findings[0].object.ends_with("/piece_d1001r1p2")) << findings[0].object;
}

TEST_F(PieceCheckTest, TakesNoSegmentForAnother) {
    MemoryStorage whole;
    writeRound(whole, sequences_, true);
    const Bytes second = whole.getAll(segment(1, 2));
    MemoryStorage mixed;
    copy(whole, mixed, segment(1, 3), &second);
    const auto findings = checkAll(mixed);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].what.find("it is damaged: it is segment 2 of"), 0U) << findings[0].what;
}

TEST_F(PieceCheckTest, NamesEveryRecordThatIsMissing) {
    MemoryStorage whole;
    writeRound(whole, sequences_, true);
    for (const auto& object : whole.list("")) {
        const bool may_be = object.key.find("/round_") != object.key.npos && object.key.ends_with("_end.obarc");
        const bool last_info = object.key.find("r1p3/single_piece_info") != object.key.npos;
        if (may_be || last_info || object.key.find("/log/") != object.key.npos) continue;
        MemoryStorage without;
        copy(whole, without, object.key, nullptr);
        const auto findings = checkAll(without);
        if (object.key.find("/checkpoint/") != object.key.npos) {
            EXPECT_TRUE(findings.empty()) << object.key << ": of a frozen piece nobody needs it";
            continue;
        }
        ASSERT_EQ(findings.size(), 1U) << object.key;
        EXPECT_EQ(findings[0].kind, FindingKind::Missing) << object.key << ": " << findings[0].what;
    }
}

}  // namespace
}  // namespace tidemark::validate
