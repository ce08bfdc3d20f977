#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "catalog/restore_store.h"

namespace tidemark::restore {

/// Moves restores that have ended from PROGRESS to HISTORY, each once it has been shown for kShown: who looks at
/// PROGRESS every second sees how it ended. Nobody waits for that: the job is over, its tenant is open.
///
/// What a daemon's end left in PROGRESS is the next one's to add(). Thread-safe; one thread, asleep while nothing has
/// ended.
class EndedRestores {
public:
    static constexpr std::chrono::milliseconds kShown{2000};

    explicit EndedRestores(catalog::RestoreStore& store);
    /// What is not moved by then stays.
    ~EndedRestores();
    EndedRestores(const EndedRestores&) = delete;
    EndedRestores& operator=(const EndedRestores&) = delete;

    /// The job has ended just now.
    void add(catalog::JobId job);

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Ended {
        catalog::JobId job;
        Time due;
    };

    void run(std::stop_token stop);
    /// False: the catalog could not be written, and the job is still in PROGRESS.
    bool move(catalog::JobId job) const;

    catalog::RestoreStore& store_;
    const Logger log_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Ended> waiting_;  ///< in the order in which they are due
    std::jthread thread_;        ///< last: it uses all of the above
};

}  // namespace tidemark::restore
