#include "storage/destination.h"

#include <gmock/gmock.h>
#include <sys/mount.h>

#include <fstream>
#include <functional>
#include <random>

#include "base/file.h"
#include "oceanbase/ob_error.h"
#include "storage/file_storage.h"
#include "storage/open_storage.h"
#include "testing/mariadb_server.h"
#include "testing/newer_document.h"

namespace tidemark::storage {
namespace {

namespace fs = std::filesystem;

const DestinationIdentity kAcme{
    .cluster_name = "obcluster", .cluster_id = 7, .tenant_name = "acme", .tenant_id = 1002, .dest_id = 1001};

class DestinationTest : public ::testing::Test {
protected:
    Destination open(const DestinationIdentity& identity = kAcme, DestinationKind kind = DestinationKind::Data) {
        return openDestination(uri(), identity, kind, clock_);
    }
    std::string uri() const { return "file://" + path_.string(); }

    /// The OceanBase number of the error, or 0 if it has none.
    template <typename Work>
    int failure(Work work) {
        try {
            work();
        } catch (const Error& error) {
            text_ = error.what();
            EXPECT_FALSE(error.hint().empty()) << text_;
            return error.sql() ? error.sql()->number : 0;
        }
        ADD_FAILURE() << "no Error was thrown";
        return 0;
    }

