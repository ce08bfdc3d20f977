#include "view/mirror_reader.h"

#include <fmt/format.h>

#include "base/error.h"

namespace tidemark::view {
namespace {

using catalog::contains;
using catalog::TenantId;
using catalog::Topic;

std::optional<Look> lookFor(const MirroredTable& table, Topic topics) {
    if (contains(topics, table.topics)) return Look::AtAll;
    if (contains(topics, table.progress)) return Look::AtThoseInProgress;
    return std::nullopt;
}

/// The statement that reads one tenant's rows, made to read those of several.
std::string forTenants(std::string select, const std::vector<TenantId>& tenants) {
    constexpr std::string_view kOne = "tenant_id = ?";
    const auto place = select.find(kOne);
    if (place == std::string::npos) throw Error(ErrorCode::Internal, "rows of one tenant only: " + select);
    return select.replace(place, kOne.size(), fmt::format("tenant_id IN ({})", fmt::join(tenants, ", ")));
}

/// By tenant. The first column of what changes often is the tenant's id.
std::map<std::string, mysql::Result> byTenant(mysql::Result result) {
    std::map<std::string, mysql::Result> parts;
    for (mysql::Row& row : result.rows)
        parts[row.text(0)].rows.push_back(std::move(row));
    return parts;
}

class Reader {
public:
    Reader(mysql::SqlClient& sys, std::span<const Reading> readings)
        : sys_(sys), readings_(readings), changes_(readings.size()) {}

    void read(const MirroredTable& table, Look look) {
        std::vector<std::size_t> concerned;
        for (std::size_t i = 0; i < readings_.size(); ++i)
            if (lookFor(table, readings_[i].topics) == look) concerned.push_back(i);
        if (concerned.empty()) return;
        const char* select = look == Look::AtAll ? table.select : table.in_progress;
        if (concerned.size() == 1) {
            const std::size_t only = concerned.front();
            return note(only, table, look, sys_.query(select, {readings_[only].tenant}));
        }
        std::vector<TenantId> tenants;
        for (const std::size_t i : concerned)
            tenants.push_back(readings_[i].tenant);
        mysql::Result result = sys_.query(forTenants(select, tenants));
        const std::vector<std::string> columns = result.columns;
        std::map<std::string, mysql::Result> parts = byTenant(std::move(result));
        for (const std::size_t i : concerned) {
            mysql::Result& part = parts[std::to_string(readings_[i].tenant)];
            part.columns = columns;
            note(i, table, look, part);
        }
    }

    std::vector<std::vector<TableChange>> take() { return std::move(changes_); }

private:
    void note(std::size_t i, const MirroredTable& table, Look look, const mysql::Result& rows) {
        const KnownRows& known = *readings_[i].known;
        const auto found = known.find(table.name);
        TableChange change = compare(table, look, rows, found == known.end() ? nullptr : &found->second);
        if (!change.empty()) changes_[i].push_back(std::move(change));
    }

    mysql::SqlClient& sys_;
    const std::span<const Reading> readings_;
    std::vector<std::vector<TableChange>> changes_;
};

}  // namespace

bool isFrequent(Topic topics) {
    return (static_cast<std::uint32_t>(topics) & ~static_cast<std::uint32_t>(kFrequent)) == 0;
}

std::vector<std::vector<TableChange>> readChanges(mysql::SqlClient& sys, std::span<const Reading> readings) {
    Reader reader(sys, readings);
    for (const MirroredTable& table : mirroredTables()) {
        reader.read(table, Look::AtAll);
        reader.read(table, Look::AtThoseInProgress);
    }
    return reader.take();
}

}  // namespace tidemark::view
