#include "source/backup_log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/letters.h"

namespace tidemark::source {
namespace {

// mariadb-backup writes a few lines per table; its last word is near the end.
constexpr std::uint64_t kTail = 16 << 10;

/// Of a page whose checksum is wrong it prints all the bytes, in a line that is longer than this: pages have at least
/// 1 KiB, and a byte takes two digits and a letter. They are a tenant's rows. Its own words are shorter.
constexpr std::size_t kLongest = 1000;

/// Whole lines of its own words, in order. Bytes that no text has are `?`.
std::vector<std::string> lastLines(const std::filesystem::path& log) {
    std::error_code missing;
    const std::uint64_t size = std::filesystem::file_size(log, missing);
    if (missing) return {};
    const Fd fd = openFile(log, O_RDONLY);
    Bytes bytes(std::min(size, kTail));
    bytes.resize(readAt(fd.get(), bytes, size - bytes.size(), log));
    std::vector<std::string> lines;
    std::string line;
    bool whole = size <= kTail;  // else the first one is the end of a line, perhaps of a page
    const auto end = [&] {
        if (whole && !line.empty() && line.size() <= kLongest) lines.push_back(line);
        line.clear();
        whole = true;
    };
    for (const std::uint8_t byte : bytes) {
        if (byte == '\n') {
            end();
        } else {
            line += byte < ' ' || byte == 0x7f ? '?' : static_cast<char>(byte);
        }
    }
    end();
    return lines;
}

/// "[00] 2026-11-21 11:37:44 text" → "text".
std::string withoutTime(std::string_view line) {
    constexpr std::string_view kTime = "2026-11-21 11:37:44 ";
    if (line.starts_with('[') && line.find("] ") != std::string_view::npos) line.remove_prefix(line.find("] ") + 2);
    const auto like_time = [](char c) {
        return std::isdigit(static_cast<unsigned char>(c)) || c == ' ' || c == '-' || c == ':';
    };
    const std::string_view begin = line.substr(0, kTime.size());
    if (begin.size() == kTime.size() && std::all_of(begin.begin(), begin.end(), like_time))
        line.remove_prefix(kTime.size());
    return std::string(line);
}

bool speaksOfAnError(std::string line) {
    line = lowerCase(std::move(line));
    return line.find("error") != std::string::npos || line.find("fail") != std::string::npos ||
           line.find("denied") != std::string::npos;
}

}  // namespace

bool completedOk(const std::filesystem::path& log) {
    const auto lines = lastLines(log);
    return !lines.empty() && lines.back().ends_with("completed OK!");
}

std::string complaintOf(const std::filesystem::path& log) {
    const auto lines = lastLines(log);
    if (lines.empty()) return {};
    const auto found = std::find_if(lines.rbegin(), lines.rend(), speaksOfAnError);
    return withoutTime(found != lines.rend() ? *found : lines.back());
}

}  // namespace tidemark::source
