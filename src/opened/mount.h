#pragma once

#include <filesystem>
#include <memory>

#include "base/log.h"
#include "opened/opened_set.h"

struct fuse;

namespace tidemark::opened {

/// Shows the data directory of an opened set as a file system (libfuse3). Its files are read and written through
/// OpenedSet; names, rights and times are those of its local directory, which nobody changes but through the mount.
///
/// What a statement needs and the set does not give is EIO for it, and an error in the log that names the object.
///
/// An fsync of a file makes that file durable, one of the top directory everything: for who has changed many files
/// without a sync, as --prepare does. What is dirty in the kernel comes with the close of its file.
class Mount {
public:
    /// `at` is an empty directory. Throws Unavailable if it cannot be mounted (no /dev/fuse, no fusermount3).
    Mount(OpenedSet& set, const std::filesystem::path& at, Logger log);
    ~Mount();
    Mount(const Mount&) = delete;
    Mount& operator=(const Mount&) = delete;

    /// Serves until it is unmounted, by whoever does that. Threads of its own; call once. Throws Unavailable if it ends
    /// otherwise.
    void serve();

private:
    struct Served;

    std::unique_ptr<Served> served_;
    fuse* fuse_ = nullptr;
};

}  // namespace tidemark::opened
