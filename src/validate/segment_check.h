#pragma once

#include "archive/segment_file.h"
#include "block/memory_budget.h"
#include "validate/checking.h"

namespace tidemark::validate {

/// A segment that is whole, and what has to fit its neighbours.
struct CheckedSegment {
    mysql::GtidPosition before;  ///< the log goes on behind it
    mysql::GtidPosition after;
    Scn before_scn = 0;  ///< of the last transaction, or checkpoint, before it
    Scn from = 0;        ///< of its first transaction
    Scn to = 0;          ///< of its last one
};

/// Reads all of a segment: header, index, end, every block, and the checksum that the tenant's server gave each event.
/// Throws as SegmentFile does. `memory` has room for one buffer.
CheckedSegment checkSegment(const Checking& with, block::MemoryShare& memory, const archive::PieceKey& piece,
                            std::uint64_t file_id);

}  // namespace tidemark::validate
