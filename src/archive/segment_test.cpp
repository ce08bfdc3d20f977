#include <gtest/gtest.h>
#include <zstd.h>

#include <functional>
#include <iostream>
#include <random>

#include "archive/segment_file.h"
#include "archive/segment_writer.h"
#include "base/error.h"
#include "base/hash.h"
#include "storage/memory_storage.h"
#include "testing/peak_memory.h"

namespace tidemark::archive {
namespace {

constexpr PieceKey kPiece{1001, 1, 1};

Bytes randomBytesOf(std::mt19937_64& random, std::size_t size) {
    Bytes bytes(size);
    // Only 16 values, so that it compresses and blocks differ in size.
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random() % 16);
    return bytes;
}

SegmentHeader header() {
    SegmentHeader header;
    header.piece = kPiece;
    header.file_id = 1;
    header.server_version = "10.11.0";
    header.format = Bytes(200, 7);
    header.before = mysql::GtidPosition::parse("1002-1-9");
    header.before_scn = 1000;
    header.piece_input_before = 5;
    header.piece_output_before = 6;
    return header;
}

TransactionEntry entry(std::uint64_t n) {
    TransactionEntry entry;
    entry.gtid = {1002, 1, 9 + n};
    entry.scn = 1000 + n;
    entry.timestamp = 77;
    if (n % 3 == 0) {
        entry.flags = TransactionEntry::kDdl;
        entry.database = "d";
        entry.statement = "DROP TABLE t" + std::to_string(n);
    }
    return entry;
}

/// Writes transactions of the given sizes; returns their bytes.
Bytes writeSegment(storage::Storage& storage, const std::vector<std::size_t>& sizes, std::mt19937_64& random) {
    SegmentWriter writer(storage, header());
    Bytes all;
    std::uint64_t n = 0;
    for (const std::size_t size : sizes) {
        const Bytes bytes = randomBytesOf(random, size);
        writer.append(ByteView(bytes).first(size / 2));
        writer.append(ByteView(bytes).subspan(size / 2));
        writer.endTransaction(entry(++n));
        all.insert(all.end(), bytes.begin(), bytes.end());
    }
    EXPECT_EQ(writer.finish().summary.raw_size, all.size());
    return all;
}

Bytes readRaw(const SegmentFile& file) {
    Bytes all;
    for (const auto& block : file.readIndex().blocks) {
        const Bytes raw = file.readBlock(block);
        all.insert(all.end(), raw.begin(), raw.end());
    }
    return all;
}

TEST(Segment, GivesBackWhatWasWritten) {
    std::mt19937_64 random(1);
    storage::MemoryStorage storage;
    const Bytes all = writeSegment(storage, {1, 100, kBlockSize - 101, kBlockSize, 3 * kBlockSize + 5, 30}, random);
    const SegmentFile file(storage, kPiece, 1);
    EXPECT_EQ(file.header().before.text(), "1002-1-9");
    EXPECT_EQ(file.header().format, header().format);
    EXPECT_EQ(file.header().piece_output_before, 6U);
    EXPECT_EQ(file.summary().from_scn, 1001U);
    EXPECT_EQ(file.summary().to_scn, 1006U);
    const auto index = file.readIndex();
    ASSERT_EQ(index.transactions.size(), 6U);
    EXPECT_EQ(index.transactions[4].size, 3 * kBlockSize + 5);
    EXPECT_EQ(index.transactions[2].statement, "DROP TABLE t3");
    EXPECT_EQ(index.transactions[2].database, "d");
    EXPECT_TRUE(readRaw(file) == all);
}

TEST(Segment, LeavesOutAnUnfinishedTransaction) {
    for (const std::size_t unfinished : {std::size_t{10}, kBlockSize + 10, 2 * kBlockSize}) {
        storage::MemoryStorage storage;
        SegmentWriter writer(storage, header());
        writer.append(Bytes(100, 1));
        writer.endTransaction(entry(1));
        writer.append(Bytes(unfinished, 2));
        EXPECT_EQ(writer.finish().summary.raw_size, 100U);
        const SegmentFile file(storage, kPiece, 1);
        EXPECT_EQ(file.readIndex().transactions.size(), 1U);
        const Bytes raw = readRaw(file);
        EXPECT_TRUE(std::equal(raw.begin(), raw.begin() + 100, Bytes(100, 1).begin()));
    }
}

TEST(Segment, LeavesNothingWhenItIsAbandoned) {
    storage::MemoryStorage storage;
    {
        SegmentWriter writer(storage, header());
        writer.append(Bytes(3 * kBlockSize, 1));
        writer.endTransaction(entry(1));
    }
    EXPECT_TRUE(storage.list("").empty());
}

TEST(Segment, NeverGivesOutADamagedByte) {
    const std::uint64_t seed = std::random_device{}();
    std::cout << "seed " << seed << "\n";
    std::mt19937_64 random(seed);
    storage::MemoryStorage original;
    const Bytes all = writeSegment(original, {1000, 2000, 300000, 5}, random);
    const std::string key = segmentKey(kPiece, 1);
    const Bytes whole = original.getAll(key);
    int detected = 0;
    for (int round = 0; round < 4000; ++round) {
        Bytes damaged = whole;
        for (std::uint64_t i = 1 + random() % 3; i > 0; --i) {
            damaged[random() % damaged.size()] = static_cast<std::uint8_t>(random());
        }
        if (random() % 4 == 0) damaged.resize(random() % damaged.size());
        if (damaged == whole) continue;
        storage::MemoryStorage storage;
        storage.put(key, damaged);
        try {
            EXPECT_TRUE(readRaw(SegmentFile(storage, kPiece, 1)) == all);
        } catch (const Error& error) {
            ++detected;
            const bool newer = error.code() == ErrorCode::InvalidRequest;  // as far as its version tells
            EXPECT_TRUE(newer || error.code() == ErrorCode::Corrupt) << error.what();
            EXPECT_NE(std::string(error.what()).find(key), std::string::npos) << error.what();
        }
    }
    EXPECT_GT(detected, 3900);
}

/// Damage that all checksums agree with: what a defect of ours, or malice, could write.
TEST(Segment, SurvivesNonsenseUnderRightChecksums) {
    const std::uint64_t seed = std::random_device{}();
    std::cout << "seed " << seed << "\n";
    std::mt19937_64 random(seed);
    SegmentIndex index;
    for (std::uint64_t n = 1; n < 20; ++n) {
        index.transactions.push_back(entry(n));
        index.transactions.back().size = 100;
    }
    const Bytes head = encodeHeader(header());
    index.blocks = {{head.size(), 1900, 500}};
    const Bytes stored = encodeIndex(index);
    const Bytes body_frame = encodeFrame(Bytes(1900, 3));
    for (int round = 0; round < 5000; ++round) {
        Bytes bytes = stored;
        for (std::uint64_t i = random() % 3; i > 0; --i)
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        SegmentFooter footer{{1001, 1019, 19, 1900}, head.size() + 500, bytes.size(), 0};
        if (random() % 4 == 0) footer.index_offset = random();
        if (random() % 4 == 0) footer.summary.raw_size = random();
        footer.index_sum = xxh3(bytes);
        Bytes header_bytes = head;
        header_bytes[kHeaderPrefixSize + random() % (head.size() - kHeaderPrefixSize - 8)] =
            static_cast<std::uint8_t>(random());
        Bytes frame = body_frame;
        frame[random() % frame.size()] = static_cast<std::uint8_t>(random());
        for (const auto& parse : std::vector<std::function<void()>>{
                 [&] { decodeIndex(bytes, header(), footer); },
                 [&] { decodeFrame(frame); },
                 [&] { decodeFooter(encodeFooter(footer)); },
                 [&] { decodeHeader(header_bytes); },
             }) {
            try {
                parse();
            } catch (const Error&) {
                // refused; what matters is that nothing else happened
            }
        }
    }
}

/// The end of a segment with one block, whose index is `body`, compressed.
std::pair<Bytes, SegmentFooter> stored(const Bytes& body, std::uint64_t transactions) {
    Bytes compressed(ZSTD_compressBound(body.size()));
    compressed.resize(ZSTD_compress(compressed.data(), compressed.size(), body.data(), body.size(), 1));
    const Bytes index = ByteWriter().u32(static_cast<std::uint32_t>(body.size())).bytes(compressed).take();
    return {index, {{1, transactions, transactions, 1900}, encodeHeader(header()).size(), index.size(), xxh3(index)}};
}

std::string refusal(const std::pair<Bytes, SegmentFooter>& segment) {
    const auto& [index, footer] = segment;
    try {
        decodeIndex(index, header(), footer);
        return "nothing";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
        return error.what();
    }
}

/// An index of so many transactions, each as short as one can be.
Bytes smallest(std::uint64_t count) {
    Bytes body = ByteWriter().varint(count).take();
    for (std::uint64_t n = 0; n < count; ++n)
        body.insert(body.end(), {0, 0, 1, 1, 0, 1, 0});
    return body;
}

/// A few KiB that decompress to 100 MiB, and these to an index of 15 million transactions.
TEST(Segment, TakesNoMoreMemoryThanARealOneWhateverItsIndexClaims) {
    constexpr std::uint64_t kCount = (100 << 20) / 7;
    const Bytes body = smallest(kCount);
    const auto segment = stored(body, kCount);
    const testing::PeakMemory memory;
    EXPECT_EQ(refusal(segment), "its index is impossibly large");
    EXPECT_LT(memory.bytes(), 64U << 20);
}

TEST(Segment, IsRefusedForTheNumberOfItsTransactionsBeforeTheyAreRead) {
    constexpr std::uint64_t kCount = (14 << 20) / 7;
    const Bytes body = smallest(kCount);
    const auto as_many = stored(body, kCount);
    const auto fewer = stored(body, 5);
    const testing::PeakMemory memory;
    EXPECT_EQ(refusal(as_many), "its index has an impossible number of transactions");
    EXPECT_EQ(refusal(fewer), "its index does not agree with its end");
    EXPECT_LT(memory.bytes(), 64U << 20);
}

TEST(Segment, IsRefusedForTheNumberOfItsBlocksBeforeTheyAreRead) {
    Bytes body = ByteWriter().varint(1).bytes(Bytes{0, 0, 1, 1, 0, 100, 0}).varint(4 << 20).take();
    body.resize(body.size() + (8 << 20), 1);
    const auto segment = stored(body, 1);
    const testing::PeakMemory memory;
    EXPECT_EQ(refusal(segment), "its index has more blocks than there is room for");
    EXPECT_LT(memory.bytes(), 64U << 20);
}

/// An object as long as one likes costs nothing: a file may be sparse.
class HugeObject : public storage::MemoryStorage {
public:
    std::optional<storage::ObjectInfo> stat(const storage::Key& key) override {
        return storage::ObjectInfo{key, kSize};
    }
    Bytes get(const storage::Key&, std::uint64_t offset, std::uint64_t size) override {
        largest_ = std::max(largest_, size);
        if (size > (1 << 20)) throw Error(ErrorCode::Unavailable, "that much is not read");
        const Bytes head = encodeHeader(header());
        const Bytes end = encodeFooter({{1, 1, 1, 1}, head.size(), kSize - kFooterSize - head.size(), 0});
        const Bytes& from = offset == 0 ? head : end;
        return {from.begin(), from.begin() + static_cast<std::ptrdiff_t>(size)};
    }

    static constexpr std::uint64_t kSize = 1ULL << 40;
    std::uint64_t largest_ = 0;
};

TEST(Segment, IsNotReadIntoMemoryAsFarAsItClaimsToReach) {
    HugeObject storage;
    const auto code = [&](const std::function<void(const SegmentFile&)>& work) {
        try {
            work(SegmentFile(storage, kPiece, 1));
        } catch (const Error& error) {
            return error.code();
        }
        return ErrorCode::Internal;
    };
    EXPECT_EQ(code([](const SegmentFile& file) { file.readIndex(); }), ErrorCode::Corrupt);
    EXPECT_EQ(code([](const SegmentFile& file) { file.readBlock({200, kBlockSize, UINT32_MAX}); }), ErrorCode::Corrupt);
    EXPECT_LE(storage.largest_, 1U << 20);
}

TEST(Segment, IsNotMistakenForAnother) {
    std::mt19937_64 random(1);
    storage::MemoryStorage storage;
    writeSegment(storage, {100}, random);
    storage.put(segmentKey(kPiece, 2), storage.getAll(segmentKey(kPiece, 1)));
    EXPECT_THROW(SegmentFile(storage, kPiece, 2), Error);
}

}  // namespace
}  // namespace tidemark::archive
