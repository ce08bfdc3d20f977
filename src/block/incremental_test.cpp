#include "block/block_fixture.h"
#include "block/index_rebuild.h"
#include "block/repack.h"
#include "block/scratch_object.h"
#include "storage/faulty_storage.h"
#include "testing/counting_storage.h"

namespace tidemark::block {
namespace {

using storage::MemoryStorage;

/// A data directory that changes, and sets of it, each of which leans on the one before.
class IncrementalTest : public BlockTest {
protected:
    static storage::Key directoryOf(std::uint32_t set) { return "backup_set_" + std::to_string(set) + "/"; }

    std::shared_ptr<const BlockReader> open(std::uint32_t set) {
        return std::make_shared<BlockReader>(storage_, directoryOf(set), set, key_,
                                             [](const IndexLayer& layer) { return directoryOf(layer.id.set); });
    }

    /// Backs up files_ as set number `set`, leaning on `parent`.
    std::shared_ptr<const BlockReader> backUp(std::uint32_t set, std::shared_ptr<const BlockReader> parent = {}) {
        BlockWriter writer(storage_, lane_,
                           {.directory = directoryOf(set),
                            .set_id = set,
                            .data_file_size = 4 << 20,
                            .key = key_,
                            .incremental = parent != nullptr,
                            .parent = parent},
                           progress_);
        for (const auto& [path, content] : files_) {
            const FileNumber number = writer.beginFile(path);
            writer.add(number, 0, content);
            writer.endFile(number);
        }
        result_ = writer.finish();
        expectRebuilt(directoryOf(set));
        return open(set);
    }

    static storage::Key directoryOfLayer(const IndexLayer& layer) { return directoryOf(layer.id.set); }

    /// An index that is lost becomes what it was.
    void expectRebuilt(const storage::Key& directory, const DirectoryOf& directory_of = directoryOfLayer) {
        ScratchObject made({});
        rebuildIndex(storage_, directory, key_, directory_of, {}, made);
        EXPECT_TRUE(made.getAll(directory + kRangeIndexName) == storage_.getAll(directory + kRangeIndexName));
    }

    std::map<std::string, Bytes> read(const BlockReader& reader) {
        MemoryShare memory(pool_.memory(), {.minimum = 1, .most = 1});
        reader.checkObjects();
        return readFiles(reader, memory);
    }

    std::span<std::uint8_t> page(const std::string& path, std::size_t number) {
        Bytes& file = files_.at(path);
        return std::span(file).subspan(number * kPageSize, std::min(kPageSize, file.size() - number * kPageSize));
    }
    void change(const std::string& path, std::size_t number) {
        const Bytes content = randomContent(random_, page(path, number).size());
        std::copy(content.begin(), content.end(), page(path, number).begin());
    }
    static std::size_t pagesOf(const Bytes& file) { return partsOf(file.size(), kPageSize); }
    /// Returns the bytes of the pages that became others.
    std::uint64_t changeShare(double share) {
        std::uint64_t changed = 0;
        std::bernoulli_distribution does(share);
        for (const auto& [path, content] : files_) {
            for (std::size_t i = 0; i < pagesOf(content); ++i) {
                if (!does(random_)) continue;
                change(path, i);
                changed += page(path, i).size();
            }
        }
        return changed;
    }

    /// Bytes of frames that were stored for the last set.
    std::uint64_t storedFrames(const BlockReader& reader) const {
        std::uint64_t bytes = 0;
        for (const auto& object : reader.index().layers().front().objects)
            bytes += object.size;
        return bytes;
    }

