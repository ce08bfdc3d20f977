#include "view/view_definition.h"

#include <fmt/format.h>

#include <map>
#include <sstream>

#include "catalog/compatibility.h"

namespace tidemark::view {
namespace {

using catalog::CompatibilityMode;

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

/// DEFINER: who may see the view sees its rows, without a grant on what is beneath it.
std::string create(std::string_view schema, std::string_view name, std::string_view select) {
    return fmt::format("CREATE OR REPLACE SQL SECURITY DEFINER VIEW {}.`{}` AS\n{}", schema, name, select);
}

/// The parts of "A, *, B AS CHAR(256)", without blanks around.
std::vector<std::string> listed(std::string_view columns) {
    std::vector<std::string> parts;
    std::istringstream text{std::string(columns)};
    for (std::string part; std::getline(text >> std::ws, part, ',');)
        parts.push_back(part);
    return parts;
}

bool isText(const std::string& type) {
    return type.find("char") != std::string::npos || type.find("text") != std::string::npos;
}

/// No literal '': whether that is NULL depends on the sql_mode of who reads the view.
std::string nullIfEmpty(const std::string& column) {
    return fmt::format("IF(OCTET_LENGTH({0}) = 0, NULL, {0}) AS {0}", column);
}

}  // namespace

std::string createInSys(const ViewDefinition& view) {
    return create("oceanbase", view.name, view.select);
}

std::string createInTenant(const ViewDefinition& view, CompatibilityMode mode) {
    const bool oracle = mode == CompatibilityMode::Oracle;
    const std::string schema = catalog::systemSchema(mode);
    const std::string prefix(kTenantPrefix);
    std::string select = replaced(std::string(view.select), oracle ? "oceanbase." : "oceanbase.CDB_",
                                  schema + "." + prefix + (oracle ? "" : "CDB_"));
    select = replaced(std::move(select), "tidemark.", schema + "." + prefix);
    const bool internal = oracle || view.name.starts_with("CDB_");
    return create(schema, (internal ? prefix : "") + std::string(view.name), select);
}

std::string createInOracle(const ViewDefinition& view, mysql::SqlClient& tenant) {
    const std::string schema = catalog::systemSchema(CompatibilityMode::Oracle);
    const std::string beneath = std::string(kTenantPrefix) + std::string(view.name);
    const auto columns = tenant.query(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = ? AND table_name = ? "
        "ORDER BY ordinal_position",
        {schema, beneath});
    std::vector<std::string> names;
    std::map<std::string, std::string> items;
    for (const mysql::Row& row : columns.rows) {
        const std::string quoted = mysql::quoteIdentifier(row.text(0));
        names.push_back(row.text(0));
        items[row.text(0)] = isText(row.text(1)) ? nullIfEmpty(quoted) : quoted;
    }
    std::vector<std::string> chosen;
    for (const std::string& part : listed(view.oracle_columns)) {
        const auto as = part.find(" AS ");
        if (as != std::string::npos) {
            const std::string name = part.substr(0, as);
            items.at(name) = fmt::format("CAST(`{0}` AS {1}) AS `{0}`", name, part.substr(as + 4));
        } else if (part != "*") {
            chosen.push_back(part);
        }
    }
    std::vector<std::string> select;
    for (const std::string& name : chosen.empty() ? names : chosen)
        select.push_back(items.at(name));
    return create(schema, view.name,
                  fmt::format("SELECT {}\nFROM {}.`{}`", fmt::join(select, ",\n       "), schema, beneath));
}

std::string createSchema(std::string_view schema) {
    return fmt::format("CREATE DATABASE IF NOT EXISTS {} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", schema);
}

}  // namespace tidemark::view
