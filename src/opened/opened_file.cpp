#include "opened/opened_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "block/page_holes.h"

namespace tidemark::opened {

using block::kPageSize;

namespace {

void allocateIn(const Fd& file, int mode, std::uint64_t offset, std::uint64_t size, const std::filesystem::path& path) {
    if (::fallocate(file.get(), mode, static_cast<off_t>(offset), static_cast<off_t>(size)) == 0) return;
    if (errno == EOPNOTSUPP) throw Error(ErrorCode::InvalidRequest, path.string() + ": fallocate is not supported");
    throwErrno(errno, "allocating in " + path.string());
}

/// Holds the mutexes of all pages: nobody makes one local meanwhile.
template <std::size_t kCount>
class AllPages {
public:
    explicit AllPages(std::array<Mutex, kCount>& mutexes) NO_THREAD_SAFETY_ANALYSIS : mutexes_(mutexes) {
        for (Mutex& mutex : mutexes_)
            mutex.lock();
    }
    ~AllPages() NO_THREAD_SAFETY_ANALYSIS {
        for (Mutex& mutex : mutexes_)
            mutex.unlock();
    }
    AllPages(const AllPages&) = delete;
    AllPages& operator=(const AllPages&) = delete;

private:
    std::array<Mutex, kCount>& mutexes_;
};

}  // namespace

OpenedFile::OpenedFile(std::filesystem::path path, Fd local, std::unique_ptr<Stored> stored)
    : path_(std::move(path)), local_(std::move(local)), stored_(std::move(stored)) {
    if (stored_ && size() < stored_->file.size()) finishTruncation();
}

/// One may have become durable without the bits that it has set.
void OpenedFile::finishTruncation() {
    const std::uint64_t size = this->size();
    const auto pages = static_cast<std::uint32_t>(block::partsOf(size, kPageSize));
    bool all = true;
    for (std::uint32_t page = size / kPageSize; page < stored_->file.pages() && all; ++page)
        all = stored_->local.has(page);
    if (all) return;
    if (size % kPageSize != 0 && isMissing(pages - 1)) fetchMissing(pages - 1);
    resize(size);
    stored_->local.addFrom(pages);
    sync();
}

void OpenedFile::resize(std::uint64_t size) const {
    if (::ftruncate(local_.get(), static_cast<off_t>(size)) != 0) throwErrno(errno, "truncating " + path_.string());
}

template <typename Visit>
void OpenedFile::eachPart(std::uint64_t offset, std::uint64_t size, Visit visit) {
    for (std::uint64_t done = 0; done < size;) {
        const std::uint64_t at = offset + done;
        Part part{.page = static_cast<std::uint32_t>(at / kPageSize), .in_page = at % kPageSize, .at = done};
        part.size = std::min<std::uint64_t>(kPageSize - part.in_page, size - done);
        visit(part);
        done += part.size;
    }
}

std::uint64_t OpenedFile::size() const {
    struct stat info {};
    if (::fstat(local_.get(), &info) != 0) throwErrno(errno, "asking for the size of " + path_.string());
    return static_cast<std::uint64_t>(info.st_size);
}

std::size_t OpenedFile::read(std::uint64_t offset, std::span<std::uint8_t> into) {
    // What is local is read at once; then pages that were missing at that moment are put over it.
    std::vector<Part> missing;
    if (stored_) {
        eachPart(offset, into.size(), [&](const Part& part) {
            if (isMissing(part.page)) missing.push_back(part);
        });
    }
    const std::size_t got = readAt(local_.get(), into, offset, path_);
    std::array<std::uint8_t, kPageSize> page;
    for (const Part& part : missing) {
        if (part.at >= got) break;
        const std::span<std::uint8_t> bytes = std::span(page).first(stored_->file.bytesOf(part.page));
        const std::size_t most = std::min(part.size, got - part.at);
        if (part.in_page >= bytes.size()) continue;  // behind what the set has of its last page
        stored_->file.read(part.page, bytes);
        const auto wanted = bytes.subspan(part.in_page, std::min(most, bytes.size() - part.in_page));
        std::copy(wanted.begin(), wanted.end(), into.begin() + static_cast<std::ptrdiff_t>(part.at));
    }
    return got;
}

void OpenedFile::fetchMissing(std::uint32_t page) {
    std::array<std::uint8_t, kPageSize> bytes;
    const std::span<std::uint8_t> stored = std::span(bytes).first(stored_->file.bytesOf(page));
    stored_->file.read(page, stored);
    fill(page, stored);
}

/// What the set has of the page. Holes of a table with PAGE_COMPRESSED stay holes.
void OpenedFile::fill(std::uint32_t page, ByteView bytes) {
    const std::uint64_t offset = std::uint64_t{page} * kPageSize;
    const std::size_t size = block::sizeBeforeHole(bytes);
    writeAt(local_.get(), bytes.first(size), offset, path_);
    if (size < bytes.size()) {
        has_holes_ = true;
        // A write that failed may have left something there.
        allocateIn(local_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset + size, bytes.size() - size, path_);
    }
    stored_->local.add(page);
}

bool OpenedFile::fetch(std::uint32_t page) {
    const MutexLock lock(mutexOf(page));
    if (!isMissing(page)) return false;
    fetchMissing(page);
    return true;
}

std::uint32_t OpenedFile::offer(std::uint32_t page, ByteView bytes) {
    const MutexLock lock(mutexOf(page));
    if (!isMissing(page)) return 0;
    fill(page, bytes);
    return 1;
}

std::uint32_t OpenedFile::offerZeros(std::uint32_t first, std::uint32_t pages) {
    constexpr std::uint32_t kAtOnce = 256;  // so that nobody who writes waits for long
    std::uint32_t made = 0;
    for (std::uint32_t done = 0; done < pages; done += kAtOnce)
        made += zero(first + done, std::min(first + pages, first + done + kAtOnce));
    return made;
}

/// Missing pages of [first, end). Room is kept for them, but in a table with holes.
std::uint32_t OpenedFile::zero(std::uint32_t first, std::uint32_t end) {
    const AllPages lock(mutexes_);
    const int how = has_holes_ ? FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE : FALLOC_FL_ZERO_RANGE;
    std::uint32_t made = 0;
    for (std::uint32_t page = first; page < end; ++page) {
        if (!isMissing(page)) continue;
        std::uint32_t behind = page + 1;
        while (behind < end && isMissing(behind))
            ++behind;
        const std::uint64_t offset = std::uint64_t{page} * kPageSize;
        const std::uint64_t bytes = std::min(stored_->file.size(), std::uint64_t{behind} * kPageSize) - offset;
        // A write that failed may have left something there.
        allocateIn(local_, how, offset, bytes, path_);
        for (; page < behind; ++page, ++made)
            stored_->local.add(page);
    }
    return made;
}

std::uint32_t OpenedFile::missing() const {
    return stored_ ? stored_->local.pages() - stored_->local.count() : 0;
}

void OpenedFile::write(std::uint64_t offset, ByteView bytes) {
    eachPart(offset, bytes.size(), [&](const Part& part) {
        const ByteView data = bytes.subspan(part.at, part.size);
        if (!isMissing(part.page)) return writeAt(local_.get(), data, offset + part.at, path_);
        const MutexLock lock(mutexOf(part.page));
        const bool whole = part.in_page == 0 && part.size >= stored_->file.bytesOf(part.page);
        if (!whole && isMissing(part.page)) fetchMissing(part.page);
        writeAt(local_.get(), data, offset + part.at, path_);
        stored_->local.add(part.page);
    });
}

void OpenedFile::truncate(std::uint64_t size) {
    const AllPages lock(mutexes_);
    const std::uint64_t before = this->size();
    const auto last = static_cast<std::uint32_t>(size / kPageSize);
    if (size < before && size % kPageSize != 0 && isMissing(last)) fetchMissing(last);
    resize(size);
    if (!stored_ || size >= before) return;
    stored_->local.addFrom(static_cast<std::uint32_t>(block::partsOf(size, kPageSize)));
    // At once: if the file grew again, and its size alone were durable, what was cut off would come back.
    sync();
}

void OpenedFile::allocate(int mode, std::uint64_t offset, std::uint64_t size) {
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0)
        throw Error(ErrorCode::InvalidRequest, "this kind of fallocate is not supported");
    if ((mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0) return clear(mode, offset, size);
    allocateIn(local_, mode, offset, size, path_);
}

/// Pages that lie whole in what is cleared need not be fetched, and are local once it is.
void OpenedFile::clear(int mode, std::uint64_t offset, std::uint64_t size) {
    const AllPages lock(mutexes_);
    std::vector<std::uint32_t> whole;
    eachPart(offset, std::min(size, std::max(this->size(), offset) - offset), [&](const Part& part) {
        if (!isMissing(part.page)) return;
        if (part.in_page == 0 && part.size >= stored_->file.bytesOf(part.page)) {
            whole.push_back(part.page);
        } else {
            fetchMissing(part.page);
        }
    });
    allocateIn(local_, mode, offset, size, path_);
    for (const std::uint32_t page : whole)
        stored_->local.add(page);
}

void OpenedFile::sync() {
    const auto sync_data = [&] { syncFile(local_.get(), path_); };
    stored_ ? stored_->local.sync(sync_data) : sync_data();
}

}  // namespace tidemark::opened
