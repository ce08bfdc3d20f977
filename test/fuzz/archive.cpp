#include "archive/log_stream.h"
#include "archive/segment.h"
#include "base/hash.h"
#include "fuzz.h"
#include "mysql/binlog_event.h"
#include "read_archive.h"
#include "restore/logged_transaction.h"
#include "storage/memory_storage.h"

/// Objects of an archive, each of them whole, that contradict each other.
namespace tidemark::fuzz {
namespace {

using namespace archive;
using storage::MemoryStorage;

constexpr RoundKey kFuzzedRound{1, 1};

/// Mostly small, so that numbers of several objects are equal now and then.
std::uint64_t someNumber(Choices& choices) {
    const std::uint8_t small = choices.byte();
    return small < 0xfe ? small : small == 0xff ? UINT64_MAX - choices.byte() : choices.number();
}

mysql::GtidPosition somePosition(Choices& choices) {
    mysql::GtidPosition position;
    for (std::uint8_t domains = choices.byte() % 3; domains > 0; --domains)
        position.set({static_cast<std::uint32_t>(choices.byte() % 2), 1, someNumber(choices)});
    return position;
}

PieceState somePiece(Choices& choices, std::uint64_t number) {
    PieceState piece;
    piece.key = {1, 1, number};
    piece.start_scn = someNumber(choices);
    piece.end_scn = someNumber(choices);
    piece.checkpoint_scn = someNumber(choices);
    piece.files = someNumber(choices);
    return piece;
}

/// Its index is right where nothing else was chosen: sizes of entries and of blocks follow from what there is.
void putSegment(Choices& choices, MemoryStorage& place) {
    SegmentHeader header;
    header.piece = {1, 1, std::uint64_t{1} + choices.byte() % 3};
    header.file_id = std::uint64_t{1} + choices.byte() % 4;
    header.format = Bytes(80, choices.byte());
    header.before = somePosition(choices);
    header.before_scn = someNumber(choices);
    SegmentIndex index;
    Bytes raw;
    Scn scn = 0;
    for (std::uint8_t count = choices.byte() % 6; count > 0; --count) {
        TransactionEntry entry;
        entry.gtid = {static_cast<std::uint32_t>(choices.byte() % 2), 1, someNumber(choices)};
        entry.scn = scn = scn + choices.byte();
        const ByteView events = choices.longPart();
        raw.insert(raw.end(), events.begin(), events.end());
        const std::uint8_t wrong = choices.byte();
        entry.size = events.size() + (wrong > 0xf0 ? wrong - 0xf0U : 0);
        index.transactions.push_back(entry);
    }
    const std::size_t block = 1 + std::size_t{choices.byte()} * 40;
    Bytes object = encodeHeader(header);
    for (std::size_t at = 0; at < raw.size(); at += block) {
        const Bytes frame = encodeFrame(ByteView(raw).subspan(at, std::min(block, raw.size() - at)));
        index.blocks.push_back({object.size(), static_cast<std::uint32_t>(std::min(block, raw.size() - at)),
                                static_cast<std::uint32_t>(frame.size())});
        object.insert(object.end(), frame.begin(), frame.end());
    }
    SegmentFooter footer;
    footer.index_offset = object.size();
    const Bytes stored = encodeIndex(index);
    footer.index_size = stored.size();
    footer.index_sum = xxh3(stored);
    footer.summary.transactions = index.transactions.size();
    if (!index.transactions.empty()) {
        footer.summary.from_scn = index.transactions.front().scn;
        footer.summary.to_scn = scn;
    }
    for (const auto& entry : index.transactions)
        footer.summary.raw_size += entry.size;
    object.insert(object.end(), stored.begin(), stored.end());
    const Bytes end = encodeFooter(footer);
    object.insert(object.end(), end.begin(), end.end());
    place.put(segmentKey(header.piece, header.file_id), object);
}

/// Under the name of one round or piece may lie the record of another.
void putObject(Choices& choices, MemoryStorage& place) {
    const auto record = [&](const auto& it, const storage::Key& key) {
        MemoryStorage written;
        putRecord(written, it);
        place.put(key, written.getAll(written.list("").front().key));
    };
    const std::uint64_t number = 1 + choices.byte() % 3;
    const RoundKey said{1, choices.byte() == 0xff ? 2U : 1U};
    switch (choices.byte() % 7) {
        case 0:
            return record(RoundStart{said, 1002, number, someNumber(choices), somePosition(choices), 9},
                          roundStartKey(kFuzzedRound));
        case 1:
            return record(RoundEnd{said, someNumber(choices), number, somePosition(choices), "asked"},
                          roundEndKey(kFuzzedRound));
        case 2: {
            const PieceRecord it{somePiece(choices, number), somePosition(choices), somePosition(choices)};
            return putRecord(place, pieceStartKey({1, 1, number}, choices.byte()), it);
        }
        case 3: {
            PieceRecord it{somePiece(choices, said.round == 1 ? number : 9), somePosition(choices),
                           somePosition(choices)};
            it.state.frozen = true;
            return putRecord(place, pieceInfoKey({1, 1, number}), it);
        }
        case 4:
            return putCheckpoint(place, {1, 1, number}, someNumber(choices), somePosition(choices),
                                 someNumber(choices));
        case 5:
            return putRecord(place, SettingsRecord{said, someNumber(choices), somePosition(choices), {{"a", "b"}}});
        default:
            return putSegment(choices, place);
    }
}

/// As a restore reads the end of a log that does not replay.
void describeAll(const ArchiveReader& reader) {
    int left = 5;
    mysql::GtidPosition before;
    reader.transactions(0, kScnUnlimited, [&](const TransactionEntry& entry) {
        accepted([&] {
            const auto transaction = restore::readTransaction(reader, kFuzzedRound, before, entry);
            requireThat(restore::describe(transaction, 100).size() <= 104, "a description is as short as was asked");
        });
        before.set(entry.gtid);
        return --left > 0;
    });
}

void runArchive(ByteView input) {
    Choices choices(input);
    const Scn target = someNumber(choices);
    const mysql::GtidPosition position = somePosition(choices);
    MemoryStorage place;
    while (!choices.rest().empty())
        accepted([&] { putObject(choices, place); });
    const ArchiveReader reader(place);
    for (const RoundInfo& round : reader.rounds())
        requireThat(round.start.key == kFuzzedRound, "a round is the one that its name says");
    if (reader.rounds().empty()) return;
    accepted([&] {
        const auto found = reader.positionAt(target);
        // Behind a gap there may be anything.
        if (found && reader.rounds().front().gaps.empty()) requireThat(found->scn <= target, "a target is not passed");
    });
    accepted([&] { reader.scnOf(kFuzzedRound, position); });
    accepted([&] { reader.settings(kFuzzedRound); });
    accepted([&] { reader.extent(kFuzzedRound, position, target); });
    accepted([&] { describeAll(reader); });
    accepted([&] { transactionsOf(reader, kFuzzedRound); });
}

/// One round, one piece, two segments that join, a checkpoint.
std::vector<Bytes> archiveSeeds() {
    const auto begin = [](ByteWriter& out, std::uint8_t number, std::uint8_t kind) { out.u8(number).u8(0).u8(kind); };
    const Bytes heartbeat = mysql::makeHeartbeat(1, "f", 4);
    const auto segment = [&](ByteWriter& out, std::uint8_t file, std::uint8_t last) {
        begin(out, 0, 6);
        out.u8(0).u8(static_cast<std::uint8_t>(file - 1)).u8('f').u8(1).u8(0).u8(last).u8(last).u8(2);
        for (std::uint8_t i = 1; i <= 2; ++i) {
            out.u8(0).u8(static_cast<std::uint8_t>(last + i)).u8(static_cast<std::uint8_t>(i == 1 ? last + 1 : 1));
            out.u8(0).u8(static_cast<std::uint8_t>(heartbeat.size())).bytes(heartbeat).u8(0);
        }
        out.u8(1);
    };
    ByteWriter out;
    out.u8(12).u8(1).u8(0).u8(12);
    begin(out, 0, 0);
    out.u8(10).u8(1).u8(0).u8(10);
    begin(out, 0, 2);
    out.u8(10).u8(200).u8(10).u8(0).u8(1).u8(0).u8(10).u8(1).u8(0).u8(10).u8(1);
    segment(out, 1, 10);
    segment(out, 2, 12);
    begin(out, 0, 4);
    out.u8(14).u8(1).u8(0).u8(14).u8(2);
    begin(out, 0, 5);
    out.u8(10).u8(1).u8(0).u8(10);
    return {out.take()};
}

const Registered registered_archive({"archive", runArchive, archiveSeeds});

}  // namespace
}  // namespace tidemark::fuzz
