#include "restore/logged_transaction.h"

#include <algorithm>
#include <cctype>

#include "archive/log_stream.h"
#include "base/error.h"
#include "base/letters.h"
#include "mysql/binlog_event.h"

namespace tidemark::restore {
namespace {

using mysql::EventType;

/// What those who look at a transaction look for is at its beginning, or all of it is small.
constexpr std::size_t kMaxInMemory = 64 << 20;

/// At most `limit` bytes, not ending within a character of UTF-8.
std::string shortened(std::string text, std::size_t limit) {
    if (text.size() <= limit) return text;
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80)
        --limit;
    return text.substr(0, limit) + " …";
}

}  // namespace

LoggedTransaction readTransaction(const archive::ArchiveReader& reader, const archive::RoundKey& round,
                                  const mysql::GtidPosition& before, const archive::TransactionEntry& entry) {
    archive::LogStream stream(reader, {.round = round, .after = before, .until = entry.scn, .within = {}});
    LoggedTransaction transaction;
    Bytes bytes;
    while (const auto batch = stream.next()) {
        transaction.whole = bytes.size() + batch->bytes.size() <= kMaxInMemory;
        if (!transaction.whole) break;
        if (batch->format) transaction.format = *batch->format;
        bytes.insert(bytes.end(), batch->bytes.begin(), batch->bytes.end());
    }
    for (ByteView rest = bytes; !rest.empty();) {
        if (!transaction.whole && rest.size() < mysql::kEventHeaderSize) break;
        const auto size = mysql::parseEventHeader(rest).size;
        if (size > rest.size() && !transaction.whole) break;
        if (size > rest.size()) throw Error(ErrorCode::Corrupt, "transaction " + entry.gtid.text() + " is cut off");
        transaction.events.emplace_back(rest.begin(), rest.begin() + size);
        rest = rest.subspan(size);
    }
    return transaction;
}

std::string withoutSecrets(std::string statement) {
    const std::string words = lowerCase(statement);
    const auto has = [&](const char* word) { return words.find(word) != std::string::npos; };
    if (!has("identified") && !has("password") && !has("crypt(") && !has("secret")) return statement;
    std::string shown;
    for (std::size_t i = 0; i < statement.size(); ++i) {
        const char quote = statement[i];
        if (quote != '\'' && quote != '"') {
            shown += quote;
            continue;
        }
        // To its end, or to that of the text, which may be cut off. A doubled quote makes two literals of one: no harm.
        for (++i; i < statement.size() && statement[i] != quote; ++i) {
            if (statement[i] == '\\') ++i;
        }
        shown += "'***'";
    }
    return shown;
}

std::string describe(const LoggedTransaction& transaction, std::size_t limit) {
    // More than is shown, so that what is cut off for secrets and what for length do not meet.
    constexpr std::size_t kRead = 64 << 10;
    std::string last;
    for (const Bytes& event : transaction.events) {
        const auto type = mysql::parseEventHeader(event).type;
        std::string text;
        if (type == EventType::Query) {
            text = mysql::parseQueryEvent(event, kRead, true).text;
            if (text == "COMMIT" || text == "BEGIN") continue;
        } else if (type == EventType::AnnotateRows) {
            const auto body = mysql::bodyOf(event, "annotation");
            text = textOf(body.first(std::min(body.size(), kRead)));
        } else {
            continue;
        }
        last += (last.empty() ? "" : "; ") + withoutSecrets(std::move(text));
        if (last.size() > limit) break;
    }
    return shortened(last, limit);
}

}  // namespace tidemark::restore
