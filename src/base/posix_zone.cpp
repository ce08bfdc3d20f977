#include "base/posix_zone.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <regex>

namespace tidemark {
namespace {

namespace chr = std::chrono;

constexpr int kLastYear = 2105;  // the last whole one that MariaDB's TIMESTAMP reaches, from 11.5 on

/// Seconds of "[+-]h[h[h]][:mm[:ss]]".
std::int32_t secondsOf(const std::string& text) {
    std::int32_t parts[3] = {0, 0, 0};
    const bool negative = text.starts_with('-');
    const char* at = text.c_str() + (negative || text.starts_with('+'));
    for (std::int32_t& part : parts) {
        char* end = nullptr;
        part = static_cast<std::int32_t>(std::strtol(at, &end, 10));
        if (*end != ':') break;
        at = end + 1;
    }
    const std::int32_t seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
    return negative ? -seconds : seconds;
}

/// The day of "Mm.w.d", "Jn" or "n" in that year, in days since 1970.
chr::sys_days dayOf(const std::string& date, chr::year year) {
    const int number = std::atoi(date.c_str() + (date[0] == 'J' ? 1 : 0));
    if (date[0] == 'J') {  // 1 to 365, as if there was no 29 February
        const bool after_february = year.is_leap() && number >= 60;
        return chr::sys_days(year / chr::January / 1) + chr::days(number - 1 + (after_february ? 1 : 0));
    }
    if (date[0] != 'M') return chr::sys_days(year / chr::January / 1) + chr::days(number);
    unsigned month = 0, week = 0, weekday = 0;
    std::sscanf(date.c_str(), "M%u.%u.%u", &month, &week, &weekday);
    const chr::weekday day(weekday);
    if (week == 5) return chr::sys_days(year / chr::month(month) / day[chr::last]);
    return chr::sys_days(year / chr::month(month) / day[week]);
}

bool isDate(const std::string& date) {
    if (date[0] != 'M') return std::atoi(date.c_str() + (date[0] == 'J' ? 1 : 0)) <= 365;
    unsigned month = 0, week = 0, weekday = 0;
    std::sscanf(date.c_str(), "M%u.%u.%u", &month, &week, &weekday);
    return month >= 1 && month <= 12 && week >= 1 && week <= 5 && weekday <= 6;
}

/// One of the two changes of a year.
struct Change {
    std::string date;
    std::int32_t time = 2 * 3600;
    TimeZone::Period period;     // `from` is of no meaning
    std::int32_t offset_before;  // the change's time is told by the clocks before it
};

std::string plainName(const std::string& name) {
    return name.starts_with('<') ? name.substr(1, name.size() - 2) : name;
}

}  // namespace

std::optional<std::vector<TimeZone::Period>> periodsOfRule(const std::string& rule, std::int64_t after) {
    static const std::string name = "([A-Za-z]{3,8}|<[-+A-Za-z0-9]{3,8}>)",
                             time = "([-+]?[0-9]{1,3}(?::[0-9]{2}){0,2})",
                             change = ",(J?[0-9]{1,3}|M[0-9]{1,2}\\.[0-9]\\.[0-9])(?:/" + time + ")?";
    static const std::regex form(name + time + "(?:" + name + time + "?(?:" + change + change + ")?)?");
    std::smatch parts;
    if (rule.size() > 64 || !std::regex_match(rule, parts, form)) return std::nullopt;
    const std::int32_t standard = -secondsOf(parts[2]);
    std::vector<TimeZone::Period> periods = {{after, standard, false, plainName(parts[1])}};
    if (!parts[3].matched) return periods;

    const std::int32_t saving = parts[4].matched ? -secondsOf(parts[4]) : standard + 3600;
    const bool dated = parts[5].matched;
    Change begin{dated ? parts[5].str() : "M3.2.0", 7200, {0, saving, true, plainName(parts[3])}, standard};
    Change end{dated ? parts[7].str() : "M11.1.0", 7200, {0, standard, false, plainName(parts[1])}, saving};
    if (parts[6].matched) begin.time = secondsOf(parts[6]);
    if (parts[8].matched) end.time = secondsOf(parts[8]);
    if (!isDate(begin.date) || !isDate(end.date)) return std::nullopt;
    std::vector<TimeZone::Period> all;
    for (int year = 1969; year <= kLastYear; ++year) {
        for (const Change& one : {begin, end}) {
            const auto day = dayOf(one.date, chr::year(year)).time_since_epoch().count();
            TimeZone::Period period = one.period;
            period.from = std::int64_t{day} * 86400 + one.time - one.offset_before;
            all.push_back(period);
        }
    }
    std::sort(all.begin(), all.end());
    for (TimeZone::Period& period : all) {
        if (period.from > after) {
            periods.push_back(std::move(period));
        } else {
            periods.front() = {after, period.offset, period.daylight_saving, period.abbreviation};
        }
    }
    return periods;
}

}  // namespace tidemark
