#pragma once

#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"

namespace tidemark::catalog {

/// What happened in the cluster (DBA_OB_ROOTSERVICE_EVENT_HISTORY). Thread-safe.
class EventStore {
public:
    /// No more than `limit` events are kept: the oldest go.
    explicit EventStore(Catalog& catalog, std::int64_t limit = 10'000) : catalog_(catalog), limit_(limit) {}

    /// `values`: up to six pairs of name and value, each cut at 256 characters; `extra` is cut at 512.
    void record(const std::string& module, const std::string& event,
                const std::vector<std::pair<std::string, std::string>>& values = {}, const std::string& extra = {});

private:
    Catalog& catalog_;
    const std::int64_t limit_;
};

}  // namespace tidemark::catalog
