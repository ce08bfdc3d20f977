#include "read_archive.h"

#include "archive/log_stream.h"
#include "fuzz.h"
#include "mysql/binlog_event.h"

namespace tidemark::fuzz {

std::vector<ArchivedTransaction> transactionsOf(const archive::ArchiveReader& reader, const archive::RoundKey& round) {
    archive::LogStream stream(reader, {.round = round, .after = {}, .until = kScnUnlimited, .within = {}});
    std::vector<ArchivedTransaction> all;
    Bytes begun;
    while (const auto batch = stream.next()) {
        auto at = batch->bytes.begin();
        for (const auto& end : batch->ends) {
            const auto to = batch->bytes.begin() + static_cast<std::ptrdiff_t>(end.at);
            requireThat(to >= at && to <= batch->bytes.end(), "transactions end in order, inside of their batch");
            begun.insert(begun.end(), at, to);
            all.push_back({end.gtid, std::exchange(begun, {})});
            at = to;
        }
        begun.insert(begun.end(), at, batch->bytes.end());
    }
    requireThat(begun.empty(), "a log ends with a whole transaction");
    return all;
}

void requireTransaction(const ArchivedTransaction& transaction) {
    ByteView rest = transaction.events;
    requireThat(mysql::parseGtidEvent(rest.first(mysql::parseEventHeader(rest).size)).gtid == transaction.gtid,
                "a transaction begins with its GTID");
    while (!rest.empty()) {
        const std::size_t size = mysql::parseEventHeader(rest).size;
        requireThat(size <= rest.size() && mysql::checksumMatches(rest.first(size)), "an archived event is whole");
        rest = rest.subspan(size);
    }
}

}  // namespace tidemark::fuzz
