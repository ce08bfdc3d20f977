#include "view/view_definition.h"

#include <fmt/format.h>

namespace tidemark::view {
namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

/// DEFINER: who may see the view sees its rows, without a grant on what is beneath it.
std::string create(std::string_view name, std::string_view select) {
    return fmt::format("CREATE OR REPLACE SQL SECURITY DEFINER VIEW oceanbase.`{}` AS\n{}", name, select);
}

}  // namespace

std::string createInSys(const ViewDefinition& view) {
    return create(view.name, view.select);
}

std::string createInTenant(const ViewDefinition& view) {
    const std::string prefix(kTenantPrefix);
    std::string select = replaced(std::string(view.select), "oceanbase.CDB_", "oceanbase." + prefix + "CDB_");
    select = replaced(std::move(select), "tidemark.", "oceanbase." + prefix);
    return create(view.name.starts_with("CDB_") ? prefix + std::string(view.name) : std::string(view.name), select);
}

}  // namespace tidemark::view
