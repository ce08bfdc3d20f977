#pragma once

#include <vector>

#include "archive/layout.h"
#include "storage/storage.h"

namespace tidemark::archive {

/// Every object of a frozen piece, in the order in which they are to be removed: first what makes readers see it, then
/// what it says of itself, then its segments, and last the mark of its end, which tells of a removal that is not over.
/// Frees what writers that died have left of it. Pieces of a round go in their order, the oldest first: a reader takes
/// the first one that is there for the beginning of the log.
std::vector<storage::ObjectInfo> objectsToRemove(storage::Storage& storage, const PieceKey& piece);

/// Whether readers see it.
bool isThere(storage::Storage& storage, const PieceKey& piece);

}  // namespace tidemark::archive
