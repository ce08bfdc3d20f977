#include "block/frame_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "block/frame.h"
#include "block/page_hash.h"
#include "block/stored_path.h"

namespace tidemark::block {
namespace {

constexpr std::size_t kSectionHead = 4;
/// A section ends when it has grown beyond this…
constexpr std::size_t kSectionFull = 512 << 10;
/// …so none is larger than this.
constexpr std::size_t kLargestSection = 1 << 20;

/// Writers end an object when its table has 8 MiB; names of files come on top.
constexpr std::uint64_t kLargestReadable = 64 << 20;

constexpr char kNames = 'N';
constexpr char kFrames = 'F';
constexpr char kLayers = 'L';
constexpr char kMaps = 'M';
constexpr char kEnd = 'E';

PartId sectionId(const LayerId& layer, std::uint32_t object, std::uint32_t number) {
    return {PartKind::Section, layer.id, std::uint64_t{object} << 32 | number};
}

/// Reads and checks the table of one object; each step throws Corrupt with what is wrong.
class FrameTableReader {
public:
    FrameTableReader(storage::Storage& storage, storage::Key key, std::uint32_t object, const ChainKeyPtr& chain,
                     const std::function<void(const FrameRecord&)>& visit, const MapVisitor* map)
        : storage_(storage), key_(std::move(key)), object_(object), chain_(chain), visit_(visit), map_(map) {}

    FrameTable read() {
        const auto info = storage_.stat(key_);
        if (!info) throw Error(ErrorCode::NotFound, name() + " does not exist");
        if (info->size < kHeadSize + kTrailerSize) fail("is too short");
        const Head head = decodeHead(kDataObject, storage_.get(key_, 0, kHeadSize), object_, name());
        const Bytes end = storage_.get(key_, info->size - kTrailerSize, kTrailerSize);
        trailer_ = decodeTrailer(kDataObject, end, info->size, name());
        if (trailer_.layer != head.layer || trailer_.cipher != head.cipher) fail("has the end of another object");
        if (trailer_.end - trailer_.begin > kLargestReadable) fail("has a larger table than any data object");
        table_.layer = head.layer;
        readSections(LayerKey(chain_, head.layer, head.cipher, name()));
        return std::move(table_);
    }

private:
    std::string name() const { return storage_.url() + "/" + key_; }
    [[noreturn]] void fail(const std::string& what) const { throw Error(ErrorCode::Corrupt, name() + " " + what); }
    void require(bool good, const char* what) const {
        if (!good) fail(what);
    }

    void readSections(const LayerKey& key) {
        hash_size_ = key.hashSize();
        std::uint64_t at = trailer_.begin;
        for (std::uint32_t number = 0; at < trailer_.end; ++number) {
            const Bytes head = storage_.get(key_, at, kSectionHead);
            const std::uint64_t size = std::uint64_t{ByteReader(head, "section").u32()} + key.sealSize();
            at += kSectionHead;
            require(size <= kLargestSection + key.sealSize() && at + size <= trailer_.end,
                    "has a section of an impossible size");
            Bytes stored = storage_.get(key_, at, size);
            const auto part = key.open(sectionId(table_.layer, object_, number), stored);
            require(part.has_value(), "has a damaged section");
            readSection(ByteReader(*part, "section"));
            at += size;
        }
        require(ended_ && frame_end_ == trailer_.begin, "has not all of its frames");
    }

    void readSection(ByteReader in) {
        const char type = static_cast<char>(in.u8());
        require(!ended_, "has a section behind its last one");
        if (type == kNames) {
            while (!in.atEnd()) {
                const FileNumber file = in.varint32();
                std::string path(in.string());
                requireInnerPath(path, name());
                table_.names.emplace_back(file, std::move(path));
            }
        } else if (type == kFrames) {
            while (!in.atEnd())
                readFrame(in);
        } else if (type == kLayers || type == kMaps) {
            readMap(in, type);
        } else {
            require(type == kEnd && in.u32() == table_.frames && in.atEnd(), "has not all of its frames");
            ended_ = true;
        }
    }

    void readMap(ByteReader in, char type) {
        if (map_ == nullptr) return;
        if (type == kLayers) map_->layers(decodeLayers(in, {}, name()));
        while (!in.atEnd())
            map_->pages(decodePageMap(in, name()));
    }

