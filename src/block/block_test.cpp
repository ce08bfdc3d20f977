#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "block/block_reader.h"
#include "block/block_writer.h"
#include "block/index_format.h"
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

/// Reads every file of a set back, block by block.
std::map<std::string, Bytes> readAll(storage::Storage& storage) {
    const BlockReader reader(storage, kDirectory, kSet);
    MemoryBudget budget;
    MemoryShare memory(budget, {.minimum = 1, .most = 1});
    const Buffer buffer = memory.take();
    Codec codec;
    std::map<std::string, Bytes> files;
    for (const StoredFile& file : reader.index().files())
        files[file.path].resize(file.size);
    for (const BlockEntry& block : reader.index().blocks()) {
        reader.read(block, buffer);
        const ByteView content = reader.decode(block, buffer, codec);
        Bytes& file = files.at(reader.index().file(block.id.file)->path);
        std::copy(content.begin(), content.end(),
                  file.begin() + static_cast<std::ptrdiff_t>(block.id.number * kMacroBlockSize));
    }
    return files;
}

class BlockTest : public ::testing::Test {
protected:
    ~BlockTest() override {
        if (HasFailure()) ADD_FAILURE() << "seed " << seed_;
    }

    BlockWriterOptions options() const { return {.directory = kDirectory, .set_id = kSet, .data_file_size = 3 << 20}; }

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
    EXPECT_EQ(result_.index_checksum, xxh3(storage.getAll(kDirectory + kRangeIndexName)));
    BlockReader(storage, kDirectory, kSet).checkObjects();
}

TEST_F(BlockTest, LeadsFromFileAndPageStraightToItsBytes) {
    MemoryStorage storage;
    const auto files = writeSample(storage);
    const BlockReader reader(storage, kDirectory, kSet);
    FrameDecoder decoder;
    Bytes frame(kFrameSize);
    for (const StoredFile& file : reader.index().files()) {
        const Bytes& content = files.at(file.path);
        for (std::size_t page = 0; page < partsOf(content.size(), kPageSize); ++page) {
            const auto number = static_cast<std::uint32_t>(page / kPagesPerBlock);
            const BlockEntry* block = reader.index().block({file.number, number});
            ASSERT_NE(block, nullptr);
            const ByteView expected =
                ByteView(content).subspan(page * kPageSize, std::min(kPageSize, content.size() - page * kPageSize));
            const std::size_t number_of_frame = page % kPagesPerBlock * kPageSize / kFrameSize;
            const auto frames = block->frames.begin();
            const std::uint64_t at =
                std::accumulate(frames, frames + static_cast<std::ptrdiff_t>(number_of_frame), block->offset);
            const auto plain =
                std::span(frame).first(std::min(kFrameSize, block->plain_size - number_of_frame * kFrameSize));
            const Bytes stored =
                storage.get(kDirectory + dataFileName(block->data_file), at, block->frames[number_of_frame]);
            ASSERT_EQ(decoder.decode(stored, {kSet, block->id, static_cast<std::uint32_t>(number_of_frame)}, plain),
                      "");
            const auto got = plain.subspan(page * kPageSize % kFrameSize, expected.size());
            ASSERT_TRUE(std::equal(got.begin(), got.end(), expected.begin(), expected.end())) << file.path << page;
            ASSERT_EQ(reader.pageHashes(*block)[page % kPagesPerBlock], xxh3(expected));
        }
    }
    EXPECT_EQ(reader.index().block({999, 0}), nullptr);
    EXPECT_EQ(reader.index().file("db/none"), nullptr);
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

TEST_F(BlockTest, WakesACallerThatWaitsElsewhere) {
    MemoryStorage inner;
    FaultyStorage storage(inner, {{.on = FaultRule::Operation::Append, .key_part = "data."}}, seed_);
    std::stop_source abort;
    BlockWriter writer(storage, lane_, options(), progress_, abort);
    const FileNumber file = writer.beginFile("a");
    writer.add(file, 0, Bytes(10));
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
            const BlockReader reader(bad, kDirectory, kSet);
            readAll(bad);
            for (const BlockEntry& block : reader.index().blocks())
                reader.pageHashes(block);
            // The head of the meta index is read by nobody yet.
            EXPECT_NE(key.find(kMetaIndexName), storage::Key::npos) << key;
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
        WorkerPool one(1);  // so that blocks are stored in their order
        Lane lane(one);
        BlockWriter writer(good, lane, options(), progress_);
        for (const char* path : {"a", "b"}) {
            const FileNumber file = writer.beginFile(path);
            Bytes content(kPageSize, static_cast<std::uint8_t>(path[0]));
            writer.add(file, 0, content);
            writer.endFile(file);
        }
        writer.finish();
    }
    const BlockReader reader(good, kDirectory, kSet);
    const std::uint64_t size = reader.index().blocks()[0].storedSize();
    ASSERT_EQ(size, reader.index().blocks()[1].storedSize());
    MemoryStorage bad;
    copyWithDamage(good, bad, kDirectory + dataFileName(0), [&](Bytes content) {
        std::rotate(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size), content.end());
        return content;
    });
    EXPECT_THROW(readAll(bad), Error);
}

