#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "archive/layout.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "mysql/gtid.h"

namespace tidemark::archive {

/// The format of a segment, the object that holds whole transactions as they were written; docs/format/segment.md.
/// Here are its parts and their coding; SegmentWriter and SegmentFile move the bytes.

constexpr std::size_t kBlockSize = 1 << 20;  ///< raw bytes of a block; zstd gains little beyond
/// The transaction that takes a segment to this size, raw, is its last one.
constexpr std::size_t kSegmentSize = 8 << 20;
/// A transaction is at least its GTID event and one more, without which MariaDB writes none.
constexpr std::size_t kSmallestTransaction = 59;
constexpr std::size_t kMaxTransactions = kSegmentSize / kSmallestTransaction + 1;
/// Raw. An entry of the index is smaller than its transaction, so that 8 MiB are enough for these; as much again holds
/// the blocks of a last one of 1 TiB.
constexpr std::size_t kMaxIndexSize = 16 << 20;

/// One transaction (event group) of a segment.
struct TransactionEntry {
    enum Flag : std::uint8_t {
        kDdl = 1,
        kApproximate = 2,  ///< SCN made from the binlog's seconds, not observed at arrival
        kNonTransactional = 4,
        kXaPrepare = 8,
        kXaComplete = 16,  ///< XA COMMIT or XA ROLLBACK
    };

    mysql::Gtid gtid;
    Scn scn = 0;
    std::uint32_t timestamp = 0;  ///< of its last event: seconds since 1970, as its session told them
    std::uint64_t size = 0;       ///< raw bytes
    std::uint8_t flags = 0;
    std::string database;   ///< of a DDL
    std::string statement;  ///< the first kStatementLimit bytes of a DDL

    static constexpr std::size_t kStatementLimit = 200;
};

struct SegmentHeader {
    PieceKey piece;
    std::uint64_t file_id = 0;
    std::string server_version;
    Bytes format;                           ///< the format description event that its events read by
    mysql::GtidPosition before;             ///< everything before it
    Scn before_scn = 0;                     ///< SCN of the last transaction or checkpoint before it
    std::uint64_t piece_input_before = 0;   ///< raw bytes of the piece's earlier segments
    std::uint64_t piece_output_before = 0;  ///< their sizes as objects
};

struct SegmentSummary {
    Scn from_scn = 0;
    Scn to_scn = 0;
    std::uint64_t transactions = 0;
    std::uint64_t raw_size = 0;  ///< of the whole transactions, one after another
};

struct BlockPlace {
    std::uint64_t offset = 0;  ///< of its frame in the object
    std::uint32_t raw_size = 0;
    std::uint32_t frame_size = 0;
};

struct SegmentIndex {
    std::vector<TransactionEntry> transactions;
    std::vector<BlockPlace> blocks;
};

/// Where index and blocks lie, and the summary: the last kFooterSize bytes.
struct SegmentFooter {
    SegmentSummary summary;
    std::uint64_t index_offset = 0;
    std::uint64_t index_size = 0;  ///< stored
    std::uint64_t index_sum = 0;   ///< XXH3 of the stored bytes
};
constexpr std::size_t kFooterSize = 8 + 7 * 8 + 8;
constexpr std::size_t kHeaderPrefixSize = 8 + 4;  ///< magic and size of the rest
constexpr std::size_t kMaxHeaderSize = 1 << 20;
constexpr std::size_t kFramePrefixSize = 4 + 4 + 8;  ///< stored size, raw size, XXH3 of the stored bytes

Bytes encodeHeader(const SegmentHeader& header);
/// The size of the header whose first kHeaderPrefixSize bytes these are. Throws InvalidRequest if a newer version wrote
/// them.
std::size_t headerSize(ByteView prefix);
SegmentHeader decodeHeader(ByteView bytes);

Bytes encodeFooter(const SegmentFooter& footer);
SegmentFooter decodeFooter(ByteView bytes);

/// No frame and no stored index is larger.
std::size_t maxFrameSize();
std::size_t maxStoredIndexSize();

Bytes encodeFrame(ByteView raw);
/// At most kBlockSize bytes.
Bytes decodeFrame(ByteView frame);

/// The stored form: compressed. Only of a valid index.
Bytes encodeIndex(const SegmentIndex& index);
/// Checks it against header and footer: order of SCNs, sums, places.
SegmentIndex decodeIndex(ByteView stored, const SegmentHeader& header, const SegmentFooter& footer);

}  // namespace tidemark::archive
