#include "validate/finding.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tidemark::validate {
namespace {

using catalog::FindingKind;
using catalog::Harm;

TEST(Findings, AreBoundedAndSayHowManyWereLeftOut) {
    Findings findings;
    for (std::size_t i = 0; i < Findings::kMost + 7; ++i)
        findings.add({.kind = FindingKind::Damaged, .object = std::to_string(i), .what = "it is damaged"});
    EXPECT_EQ(findings.count(), Findings::kMost + 7);
    const auto taken = findings.take();
    ASSERT_EQ(taken.size(), Findings::kMost);
    EXPECT_NE(taken.back().what.find("and 7 more findings"), std::string::npos);
}

TEST(Findings, WhatIsNoDamageCrowdsOutNothing) {
    Findings findings;
    for (std::size_t i = 0; i < Findings::kMost + 50; ++i)
        findings.add({.kind = FindingKind::SourcePage, .object = std::to_string(i), .what = "a page"});
    findings.add({.kind = FindingKind::Missing, .object = "object", .what = "it is missing", .harm = Harm::Set});
    const auto taken = findings.take();
    ASSERT_EQ(taken.size(), Findings::kMost);
    EXPECT_TRUE(std::ranges::any_of(taken, [](const Finding& finding) {
        return finding.object == "object" && finding.kind == FindingKind::Missing && finding.harm == Harm::Set;
    }));
}

TEST(Findings, TheLastOneHasTheHarmOfThoseThatAreLeftOut) {
    Findings findings;
    for (std::size_t i = 0; i < Findings::kMost; ++i)
        findings.add({.kind = FindingKind::Damaged, .object = std::to_string(i), .what = "it is damaged"});
    findings.add({.kind = FindingKind::Missing, .object = "object", .what = "it is missing", .harm = Harm::Set});
    EXPECT_EQ(findings.take().back().harm, Harm::Set);
}

}  // namespace
}  // namespace tidemark::validate
