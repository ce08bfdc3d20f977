#include "tenant/throwaway_server.h"

#include <fmt/format.h>

#include <charconv>

#include "base/crash_point.h"
#include "base/log.h"

namespace tidemark::tenant {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<TenantServer> serverOf(const fs::path& below, catalog::TenantId id) {
    return std::make_shared<TenantServer>(id, fmt::format("{} (a validation's)", id), pathsOf(below, id),
                                          Priority::Background);
}

void remove(TenantServer& server) {
    server.kill();
    server.removeFiles();
}

}  // namespace

ThrowawayServer::ThrowawayServer(const fs::path& below, catalog::TenantId id)
    : below_(below), server_(serverOf(below, id)) {
    remove(*server_);
    server_->createEmpty();
    crashPoint("validate.server-made");
}

ThrowawayServer::~ThrowawayServer() {
    try {
        remove(*server_);
    } catch (const std::exception& error) {
        makeLogger("validate")
            ->warn("{} is not removed yet, the next start of the daemon does it: {}",
                   server_->paths().directory.string(), error.what());
    }
}

void removeThrowaways(const fs::path& below, const RunningServers& running) {
    removeLeftovers(below);
    for (const auto& entry : fs::directory_iterator(below)) {
        const std::string name = entry.path().filename().string();
        catalog::TenantId id = 0;
        const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), id);
        if (problem != std::errc() || end != name.data() + name.size()) continue;
        try {
            const auto server = serverOf(below, id);
            server->adopt(running);
            remove(*server);
        } catch (const std::exception& error) {
            // The tenants need not wait for that; whoever makes another one of this id removes it before.
            makeLogger("validate")->warn("{} is not removed: {}", entry.path().string(), error.what());
        }
    }
}

}  // namespace tidemark::tenant
