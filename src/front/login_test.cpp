#include "front/login.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/resource.h>

#include <random>

#include "base/random.h"
#include "front/front_fixture.h"
#include "mysql/reply.h"

namespace tidemark::front {
namespace {

namespace capability = mysql::capability;

TEST(LoginName, TenantFollowsTheLastAtSign) {
    const auto split = [](std::string_view name) {
        const LoginName login = splitLoginName(name);
        return login.user + " | " + login.tenant;
    };
    EXPECT_EQ(split("root"), "root | sys");
    EXPECT_EQ(split("root@acme"), "root | acme");
    EXPECT_EQ(split("root@acme#c1"), "root | acme");
    EXPECT_EQ(split("bob@example.com@acme#c1#x"), "bob@example.com | acme");
    EXPECT_EQ(split("ro#ot@acme"), "ro#ot | acme");
    EXPECT_EQ(split("root@"), "root | ") << "an empty name names no tenant";
    EXPECT_EQ(split(""), " | sys");
}

TEST(LoginName, ReservedHoweverMariadbWouldReadIt) {
    EXPECT_TRUE(isReservedUser("tidemark"));
    EXPECT_TRUE(isReservedUser("'tidemark'"));
    EXPECT_FALSE(isReservedUser("Tidemark"));
    EXPECT_FALSE(isReservedUser("tidemark2"));
    EXPECT_FALSE(isReservedUser("'"));
}

class FrontLogin : public FrontTest {
protected:
    static void expectRefused(const LibClient& client, unsigned error, const std::string& state,
                              const std::string& text) {
        EXPECT_FALSE(client.connected());
        EXPECT_EQ(client.error(), error) << client.message();
        EXPECT_EQ(client.state(), state);
        EXPECT_NE(client.message().find(text), std::string::npos) << client.message();
    }
};

TEST_F(FrontLogin, TheTenantChecksThePasswordAndSeesTheClientsAddress) {
    const LibClient client = admin();
    ASSERT_TRUE(client.connected()) << client.message();
    EXPECT_EQ(client.value("SELECT USER()"), "admin@127.0.0.1");
    expectRefused(connect("admin@acme", "falsch"), 1045, "28000", "(using password: YES)");
    expectRefused(connect("nobody@acme", "x"), 1045, "28000", "'nobody'@'127.0.0.1'");
    EXPECT_EQ(front->counters().refused_total, 0U) << "those were the tenant's decisions";
}

TEST_F(FrontLogin, WorksForEveryKindOfAccountAndName) {
    EXPECT_TRUE(connect("plain@acme").connected());
    EXPECT_EQ(connect("o'dd@name@acme#cluster").value("SELECT CURRENT_USER()"), "o'dd@name@127.0.0.1");
    EXPECT_EQ(connect("plain").value("SELECT 1"), "1") << "no tenant means sys";
}

TEST_F(FrontLogin, WorksWithPluginsThatTheFrontHasNeverHeardOf) {
    mysql::SqlClient root = sharedConnect();
    try {
        root.script("INSTALL SONAME 'auth_ed25519'");
    } catch (const Error&) {
        GTEST_SKIP() << "the plugin auth_ed25519 is not installed here";
    }
    root.script("CREATE USER modern@'127.0.0.1' IDENTIFIED VIA ed25519 USING PASSWORD('curve')");
    EXPECT_TRUE(connect("modern@acme", "curve").connected());
    expectRefused(connect("modern@acme", "line"), 1045, "28000", "modern");
    const LibClient native = admin();
    EXPECT_EQ(mysql_change_user(native.get(), "modern@acme", "curve", nullptr), 0) << native.message();
    root.script("DROP USER modern@'127.0.0.1'; UNINSTALL SONAME 'auth_ed25519'");
}

/// An address of this machine that is not a loopback one; empty if it has none.
std::string outerAddress() {
    ifaddrs* all = nullptr;
    if (getifaddrs(&all) != 0) return {};
    std::string found;
    for (const ifaddrs* one = all; one != nullptr && found.empty(); one = one->ifa_next) {
        if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET || (one->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        char text[INET_ADDRSTRLEN];
        const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
        found = inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
    }
    freeifaddrs(all);
    return found;
}

TEST_F(FrontLogin, AccountsOfLocalhostAreForThisMachine) {
    EXPECT_EQ(connect("near@acme", "n").value("SELECT CURRENT_USER()"), "near@localhost");
    const std::string outside = outerAddress();
    if (outside.empty()) GTEST_SKIP() << "this machine has only loopback addresses";
    Front open_to_all(directory, service);
    open_to_all.start(net::listenOn("0.0.0.0", 0));
    const auto from_outside = [&](const std::string& user, const std::string& password) {
        return LibClient(open_to_all.port(), user, password, 0, outside);
    };
    expectRefused(from_outside("near@acme", "n"), 1045, "28000",
                  "'near'@'" + outside + "': the account is for localhost only");
    expectRefused(from_outside("near@acme", "wrong"), 1045, "28000", "using password");
    const LibClient far = from_outside("far@acme", "f");
    EXPECT_EQ(far.value("SELECT CONCAT(USER(), ' ', CURRENT_USER())"), "far@" + outside + " far@%");
    EXPECT_NE(mysql_change_user(far.get(), "near@acme", "n", nullptr), 0);
    EXPECT_EQ(far.error(), 1045U) << far.message();
    EXPECT_NE(far.run("SELECT 1"), 0U) << "the session went on as somebody it must not be";
    EXPECT_TRUE(eventually([&] { return open_to_all.counters().sessions == 0; }));
}

TEST_F(FrontLogin, SaysWhyATenantTakesNoSession) {
    using Reason = TenantRefusal::Reason;
    directory.set("slow", TenantRefusal{.reason = Reason::NotReady, .state = "being restored"});
    directory.set("shut", TenantRefusal{.reason = Reason::Locked});
    directory.set("dead", TenantAddress{.name = "dead", .socket = "/nonexistent/socket"});
    expectRefused(connect("plain@acm"), 1045, "28000", "unknown tenant 'acm' (OceanBase error 5160");
    expectRefused(connect("plain@slow"), 8001, "08004", "(hint: tenant 'slow' is being restored");
    expectRefused(connect("plain@shut"), 5260, "HY000", "Tenant 'shut' is locked");
    expectRefused(connect("plain@dead"), 8001, "08004", "does not answer");
    EXPECT_EQ(front->counters().refused_total, 4U);
    EXPECT_TRUE(allGone());
}

TEST_F(FrontLogin, LetsInOnlyWhoIsInvited) {
    const auto tenant = [&](const std::string& name, std::uint64_t id, const std::string& invited) {
        directory.set(name,
                      TenantAddress{.tenant_id = id, .name = name, .socket = sharedSocket(), .invited_nodes = invited});
    };
    tenant("family", 1004, "10.0.0.0/8");
    expectRefused(connect("plain@family"), 1045, "28000", "ob_tcp_invited_nodes of tenant 'family'");
    tenant("family", 1004, "10.0.0.0/8,127.0.0.%");
    EXPECT_TRUE(connect("plain@family").connected());
    tenant("sys", 1, "10.0.0.0/8");
    EXPECT_TRUE(connect("plain@sys").connected()) << "from this machine sys can always be reached";
    EXPECT_TRUE(allGone());
}

TEST_F(FrontLogin, KeepsTheDaemonsAccountToItself) {
    expectRefused(connect("tidemark@acme"), 1045, "28000", "reserved");
    expectRefused(connect("'tidemark'@acme"), 1045, "28000", "reserved");
}

TEST_F(FrontLogin, LimitsSessionsOfATenantAndOfAll) {
    directory.set("tiny", TenantAddress{.name = "tiny", .socket = sharedSocket(), .max_sessions = 1});
    {
        const LibClient first = connect("plain@tiny");
        ASSERT_TRUE(first.connected());
        expectRefused(connect("plain@tiny"), 1040, "08004", "tenant 'tiny' allows 1");
        EXPECT_TRUE(connect("plain@acme").connected());
    }
    EXPECT_TRUE(allGone());
    EXPECT_TRUE(connect("plain@tiny").connected()) << "a place is free again";

    begin({.max_sessions = 1});
    const LibClient only = connect("plain@acme");
    ASSERT_TRUE(only.connected());
    expectRefused(connect("plain@acme"), 1040, "08004", "Too many connections");
}

TEST_F(FrontLogin, AdmitsNoMoreSessionsThanItMayOpenFiles) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    if (before.rlim_max != RLIM_INFINITY && before.rlim_max < 5000) GTEST_SKIP() << "the hard limit is too low";
    const rlimit low{.rlim_cur = 600, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    begin({.max_sessions = 2000});
    rlimit raised{};
    getrlimit(RLIMIT_NOFILE, &raised);
    EXPECT_EQ(raised.rlim_cur, 4512U);
    setrlimit(RLIMIT_NOFILE, &before);
    EXPECT_TRUE(connect("plain@acme").connected());
}

TEST_F(FrontLogin, OffersWhatTheTenantOffersLessCompressionAndTls) {
    RawClient client(front->port());
    const auto greeting = mysql::parseGreeting(client.payload().value());
    EXPECT_EQ(greeting.version, "5.5.5-" + sharedConnect().scalar("SELECT VERSION()").value());
    EXPECT_EQ(greeting.capabilities.basic & (capability::kCompress | capability::kSsl | capability::kMysql), 0U);
    EXPECT_EQ(greeting.capabilities.extended, mysql::extended::kUnderstood);
    EXPECT_GT(greeting.thread_id, SessionRegistry::kFirstId);
    const LibClient compressing = admin(CLIENT_COMPRESS);
    EXPECT_EQ(compressing.value("SELECT 5"), "5");
}

TEST_F(FrontLogin, GreetsBeforeAnyTenantRuns) {
    directory.clear();
    expectRefused(connect("plain@acme"), 1045, "28000", "unknown tenant");
}

TEST_F(FrontLogin, ClosesWhoDoesNotLogIn) {
    begin({.login_timeout = std::chrono::milliseconds(200)});
    RawClient silent(front->port());
    silent.payload();
    RawClient dribbling(front->port());
    dribbling.payload();
    dribbling.send(Bytes{100, 0, 0, 1, 5});
    EXPECT_TRUE(silent.closed());
    EXPECT_TRUE(dribbling.closed());
    EXPECT_TRUE(allGone());
}

TEST_F(FrontLogin, ATimeoutDoesNotHitWhoIsLoggedIn) {
    begin({.login_timeout = std::chrono::seconds(1)});
    const LibClient client = admin();
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.value("SELECT SLEEP(1.5)"), "0");
    EXPECT_EQ(client.value("SELECT 3"), "3");
}

TEST_F(FrontLogin, RefusesOversizedLoginsAndTlsWithWords) {
    RawClient tls(front->port());
    const auto greeting = mysql::parseGreeting(tls.payload().value());
    const std::uint32_t bits = greeting.capabilities.basic | capability::kSsl;
    tls.send(mysql::packet(1, ByteWriter().u32(bits).u32(0).bytes(Bytes(24, 0)).data()));
    const Error refusal = mysql::parseError(tls.payload().value());
    EXPECT_NE(std::string(refusal.what()).find("TLS"), std::string::npos);
    EXPECT_EQ(refusal.sql()->number, 1043);
    EXPECT_EQ(tls.sequence(), 2);

    RawClient huge(front->port());
    huge.payload();
    huge.send(mysql::packet(1, Bytes(2UL * 1024 * 1024, 'x')));
    EXPECT_EQ(mysql::parseError(huge.payload().value()).sql()->number, 1153);
}

TEST_F(FrontLogin, SurvivesGarbageInsteadOfALogin) {
    const std::uint32_t seed = randomU32();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (int round = 0; round < 200; ++round) {
        RawClient client(front->port());
        client.payload();
        mysql::HandshakeResponse response;
        response.capabilities.basic = capability::kProtocol41 | static_cast<std::uint32_t>(random());
        response.user = "plain@acme";
        Bytes bytes = mysql::packet(1, mysql::buildHandshakeResponse(response));
        for (unsigned i = random() % 6; i > 0; --i)
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        client.send(bytes);
        if (random() % 2 == 0) client.reset();
    }
    EXPECT_TRUE(allGone());
    EXPECT_EQ(connect("plain@acme").value("SELECT 1"), "1");
}

TEST_F(FrontLogin, ServesIpv6ClientsWithTheirAddress) {
    auto v6 = std::make_unique<Front>(directory, service);
    try {
        v6->start(net::listenOn("::", 0));
    } catch (const Error&) {
        GTEST_SKIP() << "no IPv6 here";
    }
    const LibClient mapped(v6->port(), "admin@acme", "geheim");
    EXPECT_EQ(mapped.value("SELECT USER()"), "admin@127.0.0.1");
}

}  // namespace
}  // namespace tidemark::front
