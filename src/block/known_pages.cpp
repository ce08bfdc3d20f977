#include "block/known_pages.h"

#include <algorithm>

#include "base/error.h"
#include "base/require_going.h"
#include "storage/loss.h"

namespace tidemark::block {
namespace {

/// What a set reads in vain of the frames of its parents when it begins; what has changed comes on top.
constexpr double kInVainAtFirst = 0.06;

/// Of all layers together: 64 TB of whole frames.
constexpr std::uint64_t kMostFrames = 1 << 28;

/// The object's table is read twice: names may follow what they are names of.
std::unordered_map<FileNumber, std::string> namesOf(storage::Storage& storage, const storage::Key& key,
                                                    const EarlierObject& object, const ChainKeyPtr& chain,
                                                    LayerId& layer) {
    const FrameTable table = readFrameTable(storage, key, object.number, chain, [](const FrameRecord&) {});
    layer = table.layer;
    return {table.names.begin(), table.names.end()};
}

}  // namespace

KnownPages::KnownPages(storage::Storage& storage, const BlockWriterOptions& options)
    : reader_(storage, options.key), pages_(options.scratch), frames_(options.scratch) {
    reader_.addLayer({}, {});  // the new set's own
    if (options.parent) addParent(*options.parent, options.stop);
    for (const EarlierObject& object : options.earlier)
        addEarlier(storage, options, object);
    retired_ = frames_.leastUsed(kInVainAtFirst);
}

std::uint16_t KnownPages::addLayer(const IndexLayer& layer, const storage::Key& directory) {
    layers_.push_back(layer);
    reader_.addLayer(layer.id, directory);
    return static_cast<std::uint16_t>(layers_.size());
}

FileNumber KnownPages::numberOf(const std::string& path) {
    return files_.try_emplace(path, static_cast<FileNumber>(files_.size())).first->second;
}

void KnownPages::addParent(const BlockReader& parent, const std::stop_token& stop) {
    const auto& layers = parent.index().layers();
    std::vector<std::uint16_t> layer_of(layers.size());
    for (std::size_t i = 0; i < layers.size(); ++i) {
        // A layer without an object is one that the parent has no page in any more.
        if (!layers[i].objects.empty()) layer_of[i] = addLayer(layers[i], parent.frames().directory(i));
    }
    parent.index().eachMap([&](const FileMap& map) {
        requireGoing(stop);
        add(map, layer_of);
    });
}

void KnownPages::add(const FileMap& map, const std::vector<std::uint16_t>& layer_of) {
    const FileNumber file = numberOf(map.path);
    auto hash = map.hashes.begin();
    for (const PageRun& run : map.runs) {
        if (!run.frame) continue;
        FramePlace frame = map.frames[*run.frame];
        frame.layer = layer_of[frame.layer];
        const std::uint64_t bytes = map.bytesOf(run);
        use(frame, bytes);
        enter({.file = file, .first_page = run.first_page, .bytes = static_cast<std::uint32_t>(bytes)},
              {frame.layer, frame.number, run.offset}, hash);
    }
}

void KnownPages::enter(const FrameRun& run, Place place, std::vector<PageHash>::const_iterator& hash) {
    std::vector<PageEntry> entries;
    for (std::uint32_t at = 0; at < run.bytes; at += kPageSize) {
        const auto size = static_cast<std::uint16_t>(std::min<std::uint64_t>(run.bytes - at, kPageSize));
        entries.push_back({place, *hash++, size});
        place.offset += size;
    }
    pages_.write(run.file, run.first_page, entries);
}

/// Numbers are bounded before memory is taken for them: what says how large they are comes from outside.
void KnownPages::use(const FramePlace& frame, std::uint64_t bytes) {
    std::uint32_t& most = most_frames_[frame.layer];
    if (frame.number >= most) {
        frames_seen_ += frame.number + std::uint64_t{1} - most;
        most = frame.number + 1;
        if (frames_seen_ > kMostFrames) throw Error(ErrorCode::Corrupt, "a set has more frames than any backup set");
    }
    frames_.add(frame, bytes);
}

void KnownPages::addEarlier(storage::Storage& storage, const BlockWriterOptions& options,
                            const EarlierObject& object) {
    const storage::Key key = object.directory + dataFileName(object.number);
    requireGoing(options.stop);
    try {
        IndexLayer layer{.id = {}, .incremental = options.incremental, .objects = {}};
        const auto names = namesOf(storage, key, object, options.key, layer.id);
        if (layer.id.set != options.set_id || layer.id.turn >= options.turn) return;  // somebody has put it there
        std::unordered_map<FileNumber, FileNumber> files;
        for (const auto& [number, path] : names)
            files[number] = numberOf(path);
        auto known = std::find_if(layers_.begin(), layers_.end(), [&](const auto& one) { return one.id == layer.id; });
        if (known == layers_.end()) {
            const std::uint16_t added = addLayer(layer, object.directory);
            known = layers_.begin() + (added - 1);
        }
        known->objects.push_back({object.number, object.size});
        const auto number = static_cast<std::uint16_t>(known - layers_.begin() + 1);
        readFrameTable(storage, key, object.number, options.key,
                       [&](const FrameRecord& frame) { add(frame, number, files); });
    } catch (const Error& error) {
        if (!storage::isLoss(error)) throw;
    }
}

void KnownPages::add(const FrameRecord& frame, std::uint16_t layer,
                     const std::unordered_map<FileNumber, FileNumber>& files) {
    FramePlace place = frame.place;
    place.layer = layer;
    use(place, place.plain);
    std::uint32_t offset = 0;
    auto hash = frame.hashes.begin();
    for (const FrameRun& run : frame.runs) {
        const auto file = files.find(run.file);
        if (file != files.end()) {
            enter({file->second, run.first_page, run.bytes}, {layer, place.number, offset}, hash);
        } else {
            hash += static_cast<std::ptrdiff_t>(partsOf(run.bytes, kPageSize));
        }
        offset += run.bytes;
    }
}

void KnownPages::match(FileNumber file, const std::string& path) {
    const auto found = files_.find(path);
    matched_.resize(std::max<std::size_t>(matched_.size(), file + std::size_t{1}), kNone);
    matched_[file] = found == files_.end() ? kNone : found->second;
}

std::vector<PageEntry> KnownPages::before(FileNumber file, std::uint32_t block, std::size_t size) const {
    if (matched_[file] == kNone) return {};
    std::vector<PageEntry> entries(partsOf(size, kPageSize));
    pages_.read(matched_[file], static_cast<std::uint32_t>(block * kPagesPerBlock), entries);
    for (PageEntry& entry : entries) {
        if (retired_.has(entry.place.layer, entry.place.frame)) entry.place.layer = Place::kNowhere;
    }
    return entries;
}

}  // namespace tidemark::block
