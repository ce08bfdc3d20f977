#include "base/program_log.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/file.h"
#include "base/letters.h"

namespace tidemark {
namespace {

// Programs write a few lines per table; their last word is near the end.
constexpr std::uint64_t kLogTail = 16 << 10;

/// Of a page whose checksum is wrong, mariadb-backup and mariadbd print all the bytes, in a line that is longer: pages
/// have at least 1 KiB, and a byte takes two digits and a letter.
constexpr std::size_t kLongestLine = 1000;

/// A word that is longer is no word.
constexpr std::size_t kLongestWord = 24;

constexpr std::string_view kHiddenText = "***";

/// Of fields of records: " 1: len 6; hex 6a6f686e; asc john;;".
constexpr std::string_view kFieldDump = "; hex ";

/// Behind these come statements, records, and what events say.
constexpr auto kContentBegins =
    std::to_array<std::string_view>({"tuple", "record:", "record in", "query:", "query (", "on query",
                                     "statement:", "event scheduler:", "duplicate entry", "page dump", "asc ", "near '",
                                     "near \"", "incorrect string value", "truncated incorrect"});

/// What is quoted behind these is a name, and no value.
constexpr auto kNamedBehind = std::to_array<std::string_view>(
    {"file", "file:",  "read-only:", "files",  "table",    "tablespace", "directory", "dir",
     "path", "option", "variable",   "plugin", "engine",   "socket",     "database",  "schema",
     "user", "index",  "column",     "key",    "function", "program"});

bool isNameCharacter(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_./#@$=:%-").find(c) != std::string_view::npos;
}

bool isWordCharacter(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// Whether what is quoted behind `before` is a name. `'tidemark'@'localhost'` are two.
bool isNameBehind(std::string_view before) {
    if (before.ends_with("'@")) return true;
    if (!before.ends_with(' ')) return false;
    before.remove_suffix(1);
    if (before.ends_with("Error while setting value")) return true;  // of an option, at a server's start
    const auto space = before.rfind(' ');
    const std::string word = lowerCase(std::string(before.substr(space == std::string_view::npos ? 0 : space + 1)));
    return std::ranges::find(kNamedBehind, word) != kNamedBehind.end();
}

/// An apostrophe is none.
std::size_t nextQuote(std::string_view line, std::size_t from) {
    for (std::size_t at = from; at < line.size(); ++at) {
        if (line[at] == '"' || (line[at] == '\'' && (at == 0 || !isWordCharacter(line[at - 1])))) return at;
    }
    return std::string_view::npos;
}

/// Who puts a quote into a value must not end it: all up to the last one is hidden.
std::string withoutQuoted(std::string_view line) {
    std::string shown;
    std::size_t at = 0;
    for (;;) {
        const std::size_t open = nextQuote(line, at);
        shown += line.substr(at, open - at);
        if (open == std::string_view::npos) return shown;
        std::size_t close = open + 1;
        while (close < line.size() && isNameCharacter(line[close]))
            ++close;
        const bool ends = close < line.size() && line[close] == line[open];
        if (ends && isNameBehind(line.substr(0, open))) {
            shown += line.substr(open, close + 1 - open);
            at = close + 1;
            continue;
        }
        shown += kHiddenText;
        const std::size_t last = line.find_last_of("'\"");
        if (last <= open) return shown;
        at = last + 1;
    }
}

std::string withoutLongWords(std::string_view line) {
    std::string shown;
    for (std::size_t at = 0; at < line.size();) {
        std::size_t end = at;
        while (end < line.size() && isWordCharacter(line[end]))
            ++end;
        if (end == at) {
            shown += line[at++];
            continue;
        }
        shown += end - at > kLongestWord ? kHiddenText : line.substr(at, end - at);
        at = end;
    }
    return shown;
}

}  // namespace

std::string withoutContent(std::string_view line) {
    if (line.size() > kLongestLine) return {};
    std::string lower = lowerCase(std::string(line));
    if (lower.find(kFieldDump) != std::string::npos) return {};
    std::size_t end = line.size();
    for (const std::string_view begin : kContentBegins)
        end = std::min(end, lower.find(begin));
    std::string text(line.substr(0, end));
    if (end < line.size()) text += kHiddenText;
    for (char& c : text) {
        if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
    }
    text = withoutLongWords(withoutQuoted(text)).substr(0, kLongestLine);
    return text == kHiddenText ? std::string() : text;
}

std::vector<std::string> lastLines(const std::filesystem::path& log) {
    std::error_code missing;
    const std::uint64_t size = std::filesystem::file_size(log, missing);
    if (missing) return {};
    const Fd fd = openFile(log, O_RDONLY);
    Bytes bytes(std::min(size, kLogTail));
    bytes.resize(readAt(fd.get(), bytes, size - bytes.size(), log));
    std::string_view rest = textOf(bytes);
    // Else the first one is the end of a line, perhaps of a page.
    if (size > kLogTail) rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    std::vector<std::string> lines;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        if (std::string line = withoutContent(rest.substr(0, end)); !line.empty()) lines.push_back(std::move(line));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return lines;
}

}  // namespace tidemark
