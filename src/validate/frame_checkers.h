#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "block/frame_table.h"
#include "block/memory_budget.h"
#include "validate/checking.h"

namespace tidemark::validate {

/// What became of the frames of one data object. Complete after FrameCheckers::finish(). Thread-safe.
class FrameTally {
public:
    struct Damage {
        std::uint64_t offset = 0;  ///< of the first frame that is damaged
        std::string what;
        block::FileNumber file = 0;  ///< whose pages it has
        std::uint64_t page = 0;
    };

    void damaged(const block::FrameRecord& frame, const std::string& what);
    std::uint64_t count() const;
    /// Of the first one in the object.
    std::optional<Damage> first() const;

private:
    mutable Mutex mutex_;
    std::uint64_t count_ GUARDED_BY(mutex_) = 0;
    std::optional<Damage> first_ GUARDED_BY(mutex_);
};

/// The threads that read frames of data objects; the lane's workers decode them and compare every page with its hash.
class FrameCheckers {
public:
    /// Frames that lie one after another in an object, as its own table tells of them.
    struct Batch {
        std::shared_ptr<FrameTally> tally;
        storage::Key key;
        block::LayerId layer;
        std::shared_ptr<const block::LayerKey> layer_key;
        std::vector<block::FrameRecord> frames;

        /// Whether a frame still fits, to be read with the others into one buffer.
        bool takes(const block::FrameRecord& frame) const;
    };

    explicit FrameCheckers(const Checking& with);
    /// Abandons what is not checked yet.
    ~FrameCheckers();
    FrameCheckers(const FrameCheckers&) = delete;
    FrameCheckers& operator=(const FrameCheckers&) = delete;

    /// Waits for room. Throws what a thread failed with: Unavailable, Cancelled …
    void check(Batch batch);
    /// Waits for all of them; throws likewise.
    void finish();

private:
    void work();
    void checkBatch(const Batch& batch);
    std::optional<std::pair<std::size_t, std::string>> problemOf(const Batch& batch, std::size_t first,
                                                                 std::size_t count);

    const Checking& with_;
    block::MemoryShare memory_;
    BoundedQueue<Batch> queue_;
    Mutex mutex_;
    std::exception_ptr failure_ GUARDED_BY(mutex_);
    std::vector<std::jthread> threads_;
};

}  // namespace tidemark::validate
