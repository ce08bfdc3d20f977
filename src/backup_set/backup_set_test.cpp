#include "backup_set/backup_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "backup_set/backup_set_document.h"
#include "base/error.h"
#include "block/block_writer.h"
#include "block/worker_pool.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"
#include "testing/newer_document.h"

namespace tidemark::backup_set {
namespace {

using storage::FaultRule;
using storage::FaultyStorage;
using storage::MemoryStorage;
using State = FoundBackupSet::State;

/// Blocks of a small set, and a description that fits them.
BackupSetDescription writeSet(storage::Storage& storage, std::uint32_t number) {
    const SetId id{number, SetKind::Full};
    beginBackupSet(storage, id);
    block::BlockProgress progress;
    block::WorkerPool pool(1);
    block::Lane lane(pool);
    block::BlockWriter writer(storage, lane, {.directory = blockDirectory(id), .set_id = number}, progress);
    const block::FileNumber file = writer.beginFile("d/t.ibd");
    writer.add(file, 0, Bytes(3 * block::kMacroBlockSize, 7));
    writer.endFile(file);
    const block::BlockWriterResult blocks = writer.finish();
    BackupSetDescription description;
    description.id = id;
    description.tenant_name = "acme";
    description.tenant_id = 1002;
    description.tenant_settings = {{"compatibility_mode", "MYSQL"}};
    description.gtid = "1002-101-7";
    description.start_time = 1'800'000'000 * kSecond;
    description.end_time = description.start_time + 90 * kSecond + 1;
    description.min_restore_scn = 1'800'000'050'000'000'001;
    description.objects = blocks.objects;
    description.index_checksum = blocks.index_checksum;
    return description;
}

TEST(BackupSet, IsVisibleOnlyWhenItIsFinished) {
    MemoryStorage storage;
    const BackupSetDescription description = writeSet(storage, 1);
    ASSERT_EQ(listBackupSets(storage).size(), 1U);
    EXPECT_EQ(listBackupSets(storage)[0].state, State::Unfinished);
    EXPECT_THROW(readBackupSet(storage, description.id), Error);

    finishBackupSet(storage, description);
    const auto found = listBackupSets(storage);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].state, State::Complete);
    EXPECT_EQ(encodeDescription(*found[0].description), encodeDescription(description));
    EXPECT_EQ(readBackupSet(storage, description.id).min_restore_scn, 1'800'000'050'000'000'001U);
    EXPECT_EQ(readBackupSet(storage, description.id).tenant_settings.at("compatibility_mode"), "MYSQL");
}

TEST(BackupSet, IsFoundAmongOthersInOrderOfNumbers) {
    MemoryStorage storage;
    for (const std::uint32_t number : {10U, 9U, 2U})
        finishBackupSet(storage, writeSet(storage, number));
    beginBackupSet(storage, {11, SetKind::Incremental});
    storage.put("backup_sets/README", viewOf("somebody's"));
    storage.put("backup_sets/backup_set_99999999999_full_start.obbak", {});
    storage.put("backup_sets/backup_set_5_odd_start.obbak", {});
    std::vector<std::uint32_t> numbers;
    for (const FoundBackupSet& set : listBackupSets(storage))
        numbers.push_back(set.id.number);
    EXPECT_EQ(numbers, (std::vector<std::uint32_t>{2, 9, 10, 11}));
    EXPECT_EQ(listBackupSets(storage)[3].id.kind, SetKind::Incremental);
}

TEST(BackupSet, TakesNoNumberTwice) {
    MemoryStorage storage;
    beginBackupSet(storage, {1, SetKind::Full});
    EXPECT_THROW(beginBackupSet(storage, {1, SetKind::Full}), Error);
    EXPECT_THROW(beginBackupSet(storage, {1, SetKind::Incremental}), Error);
}

TEST(BackupSet, IsNotFinishedIfTheStorageLostSomething) {
    for (const char* part : {"data.0", "range_index", "set_info"}) {
        for (const auto effect : {FaultRule::Effect::Lose, FaultRule::Effect::Short}) {
            const auto on =
                effect == FaultRule::Effect::Lose ? FaultRule::Operation::Finish : FaultRule::Operation::Append;
            MemoryStorage inner;
            FaultyStorage storage(inner, {{.on = on, .effect = effect, .key_part = part}}, 1);
            const BackupSetDescription description = writeSet(storage, 1);
            EXPECT_THROW(finishBackupSet(storage, description), Error) << part;
            EXPECT_GT(storage.struck(), 0U) << part;
            EXPECT_EQ(listBackupSets(inner)[0].state, State::Unfinished) << part;
        }
    }
}

