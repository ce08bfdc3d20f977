#pragma once

#include <span>
#include <string>
#include <vector>

#include "catalog/destination_store.h"

namespace tidemark::catalog {

/// One uninterrupted run of archiving of a tenant.
struct ArchiveRound {
    TenantId tenant = 0;
    std::int64_t dest_id = 0;
    std::int64_t round_id = 0;  ///< from 1, per tenant
    RoundStatus status = RoundStatus::Prepare;
    Scn start_scn = 0;
    Scn checkpoint_scn = 0;          ///< everything up to here is in the archive, and the destination says so
    Scn covered_scn = 0;             ///< … and this was told, of an idle time, that the destination does not know yet
    std::int64_t base_piece_id = 0;  ///< first piece of the round
    std::int64_t used_piece_id = 0;  ///< newest piece
    std::int64_t piece_switch_days = 1;
    std::uint64_t input_bytes = 0;   ///< as read from the tenant
    std::uint64_t output_bytes = 0;  ///< as stored
    std::uint64_t deleted_input_bytes = 0;
    std::uint64_t deleted_output_bytes = 0;
    std::string comment;  ///< why it is INTERRUPTED
    std::string path;
};

struct ArchivePiece {
    TenantId tenant = 0;
    std::int64_t dest_id = 0;
    std::int64_t round_id = 0;
    std::int64_t piece_id = 0;  ///< goes on across the rounds of a tenant
    PieceStatus status = PieceStatus::Active;
    FileStatus file_status = FileStatus::Available;
    Scn start_scn = 0;
    Scn checkpoint_scn = 0;
    Scn max_scn = 0;  ///< of the last transaction in it
    Scn end_scn = 0;  ///< the piece ends here at the latest; of a frozen one, where it did
    std::uint64_t input_bytes = 0;
    std::uint64_t output_bytes = 0;
    std::string path;
    Nanos create_time = 0;
};

ArchivePiece archivePieceFrom(const mysql::Row& row);

/// A piece as its archiver knows it; absolute values.
struct PieceProgress {
    std::int64_t piece_id = 0;
    Scn start_scn = 0;
    Scn end_scn = 0;  ///< planned; of a frozen one, where it ended
    Scn checkpoint_scn = 0;
    Scn max_scn = 0;
    std::uint64_t input_bytes = 0;
    std::uint64_t output_bytes = 0;
    bool frozen = false;
};

/// What has become of one round. Whatever is not given stays as it is; a checkpoint never moves back.
struct RoundUpdate {
    TenantId tenant = 0;
    std::int64_t round_id = 0;
    std::optional<Scn> start_scn;
    /// In order of ids. One that the catalog does not have is opened, and freezes the one before it.
    std::vector<PieceProgress> pieces;
    std::int64_t known_piece_id = 0;  ///< the newest that the catalog is known to have; 0: not known, it is asked
    std::uint64_t input_bytes = 0;  ///< of the round from first_piece_id on; they go with `pieces`
    std::uint64_t output_bytes = 0;
    std::int64_t first_piece_id = 0;  ///< the catalog knows the bytes of those before, which were removed; 0: none was
    /// Nothing came after the last checkpoint up to here; the destination itself learns that later. 0: not known.
    Scn covered_scn = 0;
    std::optional<RoundStatus> status;
    std::string comment;
    std::vector<std::int64_t> archived_settings;  ///< changes of settings that the archive has now
};

/// What the catalog did not have of a round.
struct EnteredRound {
    bool round = false;
    std::vector<std::int64_t> pieces;  ///< their ids
};

/// Rounds and pieces of the log archive. Thread-safe.
class ArchiveStore {
public:
    explicit ArchiveStore(Catalog& catalog) : catalog_(catalog) {}

    /// ARCHIVELOG: opens the next round in PREPARE and sets the tenant's mode, in one transaction; round id and base
    /// piece id go on from the last ones. Throws Conflict if the tenant's last round is not STOP.
    ArchiveRound beginRound(const ArchiveDestination& destination);
    void setRoundStatus(TenantId tenant, std::int64_t round_id, RoundStatus status, const std::string& comment = {});

    /// What has become of many rounds, of a tenant each, in one transaction: rounds, pieces, and the tenants' SYNC_SCN
    /// and READABLE_SCN. Costs a few statements, however many there are. Rounds that are gone are passed over.
    void update(std::span<const RoundUpdate> rounds);
    /// NOARCHIVELOG: mode and round say so, in one transaction.
    void stopRound(TenantId tenant, std::int64_t round_id);
    /// The round is over: STOP, and its open piece is frozen where it is.
    void endRound(TenantId tenant, std::int64_t round_id, const std::string& comment);

    /// A round that is over and that a destination has, with the pieces of it that are there. What the catalog has of
    /// them stays as it is, and of a round that goes on nothing is entered. Throws Conflict, and enters nothing, if the
    /// catalog has another round, or a piece of another one, of the same number.
    EnteredRound enter(const ArchiveRound& round, const std::vector<ArchivePiece>& pieces);

    /// The newest round, whatever its status.
    std::optional<ArchiveRound> lastRound(TenantId tenant);
    std::vector<ArchiveRound> rounds(TenantId tenant);
    /// In order of ids.
    std::vector<ArchivePiece> pieces(TenantId tenant);
    std::optional<ArchivePiece> lastPiece(TenantId tenant);
    /// The newest rounds of all tenants that are not STOP: what the daemon goes on with at its start.
    std::vector<ArchiveRound> unfinishedRounds();

private:
    Catalog& catalog_;
};

}  // namespace tidemark::catalog
