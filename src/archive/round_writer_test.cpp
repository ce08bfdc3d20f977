#include "archive/round_writer.h"

#include <gtest/gtest.h>

#include <fstream>

#include "archive/archive_reader.h"
#include "archive/log_stream.h"
#include "archive/round_fixture.h"
#include "base/error.h"
#include "storage/faulty_storage.h"
#include "storage/file_storage.h"
#include "storage/memory_storage.h"
#include "testing/mariadb_server.h"

namespace tidemark::archive {
namespace {

using storage::FaultRule;

std::vector<std::uint64_t> archived(storage::Storage& storage) {
    std::vector<std::uint64_t> numbers;
    ArchiveReader(storage).transactions(0, kScnUnlimited, [&](const TransactionEntry& entry) {
        numbers.push_back(entry.gtid.sequence);
        return true;
    });
    return numbers;
}

std::vector<std::uint64_t> upTo(std::uint64_t n) {
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t i = 1; i <= n; ++i)
        numbers.push_back(i);
    return numbers;
}

TEST(RoundWriter, GoesOnBehindWhatIsDurable) {
    storage::MemoryStorage storage;
    {
        auto writer = openRound(storage);
        add(*writer, 1, 1);
        add(*writer, 2, 2);
        writer->flush();
        add(*writer, 3, 3);  // never flushed
    }
    auto writer = openRound(storage);
    EXPECT_EQ(writer->position().text(), "1002-101-2");
    EXPECT_EQ(writer->lastScn(), kStart + 2 * static_cast<Scn>(kSecond));
    EXPECT_EQ(writer->state().input_bytes, 200U);
    add(*writer, 3, 3);
    writer->flush();
    EXPECT_EQ(archived(storage), upTo(3));
}

TEST(RoundWriter, LeavesNothingThatACrashedDaemonWasWriting) {
    const testing::TemporaryDirectory directory;
    storage::FileStorage storage(directory.path());
    openRound(storage);
    for (const char* name : {"rounds", "pieces", "settings"}) {
        std::filesystem::create_directories(directory.path() / name);
        std::ofstream(directory.path() / name / ".unfinished-record.obarc-1") << "half";
    }
    openRound(storage);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path()))
        EXPECT_FALSE(entry.path().filename().string().starts_with(".unfinished")) << entry.path();
}

TEST(RoundWriter, GivesNoScnBelowACheckpoint) {
    storage::MemoryStorage storage;
    openRound(storage)->checkpoint(kStart + 50);
    auto writer = openRound(storage);
    EXPECT_EQ(writer->lastScn(), kStart + 50);
    EXPECT_EQ(writer->state().checkpoint_scn, kStart + 50);
    add(*writer, 1, 0);
    writer->flush();
    writer->checkpoint(kStart + 60);
    writer->checkpoint(kStart + 70);
    EXPECT_EQ(storage.list(checkpointPrefix({1001, 1, 1})).size(), 1U);
}

TEST(RoundWriter, ChangesPiecesByTime) {
    storage::MemoryStorage storage;
    auto writer = openRound(storage);
    add(*writer, 1, 1);
    add(*writer, 2, 101);  // the second interval
    add(*writer, 3, 150);
    writer->flush();
    writer->checkpoint(kStart + 5 * kPieceTime + 1);  // days of nothing
    add(*writer, 4, 550);
    writer->flush();
    const auto pieces = ArchiveReader(storage).rounds().at(0).pieces;
    ASSERT_EQ(pieces.size(), 3U);
    EXPECT_EQ(pieces[0].end_scn, kStart + kPieceTime);
    EXPECT_EQ(pieces[1].start_scn, pieces[0].end_scn);
    EXPECT_EQ(pieces[1].files, 1U);
    EXPECT_EQ(pieces[2].start_scn, pieces[1].end_scn);
    EXPECT_EQ(pieces[2].end_scn, kStart + 6 * kPieceTime);
    EXPECT_TRUE(pieces[0].frozen && pieces[1].frozen && !pieces[2].frozen);
    EXPECT_EQ(pieces[2].max_scn, kStart + 550 * static_cast<Scn>(kSecond));
    EXPECT_EQ(writer->state().used_piece_id, 3U);
    EXPECT_EQ(writer->state().input_bytes, 400U);
    EXPECT_EQ(archived(storage), upTo(4));
}