TEST(BackupSet, IsNotFinishedIfThatIsCancelled) {
    MemoryStorage storage;
    const BackupSetDescription description = writeSet(storage, 1);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(finishBackupSet(storage, description, {}, stop.get_token()), Error);
    EXPECT_FALSE(isComplete(storage, description.id));
    EXPECT_TRUE(finishDescribedSet(storage, description.id)) << "it can be finished later";
    EXPECT_TRUE(isComplete(storage, description.id));
}

/// Their names alone say something, so nobody reads them back.
TEST(BackupSet, IsNotFinishedIfTheStorageLostAnObjectThatIsEmpty) {
    for (const char* part : {"start", "backup_set_1_full_20", "end_success"}) {
        MemoryStorage inner;
        const BackupSetDescription description = writeSet(inner, 1);
        inner.remove("backup_sets/backup_set_1_full_start.obbak");
        FaultyStorage storage(
            inner, {{.on = FaultRule::Operation::Finish, .effect = FaultRule::Effect::Lose, .key_part = part}}, 1);
        EXPECT_THROW(finishBackupSet(storage, description), Error) << part;
        EXPECT_EQ(storage.struck(), 1U) << part;
        EXPECT_FALSE(isComplete(inner, description.id)) << part;
    }
}

TEST(BackupSet, IsNotFinishedWithTheHeadOfItsIndexDamaged) {
    MemoryStorage inner;
    const BackupSetDescription description = writeSet(inner, 1);
    const storage::Key index = blockDirectory(description.id) + block::kRangeIndexName;
    Bytes bytes = inner.getAll(index);
    bytes[1] ^= 1;
    inner.remove(index);
    inner.put(index, bytes);
    EXPECT_THROW(finishBackupSet(inner, description), Error);
}

TEST(BackupSet, LeavesNothingWhenItIsRemovedUnfinished) {
    MemoryStorage storage;
    finishBackupSet(storage, writeSet(storage, 1));
    const std::size_t before = storage.list("").size();
    writeSet(storage, 2);
    storage.put("backup_set_2_full/single_backup_set_info.obbak", viewOf("half"));
    removeUnfinishedSet(storage, 2);
    EXPECT_EQ(storage.list("").size(), before);
    removeUnfinishedSet(storage, 2);
    removeUnfinishedSet(storage, 3);
    EXPECT_THROW(removeUnfinishedSet(storage, 1), Error);
    EXPECT_EQ(storage.list("").size(), before);
    beginBackupSet(storage, {2, SetKind::Incremental});
}

TEST(BackupSet, IsRemovedInAnOrderThatCanGoOnAfterACrash) {
    for (std::uint64_t after = 0; after < 6; ++after) {
        MemoryStorage inner;
        writeSet(inner, 1);
        FaultyStorage storage(inner, {{.on = FaultRule::Operation::Remove, .after = after, .times = 1}}, 1);
        try {
            removeUnfinishedSet(storage, 1);
        } catch (const Error&) {
            ASSERT_EQ(listBackupSets(inner).empty(), !inner.any("")) << "nobody would find the rest";
            removeUnfinishedSet(storage, 1);
        }
        EXPECT_FALSE(inner.any(""));
    }
}

TEST(BackupSet, OneThatIsDamagedDoesNotHideTheOthers) {
    MemoryStorage good;
    finishBackupSet(good, writeSet(good, 1));
    finishBackupSet(good, writeSet(good, 2));
    const storage::Key key = "backup_set_1_full/single_backup_set_info.obbak";
    const Bytes content = good.getAll(key);
    const unsigned seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (int round = 0; round < 2000; ++round) {
        Bytes bad = content;
        if (round % 3 == 0) {
            bad.resize(random() % bad.size());
        } else {
            bad[random() % bad.size()] ^= static_cast<std::uint8_t>(1U << (random() % 8));
        }
        good.remove(key);
        good.put(key, bad);
        const auto found = listBackupSets(good);
        ASSERT_EQ(found.size(), 2U);
        EXPECT_EQ(found[0].state, State::Damaged);
        EXPECT_NE(found[0].problem.find(key), std::string::npos) << found[0].problem;
        EXPECT_EQ(found[1].state, State::Complete);
    }
}

TEST(BackupSet, IsDamagedIfItsDescriptionIsThatOfAnother) {
    MemoryStorage storage;
    finishBackupSet(storage, writeSet(storage, 1));
    finishBackupSet(storage, writeSet(storage, 2));
    const storage::Key key = "backup_set_1_full/single_backup_set_info.obbak";
    storage.remove(key);
    storage.put(key, storage.getAll("backup_set_2_full/single_backup_set_info.obbak"));
    const auto found = listBackupSets(storage);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].state, State::Damaged);
    EXPECT_NE(found[0].problem.find(key + " describes another backup set"), std::string::npos) << found[0].problem;
    EXPECT_EQ(found[1].state, State::Complete);
    EXPECT_THROW(readBackupSet(storage, {1, SetKind::Full}), Error);
    EXPECT_THROW(finishDescribedSet(storage, {1, SetKind::Full}), Error);
}

