#include "block/set_index_writer.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "block/file_map.h"
#include "block/page_map.h"

namespace tidemark::block {
namespace {

/// A group ends when it has grown beyond this; a map is at most 2.5 MiB long.
constexpr std::size_t kGroupFull = 256 << 10;

void requireWithin(std::uint64_t count, std::uint64_t limit, const char* what) {
    if (count <= limit) return;
    throw Error(ErrorCode::Conflict, "a backup set cannot have more than " + std::to_string(limit) + " " + what,
                "divide the tenant's data between several tenants");
}

}  // namespace

IndexWriter::IndexWriter(storage::Storage& storage, const storage::Key& directory, const LayerKey& key,
                         const std::vector<IndexLayer>& layers, FramePlaceOf frame)
    : object_(storage.create(directory + kRangeIndexName)),
      key_(key),
      layers_(layers),
      frame_(std::move(frame)),
      used_objects_(layers.size()) {
    append(encodeHead(kIndexObject, {layers.front().id, key.cipher()}, 0));
}

void IndexWriter::add(const std::string& path, std::uint64_t size, std::uint32_t first_page,
                      std::span<const PageEntry> entries) {
    if (first_page == 0) {
        ++totals_.files;
        totals_.bytes += size;
    }
    FileMap map{.path = path, .size = size};
    map.first_page = first_page;
    map.pages = static_cast<std::uint32_t>(entries.size());
    fill(map, entries);
    add(map);
}

StoredIndex IndexWriter::finish(const IndexLimits& limits) {
    if (group_.size() > 0) endGroup();
    requireWithin(group_count_, limits.groups, "groups of files");
    ByteWriter directory;
    const std::vector<IndexLayer> layers = layersInUse();
    encodeLayers(directory, layers);
    directory.varint(totals_.files).varint(totals_.bytes).varint(totals_.stored_pages).varint(totals_.frame_bytes);
    directory.varint(group_count_).bytes(groups_.data());
    requireWithin(directory.size(), limits.directory, "bytes in the directory of its index");
    const std::uint64_t begin = size_;
    const std::uint64_t checksum = xxh3(directory.data());
    append(key_.sealed({PartKind::Directory, layers_.front().id.id, 0}, directory.take()));
    append(encodeTrailer(kIndexObject, {layers_.front().id, begin, size_, key_.cipher()}));
    object_->finish();
    return {size_, checksum, layers};
}

void IndexWriter::append(const Bytes& bytes) {
    object_->append(bytes);
    size_ += bytes.size();
}

void IndexWriter::fill(FileMap& map, std::span<const PageEntry> entries) {
    KnownFrames known;
    for (std::uint32_t i = 0; i < map.pages; ++i) {
        const Place& place = entries[i].place;
        requireStored(place, map.path, map.first_page + i);
        addPage(map, map.first_page + i, place, known);
        if (place.layer != Place::kZeros) map.hashes.push_back(entries[i].hash);
    }
    totals_.stored_pages += map.hashes.size();
}

void IndexWriter::addPage(FileMap& map, std::uint32_t page, const Place& place, KnownFrames& known) {
    std::optional<std::uint32_t> frame;
    if (place.layer != Place::kZeros) {
        const auto [at, is_new] =
            known.try_emplace({place.layer, place.frame}, static_cast<std::uint32_t>(map.frames.size()));
        if (is_new) map.frames.push_back(use(place));
        frame = at->second;
    }
    if (!map.runs.empty()) {
        PageRun& last = map.runs.back();
        const bool goes_on =
            last.frame == frame && (!frame || last.offset + std::uint64_t{last.pages} * kPageSize == place.offset);
        if (goes_on) {
            ++last.pages;
            return;
        }
    }
    map.runs.push_back({page, 1, frame, frame ? place.offset : 0});
}

FramePlace IndexWriter::use(const Place& place) {
    FramePlace frame = frame_(place.layer, place.frame);
    frame.layer = place.layer;
    if (used_.add(place.layer, frame.number)) totals_.frame_bytes += frame.stored;
    used_objects_[place.layer].insert(frame.object);
    return frame;
}

void IndexWriter::add(const FileMap& map) {
    if (group_.size() == 0) {
        first_path_ = map.path;
        first_page_ = map.first_page;
    }
    encodeFileMap(group_, map, key_.hashSize());
    if (group_.size() >= kGroupFull) endGroup();
}

void IndexWriter::endGroup() {
    const Bytes stored = key_.sealed({PartKind::Group, layers_.front().id.id, group_count_++}, group_.take());
    append(stored);
    groups_.string(first_path_).varint(first_page_).varint(stored.size());
}

/// Of other layers only the objects that pages lie in.
std::vector<IndexLayer> IndexWriter::layersInUse() const {
    std::vector<IndexLayer> layers = layers_;
    for (std::size_t i = 1; i < layers.size(); ++i)
        std::erase_if(layers[i].objects, [&](const auto& one) { return !used_objects_[i].contains(one.number); });
    return layers;
}

StoredIndex writeIndex(storage::Storage& storage, const storage::Key& directory, const LayerKey& key,
                       const std::vector<IndexLayer>& layers, std::vector<StoredFile> files, const PageTable& pages,
                       const FramePlaceOf& frame, const IndexLimits& limits, const std::stop_token& stop) {
    requireWithin(files.size(), limits.files, "files");
    requireWithin(layers.size(), limits.layers, "sets that it leans on");
    std::uint64_t objects = 0;
    for (const IndexLayer& layer : layers)
        objects += layer.objects.size();
    requireWithin(objects, limits.objects, "data files");
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    IndexWriter writer(storage, directory, key, layers, frame);
    eachPart(pages, files, stop, [&](std::uint32_t file, std::uint32_t first, std::span<const PageEntry> entries) {
        writer.add(files[file].path, files[file].size, first, entries);
    });
    return writer.finish(limits);
}

}  // namespace tidemark::block
