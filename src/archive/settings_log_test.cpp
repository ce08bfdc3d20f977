#include <gmock/gmock.h>

#include "archive/archive_reader.h"
#include "storage/memory_storage.h"
#include "testing/archived_server.h"

namespace tidemark::archive {
namespace {

using testing::ArchivedServer;

SettingsRecord record(Scn scn, const std::string& gtid, const std::string& mode) {
    return {{1001, 1}, scn, mysql::GtidPosition::parse(gtid), {{"sql_mode", mode}}};
}

TEST(ArchiveSettings, StandBetweenTheTransactionsThatTheyCameBetween) {
    storage::MemoryStorage storage;
    ArchivedServer source(storage);
    source.startArchiver();
    const RoundKey round = ArchiveReader(storage).rounds().at(0).start.key;
    const auto start = ArchiveReader(storage).rounds().at(0).start;
    EXPECT_TRUE(ArchiveReader(storage).settings(round).empty()) << "as in an archive of an older version";
    source.server.connect().script("CREATE DATABASE d; CREATE TABLE d.t (a INT); DROP TABLE d.t");
    source.awaitArchived();
    source.stopArchiver();
    std::vector<Scn> scns;
    ArchiveReader(storage).transactions(0, kScnUnlimited, [&](const TransactionEntry& entry) {
        scns.push_back(entry.scn);
        return true;
    });
    ASSERT_EQ(scns.size(), 3U);

    putRecord(storage, record(start.scn, start.position.text(), "first"));
    putRecord(storage, record(start.scn, start.position.text(), "written twice"));
    // It came behind the second transaction, which arrived later than that.
    putRecord(storage, record(scns[1] - 1, "1002-101-2", "second"));
    putRecord(storage, record(scns[2] + 9, "", "place not known"));
    putRecord(storage, record(scns[2] + 10, "1002-101-4", "not archived yet"));
    const auto settings = ArchiveReader(storage).settings(round);
    ASSERT_EQ(settings.size(), 3U);
    EXPECT_EQ(settings[0].settings.at("sql_mode"), "first");
    EXPECT_EQ(settings[0].from, start.scn);
    EXPECT_EQ(settings[1].settings.at("sql_mode"), "second");
    EXPECT_EQ(settings[1].from, scns[1]);
    EXPECT_EQ(settings[1].after, scns[1]);
    EXPECT_EQ(settings[2].from, scns[2] + 9);
    EXPECT_EQ(settings[2].after, scns[1]);
}

TEST(ArchiveSettings, NameTheObjectThatIsDamaged) {
    storage::MemoryStorage storage;
    storage.put(settingsKey({1001, 1}, 5), viewOf("nonsense"));
    try {
        readSettings(storage, {1001, 1});
        FAIL() << "taken";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
        EXPECT_THAT(error.what(), ::testing::HasSubstr("settings/round_d1001r1_5.obarc"));
    }
}

}  // namespace
}  // namespace tidemark::archive
