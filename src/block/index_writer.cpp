#include "base/error.h"
#include "base/hash.h"
#include "block/block_index.h"
#include "block/index_format.h"

namespace tidemark::block {

class IndexWriter::Section {
public:
    explicit Section(SectionType of) : type(of) {}
    bool full() const { return payload.size() >= kSectionFull; }

    const SectionType type;
    ByteWriter payload;
};

IndexWriter::IndexWriter(storage::Storage& storage, const storage::Key& directory, std::uint32_t set_id,
                         const IndexLimits& limits)
    : limits_(limits),
      object_(storage.create(directory + kRangeIndexName)),
      blocks_(std::make_unique<Section>(SectionType::Blocks)) {
    Section header(SectionType::Header);
    header.payload.text(kIndexMagic).u16(kIndexVersion).u32(set_id);
    header.payload.u32(kMacroBlockSize).u32(kFrameSize).u32(kPageSize);
    write(header);
}

IndexWriter::~IndexWriter() = default;

void IndexWriter::write(Section& section) {
    ByteWriter framed;
    framed.u8(static_cast<std::uint8_t>(section.type)).u32(static_cast<std::uint32_t>(section.payload.size()));
    framed.bytes(section.payload.data());
    framed.u64(xxh3(framed.data()));
    object_->append(framed.data());
    checksum_.add(framed.data());
    size_ += framed.size();
    section.payload.take();
}

/// What could not be read back is not written.
static void requireWithin(std::uint64_t count, std::uint64_t limit, const char* what) {
    if (count <= limit) return;
    throw Error(ErrorCode::Conflict, "a backup set cannot have more than " + std::to_string(limit) + " " + what,
                "divide the tenant's data between several tenants");
}

void IndexWriter::add(const BlockEntry& entry) {
    requireWithin(block_count_ + 1, limits_.blocks, "macro blocks of 2 MiB");
    ByteWriter& record = blocks_->payload;
    record.varint(entry.id.file).varint(entry.id.number).varint(entry.data_file).varint(entry.offset);
    record.varint(entry.plain_size);
    for (std::size_t frame = 0; frame < entry.frameCount(); ++frame)
        record.varint(entry.frames[frame]);
    ++block_count_;
    if (blocks_->full()) write(*blocks_);
}

void IndexWriter::addFiles(const std::vector<StoredFile>& files) {
    Section section(SectionType::Files);
    for (const StoredFile& file : files) {
        section.payload.varint(file.number).varint(file.size).string(file.path);
        if (section.full()) write(section);
    }
    write(section);
}

StoredIndex IndexWriter::finish(const std::vector<StoredFile>& files, const std::vector<std::uint64_t>& data_file_sizes,
                                std::uint64_t meta_index_size) {
    requireWithin(files.size(), limits_.files, "files");
    requireWithin(data_file_sizes.size(), limits_.data_files, "data files");
    write(*blocks_);
    addFiles(files);
    Section data_files(SectionType::DataFiles);
    for (const std::uint64_t size : data_file_sizes) {
        data_files.payload.varint(size);
        if (data_files.full()) write(data_files);
    }
    write(data_files);
    Section end(SectionType::End);
    end.payload.u64(block_count_).u64(files.size()).u64(data_file_sizes.size()).u64(meta_index_size);
    write(end);
    object_->finish();
    return {size_, checksum_.value()};
}

}  // namespace tidemark::block
