#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <stop_token>

#include "base/mutex.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"

namespace tidemark::random_faults {

/// Thrown where the process has ended. No Error, so that nobody handles it.
struct ProcessDied {};

/// A disk: what writers have left that died before finish() stays there until somebody removes it. Thread-safe.
class Disk : public storage::MemoryStorage {
public:
    std::unique_ptr<storage::ObjectWriter> create(const storage::Key& key) override;
    std::size_t removeUnfinished(const storage::Key& prefix) override;
    std::vector<storage::Key> unfinished() const;
    /// While this is set, a writer that is given up leaves what it has written.
    std::atomic<bool> process_is_dead = false;

private:
    friend class DiskWriter;

    mutable Mutex mutex_;
    std::vector<storage::Key> unfinished_ GUARDED_BY(mutex_);
};

/// From the start of a daemon to its end: at most one thing is done in it, while its storage fails at random, and it
/// may die, or be told to stop, at any call. Thread-safe.
class DaemonLife {
public:
    /// What may go wrong in it.
    enum class Faults {
        None,
        Passing,  ///< calls that fail, so few that a backup gets over it
        All,
    };

    /// Without faults.
    explicit DaemonLife(Disk& disk);
    DaemonLife(Disk& disk, Faults faults, std::mt19937_64& random);
    ~DaemonLife();

    const std::shared_ptr<storage::FaultyStorage>& storage() { return storage_; }
    std::stop_token stop() const { return stop_.get_token(); }
    void cancel() { stop_.request_stop(); }
    Faults faults() const { return faults_; }
    /// Faults of the storage, so far.
    std::uint64_t struck() const { return storage_->struck() - storage_calls_; }
    /// At every call of the storage, the source, the catalog. Throws ProcessDied, or Unavailable for one that has hung
    /// until the work was told to stop.
    void call();
    /// Throws ProcessDied, and from now on all calls do.
    [[noreturn]] void die();

private:
    using Rules = std::vector<storage::FaultRule>;

    static Rules passingFaults(std::mt19937_64& random);
    static Rules anyFaults(std::mt19937_64& random);
    void open(Rules rules, std::uint64_t seed);

    Disk& disk_;
    const Faults faults_;
    std::stop_source stop_;
    std::atomic<std::int64_t> calls_until_death_ = -1;   ///< below 0: never
    std::atomic<std::int64_t> calls_until_cancel_ = -1;  ///< likewise
    bool hangs_ = false;                                 ///< the call during which it is cancelled
    std::atomic<std::uint64_t> storage_calls_ = 0;
    std::shared_ptr<storage::FaultyStorage> storage_;
};

}  // namespace tidemark::random_faults
