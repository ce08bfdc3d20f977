#include <optional>

#include "fuzz.h"
#include "mysql/packet.h"

extern "C" std::size_t quoted_lock_statement(const unsigned char* packet, std::size_t size, char* into);

/// Names of tables in what mariadb-backup sends to the tenant's server.
namespace tidemark::fuzz {
namespace {

constexpr std::string_view kLock = "BACKUP LOCK ";
constexpr std::size_t kLongestLock = 2048;  // of quoted_names.c; what it writes is twice as long at most

/// Takes a name in backquotes off the beginning, as a server reads it.
std::optional<std::string> takeQuoted(std::string_view& text) {
    if (!text.starts_with('`')) return std::nullopt;
    std::string name;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '`' && !text.substr(at + 1).starts_with('`')) {
            text.remove_prefix(at + 1);
            return name;
        }
        at += text[at] == '`' ? 1 : 0;
        name += text[at];
    }
    return std::nullopt;
}

void quoteAndCheck(ByteView input) {
    // On the heap and no larger than promised, so that memory checkers see what is written behind it.
    std::vector<char> into(2 * kLongestLock);
    const std::size_t size = quoted_lock_statement(input.data(), input.size(), into.data());
    if (size == 0) return;
    requireThat(size <= into.size() && mysql::parseHeader(reinterpret_cast<const std::uint8_t*>(into.data())).length ==
                                           size - mysql::kHeaderSize,
                "a packet says its size");
    std::string_view text(into.data() + mysql::kHeaderSize + 1, size - mysql::kHeaderSize - 1);
    requireThat(text.starts_with(kLock), "a statement stays what it is");
    text.remove_prefix(kLock.size());
    const auto schema = takeQuoted(text);
    const bool divided = text.starts_with('.');
    text.remove_prefix(divided ? 1 : 0);
    const auto table = takeQuoted(text);
    requireThat(schema && divided && table && text.empty(), "two names and nothing else");
    const std::string_view sent = textOf(input).substr(mysql::kHeaderSize + 1 + kLock.size());
    requireThat("`" + *schema + "`.`" + *table + "`" == sent, "the names are those that were sent");
}

/// As it is, and with the length that it has.
void runLockNames(ByteView input) {
    quoteAndCheck(input);
    if (input.size() < mysql::kHeaderSize) return;
    quoteAndCheck(mysql::packet(0, input.subspan(mysql::kHeaderSize)));
}

std::vector<Bytes> lockNamesSeeds() {
    std::vector<Bytes> all;
    const std::string longest(1000, '`');
    for (const std::string& names : {std::string("`d`.`t`"), std::string("`a`b`.`c``d`"),
                                     std::string("`d`.`t`; `x`.`y`"), "`" + longest + "`.`" + longest + "`"})
        all.push_back(mysql::packet(0, viewOf("\3" + std::string(kLock) + names)));
    return all;
}

const Registered registered_lock_names({"lock_names", runLockNames, lockNamesSeeds});

}  // namespace
}  // namespace tidemark::fuzz
