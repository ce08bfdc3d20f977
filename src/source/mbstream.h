#pragma once

#include <functional>
#include <unordered_map>

#include "base/bytes.h"
#include "source/source.h"

namespace tidemark::source {

/// Parses the stream that mariadb-backup --stream=mbstream writes, as it comes: never holds more than 64 KiB, whatever
/// lengths the stream claims. Not thread-safe.
///
/// A chunk is "XBSTCK01", flags (1), type (1), path length (4), path, and then by type: P payload: length (8),
/// offset (8), CRC-32 (4), bytes · E end of the file · S seek: offset (8) · R rename: length (4), new path · D removal.
/// Numbers are little-endian. Flag 1: skip if unknown; flag 2: the file replaces one of the same name. The stream has
/// no end mark: it may end between two chunks.
class MbstreamParser {
public:
    /// Fills some of the bytes, at least one, and returns how many; 0 at the end of the stream.
    using Pull = std::function<std::size_t(std::span<std::uint8_t>)>;

    explicit MbstreamParser(Pull pull);

    /// As in Source. Throw Corrupt, with the position in the stream, for what is no such stream.
    std::optional<Chunk> next();
    void read(std::span<std::uint8_t> into);

    /// Files that began and have not ended.
    std::size_t openFiles() const { return open_.size(); }

private:
    struct Payload {
        std::uint64_t left = 0;
        std::uint32_t expected_crc = 0;
        std::uint32_t crc = 0;
    };

    [[noreturn]] void fail(const std::string& what) const;
    void fill(std::span<std::uint8_t> into);
    std::size_t fillSome(std::span<std::uint8_t> into);
    Bytes take(std::size_t size);
    std::string takePath();
    std::optional<Chunk> nextOrSkipped(bool& skipped);
    Chunk payload(std::string path, bool replaces);
    Chunk end(std::string path);
    void seek(const std::string& path);
    void verifyPayload() const;

    Pull pull_;
    Bytes buffer_;
    std::size_t begin_ = 0;  ///< unread bytes of buffer_
    std::size_t end_ = 0;
    std::uint64_t position_ = 0;                           ///< in the stream
    std::unordered_map<std::string, std::uint64_t> open_;  ///< where each open file goes on
    Payload payload_;
};

}  // namespace tidemark::source
