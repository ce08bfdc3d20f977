#include "block/set_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "block/set_index_writer.h"
#include "testing/counting_storage.h"

namespace tidemark::block {
namespace {

using storage::MemoryStorage;

const storage::Key kKey = std::string("d/") + kRangeIndexName;
constexpr LayerId kLayer{.set = 2, .turn = 1, .id = 77};

/// Files of a set that leans on another, with pages of both, in frames of both.
class SetIndexTest : public ::testing::Test {
protected:
    SetIndexTest() {
        for (int i = 0; i < 300; ++i) {
            StoredFile file{static_cast<FileNumber>(i), "d/t" + std::to_string(i) + ".ibd", random_() % 3'000'000};
            if (i == 7) file.size = (std::uint64_t{kPagesPerMap} * 2 + 5) * kPageSize + 12;
            if (i == 8) file.size = 0;
            files_.push_back(file);
            for (std::uint64_t page = 0; page < partsOf(file.size, kPageSize);)
                page += addRun(file, page);
        }
    }
    ~SetIndexTest() override {
        if (HasFailure()) ADD_FAILURE() << "seed " << seed_;
    }

    std::uint64_t addRun(const StoredFile& file, std::uint64_t first) {
        const std::uint64_t all = partsOf(file.size, kPageSize);
        const std::uint64_t pages = std::min<std::uint64_t>(all - first, 1 + random_() % 16);
        PageEntry entry{.place = {.layer = Place::kZeros}};
        if (const auto kind = random_() % 4; kind > 0) {
            entry.place = {.layer = static_cast<std::uint16_t>(kind / 3), .frame = next_frame_++, .offset = 0};
        }
        std::vector<PageEntry> entries;
        for (std::uint64_t i = 0; i < pages; ++i) {
            entries.push_back(entry);
            if (entry.place.layer != Place::kZeros) entries.back().hash = {.low = random_(), .high = 0};
            entry.place.offset += entry.place.layer == Place::kZeros ? 0 : kPageSize;
        }
        table_.write(file.number, static_cast<std::uint32_t>(first), entries);
        return pages;
    }

    static FramePlace placeOf(std::uint16_t layer, std::uint32_t number) {
        return {.layer = layer,
                .number = number,
                .object = number % 2,
                .offset = 64 + std::uint64_t{number} * 1000,
                .stored = 1000,
                .plain = kFrameSize};
    }

    StoredIndex write(storage::Storage& storage, const IndexLimits& limits = {},
                      const std::stop_token& stop = {}) const {
        const std::uint64_t size = 64 + std::uint64_t{next_frame_} * 1000;
        const std::vector<IndexLayer::Object> objects{{0, size}, {1, size}};
        return writeIndex(storage, "d/", LayerKey({}, kLayer),
                          {{.id = kLayer, .incremental = true, .objects = objects},
                           {.id = {.set = 1, .turn = 3, .id = 5}, .objects = objects}},
                          files_, table_, placeOf, limits, stop);
    }

