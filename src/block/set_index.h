#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "block/layer_key.h"
#include "block/page.h"

namespace tidemark::block {

/// What an index may list, by whoever writes or reads it.
struct IndexLimits {
    std::uint64_t files = 4 << 20;
    std::uint64_t groups = 64 << 10;  ///< 256 KiB at least, which tell of 500 MB: 32 TB of files
    std::uint64_t layers = 1024;
    std::uint64_t objects = 64 << 10;    ///< of all layers together
    std::uint64_t directory = 64 << 20;  ///< bytes of what lists all of these
};

/// A layer that pages of the set lie in.
struct IndexLayer {
    struct Object {
        std::uint32_t number = 0;
        std::uint64_t size = 0;
    };
    LayerId id;
    bool incremental = false;  ///< the set that it is of
    std::vector<Object> objects;
};

struct IndexTotals {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;         ///< of all files
    std::uint64_t stored_pages = 0;  ///< that are no zeros
    std::uint64_t frame_bytes = 0;   ///< stored size of all frames that have one of them
};

/// Pages of a file that follow each other in a frame, or are zeros.
struct PageRun {
    std::uint32_t first_page = 0;
    std::uint32_t pages = 0;
    std::optional<std::uint32_t> frame;  ///< which of FileMap::frames; none: zeros
    std::uint32_t offset = 0;            ///< in the plain frame
};

/// Where pages of one file are. A file of more than kPagesPerMap pages has several maps.
struct FileMap {
    std::string path;
    std::uint64_t size = 0;  ///< of the whole file
    std::uint32_t first_page = 0;
    std::uint32_t pages = 0;
    std::vector<FramePlace> frames;
    std::vector<PageRun> runs;     ///< of all pages, in order
    std::vector<PageHash> hashes;  ///< of those that are no zeros

    /// Bytes of `run`: all pages are whole but the last one of the file.
    std::uint64_t bytesOf(const PageRun& run) const {
        const std::uint64_t begin = std::uint64_t{run.first_page} * kPageSize;
        return std::min(size, begin + std::uint64_t{run.pages} * kPageSize) - begin;
    }
};
constexpr std::uint32_t kPagesPerMap = 64 << 10;

/// The index of a set, opened by its end alone. What it says was checked against itself; every path stays below the
/// data directory. Thread-safe.
class SetIndex {
public:
    /// `chain`: of a set that is encrypted. Throws NotFound or Corrupt, naming the object; Denied for want of the key;
    /// InvalidRequest if a newer version wrote it.
    SetIndex(storage::Storage& storage, storage::Key key, std::uint32_t set_id, const ChainKeyPtr& chain = {},
             const IndexLimits& limits = {});

    /// The first one is the set's own.
    const std::vector<IndexLayer>& layers() const { return layers_; }
    const IndexTotals& totals() const { return totals_; }
    /// XXH3 of the directory, which with the groups' own checksums stands for all of it.
    std::uint64_t checksum() const { return checksum_; }
    /// What names its pages, and theirs in other layers.
    const LayerKey& layerKey() const { return *layer_key_; }
    /// For errors.
    std::string name() const;

    /// The head, which nobody else reads: it is for those who find the object alone. Throws Corrupt.
    void checkHead() const;
    /// Reads all of it, in order of paths. Throws Corrupt, also if it is not what the totals say.
    void eachMap(const std::function<void(const FileMap&)>& visit) const;
    /// The maps of one file; empty if there is none. One read, if its pages are told in one group.
    std::vector<FileMap> find(const std::string& path) const;

    /// The maps are told in groups, numbered from 0: which of them has this page of a file, if any does. Needs no read.
    std::size_t groupOf(const std::string& path, std::uint32_t page) const;
    /// All maps of a group, in order of path and page. Throws Corrupt.
    std::vector<FileMap> group(std::size_t number) const;

private:
    struct Group {
        std::string first_path;
        std::uint32_t first_page = 0;
        std::uint64_t offset = 0;
        std::uint64_t size = 0;  ///< with the seal
    };

    [[noreturn]] void fail(const std::string& what) const;
    void readDirectory(ByteReader in, std::uint64_t end);
    Bytes readGroup(std::size_t number) const;
    /// Calls `visit(FileMap)`.
    template <typename Visit>
    void eachMapOf(std::size_t group, Visit visit) const;

    storage::Storage& storage_;
    const storage::Key key_;
    const IndexLimits limits_;
    LayerId layer_;
    std::optional<LayerKey> layer_key_;
    std::vector<IndexLayer> layers_;
    IndexTotals totals_;
    std::vector<Group> groups_;
    std::uint64_t checksum_ = 0;
};

}  // namespace tidemark::block
