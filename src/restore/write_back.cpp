#include "restore/write_back.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/require_going.h"

namespace tidemark::restore {
namespace {

namespace fs = std::filesystem;

// Holds up another's sync for 20 ms on a disk that takes 100 MB/s, and keeps one busy that takes 1 GB/s.
constexpr std::uint64_t kOnTheWay = 2 << 20;

void syncRange(const Fd& file, std::uint64_t offset, std::uint64_t bytes, unsigned how, const fs::path& path) {
    if (::sync_file_range(file.get(), static_cast<off64_t>(offset), static_cast<off64_t>(bytes), how) != 0)
        throwErrno(errno, "writing " + path.string());
}

constexpr const char* kCancelled = "the restore was cancelled";

}  // namespace

WriteBack::WriteBack(fs::path directory, std::atomic<std::uint64_t>& unsynced)
    : directory_(std::move(directory)),
      file_system_(openFile(directory_, O_RDONLY | O_DIRECTORY)),
      unsynced_(unsynced),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

bool WriteBack::take(std::uint64_t bytes, std::uint64_t most) {
    if (unsynced_.fetch_add(bytes) + bytes > most) {
        unsynced_ -= bytes;
        return false;
    }
    taken_ += bytes;
    return true;
}

void WriteBack::add(const fs::path& file, std::uint64_t offset, std::uint64_t bytes) {
    const MutexLock lock(mutex_);
    const fs::path* known = &*files_.insert(file).first;
    if (!parts_.empty() && parts_.back().file == known && parts_.back().offset + parts_.back().bytes == offset) {
        parts_.back().bytes += bytes;
    } else {
        parts_.push_back({known, offset, bytes});
    }
    changed_.notifyOne();
}

void WriteBack::pause(int more) {
    const MutexLock lock(mutex_);
    pauses_ += more;
    changed_.notifyOne();
}

void WriteBack::run(const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "restore-durable");
    try {
        sendAll(stop);
    } catch (...) {
        failure_ = std::current_exception();
    }
}

std::optional<WriteBack::Part> WriteBack::next(const std::stop_token& stop) {
    MutexLock lock(mutex_);
    changed_.wait(lock, stop, [&]() REQUIRES(mutex_) { return pauses_ == 0 && (complete_ || !parts_.empty()); });
    if (parts_.empty() || stop.stop_requested()) return std::nullopt;
    Part part = std::move(parts_.front());
    parts_.pop_front();
    return part;
}

void WriteBack::sendAll(const std::stop_token& stop) {
    std::deque<Sent> sent;
    std::uint64_t on_the_way = 0;
    while (auto part = next(stop)) {
        // A file that has got another name meanwhile, or is gone, is left to the sync at the end.
        Fd file(::open(part->file->c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (!file.valid()) continue;
        syncRange(file, part->offset, part->bytes, SYNC_FILE_RANGE_WRITE, *part->file);
        on_the_way += part->bytes;
        sent.push_back({std::move(file), std::move(*part)});
        while (on_the_way > kOnTheWay) {
            const Sent& first = sent.front();
            syncRange(first.file, first.part.offset, first.part.bytes,
                      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER,
                      *first.part.file);
            on_the_way -= first.part.bytes;
            sent.pop_front();
        }
    }
}

void WriteBack::finish(const std::stop_token& stop) {
    {
        const MutexLock lock(mutex_);
        complete_ = true;
        changed_.notifyOne();
    }
    {
        const std::stop_callback cancel(stop, [this] { thread_.request_stop(); });
        thread_.join();
    }
    requireGoing(stop, kCancelled);
    if (failure_) std::rethrow_exception(failure_);
    if (::syncfs(file_system_.get()) != 0) throwErrno(errno, "syncing the file system of " + directory_.string());
    unsynced_ -= taken_.exchange(0);
    requireGoing(stop, kCancelled);  // a sync cannot be ended
}

}  // namespace tidemark::restore