TEST(RoundWriter, BeginsASegmentWhenTheFormatChanges) {
    storage::MemoryStorage storage;
    auto writer = openRound(storage);
    add(*writer, 1, 1);
    writer->setFormat(formatOf('a'), "a");
    add(*writer, 2, 2);
    writer->setFormat(formatOf('b'), "b");
    add(*writer, 3, 3);
    writer->flush();
    const ArchiveReader reader(storage);
    const auto& places = reader.segments(kRound);
    ASSERT_EQ(places.size(), 2U);
    EXPECT_EQ(reader.open(places[0]).summary().transactions, 2U);
    EXPECT_EQ(reader.open(places[1]).header().format, formatOf('b'));
    EXPECT_EQ(reader.open(places[1]).header().server_version, "b");
}

TEST(RoundWriter, ClosesForGood) {
    storage::MemoryStorage storage;
    auto writer = openRound(storage);
    add(*writer, 1, 1);
    writer->close("stopped");
    EXPECT_THROW(openRound(storage), Error);
    const ArchiveReader reader(storage);
    ASSERT_TRUE(reader.rounds().at(0).end);
    EXPECT_EQ(reader.rounds().at(0).end->reason, "stopped");
    EXPECT_EQ(reader.rounds().at(0).checkpoint_scn, kStart + static_cast<Scn>(kSecond));
    closeRound(storage, description(), "again");  // does nothing
    EXPECT_EQ(ArchiveReader(storage).rounds().at(0).end->reason, "stopped");
}

/// Every write of a life of a round fails once, in turn; the next writer goes on, and in the end nothing is missing,
/// double or half.
TEST(RoundWriter, SurvivesAFailureOfAnyWrite) {
    for (const auto effect_on :
         {FaultRule::Operation::Create, FaultRule::Operation::Append, FaultRule::Operation::Finish}) {
        for (std::uint64_t after = 0;; ++after) {
            storage::MemoryStorage storage;
            storage::FaultyStorage faulty(
                storage, {{.on = effect_on, .after = after, .times = 1, .error = ErrorCode::NoSpace}}, 1);
            std::unique_ptr<RoundWriter> writer;
            const auto attempt = [&](const std::function<void()>& work) {
                for (int tries = 0; tries < 3; ++tries) {
                    try {
                        if (!writer || !writer->usable()) writer = openRound(faulty);
                        return work();
                    } catch (const Error& error) {
                        ASSERT_EQ(error.code(), ErrorCode::NoSpace) << error.what();
                    }
                }
                FAIL() << "three failures";
            };
            for (std::uint64_t n = 1; n <= 6; ++n) {
                attempt([&] {
                    // Whatever was not durable comes again, as from the binlog.
                    const auto domains = writer->position().domains();
                    for (std::uint64_t i = domains.empty() ? 1 : domains.at(1002).sequence + 1; i <= n; ++i) {
                        add(*writer, i, i * 40, i == 3 ? 5 * kBlockSize / 2 : 100);
                    }
                    if (n % 2 == 0) writer->flush();
                    if (n == 4) writer->checkpoint(kStart + 350 * static_cast<Scn>(kSecond));
                });
            }
            attempt([&] {
                const auto domains = writer->position().domains();
                for (std::uint64_t i = domains.empty() ? 1 : domains.at(1002).sequence + 1; i <= 6; ++i)
                    add(*writer, i, 360);
                writer->flush();
            });
            EXPECT_EQ(archived(storage), upTo(6)) << static_cast<int>(effect_on) << " after " << after;
            const auto round = ArchiveReader(storage).rounds().at(0);
            EXPECT_TRUE(round.gaps.empty());
            for (const auto& piece : round.pieces) {
                EXPECT_EQ(piece.frozen, storage.stat(pieceEndKey(piece.key, piece.end_scn)).has_value());
            }
            if (faulty.struck() == 0) break;
        }
    }
}

