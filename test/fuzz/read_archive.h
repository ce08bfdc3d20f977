#pragma once

#include <vector>

#include "archive/archive_reader.h"

namespace tidemark::fuzz {

struct ArchivedTransaction {
    mysql::Gtid gtid;
    Bytes events;
};

/// All of a round, as a stream of its log gives them.
std::vector<ArchivedTransaction> transactionsOf(const archive::ArchiveReader& reader, const archive::RoundKey& round);

/// It is what a server wrote: events one after another, each whole, the first one a GTID event of that GTID.
void requireTransaction(const ArchivedTransaction& transaction);

}  // namespace tidemark::fuzz
