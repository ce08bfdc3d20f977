#include "block/known_pages.h"

namespace tidemark::block {
namespace {

/// What a set reads in vain of the frames of its parents when it begins; what has changed comes on top.
constexpr double kInVainAtFirst = 0.06;

}  // namespace

KnownPages::KnownPages(const BlockReader& parent, const std::filesystem::path& scratch)
    : parent_(parent), pages_(scratch), frames_(scratch) {
    addLayers(parent.index().layers());
    parent.index().eachMap([this](const FileMap& map) { add(map); });
    retired_ = frames_.leastUsed(kInVainAtFirst);
}

/// A layer without an object is one that the parent has no page in any more.
void KnownPages::addLayers(const std::vector<IndexLayer>& layers) {
    parents_of_.push_back(Place::kNowhere);  // the new set's own
    for (std::size_t i = 0; i < layers.size(); ++i) {
        if (!layers[i].objects.empty()) {
            layers_.push_back(layers[i]);
            parents_of_.push_back(static_cast<std::uint16_t>(i));
        }
        layer_of_.push_back(static_cast<std::uint16_t>(layers_.size()));
    }
}

void KnownPages::add(const FileMap& map) {
    const auto number = static_cast<FileNumber>(files_.size() - (map.first_page > 0 ? 1 : 0));
    files_.try_emplace(map.path, KnownFile{number, map.size});
    std::vector<PageEntry> entries(map.pages);
    auto hash = map.hashes.begin();
    for (const PageRun& run : map.runs) {
        if (!run.frame) continue;
        FramePlace frame = map.frames[*run.frame];
        frame.layer = layer_of_[frame.layer];
        frames_.add(frame, map.bytesOf(run));
        for (std::uint32_t i = 0; i < run.pages; ++i) {
            const auto offset = static_cast<std::uint32_t>(run.offset + i * kPageSize);
            entries[run.first_page - map.first_page + i] = {{frame.layer, frame.number, offset}, *hash++};
        }
    }
    pages_.write(number, map.first_page, entries);
}

void KnownPages::match(FileNumber file, const std::string& path) {
    const auto found = files_.find(path);
    matched_.resize(std::max<std::size_t>(matched_.size(), file + std::size_t{1}));
    matched_[file] = found == files_.end() ? nullptr : &found->second;
}

PagesBefore KnownPages::before(FileNumber file, std::uint32_t block, std::size_t size) const {
    const KnownFile* known = matched_[file];
    if (known == nullptr) return {};
    PagesBefore before{known->size, std::vector<PageEntry>(partsOf(size, kPageSize))};
    pages_.read(known->number, static_cast<std::uint32_t>(block * kPagesPerBlock), before.entries);
    for (PageEntry& entry : before.entries) {
        if (retired_.has(entry.place.layer, entry.place.frame)) entry.place.layer = Place::kNowhere;
    }
    return before;
}

WantedFrames KnownPages::asParentHas(WantedFrames frames) const {
    for (WantedFrame& frame : frames)
        frame.place.layer = parents_of_[frame.place.layer];
    return frames;
}

void KnownPages::read(const WantedFrames& frames, const Buffer& into) const {
    parent_.read(asParentHas(frames), into);
}

ByteView KnownPages::decode(const WantedFrames& frames, const Buffer& buffer, Codec& codec,
                            const std::vector<StoredFile>& files) const {
    return parent_.decode(asParentHas(frames), buffer, codec, files);
}

}  // namespace tidemark::block
