#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/restore_store.h"
#include "restore/restore_pace.h"
#include "restore/restore_plan.h"

namespace tidemark::restore {

/// One line of SHOW RESTORE PREVIEW: a set or a piece that would be read, or, as the last one, the restore as a whole.
struct PreviewRow {
    enum class Kind { Set, Piece, Whole };
    Kind kind = Kind::Set;
    std::int64_t id = 0;  ///< of the set or piece; 0 of the whole
    std::string uri;      ///< of its directory; empty of the whole
    std::string description;
    std::uint64_t read_bytes = 0;      ///< as they are stored
    std::uint64_t restored_bytes = 0;  ///< that they become: of files, or of log that is replayed
    std::optional<double> seconds;     ///< estimated by earlier restores; none if there were none to go by
};

/// Sets and pieces that a restore by this plan reads, and how long it would take on the node whose earlier restores are
/// `paces`. Reads the set's index and the summaries of the log's segments, no data. Throws NotFound or Corrupt, naming
/// the object.
std::vector<PreviewRow> previewOf(const RestorePlan& plan, const std::vector<catalog::RestorePace>& paces);

}  // namespace tidemark::restore
