#include "block/scratch_logs.h"

#include <algorithm>

namespace tidemark::block {

void ScratchLogs::append(std::size_t log, ByteView bytes) {
    if (log >= logs_.size()) logs_.resize(log + 1);
    Log& to = logs_[log];
    to.end.insert(to.end.end(), bytes.begin(), bytes.end());
    std::size_t written = 0;
    for (; to.end.size() - written >= kBlockSize; written += kBlockSize) {
        to.blocks.push_back(next_block_++);
        file_.write(std::uint64_t{to.blocks.back()} * kBlockSize, ByteView(to.end).subspan(written, kBlockSize));
    }
    to.end.erase(to.end.begin(), to.end.begin() + static_cast<std::ptrdiff_t>(written));
}

Bytes ScratchLogs::read(std::size_t log) const {
    const Log& from = logs_.at(log);
    Bytes bytes(from.blocks.size() * kBlockSize);
    for (std::size_t i = 0; i < from.blocks.size(); ++i) {
        file_.read(std::uint64_t{from.blocks[i]} * kBlockSize, std::span(bytes).subspan(i * kBlockSize, kBlockSize));
    }
    bytes.insert(bytes.end(), from.end.begin(), from.end.end());
    return bytes;
}

}  // namespace tidemark::block
