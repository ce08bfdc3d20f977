#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "storage/storage.h"

/// What every Storage must do. A test program includes this once and names its storages:
///
///     INSTANTIATE_TEST_SUITE_P(File, StorageSuite, ::testing::Values(StorageFactory{…}));
namespace tidemark::storage {

/// Makes an empty storage; what it returns keeps alive whatever the storage needs.
using StorageFactory = std::function<std::shared_ptr<Storage>()>;

class StorageSuite : public ::testing::TestWithParam<StorageFactory> {
protected:
    StorageSuite() : storage_(GetParam()()) {}

    void put(const Key& key, std::string_view text) { storage_->put(key, viewOf(text)); }
    std::string text(const Key& key) { return std::string(textOf(storage_->getAll(key))); }
    std::vector<Key> keys(const Key& prefix) {
        std::vector<Key> found;
        for (const ObjectInfo& info : storage_->list(prefix))
            found.push_back(info.key);
        return found;
    }

    std::shared_ptr<Storage> storage_;
};

inline ErrorCode codeOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error.code();
    }
    ADD_FAILURE() << "no Error was thrown";
    return ErrorCode::Internal;
}

TEST_P(StorageSuite, GivesBackWhatWasPut) {
    put("a", "alpha");
    put("d/e/f.obbak", "");
    EXPECT_EQ(text("a"), "alpha");
    EXPECT_EQ(text("d/e/f.obbak"), "");
    EXPECT_EQ(textOf(storage_->get("a", 1, 3)), "lph");
    EXPECT_TRUE(storage_->get("a", 5, 0).empty());
    EXPECT_EQ(storage_->stat("a")->size, 5U);
    EXPECT_EQ(storage_->stat("d/e/f.obbak")->size, 0U);
    Bytes into(2);
    storage_->read("a", 3, into);
    EXPECT_EQ(textOf(into), "ha");
}

TEST_P(StorageSuite, SaysWhatIsMissing) {
    EXPECT_FALSE(storage_->stat("a"));
    EXPECT_FALSE(storage_->stat("a/b"));
    EXPECT_EQ(codeOf([&] { storage_->getAll("a/b"); }), ErrorCode::NotFound);
    EXPECT_EQ(codeOf([&] { storage_->get("a", 0, 1); }), ErrorCode::NotFound);
    EXPECT_TRUE(storage_->list("").empty());
    EXPECT_TRUE(storage_->list("a/b/").empty());
    EXPECT_FALSE(storage_->any(""));
    storage_->remove("a/b");
}

TEST_P(StorageSuite, RefusesToReadBeyondTheEndAndNamesTheObject) {
    put("d/a", "alpha");
    for (const auto& [offset, size] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{
             {0, 6}, {5, 1}, {6, 0}, {6, 1}, {1, ~0ULL}, {~0ULL, 1}, {0, 1ULL << 60}}) {
        try {
            storage_->get("d/a", offset, size);
            ADD_FAILURE() << offset << " " << size;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt);
            EXPECT_NE(std::string(error.what()).find(storage_->url() + "/d/a"), std::string::npos) << error.what();
        }
    }
}

TEST_P(StorageSuite, NeverChangesAnObject) {
    put("a", "first");
    EXPECT_EQ(codeOf([&] { put("a", "second"); }), ErrorCode::AlreadyExists);
    EXPECT_EQ(text("a"), "first");
}

TEST_P(StorageSuite, LetsOneOfTwoWritersWin) {
    const auto one = storage_->create("d/a");
    const auto two = storage_->create("d/a");
    one->append(viewOf("one"));
    two->append(viewOf("two"));
    two->finish();
    EXPECT_EQ(codeOf([&] { one->finish(); }), ErrorCode::AlreadyExists);
    EXPECT_EQ(text("d/a"), "two");
}

TEST_P(StorageSuite, ShowsNothingBeforeFinish) {
    {
        const auto writer = storage_->create("d/a");
        writer->append(viewOf("alpha"));
        EXPECT_FALSE(storage_->stat("d/a"));
        EXPECT_TRUE(storage_->list("").empty());
        EXPECT_FALSE(storage_->any(""));
        EXPECT_EQ(storage_->removeUnfinished(""), 0U) << "the writer is alive";
        writer->finish();
    }
    EXPECT_EQ(text("d/a"), "alpha");
}

