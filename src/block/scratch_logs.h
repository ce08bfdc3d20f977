#pragma once

#include <vector>

#include "block/scratch.h"

namespace tidemark::block {

/// Logs with numbers 0, 1, 2 …: what is appended to one is read back together. In a scratch file but for 4 KiB each.
/// Not thread-safe.
class ScratchLogs {
public:
    explicit ScratchLogs(const std::filesystem::path& directory) : file_(directory) {}

    void append(std::size_t log, ByteView bytes);
    Bytes read(std::size_t log) const;
    std::size_t count() const { return logs_.size(); }

private:
    static constexpr std::size_t kBlockSize = 4096;
    struct Log {
        std::vector<std::uint32_t> blocks;
        Bytes end;  ///< what does not fill a block yet
    };

    ScratchFile file_;
    std::vector<Log> logs_;
    std::uint32_t next_block_ = 0;
};

}  // namespace tidemark::block
