#include "front/error_reply.h"

#include <fmt/format.h>

#include "mysql/reply.h"
#include "oceanbase/ob_error.h"

namespace tidemark::front {
namespace {

/// OceanBase's numbers for what has no number of its own; MySQL's where clients act on them.
SqlCode codeOf(ErrorCode code) {
    switch (code) {
        case ErrorCode::NotFound:
            return {4018, "HY000"};  // OB_ENTRY_NOT_EXIST
        case ErrorCode::AlreadyExists:
            return {4017, "HY000"};  // OB_ENTRY_EXIST
        case ErrorCode::InvalidRequest:
            return {1210, "HY000"};  // ER_WRONG_ARGUMENTS, OB_INVALID_ARGUMENT
        case ErrorCode::Denied:
            return {1227, "42501"};  // OB_ERR_NO_PRIVILEGE
        case ErrorCode::Conflict:
            return {4179, "HY000"};  // OB_OP_NOT_ALLOW
        case ErrorCode::Unavailable:
            return {4009, "HY000"};  // OB_IO_ERROR
        case ErrorCode::NoSpace:
            return {9082, "HY000"};  // OB_BACKUP_DEVICE_OUT_OF_SPACE
        case ErrorCode::Corrupt:
            return {4103, "HY000"};  // OB_CHECKSUM_ERROR
        case ErrorCode::Cancelled:
            return {4072, "HY000"};  // OB_CANCELED
        case ErrorCode::Internal:
            break;
    }
    return {4016, "HY000"};  // OB_ERR_UNEXPECTED
}

/// Numbers from 2000 on are what a client library says of its own connection, here of ours to a tenant. Drivers would
/// take them for a loss of theirs.
bool isOfAClient(const SqlCode& code) {
    return code.number >= 2000 && code.number < 3000;
}

/// Number and message as OceanBase has them in ORACLE mode: few errors have a twin there, the others are 600 with their
/// own number in the text. The SQLSTATE is the same.
void putInOracleForm(SqlCode& code, std::string& message) {
    switch (code.number) {
        case 1064:
            code.number = 900;
            message = "ORA-00900: " + message;
            return;
        case 1227:
            code.number = 1031;
            message = "ORA-01031: insufficient privileges";
            return;
        case 4688:
            code.number = 16000;
            message = "ORA-16000: database or pluggable database open for read-only access";
            return;
        default:
            message = fmt::format("ORA-00600: internal error code, arguments: -{}, {}", obNumber(code.number), message);
            code.number = 600;
    }
}

}  // namespace

Bytes errorReply(std::uint8_t sequence, const Error& error, bool oracle) {
    const bool own = !error.sql() || isOfAClient(*error.sql());
    SqlCode code = own ? codeOf(error.code()) : *error.sql();
    std::string message = error.what();
    if (oracle) putInOracleForm(code, message);
    if (!error.hint().empty()) message += " (hint: " + error.hint() + ")";
    return mysql::errorReply(sequence, code, message);
}

Error internalError() {
    return {ErrorCode::Internal, "Tidemark failed to handle this; its log says more",
            "report it together with the daemon's log"};
}

Error nodeEnds() {
    return {ErrorCode::Unavailable, SqlCode{1053, "08S01"}, "Server shutdown in progress: this node ends",
            "connect again when it has started; whether a statement that ran took effect is not known"};
}

}  // namespace tidemark::front