TEST_F(BlockTest, RefusesTheIndexOfAnotherSet) {
    MemoryStorage storage;
    writeSample(storage);
    EXPECT_THROW(BlockReader(storage, kDirectory, kSet + 1), Error);
}

/// Seals sections anew after a change, so that the change gets past the checksums and meets the checks behind them.
Bytes resealed(Bytes index) {
    std::size_t at = 0;
    while (at + 5 <= index.size()) {
        const std::size_t size = ByteReader(ByteView(index).subspan(at + 1, 4), "test").u32();
        if (size > index.size() - at - 5 || index.size() - at - 5 - size < 8) break;
        ByteWriter checksum;
        checksum.u64(xxh3(ByteView(index).subspan(at, 5 + size)));
        std::copy(checksum.data().begin(), checksum.data().end(),
                  index.begin() + static_cast<std::ptrdiff_t>(at + 5 + size));
        at += 5 + size + 8;
    }
    return index;
}

TEST_F(BlockTest, SurvivesAnyIndexWhoseChecksumsFit) {
    MemoryStorage good;
    writeSample(good);
    const storage::Key key = kDirectory + kRangeIndexName;
    const Bytes index = good.getAll(key);
    int refused = 0;
    for (int round = 0; round < 4000; ++round) {
        Bytes changed = index;
        for (unsigned i = 0; i <= random_() % 4; ++i)
            changed[random_() % changed.size()] = static_cast<std::uint8_t>(random_());
        MemoryStorage bad;
        bad.put(key, resealed(std::move(changed)));
        try {
            BlockIndex::load(bad, kDirectory, kSet);
        } catch (const Error& error) {
            ++refused;
            const bool newer = error.code() == ErrorCode::InvalidRequest;  // as far as its version tells
            EXPECT_TRUE(newer || error.code() == ErrorCode::Corrupt) << error.what();
            EXPECT_NE(std::string(error.what()).find(kRangeIndexName), std::string::npos) << error.what();
        }
    }
    EXPECT_GT(refused, 2000);
}

/// Writes an index of one file with two blocks in two data files, and reads it, each with its own limits.
void writeAndLoad(const IndexLimits& writers, const IndexLimits& readers) {
    MemoryStorage storage;
    IndexWriter writer(storage, kDirectory, kSet, writers);
    for (const std::uint32_t number : {0U, 1U})
        writer.add({.id = {0, number}, .data_file = number, .plain_size = kMacroBlockSize, .offset = 0, .frames = {9}});
    writer.finish({{0, "d/t.ibd", 2 * kMacroBlockSize}, {1, "d/u.ibd", 0}}, {10, 10},
                  kMetaHead + 2 * (kPagesPerBlock * kPageHashSize + kMetaChecksum));
    EXPECT_EQ(BlockIndex::load(storage, kDirectory, kSet, readers).blocks().size(), 2U);
}

TEST_F(BlockTest, HasAnIndexOfLimitedSizeWhoeverWroteIt) {
    const IndexLimits enough{.blocks = 2, .files = 2, .data_files = 2};
    writeAndLoad(enough, enough);
    for (const IndexLimits& less : {IndexLimits{.blocks = 1}, {.files = 1}, {.data_files = 1}}) {
        const auto codeOf = [](const IndexLimits& writers, const IndexLimits& readers) {
            try {
                writeAndLoad(writers, readers);
            } catch (const Error& error) {
                return error.code();
            }
            return ErrorCode::Internal;
        };
        EXPECT_EQ(codeOf(less, enough), ErrorCode::Conflict);
        EXPECT_EQ(codeOf(enough, less), ErrorCode::Corrupt);
    }
}

TEST_F(BlockTest, SaysThatItsIndexIsOfANewerVersion) {
    MemoryStorage good;
    writeSample(good);
    const storage::Key key = kDirectory + kRangeIndexName;
    Bytes index = good.getAll(key);
    ++index[kSectionHead + kIndexMagic.size()];
    MemoryStorage newer;
    newer.put(key, resealed(std::move(index)));
    try {
        BlockIndex::load(newer, kDirectory, kSet);
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::InvalidRequest) << error.what();
        EXPECT_NE(error.hint().find("update Tidemark on this node"), std::string::npos) << error.hint();
    }
}

}  // namespace
}  // namespace tidemark::block
