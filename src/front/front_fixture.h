#pragma once

#include <gtest/gtest.h>

#include "front/client_fixture.h"
#include "front/engine_fixture.h"
#include "front/front.h"
#include "net/listener.h"

/// For tests of the front only.
namespace tidemark::front {

/// What a tenant is started with, as far as the front depends on it.
std::vector<std::string> tenantOptions();

/// One mariadbd for the whole test program, see shared_tenant_test.cpp for its users.
std::filesystem::path sharedSocket();
mysql::SqlClient sharedConnect();

/// Tenants sys and acme are the shared mariadbd; every test has a front of its own.
class FrontTest : public ::testing::Test {
protected:
    void SetUp() override {
        directory.set("sys", TenantAddress{.tenant_id = 1, .name = "sys", .socket = sharedSocket()});
        directory.set("acme", TenantAddress{.tenant_id = 1002, .name = "acme", .socket = sharedSocket()});
        begin({});
    }
    void begin(const FrontOptions& options) {
        front = std::make_unique<Front>(directory, service, options);
        front->start(net::listenOn("127.0.0.1", 0));
    }
    LibClient connect(const std::string& user, const std::string& password = "", unsigned long flags = 0) const {
        return {front->port(), user, password, flags};
    }
    LibClient admin(unsigned long flags = 0) const { return connect("admin@acme", "geheim", flags); }
    bool allGone() const {
        return eventually([&] { return front->counters().sessions == 0; });
    }

    TestDirectory directory;
    TestService service;
    std::unique_ptr<Front> front;
};

}  // namespace tidemark::front
