#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace tidemark {

/// What a caller can do about a failure. One code per possible *reaction*; the detail goes into the message.
enum class ErrorCode {
    NotFound,        ///< what was named does not exist
    AlreadyExists,   ///< what was to be made is already there
    InvalidRequest,  ///< the request can never succeed as written
    Denied,          ///< the caller lacks a privilege, or the operating system refused access
    Conflict,        ///< the state forbids it now; the state has to change first
    Unavailable,     ///< a passing failure: the same call may succeed later
    NoSpace,         ///< a disk or quota is full
    Corrupt,         ///< stored bytes are not what was written
    Cancelled,       ///< somebody asked for the work to stop
    Internal,        ///< a defect in Tidemark
};

/// An SQLSTATE, by value: five characters. Of anything shorter or longer it keeps what fits, the rest is '0'.
class SqlState {
public:
    constexpr SqlState(std::string_view text) {
        for (std::size_t i = 0; i < text.size() && i < state_.size(); ++i)
            state_[i] = text[i];
    }
    constexpr SqlState(const char* text) : SqlState(std::string_view(text)) {}
    constexpr operator std::string_view() const { return {state_.data(), state_.size()}; }
    friend constexpr bool operator==(const SqlState& state, std::string_view text) {
        return std::string_view(state) == text;
    }

private:
    std::array<char, 5> state_{'0', '0', '0', '0', '0'};
};

/// The number and SQLSTATE that a client sees, where OceanBase has one for the case (see ob_error.h).
struct SqlCode {
    int number = 0;
    SqlState sqlstate = "HY000";
};

/// The one exception class. The thrower says what happened to what, with names and sizes, and does not log;
/// outer layers add on whose behalf once, with `in()`; whoever handles it logs it once.
/// `hint` tells an operator what to do and may be empty.
class Error : public std::runtime_error {
public:
    Error(ErrorCode code, const std::string& message, std::string hint = {});
    Error(ErrorCode code, SqlCode sql, const std::string& message, std::string hint = {});

    ErrorCode code() const { return code_; }
    const std::optional<SqlCode>& sql() const { return sql_; }
    const std::string& hint() const { return hint_; }

    /// The same error with `context: ` before its message, e.g. "restoring tenant acme".
    Error in(const std::string& context) const;

private:
    ErrorCode code_;
    std::optional<SqlCode> sql_;
    std::string hint_;
};

const char* name(ErrorCode code);

/// Throws an Error for a failed system call, from `error_number` (errno): ENOENT → NotFound, EACCES/EPERM/EROFS →
/// Denied, ENOSPC/EDQUOT → NoSpace, EEXIST → AlreadyExists, anything else → Unavailable.
/// The message reads "<what>: <text of errno>".
[[noreturn]] void throwErrno(int error_number, const std::string& what);

}  // namespace tidemark
