#include "block/page_table.h"

#include <algorithm>
#include <array>

namespace tidemark::block {

std::optional<std::uint64_t> PageTable::find(FileNumber file, std::uint32_t block) const {
    const MutexLock lock(mutex_);
    if (file >= blocks_.size() || block >= blocks_[file].size() || blocks_[file][block] == 0) return std::nullopt;
    return std::uint64_t{blocks_[file][block]} * kPagesPerBlock;
}

std::uint64_t PageTable::make(FileNumber file, std::uint32_t block) {
    const MutexLock lock(mutex_);
    if (file >= blocks_.size()) blocks_.resize(file + std::size_t{1});
    auto& blocks = blocks_[file];
    if (block >= blocks.size()) blocks.resize(block + std::size_t{1});
    if (blocks[block] == 0) blocks[block] = ++last_;
    return std::uint64_t{blocks[block]} * kPagesPerBlock;
}

void PageTable::write(FileNumber file, std::uint32_t first_page, std::span<const PageEntry> entries) {
    std::array<Record, kPagesPerBlock> records{};
    while (!entries.empty()) {
        const std::size_t within = first_page % kPagesPerBlock;
        const std::size_t count = std::min(entries.size(), kPagesPerBlock - within);
        for (std::size_t i = 0; i < count; ++i) {
            const Place& place = entries[i].place;
            records[i] = {.hash = entries[i].hash,
                          .frame = place.frame,
                          .offset = place.offset,
                          .known_layer = static_cast<std::uint16_t>(place.layer + 1),
                          .unused = {}};
        }
        const std::uint64_t at = make(file, static_cast<std::uint32_t>(first_page / kPagesPerBlock));
        records_.write(at + within, std::span(records).first(count));
        first_page += static_cast<std::uint32_t>(count);
        entries = entries.subspan(count);
    }
}

void PageTable::read(FileNumber file, std::uint32_t first_page, std::span<PageEntry> into) const {
    std::array<Record, kPagesPerBlock> records;
    while (!into.empty()) {
        const std::size_t within = first_page % kPagesPerBlock;
        const std::size_t count = std::min(into.size(), kPagesPerBlock - within);
        if (const auto at = find(file, static_cast<std::uint32_t>(first_page / kPagesPerBlock))) {
            records_.read(*at + within, std::span(records).first(count));
        } else {
            std::fill_n(records.begin(), count, Record{});
        }
        for (std::size_t i = 0; i < count; ++i) {
            const auto layer = static_cast<std::uint16_t>(records[i].known_layer - 1);
            into[i] = {{layer, records[i].frame, records[i].offset}, records[i].hash};
        }
        first_page += static_cast<std::uint32_t>(count);
        into = into.subspan(count);
    }
}

}  // namespace tidemark::block
