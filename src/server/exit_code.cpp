#include "server/exit_code.h"

#include <sysexits.h>

namespace tidemark::server {

int exitCode(ErrorCode code) {
    switch (code) {
        case ErrorCode::NotFound:
            return EX_UNAVAILABLE;
        case ErrorCode::AlreadyExists:
        case ErrorCode::NoSpace:
            return EX_CANTCREAT;
        case ErrorCode::InvalidRequest:
            return EX_CONFIG;
        case ErrorCode::Denied:
            return EX_NOPERM;
        case ErrorCode::Conflict:
        case ErrorCode::Unavailable:
        case ErrorCode::Cancelled:
            return EX_TEMPFAIL;
        case ErrorCode::Corrupt:
            return EX_DATAERR;
        case ErrorCode::Internal:
            return EX_SOFTWARE;
    }
    return EX_SOFTWARE;
}

}  // namespace tidemark::server
