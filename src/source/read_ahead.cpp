#include "source/read_ahead.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "base/file.h"

namespace tidemark::source {
namespace {

namespace fs = std::filesystem;

// mariadb-backup reads so much of a tablespace when it opens it, and through the cache, whatever the server does.
constexpr off_t kBeginning = 64 << 10;
constexpr std::size_t kOnTheWay = 8;

/// A file whose beginning the kernel has been asked to read.
struct Asked {
    Fd file;
    off_t last = 0;

    void wait() const {
        char byte = 0;
        [[maybe_unused]] const ssize_t unneeded = ::pread(file.get(), &byte, 1, last);
    }
};

Asked ask(const fs::path& path) {
    Asked asked{.file = Fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC))};
    struct stat info {};
    if (!asked.file.valid() || ::fstat(asked.file.get(), &info) != 0) return asked;
    const off_t size = std::min(info.st_size, kBeginning);
    asked.last = std::max<off_t>(size - 1, 0);
    ::posix_fadvise(asked.file.get(), 0, size, POSIX_FADV_WILLNEED);
    return asked;
}

}  // namespace

ReadAhead::ReadAhead(fs::path data_directory)
    : data_directory_(std::move(data_directory)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void ReadAhead::run(const std::stop_token& stop) const {
    pthread_setname_np(pthread_self(), "backup-ahead");
    for (const char* extension : {".ibd", ".frm"})
        readAll(extension, stop);
}

void ReadAhead::readAll(const char* extension, const std::stop_token& stop) const {
    std::deque<Asked> asked;
    std::error_code problem;  // a schema that is dropped meanwhile ends it: mariadb-backup finds the rest itself
    auto entry = fs::recursive_directory_iterator(data_directory_, problem);
    for (; !problem && entry != fs::end(entry) && !stop.stop_requested(); entry.increment(problem)) {
        if (entry->path().extension() != extension) continue;
        asked.push_back(ask(entry->path()));
        if (asked.size() < kOnTheWay) continue;
        asked.front().wait();
        asked.pop_front();
    }
}

}  // namespace tidemark::source