    testing::TemporaryDirectory directory_;
    fs::path path_ = directory_.path() / "dest";
    ManualClock clock_{1'800'000'000 * kSecond};
    std::string text_;
};

TEST_F(DestinationTest, IsMadeOnceAndFoundAgain) {
    const Destination made = open();
    EXPECT_TRUE(made.created);
    EXPECT_EQ(made.uri, uri());
    DestinationIdentity renamed = kAcme;
    renamed.tenant_name = "acme2";
    renamed.dest_id = 1009;
    const Destination found = open(renamed);
    EXPECT_FALSE(found.created);
    EXPECT_EQ(found.marker.identity.dest_id, 1001U) << "a destination keeps its id";
    EXPECT_EQ(found.marker.identity.tenant_name, "acme");
    EXPECT_EQ(found.marker.path, uri());
    const Destination read = readDestination(uri() + "//");
    EXPECT_EQ(read.uri, uri());
    EXPECT_EQ(read.marker.identity.cluster_id, 7U);
    EXPECT_EQ(read.marker.kind, DestinationKind::Data);
}

TEST_F(DestinationTest, RemovesNothingToFindOutWhetherWritingWorks) {
    const Destination made = open();
    const auto marked = made.storage->list("");
    ASSERT_EQ(marked.size(), 2U);
    EXPECT_THAT(marked[0].key, ::testing::MatchesRegex("check_file/1002_connect_file_.*\\.obbak"));
    requireDestination(uri(), kAcme, DestinationKind::Data);
    open();  // in the same second
    EXPECT_EQ(made.storage->list("").size(), 2U);
    clock_.advance(kSecond);
    open();
    EXPECT_EQ(made.storage->list("").size(), 3U);
}

TEST_F(DestinationTest, LeavesNothingThatACrashedDaemonWasWriting) {
    const auto leave = [&](const fs::path& directory) {
        fs::create_directories(directory);
        std::ofstream(directory / ".unfinished-marker.obbak-1") << "half";
    };
    const auto left = [&] {
        std::vector<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(path_))
            names.push_back(entry.path().filename());
        return names;
    };
    leave(path_);
    leave(path_ / "check_file");
    open();
    EXPECT_THAT(left(), ::testing::Each(::testing::Not(::testing::StartsWith(".unfinished"))));
}

TEST_F(DestinationTest, RefusesAnyoneElses) {
    open();
    for (const auto& change : std::vector<std::function<void(DestinationIdentity&)>>{
             [](auto& id) { id.tenant_id = 1004; }, [](auto& id) { id.cluster_id = 8; },
             [](auto& id) { id.cluster_name = "other"; }}) {
        DestinationIdentity other = kAcme;
        change(other);
        EXPECT_EQ(failure([&] { open(other); }), static_cast<int>(Ob::FormatFileNotMatch)) << text_;
    }
    EXPECT_EQ(failure([&] { open(kAcme, DestinationKind::Archive); }), static_cast<int>(Ob::FormatFileNotMatch));
    EXPECT_NE(text_.find("backup_data"), std::string::npos) << text_;
}

TEST_F(DestinationTest, RefusesADirectoryInUse) {
    fs::create_directory(path_);
    std::ofstream(path_ / "somebody's file") << "x";
    EXPECT_EQ(failure([&] { open(); }), static_cast<int>(Ob::FormatFileNotExist)) << text_;
    EXPECT_EQ(failure([&] { readDestination(uri()); }), static_cast<int>(Ob::FormatFileNotExist)) << text_;
    EXPECT_FALSE(fs::exists(path_ / kMarkerKey));
}

TEST_F(DestinationTest, IsNotMadeByWorkThatExpectsIt) {
    fs::create_directory(path_);
    EXPECT_EQ(failure([&] { requireDestination(uri(), kAcme, DestinationKind::Data); }),
              static_cast<int>(Ob::FormatFileNotExist));
    fs::remove(path_);
    EXPECT_EQ(failure([&] { requireDestination(uri(), kAcme, DestinationKind::Data); }),
              static_cast<int>(Ob::BackupDestNotConnect));
    EXPECT_EQ(failure([&] { readDestination(uri()); }), static_cast<int>(Ob::BackupDestNotConnect));
    EXPECT_FALSE(fs::exists(path_));
}

TEST_F(DestinationTest, SaysWhatIsWrongWithThePlace) {
    path_ = directory_.path() / "missing/dest";
    EXPECT_EQ(failure([&] { open(); }), static_cast<int>(Ob::BackupDestNotConnect)) << text_;
    path_ = directory_.path() / "file";
    std::ofstream(path_) << "x";
    EXPECT_EQ(failure([&] { open(); }), static_cast<int>(Ob::BackupDestNotConnect)) << text_;
    EXPECT_NE(text_.find("is a file"), std::string::npos) << text_;
    path_ = directory_.path() / "file/below";
    EXPECT_EQ(failure([&] { open(); }), static_cast<int>(Ob::BackupDestNotConnect)) << text_;
}

TEST_F(DestinationTest, SaysThatAPlaceIsReadOnlyOrFull) {
    fs::create_directory(path_);
    for (const auto& [options, expected] : {std::pair{"size=1m,ro", Ob::BackupPermissionDenied},
                                            std::pair{"size=4k,nr_inodes=1", Ob::DeviceOutOfSpace}}) {
        if (mount("tmpfs", path_.c_str(), "tmpfs", 0, options) != 0) GTEST_SKIP() << "mounting needs root";
        EXPECT_EQ(failure([&] { open(); }), static_cast<int>(expected)) << text_;
        umount(path_.c_str());
    }
}

TEST_F(DestinationTest, TellsWorkThatAPlaceHasBecomeReadOnly) {
    fs::create_directory(path_);
    if (mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "mounting needs root";
    open();
    mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, "size=1m");
    EXPECT_EQ(failure([&] { requireDestination(uri(), kAcme, DestinationKind::Data); }),
              static_cast<int>(Ob::BackupPermissionDenied))
        << text_;
    umount(path_.c_str());
}

TEST_F(DestinationTest, RefusesWhatIsNoUri) {
    for (const char* bad : {"", "file://", "/data/backup", "file:data", "file://data/backup", "http://x/y",
                            "file:///data/?x=1", "file:///data/a,b", "file:///data/../etc", "file:///data/it's"}) {
        EXPECT_EQ(failure([&] { openStorage(bad); }), static_cast<int>(Ob::InvalidBackupDest)) << bad;
    }
    EXPECT_EQ(failure([&] { openStorage("s3://bucket/prefix?host=h&access_id=i&access_key=k"); }), 1235);
    EXPECT_EQ(text_.find("access"), std::string::npos) << "no secret in an error";
    EXPECT_EQ(plainUri("file:///data//nfs/./backup/"), "file:///data/nfs/backup");
}

TEST_F(DestinationTest, HasAMarkerThatMayGrow) {
    open();
    FileStorage storage(path_);
    testing::makeNewer(storage, kMarkerKey, true);
    EXPECT_EQ(readDestination(uri()).marker.identity.tenant_name, "acme");
    EXPECT_FALSE(open().created);
    testing::makeNewer(storage, kMarkerKey, false);
    try {
        open();
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.hint(), "update Tidemark on this node") << error.what();
    }
}

TEST_F(DestinationTest, NoticesADamagedMarker) {
    open();
    const std::string good = *readFile(path_ / kMarkerKey);
    const auto seed = std::random_device()();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    for (int round = 0; round < 2000; ++round) {
        std::string bad = good;
        if (round % 2 == 0)
            bad[random() % bad.size()] ^= static_cast<char>(1U << (random() % 8));
        else
            bad.resize(random() % bad.size());
        std::ofstream(path_ / kMarkerKey, std::ios::trunc) << bad;
        try {
            readDestination(uri());
            ADD_FAILURE() << bad;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt) << error.what();
            EXPECT_NE(std::string(error.what()).find(kMarkerKey), std::string::npos) << error.what();
        }
    }
}

}  // namespace
}  // namespace tidemark::storage
