#include "server/data_directory.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "base/error.h"
#include "testing/mariadb_server.h"

namespace tidemark::server {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::pair<ErrorCode, std::string> failureOf(const fs::path& root) {
    try {
        const DataDirectory directory(root);
        return {ErrorCode::Internal, "no error"};
    } catch (const Error& error) {
        return {error.code(), error.what()};
    }
}

TEST(DataDirectory, IsMadePrivateAndUsedAgain) {
    const testing::TemporaryDirectory place;
    const fs::path root = place.path() / "a" / "b";
    for (int i = 0; i < 2; ++i) {
        const DataDirectory directory(root);
        EXPECT_EQ(fs::status(root).permissions(), fs::perms::owner_all);
        EXPECT_EQ(fs::status(directory.tenants()).permissions(), fs::perms::owner_all);
    }
}

TEST(DataDirectory, RefusesASecondDaemonNamingTheFirst) {
    const testing::TemporaryDirectory place;
    const DataDirectory first(place.path());
    const auto [code, message] = failureOf(place.path());
    EXPECT_EQ(code, ErrorCode::Conflict);
    EXPECT_THAT(message, HasSubstr("pid " + std::to_string(getpid())));
}

TEST(DataDirectory, IsFreeForTheNextDaemonWhenThisOneGivesItUp) {
    const testing::TemporaryDirectory place;
    DataDirectory first(place.path());
    first.unlock();
    const DataDirectory second(place.path());
    EXPECT_EQ(failureOf(place.path()).first, ErrorCode::Conflict);
}

TEST(DataDirectory, IsNotMadeOutOfADirectoryWithOtherFiles) {
    const testing::TemporaryDirectory place;
    replaceFile(place.path() / "thesis.tex", "x");
    EXPECT_THAT(failureOf(place.path()).second, HasSubstr("thesis.tex"));
    EXPECT_FALSE(fs::exists(place.path() / "t"));
    EXPECT_FALSE(fs::exists(place.path() / "lock"));
}

TEST(DataDirectory, IsNotUsedIfANewerTidemarkMadeIt) {
    const testing::TemporaryDirectory place;
    replaceFile(place.path() / "tidemark-data", "tidemark data directory, layout 2\n");
    EXPECT_THAT(failureOf(place.path()).second, HasSubstr("newer Tidemark"));
}

TEST(DataDirectory, RefusesAPathTooLongForSocketsBeforeMakingAnything) {
    const testing::TemporaryDirectory place;
    const fs::path root = place.path() / std::string(90, 'x');
    EXPECT_THAT(failureOf(root).second, HasSubstr("107 at most"));
    EXPECT_FALSE(fs::exists(root));
}

TEST(DataDirectory, SaysThatItCannotBeMade) {
    const testing::TemporaryDirectory place;
    replaceFile(place.path() / "file", "x");
    EXPECT_EQ(failureOf(place.path() / "file" / "data").first, ErrorCode::NotFound);
}

}  // namespace
}  // namespace tidemark::server
