#include "validate/set_check.h"

#include <gtest/gtest.h>

#include <random>

#include "backup_set/backup_set_document.h"
#include "base/error.h"
#include "base/hash.h"
#include "block/block_writer.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"

namespace tidemark::validate {
namespace {

using backup_set::BackupSetDescription;
using backup_set::SetId;
using catalog::FindingKind;
using catalog::Harm;
using storage::FaultRule;
using storage::MemoryStorage;

class SetCheckTest : public ::testing::Test {
protected:
    ~SetCheckTest() override {
        if (HasFailure()) ADD_FAILURE() << "seed " << seed_;
    }

    /// Small and large files, in several data objects.
    void writeSet(storage::Storage& storage, const block::ChainKeyPtr& key = {}) {
        backup_set::beginBackupSet(storage, kId);
        block::BlockProgress progress;
        block::BlockWriter writer(
            storage, lane_,
            {.directory = backup_set::blockDirectory(kId), .set_id = kId.number, .data_file_size = 1 << 20, .key = key},
            progress);
        BackupSetDescription description;
        for (int i = 0; i < 12; ++i) {
            Bytes content(i * 21'000 + (i == 11 ? block::kMacroBlockSize : 0));
            for (std::size_t at = 0; at < content.size(); ++at)
                content[at] = static_cast<std::uint8_t>(at % 64 < 40 ? random_() : 0);
            const block::FileNumber file = writer.beginFile("d/t" + std::to_string(i) + ".ibd");
            writer.add(file, 0, content);
            writer.endFile(file);
        }
        const block::BlockWriterResult blocks = writer.finish();
        description.id = kId;
        description.gtid = "1002-101-7";
        description.start_time = 1'800'000'000 * kSecond;
        description.end_time = description.start_time + kSecond;
        description.objects = blocks.objects;
        description.index_checksum = blocks.index_checksum;
        description.plus_archivelog = true;
        const storage::Key log = backup_set::logDirectory(kId) + "piece_d1r1p1/logstream_1/log/1.obarc";
        const Bytes content(3 << 20, 'l');
        storage.put(log, content);
        description.log_objects = {{log, content.size(), xxh3(content)}};
        if (!key) return backup_set::finishBackupSet(storage, description);
        // Who finishes a set reads it, which takes the key.
        storage.put(backup_set::descriptionKey(kId), backup_set::encodeDescription(description));
        storage.put(backup_set::setDirectory(kId) + "backup_set_1_full_then_now.obbak", {});
        storage.put("backup_sets/backup_set_1_full_end_success_now.obbak", {});
    }

    std::vector<Finding> check(storage::Storage& storage, bool unreadable_is_finding = false) {
        CheckProgress progress;
        const Checking with{.storage = storage,
                            .lane = lane_,
                            .progress = progress,
                            .scratch = {},
                            .stop = stop_.get_token(),
                            .unreadable_is_finding = unreadable_is_finding};
        auto findings = SetCheck(with, kId, [](const std::string&) { return false; }).run();
        bytes_ = progress.bytes;
        objects_ = progress.objects;
        return findings;
    }

    /// The same objects, one of them another.
    static void copy(MemoryStorage& from, MemoryStorage& to, const storage::Key& key, const Bytes* instead) {
        for (const auto& object : from.list("")) {
            if (object.key != key) to.put(object.key, from.getAll(object.key));
            else if (instead != nullptr) to.put(key, *instead);
        }
    }

    /// All but the markers, which are empty.
    std::vector<storage::Key> objects(MemoryStorage& storage) {
        std::vector<storage::Key> keys;
        for (const auto& object : storage.list(""))
            if (object.size > 0) keys.push_back(object.key);
        return keys;
    }

    static constexpr SetId kId{1, backup_set::SetKind::Full};
    const unsigned seed_ = std::random_device()();
    std::mt19937 random_{seed_};
    block::WorkerPool pool_{2};
    block::Lane lane_{pool_};
    std::stop_source stop_;
    std::uint64_t bytes_ = 0;
    std::int64_t objects_ = 0;
};

TEST_F(SetCheckTest, ReadsEveryByteOfAWholeSetOnceAndFindsNothing) {
    MemoryStorage storage;
    writeSet(storage);
    EXPECT_TRUE(check(storage).empty());
    std::uint64_t bytes = 0;
    for (const auto& object : storage.list(""))
        bytes += object.size;
    EXPECT_EQ(bytes_, bytes);
    EXPECT_EQ(objects_, static_cast<std::int64_t>(storage.list("").size()));
    EXPECT_GT(objects(storage).size(), 4U) << "more than one data object";
}

// Whichever bit of whichever object is another one, exactly this object is named.
TEST_F(SetCheckTest, FindsEveryBit) {
    MemoryStorage whole;
    writeSet(whole);
    const auto keys = objects(whole);
    for (int i = 0; i < 400; ++i) {
        const storage::Key& key = keys[random_() % keys.size()];
        Bytes content = whole.getAll(key);
        // Half of them where the small parts are: at the beginning and at the end.
        std::size_t at = random_() % content.size();
        if (i % 2 == 0) at = random_() % 2 == 0 ? at % 100 : content.size() - 1 - at % 2000 % content.size();
        const auto bit = static_cast<std::uint8_t>(1 << random_() % 8);
        content[at] ^= bit;
        MemoryStorage harmed;
        copy(whole, harmed, key, &content);
        const auto findings = check(harmed);
        ASSERT_FALSE(findings.empty()) << key << " byte " << at << " bit " << int{bit};
        for (const Finding& finding : findings) {
            EXPECT_EQ(finding.object, harmed.url() + "/" + key) << "byte " << at << ": " << finding.what;
            EXPECT_EQ(finding.kind, FindingKind::Damaged) << finding.what;
        }
    }
}

// What a restore can do with a harmed set, it can do with what the finding says.
TEST_F(SetCheckTest, SaysWhetherARestoreReadsIt) {
    MemoryStorage whole;
    writeSet(whole);
    const auto keys = objects(whole);
    int harmless = 0;
    for (int i = 0; i < 100; ++i) {
        const storage::Key& key = keys[random_() % keys.size()];
        Bytes content = whole.getAll(key);
        content[i % 2 == 0 ? random_() % 60 : content.size() - 1 - random_() % 500] ^= 4;
        MemoryStorage harmed;
        copy(whole, harmed, key, &content);
        bool restores = true;
        try {
            const auto reader =
                backup_set::openOrRebuildBlocks(harmed, backup_set::readBackupSet(harmed, kId), {}, {});
            block::ReadPlan plan(reader->index(), {});
            block::MemoryShare memory(pool_.memory(), {});
            for (auto frames = plan.next(); !frames.empty(); frames = plan.next()) {
                const block::Buffer buffer = memory.take();
                reader->frames().read(frames, buffer);
                lane_.run([&](block::Codec& codec) { reader->frames().decode(frames, buffer, codec, plan.files()); });
            }
        } catch (const Error&) {
            restores = false;
        }
        const auto findings = check(harmed);
        ASSERT_FALSE(findings.empty());
        const bool loses = std::ranges::any_of(findings, [](const Finding& one) { return one.harm == Harm::Set; });
        EXPECT_EQ(loses, !restores) << key << ": " << findings.front().what;
        harmless += restores ? 1 : 0;
    }
    EXPECT_GT(harmless, 5);
    EXPECT_LT(harmless, 95);
}

TEST_F(SetCheckTest, NamesAnObjectThatIsMissingOrCut) {
    MemoryStorage whole;
    writeSet(whole);
    for (const auto& object : whole.list("")) {
        MemoryStorage without;
        copy(whole, without, object.key, nullptr);
        const auto missing = check(without);
        ASSERT_EQ(missing.size(), 1U) << object.key;
        EXPECT_EQ(missing[0].kind, FindingKind::Missing);
        const auto star = missing[0].object.find('*');
        EXPECT_TRUE((without.url() + "/" + object.key).starts_with(missing[0].object.substr(0, star))) << object.key;
        if (object.size == 0) continue;
        Bytes half = whole.getAll(object.key);
        half.resize(half.size() / 2);
        MemoryStorage cut;
        copy(whole, cut, object.key, &half);
        const auto found = check(cut);
        ASSERT_EQ(found.size(), 1U) << object.key;
        EXPECT_EQ(found[0].kind, object.key.find("macro_") != object.key.npos ? FindingKind::WrongSize
                                                                              : FindingKind::Damaged);
    }
}

TEST_F(SetCheckTest, CountsAllFramesThatAreDamaged) {
    MemoryStorage whole;
    writeSet(whole);
    const storage::Key key = backup_set::blockDirectory(kId) + block::dataFileName(0);
    std::vector<std::uint64_t> frames;
    block::readFrameTable(whole, key, 0, {}, [&](const block::FrameRecord& frame) { frames.push_back(frame.place.offset); });
    ASSERT_GT(frames.size(), 2U);
    Bytes content = whole.getAll(key);
    for (const std::uint64_t at : {frames[1], frames.back()})
        content[at + 10] ^= 1;
    MemoryStorage harmed;
    copy(whole, harmed, key, &content);
    const auto findings = check(harmed);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_NE(findings[0].what.find("2 of its " + std::to_string(frames.size()) + " frames are damaged, the first one "
                                    "at byte " + std::to_string(frames[1])), std::string::npos)
        << findings[0].what;
}

TEST_F(SetCheckTest, TakesWhatCannotBeReadForDamageOnlyWhenItIsToldTo) {
    MemoryStorage whole;
    writeSet(whole);
    for (const storage::Key& key : objects(whole)) {
        storage::FaultyStorage storage(whole, {{.on = FaultRule::Operation::Get, .key_part = key}}, 1);
        EXPECT_THROW(check(storage), Error) << key;
        const auto findings = check(storage, true);
        ASSERT_FALSE(findings.empty()) << key;
        for (const Finding& finding : findings)
            EXPECT_EQ(finding.object, whole.url() + "/" + key);
        EXPECT_EQ(findings[0].kind, FindingKind::Unreadable) << key;
    }
}

TEST_F(SetCheckTest, SaysThatWhatIsEncryptedWasNotReadAndThatItIsThere) {
    MemoryStorage whole;
    writeSet(whole, block::ChainKey::random());
    const auto unread = check(whole);
    ASSERT_EQ(unread.size(), 1U);
    EXPECT_EQ(unread[0].kind, FindingKind::NoKey);
    const storage::Key key = backup_set::blockDirectory(kId) + block::dataFileName(0);
    MemoryStorage without;
    copy(whole, without, key, nullptr);
    EXPECT_EQ(check(without).size(), 2U);
    Bytes content = whole.getAll(key);
    content[20] ^= 1;
    MemoryStorage harmed;
    copy(whole, harmed, key, &content);
    const auto findings = check(harmed);
    ASSERT_EQ(findings.size(), 2U);
    EXPECT_EQ(findings[1].kind, FindingKind::Damaged);
    EXPECT_EQ(findings[1].object, harmed.url() + "/" + key);
}

TEST_F(SetCheckTest, EndsWhenItIsCancelled) {
    MemoryStorage storage;
    writeSet(storage);
    stop_.request_stop();
    try {
        check(storage);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Cancelled);
    }
}

}  // namespace
}  // namespace tidemark::validate
