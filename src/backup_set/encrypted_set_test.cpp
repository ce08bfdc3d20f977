#include <gtest/gtest.h>

#include "backup_set/backup_set_document.h"
#include "backup_set/key_bag.h"
#include "base/error.h"
#include "block/worker_pool.h"
#include "storage/memory_storage.h"

namespace tidemark::backup_set {
namespace {

using storage::MemoryStorage;

constexpr SetId kId{3, SetKind::Full};

class EncryptedSet : public ::testing::Test {
protected:
    EncryptedSet() { writeSet(storage_, key_); }

    /// Its key bag is there as well.
    void writeSet(storage::Storage& storage, const ChainKeyPtr& key) {
        beginBackupSet(storage, kId);
        block::BlockProgress progress;
        block::WorkerPool pool(1);
        block::Lane lane(pool);
        block::BlockWriter writer(storage, lane, {.directory = blockDirectory(kId), .set_id = kId.number, .key = key},
                                  progress);
        const block::FileNumber file = writer.beginFile("d/t.ibd");
        writer.add(file, 0, Bytes(100'000, 7));
        writer.endFile(file);
        const block::BlockWriterResult blocks = writer.finish();
        description_ = {
            .id = kId, .tenant_name = "acme", .tenant_settings = {{"charset", "utf8mb4"}}, .comment = "why"};
        description_.gtid = "1002-101-7";
        description_.min_restore_scn = 1'800'000'050'000'000'001;
        description_.objects = blocks.objects;
        description_.index_checksum = blocks.index_checksum;
        putKeyBag(storage, kId, wrapKey(*key, password_));
    }

    static ErrorCode problemOf(const std::function<void()>& work) {
        try {
            work();
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::Internal;
    }

    const PasswordKey password_ = PasswordKey::of("open sesame");
    const ChainKeyPtr key_ = block::ChainKey::random();
    MemoryStorage storage_;
    BackupSetDescription description_;
};

TEST_F(EncryptedSet, TellsWithoutItsKeyWhenAndWhereButNotWhat) {
    finishBackupSet(storage_, description_, key_);
    const BackupSetDescription seen = listBackupSets(storage_).at(0).description.value();
    EXPECT_TRUE(seen.encrypted && seen.sealed);
    EXPECT_EQ(seen.min_restore_scn, description_.min_restore_scn);
    EXPECT_EQ(seen.objects.size(), description_.objects.size());
    EXPECT_EQ(seen.tenant_name + seen.gtid + seen.comment, "");
    std::string all;
    for (const auto& object : storage_.list(""))
        all += textOf(storage_.getAll(object.key));
    for (const char* text : {"acme", "1002-101-7", "utf8mb4", "why", "d/t.ibd"})
        EXPECT_EQ(all.find(text), std::string::npos) << text;
    EXPECT_EQ(problemOf([&] { openBlocks(storage_, seen); }), ErrorCode::Denied);
}

TEST_F(EncryptedSet, TellsAllWithItsKey) {
    finishBackupSet(storage_, description_, key_);
    finishBackupSet(storage_, description_, key_);  // as a later attempt does
    const BackupSetDescription read = readBackupSet(storage_, kId, key_);
    EXPECT_FALSE(read.sealed);
    description_.encrypted = true;
    EXPECT_EQ(contentOf(read), contentOf(description_));
    EXPECT_EQ(contentOf(*finishDescribedSet(storage_, kId, key_)), contentOf(description_));
    openBlocks(storage_, read, key_)->checkObjects();
    verifyBackupSet(storage_, description_, key_);
}

TEST_F(EncryptedSet, RefusesEveryOtherKey) {
    finishBackupSet(storage_, description_, key_);
    const ChainKeyPtr other = block::ChainKey::random();
    EXPECT_EQ(problemOf([&] { readBackupSet(storage_, kId, other); }), ErrorCode::Corrupt);
    EXPECT_EQ(problemOf([&] { openBlocks(storage_, description_, other); }), ErrorCode::Corrupt);
    MemoryStorage foreign;
    writeSet(foreign, other);
    foreign.put("bag", {});
    EXPECT_EQ(problemOf([&] { finishBackupSet(foreign, description_, key_); }), ErrorCode::Corrupt);
}

/// What is clear is authenticated: who can write to the destination makes no set look like another.
TEST_F(EncryptedSet, NoticesAnyChangeOfItsDescription) {
    finishBackupSet(storage_, description_, key_);
    const storage::Key key = setDirectory(kId) + "single_backup_set_info.obbak";
    const auto document = storage::openDocument({"tidemark backup set", kDescriptionVersion}, storage_, key);
    const auto problemWith = [&](const std::function<void(nlohmann::json&)>& change) {
        nlohmann::json content = document.content;
        change(content);
        MemoryStorage bad;
        bad.put("d", storage::sealDocument({"tidemark backup set", kDescriptionVersion}, content));
        return problemOf([&] { decodeDescription(bad, "d", key_); });
    };
    EXPECT_EQ(problemWith([](auto&) {}), ErrorCode::Internal) << "no change, no problem";
    for (const char* field : {"min_restore_scn", "backup_set_id", "turn", "cluster_id"})
        EXPECT_EQ(problemWith([&](auto& content) { content[field] = 7; }), ErrorCode::Corrupt) << field;
    EXPECT_EQ(problemWith([](auto& content) { content["new"] = 1; }), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith([](auto& content) { content["objects"][0]["size"] = 1; }), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith([](auto& content) { content["sealed"] = "00"; }), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith([](auto& content) { content["sealed"] = "xyz"; }), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith([](auto& content) { content.erase("sealed"); }), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith([](auto& content) { content["encrypted"] = false; }), ErrorCode::Corrupt);
    nlohmann::json plain = contentOf(description_);
    EXPECT_EQ(problemWith([&](auto& content) { content = plain; }), ErrorCode::Corrupt) << "another in its place";
}

TEST_F(EncryptedSet, OpensWithItsPasswordAndNoOther) {
    const KeyBag bag = readKeyBag(storage_, kId);
    EXPECT_EQ(bag.chain, chainIdOf(*key_));
    EXPECT_EQ(bag.entries.at(0).id, password_.id);
    const ChainKeyPtr opened = unwrapKey(bag, "open sesame");
    ASSERT_TRUE(opened);
    EXPECT_EQ(chainIdOf(*opened), bag.chain);
    for (const char* wrong : {"open sesam", "Open sesame", ""})
        EXPECT_FALSE(unwrapKey(bag, wrong)) << wrong;
    KeyBag changed = bag;
    changed.chain = chainIdOf(*block::ChainKey::random());
    EXPECT_FALSE(unwrapKey(changed, "open sesame"));
}

TEST_F(EncryptedSet, RefusesABagThatCannotBe) {
    const nlohmann::json good = contentOf(readKeyBag(storage_, kId));
    const auto problemWith = [&](const char* field, nlohmann::json value) {
        nlohmann::json content = good;
        (content.contains(field) ? content : content["keys"][0])[field] = std::move(value);
        MemoryStorage bad;
        bad.put(setDirectory(kId) + "backup_set_key.obbak", storage::sealDocument({"tidemark key bag", 1}, content));
        return problemOf([&] { unwrapKey(readKeyBag(bad, kId), "x"); });
    };
    EXPECT_EQ(problemWith("n", 1 << 30), ErrorCode::Corrupt) << "more memory than anybody needs";
    EXPECT_EQ(problemWith("r", 0), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith("p", -1), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith("salt", "00"), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith("wrapped", "00"), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith("method", "plain"), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith("chain", "not hexadecimal!"), ErrorCode::Corrupt);
    EXPECT_EQ(problemWith("keys", nlohmann::json::array_t(100, good["keys"][0])), ErrorCode::Corrupt);
}

}  // namespace
}  // namespace tidemark::backup_set
