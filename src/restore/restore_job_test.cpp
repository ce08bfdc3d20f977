#include "restore/restore_job.h"

#include <thread>

#include "tenant/node_fixture.h"

namespace tidemark::restore {
namespace {

using namespace std::chrono_literals;
using job::Pause;

class RestoreJobTest : public tenant::NodeFixture {
protected:
    /// The record of work of a restore that a daemon before us has begun, from destinations that `choice` names.
    catalog::WorkRow left(RestoreChoice choice) {
        pool("p_copy");
        catalog::JobId job = 0;
        standbys().createForRestore("copy", {.pools = {{"p_copy"}}}, [&](const catalog::NewTenant& tenant) {
            const catalog::RestoreJobRow row{.tenant_name = "copy", .option = "pool_list=p_copy", .total_bytes = 1};
            const auto begun = stores_->restores.start(row, tenant, RestoreNotes{.choice = std::move(choice)}.text());
            job = begun.job.job_id;
            return begun.tenant;
        });
        const auto seen = stores_->work.find(catalog::kRestoreWork, catalog::kSysTenantId, job).value();
        return stores_->work.take(seen, {.node = 1, .session = 5}, 1h).value();
    }
    std::string away() const { return "file://" + (directory_.path() / "away").string(); }
};

TEST_F(RestoreJobTest, WaitsWithoutASlotForADestinationThatIsAwayAndFailsWhenItIsForTooLong) {
    job::WorkContext context(stores_->work, left({.uris = {away()}, .data_uri = away()}), [] {});
    job::Capacity capacity(stores_->parameters, 1);
    const NodeKey node_key(directory_.path() / "node.key");
    OpenedData opened(node_key);
    RestoreJob job({.stores = *stores_,
                    .tenants = standbys(),
                    .clock = clock_,
                    .capacity = capacity,
                    .node_key = node_key,
                    .opened = opened,
                    .patience = 1500ms},
                   stores_->restores.findActive("copy").value(), context);
    std::string waiting_for;
    std::string failure;
    const auto until = std::chrono::steady_clock::now() + 30s;
    while (failure.empty() && std::chrono::steady_clock::now() < until) {
        EXPECT_FALSE(job.heavy());
        try {
            const auto pause = job.run({});
            ASSERT_TRUE(pause);
            if (!pause->waiting_for.empty()) waiting_for = pause->waiting_for;
            std::this_thread::sleep_for(pause->at_most);
        } catch (const Error& error) {
            failure = error.what();
            EXPECT_FALSE(job.retryAfter(error)) << "it has waited long enough";
        }
    }
    EXPECT_NE(waiting_for.find(away()), std::string::npos) << waiting_for;
    EXPECT_NE(failure.find("has waited"), std::string::npos) << failure;
    EXPECT_NE(failure.find(away()), std::string::npos) << failure;
    job.finish(catalog::Outcome::of(Error(ErrorCode::Unavailable, failure)));
    EXPECT_FALSE(stores_->tenants.find("copy"));
    EXPECT_FALSE(stores_->restores.findActive("copy"));
}

}  // namespace
}  // namespace tidemark::restore
