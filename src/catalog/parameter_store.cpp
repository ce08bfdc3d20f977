#include "catalog/parameter_store.h"

#include "catalog/sql_row.h"
#include "oceanbase/ob_error.h"

namespace tidemark::catalog {
namespace {

const ParameterDefinition& known(std::string_view name) {
    const ParameterDefinition* definition = findParameter(name);
    if (definition == nullptr) throw obError(Ob::ConfigUnknown, std::string(name));
    return *definition;
}

/// Under which tenant_id a value is kept: 0 for the cluster's.
TenantId ownerOf(const ParameterDefinition& definition, TenantId tenant) {
    return definition.scope == ParameterScope::Cluster ? 0 : tenant;
}

void requireMaySet(const ParameterDefinition& definition, TenantId tenant) {
    if (definition.scope == ParameterScope::Cluster && tenant != kSysTenantId) {
        throw obError(Ob::InvalidArgument, std::string(definition.name) + ", a parameter of the cluster",
                      "set it in the sys tenant");
    }
}

Change changeOf(const ParameterDefinition& definition, TenantId tenant) {
    return {tenant, definition.scope == ParameterScope::Cluster ? Topic::Cluster | Topic::Parameter : Topic::Parameter};
}

}  // namespace

void ParameterStore::set(TenantId tenant, std::string_view name, std::string_view value) {
    const ParameterDefinition& definition = known(name);
    requireMaySet(definition, tenant);
    const std::string checked = checkedValue(definition, value);
    catalog_.write({changeOf(definition, tenant)}, [&](mysql::SqlClient& client) {
        const auto number = numberOf(definition, checked);
        client.query("REPLACE INTO tidemark.parameter_value (tenant_id, name, value, number) VALUES (?, ?, ?, ?)",
                     {ownerOf(definition, tenant), std::string(definition.name), checked,
                      number ? mysql::Value(*number) : mysql::Value(nullptr)});
    });
}

void ParameterStore::reset(TenantId tenant, std::string_view name) {
    const ParameterDefinition& definition = known(name);
    requireMaySet(definition, tenant);
    catalog_.write({changeOf(definition, tenant)}, [&](mysql::SqlClient& client) {
        deleteRows(client, "parameter_value",
                   {{"tenant_id", ownerOf(definition, tenant)}, {"name", std::string(definition.name)}});
    });
}

std::string ParameterStore::value(TenantId tenant, std::string_view name) {
    const ParameterDefinition& definition = known(name);
    const auto found = catalog_.read([&](mysql::SqlClient& client) {
        return client.scalar("SELECT value FROM tidemark.parameter_value WHERE tenant_id = ? AND name = ?",
                             {ownerOf(definition, tenant), std::string(definition.name)});
    });
    return found.value_or(std::string(definition.default_value));
}

bool ParameterStore::isSet(TenantId tenant, std::string_view name) {
    const ParameterDefinition& definition = known(name);
    return catalog_.read([&](mysql::SqlClient& client) {
        return client
            .scalar("SELECT 1 FROM tidemark.parameter_value WHERE tenant_id = ? AND name = ?",
                    {ownerOf(definition, tenant), std::string(definition.name)})
            .has_value();
    });
}

std::int64_t ParameterStore::integer(TenantId tenant, std::string_view name) {
    return std::stoll(value(tenant, name));
}

std::chrono::microseconds ParameterStore::time(TenantId tenant, std::string_view name) {
    return parseTime(value(tenant, name));
}

std::int64_t ParameterStore::bytes(TenantId tenant, std::string_view name) {
    return parseCapacity(value(tenant, name));
}

std::int64_t ParameterStore::number(TenantId tenant, std::string_view name) {
    return numberOf(known(name), value(tenant, name)).value();
}

}  // namespace tidemark::catalog
