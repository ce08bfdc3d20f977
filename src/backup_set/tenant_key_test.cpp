#include "backup_set/tenant_key.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"

namespace tidemark::backup_set {
namespace {

using storage::FaultRule;

/// What storages may do to a key without saying so, when it is written, and when it is read.
TEST(TenantKey, IsSavedOnlyIfItCanBeHadAgain) {
    const TenantKey key = TenantKey::random();
    const std::vector<FaultRule> faults{
        {.on = FaultRule::Operation::Append, .effect = FaultRule::Effect::Flip},
        {.on = FaultRule::Operation::Append, .effect = FaultRule::Effect::Short},
        {.on = FaultRule::Operation::Finish, .effect = FaultRule::Effect::Lose},
        {.on = FaultRule::Operation::Get, .effect = FaultRule::Effect::Flip},
    };
    for (const FaultRule& fault : faults) {
        storage::MemoryStorage inner;
        storage::FaultyStorage place(inner, {fault}, 1);
        EXPECT_THROW(saveTenantKey(place, 1002, key, "pw"), Error);
        EXPECT_GT(place.struck(), 0U);
    }
    storage::MemoryStorage place;
    saveTenantKey(place, 1002, key, "pw");
    saveTenantKey(place, 1002, key, "pw");
    EXPECT_EQ(savedTenantKeys(place, "pw").at(0).text.text(), key.text.text());
    EXPECT_THROW(saveTenantKey(place, 1002, key, "another"), Error);
    // Under this one's name there is another key.
    const TenantKey other{.id = key.id, .text = TenantKey::random().text};
    EXPECT_THROW(saveTenantKey(place, 1002, other, "pw"), Error);
}

}  // namespace
}  // namespace tidemark::backup_set
