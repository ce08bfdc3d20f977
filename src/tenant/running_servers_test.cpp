#include "tenant/running_servers.h"

#include "tenant/tenant_fixture.h"

namespace tidemark::tenant {
namespace {

using RunningServersTest = TenantFixture;

TEST_F(RunningServersTest, OneLookFindsTheServersOfManyTenants) {
    const pid_t first = *started(1002)->pid();
    const pid_t second = *started(1004)->pid();
    for (const auto& server : servers_)
        std::filesystem::remove(server->paths().pidFile());
    const RunningServers running = RunningServers::look();
    const auto one = object(1002);
    const auto two = object(1004);
    EXPECT_TRUE(one->adopt(running));
    EXPECT_TRUE(two->adopt(running));
    EXPECT_EQ(one->pid(), first);
    EXPECT_EQ(two->pid(), second);
    EXPECT_FALSE(object(1006)->adopt(running));
}

TEST_F(RunningServersTest, WhatItNamesMayHaveEnded) {
    const auto server = started(1002);
    const RunningServers running = RunningServers::look();
    server->kill();
    EXPECT_FALSE(object(1002)->adopt(running));
}

/// Whoever looked once does not look again: a start would read all of /proc.
TEST_F(RunningServersTest, IsBelieved) {
    const auto server = started(1002);
    std::filesystem::remove(server->paths().pidFile());
    const auto other = object(1002);
    EXPECT_FALSE(other->adopt(RunningServers()));
    EXPECT_FALSE(other->adopt());
    EXPECT_TRUE(object(1002)->adopt());
}

}  // namespace
}  // namespace tidemark::tenant