TEST(ArchiveReader, FindsPositionsAndScns) {
    storage::MemoryStorage storage;
    auto writer = openRound(storage);
    const auto at = [](std::uint64_t seconds) { return kStart + seconds * static_cast<Scn>(kSecond); };
    for (std::uint64_t n = 1; n <= 20; ++n) {
        add(*writer, n, n * 10 + 3);
        if (n % 4 == 0) writer->flush();
    }
    writer->checkpoint(at(250));
    const ArchiveReader reader(storage);
    EXPECT_FALSE(reader.positionAt(kStart - 1));
    EXPECT_FALSE(reader.positionAt(at(250) + 1));
    EXPECT_EQ(reader.positionAt(kStart)->position.text(), "");
    EXPECT_EQ(reader.positionAt(at(13) - 1)->position.text(), "");
    EXPECT_EQ(reader.positionAt(at(250))->position.text(), "1002-101-20");
    for (std::uint64_t n = 1; n <= 20; ++n) {
        const auto text = "1002-101-" + std::to_string(n);
        const Scn scn = reader.positionAt(at(n * 10 + 3))->scn;
        EXPECT_EQ(reader.positionAt(at(n * 10 + 3))->position.text(), text);
        EXPECT_EQ(reader.positionAt(scn)->position.text(), text);
        EXPECT_EQ(reader.scnOf(kRound, mysql::GtidPosition::parse(text))->scn, scn);
        EXPECT_TRUE(reader.scnOf(kRound, mysql::GtidPosition::parse(text))->complete);
        EXPECT_EQ(reader.extent(kRound, mysql::GtidPosition::parse(text), at(153)).transactions, n >= 15 ? 0 : 15 - n);
    }
    EXPECT_EQ(reader.scnOf(kRound, {})->scn, kStart);
    EXPECT_FALSE(reader.scnOf(kRound, mysql::GtidPosition::parse("1002-101-21"))->complete);
    int seen = 0;
    reader.transactions(at(30), at(70), [&](const TransactionEntry&) { return ++seen < 4; });
    EXPECT_EQ(seen, 4);
}

TEST(ArchiveReader, ReportsGapsAsData) {
    storage::MemoryStorage storage;
    auto writer = openRound(storage);
    for (std::uint64_t n = 1; n <= 8; ++n) {
        add(*writer, n, n * 30);
        writer->flush();
    }
    writer->close("stopped");
    // Pieces hold the transactions 1-3, 4-6, 7-8; each is a segment.
    const auto ranges = [&] {
        std::string text;
        const ArchiveReader reader(storage);
        for (const auto& range : reader.rounds().at(0).ranges) {
            text += std::to_string((range.from - kStart) / kSecond) + "-" +
                    std::to_string((range.to - kStart) / kSecond) + " ";
        }
        for (const auto& gap : reader.rounds().at(0).gaps)
            text += gap.first_missing + " ";
        return text;
    };
    EXPECT_EQ(ranges(), "0-240 ");
    const auto without = [&](const std::vector<std::string>& keys) {
        std::map<std::string, Bytes> kept;
        for (const auto& key : keys) {
            kept[key] = storage.getAll(key);
            storage.remove(key);
        }
        const std::string text = ranges();
        for (const auto& [key, bytes] : kept)
            storage.put(key, bytes);
        return text;
    };
    const auto segment = [](std::uint64_t piece, std::uint64_t id) { return segmentKey({1001, 1, piece}, id); };
    EXPECT_EQ(without({segment(1, 2)}), "0-30 60-240 " + segment(1, 2) + " ");
    EXPECT_EQ(without({segment(1, 3)}), "0-60 100-240 " + segment(1, 3) + " ");
    EXPECT_EQ(without({segment(2, 1), segment(2, 2), segment(2, 3)}), "0-90 200-240 " + segment(2, 1) + " ");
    EXPECT_EQ(without({segment(3, 2)}), "0-210 " + segment(3, 2) + " ");
    EXPECT_EQ(without({segment(1, 2), segment(2, 2)}),
              "0-30 60-120 150-240 " + segment(1, 2) + " " + segment(2, 2) + " ");
    // A piece that cleaning has removed from the beginning is no gap.
    std::vector<std::string> first{findPieceStart(storage, {1001, 1, 1})};
    for (const auto& object : storage.list("piece_d1001r1p1/"))
        first.push_back(object.key);
    EXPECT_EQ(without(first), "100-240 ");

    storage.remove(segment(2, 2));
    const ArchiveReader reader(storage);
    EXPECT_FALSE(reader.positionAt(kStart + 135 * static_cast<Scn>(kSecond)));
    LogStream stream(reader, {kRound, mysql::GtidPosition::parse("1002-101-3"), kScnUnlimited, {}});
    EXPECT_EQ(stream.next()->ends.at(0).gtid.sequence, 4U);
    try {
        stream.next();
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        EXPECT_NE(std::string(error.what()).find(segment(2, 2)), std::string::npos) << error.what();
    }
}

