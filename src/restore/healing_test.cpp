#include "restore/healing.h"

#include <gtest/gtest.h>

#include "oceanbase/ob_error.h"

namespace tidemark::restore {
namespace {

TEST(Healing, WhatWasKilledOrFullMayHealAndWhatIsDamagedDoesNot) {
    for (const ErrorCode code : {ErrorCode::Unavailable, ErrorCode::NoSpace})
        EXPECT_TRUE(mayHeal(Error(code, "x"))) << name(code);
    for (const ErrorCode code : {ErrorCode::Corrupt, ErrorCode::NotFound, ErrorCode::Conflict, ErrorCode::Internal,
                                 ErrorCode::InvalidRequest, ErrorCode::Denied, ErrorCode::Cancelled}) {
        EXPECT_FALSE(mayHeal(Error(code, "x"))) << name(code);
    }
}

TEST(Healing, ADestinationIsAwayIfItCannotBeReachedOrReadOrIsEmpty) {
    for (const Ob number : {Ob::BackupDestNotConnect, Ob::BackupPermissionDenied, Ob::FormatFileNotExist})
        EXPECT_TRUE(isAway(obError(number))) << static_cast<int>(number);
    for (const Ob number : {Ob::FormatFileNotMatch, Ob::EntryNotExist, Ob::InvalidBackupDest})
        EXPECT_FALSE(isAway(obError(number))) << static_cast<int>(number);
    EXPECT_FALSE(isAway(Error(ErrorCode::Corrupt, "format.obbak is damaged")));
}

}  // namespace
}  // namespace tidemark::restore
