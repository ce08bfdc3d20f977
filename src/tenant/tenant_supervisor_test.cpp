#include "tenant/tenant_supervisor.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <future>

#include "base/bounded_queue.h"
#include "tenant/tenant_fixture.h"

namespace tidemark::tenant {
namespace {

using Kind = SupervisorEvent::Kind;
using std::chrono::milliseconds;

class TenantSupervisorTest : public TenantFixture {
protected:
    SupervisorEvent next() {
        auto event = events_.pop();
        return event.value_or(SupervisorEvent{});
    }
    TenantSupervisor::Report report() {
        return [this](const SupervisorEvent& event) { events_.push(event); };
    }

    BoundedQueue<SupervisorEvent> events_{1000};
};

TEST_F(TenantSupervisorTest, StartsAgainWhatWasKilledAndSaysSo) {
    const auto server = started(1002);
    TenantSupervisor supervisor(report());
    supervisor.watch(server);
    const pid_t first = *server->pid();
    ::kill(first, SIGKILL);
    const SupervisorEvent died = next();
    EXPECT_EQ(died.kind, Kind::Died);
    EXPECT_EQ(died.tenant, 1002);
    EXPECT_EQ(died.pid, first);
    EXPECT_EQ(died.restart_in, milliseconds(200));
    const SupervisorEvent restarted = next();
    EXPECT_EQ(restarted.kind, Kind::Restarted);
    EXPECT_EQ(restarted.attempt, 1);
    EXPECT_NE(restarted.pid, first);
    server->awaitReady();
    EXPECT_EQ(server->pid(), restarted.pid);
}

TEST_F(TenantSupervisorTest, WaitsLongerAfterEveryDeathAndAnewWhenItWasStable) {
    const auto server = started(1002);
    TenantSupervisor supervisor(
        report(),
        {.first_pause = milliseconds(10), .longest_pause = milliseconds(35), .stable_after = std::chrono::hours(1)});
    supervisor.watch(server);
    std::vector<std::int64_t> pauses;
    for (int i = 0; i < 4; ++i) {
        ::kill(*server->pid(), SIGKILL);
        pauses.push_back(next().restart_in.count());
        EXPECT_EQ(next().attempt, i + 1);
    }
    EXPECT_EQ(pauses, (std::vector<std::int64_t>{10, 20, 35, 35}));

    TenantSupervisor forgiving(report(), {.first_pause = milliseconds(10), .stable_after = milliseconds(0)});
    supervisor.forget(1002);
    forgiving.watch(server);
    for (int i = 0; i < 2; ++i) {
        ::kill(*server->pid(), SIGKILL);
        EXPECT_EQ(next().restart_in, milliseconds(10));
        EXPECT_EQ(next().attempt, 1);
    }
}

TEST_F(TenantSupervisorTest, LeavesAloneWhatIsStoppedOnPurpose) {
    const auto forgotten = started(1002);
    const auto watched = started(1004);
    TenantSupervisor supervisor(report());
    supervisor.watch(forgotten);
    supervisor.watch(watched);
    supervisor.forget(1002);
    EXPECT_TRUE(forgotten->stop());
    // When the other one has come back, the first would have too.
    ::kill(*watched->pid(), SIGKILL);
    EXPECT_EQ(next().tenant, 1004);
    EXPECT_EQ(next().tenant, 1004);
    EXPECT_FALSE(forgotten->running());
}

TEST_F(TenantSupervisorTest, GoesOnTryingWhenAStartFails) {
    const auto server = started(1002);
    TenantSupervisor supervisor(report(), {.first_pause = milliseconds(5), .longest_pause = milliseconds(20)});
    supervisor.watch(server);
    const auto moved = directory_.path() / "moved";
    std::filesystem::rename(server->paths().directory, moved);
    ::kill(*server->pid(), SIGKILL);
    EXPECT_EQ(next().kind, Kind::Died);
    const SupervisorEvent failed = next();
    EXPECT_EQ(failed.kind, Kind::RestartFailed);
    EXPECT_NE(failed.detail.find("has no directory"), std::string::npos) << failed.detail;
    std::filesystem::rename(moved, server->paths().directory);
    SupervisorEvent event = next();
    while (event.kind == Kind::RestartFailed)
        event = next();
    EXPECT_EQ(event.kind, Kind::Restarted);
    server->awaitReady();
}

/// The start is held up by an error log that is a pipe.
TEST_F(TenantSupervisorTest, AStartThatIsHeldUpKeepsNoOtherFromBeingForgotten) {
    const auto held = started(1002);
    const auto other = started(1004);
    TenantSupervisor supervisor(report(), {.first_pause = milliseconds(5)});
    supervisor.watch(held);
    supervisor.watch(other);
    const auto log = held->paths().log();
    std::filesystem::rename(log, log.string() + ".old");
    ASSERT_EQ(mkfifo(log.c_str(), 0600), 0);
    ::kill(*held->pid(), SIGKILL);
    EXPECT_EQ(next().kind, Kind::Died);
    // When the start begins cannot be seen: so the other one is forgotten and watched again until it must have begun.
    auto forgetting = std::async(std::launch::async, [&] {
        const auto end = std::chrono::steady_clock::now() + milliseconds(500);
        while (std::chrono::steady_clock::now() < end) {
            supervisor.forget(1004);
            supervisor.watch(other);
        }
    });
    const bool free = forgetting.wait_for(std::chrono::seconds(60)) == std::future_status::ready;
    EXPECT_TRUE(free) << "it waits for the start of another tenant";
    const Fd reader = openFile(log, O_RDONLY | O_NONBLOCK);  // lets the start go on
    EXPECT_EQ(next().kind, Kind::Restarted);
    forgetting.get();
}

TEST_F(TenantSupervisorTest, EndsWithoutTouchingTheDatabases) {
    const auto server = started(1002);
    {
        TenantSupervisor supervisor(report());
        supervisor.watch(server);
    }
    EXPECT_TRUE(server->running());
}

}  // namespace
}  // namespace tidemark::tenant
