#include "tenant/carried_settings.h"

#include <strings.h>

#include "tenant/tenant_variables.h"

namespace tidemark::tenant {
namespace {

constexpr const char* kCharset = "charset";
constexpr const char* kCollation = "collation";
constexpr const char* kMode = "compatibility_mode";

}  // namespace

std::map<std::string, std::string> carriedSettings(const catalog::Tenant& tenant) {
    std::map<std::string, std::string> carried = tenant.variables;
    carried[kCharset] = tenant.charset;
    carried[kCollation] = tenant.collation;
    carried[kMode] = catalog::text(tenant.mode);
    return carried;
}

void takeCarriedSettings(const std::map<std::string, std::string>& carried, TenantItems& items) {
    for (const auto& [name, value] : carried) {
        if (name == kCharset) {
            items.charset = value;
        } else if (name == kCollation) {
            items.collation = value;
        } else {
            items.variables[name == kMode ? "ob_compatibility_mode" : name] = value;
        }
    }
}

std::string timeZoneOf(const std::map<std::string, std::string>& carried) {
    const auto found = carried.find("time_zone");
    if (found != carried.end() && strcasecmp(found->second.c_str(), "SYSTEM") != 0) return found->second;
    const std::string machine = systemTimeZoneOf(carried);
    return machine.empty() ? "SYSTEM" : machine;
}

}  // namespace tidemark::tenant
