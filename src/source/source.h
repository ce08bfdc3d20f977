#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_map>

namespace tidemark::source {

/// What comes next in a stream of files. (Rename and Remove may also speak of files that were never sent.) Files begin
/// with their first Data (or, empty ones, with End) and may come interleaved; within a file, Data follows Data without
/// gaps, except that a source may go back into the file's first 2 MiB before its End.
struct Chunk {
    enum class Kind {
        Data,    ///< `size` bytes at `offset` of `path`, to be taken by read()
        End,     ///< `path` is complete
        Rename,  ///< the complete file `path` is called `new_path` from now on, taking the place of a file of that name
        Remove,  ///< the complete file `path`, or all below the directory `path`, or all that begins with `path` if
                 ///< that ends in '*', does not belong to the stream any more
    };
    Kind kind = Kind::Data;
    std::string path;  ///< relative to the data directory
    std::string new_path;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    bool replaces = false;  ///< Data, at the beginning of a file: takes the place of a complete file of that name
};

/// What a source expects to deliver; an estimate, since the tenant goes on working.
struct SourceTotals {
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
    std::uint64_t tablets = 0;                             ///< files for which isTablet() holds
    std::unordered_map<std::string, std::uint64_t> sizes;  ///< of each file, by path
};

/// What the stream is a copy of; known once it is complete.
struct SourceFacts {
    std::string gtid;         ///< GTID position to which the copy is consistent; empty if the tenant had none yet
    std::string binlog_file;  ///< the same as a file and a position in it
    std::uint64_t binlog_position = 0;
    std::uint64_t from_lsn = 0;
    std::uint64_t to_lsn = 0;    ///< checkpoint from which the copied redo log begins
    std::uint64_t last_lsn = 0;  ///< to which it reaches
    std::string server_version;
    /// Pages whose own checksum is wrong in the tenant itself, by file: "20 21 …", at most kMostNamed in kMostFiles; and how
    /// many there are. They were copied as they are.
    std::map<std::string, std::string> wrong_pages;
    std::uint64_t wrong_page_count = 0;
    static constexpr std::uint64_t kMostNamed = 1000;
    static constexpr std::size_t kMostFiles = 200;
};

/// A consistent stream of a tenant's files.
///
/// open(), next(), read() and finish() are called in this order by one thread, which has to live until the source is
/// destroyed (a child process may be bound to it). Destroying a source that is not finished ends it at once and frees
/// whatever it held in the tenant.
class Source {
public:
    virtual ~Source() = default;

    /// Measures before the start. Takes milliseconds per thousand files.
    virtual SourceTotals measure() = 0;
    /// `stop` makes every later call throw Cancelled, soon and also while it waits for bytes.
    virtual void open(std::stop_token stop) = 0;
    /// The next chunk, or nullopt at the end of the stream. All bytes of the last one must have been read.
    virtual std::optional<Chunk> next() = 0;
    /// Exactly the next into.size() bytes of the current Data chunk. The last bytes of a chunk are returned only if the
    /// chunk's checksum fits (Corrupt otherwise).
    virtual void read(std::span<std::uint8_t> into) = 0;
    /// Verifies that the stream is whole. Throws if anything is missing, with the cause if one is known.
    virtual SourceFacts finish() = 0;

    /// Whether the tenant's clients are held up until the rest of the stream is taken: then nobody must take his time
    /// with it. Any thread, while the source is open.
    virtual bool holdsUpTenant() const { return false; }

    /// Whether the tenant has a file of that path at this moment. A source that cannot tell says so of all.
    virtual bool has(const std::string& path) const;
};

/// Whether a file is the data of a tablespace or table (and not a definition, an index file or a log).
bool isTablet(const std::string& path);

}  // namespace tidemark::source
