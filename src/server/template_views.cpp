#include "server/template_views.h"

#include "view/tenant_schema.h"

namespace tidemark::server {

tenant::TemplateContent templateViews(catalog::Catalog& catalog) {
    const auto schema = catalog.readSnapshot([](mysql::SqlClient& sys) { return view::TenantSchema::of(sys); });
    return {.version = schema.version(),
            .install = [schema](mysql::SqlClient& tenant, catalog::CompatibilityMode mode) {
                view::beginUnlogged(tenant);
                schema.ensure(tenant, mode);
            }};
}

}  // namespace tidemark::server
