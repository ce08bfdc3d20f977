#pragma once

#include <filesystem>

#include "base/file.h"
#include "storage/storage.h"

namespace tidemark::storage {

/// Names that start so belong to files still being written.
constexpr std::string_view kUnfinishedPrefix = ".unfinished-";

/// Throws Unavailable if the root of a FileStorage is not a directory now.
void requireRoot(const std::filesystem::path& root);

/// Writes one file of a FileStorage: see there for the promise. Keeps at most kFileWriteSize bytes in memory and lets
/// the disk work while it writes, so that the final fsync of a file of gigabytes is short.
class FileWriter : public ObjectWriter {
public:
    /// Makes missing directories between `root` and the file. Throws AlreadyExists if `path` is taken, and Unavailable,
    /// as finish() does, if the root goes meanwhile.
    FileWriter(const std::filesystem::path& root, std::filesystem::path path, std::string url);
    ~FileWriter() override;

    void append(ByteView bytes) override;
    void finish() override;

private:
    template <typename Work>
    void inItsPlace(Work work);
    void openUnfinished();
    void flush(ByteView bytes);
    /// Starts writing what is new, and waits for what was started long ago, so that neither dirty pages nor the time of
    /// the fsync grow with the file.
    void keepDiskBusy();
    /// Gives up the page cache's copy of what is on the disk up to there: a backup of gigabytes must not push out what
    /// the databases beside it have cached, and pages that are used again at once cost half of those that are not.
    void leaveCache(std::uint64_t until);
    void publish();

    const std::filesystem::path root_;
    const std::filesystem::path path_;
    const std::string url_;
    std::filesystem::path unfinished_;
    Fd fd_;
    Bytes buffer_;
    std::uint64_t written_ = 0;
    std::uint64_t started_ = 0;  ///< bytes whose writing to the disk was begun
    std::uint64_t settled_ = 0;  ///< bytes that are on the disk and no longer in the page cache
};

/// Whether a file of that name is left over from a writer that no longer runs; if so it is removed.
bool removeIfAbandoned(const std::filesystem::path& unfinished);

}  // namespace tidemark::storage
