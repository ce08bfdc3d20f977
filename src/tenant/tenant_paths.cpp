#include "tenant/tenant_paths.h"

#include <fmt/format.h>
#include <sys/un.h>

#include "base/error.h"

namespace tidemark::tenant {

TenantPaths pathsOf(const std::filesystem::path& tenants, catalog::TenantId id) {
    const TenantPaths paths{tenants / std::to_string(id)};
    constexpr std::size_t kLimit = sizeof(sockaddr_un::sun_path) - 1;
    const std::size_t length = paths.socket().native().size();
    if (length > kLimit) {
        throw Error(ErrorCode::InvalidRequest,
                    fmt::format("the socket path {} has {} bytes, but a unix socket's path may have {} at most",
                                paths.socket().string(), length, kLimit),
                    fmt::format("choose a data directory whose path is at least {} bytes shorter", length - kLimit));
    }
    return paths;
}

}  // namespace tidemark::tenant
