#include "base/clock.h"

#include <fmt/format.h>
#include <strings.h>

#include <chrono>
#include <cstring>
#include <ctime>
#include <optional>
#include <regex>

#include "base/error.h"
#include "base/time_zone.h"

namespace tidemark {

Nanos SystemClock::now() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

static std::tm localTime(Nanos time) {
    const std::time_t seconds = time / kSecond;
    std::tm parts{};
    localtime_r(&seconds, &parts);
    return parts;
}

std::string formatTimestamp(Nanos time) {
    const std::tm t = localTime(time);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                       t.tm_hour, t.tm_min, t.tm_sec, time % kSecond / 1000);
}

std::string formatCompact(Nanos time) {
    const std::tm t = localTime(time);
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                       t.tm_min, t.tm_sec);
}

/// A time without its time zone.
struct CivilTime {
    std::tm seconds{};
    Nanos fraction = 0;
};

static std::optional<CivilTime> parseCivilTime(std::string text) {
    if (text.size() > 10 && text[10] == 'T') text[10] = ' ';
    CivilTime time;
    const char* rest = strptime(text.c_str(), "%Y-%m-%d %H:%M:%S", &time.seconds);
    if (rest == nullptr) return std::nullopt;
    if (*rest == '.') {
        const std::size_t digits = std::strspn(++rest, "0123456789");
        if (digits == 0 || digits > 9) return std::nullopt;
        for (std::size_t i = 0; i < 9; ++i)
            time.fraction = time.fraction * 10 + (i < digits ? rest[i] - '0' : 0);
        rest += digits;
    }
    if (*rest != '\0') return std::nullopt;
    return time;
}

/// Of "+08:00", in seconds. MariaDB takes no more than 14 hours.
static std::optional<std::time_t> parseOffset(const std::string& zone) {
    static const std::regex form("([+-])([0-9]{1,2}):([0-9]{2})");
    std::smatch parts;
    if (!std::regex_match(zone, parts, form)) return std::nullopt;
    const int hours = std::stoi(parts[2]);
    const int minutes = std::stoi(parts[3]);
    if (hours > 14 || minutes > 59) return std::nullopt;
    const std::time_t offset = (hours * 60 + minutes) * 60;
    return parts[1] == "-" ? -offset : offset;
}

/// The moment at which clocks of `time_zone` show `civil`, seconds as if they showed UTC; nullopt if they never do.
static std::optional<std::int64_t> momentOf(std::int64_t civil, const std::string& time_zone) {
    if (const auto offset = parseOffset(time_zone)) return civil - *offset;
    const bool system = strcasecmp(time_zone.c_str(), "SYSTEM") == 0;
    const auto zone = TimeZone::find(system ? systemTimeZone() : time_zone);
    if (!zone) {
        throw Error(ErrorCode::InvalidRequest, SqlCode{1298, "HY000"},
                    "Unknown or incorrect time zone: '" + time_zone + "'",
                    "install this machine's time zone files (tzdata), or give an SCN");
    }
    const auto moments = zone->moments(civil);
    // Of an hour that daylight saving shows twice the first, as MariaDB reads it in a named zone.
    return moments.empty() ? std::nullopt : std::optional(moments.front());
}

Nanos parseTimestamp(const std::string& text, const std::string& time_zone) {
    const auto invalid = [&](const std::string& hint) {
        return Error(ErrorCode::InvalidRequest, SqlCode{1292, "22007"}, "Incorrect datetime value: '" + text + "'",
                     hint);
    };
    constexpr const char* kForm = "write it as YYYY-MM-DD HH:MM:SS[.ffffff]";
    const auto given = parseCivilTime(text);
    if (!given) throw invalid(kForm);
    std::tm normalised = given->seconds;
    const std::time_t civil = timegm(&normalised);
    // It silently moves 31 February to another day.
    if (normalised.tm_mday != given->seconds.tm_mday || normalised.tm_hour != given->seconds.tm_hour)
        throw invalid(kForm);
    const auto seconds = momentOf(civil, time_zone);
    if (!seconds) throw invalid("daylight saving leaves it out in time zone " + time_zone);
    if (*seconds < 0 || *seconds >= static_cast<std::int64_t>(kScnUnlimited) / kSecond) throw invalid(kForm);
    return static_cast<Nanos>(*seconds) * kSecond + given->fraction;
}

}  // namespace tidemark
