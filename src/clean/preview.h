#pragma once

#include <string>
#include <vector>

#include "catalog/stores.h"
#include "clean/retention.h"

namespace tidemark::clean {

/// A row of EXPLAIN ALTER SYSTEM DELETE ….
struct PreviewRow {
    std::string action;  ///< DELETE, STAY, or LOSE
    std::string object;  ///< BACKUP SET, BACKUP PIECE, or RESTORE POINTS
    std::int64_t id = 0;
    std::int64_t files = 0;   ///< at the destination now
    std::uint64_t bytes = 0;  ///< likewise
    Scn from = 0;             ///< of a set: its point; of a piece and of points: where they begin…
    Scn until = 0;            ///< …and end, the end included; 0 of a set
    std::string path;
    std::string reason;
};

struct ScnRange {
    Scn from = 0;
    Scn until = 0;  ///< included

    bool operator==(const ScnRange&) const = default;
};

/// The points that the tenant can be restored to now, and could not any more. Points within a round of the log, from a
/// good set on, are within reach if no piece between is gone. By what the catalog knows. Pure.
std::vector<ScnRange> lostPoints(const catalog::BackupInventory& inventory,
                                 const std::vector<catalog::ArchiveRound>& rounds,
                                 const std::vector<catalog::DeletedThing>& removed);

/// What a deletion would do, in the order in which it would; what would stay; and what would be lost. Reads the
/// destinations, and throws what they throw.
std::vector<PreviewRow> preview(catalog::Stores& stores, catalog::TenantId tenant,
                                const catalog::BackupInventory& inventory, const Judgement& judgement);

}  // namespace tidemark::clean
