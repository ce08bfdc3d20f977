#pragma once

#include <atomic>
#include <exception>
#include <list>
#include <string>
#include <thread>

#include "archive/archive_reader.h"
#include "base/file.h"
#include "base/mutex.h"

namespace tidemark::virtual_primary {

struct VirtualPrimaryOptions {
    archive::RoundKey round;
    Scn until = 0;                ///< nothing above is ever sent
    std::uint32_t server_id = 0;  ///< differs from the replica's, which would refuse it otherwise
};

/// What all sessions share; any thread.
struct ServingState {
    std::string user;
    std::string password;  ///< one-time
    std::atomic<std::uint64_t> sent_bytes = 0;

    void fail(std::exception_ptr failure);
    std::exception_ptr failure() const;

private:
    mutable Mutex mutex_;
    std::exception_ptr failure_ GUARDED_BY(mutex_);
};

/// Serves an archived round to replicas as the server that wrote it would: a MariaDB primary made of a log archive.
/// Listens on a port of 127.0.0.1 that the system chooses, for an account that exists for its lifetime only. A replica
/// asks by GTID; it gets everything after its position up to `until`, and then heartbeats; or up to its own UNTIL,
/// which must not lie beyond.
///
/// Threads: one that listens, two for each replica (docs/decisions/virtual_primary.md). `reader` must outlive it and
/// must not be refreshed meanwhile.
class VirtualPrimary {
public:
    /// Listens when it returns.
    VirtualPrimary(const archive::ArchiveReader& reader, const VirtualPrimaryOptions& options);
    /// Ends all sessions.
    ~VirtualPrimary();
    VirtualPrimary(const VirtualPrimary&) = delete;
    VirtualPrimary& operator=(const VirtualPrimary&) = delete;

    unsigned port() const { return port_; }
    const std::string& user() const { return state_.user; }
    const std::string& password() const { return state_.password; }

    std::uint64_t sentBytes() const { return state_.sent_bytes; }
    /// Why the log could not be read on, if so: a damaged object, say. The replica has been told too.
    std::exception_ptr failure() const { return state_.failure(); }

private:
    struct Session {
        std::atomic<bool> ended = false;
        std::jthread thread;
    };

    void listen(std::stop_token stop);
    void serve(Session& session, Fd socket, std::stop_token stop);

    const archive::ArchiveReader& reader_;
    const VirtualPrimaryOptions options_;
    ServingState state_;
    Fd listener_;
    unsigned port_ = 0;
    std::list<Session> sessions_;  // of the listening thread
    std::jthread thread_;
};

}  // namespace tidemark::virtual_primary
