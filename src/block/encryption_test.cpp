#include <set>

#include "block/block_fixture.h"
#include "storage/memory_storage.h"

namespace tidemark::block {
namespace {

using storage::MemoryStorage;

class EncryptedBlocks : public BlockTest {
protected:
    EncryptedBlocks() { chain_ = ChainKey::random(); }

    /// Reads everything; the error's code, or nullopt if there was none.
    static std::optional<ErrorCode> problemOf(storage::Storage& storage, const ChainKeyPtr& chain) {
        try {
            readAll(storage, chain);
        } catch (const Error& error) {
            return error.code();
        }
        return std::nullopt;
    }
    static void copy(storage::Storage& from, storage::Storage& to, const storage::Key& but = {}) {
        for (const auto& object : from.list("")) {
            if (object.key != but) to.put(object.key, from.get(object.key, 0, object.size));
        }
    }
};

TEST_F(EncryptedBlocks, GiveBackWhatWasWritten) {
    MemoryStorage storage;
    const auto files = writeSample(storage);
    EXPECT_TRUE(readAll(storage, chain_) == files);
    EXPECT_GT(storage.list("").size(), 5U);
    EXPECT_EQ(result_.index_checksum, SetIndex(storage, kDirectory + kRangeIndexName, kSet, chain_).checksum());
}

TEST_F(EncryptedBlocks, TellNothingToWhoHasNoKey) {
    const std::string path = "a_schema_of_ours/a_table_of_ours.ibd";
    const std::string row = "what a row of it says, which may not be compressed";
    for (const ChainKeyPtr& chain : {ChainKeyPtr{}, chain_}) {
        MemoryStorage storage;
        chain_ = chain;
        BlockWriter writer(storage, lane_, options(), progress_);
        const FileNumber file = writer.beginFile(path);
        Bytes content = randomContent(random_, 3 * kPageSize);
        std::copy(row.begin(), row.end(), content.begin() + 100);
        writer.add(file, 0, content);
        writer.endFile(file);
        writer.finish();
        std::string all;
        for (const auto& object : storage.list(""))
            all += textOf(storage.get(object.key, 0, object.size));
        EXPECT_EQ(all.find(row) != std::string::npos, !chain);
        EXPECT_EQ(all.find(path) != std::string::npos, !chain);
        EXPECT_EQ(problemOf(storage, {}), chain ? std::optional(ErrorCode::Denied) : std::nullopt);
        EXPECT_EQ(problemOf(storage, ChainKey::random()), ErrorCode::Corrupt) << "also one that is not encrypted";
    }
}

TEST_F(EncryptedBlocks, NoticeEveryChangedByte) {
    MemoryStorage good;
    writeSample(good);
    ASSERT_EQ(problemOf(good, chain_), std::nullopt);
    for (const auto& object : good.list("")) {
        for (int round = 0; round < 12; ++round) {
            // Some of the head and of the trailer, and any of the rest.
            const std::uint64_t edge = round < 3 ? kHeadSize : round < 6 ? kTrailerSize : object.size;
            std::uint64_t at = random_() % edge;
            if (round >= 3 && round < 6) at += object.size - kTrailerSize;
            Bytes content = good.get(object.key, 0, object.size);
            content[at] ^= static_cast<std::uint8_t>(1 + random_() % 255);
            MemoryStorage bad;
            copy(good, bad, object.key);
            bad.put(object.key, content);
            const auto problem = problemOf(bad, chain_);
            EXPECT_TRUE(problem == ErrorCode::Corrupt || problem == ErrorCode::InvalidRequest)
                << object.key << " byte " << at << " of " << object.size;
        }
    }
}

TEST_F(EncryptedBlocks, RefuseTheObjectsOfAnotherSet) {
    MemoryStorage one, other, foreign;
    writeSample(one);
    writeSample(other);  // of the same chain, with the same numbers
    const ChainKeyPtr chain = std::exchange(chain_, ChainKey::random());
    writeSample(foreign);
    for (storage::Storage* from : {&other, &foreign}) {
        for (const auto& object : one.list("")) {
            if (!from->stat(object.key)) continue;
            MemoryStorage bad;
            copy(one, bad, object.key);
            bad.put(object.key, from->get(object.key, 0, from->stat(object.key)->size));
            EXPECT_NE(problemOf(bad, chain), std::nullopt) << object.key;
        }
    }
}

TEST_F(EncryptedBlocks, RefuseAFrameOfTheSameNumberOfAnotherLayer) {
    const LayerId one{.set = kSet, .turn = 1, .id = 5};
    for (const LayerId& other : {LayerId{.set = kSet, .turn = 1, .id = 6}, LayerId{.set = kSet, .turn = 2, .id = 5},
                                 LayerId{.set = kSet + 1, .turn = 1, .id = 5}}) {
        const PartId id{PartKind::Frame, one.id, 7};
        Bytes stored = LayerKey(chain_, other).sealed({PartKind::Frame, other.id, 7}, Bytes(1000, 'x'));
        EXPECT_FALSE(LayerKey(chain_, one).open(id, stored));
    }
}

TEST_F(EncryptedBlocks, NamePagesAlikeInAllLayersOfAChainAndInNoOther) {
    const LayerKey one(chain_, {.set = 1, .id = 5}), later(chain_, {.set = 9, .turn = 2, .id = 6});
    const LayerKey foreign(ChainKey::random(), {.set = 1, .id = 5});
    const Bytes page(kPageSize, 'x');
    EXPECT_EQ(one.hashOf(page), later.hashOf(page));
    EXPECT_NE(one.hashOf(page), foreign.hashOf(page));
    EXPECT_NE(one.hashOf(page), LayerKey({}, {}).hashOf(page));
}

/// All parts that there are, found by reading the objects from end to end: their ids are what nonces are made of.
TEST_F(EncryptedBlocks, UseNoNonceTwice) {
    MemoryStorage storage;
    writeSample(storage);
    const SetIndex index(storage, kDirectory + kRangeIndexName, kSet, chain_);
    const LayerKey key(chain_, index.layers().front().id);
    std::set<std::pair<PartKind, std::uint64_t>> ids;
    std::uint64_t parts = 0;
    const auto count = [&](PartKind kind, std::uint64_t number) {
        ++parts;
        EXPECT_TRUE(ids.emplace(kind, number).second) << static_cast<char>(kind) << " " << number;
    };
    for (const auto& object : index.layers().front().objects) {
        const storage::Key name = kDirectory + dataFileName(object.number);
        std::uint64_t at = kHeadSize;
        readFrameTable(storage, name, object.number, chain_, [&](const FrameRecord& frame) {
            ASSERT_EQ(frame.place.offset, at);
            at += frame.place.stored;
            count(PartKind::Frame, frame.place.number);
        });
        for (std::uint64_t section = 0; at < object.size - kTrailerSize; ++section) {
            const std::uint64_t size = ByteReader(storage.get(name, at, 4), "section").u32() + key.sealSize();
            Bytes stored = storage.get(name, at + 4, size);
            const std::uint64_t number = std::uint64_t{object.number} << 32 | section;
            ASSERT_TRUE(key.open({PartKind::Section, index.layers().front().id.id, number}, stored));
            count(PartKind::Section, number);
            at += 4 + size;
        }
        EXPECT_EQ(at, object.size - kTrailerSize) << "every byte is of a part";
    }
    EXPECT_EQ(ids.size(), parts);
    EXPECT_GT(parts, 50U);
}

}  // namespace
}  // namespace tidemark::block
