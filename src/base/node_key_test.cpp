#include "base/node_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/error.h"
#include "base/hex.h"
#include "base/random.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

class NodeKeyTest : public ::testing::Test {
protected:
    ~NodeKeyTest() override { fs::remove_all(directory_); }

    const fs::path directory_ = fs::temp_directory_path() / ("node-key-" + hexOf(randomBytes(8)));
    const bool made_ = fs::create_directory(directory_);
    const fs::path file_ = directory_ / "node.key";
};

TEST_F(NodeKeyTest, IsMadeOnceAndForItsOwnerAlone) {
    const Secret secret = Secret::copyOf(viewOf("a key"));
    const std::string wrapped = NodeKey(file_).wrap(secret, "a set");
    struct stat info {};
    ASSERT_EQ(::stat(file_.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    EXPECT_EQ(info.st_size, 32);
    EXPECT_EQ(NodeKey(file_).unwrap(wrapped, "a set").text(), "a key");
}

TEST_F(NodeKeyTest, RefusesWhatItDidNotWrap) {
    const NodeKey key(file_);
    const Secret secret = Secret::copyOf(viewOf("a key"));
    const std::string wrapped = key.wrap(secret, "a set");
    EXPECT_NE(wrapped, key.wrap(secret, "a set"));
    EXPECT_THROW(key.unwrap(wrapped, "a password"), Error);
    EXPECT_THROW(key.unwrap("xyz", "a set"), Error);
    EXPECT_THROW(key.unwrap("", "a set"), Error);
    fs::remove(file_);
    try {
        NodeKey(file_).unwrap(wrapped, "a set");
        FAIL() << "another key";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
        EXPECT_NE(std::string(error.what()).find(file_), std::string::npos);
    }
}

TEST_F(NodeKeyTest, RefusesAFileThatIsNoKey) {
    std::ofstream(file_) << "short";
    EXPECT_THROW(NodeKey{file_}, Error);
}

TEST(Hex, ReadsWhatItWrites) {
    const Bytes bytes{0, 1, 0x7f, 0x80, 0xff};
    EXPECT_EQ(hexOf(bytes), "00017f80ff");
    EXPECT_EQ(bytesOfHex("00017f80ff"), bytes);
    EXPECT_EQ(bytesOfHex(""), Bytes());
    for (const char* wrong : {"0", "0g", "FF", "00 1"})
        EXPECT_FALSE(bytesOfHex(wrong)) << wrong;
}

}  // namespace
}  // namespace tidemark
