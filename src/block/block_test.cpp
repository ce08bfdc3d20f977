#include "block/block_fixture.h"
#include "block/page_hash.h"
#include "storage/memory_storage.h"

namespace tidemark::block {
namespace {

using storage::MemoryStorage;

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
            Bytes stored = storage.get(kDirectory + dataFileName(place.object), place.offset, place.stored);
            const LayerId layer = index.layers().at(place.layer).id;
            const PartId id{PartKind::Frame, layer.id, place.number};
            ASSERT_EQ(decoder.decode(stored, id, LayerKey({}, layer), frame), "");
            std::copy_n(frame.begin() + run.offset, maps.front().bytesOf(run), to);
            for (std::uint32_t page = run.first_page; page < run.first_page + run.pages; ++page) {
                const std::size_t at = std::size_t{page} * kPageSize;
                const ByteView expected = ByteView(content).subspan(at, std::min(kPageSize, content.size() - at));
                ASSERT_EQ(*hash++, hashOfPage(expected)) << path << " page " << page;
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

}  // namespace
}  // namespace tidemark::block
