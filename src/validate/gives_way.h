#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "base/mutex.h"
#include "mysql/sql_client.h"

namespace tidemark::validate {

/// Has a session that reads tables give way to statements that wait for what it holds: DDL waits for the end of every
/// statement that uses the table, and all later statements on that table wait behind the DDL.
///
/// A thread looks what waits on the server, and ends (KILL QUERY) a statement of the session during which it has seen
/// some twice. Which table they wait for no view tells, so it may be another one.
class GivesWay {
public:
    static constexpr std::chrono::milliseconds kLookInterval{250};

    /// `session`: its CONNECTION_ID(). References outlive it.
    GivesWay(mysql::Endpoint server, std::string session);

    /// Runs a statement of the session. False if it was ended so; what it threw then is nobody's. The session's next
    /// statement may be ended in its place.
    bool run(const std::function<void()>& statement);

private:
    void watch(const std::stop_token& stop);
    std::optional<std::uint64_t> running() EXCLUDES(mutex_);
    void end(mysql::SqlClient& by, std::uint64_t number) EXCLUDES(mutex_);
    bool stopRunning() EXCLUDES(mutex_);

    const mysql::Endpoint server_;
    const std::string session_;
    Mutex mutex_;
    std::uint64_t number_ GUARDED_BY(mutex_) = 0;  ///< of the statement
    bool running_ GUARDED_BY(mutex_) = false;
    bool gave_way_ GUARDED_BY(mutex_) = false;
    std::jthread watcher_;  ///< last: it uses all of the above
};

}  // namespace tidemark::validate
