#include "backup_set/sealed_storage.h"

#include <gtest/gtest.h>

#include <random>

#include "base/error.h"
#include "storage/memory_storage.h"

namespace tidemark::backup_set {
namespace {

class SealedStorageTest : public ::testing::Test {
protected:
    ~SealedStorageTest() override {
        if (HasFailure()) ADD_FAILURE() << "seed " << seed_;
    }
    Bytes content(std::size_t size) {
        Bytes bytes(size);
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(random_());
        return bytes;
    }
    ErrorCode failure(storage::Storage& storage, const storage::Key& key) {
        try {
            storage.getAll(key);
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
            return error.code();
        }
        return ErrorCode::Internal;
    }

    const unsigned seed_ = std::random_device()();
    std::mt19937 random_{seed_};
    const block::ChainKeyPtr key_ = block::ChainKey::random();
    storage::MemoryStorage inner_;
    SealedStorage sealed_{inner_, key_};
};

TEST_F(SealedStorageTest, GivesBackAnyRange) {
    for (const std::size_t size : {0, 1, 65535, 65536, 65537, 131072, 300000}) {
        const storage::Key key = "a/" + std::to_string(size);
        const Bytes bytes = content(size);
        const auto writer = sealed_.create(key);
        for (std::size_t at = 0; at < size;) {
            const std::size_t part = std::min<std::size_t>(size - at, 1 + random_() % 100000);
            writer->append(ByteView(bytes).subspan(at, part));
            at += part;
        }
        writer->finish();
        EXPECT_EQ(sealed_.stat(key)->size, size);
        EXPECT_TRUE(sealed_.getAll(key) == bytes) << size;
        for (int i = 0; i < 20; ++i) {
            const std::size_t offset = random_() % (size + 1);
            const std::size_t part = random_() % (size - offset + 1);
            const ByteView wanted = ByteView(bytes).subspan(offset, part);
            EXPECT_TRUE(sealed_.get(key, offset, part) == Bytes(wanted.begin(), wanted.end())) << size << " " << offset;
        }
    }
    EXPECT_EQ(sealed_.list("a/").size(), 7U);
    EXPECT_EQ(sealed_.list("a/0").at(0).size, 0U);
}

TEST_F(SealedStorageTest, NoticesEveryChange) {
    sealed_.put("log", content(200000));
    const Bytes stored = inner_.getAll("log");
    for (int i = 0; i < 200; ++i) {
        Bytes bad = stored;
        if (i % 2 == 0) {
            bad[random_() % bad.size()] ^= static_cast<std::uint8_t>(1U << (random_() % 8));
        } else if (i % 4 == 1) {
            bad.resize(random_() % bad.size());
        } else {
            bad.resize(32 + (1 + random_() % 3) * (65536 + 16));  // cut where a part ends
        }
        inner_.remove("log");
        inner_.put("log", bad);
        const bool newer = bad.size() > 9 && (bad[8] != stored[8] || bad[9] != stored[9]);
        EXPECT_EQ(failure(sealed_, "log"),
                  newer && bad.size() == stored.size() ? ErrorCode::InvalidRequest : ErrorCode::Corrupt);
    }
    inner_.put("other", stored);
    EXPECT_EQ(failure(sealed_, "other"), ErrorCode::Corrupt) << "it lies elsewhere";
    inner_.remove("log");
    inner_.put("log", stored);
    SealedStorage with_other(inner_, block::ChainKey::random());
    EXPECT_EQ(failure(with_other, "log"), ErrorCode::Corrupt);
    EXPECT_EQ(sealed_.getAll("log").size(), 200000U);
}

TEST_F(SealedStorageTest, StoresTheSameContentDifferently) {
    sealed_.put("a", content(0));
    const Bytes same(1000, 7);
    sealed_.put("b", same);
    sealed_.put("c", same);
    EXPECT_FALSE(inner_.getAll("b") == inner_.getAll("c"));
    const Bytes stored = inner_.getAll("b");
    EXPECT_EQ(std::search_n(stored.begin(), stored.end(), 8, 7), stored.end());
}

}  // namespace
}  // namespace tidemark::backup_set
