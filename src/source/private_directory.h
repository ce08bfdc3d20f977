#pragma once

#include <filesystem>

namespace tidemark::source {

/// A directory (0700) that is removed with everything in it when this ends.
class PrivateDirectory {
public:
    /// Made below `parent`; empty: below the system's temporary directory.
    explicit PrivateDirectory(const std::filesystem::path& parent);
    ~PrivateDirectory();
    PrivateDirectory(const PrivateDirectory&) = delete;
    PrivateDirectory& operator=(const PrivateDirectory&) = delete;

    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace tidemark::source
