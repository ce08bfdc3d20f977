#pragma once

#include <span>

#include "block/page.h"
#include "block/scratch_table.h"

namespace tidemark::block {

/// What is known of a page.
struct PageEntry {
    Place place;
    PageHash hash;
    std::uint16_t size = 0;  ///< bytes
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
        std::uint16_t size;
        std::uint16_t unused[2];
    };
    static_assert(sizeof(Record) == 32);

    ScratchTable<Record, kPagesPerBlock> records_;
};

}  // namespace tidemark::block