    void readFrame(ByteReader& in) {
        FrameRecord frame;
        const std::int64_t number = in.movedFrom(next_number_);
        require(number >= 0 && number < UINT32_MAX, "has a frame of an impossible number");
        next_number_ = static_cast<std::uint32_t>(number + 1);
        frame.place = {.number = static_cast<std::uint32_t>(number), .object = object_, .offset = frame_end_};
        frame.place.stored = in.varint32();
        frame.place.plain = in.varint32();
        require(frame.place.stored <= FrameEncoder::largestFrame() && frame.place.plain <= kFrameSize,
                "has a frame of an impossible size");
        frame_end_ += frame.place.stored;
        const std::uint64_t runs = in.varint();
        std::uint64_t bytes = 0;
        std::uint64_t pages = 0;
        for (std::uint64_t i = 0; i < runs; ++i) {
            frame.runs.push_back({in.varint32(), in.varint32(), in.varint32()});
            bytes += frame.runs.back().bytes;
            pages += partsOf(frame.runs.back().bytes, kPageSize);
            require(bytes <= frame.place.plain, "has a frame with more pages than its size");
        }
        require(bytes == frame.place.plain, "has a frame with fewer pages than its size");
        for (std::uint64_t i = 0; i < pages; ++i)
            frame.hashes.push_back(takeHash(in, hash_size_));
        ++table_.frames;
        visit_(frame);
    }

    storage::Storage& storage_;
    const storage::Key key_;
    const std::uint32_t object_;
    const ChainKeyPtr& chain_;
    const std::function<void(const FrameRecord&)>& visit_;
    const MapVisitor* const map_;
    Trailer trailer_;
    FrameTable table_;
    std::size_t hash_size_ = 0;
    std::uint32_t next_number_ = 0;
    std::uint64_t frame_end_ = kHeadSize;
    bool ended_ = false;
};

}  // namespace

void FrameTableWriter::endSection(char type, ByteWriter& payload) {
    ByteWriter part;
    part.u8(static_cast<std::uint8_t>(type)).bytes(payload.take());
    sections_.u32(static_cast<std::uint32_t>(part.size()));
    sections_.bytes(key_.sealed(sectionId(layer_, object_, section_count_++), part.take()));
}

void FrameTableWriter::name(FileNumber file, const std::string& path) {
    named_.insert(file);
    names_.varint(file).string(path);
    if (names_.size() >= kSectionFull) endSection(kNames, names_);
}

void FrameTableWriter::add(const FrameRecord& frame) {
    frames_.difference(std::int64_t{frame.place.number} - next_number_);
    next_number_ = frame.place.number + 1;
    frames_.varint(frame.place.stored).varint(frame.place.plain).varint(frame.runs.size());
    for (const FrameRun& run : frame.runs)
        frames_.varint(run.file).varint(run.first_page).varint(run.bytes);
    for (const PageHash& hash : frame.hashes)
        putHash(frames_, hash, key_.hashSize());
    ++frame_count_;
    if (frames_.size() >= kSectionFull) endSection(kFrames, frames_);
}

void FrameTableWriter::add(const std::vector<IndexLayer>& layers) {
    ByteWriter one;
    encodeLayers(one, layers);
    endSection(kLayers, one);
}

void FrameTableWriter::add(const PageMap& map) {
    ByteWriter one;
    encodePageMap(one, map);
    // One alone is smaller than the largest section.
    if (maps_.size() > 0 && maps_.size() + one.size() > kSectionFull) endSection(kMaps, maps_);
    maps_.bytes(one.data());
}

Bytes FrameTableWriter::finish(std::uint64_t at) {
    if (names_.size() > 0) endSection(kNames, names_);
    if (frames_.size() > 0) endSection(kFrames, frames_);
    if (maps_.size() > 0) endSection(kMaps, maps_);
    ByteWriter end;
    end.u32(frame_count_);
    endSection(kEnd, end);
    const Bytes trailer = encodeTrailer(kDataObject, {layer_, at, at + sections_.size(), key_.cipher()});
    sections_.bytes(trailer);
    return sections_.take();
}

std::string wrongPageIn(const FrameRecord& frame, const LayerKey& key, ByteView plain) {
    auto hash = frame.hashes.begin();
    for (const FrameRun& run : frame.runs) {
        const ByteView bytes = plain.first(run.bytes);
        for (std::size_t at = 0; at < bytes.size(); at += kPageSize, ++hash) {
            if (key.hashOf(bytes.subspan(at, std::min(kPageSize, bytes.size() - at))) == *hash) continue;
            return fmt::format("page {} is not what its table tells", run.first_page + at / kPageSize);
        }
        plain = plain.subspan(run.bytes);
    }
    return "";
}

FrameTable readFrameTable(storage::Storage& storage, const storage::Key& key, std::uint32_t object,
                          const ChainKeyPtr& chain, const std::function<void(const FrameRecord&)>& visit,
                          const MapVisitor* map) {
    return naming(storage.url() + "/" + key,
                  [&] { return FrameTableReader(storage, key, object, chain, visit, map).read(); });
}

}  // namespace tidemark::block
