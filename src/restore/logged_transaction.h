#pragma once

#include <string>
#include <vector>

#include "archive/archive_reader.h"

namespace tidemark::restore {

/// One transaction of the log, whole, for the few that have to be looked at.
struct LoggedTransaction {
    Bytes format;               ///< the format description its events read by
    std::vector<Bytes> events;  ///< with their checksums; the first one is its GTID event
    bool whole = true;          ///< else it was too large for memory: `events` are its first ones
};

/// The transaction of `entry`, which is the first behind `before`. Throws NotFound or Corrupt, naming an object.
LoggedTransaction readTransaction(const archive::ArchiveReader& reader, const archive::RoundKey& round,
                                  const mysql::GtidPosition& before, const archive::TransactionEntry& entry);

/// The statement that made it, as far as the log tells, for people: at most `limit` bytes, without secrets.
std::string describe(const LoggedTransaction& transaction, std::size_t limit);

/// Every string literal is replaced in a statement that may hold a password or a key; others come back as they are.
std::string withoutSecrets(std::string statement);

}  // namespace tidemark::restore
