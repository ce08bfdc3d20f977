#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <optional>
#include <set>
#include <stop_token>
#include <thread>

#include "base/file.h"
#include "base/mutex.h"

namespace tidemark::restore {

/// Makes what was written below a directory durable beside whatever is done with it meanwhile: the server that starts
/// on restored files, and its clients, need not wait for the disk.
///
/// It has little on its way to the disk at a time, so that the sync of somebody's commit never has much before it.
/// take() and add() are for any thread, the rest for one.
class WriteBack {
public:
    /// The directory exists, and nothing has been written below it: errors of the disk that come from now on are found
    /// by finish(). `unsynced` counts the bytes of all who share it; outlives this.
    WriteBack(std::filesystem::path directory, std::atomic<std::uint64_t>& unsynced);
    /// What was not made durable by finish() is given up, and counts no longer.
    ~WriteBack() { unsynced_ -= taken_; }
    WriteBack(const WriteBack&) = delete;
    WriteBack& operator=(const WriteBack&) = delete;

    /// Room for bytes in the page cache: false if all who share it would then have more than `most` there.
    bool take(std::uint64_t bytes, std::uint64_t most);

    /// Pages of a file that are in the page cache since just now. Does not wait.
    void add(const std::filesystem::path& file, std::uint64_t offset, std::uint64_t bytes);

    /// While there is one, nothing new is sent to the disk, which somebody else needs at once. Ends before its WriteBack.
    class Pause {
    public:
        explicit Pause(WriteBack& paused) : paused_(paused) { paused_.pause(1); }
        ~Pause() { paused_.pause(-1); }
        Pause(const Pause&) = delete;
        Pause& operator=(const Pause&) = delete;

    private:
        WriteBack& paused_;
    };

    /// Returns when everything on the directory's file system is durable. Throws what the disk said since the
    /// construction; Cancelled.
    void finish(const std::stop_token& stop);

private:
    struct Part {
        const std::filesystem::path* file = nullptr;  ///< in files_
        std::uint64_t offset = 0;
        std::uint64_t bytes = 0;
    };
    struct Sent {
        Fd file;
        Part part;
    };

    void pause(int more);
    void run(const std::stop_token& stop);
    void sendAll(const std::stop_token& stop);
    std::optional<Part> next(const std::stop_token& stop);

    const std::filesystem::path directory_;
    const Fd file_system_;
    std::atomic<std::uint64_t>& unsynced_;
    std::atomic<std::uint64_t> taken_{0};
    Mutex mutex_;
    ConditionVariable changed_;
    std::set<std::filesystem::path> files_ GUARDED_BY(mutex_);  ///< each once: there may be millions of parts
    std::deque<Part> parts_ GUARDED_BY(mutex_);
    int pauses_ GUARDED_BY(mutex_) = 0;
    bool complete_ GUARDED_BY(mutex_) = false;  ///< nothing is added any more
    std::exception_ptr failure_;                ///< of the thread, once it has ended
    std::jthread thread_;                       ///< last: it uses the others
};

}  // namespace tidemark::restore
