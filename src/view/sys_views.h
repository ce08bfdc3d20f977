#pragma once

#include "catalog/catalog.h"

namespace tidemark::view {

/// Creates schema `oceanbase` in the sys tenant with all its views (docs/views.md), or renews them if this program's
/// differ from what is there. Call after Catalog::migrate().
void installSysViews(catalog::Catalog& catalog);

}  // namespace tidemark::view
