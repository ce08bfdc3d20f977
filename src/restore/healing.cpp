#include "restore/healing.h"

#include "oceanbase/ob_error.h"

namespace tidemark::restore {

bool mayHeal(const Error& error) {
    return error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::NoSpace;
}

bool isAway(const Error& error) {
    if (error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::Denied) return true;
    // An empty directory, below which nothing is mounted.
    return is(error, Ob::FormatFileNotExist);
}

}  // namespace tidemark::restore