/// The checkpoint that was listed is gone when it is read: the archive has a newer one. What it says of segments that
/// must be there counts all the same.
TEST(ArchiveReader, KnowsWhatIsMissingAtTheEndWhileTheCheckpointIsReplaced) {
    storage::MemoryStorage storage;
    auto writer = openRound(storage);
    for (std::uint64_t n = 1; n <= 2; ++n) {
        add(*writer, n, n);
        writer->flush();
    }
    writer->checkpoint(kStart + 10 * static_cast<Scn>(kSecond));
    const auto last = segmentKey({1001, 1, 1}, 2);
    storage.remove(last);
    FaultRule replaced;
    replaced.on = FaultRule::Operation::Get;
    replaced.key_part = "checkpoint_info";
    replaced.times = 1;
    replaced.error = ErrorCode::NotFound;
    storage::FaultyStorage changing(storage, {replaced}, 1);
    const ArchiveReader reader(changing);
    EXPECT_EQ(changing.struck(), 1U);
    ASSERT_EQ(reader.rounds().at(0).gaps.size(), 1U);
    EXPECT_EQ(reader.rounds().at(0).gaps[0].first_missing, last);
}

TEST(LogStream, SelectsByPositionScnAndDomain) {
    storage::MemoryStorage storage;
    auto writer = openRound(storage);
    for (std::uint64_t n = 1; n <= 30; ++n) {
        const Scn scn = kStart + n;
        writer->beginTransaction(scn);
        writer->append(Bytes(n == 7 ? 3 * kBlockSize : 50, static_cast<std::uint8_t>(n)));
        TransactionEntry entry;
        entry.gtid = {static_cast<std::uint32_t>(1 + n % 2), 5, n};
        entry.scn = scn;
        writer->endTransaction(entry);
        if (n % 5 == 0) writer->flush();
    }
    const ArchiveReader reader(storage);
    const auto numbers = [&](LogSelection selection) {
        LogStream stream(reader, std::move(selection));
        std::string text;
        std::size_t bytes = 0;
        while (const auto batch = stream.next()) {
            EXPECT_LE(batch->bytes.size(), kBlockSize);
            bytes += batch->bytes.size();
            for (const auto& end : batch->ends)
                text += std::to_string(end.gtid.sequence) + " ";
        }
        return text + "(" + std::to_string(bytes) + ")";
    };
    using mysql::GtidPosition;
    EXPECT_EQ(numbers({kRound, GtidPosition::parse("1-5-4,2-5-5"), kStart + 8, {}}),
              "6 7 8 (" + std::to_string(3 * kBlockSize + 100) + ")");
    EXPECT_EQ(numbers({kRound, GtidPosition::parse("1-5-24,2-5-25"), kScnUnlimited, {}}), "26 27 28 29 30 (250)");
    EXPECT_EQ(
        numbers({kRound, GtidPosition::parse("1-5-20,2-5-21"), kScnUnlimited, GtidPosition::parse("1-5-24,2-5-23")}),
        "22 23 24 (150)");
    EXPECT_EQ(numbers({kRound, GtidPosition::parse("1-5-20,2-5-21"), kScnUnlimited, GtidPosition::parse("2-5-27")}),
              "23 25 27 (150)");
    EXPECT_EQ(numbers({kRound, GtidPosition::parse("1-5-30,2-5-29"), kScnUnlimited, {}}), "(0)");
}

}  // namespace
}  // namespace tidemark::archive
