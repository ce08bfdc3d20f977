#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/mutex.h"

namespace tidemark::opened {

/// Which pages of a file are local: a bit each, in memory and in a file of bits. A bit reaches that file only after the
/// data of its page is durable, so after any crash a page that is said to be local is the one that was written, and
/// what a sync has returned for is said to be local. What was not synced may be forgotten, as by a power failure.
/// Thread-safe.
class LocalPages {
public:
    /// `file` need not be there: then none is local. Throws Corrupt if it is longer than the bits of so many pages.
    LocalPages(std::filesystem::path file, std::uint32_t pages);

    std::uint32_t pages() const { return pages_; }
    bool has(std::uint32_t page) const;
    /// Its data was written.
    void add(std::uint32_t page);
    /// All from `first` on: they were cut off, and are whatever the local file has.
    void addFrom(std::uint32_t first);
    std::uint32_t count() const;
    /// Whether there is something that a sync would write.
    bool isDirty() const;

    /// Calls `sync_data`, which makes the data of the local file durable, and then does so with the bits of all pages
    /// that were added before. Throws what it throws; NoSpace, Unavailable. After a failure every later one fails: the
    /// system tells once that it could not write, and forgets the pages. Then only what is durable is known again, by
    /// opening the set anew.
    void sync(const std::function<void()>& sync_data);

private:
    using Word = std::uint64_t;
    static constexpr std::uint32_t kBits = 64;

    void set(std::uint32_t page) REQUIRES(mutex_);
    void write(const std::vector<std::pair<std::size_t, Word>>& changed) const;

    const std::filesystem::path file_;
    const std::uint32_t pages_;
    mutable Mutex mutex_;
    std::vector<Word> words_ GUARDED_BY(mutex_);
    std::vector<bool> dirty_ GUARDED_BY(mutex_);  ///< words that the file of bits does not have so
    bool any_dirty_ GUARDED_BY(mutex_) = false;
    std::uint32_t count_ GUARDED_BY(mutex_) = 0;
    Mutex syncing_;  ///< one at a time; taken before mutex_
    bool failed_ GUARDED_BY(syncing_) = false;
};

}  // namespace tidemark::opened
