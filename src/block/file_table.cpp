#include "block/file_table.h"

#include <algorithm>

#include "base/error.h"
#include "block/stored_path.h"

namespace tidemark::block {
namespace {

constexpr const char* kTooMany = "goes on while too many files are open";

Error corrupt(const std::string& path, const std::string& what) {
    return {ErrorCode::Corrupt, "the stream of files is not in order: " + path + " " + what};
}

}  // namespace

FileNumber FileTable::begin(const std::string& path, bool replaces) {
    requireInnerPath(path, "the stream of files");
    if (by_path_.contains(path)) {
        if (!replaces) throw corrupt(path, "comes twice");
        ended(path);
        drop(path);
    }
    const auto number = static_cast<FileNumber>(entries_.size());
    entries_.push_back({{number, path, 0}});
    by_path_.emplace(path, number);
    pipeline_.name(number, path);
    growing_.emplace(number, Growing{});
    return number;
}

FileTable::Growing& FileTable::growing(FileNumber file) {
    const auto found = growing_.find(file);
    if (found == growing_.end()) throw Error(ErrorCode::Internal, "file " + std::to_string(file) + " is not open");
    return found->second;
}

PlainBlock& FileTable::blockAt(FileNumber file, Growing& growing, std::uint64_t offset) {
    const std::uint64_t number = offset / kMacroBlockSize;
    const std::string& path = entries_[file].file.path;
    if (offset > growing.size) {
        throw corrupt(path,
                      "goes on at byte " + std::to_string(offset) + " after only " + std::to_string(growing.size));
    }
    if (number >= UINT32_MAX / kPagesPerBlock) throw corrupt(path, "is too long");
    if (number == 0) return growing.first;
    if (number == growing.size / kMacroBlockSize) return growing.current;
    throw corrupt(path, "goes back to byte " + std::to_string(offset) + ", which is stored already");
}

std::span<std::uint8_t> FileTable::reserve(FileNumber file, std::uint64_t offset) {
    PlainBlock& block = blockAt(file, growing(file), offset);
    if (block.buffer.empty()) {
        if (open_blocks_ == BlockWriter::kMostOpenBlocks) throw corrupt(entries_[file].file.path, kTooMany);
        block = {file, static_cast<std::uint32_t>(offset / kMacroBlockSize), 0, pipeline_.takeBuffer(), {}};
        ++open_blocks_;
    }
    return Codec::plain(block.buffer).subspan(offset % kMacroBlockSize);
}

void FileTable::commit(FileNumber file, std::uint64_t offset, std::size_t size) {
    Growing& grown = growing(file);
    PlainBlock& block = blockAt(file, grown, offset);
    block.size = std::max<std::size_t>(block.size, offset % kMacroBlockSize + size);
    grown.size = std::max(grown.size, offset + size);
    if (block.size == kMacroBlockSize && block.number != 0) push(block);
}

void FileTable::push(PlainBlock& block) {
    if (!block.buffer.empty()) --open_blocks_;
    if (block.size > 0) pipeline_.push(std::move(block));
    block = {};
}

void FileTable::end(FileNumber file) {
    Growing& grown = growing(file);
    push(grown.first);
    push(grown.current);
    entries_[file].file.size = grown.size;
    growing_.erase(file);
}

FileNumber FileTable::ended(const std::string& path) const {
    const FileNumber number = by_path_.at(path);
    if (growing_.contains(number)) throw corrupt(path, "is to be changed before its end");
    return number;
}

void FileTable::drop(const std::string& path) {
    const auto found = by_path_.find(path);
    entries_[found->second].live = false;
    by_path_.erase(found);
}

void FileTable::rename(const std::string& path, const std::string& new_path) {
    requireInnerPath(new_path, "the stream of files");
    if (path == new_path || !by_path_.contains(path)) return;
    const FileNumber number = ended(path);
    if (by_path_.contains(new_path)) {
        ended(new_path);
        drop(new_path);
    }
    by_path_.erase(path);
    by_path_.emplace(new_path, number);
    entries_[number].file.path = new_path;
}

void FileTable::remove(const std::string& path) {
    const bool pattern = path.ends_with('*');
    const std::string beginning = pattern ? path.substr(0, path.size() - 1) : path + "/";
    std::vector<std::string> removed;
    for (const auto& [name, number] : by_path_) {
        if (name.starts_with(beginning) || name == path) removed.push_back(name);
    }
    for (const std::string& name : removed) {
        ended(name);
        drop(name);
    }
}

std::vector<StoredFile> FileTable::finish() const {
    if (!growing_.empty()) {
        throw Error(ErrorCode::Internal, entries_[growing_.begin()->first].file.path + " has not ended");
    }
    std::vector<StoredFile> files;
    for (const Entry& entry : entries_) {
        if (entry.live) files.push_back(entry.file);
    }
    return files;
}

}  // namespace tidemark::block
