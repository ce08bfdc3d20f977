#include "opened/local_pages.h"

#include <fcntl.h>

#include <bit>

#include "base/error.h"
#include "base/file.h"
#include "block/page.h"

namespace tidemark::opened {

namespace fs = std::filesystem;

LocalPages::LocalPages(fs::path file, std::uint32_t pages)
    : file_(std::move(file)), pages_(pages), words_(block::partsOf(pages, kBits)), dirty_(words_.size()) {
    const auto bits = readFile(file_);
    if (!bits) return;
    if (bits->size() > words_.size() * sizeof(Word) || bits->size() % sizeof(Word) != 0)
        throw Error(ErrorCode::Corrupt, file_.string() + " has bits of other pages");
    for (std::size_t i = 0; i < bits->size() / sizeof(Word); ++i) {
        ByteReader in(viewOf(*bits).subspan(i * sizeof(Word), sizeof(Word)), "bits of local pages");
        words_[i] = in.u64();
        count_ += static_cast<std::uint32_t>(std::popcount(words_[i]));
    }
}

bool LocalPages::has(std::uint32_t page) const {
    const MutexLock lock(mutex_);
    return (words_[page / kBits] >> (page % kBits) & 1) != 0;
}

void LocalPages::set(std::uint32_t page) {
    Word& word = words_[page / kBits];
    const Word with = word | Word{1} << (page % kBits);
    if (with == word) return;
    word = with;
    dirty_[page / kBits] = true;
    any_dirty_ = true;
    ++count_;
}

void LocalPages::add(std::uint32_t page) {
    const MutexLock lock(mutex_);
    set(page);
}

void LocalPages::addFrom(std::uint32_t first) {
    const MutexLock lock(mutex_);
    for (std::uint32_t page = first; page < pages_; ++page)
        set(page);
}

std::uint32_t LocalPages::count() const {
    const MutexLock lock(mutex_);
    return count_;
}

bool LocalPages::isDirty() const {
    const MutexLock lock(mutex_);
    return any_dirty_;
}

void LocalPages::sync(const std::function<void()>& sync_data) {
    // Whoever comes while another one syncs waits, and syncs again: what he has written may have come too late for
    // that.
    const MutexLock one(syncing_);
    if (failed_) throw Error(ErrorCode::Unavailable, "a sync of " + file_.string() + " has failed before");
    std::vector<std::pair<std::size_t, Word>> changed;
    {
        const MutexLock lock(mutex_);
        for (std::size_t i = 0; any_dirty_ && i < words_.size(); ++i) {
            if (dirty_[i]) changed.emplace_back(i, words_[i]);
            dirty_[i] = false;
        }
        any_dirty_ = false;
    }
    failed_ = true;
    sync_data();
    if (!changed.empty()) write(changed);
    failed_ = false;
}

void LocalPages::write(const std::vector<std::pair<std::size_t, Word>>& changed) const {
    const bool is_new = !fs::exists(file_);
    const Fd fd = openFile(file_, O_WRONLY | O_CREAT, 0600);
    for (const auto& [word, bits] : changed) {
        ByteWriter out;
        out.u64(bits);
        writeAt(fd.get(), out.data(), word * sizeof(Word), file_);
    }
    syncFile(fd.get(), file_);
    if (is_new) syncDirectory(file_.parent_path());
}

}  // namespace tidemark::opened
