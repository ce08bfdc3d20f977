#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/archive_reader.h"
#include "backup_set/backup_set.h"
#include "backup_set/tenant_key.h"
#include "base/clock.h"
#include "restore/restore_notes.h"
#include "storage/destination.h"

namespace tidemark::restore {

/// What is asked for.
struct RestoreTarget {
    std::vector<std::string> uris;          ///< data and archive destinations, in any order
    std::optional<Scn> until_scn;           ///< with neither of these: the last point that the destinations reach
    std::optional<std::string> until_time;  ///< in the time zone of the tenant that was backed up
    /// A set that is known to be damaged is taken only if no other one reaches the target.
    std::function<bool(const storage::Destination&, const backup_set::SetId&)> is_broken =
        [](const auto&, const auto&) { return false; };
    std::span<const Secret> passwords;      ///< of encrypted sets, in any order
    std::span<const backup_set::TenantKey> tenant_keys = {};  ///< likewise
};

/// Which set and which log bring a tenant to the target. Made from nothing but the destinations.
struct RestorePlan {
    std::shared_ptr<storage::Storage> data;
    storage::DestinationMarker source;  ///< whose backup it is
    std::string data_uri;
    backup_set::BackupSetDescription set;
    backup_set::ChainKeyPtr key;  ///< of an encrypted set
    Scn target = 0;
    bool newest = false;     ///< no point was asked for: the tenant ends with the newest settings that are known
    Scn settings_until = 0;  ///< later ones are not looked at

    /// The log; without one the set itself is the target.
    std::shared_ptr<storage::Storage> archive;  ///< null if it is the set's own
    std::shared_ptr<archive::ArchiveReader> reader;
    std::string archive_uri;
    archive::RoundKey round;
    archive::ArchiveReader::Extent log;  ///< what of it has to be replayed; may be nothing
    /// What the tenant's settings were at the end of the set, and how they changed up to the target. They are not in
    /// the log, and what it says depends on them.
    std::map<std::string, std::string> settings;
    std::vector<archive::ArchiveReader::Settings> changes;
    bool hasLog() const { return reader != nullptr; }

    std::string setUri(const backup_set::SetId& id) const;
    std::string pieceUri(const archive::PieceKey& key) const;
    std::vector<archive::PieceState> pieces() const;  ///< of which log is needed

    /// As the views show it: URIs, comma-separated; of all sets that hold pages of the one that is restored. Throws
    /// NotFound or Corrupt, naming the object.
    std::string setList() const;
    std::string pieceList() const;
    std::vector<std::uint32_t> serverIds() const;  ///< that occur in the set or the log
    RestoreChoice choice(std::vector<std::string> uris) const;
};

/// Throws Ob::EntryNotExist, saying what there is, if nothing reaches the target; Ob::InvalidBackupDest and the other
/// destination errors; Corrupt or NotFound naming a damaged object.
RestorePlan planRestore(const RestoreTarget& target);

/// The plan of which this is the choice, whatever has come to the destinations since. Throws Ob::EntryNotExist if they
/// do not have it any more.
RestorePlan planAgain(const RestoreChoice& choice, const backup_set::ChainKeyPtr& key = {});

}  // namespace tidemark::restore
