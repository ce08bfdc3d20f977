#include "tenant/time_zone_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/time_zone.h"

namespace tidemark::tenant {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFirst = 0;             // of TIMESTAMP
constexpr std::int64_t kLast = 2'147'483'647;  // of TIMESTAMP before MariaDB 11.5, and of the zone files' lists
/// mariadbd refuses a statement of an init_file that is longer than 60000 bytes.
constexpr std::size_t kLongestStatement = 50'000;

/// INSERTs of many rows each.
class Rows {
public:
    explicit Rows(std::string insert) : insert_(std::move(insert)) {}

    void add(const std::string& row) {
        if (statement_.size() + row.size() > kLongestStatement) end();
        statement_ += statement_.empty() ? insert_ + " VALUES\n" + row : ",\n" + row;
    }
    std::string text() {
        end();
        return text_;
    }

private:
    void end() {
        if (!statement_.empty()) text_ += statement_ + ";\n";
        statement_.clear();
    }

    const std::string insert_;
    std::string statement_;
    std::string text_;
};

/// The periods of MariaDB's time, the first one with the begin that it has or MariaDB's least.
std::vector<TimeZone::Period> storedPeriods(const TimeZone& zone) {
    std::vector<TimeZone::Period> periods;
    for (const TimeZone::Period& period : zone.periods()) {
        if (period.from > kLast) break;
        if (period.from <= kFirst) periods.clear();
        periods.push_back(period);
    }
    periods.front().from = std::max(periods.front().from, -kLast);
    return periods;
}

class Tables {
public:
    void add(const std::string& name, const std::vector<TimeZone::Period>& periods) {
        const auto [entry, is_new] = ids_.try_emplace(periods, ids_.size() + 1);
        if (is_new) addZone(entry->second, periods);
        names_.add(fmt::format("('{}',{})", name, entry->second));
    }
    std::string text() { return zones_.text() + names_.text() + types_.text() + transitions_.text(); }

private:
    void addZone(std::size_t id, const std::vector<TimeZone::Period>& periods) {
        zones_.add(fmt::format("({},'N')", id));
        std::map<TimeZone::Period, std::size_t> types;
        for (const TimeZone::Period& period : periods) {
            TimeZone::Period type = period;
            type.from = 0;
            const auto [entry, is_new] = types.try_emplace(type, types.size());
            if (is_new) {
                types_.add(fmt::format("({},{},{},{},'{}')", id, entry->second, type.offset,
                                       type.daylight_saving ? 1 : 0, type.abbreviation));
            }
            transitions_.add(fmt::format("({},{},{})", id, period.from, entry->second));
        }
    }

    std::map<std::vector<TimeZone::Period>, std::size_t> ids_;
    Rows zones_{"INSERT INTO mysql.time_zone (Time_zone_id, Use_leap_seconds)"};
    Rows names_{"INSERT INTO mysql.time_zone_name (Name, Time_zone_id)"};
    Rows types_{
        "INSERT INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, `Offset`, Is_DST, "
        "Abbreviation)"};
    Rows transitions_{"INSERT INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id)"};
};

}  // namespace

bool hasTimeZones(const fs::path& data_directory) {
    constexpr std::uintmax_t kHeader = 8192;  // of Aria's data file, all that an empty table has
    std::error_code problem;
    const auto size = fs::file_size(data_directory / "mysql" / "time_zone_name.MAD", problem);
    return problem || size > kHeader;
}

std::string timeZonesSql() {
    Tables tables;
    for (const std::string& name : timeZoneNames()) {
        if (const auto zone = TimeZone::find(name)) tables.add(name, storedPeriods(*zone));
    }
    return tables.text();
}

std::string timeZoneSql(const TenantSettings& settings) {
    std::string sql = hasTimeZones(settings.paths.data()) ? "" : timeZonesSql();
    const auto chosen = settings.variables.find("time_zone");
    if (chosen == settings.variables.end()) return sql;
    if (chosen->second.find_first_of("'\\\n") != std::string::npos)
        throw Error(ErrorCode::InvalidRequest, "not a time zone: " + chosen->second);
    return sql + fmt::format("SET GLOBAL time_zone = '{}';\n", chosen->second);
}

}  // namespace tidemark::tenant
