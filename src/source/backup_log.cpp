#include "source/backup_log.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "base/letters.h"
#include "base/program_log.h"

namespace tidemark::source {
namespace {

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
