#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace tidemark::backup_set {

/// What tidemark-mount and the daemon tell each other, by files in one directory of a tenant: either may end and begin
/// again at any moment.
struct MountFiles {
    std::filesystem::path directory;

    std::filesystem::path source() const { return directory / "source"; }  ///< the daemon's: what is opened
    std::filesystem::path lock() const { return directory / "lock"; }  ///< held by the one tidemark-mount that serves
    /// The daemon's. Is there: fetch what is missing, so many bytes per second; 0: no limit.
    std::filesystem::path hydrate() const { return directory / "hydrate"; }
    std::filesystem::path progress() const { return directory / "progress"; }  ///< MountProgress, replaced as it moves
    std::filesystem::path complete() const { return directory / "complete"; }  ///< is there: all is local, and durable
    std::filesystem::path failure() const { return directory / "failure"; }    ///< MountFailure: why it has ended
};

struct MountProgress {
    std::uint64_t missing = 0;  ///< pages that are not local
    std::uint64_t pages = 0;    ///< of all files
    std::string problem;        ///< what is in the way of fetching; empty: nothing

    std::string text() const;
    /// nullopt for what is no progress.
    static std::optional<MountProgress> from(const std::string& text);
};

struct MountFailure {
    bool no_mount = false;  ///< nothing can be mounted here; else it is the set
    bool may_heal = false;
    std::string what;

    std::string text() const;
    static std::optional<MountFailure> from(const std::string& text);
};

}  // namespace tidemark::backup_set
