#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/error.h"
#include "base/hash.h"
#include "block/block_writer.h"
#include "block/frame_table.h"
#include "block/read_files.h"
#include "block/worker_pool.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"

namespace tidemark::block {
namespace {

using storage::FaultRule;
using storage::FaultyStorage;
using storage::MemoryStorage;

const storage::Key kDirectory = "backup_set_1_full/blocks/";
constexpr std::uint32_t kSet = 1;

Bytes randomContent(std::mt19937& random, std::size_t size) {
    Bytes bytes(size);
    // Half of it compresses, as tables do.
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::uint8_t>(i % 64 < 32 ? random() : i >> 12);
    return bytes;
}

/// Reads everything that there is of a set.
std::map<std::string, Bytes> readAll(storage::Storage& storage) {
    const BlockReader reader(storage, kDirectory, kSet);
    for (const auto& object : reader.index().layers().front().objects)
        readFrameTable(storage, kDirectory + dataFileName(object.number), object.number, [](const FrameRecord&) {});
    const storage::Key index = kDirectory + kRangeIndexName;
    decodeHead(kIndexObject, storage.get(index, 0, kHeadSize), 0, reader.index().name());
    return readFiles(storage, kDirectory, kSet);
}

class BlockTest : public ::testing::Test {
protected:
    ~BlockTest() override {
        if (HasFailure()) ADD_FAILURE() << "seed " << seed_;
    }

    BlockWriterOptions options() const { return {.directory = kDirectory, .set_id = kSet, .data_file_size = 1 << 20}; }

    /// A set of files of sizes around every border, sent interleaved in pieces of any size.
    std::map<std::string, Bytes> writeSample(storage::Storage& storage) {
        std::map<std::string, Bytes> files;
        for (const std::size_t size :
             {std::size_t{0}, std::size_t{1}, kPageSize, kPageSize + 1, kFrameSize - 1, kFrameSize, kMacroBlockSize - 1,
              kMacroBlockSize, kMacroBlockSize + 1, 2 * kMacroBlockSize, 5 * kMacroBlockSize + 12345}) {
            files["db/t" + std::to_string(size) + ".ibd"] = randomContent(random_, size);
        }
        BlockWriter writer(storage, lane_, options(), progress_);
        std::map<std::string, std::pair<FileNumber, std::size_t>> open;
        for (auto next = files.begin(); next != files.end() || !open.empty();) {
            for (; next != files.end() && open.size() < BlockWriter::kMostOpenBlocks / 2; ++next)
                open[next->first] = {writer.beginFile(next->first), 0};
            auto at = open.begin();
            std::advance(at, random_() % open.size());
            auto& [number, done] = at->second;
            const Bytes& content = files[at->first];
            const std::size_t size = std::min<std::size_t>(content.size() - done, random_() % (3 << 20));
            writer.add(number, done, ByteView(content).subspan(done, size));
            done += size;
            if (done < content.size()) continue;
            writer.endFile(number);
            open.erase(at);
        }
        result_ = writer.finish();
        return files;
    }

