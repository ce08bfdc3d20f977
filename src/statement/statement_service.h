#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/password_key.h"
#include "mysql/sql_client.h"

namespace tidemark::statement {

struct StatementResult {
    std::vector<std::string> columns;                           ///< empty: the answer is an OK packet
    std::vector<std::vector<std::optional<std::string>>> rows;  ///< one text (or NULL) per column
    std::uint64_t affected_rows = 0;
};

/// What statements of one session leave for later ones of it, until it ends or is reset. Its statements run one after
/// another, so nobody else looks at it meanwhile.
struct SessionMemory {
    std::optional<StatementResult> restore_preview;
    std::optional<PasswordKey> encryption;  ///< SET ENCRYPTION; until a backup was started
    std::vector<Secret> decryption;         ///< passwords of SET DECRYPTION
};

/// On whose behalf a statement runs: what the tenant itself said of the session.
struct Caller {
    std::string tenant;         ///< name of the session's tenant; "sys" for the sys tenant
    std::string user;           ///< CURRENT_USER(), e.g. "root@%"
    std::string database;       ///< the session's default database, may be empty
    bool alter_system = false;  ///< may run Tidemark's own statements (see docs/sql.md, privileges)
    std::shared_ptr<SessionMemory> memory = std::make_shared<SessionMemory>();
};

/// The only door from a client session to the engine. Thread-safe.
class StatementService {
public:
    virtual ~StatementService() = default;

    /// Whether the text is one of Tidemark's own statements (also a misspelt one that no MariaDB could understand, such
    /// as any ALTER SYSTEM …), so that it must not go to the tenant. Cheap, no I/O; called for every query of every
    /// client, so it decides on the first words.
    virtual bool isOwn(std::string_view text) const = 0;

    /// How many `?` the statement has. Throws Ob::ParseSql if it is no valid statement. No I/O.
    virtual std::size_t parameterCount(std::string_view text) const = 0;

    /// The tenant whose things it touches: the caller's own, or the one that a statement of sys names. No I/O.
    virtual std::string about(const Caller& caller, std::string_view text,
                              const std::vector<mysql::Value>& parameters) const = 0;

    /// Runs it. Blocks (seconds, for CREATE TENANT): call from a worker thread. Throws Error.
    virtual StatementResult execute(const Caller& caller, std::string_view text,
                                    const std::vector<mysql::Value>& parameters) = 0;
};

}  // namespace tidemark::statement
