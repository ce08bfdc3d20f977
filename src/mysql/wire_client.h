#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mysql/wire_connection.h"

namespace tidemark::mysql {

/// A connection to a server for the archiver: logs in with mysql_native_password, sets up
/// its session by kSessionSettings, runs simple statements, and is then
/// read as a binlog stream. libmariadb is not used for it, because its calls cannot be woken from another thread, and
/// its replication calls break at each change of the binlog file (docs/decisions/archive.md). Not thread-safe.
class WireClient {
public:
    /// Throws Unavailable if the server cannot be reached or does not answer in time, Denied if it refuses the login,
    /// Cancelled (as every call) once `stop` is requested.
    WireClient(const Endpoint& endpoint, std::stop_token stop);

    /// A statement whose answer is a row: its first column, nullopt for NULL or no row. For others nullopt.
    std::optional<std::string> query(std::string_view statement);
    /// Sends a command (its code first) and reads its OK.
    void command(ByteView payload);

    WireConnection& connection() { return connection_; }

private:
    void login(const Endpoint& endpoint);
    void finishLogin(const std::string& password);
    Deadline answerDeadline() const { return after(answer_limit_); }

    WireConnection connection_;
    std::chrono::milliseconds answer_limit_;
};

}  // namespace tidemark::mysql
