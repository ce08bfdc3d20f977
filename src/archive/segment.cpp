#include "archive/segment.h"

#include <fmt/format.h>
#include <zstd.h>

#include <memory>

#include "base/error.h"
#include "base/hash.h"
#include "storage/newer_version.h"

namespace tidemark::archive {
namespace {

constexpr std::string_view kMagicName = "TMLOG0";
constexpr std::string_view kMagic = "TMLOG001";
constexpr std::string_view kEndMagic = "TMLOGEND";
constexpr int kLevel = 1;  // the archiver must keep up with the tenant on one thread; level 3 costs twice the CPU

[[noreturn]] void corrupt(const std::string& why) {
    throw Error(ErrorCode::Corrupt, why);
}

Bytes compress(ByteView raw) {
    thread_local const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                                       ZSTD_freeCCtx);
    Bytes out(ZSTD_compressBound(raw.size()));
    const std::size_t size = ZSTD_compressCCtx(context.get(), out.data(), out.size(), raw.data(), raw.size(), kLevel);
    if (ZSTD_isError(size)) throw Error(ErrorCode::Internal, fmt::format("zstd: {}", ZSTD_getErrorName(size)));
    out.resize(size);
    return out;
}

Bytes decompress(ByteView stored, std::size_t raw_size) {
    thread_local const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                                       ZSTD_freeDCtx);
    Bytes out(raw_size);
    const std::size_t size = ZSTD_decompressDCtx(context.get(), out.data(), out.size(), stored.data(), stored.size());
    if (ZSTD_isError(size)) corrupt(fmt::format("it does not decompress: {}", ZSTD_getErrorName(size)));
    if (size != raw_size) corrupt(fmt::format("it decompresses to {} bytes instead of {}", size, raw_size));
    return out;
}

void writeEntries(ByteWriter& out, const std::vector<TransactionEntry>& entries, Scn scn) {
    for (const auto& entry : entries) {
        out.varint(entry.gtid.domain).varint(entry.gtid.server).varint(entry.gtid.sequence);
        out.varint(entry.scn - scn).varint(entry.timestamp).varint(entry.size).u8(entry.flags);
        if ((entry.flags & TransactionEntry::kDdl) != 0) out.string(entry.database).string(entry.statement);
        scn = entry.scn;
    }
}

mysql::GtidPosition positionIn(std::string_view text) {
    try {
        return mysql::GtidPosition::parse(text);
    } catch (const Error& error) {
        corrupt(error.what());
    }
}

TransactionEntry readEntry(ByteReader& in, Scn previous) {
    TransactionEntry entry;
    entry.gtid.domain = in.varint32();
    entry.gtid.server = in.varint32();
    entry.gtid.sequence = in.varint();
    const std::uint64_t step = in.varint();
    if (step == 0 || step > UINT64_MAX - previous) corrupt("the SCNs of its index do not grow");
    entry.scn = previous + step;
    entry.timestamp = in.varint32();
    entry.size = in.varint();
    entry.flags = in.u8();
    if ((entry.flags & TransactionEntry::kDdl) != 0) {
        entry.database = in.string();
        entry.statement = in.string();
    }
    return entry;
}

void checkSummary(const SegmentIndex& index, const SegmentSummary& summary) {
    std::uint64_t left = summary.raw_size;
    for (const auto& entry : index.transactions) {
        if (entry.size == 0 || entry.size > left) corrupt("the sizes in its index are wrong");
        left -= entry.size;
    }
    const bool right = left == 0 && !index.transactions.empty() && index.transactions.size() == summary.transactions &&
                       index.transactions.front().scn == summary.from_scn &&
                       index.transactions.back().scn == summary.to_scn;
    if (!right) corrupt("its index does not agree with its end");
}

std::vector<TransactionEntry> readEntries(ByteReader& in, const SegmentSummary& summary) {
    const std::uint64_t count = in.varint();
    if (count != summary.transactions) corrupt("its index does not agree with its end");
    if (count > kMaxTransactions) corrupt("its index has an impossible number of transactions");
    std::vector<TransactionEntry> entries;
    entries.reserve(count);
    Scn previous = 0;
    while (entries.size() < count) {
        entries.push_back(readEntry(in, previous));
        previous = entries.back().scn;
    }
    return entries;
}

std::vector<BlockPlace> readBlocks(ByteReader& in, std::uint64_t offset, const SegmentFooter& footer) {
    const std::uint64_t count = in.varint();
    if (offset > footer.index_offset || count > (footer.index_offset - offset) / kFramePrefixSize)
        corrupt("its index has more blocks than there is room for");
    std::vector<BlockPlace> blocks;
    std::uint64_t raw = 0;
    for (std::uint64_t left = count; left > 0; --left) {
        BlockPlace place{offset, in.varint32(), in.varint32()};
        const bool fits = place.raw_size > 0 && place.raw_size <= kBlockSize && place.frame_size > kFramePrefixSize &&
                          offset <= footer.index_offset && place.frame_size <= footer.index_offset - offset;
        if (!fits) corrupt("a block of its index cannot be there");
        offset += place.frame_size;
        raw += place.raw_size;
        blocks.push_back(place);
    }
    if (raw < footer.summary.raw_size || offset != footer.index_offset) corrupt("its blocks are not all in its index");
    return blocks;
}

}  // namespace

