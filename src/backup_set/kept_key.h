#pragma once

#include <string>

#include "backup_set/backup_set.h"
#include "base/node_key.h"

namespace tidemark::backup_set {

/// A set's key as the catalog keeps it, beside the set and in the records of work: wrapped with the node's. Empty for
/// none.
std::string wrappedKey(const ChainKeyPtr& key, const NodeKey& node);
/// Back again; null for none. Throws Corrupt if another node's key has wrapped it.
ChainKeyPtr keptKey(const std::string& wrapped, const NodeKey& node);

}  // namespace tidemark::backup_set
