#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "block/block_reader.h"
#include "block/block_writer.h"
#include "storage/storage.h"

namespace tidemark::backup_set {

enum class SetKind { Full, Incremental };
constexpr SetKind kindOf(bool incremental) {
    return incremental ? SetKind::Incremental : SetKind::Full;
}

/// Which backup set of a destination; ids begin at 1 and grow.
struct SetId {
    std::uint32_t number = 0;
    SetKind kind = SetKind::Full;

    bool operator==(const SetId&) const = default;
};

/// An object of the log that a set carries, below logDirectory().
struct LogObject {
    storage::Key key;
    std::uint64_t size = 0;
    std::uint64_t checksum = 0;  ///< XXH3 of all of it
};

/// What `single_backup_set_info.obbak` says: everything that a restore needs beside the blocks, and everything that the
/// views show of a set. See docs/format/backup_set.md.
struct BackupSetDescription {
    SetId id;
    std::uint32_t turn = 1;                  ///< which of the copies that were begun the set consists of
    std::uint32_t prev_full_set = 0;         ///< at which its chain begins; 0 for full sets
    std::uint32_t prev_incremental_set = 0;  ///< the set that it was made against, full or not; 0 for full sets

    std::string cluster_name;
    std::uint64_t cluster_id = 0;
    std::string tenant_name;
    std::uint64_t tenant_id = 0;
    std::uint64_t dest_id = 0;
    /// Whatever a tenant of the same kind has to be made with, e.g. compatibility_mode, lower_case_table_names.
    std::map<std::string, std::string> tenant_settings;
    std::string comment;  ///< of the statement that asked for the backup

    Nanos start_time = 0;
    Nanos end_time = 0;
    Scn start_scn = 0;
    Scn start_replay_scn = 0;
    Scn consistent_scn = 0;
    Scn min_restore_scn = 0;  ///< the set can be restored to this and later, with the log from `gtid` on
    bool plus_archivelog = false;
    Scn log_end_scn = 0;  ///< plus_archivelog: the set's own log leads from `gtid` to here

    std::string gtid;  ///< position of the copy; the log is replayed from here
    std::string binlog_file;
    std::uint64_t binlog_position = 0;
    std::uint64_t from_lsn = 0;
    std::uint64_t to_lsn = 0;
    std::uint64_t last_lsn = 0;
    std::string server_version;
    /// Pages whose own checksum was wrong in the tenant when they were copied, by file: "20 21 …"; perhaps not all of
    /// the wrong_page_count.
    std::map<std::string, std::string> wrong_pages;
    std::uint64_t wrong_page_count = 0;

    std::uint64_t input_bytes = 0;   ///< of all files
    std::uint64_t output_bytes = 0;  ///< of all objects of the set's blocks
    std::uint64_t files = 0;
    std::uint64_t tablets = 0;
    std::uint64_t macro_blocks = 0;

    /// The set's blocks: data files, also those of earlier turns that it has pages in, and the index.
    std::vector<block::StoredObject> objects;
    std::uint64_t index_checksum = 0;          ///< block::SetIndex::checksum()
    std::vector<LogObject> log_objects;        ///< plus_archivelog: an archive of its own
    std::uint64_t log_files = 0;               ///< segments among them

