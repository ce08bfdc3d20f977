#include "base/time_zone.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include "base/file.h"
#include "base/posix_zone.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

const fs::path kZoneFiles = "/usr/share/zoneinfo";
constexpr std::uintmax_t kLargestFile = 1 << 20;
constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::min() / 2;

/// A cursor over a zone file (RFC 8536): numbers are big-endian. Ends short reads with a flag instead of throwing.
class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    std::string_view take(std::size_t size) {
        if (size > rest_.size()) {
            whole_ = false;
            return {};
        }
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    std::int64_t number(std::size_t size) {
        std::uint64_t value = 0;
        const std::string_view bytes = take(size);
        for (const char byte : bytes)
            value = value << 8 | static_cast<unsigned char>(byte);
        const unsigned unused = 64 - 8 * static_cast<unsigned>(size);
        return static_cast<std::int64_t>(value << unused) >> unused;
    }
    bool whole() const { return whole_; }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
    bool whole_ = true;
};

struct Counts {
    char version = 0;
    std::size_t utc_flags, standard_flags, leaps, times, types, characters;
};

std::optional<Counts> header(Reader& in) {
    if (in.take(4) != "TZif") return std::nullopt;
    const std::string_view version = in.take(1);
    in.take(15);
    Counts counts{};
    counts.version = version.empty() ? '\0' : version[0];
    for (std::size_t* count :
         {&counts.utc_flags, &counts.standard_flags, &counts.leaps, &counts.times, &counts.types, &counts.characters}) {
        *count = static_cast<std::uint32_t>(in.number(4));
        if (*count > kLargestFile) return std::nullopt;
    }
    return in.whole() ? std::optional(counts) : std::nullopt;
}

std::size_t bodySize(const Counts& counts, std::size_t time) {
    return counts.times * (time + 1) + counts.types * 6 + counts.characters + counts.leaps * (time + 4) +
           counts.standard_flags + counts.utc_flags;
}

/// The periods that a file lists.
std::vector<TimeZone::Period> listed(Reader body, const Counts& counts, std::size_t time) {
    std::vector<std::int64_t> times(counts.times);
    for (std::int64_t& one : times)
        one = body.number(time);
    const std::string_view indexes = body.take(counts.times);
    std::vector<TimeZone::Period> types(counts.types);
    std::vector<std::size_t> names;
    for (TimeZone::Period& type : types) {
        type.offset = static_cast<std::int32_t>(body.number(4));
        type.daylight_saving = body.number(1) != 0;
        names.push_back(static_cast<std::uint8_t>(body.number(1)));
    }
    const std::string_view characters = body.take(counts.characters);
    for (std::size_t i = 0; i < types.size() && body.whole(); ++i) {
        if (names[i] < characters.size())
            types[i].abbreviation = characters.substr(names[i], characters.find('\0', names[i]) - names[i]);
    }
    if (!body.whole() || types.empty()) return {};
    std::vector<TimeZone::Period> periods = {types.front()};
    periods.front().from = kForEver;
    for (std::size_t i = 0; i < times.size(); ++i) {
        const auto type = static_cast<std::uint8_t>(indexes[i]);
        if (type >= types.size() || times[i] <= periods.back().from) continue;
        periods.push_back(types[type]);
        periods.back().from = times[i];
    }
    return periods;
}

struct Parsed {
    std::vector<TimeZone::Period> periods;  // empty: no zone file
    std::string rule;                       // for the time after them
};

Parsed parse(std::string_view content) {
    Reader in(content);
    auto counts = header(in);
    if (!counts) return {};
    if (counts->version == '\0') return {listed(in, *counts, 4), ""};
    in.take(bodySize(*counts, 4));  // for readers of times of 32 bits
    counts = header(in);
    if (!counts) return {};
    Parsed parsed{listed(in, *counts, 8), ""};
    in.take(bodySize(*counts, 8));
    const std::string_view footer = in.rest();
    if (footer.size() > 2 && footer.front() == '\n') parsed.rule = footer.substr(1, footer.find('\n', 1) - 1);
    return parsed;
}

