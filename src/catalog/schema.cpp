#include "catalog/schema.h"

#include <fmt/format.h>

#include "base/crash_point.h"
#include "base/error.h"
#include "catalog/parameter.h"
#include "catalog/sql_row.h"

namespace tidemark::catalog {
namespace {

const char* typeName(ParameterType type) {
    switch (type) {
        case ParameterType::Int:
            return "INT";
        case ParameterType::Bool:
            return "BOOL";
        case ParameterType::Time:
            return "TIME";
        case ParameterType::Capacity:
            return "CAPACITY";
        case ParameterType::Version:
            return "VERSION";
        case ParameterType::Directories:
        case ParameterType::File:
            break;
    }
    return "STRING";
}

mysql::Value numberOrNull(const ParameterDefinition& definition, std::string_view value) {
    const auto number = numberOf(definition, value);
    return number ? mysql::Value(*number) : mysql::Value(nullptr);
}

void writeParameterDefinitions(mysql::SqlClient& client) {
    mysql::inTransaction(client, [&] {
        client.query("DELETE FROM tidemark.parameter_definition");
        for (const ParameterDefinition& definition : parameterDefinitions()) {
            insertRow(client, "parameter_definition",
                      {{"name", std::string(definition.name)},
                       {"data_type", std::string(typeName(definition.type))},
                       {"scope", std::string(definition.scope == ParameterScope::Tenant ? "TENANT" : "CLUSTER")},
                       {"default_value", std::string(definition.default_value)},
                       {"default_number", numberOrNull(definition, definition.default_value)},
                       {"section", std::string(definition.section)},
                       {"edit_level",
                        std::string(definition.type == ParameterType::Version ? "READONLY" : "DYNAMIC_EFFECTIVE")},
                       {"info", std::string(definition.info)}});
        }
    });
}

}  // namespace

void migrateSchema(mysql::SqlClient& client) {
    client.script(
        "CREATE DATABASE IF NOT EXISTS tidemark CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;"
        "CREATE TABLE IF NOT EXISTS tidemark.schema_version (version INT NOT NULL PRIMARY KEY)");
    const int present =
        std::stoi(client.scalar("SELECT COALESCE(MAX(version), 0) FROM tidemark.schema_version").value());
    const auto steps = schemaSteps();
    const int wanted = static_cast<int>(steps.size());
    if (present > wanted) {
        throw Error(ErrorCode::Conflict,
                    fmt::format("the catalog has schema version {}, this program knows {}", present, wanted),
                    "start the newer tidemarkd that last ran here");
    }
    for (int step = present + 1; step <= wanted; ++step) {
        client.script(steps[step - 1]);
        crashPoint("schema.step-made");
        client.query("INSERT INTO tidemark.schema_version VALUES (?)", {std::int64_t{step}});
        crashPoint("schema.step-noted");
    }
    writeParameterDefinitions(client);
    client.query("DELETE FROM tidemark.commit_marker WHERE at < NOW(6) - INTERVAL 7 DAY");
}

}  // namespace tidemark::catalog
