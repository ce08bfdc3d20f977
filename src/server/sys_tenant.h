#pragma once

#include <memory>

#include "server/config.h"
#include "server/data_directory.h"
#include "tenant/tenant_server.h"

namespace tidemark::server {

/// Tenant sys, whose mariadbd holds the catalog and so has to be there before anything can be looked up.
struct SysTenant {
    std::shared_ptr<tenant::TenantServer> server;  ///< running
    std::uint32_t server_id = 0;
};

/// Makes sys if there is none yet (one that an interrupted first start left half-made is thrown away: nothing can be
/// in it) and starts it, or adopts the running one.
SysTenant startSys(const DataDirectory& directory, tenant::TenantTemplate& tenant_template, const Config& config,
                   const tenant::RunningServers& running);

}  // namespace tidemark::server
