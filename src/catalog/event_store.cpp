#include "catalog/event_store.h"

#include "catalog/sql_row.h"

namespace tidemark::catalog {
namespace {

constexpr std::size_t kMostValues = 6;

}  // namespace

// Nothing here is part of a tenant's copy: no Change is reported.

void EventStore::record(const std::string& module, const std::string& event,
                        const std::vector<std::pair<std::string, std::string>>& values, const std::string& extra) {
    catalog_.write({}, [&](mysql::SqlClient& client) {
        const std::int64_t id = nextId(client, "rootservice_event", 0);
        Columns columns{{"id", id},
                        {"at", sqlTime(catalog_.clock().now())},
                        {"module", fitting(module, 64)},
                        {"event", fitting(event, 64)},
                        {"extra_info", fitting(extra, 512)}};
        for (std::size_t i = 0; i < std::min(values.size(), kMostValues); ++i) {
            columns.emplace_back("name" + std::to_string(i + 1), fitting(values[i].first, 256));
            columns.emplace_back("value" + std::to_string(i + 1), fitting(values[i].second, 256));
        }
        insertRow(client, "rootservice_event", columns);
        client.query("DELETE FROM tidemark.rootservice_event WHERE id <= ?", {id - limit_});
    });
}

}  // namespace tidemark::catalog
