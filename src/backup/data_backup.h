#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <unordered_map>

#include "backup_set/backup_set.h"
#include "block/block_writer.h"
#include "block/worker_pool.h"
#include "source/source.h"
#include "storage/bandwidth.h"
#include "storage/throttled_storage.h"

namespace tidemark::backup {

/// What is being read, in the order in which mariadb-backup's stream brings it; docs/sql.md names the stages.
enum class DataPhase {
    Server,  ///< what concerns the whole server: the control file of Aria's log
    Redo,    ///< the redo log since the last checkpoint: changes that are not in the tablespaces yet
    Tables,  ///< tablespaces, tables of other engines, definitions, and the ends of the logs
};

/// Counters of a data backup. Any thread may read them while it runs; none of those of what is done ever falls. Totals
/// are measured before the start, grow by what nobody could know then (redo log, files that grow), so that they are
/// never below what is done, and are set to what it really was at the end.
struct DataBackupProgress {
    std::atomic<std::uint64_t> total_bytes{0};
    std::atomic<std::uint64_t> read_bytes{0};
    std::atomic<std::uint64_t> total_tablets{0};
    std::atomic<std::uint64_t> finished_tablets{0};
    block::BlockProgress stored;  ///< macro blocks done, and bytes written
};

/// Shared with other backups; they outlive them.
struct DataBackupLimits {
    storage::Bandwidth& source_reading;
    storage::Bandwidth& destination_reading;
    storage::Bandwidth& destination_writing;
};

struct DataBackupOptions {
    backup_set::SetId set;
    std::uint32_t turn = 1;  ///< which copy of it
    /// What an incremental set leans on.
    std::optional<backup_set::BackupSetDescription> parent = {};
    std::uint64_t data_file_size = 4ULL << 30;  ///< parameter backup_data_file_size
    std::filesystem::path scratch;              ///< where scratch files go; empty: the system's place
    backup_set::ChainKeyPtr key;                ///< what is stored is encrypted with it
    /// While the source holds up its tenant, they are not in force.
    std::optional<DataBackupLimits> limits;
    /// Called by the reading thread when a phase begins: each, in order, also one with nothing to read.
    std::function<void(DataPhase)> on_phase = [](DataPhase) {};
};

struct DataBackupResult {
    source::SourceFacts facts;
    block::BlockWriterResult blocks;
    std::uint64_t tablets = 0;  ///< in the set
};

/// Copies what a source delivers into the blocks of a new backup set. The set stays unfinished:
/// backup_set::finishBackupSet makes it visible, once it is known to which SCN it restores.
///
/// Throws what went wrong first, Cancelled if `stop` asked for it; what is stored by then is for removeUnfinishedSet.
class DataBackup {
public:
    /// The lane's workers encode.
    DataBackup(source::Source& source, storage::Storage& storage, block::Lane& lane, DataBackupOptions options,
               DataBackupProgress& progress);

    /// Call once. The calling thread reads the source; it must outlive the source.
    DataBackupResult run(std::stop_token stop);

private:
    source::SourceFacts copy(block::BlockWriter& writer, std::stop_token stop);
    void take(const source::Chunk& chunk, block::BlockWriter& writer);
    void takeData(const source::Chunk& chunk, block::BlockWriter& writer);
    void takeEnd(const std::string& path, block::BlockWriter& writer);
    void noteDefinition(const source::Chunk& chunk, block::FileNumber file, ByteView begin);
    bool isLost(const std::string& definition, const std::string& data) const;
    /// Throws Unavailable if a table's definition was copied and its data was not.
    void requireWholeTables(const block::BlockWriter& writer) const;
    block::BlockWriterOptions writerOptions(storage::Storage& storage) const;
    /// The storage, as fast as it may be.
    storage::Storage& limitedStorage();
    void measure();
    void enterPhaseOf(const std::string& path);
    /// `bytes` of `path` are about to be read.
    void expect(const std::string& path, std::uint64_t bytes);
    void finishTablet();
    void settleTotals();

    source::Source& source_;
    storage::Storage& storage_;
    std::optional<storage::ThrottledStorage> throttled_;
    storage::BandwidthUser user_;  ///< this backup
    block::Lane& lane_;
    const DataBackupOptions options_;
    DataBackupProgress& progress_;
    std::optional<DataPhase> phase_;
    std::unordered_map<std::string, std::uint64_t> unread_;  ///< of each file that was measured, by path
    std::unordered_map<std::string, block::FileNumber> open_;
    /// Definitions beside which data files must be, and the endings of these.
    std::unordered_map<block::FileNumber, std::vector<std::string_view>> definitions_;
};

}  // namespace tidemark::backup
