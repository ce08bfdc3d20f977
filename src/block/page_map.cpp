#include "block/page_map.h"

#include "base/error.h"
#include "block/stored_path.h"

namespace tidemark::block {
namespace {

void require(bool good, const std::string& origin, const char* what) {
    if (!good) throw Error(ErrorCode::Corrupt, origin + ": " + what);
}

/// Whether a page at `next` is where a run of `pages` whole ones goes on.
bool goesOn(const PlacedPages& run, const Place& next) {
    if (run.place.layer != next.layer) return false;
    if (next.layer == Place::kZeros) return true;
    return run.place.frame == next.frame && run.place.offset + std::uint64_t{run.pages} * kPageSize == next.offset;
}

}  // namespace

void requireStored(const Place& place, const std::string& path, std::uint32_t page) {
    if (place.layer == Place::kNowhere)
        throw Error(ErrorCode::Internal, "page " + std::to_string(page) + " of " + path + " was stored nowhere");
}

PageMap pageMapOf(const StoredFile& file, std::uint32_t first_page, std::span<const PageEntry> entries) {
    PageMap map{.path = file.path,
                .size = file.size,
                .first_page = first_page,
                .pages = static_cast<std::uint32_t>(entries.size()),
                .runs = {}};
    for (std::uint32_t i = 0; i < map.pages; ++i) {
        const Place& place = entries[i].place;
        requireStored(place, file.path, first_page + i);
        if (!map.runs.empty() && goesOn(map.runs.back(), place)) {
            ++map.runs.back().pages;
        } else {
            map.runs.push_back({1, place});
        }
    }
    return map;
}

void encodePageMap(ByteWriter& out, const PageMap& map) {
    out.string(map.path).varint(map.size).varint(map.first_page).varint(map.pages);
    std::int64_t next_frame = 0;
    for (const PlacedPages& run : map.runs) {
        const bool stored = run.place.layer != Place::kZeros;
        out.varint(std::uint64_t{run.pages} * 2 + (stored ? 1 : 0));
        if (!stored) continue;
        out.varint(run.place.layer).difference(run.place.frame - next_frame).varint(run.place.offset);
        next_frame = std::int64_t{run.place.frame} + 1;
    }
}

PageMap decodePageMap(ByteReader& in, const std::string& origin) {
    PageMap map;
    map.path = std::string(in.string());
    requireInnerPath(map.path, origin);
    map.size = in.varint();
    map.first_page = in.varint32();
    map.pages = in.varint32();
    const std::uint64_t pages = partsOf(map.size, kPageSize);
    require(map.size <= INT64_MAX && pages <= UINT32_MAX, origin, "a file has an impossible size");
    require(map.first_page % kPagesPerMap == 0 && map.first_page <= pages &&
                map.pages == std::min<std::uint64_t>(kPagesPerMap, pages - map.first_page),
            origin, "the pages of a file are not parted as they should be");
    std::int64_t next_frame = 0;
    for (std::uint32_t left = map.pages; left > 0;) {
        const std::uint64_t head = in.varint();
        require(head / 2 > 0 && head / 2 <= left, origin, "a run of pages has an impossible length");
        PlacedPages run{static_cast<std::uint32_t>(head / 2), {.layer = Place::kZeros}};
        if (head % 2 != 0) {
            const std::uint64_t layer = in.varint();
            const std::int64_t frame = in.movedFrom(next_frame);
            const std::uint32_t offset = in.varint32();
            require(layer < Place::kZeros && frame >= 0 && frame < UINT32_MAX && offset < kFrameSize, origin,
                    "a run of pages has an impossible place");
            run.place = {static_cast<std::uint16_t>(layer), static_cast<std::uint32_t>(frame), offset};
            next_frame = frame + 1;
        }
        left -= run.pages;
        map.runs.push_back(run);
    }
    return map;
}

void encodeLayers(ByteWriter& out, const std::vector<IndexLayer>& layers) {
    out.varint(layers.size());
    for (const IndexLayer& layer : layers) {
        out.varint(layer.id.set).u8(layer.incremental ? 1 : 0).varint(layer.id.turn).u64(layer.id.id);
        out.varint(layer.objects.size());
        for (const auto& object : layer.objects)
            out.varint(object.number).varint(object.size);
    }
}

std::vector<IndexLayer> decodeLayers(ByteReader& in, const IndexLimits& limits, const std::string& origin) {
    std::vector<IndexLayer> layers;
    const std::uint64_t count = in.varint();
    std::uint64_t all = 0;
    require(count <= limits.layers, origin, "it leans on more sets than any backup set");
    for (std::uint64_t i = 0; i < count; ++i) {
        IndexLayer& layer = layers.emplace_back();
        layer.id.set = in.varint32();
        layer.incremental = in.u8() != 0;
        layer.id.turn = in.varint32();
        layer.id.id = in.u64();
        const std::uint64_t objects = in.varint();
        require(objects <= limits.objects - all, origin, "it has more data files than any backup set");
        all += objects;
        for (std::uint64_t j = 0; j < objects; ++j) {
            const std::uint32_t number = in.varint32();
            require(j == 0 || number > layer.objects.back().number, origin, "its data files are not in order");
            layer.objects.push_back({number, in.varint()});
            require(layer.objects.back().size <= INT64_MAX, origin, "a data file has an impossible size");
        }
    }
    return layers;
}

}  // namespace tidemark::block