bool isZoneText(const std::string& name) {
    constexpr std::size_t kLongest = 64;
    const auto allowed = [](unsigned char c) {
        return std::isalnum(c) || std::string_view("_+-/<>,.:").find(c) != std::string_view::npos;
    };
    if (name.empty() || name.size() > kLongest || !std::all_of(name.begin(), name.end(), allowed)) return false;
    const bool begins = std::isalpha(static_cast<unsigned char>(name[0])) != 0 || name[0] == '<';
    return begins && name.find("..") == std::string::npos;
}

std::optional<std::string> contentOf(const fs::path& path) {
    std::error_code problem;
    if (!fs::is_regular_file(path, problem) || fs::file_size(path, problem) > kLargestFile || problem)
        return std::nullopt;
    return readFile(path);
}

/// Of a path to a zone file: its zone's name, or the rule in a file that has none.
std::string nameOf(const fs::path& path) {
    std::error_code problem;
    const fs::path file = fs::canonical(path, problem);
    if (problem) return "UTC";
    std::string name = file.lexically_relative(kZoneFiles).string();
    if (name.starts_with("posix/")) name.erase(0, 6);
    if (!name.starts_with("..")) return name;
    const auto content = contentOf(file);
    if (!content) return "UTC";
    for (const std::string& known : timeZoneNames()) {
        if (contentOf(kZoneFiles / known) == content) return known;
    }
    const std::string rule = parse(*content).rule;
    return periodsOfRule(rule, 0) ? rule : "UTC";
}

}  // namespace

std::optional<TimeZone> TimeZone::find(const std::string& name) {
    if (!isZoneText(name)) return std::nullopt;
    TimeZone zone;
    if (const auto content = contentOf(kZoneFiles / name)) {
        const Parsed parsed = parse(*content);
        zone.periods_ = parsed.periods;
        if (zone.periods_.empty()) return std::nullopt;
        const auto later = periodsOfRule(parsed.rule, zone.periods_.back().from);
        if (later) zone.periods_.insert(zone.periods_.end(), later->begin() + 1, later->end());
        return zone;
    }
    auto periods = periodsOfRule(name == "UTC" ? "UTC0" : name, kForEver);
    if (!periods) return std::nullopt;
    zone.periods_ = std::move(*periods);
    return zone;
}

const TimeZone::Period& TimeZone::at(std::int64_t time) const {
    const auto later = std::partition_point(periods_.begin() + 1, periods_.end(),
                                            [&](const Period& period) { return period.from <= time; });
    return *std::prev(later);
}

std::vector<std::int64_t> TimeZone::moments(std::int64_t civil) const {
    constexpr std::int64_t kDay = 86400;
    std::vector<std::int64_t> found;
    // No zone is a day from UTC, and none changes twice in two days.
    for (const std::int64_t near : {civil - kDay, civil + kDay}) {
        const std::int64_t moment = civil - at(near).offset;
        if (at(moment).offset == at(near).offset && (found.empty() || found[0] != moment)) found.push_back(moment);
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<std::string> timeZoneNames() {
    std::vector<std::string> names;
    std::error_code missing;
    for (auto entry = fs::recursive_directory_iterator(kZoneFiles, missing);
         !missing && entry != fs::recursive_directory_iterator(); entry.increment(missing)) {
        const std::string name = entry->path().lexically_relative(kZoneFiles).string();
        if (name == "posix" || name == "right") entry.disable_recursion_pending();
        // "localtime" and "posixrules" are links to the machine's own, and files with a dot are lists of zones.
        const bool zone = std::isupper(static_cast<unsigned char>(name[0])) != 0;
        if (zone && entry->is_regular_file() && isZoneText(name)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string systemTimeZone() {
    const char* const variable = std::getenv("TZ");
    if (variable == nullptr) return nameOf("/etc/localtime");
    std::string name = variable;
    if (name.starts_with(':')) name.erase(0, 1);
    if (name.starts_with('/')) return nameOf(name);
    return TimeZone::find(name) ? name : "UTC";
}

}  // namespace tidemark
