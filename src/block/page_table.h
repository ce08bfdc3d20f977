#pragma once

#include <optional>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "block/page.h"
#include "block/scratch.h"

namespace tidemark::block {

/// What is known of a page.
struct PageEntry {
    Place place;
    PageHash hash;
};

/// The pages of all files of a set, by file and number, in a scratch file: 32 bytes each. Thread-safe, for threads that
/// look at different pages.
class PageTable {
public:
    explicit PageTable(const std::filesystem::path& scratch) : records_(scratch) {}

    void write(FileNumber file, std::uint32_t first_page, std::span<const PageEntry> entries);
    /// Pages that nobody wrote are nowhere.
    void read(FileNumber file, std::uint32_t first_page, std::span<PageEntry> into) const;

private:
    /// As it lies there; zeros mean: nowhere.
    struct Record {
        PageHash hash;
        std::uint32_t frame;
        std::uint32_t offset;
        std::uint16_t known_layer;  ///< and 1
        std::uint16_t unused[3];
    };
    static_assert(sizeof(Record) == 32);

    /// Where the pages of a macro block begin; they lie together, 4 KiB. nullopt if none of them was written.
    std::optional<std::uint64_t> find(FileNumber file, std::uint32_t block) const;
    std::uint64_t make(FileNumber file, std::uint32_t block);

    ScratchArray<Record> records_;
    mutable Mutex mutex_;
    std::vector<std::vector<std::uint32_t>> blocks_ GUARDED_BY(mutex_);  ///< by file and macro block; 0: none
    std::uint32_t last_ GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::block
