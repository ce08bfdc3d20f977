#pragma once

#include <functional>
#include <string>

#include "archive/archiver.h"
#include "base/mutex.h"
#include "testing/mariadb_server.h"

namespace tidemark::testing {

/// Keeps the last word of an archiver and lets a test wait for one. Thread-safe.
class RecordingListener : public archive::ArchiveListener {
public:
    struct Seen {
        archive::ArchiveProgress progress;
        std::string interruption;
        std::string trouble;  ///< empty once recovered
        int troubles = 0;
        int recoveries = 0;
        int unnamed = 0;  ///< progress without a binlog to purge before
    };

    void progress(const archive::ArchiveProgress& progress) override;
    void interrupted(const std::string& reason) override;
    void trouble(const std::string& text) override;
    void recovered() override;

    Seen seen() const;
    /// Waits until `condition` holds; throws Error after 60 s, saying what was waited for and what was seen last.
    Seen await(const std::string& what, const std::function<bool(const Seen&)>& condition) const;

private:
    mutable Mutex mutex_;
    mutable ConditionVariable changed_;
    Seen seen_ GUARDED_BY(mutex_);
};

/// A real server with an archiver that can be ended and started again in every way.
/// The system's clock, set forward or back.
class ShiftedClock : public Clock {
public:
    Nanos now() const override { return SystemClock().now() + shift; }
    std::atomic<Nanos> shift = 0;
};

class ArchivedServer {
public:
    explicit ArchivedServer(storage::Storage& storage, std::vector<std::string> options = {});

    MariadbServer server;
    RecordingListener listener;
    archive::ArchiverOptions options;  ///< for the next startArchiver()
    ShiftedClock clock;

    /// Begins round 1, or goes on with it, and returns when its numbers are known.
    void startArchiver();
    void crashArchiver() { archiver_.reset(); }
    void abandonArchiver();
    void stopArchiver();
    archive::Archiver& archiver() { return *archiver_; }

    /// Waits until all that is in the server's binlog now is archived.
    void awaitArchived();
    /// The position of the server's binlog.
    mysql::GtidPosition position() const;

private:
    storage::Storage& storage_;
    std::unique_ptr<archive::Archiver> archiver_;
};

}  // namespace tidemark::testing
