#include "mount/fetching.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/growing_pause.h"
#include "base/stop_sleep.h"
#include "opened/hydration.h"

namespace tidemark::mount {

namespace {

constexpr std::chrono::milliseconds kLookEach{200};

/// Without a sync: who reads it after a crash of the machine asks again.
void replaceQuickly(const std::filesystem::path& path, const std::string& text) {
    const std::filesystem::path fresh = path.string() + ".new";
    {
        const Fd file = openFile(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        writeAll(file.get(), viewOf(text), fresh);
    }
    std::filesystem::rename(fresh, path);
}

}  // namespace

Fetching::Fetching(opened::OpenedSet& set, const block::BlockReader& reader, const backup_set::MountFiles& files)
    : set_(set),
      reader_(reader),
      files_(files),
      log_(makeLogger("fetching")),
      fetching_([this](const std::stop_token& stop) { fetch(stop); }),
      telling_([this](const std::stop_token& stop) { tell(stop); }) {}

void Fetching::setProblem(const std::string& problem) {
    const MutexLock lock(mutex_);
    problem_ = problem;
}

void Fetching::fetch(const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "fetch");
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10);  // those who read the mount come first
    GrowingPause pauses(std::chrono::seconds(1), std::chrono::seconds(30));
    while (!std::filesystem::exists(files_.complete())) {
        if (!std::filesystem::exists(files_.hydrate())) {
            if (!sleepFor(stop, kLookEach)) return;
            continue;
        }
        try {
            block::MemoryShare memory(memory_, {.minimum = 1, .most = 1}, stop);
            opened::HydrationProgress progress;
            const auto throttle = [&](std::uint64_t bytes) { bandwidth_.take(bytes, {.stop = stop}); };
            opened::hydrate(set_, reader_, memory, {.scratch = files_.directory, .throttle = throttle}, progress, stop);
            setProblem("");
            replaceFile(files_.complete(), "\n");
            log_->info("all pages are local, {} bytes were read", progress.read_bytes.load());
            return;
        } catch (const std::exception& error) {
            if (stop.stop_requested()) return;
            log_->warn("what is missing cannot be fetched: {}", error.what());
            setProblem(error.what());
        }
        if (!sleepFor(stop, pauses.next())) return;
    }
}

void Fetching::takeLimit() {
    const std::string text = readFile(files_.hydrate()).value_or("");
    const std::uint64_t limit = std::strtoull(text.c_str(), nullptr, 10);
    if (limit != limit_) bandwidth_.setLimit(limit);
    limit_ = limit;
}

void Fetching::tell(const std::stop_token& stop) {
    pthread_setname_np(pthread_self(), "tell");
    std::string told;
    do {
        try {
            takeLimit();
            backup_set::MountProgress progress{.missing = set_.missing(), .pages = set_.pages()};
            {
                const MutexLock lock(mutex_);
                progress.problem = problem_;
            }
            const std::string text = progress.text();
            if (text != told) replaceQuickly(files_.progress(), text);
            told = text;
        } catch (const std::exception& error) {
            log_->warn("progress cannot be told: {}", error.what());
        }
    } while (sleepFor(stop, kLookEach));
}

}  // namespace tidemark::mount