Bytes encodeHeader(const SegmentHeader& header) {
    ByteWriter body;
    body.varint(header.piece.dest).varint(header.piece.round).varint(header.piece.piece).varint(header.file_id);
    body.string(header.server_version).string(textOf(header.format)).string(header.before.text());
    body.varint(header.before_scn).varint(header.piece_input_before).varint(header.piece_output_before);
    ByteWriter out;
    out.text(kMagic).u32(static_cast<std::uint32_t>(body.size() + 8)).bytes(body.data());
    return out.u64(xxh3(out.data())).take();
}

std::size_t headerSize(ByteView prefix) {
    ByteReader in(prefix, "segment header");
    const std::string_view magic = textOf(in.bytes(kMagic.size()));
    const bool digits = magic.find_first_not_of("0123456789", kMagicName.size()) == std::string_view::npos;
    if (magic.starts_with(kMagicName) && digits && magic > kMagic) throw storage::newerVersion("it");
    if (magic != kMagic) corrupt("it does not begin as a segment");
    const std::size_t size = kHeaderPrefixSize + in.u32();
    if (size < kHeaderPrefixSize + 8 || size > kMaxHeaderSize) corrupt("its header has an impossible size");
    return size;
}

SegmentHeader decodeHeader(ByteView bytes) {
    if (headerSize(bytes) != bytes.size()) corrupt("its header is cut off");
    if (ByteReader(bytes.last(8), "checksum").u64() != xxh3(bytes.first(bytes.size() - 8))) {
        corrupt("the checksum of its header is wrong");
    }
    ByteReader in(bytes.subspan(kHeaderPrefixSize, bytes.size() - kHeaderPrefixSize - 8), "segment header");
    SegmentHeader header;
    header.piece = {in.varint(), in.varint(), in.varint()};
    header.file_id = in.varint();
    header.server_version = in.string();
    const ByteView format = viewOf(in.string());
    header.format.assign(format.begin(), format.end());
    header.before = positionIn(in.string());
    header.before_scn = in.varint();
    header.piece_input_before = in.varint();
    header.piece_output_before = in.varint();
    return header;
}

Bytes encodeFooter(const SegmentFooter& footer) {
    ByteWriter out;
    out.u64(footer.summary.from_scn).u64(footer.summary.to_scn).u64(footer.summary.transactions);
    out.u64(footer.summary.raw_size).u64(footer.index_offset).u64(footer.index_size).u64(footer.index_sum);
    return out.u64(xxh3(out.data())).text(kEndMagic).take();
}

SegmentFooter decodeFooter(ByteView bytes) {
    ByteReader in(bytes, "segment end");
    SegmentFooter footer;
    footer.summary = {in.u64(), in.u64(), in.u64(), in.u64()};
    footer.index_offset = in.u64();
    footer.index_size = in.u64();
    footer.index_sum = in.u64();
    const bool sum_right = in.u64() == xxh3(bytes.first(7 * 8));
    if (textOf(in.rest()) != kEndMagic || !sum_right) corrupt("its end is missing or damaged");
    return footer;
}

Bytes encodeFrame(ByteView raw) {
    const Bytes stored = compress(raw);
    ByteWriter out;
    out.u32(static_cast<std::uint32_t>(stored.size())).u32(static_cast<std::uint32_t>(raw.size()));
    return out.u64(xxh3(stored)).bytes(stored).take();
}

Bytes decodeFrame(ByteView frame) {
    ByteReader in(frame, "block");
    const std::size_t stored_size = in.u32();
    const std::size_t raw_size = in.u32();
    const std::uint64_t sum = in.u64();
    const ByteView stored = in.bytes(stored_size);
    if (!in.atEnd() || raw_size > kBlockSize) corrupt("a block has an impossible size");
    if (xxh3(stored) != sum) corrupt("the checksum of a block is wrong");
    return decompress(stored, raw_size);
}

std::size_t maxStoredIndexSize() {
    return 4 + ZSTD_compressBound(kMaxIndexSize);
}

std::size_t maxFrameSize() {
    return kFramePrefixSize + ZSTD_compressBound(kBlockSize);
}

Bytes encodeIndex(const SegmentIndex& index) {
    ByteWriter body;
    body.varint(index.transactions.size());
    writeEntries(body, index.transactions, 0);
    body.varint(index.blocks.size());
    for (const auto& block : index.blocks)
        body.varint(block.raw_size).varint(block.frame_size);
    if (index.transactions.size() > kMaxTransactions || body.size() > kMaxIndexSize)
        throw Error(ErrorCode::Internal, "a segment has become larger than any reader takes");
    return ByteWriter().u32(static_cast<std::uint32_t>(body.size())).bytes(compress(body.data())).take();
}

SegmentIndex decodeIndex(ByteView stored, const SegmentHeader& header, const SegmentFooter& footer) {
    if (xxh3(stored) != footer.index_sum) corrupt("the checksum of its index is wrong");
    ByteReader outer(stored, "segment index");
    const std::size_t raw_size = outer.u32();
    if (raw_size > kMaxIndexSize) corrupt("its index is impossibly large");
    const Bytes body = decompress(outer.rest(), raw_size);
    ByteReader in(body, "segment index");
    SegmentIndex index;
    index.transactions = readEntries(in, footer.summary);
    index.blocks = readBlocks(in, encodeHeader(header).size(), footer);
    checkSummary(index, footer.summary);
    return index;
}

}  // namespace tidemark::archive
