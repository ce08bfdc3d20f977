#pragma once

#include <atomic>
#include <functional>
#include <stop_token>

#include "archive/archiver.h"
#include "base/growing_pause.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/waker.h"

namespace tidemark::archive {

/// What an Archiver's thread does, and all that it uses: it outlives the Archiver if the destination hangs.
class ArchiverLoop {
public:
    enum class Ending { Drop, Flush, Close };

    ArchiverLoop(ArchiverOptions options, std::shared_ptr<storage::Storage> destination, const Clock& clock,
                 ArchiveListener& listener);

    void run(std::stop_token stop);

    // Other threads'.
    void setLagTarget(std::chrono::milliseconds lag_target);
    void hurry();
    void attend();
    /// How run() is to end; it has `end_limit` from the first time on. Nothing is said without it: Drop.
    void beginEnd(Ending ending);
    /// Waits until run() has come to its end. False: it has not, and from now on does nothing that anyone could see;
    /// `leave` is called first.
    bool awaitEnd(const std::function<void()>& leave);
    bool isLeft() const { return *left_; }
    /// After awaitEnd(): what prevented the end that was asked for.
    void throwFailure() const;

private:
    struct Session;

    void runSession();
    void openRound(Session& session);
    void requireClock() const;
    void follow(Session& session);
    template <typename Ask>
    auto askTenant(Ask ask);
    void flush(Session& session);
    void storeSettings();
    void lookIfIdle(Session& session, bool durable);
    void coverUpTo(Session& session, Scn time, bool durable);
    void noteDurable(const Session& session);
    void report(const std::optional<std::string>& purge_before = std::nullopt);
    void handleFailure(const Error& error);
    void waitBeforeRetry();
    void handleInterruption();
    void reportClosed();
    void finishRound();
    void makeAllDurable();
    void tell(const std::function<void(ArchiveListener&)>& word);

    const std::shared_ptr<std::atomic<bool>> left_ = std::make_shared<std::atomic<bool>>(false);
    const ArchiverOptions options_;
    const std::shared_ptr<storage::Storage> destination_;
    const Clock& clock_;
    const Logger log_;

    // Of the thread alone, until it has ended.
    std::stop_token stop_;
    std::unique_ptr<RoundWriter> round_;
    bool opened_ = false;  // the listener has been told of the round
    Scn durable_checkpoint_ = 0;
    Scn covered_ = 0;
    std::string purge_before_;
    std::string trouble_;
    GrowingPause retry_;  ///< while something fails
    int refusals_ = 0;    // in a row, by the tenant, of our position
    std::optional<std::string> interruption_;
    std::exception_ptr ending_failure_;

    std::atomic<Ending> ending_ = Ending::Drop;
    std::atomic<std::chrono::milliseconds> lag_target_;
    std::atomic<bool> attention_ = false;
    std::atomic<bool> hurry_ = false;
    Waker waker_;

    Mutex mutex_;
    ConditionVariable ended_changed_;
    bool ended_ GUARDED_BY(mutex_) = false;
    std::optional<std::chrono::steady_clock::time_point> end_by_ GUARDED_BY(mutex_);
    ArchiveListener* listener_ GUARDED_BY(mutex_);  // null once nobody waits for the thread
};

}  // namespace tidemark::archive
