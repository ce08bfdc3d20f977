#pragma once

#include <functional>

#include "tenant/tenant_paths.h"

namespace tidemark::tenant {

/// What a tenant's data directory stands on, if that is more than a directory. Both may be called again and again.
struct DataGround {
    /// Before each start of a server: sees to it that the data directory is there. Waits for two seconds at most;
    /// throws Unavailable if it is not there by then: to be called again. Nothing of the server runs.
    std::function<void(const TenantPaths&)> lay = [](const TenantPaths&) {};
    /// Gives back what it has made: no server is to be started any more.
    std::function<void(const TenantPaths&)> clear = [](const TenantPaths&) {};
};

}  // namespace tidemark::tenant
