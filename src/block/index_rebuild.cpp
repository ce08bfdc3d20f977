#include "block/index_rebuild.h"

#include <algorithm>

#include "base/error.h"
#include "block/frame_table.h"
#include "block/page_map.h"
#include "block/scratch_table.h"
#include "block/set_index_writer.h"

namespace tidemark::block {
namespace {

class Rebuild {
public:
    Rebuild(storage::Storage& storage, const storage::Key& directory, const ChainKeyPtr& chain,
            const DirectoryOf& directory_of_others, const std::filesystem::path& scratch)
        : storage_(storage),
          directory_(directory),
          chain_(chain),
          directory_of_others_(directory_of_others),
          frames_(scratch),
          hashes_(scratch) {}

    void run(storage::Storage& into) {
        listOwn();
        readOwnFrames();
        readOtherFrames();
        const LayerKey key(chain_, layers_.front().id);
        IndexWriter writer(into, directory_, key, layers_,
                           [this](std::uint16_t layer, std::uint32_t number) { return frame(layer, number).place; });
        const MapVisitor map{
            .layers = [](const auto&) {},
            .pages =
                [&](const PageMap& pages) { writer.add(pages.path, pages.size, pages.first_page, entriesOf(pages)); }};
        for (const IndexLayer::Object& object : layers_.front().objects)
            readTable(
                directory_, object.number, [](const FrameRecord&) {}, &map);
        writer.finish();
    }

private:
    /// Of a layer; what says how large numbers are comes from outside.
    static constexpr std::uint32_t kMostFrames = 1 << 28;
    static constexpr std::size_t kTogether = 128;

    struct Frame {
        FramePlace place;
        std::uint64_t first_hash = 0;  ///< in hashes_
        std::uint32_t pages = 0;       ///< 0: there is no such frame
    };
    struct StoredPage {
        PageHash hash;
        std::uint32_t offset = 0;  ///< in the plain frame
        std::uint32_t size = 0;
    };

    [[noreturn]] void fail(const std::string& what) const {
        throw Error(ErrorCode::Corrupt, storage_.url() + "/" + directory_ + ": " + what);
    }

    void listOwn() {
        IndexLayer& own = layers_.emplace_back();
        for (const storage::ObjectInfo& object : storage_.list(directory_)) {
            const auto number = dataFileNumber(std::string_view(object.key).substr(directory_.size()));
            if (number) own.objects.push_back({*number, object.size});
        }
        std::sort(own.objects.begin(), own.objects.end(),
                  [](const auto& a, const auto& b) { return a.number < b.number; });
        for (std::size_t i = 0; i < own.objects.size(); ++i) {
            if (own.objects[i].number != i) fail(dataFileName(static_cast<std::uint32_t>(i)) + " is missing");
        }
        if (own.objects.empty()) fail("there are no data objects");
    }

    FrameTable readTable(const storage::Key& directory, std::uint32_t object,
                         const std::function<void(const FrameRecord&)>& visit, const MapVisitor* map = nullptr) {
        return readFrameTable(storage_, directory + dataFileName(object), object, chain_, visit, map);
    }

    void readOwnFrames() {
        std::optional<std::vector<IndexLayer>> others;
        const MapVisitor map{.layers = [&](const std::vector<IndexLayer>& layers) { others = layers; },
                             .pages = [](const PageMap&) {}};
        for (const IndexLayer::Object& object : layers_.front().objects) {
            const FrameTable table = readTable(
                directory_, object.number, [this](const FrameRecord& frame) { note(0, frame); }, &map);
            if (object.number == 0) layers_.front().id = table.layer;
            if (table.layer != layers_.front().id) fail("there are data objects of several copies");
        }
        if (!others) fail("its data objects do not tell of files, as those of older versions do not");
        layers_.front().incremental = others->empty() ? false : others->front().incremental;
        if (!others->empty()) layers_.insert(layers_.end(), others->begin() + 1, others->end());
    }

    void readOtherFrames() {
        for (std::size_t i = 1; i < layers_.size(); ++i) {
            for (const IndexLayer::Object& object : layers_[i].objects) {
                const FrameTable table =
                    readTable(directory_of_others_(layers_[i]), object.number,
                              [&](const FrameRecord& frame) { note(static_cast<std::uint16_t>(i), frame); });
                if (table.layer != layers_[i].id)
                    fail("what it leans on is another copy of set " + std::to_string(layers_[i].id.set));
            }
        }
    }

    void note(std::uint16_t layer, const FrameRecord& record) {
        if (record.place.number >= kMostFrames) fail("it has more frames than any backup set");
        std::vector<StoredPage> pages;
        std::uint32_t offset = 0;
        auto hash = record.hashes.begin();
        for (const FrameRun& run : record.runs) {
            for (std::uint32_t at = 0; at < run.bytes; at += kPageSize) {
                const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(run.bytes - at, kPageSize));
                pages.push_back({*hash++, offset + at, size});
            }
            offset += run.bytes;
        }
        Frame frame{record.place, next_hash_, static_cast<std::uint32_t>(pages.size())};
        frame.place.layer = layer;
        hashes_.write(next_hash_, pages);
        next_hash_ += pages.size();
        frames_.write(layer, record.place.number, std::span(&frame, 1));
    }

    Frame frame(std::uint16_t layer, std::uint32_t number) const {
        Frame found;
        frames_.read(layer, number, std::span(&found, 1));
        if (found.pages == 0) fail("it has pages in a frame that there is not");
        return found;
    }

    std::vector<PageEntry> entriesOf(const PageMap& map) {
        std::vector<PageEntry> entries;
        entries.reserve(map.pages);
        for (const PlacedPages& run : map.runs) {
            if (run.place.layer == Place::kZeros) {
                entries.resize(entries.size() + run.pages, {run.place, {}, 0});
            } else {
                appendStored(entries, run);
            }
        }
        return entries;
    }

    void appendStored(std::vector<PageEntry>& entries, const PlacedPages& run) {
        if (run.place.layer >= layers_.size()) fail("it names a layer that there is not");
        const Frame in = frame(run.place.layer, run.place.frame);
        std::vector<StoredPage> pages(in.pages);
        hashes_.read(in.first_hash, pages);
        auto page = std::lower_bound(pages.begin(), pages.end(), run.place.offset,
                                     [](const auto& one, std::uint32_t offset) { return one.offset < offset; });
        Place place = run.place;
        for (std::uint32_t i = 0; i < run.pages; ++i, ++page) {
            if (page == pages.end() || page->offset != place.offset)
                fail("it has pages that their frame does not have");
            entries.push_back({place, page->hash, static_cast<std::uint16_t>(page->size)});
            place.offset += page->size;
        }
    }

    storage::Storage& storage_;
    const storage::Key directory_;
    const ChainKeyPtr& chain_;
    const DirectoryOf& directory_of_others_;
    std::vector<IndexLayer> layers_;
    ScratchTable<Frame, kTogether> frames_;
    ScratchArray<StoredPage> hashes_;
    std::uint64_t next_hash_ = 0;
};

}  // namespace

void rebuildIndex(storage::Storage& storage, const storage::Key& directory, const ChainKeyPtr& chain,
                  const DirectoryOf& directory_of_others, const std::filesystem::path& scratch,
                  storage::Storage& into) {
    Rebuild(storage, directory, chain, directory_of_others, scratch).run(into);
}

}  // namespace tidemark::block
