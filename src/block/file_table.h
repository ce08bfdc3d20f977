#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "block/block_pipeline.h"

namespace tidemark::block {

/// The files of a set while it is written: their names, and the blocks of those that still grow. Used by one thread;
/// see BlockWriter for what the calls mean.
class FileTable {
public:
    explicit FileTable(BlockPipeline& pipeline) : pipeline_(pipeline) {}

    FileNumber begin(const std::string& path, bool replaces);
    std::span<std::uint8_t> reserve(FileNumber file, std::uint64_t offset);
    void commit(FileNumber file, std::uint64_t offset, std::size_t size);
    void end(FileNumber file);
    void rename(const std::string& path, const std::string& new_path);
    void remove(const std::string& path);

    /// What is left. Throws Internal if a file has not ended.
    std::vector<StoredFile> finish() const;

private:
    struct Entry {
        StoredFile file;
        bool live = true;
    };
    /// Sources go back to the header of a file (mariadb-backup does for Aria's log) before they end it, so the first
    /// block is kept until then.
    struct Growing {
        std::uint64_t size = 0;
        PlainBlock first;
        PlainBlock current;
    };

    Growing& growing(FileNumber file);
    PlainBlock& blockAt(FileNumber file, Growing& growing, std::uint64_t offset);
    void push(PlainBlock& block);
    /// The number of a file that is there. Throws Corrupt if it has not ended.
    FileNumber ended(const std::string& path) const;
    void drop(const std::string& path);

    BlockPipeline& pipeline_;
    std::vector<Entry> entries_;
    std::unordered_map<std::string, FileNumber> by_path_;
    std::unordered_map<FileNumber, Growing> growing_;
    std::size_t open_blocks_ = 0;  ///< of these, with a buffer
};

}  // namespace tidemark::block
