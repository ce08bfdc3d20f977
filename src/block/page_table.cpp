#include "block/page_table.h"

#include <vector>

namespace tidemark::block {

void PageTable::write(FileNumber file, std::uint32_t first_page, std::span<const PageEntry> entries) {
    std::vector<Record> records;
    records.reserve(entries.size());
    for (const PageEntry& entry : entries) {
        records.push_back({.hash = entry.hash,
                           .frame = entry.place.frame,
                           .offset = entry.place.offset,
                           .known_layer = static_cast<std::uint16_t>(entry.place.layer + 1),
                           .size = entry.size,
                           .unused = {}});
    }
    records_.write(file, first_page, records);
}

void PageTable::read(FileNumber file, std::uint32_t first_page, std::span<PageEntry> into) const {
    std::vector<Record> records(into.size());
    records_.read(file, first_page, records);
    for (std::size_t i = 0; i < into.size(); ++i) {
        const auto layer = static_cast<std::uint16_t>(records[i].known_layer - 1);
        into[i] = {{layer, records[i].frame, records[i].offset}, records[i].hash, records[i].size};
    }
}

}  // namespace tidemark::block
