#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "archive/archiver.h"
#include "archive/binlog_purger.h"
#include "archive/progress_recorder.h"
#include "base/log.h"
#include "base/mutex.h"
#include "catalog/stores.h"

namespace tidemark::archive {

/// One archiving tenant: its Archiver, and who is told what it tells: the recorder, which keeps the catalog true, the
/// purger of what is archived, and those who wait for a transaction to be. Thread-safe, but for the end.
class RoundFollower : private ArchiveListener {
public:
    /// Begins at once.
    RoundFollower(const catalog::ArchiveRound& round, ArchiverOptions options,
                  std::shared_ptr<storage::Storage> destination, ProgressRecorder& recorder, BinlogPurger& purger,
                  const Clock& clock);
    /// What was not written is dropped; the recorder forgets the round, unless it was told to end() it.
    ~RoundFollower() override;

    std::int64_t roundId() const { return round_id_; }
    const std::string& path() const { return path_; }

    /// NOARCHIVELOG: writes what has arrived and ends the round at the destination. Throws what prevented it.
    void close() { archiver_.stop(); }
    /// Writes what has arrived; the round stays open.
    void suspend() { archiver_.abandon(); }
    /// The same, begun and not waited for.
    void beginSuspend() { archiver_.beginAbandon(); }
    void beginClose() { archiver_.beginStop(); }

    void setLagTarget(std::chrono::milliseconds lag_target);
    /// See ArchiveService::whenArchived().
    void whenArchived(const mysql::GtidPosition& position, std::function<void()> then);
    /// See ArchiveService::makeDurable(): begins it and returns the time that awaitCheckpoint() is to be asked for.
    Scn beginCheckpoint();
    bool awaitCheckpoint(Scn scn, std::chrono::steady_clock::time_point until);

private:
    struct Waiting {
        mysql::GtidPosition position;
        std::function<void()> then;
    };

    void opened(const OpenedRound& round) override;
    void progress(const ArchiveProgress& progress) override;
    void interrupted(const std::string& reason) override;
    void trouble(const std::string& text) override;
    void recovered() override;
    std::vector<SettingsRecord> settingsToStore() override;
    void settingsStored() override;

    void applyLagTarget() REQUIRES(mutex_);
    void callAll();

    const catalog::TenantId tenant_;
    const std::int64_t round_id_;
    const std::string path_;
    ProgressRecorder& recorder_;
    BinlogPurger& purger_;
    const Clock& clock_;
    const Logger log_;

    Mutex mutex_;
    ConditionVariable changed_;
    std::chrono::milliseconds lag_target_ GUARDED_BY(mutex_);
    mysql::GtidPosition durable_ GUARDED_BY(mutex_);
    Scn checkpoint_ GUARDED_BY(mutex_) = 0;
    bool begun_ GUARDED_BY(mutex_) = false;
    bool over_ GUARDED_BY(mutex_) = false;
    std::vector<Waiting> waiting_ GUARDED_BY(mutex_);
    std::string purged_before_ GUARDED_BY(mutex_);
    Archiver archiver_;  // last: its thread uses all of the above
};

}  // namespace tidemark::archive