TEST_P(StorageSuite, KeepsNothingOfAnAbandonedWriter) {
    {
        const auto writer = storage_->create("d/a");
        writer->append(Bytes(3 << 20));
    }
    EXPECT_FALSE(storage_->any(""));
    EXPECT_FALSE(storage_->stat("d/a"));
    put("d/a", "again");
    EXPECT_EQ(text("d/a"), "again");
}

TEST_P(StorageSuite, StoresLargeObjectsFromPiecesOfAnySize) {
    Bytes expected;
    const auto writer = storage_->create("large");
    for (std::size_t size : {1UL, 1UL << 20, 0UL, (1UL << 20) - 1, 3UL << 20, 7UL, 12UL << 20, 70000UL}) {
        Bytes piece(size);
        for (std::size_t i = 0; i < size; ++i)
            piece[i] = static_cast<std::uint8_t>((i * 7 + size) >> 3);
        writer->append(piece);
        expected.insert(expected.end(), piece.begin(), piece.end());
    }
    writer->finish();
    EXPECT_TRUE(storage_->getAll("large") == expected);
    EXPECT_EQ(storage_->stat("large")->size, expected.size());
}

TEST_P(StorageSuite, ListsByPrefixInOrderOfKeys) {
    for (const char* key : {"ba", "a/b.c/d", "a0", "b/x", "a/b/c", "a.c", "a-b"}) {
        put(key, "x");
    }
    EXPECT_EQ(keys(""), (std::vector<Key>{"a-b", "a.c", "a/b.c/d", "a/b/c", "a0", "b/x", "ba"}));
    EXPECT_EQ(keys("a/"), (std::vector<Key>{"a/b.c/d", "a/b/c"}));
    EXPECT_EQ(keys("a/b"), (std::vector<Key>{"a/b.c/d", "a/b/c"}));
    EXPECT_EQ(keys("b"), (std::vector<Key>{"b/x", "ba"}));
    EXPECT_EQ(keys("b/x"), (std::vector<Key>{"b/x"}));
    EXPECT_TRUE(keys("b/xy").empty());
    EXPECT_TRUE(storage_->any("a/b/"));
    EXPECT_FALSE(storage_->any("c"));
}

TEST_P(StorageSuite, RemovesOnlyWhatIsNamed) {
    put("d/a", "1");
    put("d/b", "2");
    storage_->remove("d/a");
    storage_->remove("d/a");
    EXPECT_EQ(keys(""), (std::vector<Key>{"d/b"}));
    storage_->remove("d/b");
    EXPECT_FALSE(storage_->any(""));
    put("d/a", "again");
    EXPECT_EQ(text("d/a"), "again");
}

TEST_P(StorageSuite, RefusesKeysThatLeadElsewhere) {
    for (const Key& key : {Key(""), Key("/a"), Key("a/"), Key("a//b"), Key("../a"), Key("a/../b"), Key("a/."),
                           Key(".hidden"), Key("a\0b", 3), Key(300, 'x')}) {
        EXPECT_EQ(codeOf([&] { put(key, "x"); }), ErrorCode::InvalidRequest) << key;
        EXPECT_EQ(codeOf([&] { storage_->getAll(key); }), ErrorCode::InvalidRequest) << key;
        EXPECT_EQ(codeOf([&] { storage_->remove(key); }), ErrorCode::InvalidRequest) << key;
    }
}

TEST_P(StorageSuite, ServesManyThreads) {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 50; ++i) {
                const Key own = "shared/" + std::to_string(thread) + "/" + std::to_string(i);
                put(own, own);
                EXPECT_EQ(text(own), own);
                storage_->list("shared/");
                storage_->remove(own);
            }
        });
    }
    threads.clear();
    EXPECT_FALSE(storage_->any(""));
}

}  // namespace tidemark::storage
