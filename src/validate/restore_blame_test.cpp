#include "validate/restore_blame.h"

#include <gtest/gtest.h>

namespace tidemark::validate {
namespace {

using restore::TrialStep;

constexpr const char* kCrashed = "mariadbd got signal 6 ;";

Blame of(ErrorCode code, std::optional<TrialStep> step, const std::string& words = "", const std::string& what = "x") {
    return blameFor(Error(code, what), step, words);
}

TEST(RestoreBlame, WhatIsStoredIsToBlameForObjectsThatAreNotWhatTheyWere) {
    EXPECT_EQ(of(ErrorCode::Corrupt, TrialStep::Files), Blame::Set);
    EXPECT_EQ(of(ErrorCode::NotFound, TrialStep::Files), Blame::Set);
    EXPECT_EQ(of(ErrorCode::Corrupt, TrialStep::Prepare), Blame::Set);
    EXPECT_EQ(of(ErrorCode::Corrupt, TrialStep::Log), Blame::Log);
    EXPECT_EQ(of(ErrorCode::NotFound, TrialStep::Log), Blame::Log);
    EXPECT_EQ(of(ErrorCode::Internal, TrialStep::Log), Blame::Log) << "the server refuses a transaction";
}

TEST(RestoreBlame, TheNodeIsToBlameForWhatItLacks) {
    EXPECT_EQ(of(ErrorCode::NotFound, TrialStep::Prepare), Blame::Node) << "a program is not installed";
    EXPECT_EQ(of(ErrorCode::NotFound, TrialStep::Start), Blame::Node);
    EXPECT_EQ(of(ErrorCode::AlreadyExists, TrialStep::Files), Blame::Node);
    EXPECT_EQ(of(ErrorCode::Conflict, TrialStep::Files), Blame::Node);
    for (const auto step :
         {TrialStep::Files, TrialStep::Prepare, TrialStep::Start, TrialStep::Log, TrialStep::Restart}) {
        EXPECT_EQ(of(ErrorCode::NoSpace, step), Blame::Node);
        EXPECT_EQ(of(ErrorCode::Denied, step), Blame::Node);
        EXPECT_EQ(of(ErrorCode::Unavailable, step), Blame::Node) << "somebody has killed it";
    }
    EXPECT_EQ(of(ErrorCode::Unavailable, TrialStep::Start, "[ERROR] InnoDB: Cannot allocate memory"), Blame::Node);
    EXPECT_EQ(of(ErrorCode::Internal, TrialStep::Log, "", "refuses 1-1-1: Disk full (/tmp); waiting"), Blame::Node);
    EXPECT_EQ(of(ErrorCode::Unavailable, std::nullopt, "[ERROR] Table './t/a' is marked as crashed"), Blame::Node)
        << "that did not end it";
    EXPECT_EQ(of(ErrorCode::Internal, std::nullopt), Blame::Node) << "a defect";
}

TEST(RestoreBlame, WhatAClientHasWrittenIsNoWordOfTheServer) {
    EXPECT_EQ(of(ErrorCode::Internal, TrialStep::Log, "", "refuses 1-1-1: why; its statement: 'Out of memory'"),
              Blame::Log);
}

TEST(RestoreBlame, AServerThatGivesUpMayBeTheSetsFault) {
    EXPECT_EQ(of(ErrorCode::Unavailable, TrialStep::Start, kCrashed), Blame::Set);
    EXPECT_EQ(of(ErrorCode::Unavailable, TrialStep::Start, "[ERROR] Aborting"), Blame::Set);
    EXPECT_EQ(of(ErrorCode::Unavailable, TrialStep::Restart, kCrashed), Blame::Set);
    EXPECT_EQ(of(ErrorCode::Unavailable, TrialStep::Log, kCrashed), Blame::Log);
    EXPECT_EQ(of(ErrorCode::Unavailable, std::nullopt, kCrashed), Blame::Set);
}

}  // namespace
}  // namespace tidemark::validate
