#include "job/capacity.h"

#include <atomic>
#include <thread>

#include "catalog/stores_fixture.h"
#include "testing/eventually.h"

namespace tidemark::job {
namespace {

using namespace std::chrono_literals;

constexpr catalog::TenantId kTenant = 1002;

class CapacityTest : public catalog::StoresTest {
protected:
    /// Keeps a share busy, and counts its turns.
    class Busy {
    public:
        Busy(Capacity& capacity, const Share::Options& options) : share_(capacity, options) {
            for (int i = 0; i < 8; ++i)
                add();
        }
        ~Busy() {
            open_ = false;
            share_.lane().drain();
        }
        long turns() const { return turns_; }

    private:
        void add() {
            share_.lane().submit(block::Lane::Task([this](block::Codec&) {
                const double end = block::WorkerPool::cpuNanoseconds() + 100'000;
                while (block::WorkerPool::cpuNanoseconds() < end) {
                }
                ++turns_;
                if (open_) add();
            }));
        }

        std::atomic<bool> open_ = true;
        std::atomic<long> turns_ = 0;
        Share share_;
    };

    /// Of the next 200 turns, how many the first has for each of the second.
    static double ratio(const Busy& first, const Busy& second) {
        const long begin = first.turns();
        const long other = second.turns();
        EXPECT_TRUE(testing::eventually([&] { return first.turns() - begin + second.turns() - other >= 200; }));
        return static_cast<double>(first.turns() - begin) / static_cast<double>(second.turns() - other + 1);
    }

    Capacity capacity_{stores_.parameters, 1, 5ms};
};

TEST_F(CapacityTest, ARestoreHasFourTurnsForOneOfABackupUntilScoresSayOtherwise) {
    const Busy backup(capacity_, backupShare(kTenant));
    const Busy restore(capacity_, restoreShare(kTenant + 2, 0));
    EXPECT_GT(ratio(restore, backup), 2.5);
    stores_.parameters.set(kTenant, "ha_low_thread_score", "80");
    EXPECT_TRUE(testing::eventually([&] { return ratio(backup, restore) > 5; }));
    stores_.parameters.set(kTenant + 2, "ha_high_thread_score", "100");
    stores_.parameters.set(kTenant, "ha_low_thread_score", "10");
    EXPECT_TRUE(testing::eventually([&] { return ratio(restore, backup) > 5; }));
}

TEST_F(CapacityTest, ALimitTakesEffectOnJobsThatRun) {
    const Share share(capacity_, backupShare(kTenant));
    const auto follows = [&](const char* name, storage::Bandwidth& bandwidth) {
        std::jthread user([&](const std::stop_token& stop) {
            while (!stop.stop_requested())
                bandwidth.take(1 << 20, {});
        });
        stores_.parameters.set(catalog::kSysTenantId, name, "1");
        EXPECT_TRUE(testing::eventually([&] { return bandwidth.waiting() == 1; }));
        user.request_stop();
        stores_.parameters.set(catalog::kSysTenantId, name, "0M");
        user.join();  // what it waits for would take twelve days
    };
    follows("backup_io_limit", capacity_.tenant_reading);
    follows("backup_net_limit", capacity_.destination_writing);
    follows("restore_net_limit", capacity_.destination_reading);
}

TEST_F(CapacityTest, ConcurrencyBoundsTheWorkersOfARestore) {
    Capacity large(stores_.parameters, 6);
    EXPECT_EQ(Share(large, restoreShare(kTenant, 4)).lane().workers(), 4U);
    EXPECT_EQ(Share(large, restoreShare(kTenant, 0)).lane().workers(), 6U);
    EXPECT_EQ(Share(large, restoreShare(kTenant, 100)).lane().workers(), 6U);
}

}  // namespace
}  // namespace tidemark::job
