#include "front/login_name.h"

#include <strings.h>

namespace tidemark::front {

LoginName splitLoginName(std::string_view name) {
    const auto at = name.rfind('@');
    if (at == std::string_view::npos) return {.user = std::string(name), .tenant = "sys"};
    const std::string_view tenant = name.substr(at + 1);
    return {.user = std::string(name.substr(0, at)), .tenant = std::string(tenant.substr(0, tenant.find('#')))};
}

bool isReservedUser(std::string_view user) {
    if (user.size() > 1 && user.front() == '\'' && user.back() == '\'') user = user.substr(1, user.size() - 2);
    return user == "tidemark";
}

static constexpr const char* kOracleAdministrator = "SYS";

std::string userInTenant(const std::string& user, bool oracle) {
    return oracle && strcasecmp(user.c_str(), kOracleAdministrator) == 0 ? kOracleAdministrator : user;
}

std::string defaultDatabase(const std::string& user, bool oracle) {
    return oracle && user == kOracleAdministrator ? kOracleAdministrator : "";
}

}  // namespace tidemark::front
