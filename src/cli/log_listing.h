#pragma once

#include <optional>
#include <string>

namespace tidemark::cli {

/// `tidemark log`: what lies in a log archive, read from the destination itself, without a node.
struct LogCommand {
    std::string uri;
    std::optional<std::string> from;   ///< time, 'YYYY-MM-DD HH:MM:SS[.ffffff]'
    std::optional<std::string> until;  ///< the same, inclusive
    bool ddl_only = false;             ///< only what changed definitions: to find the moment before a DROP
    bool json = false;
};

/// Prints one line per transaction: SCN, time, GTID, size, and the text of a DDL without its passwords. Without JSON
/// the restorable ranges come first. Returns 0; throws what is wrong with the destination or its objects.
int listLog(const LogCommand& command);

/// The text up to where a password could begin.
std::string withoutSecrets(const std::string& statement);

}  // namespace tidemark::cli
