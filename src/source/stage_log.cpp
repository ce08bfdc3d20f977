#include "source/stage_log.h"

#include <fcntl.h>

#include "base/file.h"

namespace tidemark::source {
namespace {

/// Longer lines are names of files or texts of queries, and none that is looked for here.
constexpr std::size_t kLongestLine = 1000;
constexpr std::size_t kReadSize = 64 << 10;

}  // namespace

void StageLog::take(char byte) {
    if (byte != '\n') {
        if (line_.size() < kLongestLine) line_ += byte;
        return;
    }
    // As mariadb-backup 10.11 words them.
    if (line_.ends_with("Starting BACKUP STAGE START")) stage_ = Stage::WaitsToBegin;
    if (line_.ends_with("Acquired locks for BACKUP STAGE START")) stage_ = Stage::Harmless;
    if (line_.ends_with("Acquired locks for BACKUP STAGE BLOCK_DDL")) stage_ = Stage::HoldsDdl;
    if (line_.ends_with("Starting BACKUP STAGE BLOCK_COMMIT")) stage_ = Stage::HoldsCommits;
    if (line_.ends_with("All tables unlocked")) stage_ = Stage::Harmless;
    line_.clear();
}

Stage StageLog::update() noexcept {
    try {
        const Fd fd = openFile(log_, O_RDONLY);
        for (Bytes bytes(kReadSize);;) {
            const std::size_t got = readAt(fd.get(), bytes, read_, log_);
            for (std::size_t i = 0; i < got; ++i)
                take(static_cast<char>(bytes[i]));
            read_ += got;
            if (got < bytes.size()) break;
        }
    } catch (const std::exception&) {
        // What held before is taken to hold still.
    }
    return stage_;
}

}  // namespace tidemark::source