    bool encrypted = false;  ///< all that tells of the content is, here and in the blocks
    /// The part of it that is encrypted, as long as it was not opened: its fields above lack. docs/format/backup_set.md
    /// says which they are.
    struct Sealed {
        std::string clear;  ///< the rest, which is authenticated beside it
        Bytes bytes;
    };
    std::optional<Sealed> sealed;
};

/// Null for a set that is not encrypted.
using ChainKeyPtr = block::ChainKeyPtr;

/// "backup_set_1_full/" and, below it, where the blocks of a turn are.
storage::Key setDirectory(const SetId& id);
storage::Key blockDirectory(const SetId& id, std::uint32_t turn = 1);
/// "backup_set_1_full/complement_log/": the root of the archive that a set made PLUS ARCHIVELOG is in itself.
storage::Key logDirectory(const SetId& id);
/// An object of it as it lies there. Reads all of it.
LogObject logObjectAt(storage::Storage& storage, const storage::Key& key);
/// Where the objects of a layer are.
storage::Key layerDirectory(const block::IndexLayer& layer);
storage::Key descriptionKey(const SetId& id);
/// Below it are the turns.
storage::Key turnsDirectory(const SetId& id);

/// Claims the number: from now on the set exists, unfinished. Throws AlreadyExists if there is one.
void beginBackupSet(storage::Storage& storage, const SetId& id);
/// The same for a copy of it: the first one claims the number, a later one lies beside those before and leaves them
/// alone. Throws AlreadyExists if this turn was begun before.
void beginTurn(storage::Storage& storage, const SetId& id, std::uint32_t turn);

/// The data objects that turns before this one have stored whole: their pages need not be stored again.
std::vector<block::EarlierObject> objectsOfEarlierTurns(storage::Storage& storage, const SetId& id, std::uint32_t turn);

/// Stores the description, verifies what is stored (verifyBackupSet), and only then makes the set visible by one last
/// object. Throws what it finds wrong, Cancelled if `stop` is requested; the set then stays unfinished. May be called
/// again with the same description. With a key the description is encrypted.
void finishBackupSet(storage::Storage& storage, const BackupSetDescription& description, const ChainKeyPtr& key = {},
                     const std::stop_token& stop = {});
/// finishBackupSet() with the description that is stored already: for what somebody else has begun to finish. nullopt
/// if there is none.
std::optional<BackupSetDescription> finishDescribedSet(storage::Storage& storage, const SetId& id,
                                                       const ChainKeyPtr& key = {}, const std::stop_token& stop = {});

/// A set as found at a destination.
struct FoundBackupSet {
    enum class State {
        Complete,    ///< `description` is there
        Unfinished,  ///< a backup at work, or what a crashed one left
        Damaged,     ///< was complete, but its description cannot be read: `problem` says why
    };
    SetId id;
    State state = State::Unfinished;
    std::optional<BackupSetDescription> description;
    std::string problem;
};

/// All sets of a destination in order of their numbers, from nothing but the destination. Descriptions of encrypted
/// ones are sealed.
std::vector<FoundBackupSet> listBackupSets(storage::Storage& storage);

/// Objects among those whose names say which sets there are that are none of them.
std::vector<storage::Key> foreignPlaceHolders(storage::Storage& storage);

/// The description of a complete set; without a key an encrypted one stays sealed. Throws NotFound if there is no such
/// set or it is not complete; Corrupt, also if the key is not the set's.
BackupSetDescription readBackupSet(storage::Storage& storage, const SetId& id, const ChainKeyPtr& key = {});

/// The description that lies there, whether the set is complete or not. Throws NotFound or Corrupt.
BackupSetDescription readDescription(storage::Storage& storage, const SetId& id, const ChainKeyPtr& key = {});

/// Those of a complete set's empty objects, whose names alone say something, that are missing; `*` where a time stands.
std::vector<storage::Key> missingPlaceHolders(storage::Storage& storage, const SetId& id);

/// For people: what is wrong with `pages` of a file, as a description has them.
std::string wrongPagesText(const std::string& pages);

/// Whether the object that makes a set visible is there.
bool isComplete(storage::Storage& storage, const SetId& id);
/// The complete set of this number; nullopt if there is none.
std::optional<SetId> findComplete(storage::Storage& storage, std::uint32_t number);

/// Reads back everything that a restore needs: every object and its size, indexes and description with their checksums.
/// The bytes of blocks and of the set's log are not read again: whoever stored them has seen to that.
/// Throws Corrupt, naming what is missing or different; Cancelled if `stop` is requested.
void verifyBackupSet(storage::Storage& storage, const BackupSetDescription& wanted, const ChainKeyPtr& key = {},
                     const std::stop_token& stop = {});
/// The first part of it, which needs no key: that every object that the description names is there with its size.
void verifyObjects(storage::Storage& storage, const BackupSetDescription& wanted);

/// Opens the blocks of a set. Throws NotFound or Corrupt, naming the object, also if the index is not the one that the
/// description was written for.
std::unique_ptr<block::BlockReader> openBlocks(storage::Storage& storage, const BackupSetDescription& description,
                                               const ChainKeyPtr& key = {});

/// The same for a restore: reads the whole index, and makes one that is lost or damaged again from the data objects,
/// in a scratch file (BlockReader::isRebuilt). Throws what openBlocks() throws if it cannot be made; its hint says why.
std::unique_ptr<block::BlockReader> openOrRebuildBlocks(storage::Storage& storage,
                                                        const BackupSetDescription& description,
                                                        const ChainKeyPtr& key, const std::filesystem::path& scratch);

/// The second part of it. Throws NotFound or Corrupt if the index cannot be made again, or becomes another one.
std::unique_ptr<block::BlockReader> rebuildBlocks(storage::Storage& storage, const BackupSetDescription& description,
                                                  const ChainKeyPtr& key, const std::filesystem::path& scratch);

/// The set that a layer is of.
SetId setOf(const block::IndexLayer& layer);
/// The sets that have pages of this one, itself the last; in order of their numbers.
std::vector<SetId> setsThatHold(const block::SetIndex& index, const SetId& id);

/// Every object of a set, whole or not, in the order in which they are to be removed: first what makes it visible, then
/// its description, then its data, and last what says that there is one, so that a removal that is interrupted is seen,
/// and never offered. Frees what writers that died have left of it.
std::vector<storage::ObjectInfo> objectsToRemove(storage::Storage& storage, std::uint32_t number);

/// Removes what a backup that did not finish has left. Nothing, if there is nothing. Throws Conflict for a complete
/// set.
void removeUnfinishedSet(storage::Storage& storage, std::uint32_t number);
/// Removes what other turns of a complete set have stored, but for the objects that it has pages in.
void removeOtherTurns(storage::Storage& storage, const BackupSetDescription& description);

}  // namespace tidemark::backup_set