    /// One file of a set, and nothing else.
    Bytes readOne(const BlockReader& reader, const std::string& path) {
        MemoryShare memory(pool_.memory(), {.minimum = 1, .most = 1});
        const Buffer buffer = memory.take();
        Codec codec;
        Bytes content;
        ReadPlan plan(path, {{.number = 0, .path = path}}, {});
        for (const FileMap& map : reader.index().find(path)) {
            content.resize(map.size);
            auto hash = map.hashes.begin();
            for (const PageRun& run : map.runs) {
                if (!run.frame) continue;
                plan.add(map.frames[*run.frame], {.first_page = run.first_page,
                                                  .bytes = static_cast<std::uint32_t>(map.bytesOf(run)),
                                                  .offset = run.offset,
                                                  .hashes = {hash, hash + run.pages}});
                hash += run.pages;
            }
        }
        for (auto frames = plan.next(); !frames.empty(); frames = plan.next()) {
            reader.frames().read(frames, buffer);
            ByteView plain = reader.frames().decode(frames, buffer, codec, plan.files());
            for (const WantedFrame& frame : frames) {
                own_frames_ += frame.place.stored;
                for (const WantedRun& run : frame.runs)
                    std::copy_n(plain.begin() + run.offset, run.bytes,
                                content.begin() + static_cast<std::ptrdiff_t>(run.first_page * kPageSize));
                plain = plain.subspan(frame.place.plain);
            }
        }
        return content;
    }

