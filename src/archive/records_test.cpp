#include "archive/records.h"

#include <gtest/gtest.h>

#include "archive/archive_reader.h"
#include "archive/round_writer.h"
#include "base/error.h"
#include "storage/document.h"
#include "storage/memory_storage.h"
#include "testing/newer_document.h"

namespace tidemark::archive {
namespace {

constexpr RoundKey kKey{1001, 1};

RoundDescription round() {
    return {kKey, 1002, 1, 100 * kSecond};
}

Bytes format() {
    ByteWriter body;
    body.u16(4).bytes(Bytes(50, 'v')).u32(0).u8(19).bytes(Bytes(30, 1)).u8(1);
    ByteWriter event;
    event.u32(0).u8(15).u32(101).u32(static_cast<std::uint32_t>(19 + body.size() + 4)).u32(0).u16(0).bytes(body.data());
    return event.u32(0).take();
}

/// Some pieces with a transaction each, a checkpoint, and settings.
void write(storage::Storage& storage, std::uint64_t from, std::uint64_t to) {
    RoundWriter writer(storage, round(), [] { return RoundWriter::StartPoint{1000 * kSecond, {}}; });
    writer.setFormat(format(), "v");
    for (std::uint64_t n = from; n <= to; ++n) {
        const Scn scn = (950 + 100 * n) * kSecond;
        writer.beginTransaction(scn);
        writer.append(Bytes(100, 1));
        TransactionEntry entry;
        entry.gtid = {1002, 101, n};
        entry.scn = scn;
        writer.endTransaction(entry);
        writer.flush();
        writer.checkpoint(scn + kSecond);
    }
    putRecord(storage, SettingsRecord{kKey, 1001 * kSecond, {}, {{"charset", "utf8mb4"}}});
}

/// All that a reader learns of the rounds.
std::string told(storage::Storage& storage) {
    const ArchiveReader reader(storage);
    std::string text;
    for (const RoundInfo& info : reader.rounds()) {
        text += info.position.text() + " " + std::to_string(info.checkpoint_scn) + " gaps " +
                std::to_string(info.gaps.size()) + (info.end ? " ended " + info.end->reason : "");
        for (const PieceState& piece : info.pieces)
            text += " " + std::to_string(piece.files) + "/" + std::to_string(piece.end_scn) + (piece.frozen ? "f" : "");
        for (const auto& settings : reader.settings(kKey))
            text += " " + settings.settings.at("charset");
    }
    return text;
}

std::vector<storage::Key> documentsIn(storage::Storage& storage) {
    std::vector<storage::Key> keys;
    for (const auto& object : storage.list("")) {
        if (object.size > 0 && object.key.find("/log/") == std::string::npos) keys.push_back(object.key);
    }
    return keys;
}

TEST(ArchiveRecords, OfANewerVersionAreReadWithoutWhatIsUnknown) {
    storage::MemoryStorage storage;
    write(storage, 1, 3);
    const std::string before = told(storage);
    EXPECT_GT(documentsIn(storage).size(), 10U);
    for (const auto& key : documentsIn(storage)) {
        testing::makeNewer(storage, key, true, [](nlohmann::json& content) {
            const auto settings = content.value("tenant_settings", nlohmann::json());
            testing::addUnknownFields(content);
            if (!settings.is_null()) content["tenant_settings"] = settings;
        });
    }
    EXPECT_EQ(told(storage), before);
    write(storage, 4, 5);
    closeRound(storage, round(), "the test ends");
    EXPECT_NE(told(storage).find("1002-101-5 1451000000000 gaps 0 ended the test ends"), std::string::npos)
        << told(storage);
}

TEST(ArchiveRecords, OfAVersionThatCannotBeReadSaySo) {
    storage::MemoryStorage storage;
    write(storage, 1, 2);
    int refused = 0;
    for (const auto& key : documentsIn(storage)) {
        storage::MemoryStorage newer;
        for (const auto& object : storage.list(""))
            newer.put(object.key, storage.getAll(object.key));
        testing::makeNewer(newer, key, false);
        try {
            told(newer);
        } catch (const Error& error) {
            ++refused;
            EXPECT_EQ(error.code(), ErrorCode::InvalidRequest);
            EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
            EXPECT_EQ(error.hint(), "update Tidemark on this node");
        }
    }
    EXPECT_GE(refused, 5);  // those that a reader needs
}

TEST(ArchiveRecords, OfAnotherRoundOrPieceAreRefused) {
    const RoundKey other{1001, 2};
    const PieceKey piece{1001, 1, 1};
    storage::MemoryStorage storage, place;
    putRecord(storage, RoundStart{kKey, 1002, 1, 5, {}, kSecond});
    putRecord(storage, RoundEnd{kKey, 5, 1, {}, "asked"});
    putRecord(storage, SettingsRecord{kKey, 5, {}, {}});
    putRecord(storage, pieceInfoKey(piece), {{.key = piece}, {}, {}});
    place.put(roundStartKey(other), storage.getAll(roundStartKey(kKey)));
    place.put(roundEndKey(other), storage.getAll(roundEndKey(kKey)));
    place.put(settingsKey(other, 5), storage.getAll(settingsKey(kKey, 5)));
    const auto refusal = [](auto read) -> std::string {
        try {
            read();
            return "none";
        } catch (const Error& error) {
            return error.what();
        }
    };
    EXPECT_EQ(refusal([&] { readRoundStart(place, other); }),
              "memory:/rounds/round_d1001r2_start.obarc is of round_d1001r1");
    EXPECT_NE(refusal([&] { readRoundEnd(place, other); }).find("is of round_d1001r1"), std::string::npos);
    EXPECT_NE(refusal([&] { readSettings(place, other); }).find("is of round_d1001r1"), std::string::npos);
    EXPECT_NE(refusal([&] {
                  readPiece(storage, pieceInfoKey(piece), {1001, 1, 2});
              }).find("is of piece_d1001r1p1"),
              std::string::npos);
}

TEST(ArchiveRecords, ASegmentOfANewerVersionIsNotTakenForDamaged) {
    storage::MemoryStorage storage;
    write(storage, 1, 1);
    for (const auto& object : storage.list("")) {
        if (object.key.find("/log/") == std::string::npos) continue;
        Bytes bytes = storage.getAll(object.key);
        ++bytes[7];
        storage.remove(object.key);
        storage.put(object.key, bytes);
    }
    try {
        write(storage, 2, 2);
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::InvalidRequest) << error.what();
        EXPECT_EQ(error.hint(), "update Tidemark on this node");
    }
}

}  // namespace
}  // namespace tidemark::archive
