#include "base/open_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace tidemark {
namespace {

TEST(OpenFiles, RaisesTheirLimitAsFarAsItMay) {
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit low{.rlim_cur = 200, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    EXPECT_EQ(openFilesLimit(), 200U);
    EXPECT_EQ(openFilesLimit(300), 300U);
    EXPECT_EQ(openFilesLimit(250), 300U) << "it is never lowered";
    rlimit now{};
    getrlimit(RLIMIT_NOFILE, &now);
    EXPECT_EQ(now.rlim_max, before.rlim_max);
    setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace tidemark
