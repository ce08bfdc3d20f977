#pragma once

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
    Scn checkpoint_scn = 0;          ///< everything up to here is in the archive
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

/// How far archiving got; absolute values, written together. Byte counts of the round are the sum over its pieces.
struct PieceProgress {
    Scn checkpoint_scn = 0;
    Scn max_scn = 0;
    std::uint64_t piece_input_bytes = 0;
    std::uint64_t piece_output_bytes = 0;
};

/// Rounds and pieces of the log archive. Thread-safe.
class ArchiveStore {
public:
    explicit ArchiveStore(Catalog& catalog) : catalog_(catalog) {}

    /// Opens the next round in PREPARE: round id and base piece id go on from the last ones.
    /// Throws Conflict if the tenant's last round is not STOP.
    ArchiveRound beginRound(const ArchiveDestination& destination);
    void setRoundStatus(TenantId tenant, std::int64_t round_id, RoundStatus status, const std::string& comment = {});
    /// The start SCN, once it is known.
    void setRoundStart(TenantId tenant, std::int64_t round_id, Scn start_scn);

    /// Opens a piece of the round and freezes the one before it, if any, at `start_scn`. `end_scn` is where it will be
    /// switched at the latest. Does nothing if the piece is there: whoever is not sure of that asks again.
    void openPiece(TenantId tenant, std::int64_t round_id, std::int64_t piece_id, Scn start_scn, Scn end_scn);
    /// Freezes the open piece, at the end of a round.
    void freezePiece(TenantId tenant, std::int64_t piece_id, Scn end_scn);
    /// Updates the open piece, its round and the tenant's SYNC_SCN and READABLE_SCN; to be called at most a few times a
    /// second per tenant. A checkpoint never moves back. The piece may be frozen already.
    void progress(TenantId tenant, std::int64_t piece_id, const PieceProgress& progress);
    void setPieceFileStatus(TenantId tenant, std::int64_t piece_id, FileStatus status);

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
