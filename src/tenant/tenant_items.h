#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tidemark::tenant {

/// What CREATE TENANT and ALTER TENANT may give.
struct TenantItems {
    std::optional<std::vector<std::string>> pools;
    std::optional<std::string> charset;
    std::optional<std::string> collation;
    std::optional<std::string> primary_zone;
    std::optional<std::string> locality;
    std::optional<std::string> comment;
    std::optional<bool> locked;                    ///< ALTER TENANT … LOCK | UNLOCK
    std::map<std::string, std::string> variables;  ///< see tenant_variables.h
};

}  // namespace tidemark::tenant
