#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "archive/archiver.h"
#include "archive/settings_log.h"
#include "base/log.h"
#include "catalog/stores.h"
#include "mysql/sql_client.h"

namespace tidemark::archive {

/// One archiving tenant: its Archiver, and what the Archiver tells written to the catalog, so that the views show it.
/// Purges from the tenant's binlog what is durable in the archive.
class RoundFollower : private ArchiveListener {
public:
    /// `endpoint` gives the daemon's account at the tenant. Begins at once.
    RoundFollower(const catalog::ArchiveRound& round, ArchiverOptions options,
                  std::shared_ptr<storage::Storage> destination, catalog::Stores& stores, const Clock& clock,
                  SettingsOf settings);

    /// NOARCHIVELOG: writes what has arrived and ends the round at the destination. Throws what prevented it.
    void close() { archiver_.stop(); }
    /// Writes what has arrived; the round stays open.
    void suspend() { archiver_.abandon(); }

private:
    void progress(const ArchiveProgress& progress) override;
    bool interrupted(const std::string& reason) override;
    void trouble(const std::string& text) override;
    void recovered() override;

    void remember(const std::vector<PieceState>& changed);
    void recordPieces();
    void recordPiece(const PieceState& piece);
    void purge(const std::string& before);
    /// The listener must not throw: a catalog that is away is logged, and the next progress makes up for it. Returns
    /// whether it was recorded.
    bool guarded(const char* what, const std::function<void()>& record);

    const catalog::TenantId tenant_;
    const std::int64_t round_id_;
    const mysql::Endpoint endpoint_;
    catalog::Stores& stores_;
    const Logger log_;
    bool begun_ = false;                         // status DOING has been recorded
    std::int64_t last_piece_ = 0;                // the newest piece that the catalog knows
    std::map<PieceKey, PieceState> unrecorded_;  // what has changed and the catalog does not know
    std::string purged_before_;
    std::shared_ptr<storage::Storage> destination_;
    SettingsLog settings_;
    Archiver archiver_;  // last: its thread uses all of the above
};

}  // namespace tidemark::archive
