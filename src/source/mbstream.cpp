#include "source/mbstream.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"

namespace tidemark::source {
namespace {

constexpr std::size_t kBufferSize = 64 << 10;
constexpr std::size_t kCheckSize = 256 << 10;
constexpr std::string_view kMagic = "XBSTCK01";
constexpr std::uint32_t kLongestPath = 4096;
// mariadb-backup has at most one file open per copying thread, and a few logs.
constexpr std::size_t kMostOpenFiles = 1000;

enum Flags : std::uint8_t { kSkipIfUnknown = 1, kReplaces = 2 };

}  // namespace

MbstreamParser::MbstreamParser(Pull pull) : pull_(std::move(pull)), buffer_(kBufferSize) {}

void MbstreamParser::fail(const std::string& what) const {
    throw Error(ErrorCode::Corrupt, "the stream of mariadb-backup at byte " + std::to_string(position_) + ": " + what);
}

/// Large pieces go straight to where they belong; small ones come out of the buffer.
std::size_t MbstreamParser::fillSome(std::span<std::uint8_t> into) {
    if (begin_ == end_ && into.size() >= kBufferSize) {
        const std::size_t got = pull_(into);
        position_ += got;
        return got;
    }
    if (begin_ == end_) {
        begin_ = 0;
        end_ = pull_(buffer_);
    }
    const std::size_t size = std::min(into.size(), end_ - begin_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), size, into.begin());
    begin_ += size;
    position_ += size;
    return size;
}

void MbstreamParser::fill(std::span<std::uint8_t> into) {
    while (!into.empty()) {
        const std::size_t got = fillSome(into);
        if (got == 0) fail("it ends in the middle of a chunk");
        into = into.subspan(got);
    }
}

Bytes MbstreamParser::take(std::size_t size) {
    Bytes bytes(size);
    fill(bytes);
    return bytes;
}

std::string MbstreamParser::takePath() {
    const Bytes length = take(4);
    const std::uint32_t size = ByteReader(length, "path length").u32();
    if (size == 0 || size > kLongestPath) fail("a path has " + std::to_string(size) + " bytes");
    const Bytes path = take(size);
    // mariadb-backup writes paths as they are in the data directory, some with a leading "./".
    const std::string_view text = textOf(path);
    return std::string(text.starts_with("./") ? text.substr(2) : text);
}

std::optional<Chunk> MbstreamParser::next() {
    if (payload_.left != 0) throw Error(ErrorCode::Internal, "a chunk was not read to its end");
    for (;;) {
        bool skipped = false;
        std::optional<Chunk> chunk = nextOrSkipped(skipped);
        if (!skipped) return chunk;
    }
}

std::optional<Chunk> MbstreamParser::nextOrSkipped(bool& skipped) {
    Bytes head(kMagic.size() + 2);
    const std::size_t first = fillSome(std::span(head).first(1));
    if (first == 0) return std::nullopt;
    fill(std::span(head).subspan(1));
    if (textOf(head).substr(0, kMagic.size()) != kMagic) fail("no chunk begins here");
    const std::uint8_t flags = head[kMagic.size()];
    const char type = static_cast<char>(head[kMagic.size() + 1]);
    std::string path = takePath();
    switch (type) {
        case 'P':
            return payload(std::move(path), (flags & kReplaces) != 0);
        case 'E':
            return end(std::move(path));
        case 'R':
            return Chunk{.kind = Chunk::Kind::Rename, .path = std::move(path), .new_path = takePath()};
        case 'D':
            return Chunk{.kind = Chunk::Kind::Remove, .path = std::move(path)};
        case 'S':
            seek(path);
            skipped = true;
            return std::nullopt;
        default:
            break;
    }
    // As mbstream does: an ignorable chunk has nothing after its path.
    if ((flags & kSkipIfUnknown) == 0) fail("a chunk is of the unknown type " + std::to_string(static_cast<int>(type)));
    skipped = true;
    return std::nullopt;
}

Chunk MbstreamParser::payload(std::string path, bool replaces) {
    const Bytes head = take(8 + 8 + 4);
    ByteReader reader(head, "payload head");
    Chunk chunk{.kind = Chunk::Kind::Data, .path = std::move(path), .size = reader.u64()};
    chunk.offset = reader.u64();
    payload_ = {.left = chunk.size, .expected_crc = reader.u32()};
    const auto [file, began] = open_.try_emplace(chunk.path, 0);
    if (open_.size() > kMostOpenFiles) fail("too many files are open");
    if (file->second != chunk.offset) {
        fail(chunk.path + " goes on at " + std::to_string(chunk.offset) + " instead of " +
             std::to_string(file->second));
    }
    if (chunk.size > INT64_MAX - chunk.offset) fail("a payload is impossibly long");
    chunk.replaces = began && replaces;
    file->second += chunk.size;
    verifyPayload();
    return chunk;
}

Chunk MbstreamParser::end(std::string path) {
    open_.erase(path);
    return {.kind = Chunk::Kind::End, .path = std::move(path)};
}

void MbstreamParser::seek(const std::string& path) {
    const Bytes offset = take(8);
    const auto file = open_.find(path);
    if (file == open_.end()) fail("it seeks in " + path + ", which is not open");
    file->second = ByteReader(offset, "seek offset").u64();
}

void MbstreamParser::read(std::span<std::uint8_t> into) {
    if (into.size() > payload_.left) throw Error(ErrorCode::Internal, "more was read than a chunk has");
    payload_.left -= into.size();
    while (!into.empty()) {
        // In parts that are still in the cache when they are checked.
        const auto part = into.first(std::min(into.size(), kCheckSize));
        fill(part);
        payload_.crc = crc32(part, payload_.crc);
        into = into.subspan(part.size());
    }
    verifyPayload();
}

void MbstreamParser::verifyPayload() const {
    if (payload_.left == 0 && payload_.crc != payload_.expected_crc) fail("the checksum of a chunk does not fit");
}

}  // namespace tidemark::source
