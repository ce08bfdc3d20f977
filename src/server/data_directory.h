#pragma once

#include <filesystem>

#include "base/file.h"

namespace tidemark::server {

/// The daemon's data directory and the right to use it. It holds
///
///     tidemark-data     says that it is one, and in which layout
///     lock              held by the running daemon, with its pid
///     node.key          base/node_key.h
///     template/         the data directory that tenants are copied from
///     t/<tenant id>/    a tenant: tenant/tenant_paths.h
///     v/<tenant id>/    a server that a validation restores a set of the tenant into: tenant/throwaway_server.h
///
/// The lock is the kernel's (flock): it ends with the process, however that ends, and the databases do not inherit it.
class DataDirectory {
public:
    /// Makes the directory (0700) if it does not exist. Throws Conflict, naming the pid, if another daemon uses it, and
    /// InvalidRequest if it is neither empty nor a data directory, comes from a newer Tidemark, or if its path is too
    /// long for the sockets in it.
    explicit DataDirectory(std::filesystem::path root);

    const std::filesystem::path& root() const { return root_; }
    std::filesystem::path tenants() const { return root_ / "t"; }
    std::filesystem::path throwaways() const { return root_ / "v"; }
    std::filesystem::path templates() const { return root_ / "template"; }
    std::filesystem::path nodeKey() const { return root_ / "node.key"; }

    /// Lets another daemon have it, as the end of this process does. For a process that has to end and cannot, since
    /// the kernel keeps a thread of it in a file system that hangs, and with it all that is open.
    void unlock();

private:
    void checkContent() const;
    void lock();

    const std::filesystem::path root_;
    Fd lock_;
};

}  // namespace tidemark::server
