#include "restore/disk_room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "testing/mariadb_server.h"

namespace tidemark::restore {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kGiB = 1 << 30;

TEST(DiskRoom, WhatStaysFreeForTheTenantsIsATwentiethWithinBounds) {
    EXPECT_EQ(roomForTenants({.size = 4 * kGiB}), kGiB);
    EXPECT_EQ(roomForTenants({.size = 200 * kGiB}), 10 * kGiB);
    EXPECT_EQ(roomForTenants({.size = 20'000 * kGiB}), 50 * kGiB);
}

TEST(DiskRoom, WhatWouldLeaveTooLittleIsRefused) {
    const testing::TemporaryDirectory directory;
    const std::uint64_t free = roomOf(directory.path()).free;
    const std::uint64_t leeway = free / 4;  // others write there, too
    EXPECT_NO_THROW(requireRoom(directory.path(), free / 2, 0, "the backup set"));
    EXPECT_NO_THROW(requireRoom(directory.path(), free / 2, leeway, "the backup set"));
    try {
        requireRoom(directory.path(), free / 2, free - leeway, "the backup set");
        FAIL() << "it fits, but takes what is kept";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::NoSpace);
        EXPECT_THAT(error.what(), HasSubstr("have to stay free for the tenants"));
        EXPECT_EQ(error.hint(), "make room and validate again");
    }
    EXPECT_THROW(requireRoom(directory.path(), 2 * free, 0, "the backup set"), Error);
    EXPECT_THROW(requireRoom(directory.path(), 1, UINT64_MAX, "the backup set"), Error) << "no sum overflows";
}

}  // namespace
}  // namespace tidemark::restore
