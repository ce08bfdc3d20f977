#include "base/error.h"
#include "block/block_fixture.h"
#include "storage/faulty_storage.h"
#include "storage/memory_storage.h"

namespace tidemark::block {
namespace {

using storage::FaultRule;
using storage::FaultyStorage;
using storage::MemoryStorage;

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