    const unsigned seed_ = std::random_device()();
    std::mt19937 random_{seed_};
    WorkerPool pool_{3};
    Lane lane_{pool_};
    BlockProgress progress_;
    BlockWriterResult result_;
};

TEST_F(BlockTest, GivesBackEveryByteOfFilesSentInterleaved) {
    MemoryStorage storage;
    const auto files = writeSample(storage);
    EXPECT_TRUE(readAll(storage) == files);

    std::uint64_t bytes = 0;
    std::uint64_t blocks = 0;
    for (const auto& [path, content] : files) {
        bytes += content.size();
        blocks += partsOf(content.size(), kMacroBlockSize);
    }
    EXPECT_EQ(result_.files, files.size());
    EXPECT_EQ(result_.plain_bytes, bytes);
    EXPECT_EQ(result_.blocks, blocks);
    EXPECT_EQ(progress_.plain_bytes, bytes);
    EXPECT_EQ(progress_.blocks, blocks);
    EXPECT_LE(progress_.stored_bytes, result_.stored_bytes);
    std::uint64_t stored = 0;
    for (const storage::ObjectInfo& object : storage.list(""))
        stored += object.size;
    EXPECT_EQ(result_.stored_bytes, stored);
    EXPECT_EQ(result_.objects.size(), storage.list("").size());
    EXPECT_GT(result_.objects.size(), 5U) << "data files are cut";
    const BlockReader reader(storage, kDirectory, kSet);
    EXPECT_EQ(result_.index_checksum, reader.index().checksum());
    reader.checkObjects();
    EXPECT_EQ(reader.index().totals().files, files.size());
    EXPECT_EQ(reader.index().totals().bytes, bytes);
}

TEST_F(BlockTest, LeadsFromFileAndPageStraightToItsBytes) {
    MemoryStorage storage;
    const auto files = writeSample(storage);
    const SetIndex index(storage, kDirectory + kRangeIndexName, kSet);
    FrameDecoder decoder;
    for (const auto& [path, content] : files) {
        const auto maps = index.find(path);
        ASSERT_EQ(maps.size(), 1U) << path;
        Bytes found(content.size());
        auto hash = maps.front().hashes.begin();
        for (const PageRun& run : maps.front().runs) {
            const auto to = found.begin() + static_cast<std::ptrdiff_t>(run.first_page * kPageSize);
            if (!run.frame) continue;
            const FramePlace& place = maps.front().frames.at(*run.frame);
            Bytes frame(place.plain);
            const Bytes stored = storage.get(kDirectory + dataFileName(place.object), place.offset, place.stored);
            const PartId id{PartKind::Frame, index.layers().at(place.layer).id.id, place.number};
            ASSERT_EQ(decoder.decode(stored, id, frame), "");
            std::copy_n(frame.begin() + run.offset, maps.front().bytesOf(run), to);
            for (std::uint32_t page = run.first_page; page < run.first_page + run.pages; ++page) {
                const std::size_t at = std::size_t{page} * kPageSize;
                const ByteView expected = ByteView(content).subspan(at, std::min(kPageSize, content.size() - at));
                ASSERT_EQ(*hash++, xxh3(expected)) << path << " page " << page;
            }
        }
        EXPECT_TRUE(found == content) << path;
        EXPECT_EQ(hash, maps.front().hashes.end());
    }
    EXPECT_TRUE(index.find("db/none").empty());
    EXPECT_TRUE(index.find("").empty());
    EXPECT_TRUE(index.find("zz").empty());
}

TEST_F(BlockTest, PacksWhatIsLeftOfManySmallFiles) {
    MemoryStorage storage;
    std::map<std::string, Bytes> files;
    BlockWriter writer(storage, lane_, options(), progress_);
    for (int i = 0; i < 600; ++i) {
        for (const auto& [path, size] : {std::pair{"d/t" + std::to_string(i) + ".ibd", 6 * kPageSize},
                                         std::pair{"d/t" + std::to_string(i) + ".frm", std::size_t{900}}}) {
            files[path] = randomContent(random_, size);
            const FileNumber number = writer.beginFile(path);
            writer.add(number, 0, files[path]);
            writer.endFile(number);
        }
    }
    writer.finish();
    EXPECT_TRUE(readAll(storage) == files);
    std::uint64_t frames = 0;
    ReadPlan plan(SetIndex(storage, kDirectory + kRangeIndexName, kSet), {});
    for (auto read = plan.next(); !read.empty(); read = plan.next())
        frames += read.size();
    EXPECT_EQ(frames, 600U * 6 / kPagesPerFrame + partsOf(600 * 900, kFrameSize));
}

TEST_F(BlockTest, StoresNoZeros) {
    MemoryStorage storage;
    std::map<std::string, Bytes> files;
    for (const std::size_t size : {kPageSize, 9 * kMacroBlockSize + 100, std::size_t{7}})
        files["d/zeros" + std::to_string(size)] = Bytes(size);
    Bytes& mixed = files["d/mixed"];
    mixed = randomContent(random_, 5 * kMacroBlockSize + 5000);
    for (std::size_t page = 0; page < mixed.size() / kPageSize; ++page) {
        if (random_() % 3 == 0)
            std::fill_n(mixed.begin() + static_cast<std::ptrdiff_t>(page * kPageSize), kPageSize, 0);
    }
    BlockWriter writer(storage, lane_, options(), progress_);
    for (const auto& [path, content] : files) {
        const FileNumber number = writer.beginFile(path);
        writer.add(number, 0, content);
        writer.endFile(number);
    }
    result_ = writer.finish();
    EXPECT_TRUE(readAll(storage) == files);
    EXPECT_LT(result_.stored_bytes, mixed.size());
    EXPECT_EQ(SetIndex(storage, kDirectory + kRangeIndexName, kSet).find("d/zeros7").at(0).frames.size(), 0U);
}

TEST_F(BlockTest, FollowsFilesThatAreRenamedRemovedAndReplaced) {
    MemoryStorage storage;
    BlockWriter writer(storage, lane_, options(), progress_);
    const auto send = [&](const std::string& path, std::string_view content, bool replaces = false) {
        const FileNumber number = writer.beginFile(path, replaces);
        writer.add(number, 0, viewOf(content));
        writer.endFile(number);
    };
    send("a/kept", "1");
    send("a/removed", "2");
    send("a/renamed", "3");
    send("a/taken", "4");
    send("a/replaced", "old");
    writer.removeFile("a/removed");
    writer.renameFile("a/renamed", "a/taken");
    writer.renameFile("a/kept", "a/kept");
    send("a/replaced", "new", true);
    send("a/renamed", "5");
    const FileNumber header = writer.beginFile("aria_log.00000001");
    Bytes log(3 * kMacroBlockSize, 7);
    writer.add(header, 0, log);
    writer.add(header, 20, viewOf("lsn"));
    writer.endFile(header);
    std::copy_n("lsn", 3, log.begin() + 20);
    for (const char* path :
         {"dropped/db.opt", "dropped/t.MAD", "dropped2/t", "p/t#P#p0.MYD", "p/t#P#p1.MYD", "p/tt.MYD"}) {
        send(path, "6");
    }
    writer.removeFile("dropped");
    writer.removeFile("p/t#P#*");
    writer.renameFile("a/none", "b");
    writer.removeFile("a/none");
    writer.finish();

    const auto bytes = [](std::string_view text) { return Bytes(text.begin(), text.end()); };
    const std::map<std::string, Bytes> expected = {
        {"a/kept", bytes("1")},     {"a/taken", bytes("3")},  {"a/replaced", bytes("new")}, {"a/renamed", bytes("5")},
        {"dropped2/t", bytes("6")}, {"p/tt.MYD", bytes("6")}, {"aria_log.00000001", log}};
    EXPECT_TRUE(readAll(storage) == expected);
}

TEST_F(BlockTest, RefusesAStreamThatIsNotInOrder) {
    MemoryStorage storage;
    BlockWriter writer(storage, lane_, options(), progress_);
    const FileNumber file = writer.beginFile("a");
    writer.add(file, 0, Bytes(5 * kMacroBlockSize));
    const auto refused = [&](auto work) {
        try {
            work();
        } catch (const Error& error) {
            return error.code() == ErrorCode::Corrupt;
        }
        return false;
    };
    EXPECT_TRUE(refused([&] { writer.beginFile("a"); }));
    EXPECT_TRUE(refused([&] { writer.beginFile("a", true); })) << "it has not ended";
    EXPECT_TRUE(refused([&] { writer.renameFile("a", "b"); }));
    EXPECT_TRUE(refused([&] { writer.removeFile("a"); }));
    EXPECT_TRUE(refused([&] { writer.reserve(file, 5 * kMacroBlockSize + 1); })) << "a gap";
    EXPECT_TRUE(refused([&] { writer.reserve(file, 2 * kMacroBlockSize); })) << "stored already";
    EXPECT_TRUE(refused([&] { writer.reserve(file, ~0ULL); }));
    for (const char* path : {"", "/etc/passwd", "../a", "a/../../b", "a//b", "./a", "a/"}) {
        EXPECT_TRUE(refused([&] { writer.beginFile(path); })) << path;
    }
    EXPECT_THROW(writer.finish(), Error) << "a file has not ended";
    EXPECT_FALSE(storage.stat(kDirectory + kRangeIndexName));
}

TEST_F(BlockTest, LimitsTheBlocksThatAreOpenAtOnce) {
    MemoryStorage storage;
    BlockWriter writer(storage, lane_, options(), progress_);
    const auto add = [&](const std::string& path) {
        const FileNumber file = writer.beginFile(path);
        writer.add(file, 0, Bytes(1));
        return file;
    };
    const FileNumber first = add("first");
    for (std::size_t i = 1; i < BlockWriter::kMostOpenBlocks; ++i)
        add("f" + std::to_string(i));
    EXPECT_THROW(add("one more"), Error);
    writer.endFile(first);
    add("one instead");
}

TEST_F(BlockTest, StopsEverythingWhenTheStorageFails) {
    for (const auto operation :
         {FaultRule::Operation::Create, FaultRule::Operation::Append, FaultRule::Operation::Finish}) {
        for (const std::uint64_t after : {0, 2, 4}) {
            MemoryStorage inner;
            FaultyStorage storage(inner, {{.on = operation, .after = after, .error = ErrorCode::NoSpace}}, seed_);
            std::stop_source abort;
            ErrorCode code = ErrorCode::Internal;
            try {
                BlockWriter writer(storage, lane_, options(), progress_, abort);
                const FileNumber file = writer.beginFile("a");
                for (std::uint64_t at = 0; at < 64 * kMacroBlockSize; at += kMacroBlockSize) {
                    writer.add(file, at, randomContent(random_, kMacroBlockSize));
                }
                writer.endFile(file);
                writer.finish();
            } catch (const Error& error) {
                code = error.code();
            }
            EXPECT_EQ(code, ErrorCode::NoSpace);
            EXPECT_FALSE(inner.stat(kDirectory + kRangeIndexName));
        }
    }
}

TEST_F(BlockTest, TellsWhatFailsAtItsVeryEnd) {
    for (const char* object : {"data.0", kRangeIndexName}) {
        for (const auto operation :
             {FaultRule::Operation::Create, FaultRule::Operation::Append, FaultRule::Operation::Finish}) {
            MemoryStorage inner;
            FaultyStorage storage(inner, {{.on = operation, .key_part = object, .error = ErrorCode::NoSpace}}, seed_);
            BlockWriter writer(storage, lane_, options(), progress_);
            const FileNumber file = writer.beginFile("a");
            writer.add(file, 0, Bytes(1, 1));
            writer.endFile(file);
            EXPECT_THROW(writer.finish(), Error) << object;
        }
    }
}

TEST_F(BlockTest, WakesACallerThatWaitsElsewhere) {
    MemoryStorage inner;
    FaultyStorage storage(inner, {{.on = FaultRule::Operation::Append, .key_part = "data."}}, seed_);
    std::stop_source abort;
    BlockWriter writer(storage, lane_, options(), progress_, abort);
    const FileNumber file = writer.beginFile("a");
    writer.add(file, 0, Bytes(kFrameSize, 1));
    writer.endFile(file);
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    EXPECT_TRUE(
        changed.wait_for(lock, abort.get_token(), std::chrono::seconds(30), [&] { return abort.stop_requested(); }));
    EXPECT_THROW(writer.rethrowFailure(), Error);
}

TEST_F(BlockTest, LeavesNoIndexWhenItIsGivenUp) {
    MemoryStorage storage;
    std::stop_source abort;
    {
        BlockWriter writer(storage, lane_, options(), progress_, abort);
        const FileNumber file = writer.beginFile("a");
        writer.add(file, 0, randomContent(random_, 40 * kMacroBlockSize));
    }
    EXPECT_FALSE(storage.stat(kDirectory + kRangeIndexName));
}

/// Copies all objects of a storage into a fresh one, but for one that `change` may alter or leave out (nullopt).
void copyWithDamage(storage::Storage& from, storage::Storage& to, const storage::Key& damaged,
                    const std::function<std::optional<Bytes>(Bytes)>& change) {
    for (const storage::ObjectInfo& object : from.list("")) {
        std::optional<Bytes> content = from.getAll(object.key);
        if (object.key == damaged) content = change(std::move(*content));
        if (content) to.put(object.key, *content);
    }
}

TEST_F(BlockTest, NoticesAnyFlippedBitAndNamesTheObject) {
    MemoryStorage good;
    writeSample(good);
    const auto objects = good.list("");
    for (int round = 0; round < 60; ++round) {
        const storage::Key key = objects[random_() % objects.size()].key;
        MemoryStorage bad;
        copyWithDamage(good, bad, key, [&](Bytes content) {
            content[random_() % content.size()] ^= static_cast<std::uint8_t>(1U << (random_() % 8));
            return content;
        });
        try {
            readAll(bad);
            ADD_FAILURE() << key;
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Corrupt);
            EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << key << ": " << error.what();
        }
    }
}

TEST_F(BlockTest, NoticesCutAndMissingObjects) {
    MemoryStorage good;
    writeSample(good);
    for (const storage::ObjectInfo& object : good.list("")) {
        for (const bool missing : {true, false}) {
            MemoryStorage bad;
            copyWithDamage(good, bad, object.key, [&](Bytes content) -> std::optional<Bytes> {
                if (missing) return std::nullopt;
                content.resize(random_() % content.size());
                return content;
            });
            try {
                BlockReader(bad, kDirectory, kSet).checkObjects();
                ADD_FAILURE() << object.key << " missing " << missing;
            } catch (const Error& error) {
                EXPECT_EQ(error.code(), missing ? ErrorCode::NotFound : ErrorCode::Corrupt) << error.what();
                EXPECT_NE(std::string(error.what()).find(object.key), std::string::npos) << error.what();
            }
        }
    }
}

TEST_F(BlockTest, NoticesFramesThatChangedPlaces) {
    MemoryStorage good;
    {
        BlockWriter writer(good, lane_, options(), progress_);
        const FileNumber file = writer.beginFile("a");
        writer.add(file, 0, Bytes(kFrameSize, 'a'));
        writer.add(file, kFrameSize, Bytes(kFrameSize, 'b'));
        writer.endFile(file);
        writer.finish();
    }
    const auto frames = SetIndex(good, kDirectory + kRangeIndexName, kSet).find("a").at(0).frames;
    ASSERT_EQ(frames.size(), 2U);
    ASSERT_EQ(frames[0].stored, frames[1].stored);
    MemoryStorage bad;
    copyWithDamage(good, bad, kDirectory + dataFileName(0), [&](Bytes content) {
        std::swap_ranges(content.begin() + static_cast<std::ptrdiff_t>(frames[0].offset),
                         content.begin() + static_cast<std::ptrdiff_t>(frames[0].offset + frames[0].stored),
                         content.begin() + static_cast<std::ptrdiff_t>(frames[1].offset));
        return content;
    });
    EXPECT_THROW(readAll(bad), Error);
}

TEST_F(BlockTest, RefusesTheIndexOfAnotherSet) {
    MemoryStorage storage;
    writeSample(storage);
    EXPECT_THROW(BlockReader(storage, kDirectory, kSet + 1), Error);
}

}  // namespace
}  // namespace tidemark::block
