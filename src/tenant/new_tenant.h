#pragma once

#include <map>
#include <string>
#include <vector>

#include "catalog/stores.h"
#include "tenant/tenant_items.h"

namespace tidemark::tenant {

/// What CREATE TENANT and RESTORE ask for, checked against the catalog and against what mariadbd knows. Reads only.
/// Thread-safe.
class NewTenantRules {
public:
    NewTenantRules(catalog::Catalog& catalog, catalog::Stores& stores) : catalog_(catalog), stores_(stores) {}

    /// Throws whatever is wrong with it, before anything is made.
    catalog::NewTenant checked(const std::string& name, const TenantItems& items);
    /// `given` in lower case and checked, as checkVariables().
    std::map<std::string, std::string> checkedVariables(const std::map<std::string, std::string>& given);

private:
    void checkCharset(catalog::NewTenant& tenant, const TenantItems& items);
    std::vector<std::string> zonesOf(const std::vector<std::string>& pools);

    catalog::Catalog& catalog_;
    catalog::Stores& stores_;
};

}  // namespace tidemark::tenant
