#include <strings.h>

#include <charconv>

#include "catalog/parameter.h"
#include "oceanbase/ob_error.h"
#include "statement/engine.h"

/// The engine's statements about units, pools and tenants: texts become numbers, ResourceService and TenantService do
/// the rest.
namespace tidemark::statement {
namespace {

constexpr std::size_t kLongestComment = 4096;  // what a tenant's record has room for, in characters

template <typename Number>
Number number(const std::string& option, const std::string& text) {
    Number value{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size()) throw obError(Ob::InvalidArgument, option);
    return value;
}

std::optional<std::string> find(const Options& options, const std::string& name) {
    const auto found = options.find(name);
    return found == options.end() ? std::nullopt : std::optional(found->second);
}

tenant::UnitItems unitItems(const Options& options) {
    tenant::UnitItems items;
    if (const auto text = find(options, "max_cpu")) items.max_cpu = number<double>("max_cpu", *text);
    if (const auto text = find(options, "min_cpu")) items.min_cpu = number<double>("min_cpu", *text);
    if (const auto text = find(options, "memory_size")) items.memory_size = catalog::parseCapacity(*text);
    if (const auto text = find(options, "log_disk_size")) items.log_disk_size = catalog::parseCapacity(*text);
    if (const auto text = find(options, "max_iops")) items.max_iops = number<std::int64_t>("max_iops", *text);
    if (const auto text = find(options, "min_iops")) items.min_iops = number<std::int64_t>("min_iops", *text);
    if (const auto text = find(options, "iops_weight")) items.iops_weight = number<std::int64_t>("iops_weight", *text);
    return items;
}

tenant::TenantItems tenantItems(const TenantOptions& given) {
    const auto arbitration = find(given.options, "enable_arbitration_service");
    if (arbitration && strcasecmp(arbitration->c_str(), "false") != 0) {
        throw obError(Ob::NotSupported, "ENABLE_ARBITRATION_SERVICE is");
    }
    tenant::TenantItems items;
    if (!given.pools.empty()) items.pools = given.pools;
    items.charset = find(given.options, "charset");
    items.collation = find(given.options, "collate");
    items.primary_zone = find(given.options, "primary_zone");
    items.locality = find(given.options, "locality");
    items.comment = find(given.options, "comment");
    items.variables = given.variables;
    return items;
}

}  // namespace

StatementResult Engine::run(const Caller& caller, const CreateUnit& create) {
    requireSys(caller);
    parts_.resources.createUnit(create.name, unitItems(create.options), create.if_not_exists);
    return {};
}

StatementResult Engine::run(const Caller& caller, const AlterUnit& alter) {
    requireSys(caller);
    parts_.resources.alterUnit(alter.name, unitItems(alter.options));
    return {};
}

StatementResult Engine::run(const Caller& caller, const DropUnit& drop) {
    requireSys(caller);
    parts_.resources.dropUnit(drop.name, drop.if_exists);
    return {};
}

StatementResult Engine::run(const Caller& caller, const CreatePool& create) {
    requireSys(caller);
    const auto unit = find(create.options, "unit");
    if (!unit) throw obError(Ob::MissArgument, "unit");
    const auto count = number<std::int64_t>("unit_num", find(create.options, "unit_num").value_or("1"));
    parts_.resources.createPool(create.name, *unit, count, create.zones, create.if_not_exists);
    return {};
}

StatementResult Engine::run(const Caller& caller, const AlterPool& alter) {
    requireSys(caller);
    tenant::PoolItems items{.unit = find(alter.options, "unit")};
    if (const auto text = find(alter.options, "unit_num")) items.unit_num = number<std::int64_t>("unit_num", *text);
    if (!alter.zones.empty()) items.zones = alter.zones;
    parts_.resources.alterPool(alter.name, items);
    return {};
}

StatementResult Engine::run(const Caller& caller, const DropPool& drop) {
    requireSys(caller);
    parts_.resources.dropPool(drop.name, drop.if_exists);
    return {};
}

StatementResult Engine::run(const Caller& caller, const CreateTenant& create) {
    requireSys(caller);
    requireFits("COMMENT", find(create.options.options, "comment").value_or(""), kLongestComment);
    parts_.tenants.create(create.name, tenantItems(create.options), create.if_not_exists);
    return {};
}

StatementResult Engine::run(const Caller& caller, const AlterTenant& alter) {
    requireSys(caller);
    if (alter.rename_to) {
        parts_.tenants.rename(alter.name, *alter.rename_to);
        return {};
    }
    auto items = tenantItems(alter.options);
    items.locked = alter.lock;
    requireFits("COMMENT", items.comment.value_or(""), kLongestComment);
    parts_.tenants.alter(alter.name, items);
    return {};
}

StatementResult Engine::run(const Caller& caller, const DropTenant& drop) {
    requireSys(caller);
    const auto tenant = parts_.stores.tenants.find(drop.name);
    if (tenant) {
        tenant::TenantService::requireDroppable(*tenant, drop.force);
        parts_.backup.cancel({*tenant});
        parts_.archive.forget(tenant->id);
        // The end of its restore is the end of the tenant: that alone can stop those who work on it. But for one whose
        // files are just fetched: it is as any other.
        const auto restore = parts_.stores.restores.findActive(drop.name);
        if (restore && restore->tenant_status != catalog::RestoreTenantStatus::QuickRestoreFinish) {
            parts_.restore.cancel(drop.name);
            if (!parts_.stores.tenants.find(drop.name)) return {};
        }
    }
    try {
        parts_.tenants.drop(drop.name, drop.force, drop.if_exists);
    } catch (...) {
        // The tenant stays, and so does its archive.
        if (tenant) parts_.archive.settle(tenant->id);
        throw;
    }
    if (tenant) parts_.archive.forget(tenant->id);
    return {};
}

}  // namespace tidemark::statement
