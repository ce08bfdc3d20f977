#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark {

/// A time zone of the system's zone files, so that times of several zones can be read in one process, which TZ and
/// localtime() cannot.
class TimeZone {
public:
    /// From `from` (seconds since 1970) on clocks are `offset` seconds ahead of UTC.
    struct Period {
        std::int64_t from = 0;
        std::int32_t offset = 0;
        bool daylight_saving = false;
        std::string abbreviation;
        auto operator<=>(const Period&) const = default;
    };

    /// `name` as in the environment variable TZ: "Europe/Berlin", or a rule such as "CET-1CEST,M3.5.0,M10.5.0/3".
    /// nullopt for what is neither, or known on other machines only. Safe for a name that somebody else wrote.
    static std::optional<TimeZone> find(const std::string& name);

    /// In order; the first one holds since ever. Daylight saving goes on until 2105.
    const std::vector<Period>& periods() const { return periods_; }
    const Period& at(std::int64_t time) const;
    /// The moments at which clocks there show `civil`, in seconds since 1970 as if they showed UTC, earlier ones first:
    /// none if daylight saving leaves it out, two if it comes twice.
    std::vector<std::int64_t> moments(std::int64_t civil) const;

private:
    std::vector<Period> periods_;
};

/// The system's zones, sorted; without the copies below posix/ and right/.
std::vector<std::string> timeZoneNames();

/// The zone that localtime() follows in this process and in those it starts, as TimeZone::find takes it: TZ, else what
/// /etc/localtime links to or is a copy of, else its rule. "UTC" where there is nothing, as for localtime().
std::string systemTimeZone();

}  // namespace tidemark
