#include "block/file_map.h"
#include "block/frame.h"
#include "block/frame_table.h"
#include "block/index_rebuild.h"
#include "block/page_filter.h"
#include "block/set_index.h"
#include "fuzz.h"
#include "restore/set_files.h"
#include "storage/memory_storage.h"

/// How a backup set stores pages. Sizes and checksums are made right before the parser sees the bytes, as in
/// stored.cpp.
namespace tidemark::fuzz {
namespace {

using storage::MemoryStorage;

constexpr block::LayerId kLayer{.set = 7, .turn = 1, .id = 99};

/// Sets that are encrypted have the same parsers behind their tags, which no input gets past.
const block::LayerKey kKey({}, kLayer);

/// An index of these parts: the groups (two bytes of size each) and, behind a size of 0, the rest of the directory.
/// Sizes and checksums are made right.
Bytes indexOf(ByteView input) {
    Choices choices(input);
    ByteWriter out, groups;
    out.bytes(block::encodeHead(block::kIndexObject, {kLayer}, 0));
    std::uint64_t count = 0;
    for (ByteView part = choices.longPart(); !part.empty(); part = choices.longPart()) {
        out.bytes(kKey.sealed({block::PartKind::Group, kLayer.id, count++}, Bytes(part.begin(), part.end())));
        groups.string("t" + std::to_string(count)).varint(0).varint(part.size() + kKey.sealSize());
    }
    const std::uint64_t begin = out.size();
    ByteWriter directory;
    directory.bytes(choices.rest()).varint(count).bytes(groups.data());
    out.bytes(kKey.sealed({block::PartKind::Directory, kLayer.id, 0}, directory.take()));
    const Bytes trailer = block::encodeTrailer(block::kIndexObject, {kLayer, begin, out.size()});
    return out.bytes(trailer).take();
}

/// What is read is written as it was read.
void runSetIndex(ByteView input) {
    MemoryStorage place;
    place.put("d/macro_range_index.obbak", indexOf(input));
    const block::SetIndex index(place, "d/macro_range_index.obbak", 7);
    std::vector<block::StoredFile> files;
    index.eachMap([&](const block::FileMap& map) {
        files.push_back({0, map.path, map.size});
        ByteWriter out;
        block::encodeFileMap(out, map, kKey.hashSize());
        ByteReader in(out.data(), "map");
        const block::FileMap again =
            promised([&] { return block::decodeFileMap(in, index.layers(), kKey.hashSize(), "map"); });
        requireThat(again.path == map.path && again.hashes == map.hashes && again.runs.size() == map.runs.size() &&
                        again.frames.size() == map.frames.size(),
                    "a map reads as it was written");
    });
    index.find("t1");
    accepted([&] { restore::requireOrdinaryFiles(files, "index"); });
}

std::vector<Bytes> setIndexSeeds() {
    block::FileMap map{.path = "t1", .size = 300000, .first_page = 0, .pages = 19};
    map.frames = {{.layer = 0, .number = 3, .object = 0, .offset = 64, .stored = 500, .plain = block::kFrameSize}};
    map.runs = {{0, 3, {}, 0}, {3, 16, 0U, 0}};
    map.hashes.assign(16, {.low = 5});
    ByteWriter group, directory, seed;
    block::encodeFileMap(group, map, kKey.hashSize());
    directory.varint(1).varint(7).u8(0).varint(1).u64(kLayer.id).varint(1).varint(0).varint(9000);
    directory.varint(1).varint(300000).varint(16).varint(500);
    seed.u8(static_cast<std::uint8_t>(group.size() >> 8)).u8(static_cast<std::uint8_t>(group.size()));
    return {seed.bytes(group.data()).u8(0).u8(0).bytes(directory.data()).take()};
}

const Registered registered_set_index({"set_index", runSetIndex, setIndexSeeds});

/// A data object whose table has these sections: type, two bytes of size, payload.
void runFrameTable(ByteView input) {
    Choices choices(input);
    ByteWriter out;
    out.bytes(block::encodeHead(block::kDataObject, {kLayer}, 0)).bytes(Bytes(500));
    const std::uint64_t begin = out.size();
    for (std::uint64_t number = 0; !choices.rest().empty(); ++number) {
        ByteWriter section;
        section.u8(choices.byte());
        section.bytes(choices.longPart());
        out.u32(static_cast<std::uint32_t>(section.size()));
        out.bytes(kKey.sealed({block::PartKind::Section, kLayer.id, number}, section.take()));
    }
    const Bytes trailer = block::encodeTrailer(block::kDataObject, {kLayer, begin, out.size()});
    MemoryStorage place;
    place.put("d/" + block::dataFileName(0), out.bytes(trailer).take());
    // What a lost index is made of: it becomes one that can be read, or is refused.
    accepted([&] {
        MemoryStorage made;
        block::rebuildIndex(place, "d/", {}, [](const auto&) { return "d/"; }, {}, made);
        const block::SetIndex index(made, "d/macro_range_index.obbak", 7);
        accepted([&] { index.eachMap([](const block::FileMap&) {}); });
    });
    std::uint32_t frames = 0;
    const block::MapVisitor map{.layers = [](const auto&) {},
                                .pages = [](const block::PageMap& pages) {
                                    ByteWriter written;
                                    block::encodePageMap(written, pages);
                                    ByteReader in(written.data(), "map");
                                    const auto again = promised([&] { return block::decodePageMap(in, "map"); });
                                    requireThat(again.path == pages.path && again.runs.size() == pages.runs.size(),
                                                "a map reads as it was written");
                                }};
    const auto table = block::readFrameTable(place, "d/" + block::dataFileName(0), 0, {},
                                             [&](const block::FrameRecord&) { ++frames; }, &map);
    requireThat(table.frames == frames, "all frames are told");
}

std::vector<Bytes> frameTableSeeds() {
    ByteWriter names, frames, seed;
    names.varint(4).string("d/t.ibd");
    frames.difference(7).varint(500).varint(20000).varint(1).varint(4).varint(0).varint(20000).u64(1).u64(2);
    const auto section = [&](char type, const Bytes& payload) {
        seed.u8(static_cast<std::uint8_t>(type)).u8(0).u8(static_cast<std::uint8_t>(payload.size())).bytes(payload);
    };
    section('N', names.data());
    section('F', frames.data());
    section('L', ByteWriter().varint(1).varint(7).u8(0).varint(1).u64(kLayer.id).varint(0).take());
    block::PageMap map{.path = "d/t.ibd", .size = 40000, .first_page = 0, .pages = 3, .runs = {}};
    map.runs = {{2, {.layer = 0, .frame = 7, .offset = 0}}, {1, {.layer = block::Place::kZeros}}};
    ByteWriter maps;
    block::encodePageMap(maps, map);
    section('M', maps.data());
    section('E', ByteWriter().u32(1).take());
    return {seed.take()};
}

const Registered registered_frame_table({"frame_table", runFrameTable, frameTableSeeds});

void runFrame(ByteView input) {
    Choices choices(input);
    const std::size_t size = std::min<std::size_t>(choices.number(), block::kFrameSize);
    static block::FrameEncoder encoder;
    static block::FrameDecoder decoder;
    const block::PartId id{block::PartKind::Frame, 1, 4};
    Bytes plain(size);
    Bytes given = kKey.sealed(id, Bytes(choices.rest().begin(), choices.rest().end()));
    decoder.decode(given, id, kKey, plain);
    // Pages that are index pages or nearly so: the filter goes through whatever bytes there are.
    Bytes page(choices.rest().begin(), choices.rest().end());
    page.resize(2 * block::kPageSize - 5);
    const Bytes before = page;
    block::subtractHeapNumbers(page);
    block::addHeapNumbers(page);
    requireThat(page == before, "the filter is undone");
    Bytes stored(block::FrameEncoder::largestFrame());
    Bytes changed = before;
    stored.resize(encoder.encode(changed, id, kKey, stored));
    Bytes back(before.size());
    requireThat(decoder.decode(stored, id, kKey, back).empty() && back == before, "a frame reads as it was written");
}

std::vector<Bytes> frameSeeds() {
    Bytes page(block::kPageSize);
    page[24] = 0x45;
    page[25] = 0xbf;
    page[42] = 0x80;
    for (std::size_t record = 99; record < 400; record += 20)
        page[record - 1] = 20;
    block::FrameEncoder encoder;
    Bytes plain(5000, 'x'), stored(block::FrameEncoder::largestFrame());
    stored.resize(encoder.encode(plain, {block::PartKind::Frame, 1, 4}, kKey, stored) - kKey.sealSize());
    return {ByteWriter().u32(0).bytes(page).take(), ByteWriter().u8(0).u8(0).u8(0x13).u8(0x88).bytes(stored).take()};
}

const Registered registered_frame({"frame", runFrame, frameSeeds});

}  // namespace
}  // namespace tidemark::fuzz
