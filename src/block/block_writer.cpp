#include "block/block_writer.h"

#include <algorithm>

#include "block/block_pipeline.h"
#include "block/file_table.h"

namespace tidemark::block {

BlockWriter::BlockWriter(storage::Storage& storage, Lane& lane, BlockWriterOptions options, BlockProgress& progress,
                         std::stop_source abort)
    : pipeline_(std::make_unique<BlockPipeline>(storage, lane, std::move(options), progress, std::move(abort))),
      files_(std::make_unique<FileTable>(*pipeline_)) {}

BlockWriter::~BlockWriter() = default;

FileNumber BlockWriter::beginFile(const std::string& path, bool replaces) {
    return files_->begin(path, replaces);
}

std::span<std::uint8_t> BlockWriter::reserve(FileNumber file, std::uint64_t offset) {
    return files_->reserve(file, offset);
}

void BlockWriter::commit(FileNumber file, std::uint64_t offset, std::size_t size) {
    files_->commit(file, offset, size);
}

void BlockWriter::add(FileNumber file, std::uint64_t offset, ByteView bytes) {
    while (!bytes.empty()) {
        const std::span<std::uint8_t> room = reserve(file, offset);
        const std::size_t size = std::min(room.size(), bytes.size());
        std::copy_n(bytes.begin(), size, room.begin());
        commit(file, offset, size);
        bytes = bytes.subspan(size);
        offset += size;
    }
}

void BlockWriter::endFile(FileNumber file) {
    files_->end(file);
}

void BlockWriter::renameFile(const std::string& path, const std::string& new_path) {
    files_->rename(path, new_path);
}

void BlockWriter::removeFile(const std::string& path) {
    files_->remove(path);
}

std::vector<StoredFile> BlockWriter::files() const {
    return files_->finish();
}

BlockWriterResult BlockWriter::finish() {
    return pipeline_->finish(files_->finish());
}

void BlockWriter::rethrowFailure() {
    pipeline_->rethrowFailure();
}

}  // namespace tidemark::block
