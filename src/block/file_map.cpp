#include "block/file_map.h"

#include <algorithm>

#include "base/error.h"
#include "block/frame.h"
#include "block/page_hash.h"
#include "block/stored_path.h"

namespace tidemark::block {
namespace {

/// How a run begins, besides how long it is.
enum RunKind : std::uint64_t { kZeroPages = 0, kNextFrame = 1, kInFrame = 2 };

class MapDecoder {
public:
    MapDecoder(ByteReader& in, const std::vector<IndexLayer>& layers, std::size_t hash_size, const std::string& origin)
        : in_(in), layers_(layers), hash_size_(hash_size), origin_(origin) {}

    FileMap decode() {
        readFile();
        readFrames();
        readRuns();
        readHashes();
        return std::move(map_);
    }

private:
    void require(bool good, const char* what) const {
        if (!good) throw Error(ErrorCode::Corrupt, origin_ + ": " + map_.path + ": " + what);
    }

    void readFile() {
        map_.path = std::string(in_.string());
        requireInnerPath(map_.path, origin_);
        map_.size = in_.varint();
        map_.first_page = in_.varint32();
        map_.pages = in_.varint32();
        const std::uint64_t pages = partsOf(map_.size, kPageSize);
        require(map_.size <= INT64_MAX && pages <= UINT32_MAX, "it has an impossible size");
        require(map_.first_page % kPagesPerMap == 0 && (pages == 0 ? map_.first_page == 0 : map_.first_page < pages) &&
                    map_.pages == std::min<std::uint64_t>(kPagesPerMap, pages - map_.first_page),
                "its pages are not parted as they should be");
    }

    void readFrames() {
        const std::uint64_t count = in_.varint();
        require(count <= map_.pages, "it has more frames than pages");
        std::int64_t number = 0;
        std::int64_t end = 0;
        for (std::uint64_t i = 0; i < count; ++i) {
            FramePlace frame;
            const std::uint64_t layer = in_.varint();
            require(layer < layers_.size(), "it names a layer that there is not");
            frame.layer = static_cast<std::uint16_t>(layer);
            frame.object = in_.varint32();
            number = in_.movedFrom(number);
            end = in_.movedFrom(end);
            frame.stored = in_.varint32();
            frame.plain = in_.varint32();
            require(number >= 0 && number < UINT32_MAX && end >= 0, "a frame has an impossible place");
            require(frame.stored <= FrameEncoder::largestFrame() && frame.plain <= kFrameSize,
                    "a frame has an impossible size");
            frame.number = static_cast<std::uint32_t>(number++);
            frame.offset = static_cast<std::uint64_t>(end);
            requireInObject(frame);
            end += frame.stored;
            map_.frames.push_back(frame);
        }
    }

    void requireInObject(const FramePlace& frame) const {
        const auto& objects = layers_[frame.layer].objects;
        const auto found =
            std::lower_bound(objects.begin(), objects.end(), frame.object,
                             [](const auto& object, std::uint32_t number) { return object.number < number; });
        require(found != objects.end() && found->number == frame.object, "a frame lies in an object that there is not");
        require(frame.offset <= found->size && frame.stored <= found->size - frame.offset,
                "a frame lies outside of its object");
    }

    void readRuns() {
        std::uint32_t next_frame = 0;
        std::uint32_t page = map_.first_page;
        for (std::uint32_t left = map_.pages; left > 0;) {
            const std::uint64_t head = in_.varint();
            PageRun run{.first_page = page, .pages = static_cast<std::uint32_t>(head / 4), .frame = {}, .offset = 0};
            require(head / 4 > 0 && head / 4 <= left, "a run of pages has an impossible length");
            if (head % 4 == kNextFrame) {
                run.frame = next_frame++;
            } else if (head % 4 == kInFrame) {
                run.frame = in_.varint32();
                run.offset = in_.varint32();
            } else {
                require(head % 4 == kZeroPages, "a run of pages is of an unknown kind");
            }
            if (run.frame) {
                require(*run.frame < map_.frames.size(), "it has fewer frames than its pages ask for");
                require(run.offset + map_.bytesOf(run) <= map_.frames[*run.frame].plain,
                        "a page lies outside of its frame");
                stored_ += run.pages;
                next_frame = std::max(next_frame, *run.frame + 1);
            }
            page += run.pages;
            left -= run.pages;
            map_.runs.push_back(run);
        }
    }

    void readHashes() {
        map_.hashes.reserve(stored_);
        for (std::uint64_t i = 0; i < stored_; ++i)
            map_.hashes.push_back(takeHash(in_, hash_size_));
    }

    ByteReader& in_;
    const std::vector<IndexLayer>& layers_;
    const std::size_t hash_size_;
    const std::string& origin_;
    FileMap map_;
    std::uint64_t stored_ = 0;
};

}  // namespace

void encodeFileMap(ByteWriter& out, const FileMap& map, std::size_t hash_size) {
    out.string(map.path).varint(map.size).varint(map.first_page).varint(map.pages).varint(map.frames.size());
    std::int64_t number = 0;
    std::int64_t end = 0;
    for (const FramePlace& frame : map.frames) {
        out.varint(frame.layer).varint(frame.object).difference(frame.number - number);
        out.difference(static_cast<std::int64_t>(frame.offset) - end).varint(frame.stored).varint(frame.plain);
        number = std::int64_t{frame.number} + 1;
        end = static_cast<std::int64_t>(frame.offset + frame.stored);
    }
    std::uint32_t next_frame = 0;
    for (const PageRun& run : map.runs) {
        const std::uint64_t length = std::uint64_t{run.pages} * 4;
        if (!run.frame) {
            out.varint(length + kZeroPages);
        } else if (*run.frame == next_frame && run.offset == 0) {
            out.varint(length + kNextFrame);
        } else {
            out.varint(length + kInFrame).varint(*run.frame).varint(run.offset);
        }
        if (run.frame) next_frame = std::max(next_frame, *run.frame + 1);
    }
    for (const PageHash& hash : map.hashes)
        putHash(out, hash, hash_size);
}

FileMap decodeFileMap(ByteReader& in, const std::vector<IndexLayer>& layers, std::size_t hash_size,
                      const std::string& origin) {
    return MapDecoder(in, layers, hash_size, origin).decode();
}

}  // namespace tidemark::block
