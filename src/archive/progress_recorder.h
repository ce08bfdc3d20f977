#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "archive/archiver.h"
#include "archive/settings_log.h"
#include "base/log.h"
#include "base/mutex.h"
#include "catalog/stores.h"

namespace tidemark::archive {

/// Writes what the archivers of all tenants tell to the catalog, so that the views show it: one thread for all, fed
/// with the newest state of each round. An archiver never waits for it; while sys is away it gathers, and writes what
/// is true then.
///
/// What happens within a moment is one transaction, whoever it is of. Before a checkpoint is made known, the changes of
/// settings that were noted up to it are at the destination: the archiver puts them there, and until then the round's
/// progress is held back. Thread-safe.
class ProgressRecorder {
public:
    ProgressRecorder(catalog::Stores& stores, const Clock& clock, SettingsOf settings);
    ~ProgressRecorder();
    ProgressRecorder(const ProgressRecorder&) = delete;
    ProgressRecorder& operator=(const ProgressRecorder&) = delete;

    /// A round is followed from now on. `attend` tells its archiver that there are settings to store.
    void begin(const catalog::ArchiveRound& round, std::function<void()> attend);
    /// It is not any more, and its archiver has ended: what it told last is written, by the calling thread. Throws what
    /// prevents that.
    void end(catalog::TenantId tenant);
    /// The same without writing it.
    void drop(catalog::TenantId tenant);
    /// Waits until all that was told is written. False if that takes longer than the limit.
    bool drain(std::chrono::milliseconds limit);

    // What archivers tell of the round that is followed; they return at once. Of others it is passed over.
    void opened(catalog::TenantId tenant, const OpenedRound& round);
    void progress(catalog::TenantId tenant, const ArchiveProgress& progress);
    void status(catalog::TenantId tenant, catalog::RoundStatus status, const std::string& comment);
    /// The round's status is this with a comment until it has begun.
    void trouble(catalog::TenantId tenant, const std::string& comment);
    std::vector<SettingsRecord> settingsToStore(catalog::TenantId tenant);
    void settingsStored(catalog::TenantId tenant);

private:
    struct Round;
    using Rounds = std::vector<std::shared_ptr<Round>>;

    void run(std::stop_token stop);
    Rounds takeDue(std::stop_token stop);
    void write(const Rounds& rounds);
    void prepareSettings(const Rounds& rounds);
    SettingsToStore settingsOf(const Round& round, const std::vector<catalog::SettingChange>& changes);
    std::vector<catalog::RoundUpdate> takeUpdates(const Rounds& rounds);
    void giveBack(const Rounds& rounds, const std::vector<catalog::RoundUpdate>& updates);
    void writeOneByOne(const Rounds& rounds, std::vector<catalog::RoundUpdate> updates);
    void release(const Rounds& rounds);
    std::shared_ptr<Round> find(catalog::TenantId tenant);
    void change(catalog::TenantId tenant, const std::function<void(Round&)>& work);

    catalog::Stores& stores_;
    const Clock& clock_;
    const SettingsOf settings_;
    const Logger log_;
    std::string trouble_;  // the recorder's thread's own
    Mutex mutex_;
    ConditionVariable changed_;
    std::map<catalog::TenantId, std::shared_ptr<Round>> rounds_ GUARDED_BY(mutex_);  // as what they hold
    std::jthread thread_;                                                            // last: it uses all of the above
};

}  // namespace tidemark::archive
