#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <optional>

#include "opened/local_pages.h"
#include "opened/stored_file.h"

namespace tidemark::opened {

/// A file of the data directory: what was written to it is in a sparse local file, the other pages are in the set.
/// However often it is open, there is one of these. Thread-safe; as with any file, what writes and reads of the same
/// bytes at the same time see is either of the two.
class OpenedFile {
public:
    struct Stored {
        StoredFile file;
        LocalPages& local;
    };

    /// `local` has the file's size. Nothing stored: the set has no such file, all of it is local.
    OpenedFile(std::filesystem::path path, Fd local, std::unique_ptr<Stored> stored);

    /// Returns less only at the end of the file. Throws what reading from the set throws.
    std::size_t read(std::uint64_t offset, std::span<std::uint8_t> into);
    void write(std::uint64_t offset, ByteView bytes);
    void truncate(std::uint64_t size);
    /// fallocate(2); `mode` as there: 0, FALLOC_FL_KEEP_SIZE, and these with FALLOC_FL_PUNCH_HOLE or
    /// FALLOC_FL_ZERO_RANGE. Throws InvalidRequest for others.
    void allocate(int mode, std::uint64_t offset, std::uint64_t size);
    /// What was written before is durable.
    void sync();
    std::uint64_t size() const;
    /// Of the local file: its attributes are the file's.
    int descriptor() const { return local_.get(); }

    /// Makes a page local, if it is not. Returns whether it has done so.
    bool fetch(std::uint32_t page);
    /// The same with what the page has, which the caller has verified, or with zeros for a number of pages, for which
    /// room is kept. What became local meanwhile stays. Returns how many pages were made local.
    std::uint32_t offer(std::uint32_t page, ByteView bytes);
    std::uint32_t offerZeros(std::uint32_t first, std::uint32_t pages);
    /// Pages that are not local.
    std::uint32_t missing() const;
    bool isMissing(std::uint32_t page) const { return isStored(page) && !stored_->local.has(page); }

private:
    /// The part of a request that lies in one page.
    struct Part {
        std::uint32_t page = 0;
        std::size_t in_page = 0;
        std::size_t at = 0;  ///< in the request
        std::size_t size = 0;
    };
    template <typename Visit>
    static void eachPart(std::uint64_t offset, std::uint64_t size, Visit visit);

    bool isStored(std::uint32_t page) const { return stored_ && page < stored_->file.pages(); }
    Mutex& mutexOf(std::uint32_t page) { return mutexes_[page % mutexes_.size()]; }
    /// The caller holds the page's mutex.
    void fetchMissing(std::uint32_t page);
    void fill(std::uint32_t page, ByteView bytes);
    std::uint32_t zero(std::uint32_t first, std::uint32_t end);
    void finishTruncation();
    void resize(std::uint64_t size) const;
    void clear(int mode, std::uint64_t offset, std::uint64_t size);

    const std::filesystem::path path_;
    const Fd local_;
    const std::unique_ptr<Stored> stored_;
    std::atomic<bool> has_holes_ = false;  ///< a page of it was seen that has
    std::array<Mutex, 16> mutexes_;        ///< held by who makes a page local: by its number; all by who cuts pages off
};

}  // namespace tidemark::opened
