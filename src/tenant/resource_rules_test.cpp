#include "tenant/resource_rules.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark::tenant {
namespace {

constexpr std::int64_t kGiB = 1LL << 30;

int numberOf(const UnitItems& items) {
    try {
        newUnit("u", items);
        return 0;
    } catch (const Error& error) {
        return error.sql()->number;
    }
}

TEST(ResourceRules, FillInOceanBasesDefaults) {
    const auto unit = newUnit("u", {.max_cpu = 2, .memory_size = 5 * kGiB});
    EXPECT_EQ(unit.min_cpu, 2);
    EXPECT_EQ(unit.log_disk_size, 15 * kGiB);
    EXPECT_EQ(unit.max_iops, 9223372036854775807);
    EXPECT_EQ(unit.min_iops, 9223372036854775807);
    EXPECT_EQ(unit.iops_weight, 2);
    EXPECT_EQ(newUnit("u", {.max_cpu = 1, .memory_size = 64 << 20}).log_disk_size, 2 * kGiB);
    const auto with_iops = newUnit("u", {.max_cpu = 1, .memory_size = kGiB, .min_iops = 2048});
    EXPECT_EQ(with_iops.max_iops, 2048);
    EXPECT_EQ(with_iops.iops_weight, 0);
    EXPECT_GT(newUnit("u", {.max_cpu = 1, .memory_size = 9223372036854775807}).log_disk_size, 0);
}

TEST(ResourceRules, RefuseWhatIsOutOfRange) {
    EXPECT_EQ(numberOf({.max_cpu = 1, .memory_size = 64 << 20}), 0);
    EXPECT_EQ(numberOf({.memory_size = kGiB}), 1210);
    EXPECT_EQ(numberOf({.max_cpu = 1}), 1210);
    EXPECT_EQ(numberOf({.max_cpu = 0.5, .memory_size = kGiB}), 4659);
    EXPECT_EQ(numberOf({.max_cpu = 1, .memory_size = (64 << 20) - 1}), 4659);
    EXPECT_EQ(numberOf({.max_cpu = 1, .memory_size = kGiB, .log_disk_size = kGiB}), 4659);
    EXPECT_EQ(numberOf({.max_cpu = 1, .min_cpu = 2, .memory_size = kGiB}), 1210);
    EXPECT_EQ(numberOf({.max_cpu = 1, .memory_size = kGiB, .max_iops = 1023}), 4659);
    EXPECT_EQ(numberOf({.max_cpu = 1, .memory_size = kGiB, .max_iops = 1024, .min_iops = 1025}), 1210);
    EXPECT_EQ(numberOf({.max_cpu = 1, .memory_size = kGiB, .iops_weight = -1}), 4659);
}

TEST(ResourceRules, AlterOnlyWhatIsGiven) {
    const auto unit = newUnit("u", {.max_cpu = 4, .min_cpu = 2, .memory_size = 5 * kGiB});
    const auto altered = alteredUnit(unit, {.memory_size = 6 * kGiB});
    EXPECT_EQ(altered.memory_size, 6 * kGiB);
    EXPECT_EQ(altered.log_disk_size, 15 * kGiB);
    EXPECT_EQ(altered.min_cpu, 2);
    EXPECT_THROW(alteredUnit(unit, {.max_cpu = 1}), Error);
}

TEST(ResourceRules, UnderstandLocalities) {
    const std::vector<std::string> zones = {"z1", "z2"};
    EXPECT_EQ(checkedLocality("F@z1, full{1}@Z2", zones), "FULL{1}@z1, FULL{1}@z2");
    EXPECT_THROW(checkedLocality("F@z3", zones), Error);
    EXPECT_THROW(checkedLocality("R@z1", zones), Error);
    EXPECT_THROW(checkedLocality("F{2}@z1", zones), Error);
    EXPECT_THROW(checkedLocality("z1", zones), Error);
    EXPECT_THROW(checkedLocality("", zones), Error);
    EXPECT_EQ(checkedPrimaryZone("z1;z2", zones), "z1;z2");
    EXPECT_EQ(checkedPrimaryZone("random", zones), "RANDOM");
    EXPECT_THROW(checkedPrimaryZone("z1;z3", zones), Error);
}

}  // namespace
}  // namespace tidemark::tenant
