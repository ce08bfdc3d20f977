#include "archive/archive_service.h"

#include <gtest/gtest.h>

#include <future>

#include "archive/archive_reader.h"
#include "base/error.h"
#include "storage/open_storage.h"
#include "testing/eventually.h"
#include "testing/mariadb_server.h"

namespace tidemark::archive {
namespace {

using catalog::LogMode;
using catalog::RoundStatus;

/// A catalog, one tenant with a destination, and the service. One server is both the catalog's and the tenant's.
class ArchiveServiceTest : public ::testing::Test {
protected:
    ArchiveServiceTest() {
        catalog_.migrate();
        stores_.cluster.bootstrap({.cluster = {.name = "c1", .id = 7},
                                   .zone = {.name = "zone1"},
                                   .server = {.ip = "127.0.0.1", .zone = "zone1", .build_version = "0.1.0"},
                                   .sys_server_id = 77,
                                   .sys_memory = 1 << 28});
        stores_.resources.createUnit({.name = "u", .max_cpu = 2, .min_cpu = 1, .memory_size = 1 << 30});
        stores_.resources.createPool("p", "u", 1, {"zone1"});
        const auto id = stores_.tenants.create({.name = "shop", .pools = {"p"}}).id;
        stores_.tenants.setStatus(id, catalog::TenantStatus::Normal);
        tenant_ = stores_.tenants.get(id);
        service_.setDestination(tenant_, "LOCATION=file://" + (directory_.path() / "log").string());
    }

    mysql::Endpoint endpoint() {
        if (const auto meanwhile = std::exchange(meanwhile_, {})) meanwhile();
        return server_.endpoint();
    }
    void enabled() {
        service_.enable({tenant_});
        ASSERT_TRUE(testing::eventually([&] { return status() == RoundStatus::Doing; })) << text(status());
    }
    RoundStatus status() { return stores_.archive.lastRound(tenant_.id)->status; }

    testing::MariadbServer server_{{"--gtid-domain-id=1002"}};
    testing::TemporaryDirectory directory_;
    SystemClock clock_;
    catalog::Catalog catalog_{{.endpoint = server_.endpoint()}, clock_};
    catalog::Stores stores_{catalog_};
    catalog::Tenant tenant_;
    std::function<void()> meanwhile_;  ///< once, while a round has its row and not yet its follower
    ArchiveService service_{
        {.endpoint = [this](catalog::TenantId) { return endpoint(); }, .own_directory = directory_.path() / "node"},
        stores_,
        clock_};
};

/// Whoever asks while a round begins is a moment later than it, not in the midst of it: else the end would find nobody
/// to end, and the round would go on as one that has stopped.
TEST_F(ArchiveServiceTest, DoesOneThingAfterTheOther) {
    using Change = std::function<void()>;
    const Change disable = [&] { service_.disable({tenant_}); };
    const Change replace = [&] {
        service_.setDestination(tenant_, "LOCATION=file://" + (directory_.path() / "other").string());
    };
    const Change forget = [&] { service_.forget(tenant_.id); };
    for (const Change& change : {disable, replace, forget}) {
        std::future<void> changed;
        meanwhile_ = [&] {
            tenant_ = stores_.tenants.get(tenant_.id);
            changed = std::async(std::launch::async, change);
            EXPECT_EQ(changed.wait_for(std::chrono::milliseconds(500)), std::future_status::timeout);
        };
        service_.enable({tenant_});
        try {
            changed.get();
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find("when archive is running"), std::string::npos) << error.what();
        }
        tenant_ = stores_.tenants.get(tenant_.id);
        if (tenant_.log_mode == LogMode::Archivelog) service_.disable({tenant_});
        tenant_ = stores_.tenants.get(tenant_.id);
        EXPECT_EQ(status(), RoundStatus::Stop);
        EXPECT_EQ(stores_.destinations.archive(tenant_.id)->path, "file://" + (directory_.path() / "log").string());
    }
}

/// What a session saw of the tenant when its statement began may be over.
TEST_F(ArchiveServiceTest, LooksAtTheTenantAsItIsNow) {
    const catalog::Tenant before = tenant_;
    service_.enable({before});
    EXPECT_THROW(service_.enable({before}), Error);
    EXPECT_THROW(service_.setDestination(before, ""), Error);
    service_.disable({stores_.tenants.get(before.id)});
    EXPECT_EQ(status(), RoundStatus::Stop);
    stores_.tenants.setStatus(before.id, catalog::TenantStatus::Dropping);
    EXPECT_THROW(service_.enable({before}), Error);
}

/// A daemon that is killed in the midst of NOARCHIVELOG: of the piece that it had begun the catalog knows nothing.
TEST_F(ArchiveServiceTest, EndsARoundAtItsDestinationThatADeadDaemonWasEnding) {
    enabled();
    service_.suspendAll();
    const auto round = stores_.archive.lastRound(tenant_.id).value();
    const auto storage = storage::openStorage(round.path);
    const RoundKey key{static_cast<std::uint64_t>(round.dest_id), static_cast<std::uint64_t>(round.round_id)};
    const RoundDescription description{.key = key,
                                       .tenant_id = static_cast<std::uint64_t>(tenant_.id),
                                       .base_piece_id = static_cast<std::uint64_t>(round.base_piece_id),
                                       .piece_interval = 24 * 3600 * kSecond};
    RoundWriter writer(*storage, description, [] { return RoundWriter::StartPoint{}; });
    writer.checkpoint(writer.pieceEnd());
    for (const bool closed : {false, true}) {
        if (closed) closeRound(*storage, description, "stopped");
        catalog_.write({}, [&](mysql::SqlClient& client) {
            client.query("UPDATE tidemark.archive_round SET status = 'STOPPING'");
            client.query("DELETE FROM tidemark.archive_piece WHERE piece_id > ?", {round.base_piece_id});
        });
        ArchiveService next({.endpoint = [this](catalog::TenantId) { return server_.endpoint(); }}, stores_, clock_);
        next.resumeAll();
        EXPECT_EQ(status(), RoundStatus::Stop);
        EXPECT_EQ(stores_.archive.lastRound(tenant_.id)->comment, "");
        EXPECT_TRUE(ArchiveReader(*storage).round(key).end);
        ASSERT_EQ(stores_.archive.pieces(tenant_.id).size(), 2);
        EXPECT_EQ(stores_.archive.lastPiece(tenant_.id)->status, catalog::PieceStatus::Frozen);
    }
}

/// A destination can be written in several ways.
TEST_F(ArchiveServiceTest, MakesDurableWhateverWayTheDestinationIsNamed) {
    enabled();
    const std::string plain = stores_.destinations.archive(tenant_.id)->path;
    const auto storage = storage::openStorage(plain);
    const std::string path = plain.substr(std::string("file://").size());
    for (const std::string& uri : {plain, plain + "/", "file:///" + path, plain + "/./"}) {
        const auto now = static_cast<Scn>(clock_.now());
        service_.makeDurable({uri}, std::chrono::seconds(20));
        const ArchiveReader reader(*storage);
        ASSERT_FALSE(reader.rounds().empty()) << uri;
        EXPECT_GE(reader.rounds().back().checkpoint_scn, now) << uri;
    }
}

}  // namespace
}  // namespace tidemark::archive
