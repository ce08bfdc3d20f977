#include "base/available_memory.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <string>

#include "base/file.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> numberIn(const std::string& text) {
    const auto begin = text.find_first_of("0123456789");
    std::uint64_t number = 0;
    if (begin == std::string::npos) return std::nullopt;
    const auto [end, problem] = std::from_chars(text.data() + begin, text.data() + text.size(), number);
    return problem == std::errc() ? std::optional(number) : std::nullopt;
}

/// The number in a line "name: 12 kB" or "name 12".
std::optional<std::uint64_t> valueOf(const std::string& text, const std::string& name) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name)) return numberIn(line.substr(name.size()));
    }
    return std::nullopt;
}

/// "max" is no number, and no limit.
std::optional<std::uint64_t> numberFile(const fs::path& path) {
    return numberIn(readFile(path).value_or(""));
}

struct Names {
    const char* limit;
    const char* usage;
    const char* file_cache;  ///< in memory.stat
};
constexpr Names kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "};
constexpr Names kVersion2{"memory.max", "memory.current", "inactive_file "};

/// What the group and those above it leave. Cached files that nobody uses are counted as used, and are given up first.
std::uint64_t leftBy(const fs::path& root, fs::path group, const Names& names) {
    std::uint64_t left = UINT64_MAX;
    for (;; group = group.parent_path()) {
        const fs::path place = root / group.relative_path();
        const auto limit = numberFile(place / names.limit);
        const auto usage = numberFile(place / names.usage);
        if (limit && usage) {
            const auto cache = valueOf(readFile(place / "memory.stat").value_or(""), names.file_cache).value_or(0);
            const std::uint64_t used = *usage - std::min(*usage, cache);
            left = std::min(left, *limit - std::min(*limit, used));
        }
        if (!group.has_relative_path()) return left;
    }
}

/// /proc/self/cgroup has lines "0::/group" (version 2) and "4:memory:/group" (version 1).
std::uint64_t leftByGroups(const std::string& lists, const fs::path& groups) {
    std::uint64_t left = UINT64_MAX;
    std::istringstream lines(lists);
    for (std::string line; std::getline(lines, line);) {
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string kinds = line.substr(first + 1, second - first - 1);
        const fs::path group = line.substr(second + 1);
        if (kinds.empty()) left = std::min(left, leftBy(groups, group, kVersion2));
        if (("," + kinds + ",").find(",memory,") != std::string::npos)
            left = std::min(left, leftBy(groups / "memory", group, kVersion1));
    }
    return left;
}

}  // namespace

std::uint64_t availableMemory(const fs::path& proc, const fs::path& groups) {
    const auto machine = valueOf(readFile(proc / "meminfo").value_or(""), "MemAvailable:");
    if (!machine) return 0;
    return std::min(*machine * 1024, leftByGroups(readFile(proc / "self" / "cgroup").value_or(""), groups));
}

}  // namespace tidemark
