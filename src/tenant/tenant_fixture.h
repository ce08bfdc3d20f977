#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tenant/tenant_server.h"
#include "testing/mariadb_server.h"

namespace tidemark::tenant {

/// For tests: a directory of tenants, and a template that all tests of the program share. Whatever server a test leaves
/// behind is killed.
class TenantFixture : public ::testing::Test {
protected:
    static TenantTemplate& sharedTemplate() {
        static const testing::TemporaryDirectory directory;
        static TenantTemplate made(directory.path() / "template");
        return made;
    }

    void TearDown() override {
        for (const auto& server : servers_)
            server->kill();
    }

    TenantSettings settings(catalog::TenantId id, Profile profile = Profile::Primary) const {
        TenantSettings settings;
        settings.tenant = id;
        settings.paths = pathsOf(directory_.path(), id);
        settings.server_id = 5000 + static_cast<std::uint32_t>(id);
        settings.profile = profile;
        settings.as_root = geteuid() == 0;
        return settings;
    }

    /// An object for tenant `id`, whether or not there is one.
    std::shared_ptr<TenantServer> object(catalog::TenantId id) {
        servers_.push_back(
            std::make_shared<TenantServer>(id, "t" + std::to_string(id), pathsOf(directory_.path(), id)));
        return servers_.back();
    }

    std::shared_ptr<TenantServer> started(catalog::TenantId id) {
        auto server = object(id);
        server->create(sharedTemplate());
        server->configure(settings(id));
        server->start();
        return server;
    }

    static mysql::SqlClient administrator(const TenantServer& server) { return client(server, "root", ""); }
    static mysql::SqlClient client(const TenantServer& server, const std::string& user, const std::string& password) {
        mysql::Endpoint endpoint;
        endpoint.socket = server.socket();
        endpoint.user = user;
        endpoint.password = password;
        endpoint.server_settings = true;
        return mysql::SqlClient(endpoint);
    }

    testing::TemporaryDirectory directory_;
    std::vector<std::shared_ptr<TenantServer>> servers_;
};

}  // namespace tidemark::tenant
