#include "base/error.h"

#include <cerrno>
#include <system_error>
#include <utility>

namespace tidemark {

Error::Error(ErrorCode code, const std::string& message, std::string hint)
    : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

Error::Error(ErrorCode code, SqlCode sql, const std::string& message, std::string hint)
    : std::runtime_error(message), code_(code), sql_(sql), hint_(std::move(hint)) {}

Error Error::in(const std::string& context) const {
    Error outer(code_, context + ": " + what(), hint_);
    outer.sql_ = sql_;
    return outer;
}

const char* name(ErrorCode code) {
    switch (code) {
        case ErrorCode::NotFound:
            return "not found";
        case ErrorCode::AlreadyExists:
            return "already exists";
        case ErrorCode::InvalidRequest:
            return "invalid request";
        case ErrorCode::Denied:
            return "denied";
        case ErrorCode::Conflict:
            return "conflict";
        case ErrorCode::Unavailable:
            return "unavailable";
        case ErrorCode::NoSpace:
            return "no space";
        case ErrorCode::Corrupt:
            return "corrupt";
        case ErrorCode::Cancelled:
            return "cancelled";
        case ErrorCode::Internal:
            return "internal";
    }
    return "unknown";
}

static ErrorCode codeOfErrno(int error_number) {
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
            return ErrorCode::NotFound;
        case EACCES:
        case EPERM:
        case EROFS:
            return ErrorCode::Denied;
        case ENOSPC:
        case EDQUOT:
            return ErrorCode::NoSpace;
        case EEXIST:
        case ENOTEMPTY:
            return ErrorCode::AlreadyExists;
        default:
            return ErrorCode::Unavailable;
    }
}

void throwErrno(int error_number, const std::string& what) {
    throw Error(codeOfErrno(error_number), what + ": " + std::system_category().message(error_number));
}

}  // namespace tidemark