    testing::CountingStorage storage_;
    std::uint64_t own_frames_ = 0;  ///< bytes, as stored, of those that readOne has read
    ChainKeyPtr key_;
    std::map<std::string, Bytes> files_;
};

TEST_F(IncrementalTest, StoresOnlyPagesThatChanged) {
    files_["ibdata1"] = randomContent(random_, 3 * kMacroBlockSize + 5 * kPageSize);
    files_["d/large.ibd"] = randomContent(random_, 5 * kMacroBlockSize);
    for (int i = 0; i < 40; ++i)
        files_["d/t" + std::to_string(i) + ".ibd"] = randomContent(random_, 6 * kPageSize + i);
    const auto full = backUp(1);

    auto same = backUp(2, full);
    EXPECT_TRUE(read(*same) == files_);
    EXPECT_LT(storedFrames(*same), 10'000U) << "nothing has changed; only where pages lie is told";
    EXPECT_EQ(same->index().layers().at(1).id.set, 1U);

    change("d/large.ibd", 7);
    change("d/large.ibd", 300);
    change("d/t3.ibd", 6);
    const auto changed = backUp(3, same);
    EXPECT_TRUE(read(*changed) == files_);
    std::map<std::pair<FileNumber, std::uint32_t>, std::uint32_t> stored;
    readFrameTable(storage_, directoryOf(3) + dataFileName(0), 0, key_, [&](const FrameRecord& frame) {
        for (const FrameRun& run : frame.runs)
            stored[{run.file, run.first_page}] += run.bytes;
    });
    std::uint64_t bytes = 0;
    for (const auto& [page, size] : stored)
        bytes += size;
    EXPECT_EQ(stored.size(), 3U);
    EXPECT_EQ(bytes, 2 * kPageSize + 3);
    for (const IndexLayer& layer : changed->index().layers())
        EXPECT_EQ(layer.objects.empty(), layer.id.set == 2) << "no page lies in set 2";
}

TEST_F(IncrementalTest, OpensOneFileOfFiveThousandWithLittleReading) {
    for (int i = 0; i < 5000; ++i) {
        Bytes& table = files_["d/t" + std::to_string(i) + ".ibd"];
        table.resize(6 * kPageSize);  // as a table of a few rows is
        for (std::size_t page = 0; page < 4; ++page) {
            const Bytes rows = randomContent(random_, 200);
            std::copy(rows.begin(), rows.end(), table.begin() + static_cast<std::ptrdiff_t>(page * kPageSize));
        }
    }
    const std::string path = "d/t2500.ibd";
    files_[path] = randomContent(random_, 10 << 20);
    const auto full = backUp(1);
    for (int i = 0; i < 20; ++i)
        change(path, random_() % pagesOf(files_[path]));
    backUp(2, full);

    storage_.bytes = 0;
    const auto reader = open(2);
    ASSERT_TRUE(readOne(*reader, path) == files_[path]);
    EXPECT_GT(own_frames_, 5U << 20);
    std::cout << "besides the frames: " << (storage_.bytes - own_frames_) << " bytes\n";
    EXPECT_LE(storage_.bytes - own_frames_, 1U << 20);
}

TEST_F(IncrementalTest, FollowsFilesThatComeGoGrowAndShrink) {
    if (random_() % 2 == 0) key_ = ChainKey::random();
    for (int i = 0; i < 8; ++i)
        files_["d/t" + std::to_string(i) + ".ibd"] = randomContent(random_, (i + 1) * kMacroBlockSize / 2 + i * 1000);
    auto parent = backUp(1);
    for (std::uint32_t set = 2; set <= 12; ++set) {
        for (auto& [path, content] : files_) {
            switch (random_() % 6) {
                case 0:
                    content.resize(random_() % (content.size() + 1));
                    break;
                case 1: {
                    const Bytes more = randomContent(random_, random_() % (3 * kPageSize));
                    content.insert(content.end(), more.begin(), more.end());
                    break;
                }
                case 2:
                    if (content.size() > kPageSize) std::fill_n(content.begin(), kPageSize, 0);
                    break;
                case 3:
                    content = randomContent(random_, random_() % (2 * kMacroBlockSize));
                    break;
                default:
                    if (!content.empty()) change(path, random_() % pagesOf(content));
            }
        }
        files_.erase("d/t" + std::to_string(random_() % 8) + ".ibd");
        files_["d/new" + std::to_string(set) + ".ibd"] = randomContent(random_, random_() % kMacroBlockSize);
        const auto child = backUp(set, parent);
        ASSERT_TRUE(read(*child) == files_) << "set " << set;
        parent = child;
    }
    for (std::uint32_t set = 1; set < 12; ++set)
        read(*open(set));  // each of them is whole all the same
}

TEST_F(IncrementalTest, StoresAgainWhatIsLeftOfWornFrames) {
    files_["d/t.ibd"] = randomContent(random_, 4 * kMacroBlockSize);
    const auto full = backUp(1);
    // Of each frame of 16 pages one stays as it is.
    for (std::size_t i = 0; i < pagesOf(files_["d/t.ibd"]); ++i) {
        if (i % kPagesPerFrame != 5) change("d/t.ibd", i);
    }
    const auto changed = backUp(2, full);
    EXPECT_TRUE(read(*changed) == files_);
    EXPECT_TRUE(changed->index().layers().at(1).objects.empty()) << "a restore does not read the full set any more";
    EXPECT_LE(changed->index().totals().frame_bytes, full->index().totals().frame_bytes * 1.01);
}

TEST_F(IncrementalTest, StoresNothingAgainThatAnInterruptedTurnHasStored) {
    if (random_() % 2 == 0) key_ = ChainKey::random();
    for (int i = 0; i < 6; ++i)
        files_["d/t" + std::to_string(i) + ".ibd"] = randomContent(random_, 2 * kMacroBlockSize + i * 5000);
    const auto optionsOf = [&](std::uint32_t turn) {
        return BlockWriterOptions{.directory = "turn_" + std::to_string(turn) + "/",
                                  .set_id = 1,
                                  .turn = turn,
                                  .data_file_size = 1 << 20,
                                  .key = key_};
    };
    std::vector<EarlierObject> earlier;
    {
        BlockWriter writer(storage_, lane_, optionsOf(1), progress_);
        for (const auto& [path, content] : files_) {
            const FileNumber number = writer.beginFile(path);
            writer.add(number, 0, content);
            writer.endFile(number);
        }
        while (storage_.list("turn_1/").size() < 4)
            writer.rethrowFailure();
    }  // given up before its end
    for (const auto& object : storage_.list("turn_1/"))
        earlier.push_back({"turn_1/", dataFileNumber(object.key.substr(7)).value(), object.size});
    std::sort(earlier.begin(), earlier.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
    ASSERT_GT(earlier.size(), 3U);
    // One object is damaged: what it has is stored again.
    const storage::Key damaged = "turn_1/" + dataFileName(earlier[1].number);
    Bytes bytes = storage_.get(damaged, 0, earlier[1].size);
    bytes[bytes.size() - 5] ^= 1;
    storage_.remove(damaged);
    storage_.put(damaged, bytes);

    change("d/t0.ibd", 3);
    BlockWriterOptions second = optionsOf(2);
    second.earlier = earlier;
    BlockWriter writer(storage_, lane_, second, progress_);
    for (const auto& [path, content] : files_) {
        const FileNumber number = writer.beginFile(path);
        writer.add(number, 0, content);
        writer.endFile(number);
    }
    result_ = writer.finish();
    const DirectoryOf directory_of = [](const IndexLayer& layer) {
        return "turn_" + std::to_string(layer.id.turn) + "/";
    };
    const BlockReader reader(storage_, "turn_2/", 1, key_, directory_of);
    expectRebuilt("turn_2/", directory_of);
    EXPECT_TRUE(read(reader) == files_);
    ASSERT_EQ(reader.index().layers().size(), 2U);
    EXPECT_EQ(reader.index().layers()[1].id.turn, 1U);
    EXPECT_EQ(reader.index().layers()[1].objects.size(), earlier.size() - 1);
    std::uint64_t before = 0;
    for (const EarlierObject& object : earlier)
        before += object.size;
    EXPECT_LE(storedFrames(reader), reader.index().totals().frame_bytes - before + (2 << 20));
    EXPECT_EQ(result_.objects.size(), reader.index().layers()[0].objects.size() + earlier.size() - 1 + 1);
}

TEST_F(IncrementalTest, MakesALostIndexAgainOfWhateverThereIs) {
    if (random_() % 2 == 0) key_ = ChainKey::random();
    files_["d/empty.CSV"] = {};
    files_["d/short.frm"] = randomContent(random_, 700);
    files_["d/zeros.ibd"] = Bytes(3 * kMacroBlockSize + 1);
    files_["d/large.ibd"] = Bytes(std::uint64_t{kPagesPerMap + 20} * kPageSize);  // two maps
    for (int i = 0; i < 300; ++i)
        change("d/large.ibd", random_() % pagesOf(files_["d/large.ibd"]));
    for (int i = 0; i < 300; ++i)
        files_["d/t" + std::to_string(i) + ".MYD"] = randomContent(random_, random_() % (2 * kPageSize));
    const auto full = backUp(1);
    change("d/large.ibd", 65537);
    std::fill_n(files_["d/large.ibd"].begin(), 20 * kPageSize, 0);
    files_.erase("d/t7.MYD");
    const auto child = backUp(2, full);
    EXPECT_TRUE(read(*child) == files_);

    // One that lacks a data object, or in which one is damaged, is none.
    const storage::Key object = directoryOf(1) + dataFileName(0);
    Bytes bytes = storage_.getAll(object);
    ScratchObject made({});
    storage_.remove(object);
    EXPECT_THROW(rebuildIndex(storage_, directoryOf(2), key_, directoryOfLayer, {}, made), Error);
    bytes[bytes.size() - kTrailerSize - 20] ^= 1;
    storage_.put(object, bytes);
    EXPECT_THROW(rebuildIndex(storage_, directoryOf(2), key_, directoryOfLayer, {}, made), Error);
    EXPECT_FALSE(made.stat(directoryOf(2) + kRangeIndexName));
}

/// So many files that the index has several groups.
TEST_F(IncrementalTest, IsCancelledWhileTheIndexOfTheParentIsRead) {
    for (int i = 0; i < 25'000; ++i)
        files_["d/a_table_with_a_long_name_" + std::to_string(i) + ".ibd"];
    backUp(1);
    std::stop_source stop;
    int reads = -1;  // the first one opens it
    storage::FaultyStorage storage(storage_,
                                   {{.on = storage::FaultRule::Operation::Get,
                                     .effect = storage::FaultRule::Effect::Call,
                                     .call =
                                         [&] {
                                             if (++reads > 0) stop.request_stop();
                                         }}},
                                   1);
    const auto parent = std::make_shared<const BlockReader>(storage, directoryOf(1), 1);
    try {
        BlockWriter(storage, lane_, {.directory = directoryOf(2), .set_id = 2, .incremental = true, .parent = parent},
                    progress_, stop);
        ADD_FAILURE() << "it was not cancelled";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Cancelled);
    }
    EXPECT_EQ(reads, 1) << "what was not read yet need not be read any more";
    parent->index().eachMap([](const FileMap&) {});
    EXPECT_GT(reads, 3) << "there was more to read";
}

TEST_F(IncrementalTest, IsCancelledBeforeItReadsWhatItWouldStoreAgain) {
    files_["d/t.ibd"] = randomContent(random_, 2 * kMacroBlockSize);
    const auto full = backUp(1);
    for (std::size_t i = 0; i < pagesOf(files_["d/t.ibd"]); ++i) {
        if (i % kPagesPerFrame != 5) change("d/t.ibd", i);
    }
    std::stop_source stop;
    storage::FaultyStorage storage(storage_,
                                   {{.on = storage::FaultRule::Operation::Append,
                                     .effect = storage::FaultRule::Effect::Call,
                                     .key_part = directoryOf(2) + dataFileName(0),
                                     .call = [&] { stop.request_stop(); }},
                                    {.on = storage::FaultRule::Operation::Get, .error = ErrorCode::Internal}},
                                   1);
    BlockWriter writer(storage, lane_, {.directory = directoryOf(2), .set_id = 2, .incremental = true, .parent = full},
                       progress_, stop);
    try {
        // All that it stores of itself is stored by finish(): it does not fill a frame before.
        const FileNumber number = writer.beginFile("d/t.ibd");
        writer.add(number, 0, ByteView(files_["d/t.ibd"]).first(8 * kPageSize));
        writer.endFile(number);
        writer.finish();
        ADD_FAILURE() << "it was not cancelled";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Cancelled) << error.what();
    }
    EXPECT_FALSE(storage_.stat(directoryOf(2) + kRangeIndexName));

    BlockWriterOptions options{.directory = directoryOf(2), .set_id = 2, .parent = full};
    const KnownPages known(storage_, options);
    const PageTable nothing({});
    const std::vector<StoredFile> files{{0, "d/t.ibd", 5 * kPageSize}};
    EXPECT_NO_THROW(planRepack(known, nothing, files, 0, {}, {}));
    EXPECT_THROW(planRepack(known, nothing, files, 0, {}, stop.get_token()), Error);
}

/// However long a chain is, its last set reads little more than a full one would.
TEST_F(IncrementalTest, KeepsAChainFresh) {
    for (const double share : {0.05, 0.3}) {
        for (int i = 0; i < 2; ++i)
            files_["d/t" + std::to_string(i) + ".ibd"] = randomContent(random_, 3 * kMacroBlockSize);
        for (int i = 0; i < 40; ++i)
            files_["d/small" + std::to_string(i) + ".ibd"] = randomContent(random_, 7 * kPageSize);
        std::uint32_t set = 1;
        auto parent = backUp(set);
        const auto full = static_cast<double>(parent->index().totals().frame_bytes);
        std::uint64_t stored = 0;
        std::uint64_t changed = 0;
        while (set < (share < 0.1 ? 21 : 6)) {
            changed += changeShare(share);
            parent = backUp(++set, parent);
            stored += storedFrames(*parent);
            // The content compresses as well as at the beginning, within a hundredth.
            EXPECT_LE(static_cast<double>(parent->index().totals().frame_bytes), 1.11 * full)
                << share << ", set " << set;
        }
        EXPECT_TRUE(read(*parent) == files_);
        const double ratio = full / static_cast<double>(parent->index().totals().bytes);
        EXPECT_LE(static_cast<double>(stored), 6 * ratio * static_cast<double>(changed)) << "of which most was repacked";
        for (const auto& object : storage_.list(""))
            storage_.remove(object.key);
    }
}

}  // namespace
}  // namespace tidemark::block
