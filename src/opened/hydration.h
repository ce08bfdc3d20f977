#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <stop_token>

#include "block/worker_pool.h"
#include "opened/opened_set.h"

namespace tidemark::opened {

/// Counters; any thread may read them.
struct HydrationProgress {
    std::atomic<std::uint64_t> pages{0};  ///< made local by it
    std::atomic<std::uint64_t> read_bytes{0};
};

struct HydrationOptions {
    std::filesystem::path scratch;  ///< where the plan of what is to be read lies; empty: the system's place
    /// Called before so many bytes are read, by the reading thread: waits as long as they have to.
    std::function<void(std::uint64_t bytes)> throttle = [](std::uint64_t) {};
};

/// Makes local what of the set's files is not, in the order in which it is stored: each frame is read once, if a page
/// of it is still missing. The database may go on meanwhile. At the end everything is durable, and the local data
/// directory has all there is.
///
/// A frame that is damaged or not there is passed over; once all others are local, what reading it threw is thrown.
/// Throws Unavailable, NoSpace, Cancelled at once. It can be begun again, and reads only what is missing then; what it
/// did before is durable each GiB and at the end, however that is.
void hydrate(OpenedSet& set, const block::BlockReader& reader, block::MemoryShare& memory,
             const HydrationOptions& options, HydrationProgress& progress, const std::stop_token& stop);

}  // namespace tidemark::opened
