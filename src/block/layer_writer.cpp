#include "block/layer_writer.h"

#include <algorithm>

#include "base/random.h"
#include "block/repack.h"
#include "block/set_index_writer.h"

namespace tidemark::block {
namespace {

/// An object ends when its table is so large, that writing and reading it take little memory.
constexpr std::size_t kLargestTable = 8 << 20;

/// Pages of one file that follow each other become one run.
FrameRecord recordOf(const FramePlace& place, std::span<const PackedPage> pages) {
    FrameRecord record{.place = place, .runs = {}, .hashes = {}};
    std::uint32_t next = 0;
    for (const PackedPage& page : pages) {
        if (record.runs.empty() || record.runs.back().file != page.file || page.number != next) {
            record.runs.push_back({page.file, page.number, 0});
        }
        record.runs.back().bytes += page.size;
        record.hashes.push_back(page.hash);
        next = page.number + 1;
    }
    return record;
}

/// Enters pages that follow each other at once.
class EntryRuns {
public:
    explicit EntryRuns(PageTable& pages) : pages_(pages) {}

    void add(FileNumber file, std::uint32_t page, const PageEntry& entry) {
        if (file != file_ || page != first_ + entries_.size()) {
            finish();
            file_ = file;
            first_ = page;
        }
        entries_.push_back(entry);
    }
    void finish() {
        pages_.write(file_, first_, entries_);
        entries_.clear();
    }

private:
    PageTable& pages_;
    FileNumber file_ = 0;
    std::uint32_t first_ = 0;
    std::vector<PageEntry> entries_;
};

}  // namespace

LayerWriter::LayerWriter(storage::Storage& storage, BlockWriterOptions options, const KnownPages* known)
    : storage_(storage),
      options_(std::move(options)),
      known_(known),
      layer_{.set = options_.set_id, .turn = options_.turn, .id = randomU63()},
      key_(options_.key, layer_),
      pages_(options_.scratch),
      frames_(options_.scratch) {}

void LayerWriter::name(FileNumber file, const std::string& path) {
    const MutexLock lock(names_mutex_);
    if (file >= names_.size()) names_.resize(file + std::size_t{1});
    names_[file] = path;
}

void LayerWriter::beginObject() {
    const auto number = static_cast<std::uint32_t>(object_sizes_.size());
    object_ = storage_.create(options_.directory + dataFileName(number));
    object_->append(encodeHead(kDataObject, {layer_, key_.cipher()}, number));
    table_.emplace(layer_, key_, number);
    frames_end_ = kHeadSize;
}

void LayerWriter::endObject() {
    const Bytes end = table_->finish(frames_end_);
    object_->append(end);
    object_->finish();
    object_.reset();
    object_sizes_.push_back(frames_end_ + end.size());
}

void LayerWriter::nameFilesOf(std::span<const PackedPage> pages) {
    for (const PackedPage& page : pages) {
        if (table_->knows(page.file)) continue;
        const MutexLock lock(names_mutex_);
        table_->name(page.file, names_.at(page.file));
    }
}

void LayerWriter::store(const BufferedFrame& frame, ByteView stored, std::span<const PackedPage> pages) {
    const bool full =
        object_ != nullptr && (frames_end_ + stored.size() > options_.data_file_size || table_->size() > kLargestTable);
    if (full) endObject();
    if (object_ == nullptr) beginObject();
    const FramePlace place{.number = static_cast<std::uint32_t>(frame.id.number),
                           .object = static_cast<std::uint32_t>(object_sizes_.size()),
                           .offset = frames_end_,
                           .stored = frame.stored,
                           .plain = frame.plain};
    object_->append(stored);
    frames_end_ += stored.size();
    frame_bytes_ += stored.size();
    nameFilesOf(pages);
    table_->add(recordOf(place, pages));
    frames_.write(place.number, place);
    enterPages(place.number, pages);
}

void LayerWriter::enterPages(std::uint32_t frame, std::span<const PackedPage> pages) {
    std::uint32_t offset = 0;
    EntryRuns runs(pages_);
    for (const PackedPage& page : pages) {
        runs.add(page.file, page.number, {{.layer = 0, .frame = frame, .offset = offset},
                                          page.hash,
                                          static_cast<std::uint16_t>(page.size)});
        offset += page.size;
    }
    runs.finish();
}

void LayerWriter::setZeros(FileNumber file, const std::vector<std::uint32_t>& pages) {
    EntryRuns runs(pages_);
    for (const std::uint32_t page : pages)
        runs.add(file, page, {{.layer = Place::kZeros}, {}, 0});
    runs.finish();
}

void LayerWriter::keep(FileNumber file, const std::vector<KeptPage>& pages) {
    EntryRuns runs(pages_);
    for (const KeptPage& page : pages)
        runs.add(file, page.number, page.entry);
    runs.finish();
}

ReadPlan LayerWriter::planRepack(const std::vector<StoredFile>& files) const {
    return block::planRepack(*known_, pages_, files, frame_bytes_, options_.scratch, options_.stop);
}

std::vector<IndexLayer> LayerWriter::layers() const {
    std::vector<IndexLayer::Object> own;
    for (std::uint32_t i = 0; i < object_sizes_.size(); ++i)
        own.push_back({i, object_sizes_[i]});
    return layersWith(std::move(own));
}

std::vector<IndexLayer> LayerWriter::layersWith(std::vector<IndexLayer::Object> objects) const {
    IndexLayer own{.id = layer_, .incremental = options_.incremental, .objects = std::move(objects)};
    std::vector<IndexLayer> layers{std::move(own)};
    if (known_ != nullptr) layers.insert(layers.end(), known_->layers().begin(), known_->layers().end());
    return layers;
}

/// Where all pages lie, also those in other layers, behind the tables of the last frames; in as many objects as it takes.
void LayerWriter::storeMaps(std::vector<StoredFile> files) {
    std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    const auto makeRoom = [this] {
        if (object_ != nullptr && table_->size() > kLargestTable) endObject();
        if (object_ == nullptr) beginObject();
    };
    makeRoom();
    table_->add(layersWith({}));
    eachPart(pages_, files, options_.stop, [&](std::uint32_t file, std::uint32_t first, std::span<const PageEntry> entries) {
        makeRoom();
        table_->add(pageMapOf(files[file], first, entries));
    });
    endObject();
}

BlockWriterResult LayerWriter::finish(const std::vector<StoredFile>& files) {
    storeMaps(files);
    BlockWriterResult result{.files = files.size()};
    const StoredIndex index = writeIndex(
        storage_, options_.directory, key_, layers(), files, pages_,
        [this](std::uint16_t layer, std::uint32_t number) {
            return layer == 0 ? frames_.read(number) : known_->frame(layer, number);
        },
        {}, options_.stop);
    result.index_checksum = index.checksum;
    for (std::size_t i = 0; i < index.layers.size(); ++i) {
        const IndexLayer& layer = index.layers[i];
        if (layer.id.set != options_.set_id) continue;
        const storage::Key& directory = i == 0 ? options_.directory : known_->reader().directory(i);
        for (const auto& object : layer.objects)
            result.objects.push_back({directory + dataFileName(object.number), object.size});
    }
    result.objects.push_back({options_.directory + kRangeIndexName, index.size});
    for (const StoredObject& object : result.objects)
        result.stored_bytes += object.size;
    for (const StoredFile& file : files)
        result.plain_bytes += file.size;
    return result;
}

}  // namespace tidemark::block
