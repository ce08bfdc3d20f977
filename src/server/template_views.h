#pragma once

#include "catalog/catalog.h"
#include "tenant/tenant_template.h"

namespace tidemark::server {

/// The views of new tenants come with their template, so that CREATE TENANT makes none. Call after Catalog::migrate().
tenant::TemplateContent templateViews(catalog::Catalog& catalog);

}  // namespace tidemark::server
