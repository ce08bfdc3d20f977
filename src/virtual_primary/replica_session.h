#pragma once

#include <optional>
#include <string>

#include "mysql/gtid.h"
#include "mysql/wire_connection.h"
#include "virtual_primary/virtual_primary.h"

namespace tidemark::virtual_primary {

/// What a replica has said about itself before it asks for the log.
struct ReplicaWishes {
    std::optional<mysql::GtidPosition> connect_state;
    std::optional<mysql::GtidPosition> until;
    std::chrono::milliseconds heartbeat{1000};
    bool annotate_rows = false;
};

/// One connection of a replica: login, the questions that MariaDB 10.11's replica asks, then the log. Not thread-safe.
class ReplicaSession {
public:
    ReplicaSession(mysql::WireConnection& connection, const archive::ArchiveReader& reader,
                   const VirtualPrimaryOptions& options, ServingState& state);

    /// Returns when the replica says goodbye; throws Error when it does something else.
    void run();

private:
    void login();
    void answerQuery(std::string_view text);
    void dump(ByteView command);
    void sendOk();
    void sendError(int number, const std::string& text);
    void sendRow(const std::vector<std::string>& names, const std::vector<std::string>& values);
    void sendEof();

    mysql::WireConnection& connection_;
    const archive::ArchiveReader& reader_;
    const VirtualPrimaryOptions& options_;
    ServingState& state_;
    ReplicaWishes wishes_;
};

/// Takes what `SET @name= value` says into the wishes; other names are ignored. Throws InvalidRequest for a position or
/// number that is none.
void applySetting(std::string_view statement, ReplicaWishes& wishes);

}  // namespace tidemark::virtual_primary
