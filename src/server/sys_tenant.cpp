#include "server/sys_tenant.h"

#include <unistd.h>

#include <charconv>

#include "base/error.h"
#include "base/random.h"

namespace tidemark::server {
namespace {

/// Holds sys's server id, which for other tenants stands in the catalog. Written when sys's directory is complete, and
/// so the sign that it is.
std::filesystem::path markerOf(const tenant::TenantServer& sys) {
    return sys.paths().directory / "server-id";
}

std::string makeSys(tenant::TenantServer& sys, tenant::TenantTemplate& tenant_template) {
    sys.kill();
    sys.removeFiles();
    sys.create(tenant_template);
    sys.syncFiles();
    std::uint32_t server_id = 0;
    while (server_id == 0)
        server_id = randomU32();
    replaceFile(markerOf(sys), std::to_string(server_id));
    return std::to_string(server_id);
}

}  // namespace

SysTenant startSys(const DataDirectory& directory, tenant::TenantTemplate& tenant_template, const Config& config,
                   const tenant::RunningServers& running) {
    const auto paths = tenant::pathsOf(directory.tenants(), catalog::kSysTenantId);
    auto sys = std::make_shared<tenant::TenantServer>(catalog::kSysTenantId, "sys", paths);
    sys->adopt(running);
    auto marker = readFile(markerOf(*sys));
    if (!marker) marker = makeSys(*sys, tenant_template);

    tenant::TenantSettings settings;
    settings.tenant = catalog::kSysTenantId;
    settings.paths = paths;
    const std::string_view number = *marker;
    std::from_chars(number.data(), number.data() + number.size(), settings.server_id);
    settings.memory_bytes = config.sys_memory;
    settings.max_cpu = config.sys_cpu;
    settings.as_root = geteuid() == 0;
    if (settings.server_id == 0) throw Error(ErrorCode::Corrupt, markerOf(*sys).string() + " names no server id");
    sys->configure(settings);
    sys->start();
    return {std::move(sys), settings.server_id};
}

}  // namespace tidemark::server
