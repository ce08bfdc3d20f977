#include <algorithm>

#include "base/letters.h"
#include "oceanbase/ob_error.h"
#include "statement/parse.h"

namespace tidemark::statement {
namespace {

bool acceptIfNotExists(TokenStream& in) {
    return in.acceptWords({"IF", "NOT", "EXISTS"});
}
bool acceptIfExists(TokenStream& in) {
    return in.acceptWords({"IF", "EXISTS"});
}

/// ( 'a' [, 'b' …] ), or one value without brackets.
std::vector<std::string> parseList(TokenStream& in) {
    if (!in.acceptSymbol('(')) return {in.value()};
    std::vector<std::string> list{in.value()};
    while (in.acceptSymbol(','))
        list.push_back(in.value());
    in.expectSymbol(')');
    return list;
}

[[noreturn]] void failTwice(const std::string& key) {
    throw obError(Ob::InvalidArgument, key + ", which is given twice");
}

/// [=] value. An option that is given twice would hide one of its values.
void addOption(Options& options, TokenStream& in, const std::string& key) {
    in.skipEquals();
    if (!options.emplace(key, in.value()).second) failTwice(key);
}

/// [=] list
void addList(std::vector<std::string>& list, TokenStream& in, const std::string& key) {
    in.skipEquals();
    if (!list.empty()) failTwice(key);
    list = parseList(in);
}

Options parseUnitOptions(TokenStream& in) {
    static const std::vector<std::string> known{
        "max_cpu",  "min_cpu",     "memory_size",    "log_disk_size",     "max_iops",
        "min_iops", "iops_weight", "data_disk_size", "max_net_bandwidth", "net_bandwidth_weight"};
    Options options;
    do {
        if (std::none_of(known.begin(), known.end(), [&](const auto& one) { return in.isKey(one); })) in.fail();
        addOption(options, in, in.key());
    } while (in.acceptSymbol(',') || !(in.atEnd() || in.acceptSymbol(';')));
    return options;
}

Statement parseUnit(TokenStream& in, const std::string& verb) {
    if (verb == "drop") {
        const bool if_exists = acceptIfExists(in);
        return DropUnit{.if_exists = if_exists, .name = in.name()};
    }
    const bool if_not_exists = verb == "create" && acceptIfNotExists(in);
    std::string name = in.name();
    Options options = parseUnitOptions(in);
    if (verb == "create") return CreateUnit{if_not_exists, std::move(name), std::move(options)};
    return AlterUnit{std::move(name), std::move(options)};
}

void parsePoolOptions(TokenStream& in, Options& options, std::vector<std::string>& zones) {
    do {
        if (in.isKey("zone_list")) {
            addList(zones, in, in.key());
        } else if (in.isKey("unit") || in.isKey("unit_num") || in.isKey("replica_type")) {
            addOption(options, in, in.key());
        } else {
            in.fail();
        }
    } while (in.acceptSymbol(',') || !(in.atEnd() || in.acceptSymbol(';')));
}

Statement parsePool(TokenStream& in, const std::string& verb) {
    if (verb == "drop") {
        const bool if_exists = acceptIfExists(in);
        return DropPool{.if_exists = if_exists, .name = in.name()};
    }
    if (verb == "create") {
        CreatePool create{.if_not_exists = acceptIfNotExists(in), .name = in.name()};
        parsePoolOptions(in, create.options, create.zones);
        return create;
    }
    if (in.isWord("MERGE")) return Unsupported{"ALTER RESOURCE POOL MERGE"};
    AlterPool alter{.name = in.name()};
    if (in.isWord("SPLIT")) return Unsupported{"ALTER RESOURCE POOL … SPLIT"};
    parsePoolOptions(in, alter.options, alter.zones);
    return alter;
}

/// One option of a tenant; false if the next words are none.
bool parseTenantOption(TokenStream& in, TenantOptions& tenant) {
    if (in.acceptWord("RESOURCE_POOL_LIST")) {
        addList(tenant.pools, in, "resource_pool_list");
        return true;
    }
    if (in.acceptWords({"CHARACTER", "SET"}) || in.acceptWord("CHARSET")) {
        addOption(tenant.options, in, "charset");
        return true;
    }
    if (in.acceptWords({"READ", "ONLY"})) throw obError(Ob::NotSupported, "a tenant that is READ ONLY is");
    if (in.acceptWords({"READ", "WRITE"})) return true;
    for (const std::string_view key :
         {"LOCALITY", "PRIMARY_ZONE", "COLLATE", "COMMENT", "ENABLE_ARBITRATION_SERVICE"}) {
        if (!in.acceptWord(key)) continue;
        addOption(tenant.options, in, lowerCase(std::string(key)));
        return true;
    }
    return false;
}

/// {SET | SET VARIABLES | VARIABLES} var {= | TO} value [, …]
void parseTenantVariables(TokenStream& in, Options& variables) {
    do {
        const std::string key = in.key();
        if (!in.acceptSymbol('=') && !in.acceptWord("TO")) in.fail();
        variables[key] = in.value();
    } while (in.acceptSymbol(','));
}

bool acceptVariablesStart(TokenStream& in) {
    return in.acceptWords({"SET", "VARIABLES"}) || in.acceptWord("VARIABLES") || in.acceptWord("SET");
}

void parseTenantOptions(TokenStream& in, TenantOptions& tenant) {
    while (parseTenantOption(in, tenant))
        in.acceptSymbol(',');
    if (acceptVariablesStart(in)) parseTenantVariables(in, tenant.variables);
}

Statement parseAlterTenant(TokenStream& in) {
    if (in.isWord("ALL")) return Unsupported{"ALTER TENANT ALL"};
    AlterTenant alter{.name = in.name()};
    if (in.acceptWord("LOCK")) {
        alter.lock = true;
    } else if (in.acceptWord("UNLOCK")) {
        alter.lock = false;
    } else if (in.acceptWords({"RENAME", "GLOBAL_NAME", "TO"})) {
        alter.rename_to = in.name();
    } else {
        if (in.isWord("SET") && !in.isWord("VARIABLES", 1)) in.acceptWord("SET");
        parseTenantOptions(in, alter.options);
        if (alter.options.pools.empty() && alter.options.options.empty() && alter.options.variables.empty()) {
            // ALTER TENANT t SET name = value: variables without the word
            if (!in.startsAssignment()) in.fail();
            parseTenantVariables(in, alter.options.variables);
        }
    }
    return alter;
}

Statement parseTenant(TokenStream& in, const std::string& verb) {
    if (verb == "drop") {
        DropTenant drop{.if_exists = acceptIfExists(in), .name = in.name()};
        drop.force = in.acceptWord("FORCE");
        if (!drop.force) in.acceptWord("PURGE");
        return drop;
    }
    if (verb == "alter") return parseAlterTenant(in);
    CreateTenant create{.if_not_exists = acceptIfNotExists(in), .name = in.name()};
    if (in.isWord("FROM")) return Unsupported{"CREATE TENANT … FROM"};
    parseTenantOptions(in, create.options);
    return create;
}

}  // namespace

Statement parseResource(TokenStream& in) {
    const std::string verb = in.key();
    if (in.acceptWord("TENANT")) return parseTenant(in, verb);
    if (in.isWord("STANDBY")) return Unsupported{"CREATE STANDBY TENANT"};
    in.expectWord("RESOURCE");
    if (in.acceptWord("UNIT")) return parseUnit(in, verb);
    if (in.acceptWord("POOL")) return parsePool(in, verb);
    if (in.isWord("TENANT")) return Unsupported{"ALTER RESOURCE TENANT"};
    in.fail();
}

}  // namespace tidemark::statement