    const unsigned seed_ = std::random_device()();
    std::mt19937_64 random_{seed_};
    PageTable table_{{}};
    std::vector<StoredFile> files_;
    std::uint32_t next_frame_ = 0;
};

TEST_F(SetIndexTest, IsNotStoredIfThatIsCancelled) {
    MemoryStorage storage;
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(write(storage, {}, stop.get_token()), Error);
    EXPECT_FALSE(storage.stat(kKey));
    EXPECT_NO_THROW(write(storage));
}

TEST_F(SetIndexTest, TellsOfEveryPageWhatWasEntered) {
    MemoryStorage storage;
    const StoredIndex stored = write(storage);
    const SetIndex index(storage, kKey, 2);
    EXPECT_EQ(stored.size, storage.stat(kKey)->size);
    EXPECT_EQ(stored.checksum, index.checksum());
    ASSERT_EQ(index.layers().size(), 2U);
    EXPECT_EQ(index.layers()[1].id.turn, 3U);
    EXPECT_TRUE(index.layers()[0].incremental);
    std::uint64_t all = 0;
    std::uint64_t stored_pages = 0;
    for (const StoredFile& file : files_) {
        const auto maps = index.find(file.path);
        ASSERT_EQ(maps.size(), std::max<std::uint64_t>(1, partsOf(partsOf(file.size, kPageSize), kPagesPerMap)))
            << file.path;
        std::uint32_t page = 0;
        for (const FileMap& map : maps) {
            EXPECT_EQ(map.size, file.size);
            auto hash = map.hashes.begin();
            for (const PageRun& run : map.runs) {
                ASSERT_EQ(run.first_page, page);
                for (std::uint32_t i = 0; i < run.pages; ++i, ++page) {
                    PageEntry entry;
                    table_.read(file.number, page, std::span(&entry, 1));
                    ASSERT_EQ(run.frame.has_value(), entry.place.layer != Place::kZeros);
                    if (!run.frame) continue;
                    const FramePlace& frame = map.frames.at(*run.frame);
                    ASSERT_EQ(*hash++, entry.hash);
                    ASSERT_EQ(
                        (Place{frame.layer, frame.number, static_cast<std::uint32_t>(run.offset + i * kPageSize)}),
                        entry.place);
                    ASSERT_EQ(frame.offset, placeOf(frame.layer, frame.number).offset);
                    ++stored_pages;
                }
            }
        }
        EXPECT_EQ(page, partsOf(file.size, kPageSize));
        all += file.size;
    }
    EXPECT_EQ(index.totals().files, files_.size());
    EXPECT_EQ(index.totals().bytes, all);
    EXPECT_EQ(index.totals().stored_pages, stored_pages);
    std::uint64_t visited = 0;
    index.eachMap([&](const FileMap& map) { visited += map.hashes.size(); });
    EXPECT_EQ(visited, stored_pages);
}

TEST_F(SetIndexTest, FindsAFileWithTwoReads) {
    testing::CountingStorage storage;
    write(storage);
    for (const StoredFile& file : files_) {
        if (file.size > 3'000'000) continue;  // has groups of its own
        storage.reads = 0;
        storage.bytes = 0;
        ASSERT_EQ(SetIndex(storage, kKey, 2).find(file.path).size(), 1U);
        // One more where the file is the first of a group: the group before may have it, too.
        EXPECT_LE(storage.reads, 3) << file.path;
        EXPECT_LT(storage.bytes, 1'500'000U) << file.path;
    }
}

TEST_F(SetIndexTest, KnowsTheGroupThatTellsOfAPage) {
    testing::CountingStorage storage;
    write(storage);
    const SetIndex index(storage, kKey, 2);
    std::set<std::size_t> groups;
    for (const StoredFile& file : files_) {
        if (file.number % 10 != 7) continue;  // the large one is among them
        const auto pages = static_cast<std::uint32_t>(partsOf(file.size, kPageSize));
        for (const std::uint32_t page : {0U, pages / 2, kPagesPerMap - 1, kPagesPerMap, pages - 1}) {
            if (page >= pages) continue;
            storage.reads = 0;
            const std::size_t number = index.groupOf(file.path, page);
            const auto maps = index.group(number);
            EXPECT_EQ(storage.reads, 1);
            groups.insert(number);
            EXPECT_EQ(std::ranges::count_if(maps,
                                            [&](const FileMap& map) {
                                                return map.path == file.path && map.first_page <= page &&
                                                       page - map.first_page < map.pages;
                                            }),
                      1)
                << file.path << " page " << page;
        }
    }
    EXPECT_GT(groups.size(), 1U) << "there are several";
    EXPECT_EQ(index.groupOf("a", 0), 0U) << "what is before all of them";
    EXPECT_TRUE(index.group(1000).empty());
}

/// Seals groups, directory and trailer anew after a change, so that the change gets past the checksums and meets the
/// checks behind them.
Bytes resealed(Bytes index, const Bytes& original) {
    const Trailer trailer = decodeTrailer(kIndexObject, ByteView(original).last(kTrailerSize), original.size(), "test");
    const LayerKey key({}, kLayer);
    const auto seal = [&](PartId id, std::uint64_t begin, std::uint64_t end) {
        const auto part = std::span(index).subspan(begin, end - begin);
        key.seal(id, part.first(part.size() - key.sealSize()), part.last(key.sealSize()));
    };
    // The end of the first group is where its seal is.
    Bytes same = original;
    std::uint64_t end = kHeadSize + key.sealSize();
    while (!key.open({PartKind::Group, kLayer.id, 0}, std::span(same).subspan(kHeadSize, end - kHeadSize)))
        end += 1;
    seal({PartKind::Group, kLayer.id, 0}, kHeadSize, end);
    seal({PartKind::Directory, kLayer.id, 0}, trailer.begin, trailer.end);
    return index;
}

TEST_F(SetIndexTest, SurvivesAnyIndexWhoseChecksumsFit) {
    files_.resize(3);
    files_[2].size = std::min<std::uint64_t>(files_[2].size, 100'000);
    MemoryStorage good;
    write(good);
    const Bytes index = good.getAll(kKey);
    int refused = 0;
    for (int round = 0; round < 2000; ++round) {
        Bytes changed = index;
        for (unsigned i = 0; i <= random_() % 4; ++i)
            changed[kHeadSize + random_() % (changed.size() - kHeadSize - kTrailerSize)] =
                static_cast<std::uint8_t>(random_());
        MemoryStorage bad;
        bad.put(kKey, resealed(std::move(changed), index));
        try {
            SetIndex(bad, kKey, 2).eachMap([](const FileMap&) {});
        } catch (const Error& error) {
            ++refused;
            EXPECT_EQ(error.code(), ErrorCode::Corrupt) << error.what();
            EXPECT_NE(std::string(error.what()).find(kRangeIndexName), std::string::npos) << error.what();
        }
    }
    EXPECT_GT(refused, 100);
}

TEST_F(SetIndexTest, HasLimitsWhoeverWroteIt) {
    const auto codeOf = [&](const IndexLimits& writers, const IndexLimits& readers) {
        MemoryStorage storage;
        try {
            write(storage, writers);
            SetIndex(storage, kKey, 2, {}, readers);
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::Internal;
    };
    EXPECT_EQ(codeOf({}, {}), ErrorCode::Internal) << "no error";
    for (const IndexLimits& less :
         {IndexLimits{.files = 299}, {.groups = 2}, {.layers = 1}, {.objects = 3}, {.directory = 50}}) {
        EXPECT_EQ(codeOf(less, {}), ErrorCode::Conflict);
        EXPECT_EQ(codeOf({}, less), ErrorCode::Corrupt);
    }
}

TEST_F(SetIndexTest, SaysThatItIsOfANewerVersion) {
    MemoryStorage good;
    write(good);
    Bytes index = good.getAll(kKey);
    ++index[index.size() - kTrailerSize + 8];
    ByteWriter checksum;
    checksum.u64(xxh3(ByteView(index).last(kTrailerSize).first(kTrailerSize - 8)));
    std::copy(checksum.data().begin(), checksum.data().end(), index.end() - 8);
    MemoryStorage newer;
    newer.put(kKey, index);
    try {
        SetIndex(newer, kKey, 2);
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::InvalidRequest) << error.what();
        EXPECT_NE(error.hint().find("update Tidemark on this node"), std::string::npos) << error.hint();
    }
}

}  // namespace
}  // namespace tidemark::block