TEST(BackupSet, OfANewerVersionIsReadWithoutWhatIsUnknown) {
    MemoryStorage storage;
    const BackupSetDescription written = writeSet(storage, 1);
    finishBackupSet(storage, written);
    const storage::Key key = "backup_set_1_full/single_backup_set_info.obbak";
    testing::makeNewer(storage, key, true, [](nlohmann::json& content) {
        // Their names are content: a newer tenant may have other settings, and any file may have wrong pages.
        const nlohmann::json named{{"tenant_settings", content.at("tenant_settings")},
                                   {"wrong_pages", content.at("wrong_pages")}};
        testing::addUnknownFields(content);
        content.update(named);
    });
    const BackupSetDescription read = readBackupSet(storage, written.id);
    EXPECT_EQ(encodeDescription(read), encodeDescription(written));
    openBlocks(storage, read)->checkObjects();
    EXPECT_EQ(encodeDescription(*finishDescribedSet(storage, written.id)), encodeDescription(written));

    testing::makeNewer(storage, key, false);
    const auto found = listBackupSets(storage);
    EXPECT_EQ(found.at(0).state, State::Damaged);
    EXPECT_NE(found.at(0).problem.find("newer version of Tidemark; update Tidemark on this node"), std::string::npos);
}

TEST(BackupSet, OfAVersionBeforeAFieldHasItsDefault) {
    MemoryStorage storage;
    const BackupSetDescription written = writeSet(storage, 1);
    finishBackupSet(storage, written);
    const storage::Key key = "backup_set_1_full/single_backup_set_info.obbak";
    const auto document = testing::documentAt(storage, key);
    auto without = document;
    const std::set<std::string> later{"turn",      "log_end_scn", "log_file_count",  "log_objects",
                                      "encrypted", "wrong_pages", "wrong_page_count"};
    for (const std::string& name : later)
        EXPECT_EQ(without.at("content").erase(name), 1U) << name;
    testing::replaceDocument(storage, key, without);
    EXPECT_EQ(readBackupSet(storage, written.id).turn, 1U);
    EXPECT_TRUE(readBackupSet(storage, written.id).log_objects.empty());
    // What every version has written is not made up.
    for (const auto& [name, value] : document.at("content").items()) {
        if (later.contains(name)) continue;
        without = document;
        without.at("content").erase(name);
        testing::replaceDocument(storage, key, without);
        EXPECT_THROW(readBackupSet(storage, written.id), Error) << name;
    }
}

TEST(BackupSet, CarriesItsLogAndIsNotFinishedWithoutIt) {
    MemoryStorage storage;
    BackupSetDescription description = writeSet(storage, 1);
    const storage::Key key = logDirectory(description.id) + "piece_d1001r1p1/logstream_1/log/7.obarc";
    EXPECT_EQ(key, "backup_set_1_full/complement_log/piece_d1001r1p1/logstream_1/log/7.obarc");
    description.plus_archivelog = true;
    description.log_end_scn = description.min_restore_scn + 5;
    description.log_objects = {{key, 3, ~0ULL}};
    description.log_files = 1;
    EXPECT_THROW(finishBackupSet(storage, description), Error);
    storage.put(key, viewOf("lo"));
    EXPECT_THROW(finishBackupSet(storage, description), Error);
    storage.remove(key);
    storage.put(key, viewOf("log"));
    finishBackupSet(storage, description);
    const BackupSetDescription read = readBackupSet(storage, description.id);
    EXPECT_EQ(read.log_end_scn, description.log_end_scn);
    EXPECT_EQ(read.log_files, 1U);
    ASSERT_EQ(read.log_objects.size(), 1U);
    EXPECT_EQ(read.log_objects[0].checksum, ~0ULL);
    EXPECT_EQ(read.log_objects[0].key, key);
    removeOtherTurns(storage, read);
    EXPECT_TRUE(storage.stat(key));
}

TEST(BackupSet, DoesNotTakeTheIndexOfAnotherBackup) {
    MemoryStorage storage;
    BackupSetDescription description = writeSet(storage, 1);
    openBlocks(storage, description);
    description.index_checksum ^= 1;
    EXPECT_THROW(openBlocks(storage, description), Error);
    EXPECT_THROW(finishBackupSet(storage, description), Error);
}

TEST(BackupSet, IsNotTakenForDamagedWhileTheStorageDoesNotAnswer) {
    MemoryStorage inner;
    finishBackupSet(inner, writeSet(inner, 1));
    FaultyStorage storage(inner, {{.on = FaultRule::Operation::Get}}, 1);
    EXPECT_THROW(listBackupSets(storage), Error);
}

}  // namespace
}  // namespace tidemark::backup_set
