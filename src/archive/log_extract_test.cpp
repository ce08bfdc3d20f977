#include "archive/log_extract.h"

#include <gtest/gtest.h>

#include <random>

#include "archive/log_stream.h"
#include "archive/round_fixture.h"
#include "base/hash.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"

namespace tidemark::archive {
namespace {

using mysql::GtidPosition;
using storage::FaultRule;
using storage::FaultyStorage;
using storage::MemoryStorage;

Scn at(std::uint64_t seconds) {
    return kStart + seconds * static_cast<Scn>(kSecond);
}
GtidPosition behind(std::uint64_t n) {
    return GtidPosition::parse(n == 0 ? "" : "1002-101-" + std::to_string(n));
}

/// The raw log behind a position up to an SCN, with what every transaction is called.
std::string logOf(const ArchiveReader& reader, const GtidPosition& after, Scn until) {
    LogStream stream(reader, {kRound, after, until, {}});
    RunningXxh3 hash;
    std::string text;
    while (const auto batch = stream.next()) {
        hash.add(batch->bytes);
        for (const LogBatch::End& end : batch->ends)
            text += end.gtid.text() + "@" + std::to_string(end.scn - kStart) + " ";
    }
    return text + std::to_string(hash.value());
}

/// Copies without a word.
std::vector<ExtractedObject> copied(storage::Storage& archive, const ExtractRange& range, storage::Storage& to) {
    const ArchiveReader reader(archive);
    return LogExtract(reader, archive, range).copyTo(to, {}, [](const auto&) {});
}

ExtractRange rangeNow(storage::Storage& archive, std::uint64_t after) {
    const ArchiveReader reader(archive);
    return rangeUntilNow(reader, kRound, behind(after), reader.scnOf(kRound, behind(after)).value().scn);
}

/// Of one piece after the other: 1-3, 4-6, 7-8; each transaction is a segment.
std::unique_ptr<RoundWriter> threePieces(storage::Storage& storage) {
    auto writer = openRound(storage);
    for (std::uint64_t n = 1; n <= 8; ++n) {
        add(*writer, n, n * 30);
        writer->flush();
    }
    writer->checkpoint(at(260));
    return writer;
}

std::string failureOf(const std::function<void()>& work, ErrorCode code) {
    try {
        work();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "no Error was thrown";
    return {};
}

/// Times grow, now and then a segment ends, nothing happens for long, or the format changes.
void writeRandomly(RoundWriter& writer, std::mt19937_64& random, std::uint64_t transactions) {
    std::uint64_t seconds = 0;
    for (std::uint64_t n = 1; n <= transactions; ++n) {
        seconds += random() % 40;
        add(writer, n, seconds, random() % 20 == 0 ? kBlockSize + random() % kBlockSize : 1 + random() % 500);
        if (random() % 3 == 0) writer.flush();
        if (random() % 7 == 0) writer.setFormat(formatOf(static_cast<char>('a' + random() % 3)), "v");
        if (random() % 5 == 0) {
            writer.flush();
            seconds += random() % 250;
            writer.checkpoint(at(seconds));
        }
    }
    writer.flush();
}

/// `extract` tells of every moment from the position on what the archive tells.
void expectSame(const ArchiveReader& whole, const ArchiveReader& extract, const ExtractRange& range) {
    ASSERT_EQ(extract.rounds().size(), 1U);
    const RoundInfo& info = extract.rounds()[0];
    EXPECT_TRUE(info.gaps.empty());
    EXPECT_EQ(info.checkpoint_scn, range.until);
    ASSERT_EQ(info.ranges.size(), 1U);
    EXPECT_LE(info.ranges[0].from, range.after_scn);
    EXPECT_EQ(extract.scnOf(kRound, range.after)->scn, range.after_scn);
    EXPECT_TRUE(extract.scnOf(kRound, range.after)->complete);
    for (const Scn scn : {range.after_scn, range.after_scn + 1, (range.after_scn + range.until) / 2, range.until}) {
        if (scn > range.until) continue;
        ASSERT_TRUE(extract.positionAt(scn)) << scn;
        EXPECT_EQ(extract.positionAt(scn)->position, whole.positionAt(scn)->position) << scn;
        EXPECT_EQ(logOf(extract, range.after, scn), logOf(whole, range.after, scn));
    }
    EXPECT_FALSE(extract.positionAt(range.until + 1));
}

TEST(LogExtract, IsAnArchiveOfItsOwnWhereverItBegins) {
    const auto seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int round = 0; round < 20; ++round) {
        MemoryStorage archive;
        const std::uint64_t transactions = random() % 30;
        auto writer = openRound(archive);
        writeRandomly(*writer, random, transactions);
        const ArchiveReader whole(archive);
        for (std::uint64_t after = 0; after <= transactions; ++after) {
            SCOPED_TRACE("round " + std::to_string(round) + " after " + std::to_string(after));
            const ExtractRange range = rangeNow(archive, after);
            MemoryStorage to;
            const auto objects = copied(archive, range, to);
            EXPECT_EQ(objects.size(), to.list("").size());
            expectSame(whole, ArchiveReader(to), range);
            if (HasFailure()) return;
        }
    }
}

TEST(LogExtract, HoldsOnlyTheSegmentsThatAreNeeded) {
    MemoryStorage archive;
    const auto writer = threePieces(archive);
    MemoryStorage to;
    const ArchiveReader reader(archive);
    LogExtract extract(reader, archive, rangeNow(archive, 5));
    std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
    const auto objects = extract.copyTo(to, {}, [&](const auto& done) { seen.emplace_back(done.files, done.bytes); });
    EXPECT_EQ(extract.files(), 3U);
    std::string segments;
    std::uint64_t bytes = 0;
    for (const ExtractedObject& object : objects) {
        EXPECT_EQ(to.getAll(object.key).size(), object.size);
        EXPECT_EQ(xxh3(to.getAll(object.key)), object.checksum);
        if (object.key.find("/log/") == std::string::npos) continue;
        EXPECT_EQ(to.getAll(object.key), archive.getAll(object.key));
        segments += object.key + " ";
        bytes += object.size;
    }
    EXPECT_EQ(segments, segmentKey({1001, 1, 2}, 3) + " " + segmentKey({1001, 1, 3}, 1) + " " +
                            segmentKey({1001, 1, 3}, 2) + " ");
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_EQ(seen.back(), std::pair(std::uint64_t{3}, bytes));
}

TEST(LogExtract, HasNoSegmentsWhereNothingHasHappened) {
    MemoryStorage archive;
    const auto writer = threePieces(archive);
    const ExtractRange range = rangeNow(archive, 8);
    writer->checkpoint(at(270));
    MemoryStorage to;
    copied(archive, range, to);
    expectSame(ArchiveReader(archive), ArchiveReader(to), range);
    EXPECT_TRUE(ArchiveReader(to).segments(kRound).empty());
    EXPECT_EQ(range.until, at(260));
}

/// Whatever fails, once: the next attempt, which may find that the archive has gone on, stores the same.
TEST(LogExtract, GoesOnAfterAFailureOfAnyCall) {
    for (const auto on : {FaultRule::Operation::Create, FaultRule::Operation::Append, FaultRule::Operation::Finish,
                          FaultRule::Operation::Stat, FaultRule::Operation::Get}) {
        for (std::uint64_t after = 0;; ++after) {
            MemoryStorage archive;
            const auto writer = threePieces(archive);
            const ExtractRange range = rangeNow(archive, 4);
            MemoryStorage to;
            MemoryStorage expected;
            copied(archive, range, expected);
            FaultyStorage faulty(to, {{.on = on, .after = after, .times = 1}}, 1);
            try {
                copied(archive, range, faulty);
            } catch (const Error& error) {
                EXPECT_EQ(error.code(), ErrorCode::Unavailable);
                add(*writer, 9, 320);
                writer->close("stopped");
                copied(archive, range, faulty);
            }
            ASSERT_EQ(to.list("").size(), expected.list("").size());
            for (const auto& object : expected.list(""))
                EXPECT_EQ(to.getAll(object.key), expected.getAll(object.key)) << object.key;
            if (faulty.struck() == 0) break;
        }
    }
}

TEST(LogExtract, NamesWhatIsMissingOrDamagedInTheArchive) {
    MemoryStorage archive;
    const auto writer = threePieces(archive);
    const ExtractRange range = rangeNow(archive, 2);
    const auto segment = segmentKey({1001, 1, 2}, 2);
    const Bytes good = archive.getAll(segment);
    MemoryStorage to;
    Bytes bad = good;
    bad[bad.size() / 2] ^= 1;
    archive.remove(segment);
    EXPECT_NE(failureOf([&] { copied(archive, range, to); }, ErrorCode::NotFound).find(segment), std::string::npos);
    EXPECT_NE(failureOf([&] { rangeNow(archive, 2); }, ErrorCode::NotFound).find(segment), std::string::npos);
    archive.put(segment, bad);
    EXPECT_NE(failureOf([&] { copied(archive, range, to); }, ErrorCode::Corrupt).find(segment), std::string::npos);
    EXPECT_FALSE(to.stat(segment));
    archive.remove(segment);
    archive.put(segment, good);
    EXPECT_FALSE(copied(archive, range, to).empty());
    const auto last = segmentKey({1001, 1, 3}, 2);
    archive.remove(last);
    EXPECT_NE(failureOf([&] { copied(archive, range, to); }, ErrorCode::NotFound).find(last), std::string::npos);
    EXPECT_NE(failureOf([&] { rangeNow(archive, 2); }, ErrorCode::NotFound).find(last), std::string::npos);
}

TEST(LogExtract, NoticesWhatItsStorageDidNotKeep) {
    for (const char* part : {"/log/", "single_piece_info", "rounds/"}) {
        for (const auto effect : {FaultRule::Effect::Lose, FaultRule::Effect::Short, FaultRule::Effect::Flip}) {
            MemoryStorage archive;
            const auto writer = threePieces(archive);
            MemoryStorage inner;
            const auto on =
                effect == FaultRule::Effect::Lose ? FaultRule::Operation::Finish : FaultRule::Operation::Append;
            FaultyStorage to(inner, {{.on = on, .effect = effect, .key_part = part, .times = 1}}, 1);
            const auto why = failureOf([&] { copied(archive, rangeNow(archive, 2), to); }, ErrorCode::Corrupt);
            EXPECT_NE(why.find(part), std::string::npos) << why;
            EXPECT_NE(why.find("is not what was written there"), std::string::npos) << why;
        }
    }
}

TEST(LogExtract, MissesWhatIsLostOfItLater) {
    MemoryStorage archive;
    const auto writer = threePieces(archive);
    const ExtractRange range = rangeNow(archive, 4);
    MemoryStorage to;
    for (const ExtractedObject& object : copied(archive, range, to)) {
        if (object.key.find("/log/") == std::string::npos) continue;
        const Bytes kept = to.getAll(object.key);
        to.remove(object.key);
        const ArchiveReader reader(to);
        ASSERT_EQ(reader.rounds().at(0).gaps.size(), 1U) << object.key;
        EXPECT_EQ(reader.rounds()[0].gaps[0].first_missing, object.key);
        to.put(object.key, kept);
    }
}

TEST(LogExtract, EndsWhenItIsTold) {
    MemoryStorage archive;
    auto writer = openRound(archive);
    Bytes noise(3 * kBlockSize);
    std::generate(noise.begin(), noise.end(), [random = std::mt19937(1)]() mutable { return random() & 0xff; });
    writer->beginTransaction(at(1));
    writer->append(noise);
    writer->endTransaction({.gtid = {1002, 101, 1}, .scn = at(1)});
    writer->flush();
    MemoryStorage to;
    const ArchiveReader reader(archive);
    LogExtract extract(reader, archive, rangeNow(archive, 0));
    std::stop_source stop;
    int reports = 0;
    failureOf(
        [&] {
            extract.copyTo(to, stop.get_token(), [&](const auto&) {
                ++reports;
                stop.request_stop();
            });
        },
        ErrorCode::Cancelled);
    EXPECT_EQ(reports, 1);
    EXPECT_TRUE(to.list("").empty());
}

}  // namespace
}  // namespace tidemark::archive
