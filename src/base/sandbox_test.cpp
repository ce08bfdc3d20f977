#include "base/sandbox.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/process.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

class Sandbox : public ::testing::Test {
protected:
    void SetUp() override {
        if (!sandboxAvailable()) GTEST_SKIP() << "this kernel has no Landlock";
        std::string pattern = (fs::temp_directory_path() / "tidemark-sandbox-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        place_ = pattern;
        for (const char* name : {"own", "own/a", "own/b", "other"})
            fs::create_directory(place_ / name);
        replaceFile(place_ / "other" / "secret", "s");
    }
    void TearDown() override { fs::remove_all(place_); }

    bool works(const std::string& script) const {
        try {
            runProgram({.arguments = {"sh", "-c", script},
                        .directory = place_,
                        .file_access = FileAccess{.readable = {"/usr", "/bin", "/lib", "/lib64", "/etc", "/no/such"},
                                                  .writable = {place_ / "own", "/dev/null"}}});
            return true;
        } catch (const Error&) {
            return false;
        }
    }

    fs::path place_;
};

TEST_F(Sandbox, AllowsEverythingInTheProgramsOwnTree) {
    EXPECT_TRUE(works("echo x > own/a/f && mv own/a/f own/b/g && cat own/b/g >/dev/null && : > own/b/g && rm own/b/g"));
}

TEST_F(Sandbox, ForbidsEverythingElse) {
    EXPECT_FALSE(works("cat other/secret"));
    EXPECT_FALSE(works("echo x > other/f"));
    EXPECT_FALSE(works("rm other/secret"));
    EXPECT_FALSE(works("ls other"));
    EXPECT_FALSE(works("touch own/f && mv own/f other/f"));
    EXPECT_FALSE(works("sh -c 'cat other/secret'")) << "children are confined too";
    EXPECT_TRUE(fs::exists(place_ / "other" / "secret"));
}

}  // namespace
}  // namespace tidemark
