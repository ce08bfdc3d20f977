#include <unistd.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>

#include "archive/records.h"
#include "archive/segment_file.h"
#include "archive/segment_writer.h"
#include "backup_set/backup_set_document.h"
#include "backup_set/key_bag.h"
#include "base/hash.h"
#include "fuzz.h"
#include "storage/destination.h"
#include "storage/document.h"
#include "storage/memory_storage.h"

/// What lies at a destination. Checksums are made right before the parser sees the bytes: damage by accident is found
/// by them, so what is left to be found is what somebody wrote on purpose.
namespace tidemark::fuzz {
namespace {

using storage::MemoryStorage;

// --- documents ---

constexpr const char* kKinds[] = {"tidemark backup set",  "log archive round start", "log archive round end",
                                  "log archive settings", "log archive piece",       "log archive checkpoint",
                                  "tidemark destination", "tidemark key bag"};

std::string sealed(std::string_view text) {
    std::array<char, 32> trailer{};
    std::snprintf(trailer.data(), trailer.size(), "xxh3 %016llx\n",
                  static_cast<unsigned long long>(xxh3(viewOf(text))));
    return std::string(text) + trailer.data();
}

/// What of a document is known is what is written again.
void requireSameContent(std::string_view stored, ByteView written) {
    const auto contentOf = [](std::string_view document) {
        return nlohmann::json::parse(document.substr(0, document.rfind("xxh3 "))).at("content");
    };
    const nlohmann::json before = contentOf(stored), after = contentOf(textOf(written));
    for (const auto& [name, value] : after.items()) {
        // A list has objects with more, and a position may be written otherwise.
        if (!before.contains(name) || value.is_array() || name.find("gtid") != std::string::npos) continue;
        requireThat(before.at(name).dump() == value.dump(), "a field is not taken for something else");
    }
}

/// A directory with a document that says whose it is.
void readMarker(std::string_view stored) {
    static const std::filesystem::path kPlace =
        std::filesystem::temp_directory_path() / ("tidemark-fuzz-" + std::to_string(getpid()));
    std::filesystem::create_directory(kPlace);
    std::ofstream(kPlace / storage::kMarkerKey, std::ios::binary) << stored;
    accepted([&] { storage::readDestination("file://" + kPlace.string()); });
    std::filesystem::remove_all(kPlace);
}

template <typename Read, typename Write>
void readAndWrite(std::string_view stored, Read read, Write write) {
    MemoryStorage first, second;
    first.put("document", viewOf(stored));
    const auto record = read(first);
    write(second, record);
    const auto objects = second.list("");
    requireThat(objects.size() == 1, "a record is one object");
    requireSameContent(stored, second.getAll(objects[0].key));
    MemoryStorage third;
    third.put("document", second.getAll(objects[0].key));
    MemoryStorage fourth;
    promised([&] { write(fourth, read(third)); });
    requireThat(fourth.getAll(objects[0].key) == second.getAll(objects[0].key), "a record reads as it was written");
}

void record(std::uint8_t kind, std::string_view stored) {
    const storage::Key key = "document";
    switch (kind) {
        case 0: {
            MemoryStorage place;
            place.put(key, viewOf(stored));
            // Of one that is sealed only who has its key writes the rest.
            if (backup_set::decodeDescription(place, key).sealed) return;
            return readAndWrite(
                stored, [&](MemoryStorage& from) { return backup_set::decodeDescription(from, key); },
                [](MemoryStorage& to, const auto& it) { to.put("d", backup_set::encodeDescription(it)); });
        }
        case 1:
        case 2:
        case 3: {
            // Read by their keys, which name a round.
            const archive::RoundKey round{1, 1};
            MemoryStorage place;
            place.put(kind == 1   ? archive::roundStartKey(round)
                      : kind == 2 ? archive::roundEndKey(round)
                                  : archive::settingsKey(round, 5),
                      viewOf(stored));
            if (kind == 1) archive::readRoundStart(place, round);
            if (kind == 2) archive::readRoundEnd(place, round);
            if (kind == 3) archive::readSettings(place, round);
            return;
        }
        case 4:
            return readAndWrite(
                stored, [&](MemoryStorage& from) { return archive::readPiece(from, key, {}); },
                [](MemoryStorage& to, const auto& it) { archive::putRecord(to, "d", it); });
        case 5: {
            MemoryStorage place;
            place.put(key, viewOf(stored));
            archive::readCheckpointFiles(place, key);
            return;
        }
        case 7: {
            static constexpr storage::DocumentType kBag{"tidemark key bag", 1};
            return readAndWrite(
                stored,
                [&](MemoryStorage& from) {
                    const auto document = storage::openDocument(kBag, from, key);
                    return storage::readFields("bag", [&] { return backup_set::keyBagFrom(document.content); });
                },
                [](MemoryStorage& to, const auto& it) {
                    to.put("d", storage::sealDocument(kBag, backup_set::contentOf(it)));
                });
        }
        default:
            readMarker(stored);
    }
}

/// The rest of the input is the content, or with the highest bit all of the document.
void runDocument(ByteView input) {
    Choices choices(input);
    const std::uint8_t way = choices.byte();
    const std::uint8_t kind = way % std::size(kKinds);
    std::string text = choices.text();
    if ((way & 0x80) == 0) {
        text = "{\"kind\":\"" + std::string(kKinds[kind]) + "\",\"version\":1,\"content\":" + text + "}";
    }
    record(kind, (way & 0x40) == 0 ? sealed(text) : text);
}

/// Of the first byte: that the rest is all of a document, and not its content only.
std::uint8_t wholeOf(std::size_t kind) {
    // 0x80 need not be a multiple of the number of kinds.
    return static_cast<std::uint8_t>(0x80 + (kind + std::size(kKinds) - 0x80 % std::size(kKinds)) % std::size(kKinds));
}

Bytes wholeSeed(std::size_t kind, std::string_view document) {
    return ByteWriter().u8(wholeOf(kind)).text(document.substr(0, document.rfind("xxh3 "))).take();
}

std::vector<Bytes> documentSeeds() {
    std::vector<Bytes> all;
    const auto add = [&](std::uint8_t kind, auto write) {
        MemoryStorage place;
        write(place);
        const Bytes document = place.getAll(place.list("")[0].key);
        all.push_back(wholeSeed(kind, textOf(document)));
    };
    const archive::RoundKey round{1, 1};
    const auto position = mysql::GtidPosition::parse("0-1-17,2-1-3");
    add(0, [&](MemoryStorage& to) {
        backup_set::BackupSetDescription set;
        set.id = {3, backup_set::SetKind::Full};
        set.tenant_settings = {{"charset", "utf8mb4"}};
        set.objects = {{"macro_range_index.obbak", 17}};
        to.put("d", backup_set::encodeDescription(set));
    });
    add(0, [&](MemoryStorage& to) {
        to.put("d", backup_set::encodeDescription({.id = {3, backup_set::SetKind::Full}, .comment = "c"},
                                                  block::ChainKey::random()));
    });
    add(7, [&](MemoryStorage& to) {
        const PasswordKey with{.id = "0011223344556677",
                               .salt = Bytes(PasswordKey::kSaltBytes),
                               .cost = {},
                               .key = Secret::random(kKeySize)};
        backup_set::putKeyBag(to, {1, backup_set::SetKind::Full},
                              backup_set::wrapKey(*block::ChainKey::random(), with));
    });
    add(1, [&](MemoryStorage& to) { archive::putRecord(to, archive::RoundStart{round, 1002, 1, 5, position, 9}); });
    add(2, [&](MemoryStorage& to) { archive::putRecord(to, archive::RoundEnd{round, 9, 2, position, "asked"}); });
    add(3, [&](MemoryStorage& to) {
        archive::putRecord(to, archive::SettingsRecord{round, 5, position, {{"time_zone", "SYSTEM"}}});
    });
    add(4, [&](MemoryStorage& to) { archive::putRecord(to, "d", archive::PieceRecord{{}, position, position}); });
    add(5, [&](MemoryStorage& to) { archive::putCheckpoint(to, {1, 1, 1}, 5, position, 2); });
    all.push_back(
        wholeSeed(6, R"({"kind":"tidemark destination","version":1,"content":{"cluster_name":"c","cluster_id":1,
        "tenant_name":"t","tenant_id":1002,"path":"file:///x","incarnation":1,"dest_id":1001,"dest_type":"archive_log"}})"));
    // Fields that a number of another size, sign or kind stands in.
    const Bytes piece = all[6];
    for (const std::string_view wrong : {"-1", "18446744073709551616", "1.5", "true", "\"1\""}) {
        std::string text(textOf(piece));
        const auto at = text.find("\"files\": 0") + 9;
        all.push_back(bytesOf(text.replace(at, 1, wrong)));
    }
    std::string set(textOf(all[0]));
    all.push_back(bytesOf(set.replace(set.find("\"FULL\""), 6, "\"full\"")));
    set = textOf(all[0]);
    all.push_back(bytesOf(set.replace(set.find("\"turn\": 1"), 9, "\"turn\": 4294967297")));
    return all;
}

const Registered registered_document({"document", runDocument, documentSeeds});

// --- segments ---

/// Two parts: the bodies of header and index, uncompressed; the blocks are made to be as the index says, as far as that
/// can be.
void runIndex(ByteView input) {
    Choices choices(input);
    archive::SegmentHeader header;
    header.piece = {1, 1, 1};
    header.file_id = 1;
    archive::SegmentFooter footer;
    footer.summary = {choices.byte(), choices.number(), choices.byte(), choices.number()};
    footer.index_offset = archive::encodeHeader(header).size() + choices.number();
    const bool lies = choices.byte() == 0xff;
    const std::uint32_t claimed = lies ? choices.number() : 0;
    const ByteView body = choices.rest();
    Bytes compressed(ZSTD_compressBound(body.size()));
    compressed.resize(ZSTD_compress(compressed.data(), compressed.size(), body.data(), body.size(), 1));
    const Bytes stored =
        ByteWriter().u32(lies ? claimed : static_cast<std::uint32_t>(body.size())).bytes(compressed).take();
    footer.index_sum = xxh3(stored);
    footer.index_size = stored.size();
    const archive::SegmentIndex index = archive::decodeIndex(stored, header, footer);
    const Bytes again = archive::encodeIndex(index);
    footer.index_sum = xxh3(again);
    requireThat(archive::encodeIndex(archive::decodeIndex(again, header, footer)) == again,
                "an index reads as it was written");
}

/// The parts of a segment as they are, with right checksums.
void runSegment(ByteView input) {
    Choices choices(input);
    const std::uint8_t way = choices.byte();
    Bytes bytes(choices.rest().begin(), choices.rest().end());
    const auto seal = [&](std::size_t offset, std::size_t of_begin, std::size_t of_end) {
        const std::uint64_t sum = xxh3(ByteView(bytes).subspan(of_begin, of_end - of_begin));
        for (int i = 0; i < 8; ++i)
            bytes[offset + static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(sum >> (8 * i));
    };
    switch (way % 3) {
        case 0: {
            if (bytes.size() >= 20) seal(bytes.size() - 8, 0, bytes.size() - 8);
            const auto header = archive::decodeHeader(bytes);
            const auto again = promised([&] { return archive::decodeHeader(archive::encodeHeader(header)); });
            requireThat(again.piece == header.piece && again.before == header.before && again.format == header.format,
                        "a header reads as it was written");
            return;
        }
        case 1: {
            if (bytes.size() >= 64) seal(56, 0, 56);
            const auto footer = archive::decodeFooter(bytes);
            requireThat(archive::encodeFooter(footer) == bytes, "an end reads as it was written");
            return;
        }
        default: {
            if (bytes.size() > archive::kFramePrefixSize) seal(8, archive::kFramePrefixSize, bytes.size());
            requireThat(archive::decodeFrame(bytes).size() <= archive::kBlockSize, "a block has a block's size");
        }
    }
}

archive::SegmentHeader someHeader() {
    archive::SegmentHeader header;
    header.piece = {1, 1, 1};
    header.file_id = 1;
    header.server_version = "10.11.14-MariaDB-log";
    header.format = Bytes(100, 'f');
    header.before = mysql::GtidPosition::parse("0-1-16");
    return header;
}

/// A whole object, as it is; what it lets in, it lets out.
void runSegmentFile(ByteView input) {
    MemoryStorage place;
    place.put(archive::segmentKey({1, 1, 1}, 1), input);
    const archive::SegmentFile file(place, {1, 1, 1}, 1);
    const auto index = file.readIndex();
    for (const auto& block : index.blocks)
        accepted([&] { requireThat(file.readBlock(block).size() == block.raw_size, "a block has its size"); });
}

std::vector<Bytes> indexSeeds() {
    ByteWriter body;
    body.varint(1).varint(0).varint(1).varint(17).varint(5).varint(1700000000).varint(100).u8(1);
    body.string("db").string("DROP TABLE t").varint(1).varint(100).varint(60);
    ByteWriter seed;
    seed.u8(5).u8(0).u8(0).u8(0).u8(5).u8(1).u8(0).u8(0).u8(0).u8(100).u8(0).u8(0).u8(0).u8(60).u8(0);
    const Bytes before = seed.take();
    const Bytes lying = ByteWriter().bytes(ByteView(before).first(before.size() - 1)).u8(0xff).u32(1 << 24).take();
    return {seed.bytes(before).bytes(body.data()).take(), seed.bytes(lying).bytes(body.data()).take()};
}

std::vector<Bytes> segmentSeeds() {
    const auto way = [](int number, const Bytes& bytes) {
        return ByteWriter().u8(static_cast<std::uint8_t>(number)).bytes(bytes).take();
    };
    return {way(0, archive::encodeHeader(someHeader())), way(1, archive::encodeFooter({{5, 9, 3, 1000}, 200, 50, 1})),
            way(2, archive::encodeFrame(Bytes(300, 'x')))};
}

std::vector<Bytes> segmentFileSeeds() {
    MemoryStorage place;
    archive::SegmentWriter writer(place, someHeader());
    writer.append(Bytes(300, 'x'));
    archive::TransactionEntry entry;
    entry.gtid = {0, 1, 17};
    entry.scn = 5;
    writer.endTransaction(entry);
    writer.finish();
    return {place.getAll(archive::segmentKey({1, 1, 1}, 1))};
}

const Registered registered_index({"segment_index", runIndex, indexSeeds});
const Registered registered_segment({"segment", runSegment, segmentSeeds});
const Registered registered_segment_file({"segment_file", runSegmentFile, segmentFileSeeds});

}  // namespace
}  // namespace tidemark::fuzz
