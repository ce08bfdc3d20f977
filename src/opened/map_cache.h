#pragma once

#include <string>
#include <vector>

#include "block/set_index.h"
#include "opened/shared_cache.h"

namespace tidemark::opened {

/// Where the pages of some of a file are, and what they are.
struct PageLookup {
    explicit PageLookup(block::FileMap map);

    block::FileMap file;
    std::vector<std::uint32_t> first_hashes;  ///< which of file.hashes the first page of each run has

    const block::PageRun& runOf(std::uint32_t page) const;
    /// Of a page of that run, which is no zeros.
    const block::PageHash& hashOf(const block::PageRun& run, std::uint32_t page) const;
    std::size_t bytes() const;
};

/// What the index of a set tells of its files, by groups of maps, those that were asked for last: a map has a
/// thousandth of what it tells of, and a set may be larger than memory. Thread-safe.
class MapCache {
public:
    /// Holds `bytes` at most, apart from what somebody still has. The index outlives it.
    MapCache(const block::SetIndex& index, std::size_t bytes) : index_(index), groups_(bytes) {}

    using Group = std::vector<PageLookup>;
    /// What tells of that page of a file of this size; it stays as long as somebody has it. Throws Corrupt, naming the
    /// index, if nothing does; Unavailable.
    std::shared_ptr<const PageLookup> get(const std::string& path, std::uint64_t size, std::uint32_t page);

private:
    Group read(std::size_t number) const;

    const block::SetIndex& index_;
    SharedCache<std::size_t, Group> groups_;
};

}  // namespace tidemark::opened
