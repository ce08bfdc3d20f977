#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace tidemark::source {

/// What mariadb-backup's present stage (BACKUP STAGE …) holds up in the server.
enum class Stage {
    Harmless,      ///< nothing that anybody would notice
    WaitsToBegin,  ///< new DDL and LOCK TABLES, which wait behind it: START, until those that run have ended
    HoldsDdl,      ///< DDL, and writes to tables of MyISAM and Aria: BLOCK_DDL
    HoldsCommits,  ///< and every commit: BLOCK_COMMIT
};

/// Follows the stages in mariadb-backup's log while it is being written. Not thread-safe.
class StageLog {
public:
    explicit StageLog(std::filesystem::path log) : log_(std::move(log)) {}

    /// Reads what is new. A log that is not there yet, or cannot be read just now, changes nothing.
    Stage update() noexcept;

private:
    void take(char byte);

    const std::filesystem::path log_;
    std::uint64_t read_ = 0;  // bytes of the log
    std::string line_;        // the last, as far as it is there
    Stage stage_ = Stage::Harmless;
};

}  // namespace tidemark::source
