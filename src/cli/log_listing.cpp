#include "cli/log_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "archive/archive_reader.h"
#include "base/json.h"
#include "storage/destination.h"

namespace tidemark::cli {
namespace {

using archive::TransactionEntry;

bool isDdl(const TransactionEntry& entry) {
    return (entry.flags & TransactionEntry::kDdl) != 0;
}

nlohmann::json toJson(const TransactionEntry& entry) {
    nlohmann::json line{{"scn", entry.scn},
                        {"time", formatTimestamp(static_cast<Nanos>(entry.scn))},
                        {"gtid", entry.gtid.text()},
                        {"bytes", entry.size},
                        {"approximate", (entry.flags & TransactionEntry::kApproximate) != 0}};
    if (isDdl(entry)) line["ddl"] = withoutSecrets(entry.statement);
    return line;
}

void printRanges(const archive::ArchiveReader& reader) {
    for (const auto& round : reader.rounds()) {
        for (const auto& range : round.ranges) {
            fmt::print("round {}: from {} to {} (SCN {} to {}){}\n", round.start.key.round,
                       formatTimestamp(static_cast<Nanos>(range.from)), formatTimestamp(static_cast<Nanos>(range.to)),
                       range.from, range.to, round.end ? "" : ", open");
        }
        for (const auto& gap : round.gaps) {
            fmt::print("round {}: MISSING {} after SCN {}\n", round.start.key.round, gap.first_missing, gap.from);
        }
    }
}

void printLine(const TransactionEntry& entry) {
    const bool approximate = (entry.flags & TransactionEntry::kApproximate) != 0;
    std::string text = isDdl(entry) ? withoutSecrets(entry.statement) : "";
    std::replace(text.begin(), text.end(), '\n', ' ');
    fmt::print("{}  {}{}  {:<24} {:>8}  {}\n", entry.scn, formatTimestamp(static_cast<Nanos>(entry.scn)),
               approximate ? "~" : " ", entry.gtid.text(), entry.size, text);
}

}  // namespace

std::string withoutSecrets(const std::string& statement) {
    std::string upper = statement;
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    const auto at = std::min(upper.find("IDENTIFIED"), upper.find("PASSWORD"));
    return at == std::string::npos ? statement : statement.substr(0, at) + "…";
}

int listLog(const LogCommand& command) {
    const auto destination = storage::readDestination(command.uri);
    if (destination.marker.kind != storage::DestinationKind::Archive) {
        throw Error(ErrorCode::InvalidRequest, destination.uri + " holds data backups, not a log archive");
    }
    const archive::ArchiveReader reader(*destination.storage);
    const Scn from = command.from ? static_cast<Scn>(parseTimestamp(*command.from)) : 0;
    const Scn until = command.until ? static_cast<Scn>(parseTimestamp(*command.until)) : kScnUnlimited;
    bool first = true;
    if (command.json) {
        std::cout << '[';
    } else {
        printRanges(reader);
    }
    reader.transactions(from, until, [&](const TransactionEntry& entry) {
        if (command.ddl_only && !isDdl(entry)) return true;
        if (command.json) {
            std::cout << (first ? "\n" : ",\n") << jsonText(toJson(entry));
        } else {
            printLine(entry);
        }
        first = false;
        return true;
    });
    if (command.json) std::cout << "\n]\n";
    return 0;
}

}  // namespace tidemark::cli
