#include "front/error_reply.h"

#include "mysql/reply.h"

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

}  // namespace

Bytes errorReply(std::uint8_t sequence, const Error& error) {
    std::string message = error.what();
    if (!error.hint().empty()) message += " (hint: " + error.hint() + ")";
    const bool own = !error.sql() || isOfAClient(*error.sql());
    return mysql::errorReply(sequence, own ? codeOf(error.code()) : *error.sql(), message);
}

Error internalError() {
    return {ErrorCode::Internal, "Tidemark failed to handle this; its log says more",
            "report it together with the daemon's log"};
}

}  // namespace tidemark::front
