#include "mysql/sql_client.h"

#include <errmsg.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <mysql.h>
#include <strings.h>

#include <cerrno>
#include <charconv>
#include <numeric>

#include "mysql/account_guard.h"
#include "mysql/session_settings.h"

namespace tidemark::mysql {
namespace {

ErrorCode codeOf(unsigned number) {
    switch (number) {
        case 1040:
        case 1053:
        case 1205:
        case 1213:
        case 1927:
        case 2002:
        case 2003:
        case 2006:
        case 2013:
        case 2055:
            return ErrorCode::Unavailable;
        case 1044:
        case 1045:
        case 1142:
        case 1227:
        case 1698:
            return ErrorCode::Denied;
        default:
            return ErrorCode::Internal;
    }
}

Error serverError(MYSQL* handle, std::string_view doing) {
    const unsigned number = mysql_errno(handle);
    return {codeOf(number), SqlCode{static_cast<int>(number), mysql_sqlstate(handle)},
            fmt::format("{}: {}", doing, mysql_error(handle))};
}

/// The verb and a few words: enough to find the statement, too little to leak what it carries.
std::string_view excerpt(std::string_view statement) {
    return statement.substr(0, std::min<std::size_t>(statement.size(), 60));
}

}  // namespace

const std::string& Row::text(std::size_t column) const {
    const auto& value = values_.at(column);
    if (!value) throw Error(ErrorCode::Internal, "column " + names_->at(column) + " is NULL");
    return *value;
}

std::size_t Row::position(std::string_view column) const {
    for (std::size_t i = 0; i < names_->size(); ++i) {
        const std::string& candidate = (*names_)[i];
        if (candidate.size() == column.size() && strncasecmp(candidate.data(), column.data(), column.size()) == 0)
            return i;
    }
    throw Error(ErrorCode::Internal, fmt::format("no column {} in the result", column));
}

/// A whole number, or what is before the point of one that is not.
template <typename Number>
static Number numberIn(const std::string& text, std::string_view column) {
    Number value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, problem] = std::from_chars(text.data(), end, value);
    if (problem == std::errc() && (rest == end || *rest == '.')) return value;
    throw Error(ErrorCode::Corrupt,
                fmt::format("column {} is '{}', which is no number here", column, text.substr(0, 40)));
}

std::int64_t Row::integer(std::string_view column) const {
    return numberIn<std::int64_t>(text(column), column);
}
std::uint64_t Row::unsignedInteger(std::string_view column) const {
    return numberIn<std::uint64_t>(text(column), column);
}

/// A connection that has logged in, or an error.
static std::unique_ptr<st_mysql, void (*)(st_mysql*)> login(const Endpoint& endpoint) {
    std::unique_ptr<st_mysql, void (*)(st_mysql*)> owned(mysql_init(nullptr), mysql_close);
    MYSQL* handle = owned.get();
    const auto connect_timeout = static_cast<unsigned>(endpoint.connect_timeout.count());
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
    if (endpoint.statement_timeout.count() > 0) {
        const auto timeout = static_cast<unsigned>(endpoint.statement_timeout.count());
        mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &timeout);
        mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &timeout);
    }
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &endpoint.result_limit);  // what is read at once: a row
    const auto text = [](const std::string& s) { return s.empty() ? nullptr : s.c_str(); };
    if (!mysql_real_connect(handle, text(endpoint.host), endpoint.user.c_str(), endpoint.password.c_str(),
                            text(endpoint.database), endpoint.port, text(endpoint.socket), CLIENT_MULTI_STATEMENTS)) {
        throw serverError(
            handle, "connecting to " + (endpoint.socket.empty() ? fmt::format("{}:{}", endpoint.host, endpoint.port)
                                                                : endpoint.socket));
    }
    return owned;
}

SqlClient::SqlClient(const Endpoint& endpoint) : handle_(nullptr, mysql_close), result_limit_(endpoint.result_limit) {
    const auto guard = guardOf(endpoint.socket, endpoint.user);
    connectGuarded(guard.get(), [&] {
        handle_ = login(endpoint);
        if (!endpoint.server_settings) applySettings();
        if (guard && scalar(guard->check()) != "1") throw accountIncomplete();
    });
}

void SqlClient::applySettings() {
    std::string settings;
    for (const std::string_view statement : kSessionSettings)
        settings.append(statement).append(";");
    script(settings);
}

Fd SqlClient::duplicateSocket() const {
    Fd duplicate(::fcntl(static_cast<int>(mysql_get_socket(handle_.get())), F_DUPFD_CLOEXEC, 0));
    if (!duplicate.valid()) throwErrno(errno, "duplicating the socket of a connection");
    return duplicate;
}

SqlClient::~SqlClient() = default;
SqlClient::SqlClient(SqlClient&&) noexcept = default;
SqlClient& SqlClient::operator=(SqlClient&&) noexcept = default;

std::string SqlClient::filled(std::string_view statement, const std::vector<Value>& values) {
    std::string text;
    std::size_t next = 0;
    for (const char c : statement) {
        if (c != '?' || values.empty()) {
            text += c;
            continue;
        }
        if (next == values.size())
            throw Error(ErrorCode::Internal, "too few values for: " + std::string(excerpt(statement)));
        const Value& value = values[next++];
        if (const auto* s = std::get_if<std::string>(&value)) {
            std::string escaped(2 * s->size() + 1, '\0');
            escaped.resize(mysql_real_escape_string(handle_.get(), escaped.data(), s->data(), s->size()));
            text += "'" + escaped + "'";
        } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
            text += std::to_string(*i);
        } else if (const auto* u = std::get_if<std::uint64_t>(&value)) {
            text += std::to_string(*u);
        } else if (const auto* d = std::get_if<double>(&value)) {
            text += fmt::format("{}", *d);
        } else {
            text += "NULL";
        }
    }
    if (next != values.size())
        throw Error(ErrorCode::Internal, "too many values for: " + std::string(excerpt(statement)));
    return text;
}

void SqlClient::fail(std::string_view statement) {
    throw serverError(handle_.get(), excerpt(statement));
}

Result SqlClient::query(std::string_view statement, const std::vector<Value>& values) {
    const std::string text = filled(statement, values);
    ++round_trips_;
    if (mysql_real_query(handle_.get(), text.data(), text.size()) != 0) fail(statement);
    Result result;
    const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> rows(mysql_use_result(handle_.get()), mysql_free_result);
    if (!rows) {
        if (mysql_errno(handle_.get()) != 0) fail(statement);
        result.affected_rows = mysql_affected_rows(handle_.get());
        result.last_insert_id = mysql_insert_id(handle_.get());
        return result;
    }
    const unsigned columns = mysql_num_fields(rows.get());
    for (unsigned i = 0; i < columns; ++i)
        result.columns.emplace_back(mysql_fetch_field_direct(rows.get(), i)->name);
    const auto names = std::make_shared<const std::vector<std::string>>(result.columns);
    std::size_t size = 0;
    while (MYSQL_ROW raw = mysql_fetch_row(rows.get())) {
        const unsigned long* lengths = mysql_fetch_lengths(rows.get());
        size = std::accumulate(lengths, lengths + columns,
                               size + sizeof(Row) + columns * sizeof(std::optional<std::string>));
        if (size > result_limit_) tooMuch(statement);
        Row row;
        row.names_ = names;
        row.values_.reserve(columns);
        for (unsigned i = 0; i < columns; ++i) {
            row.values_.push_back(raw[i] ? std::optional(std::string(raw[i], lengths[i])) : std::nullopt);
        }
        result.rows.push_back(std::move(row));
    }
    const unsigned problem = mysql_errno(handle_.get());
    // The library calls a row that is larger than it may be a lost connection, and this apart from one.
    constexpr unsigned kTooLarge = 1;
    if (problem == CR_SERVER_LOST && handle_->net.error == kTooLarge) tooMuch(statement);
    if (problem != 0) fail(statement);
    return result;
}

/// Closes the connection: to read the rest of the answer may take for ever.
void SqlClient::tooMuch(std::string_view statement) {
    mariadb_cancel(handle_.get());
    throw Error(ErrorCode::Corrupt,
                fmt::format("{}: the server answers with more than {} bytes", excerpt(statement), result_limit_),
                "something is in the place of what is looked for there; see what it is");
}

std::optional<std::string> SqlClient::scalar(std::string_view statement, const std::vector<Value>& values) {
    const Result result = query(statement, values);
    if (result.empty()) return std::nullopt;
    return result.rows.front().values().at(0);
}

void SqlClient::script(std::string_view statements) {
    ++round_trips_;
    if (mysql_real_query(handle_.get(), statements.data(), statements.size()) != 0) fail(statements);
    int more = 0;
    do {
        if (MYSQL_RES* rows = mysql_use_result(handle_.get())) mysql_free_result(rows);
        more = mysql_next_result(handle_.get());
    } while (more == 0);
    if (more > 0) fail(statements);
}

std::string quoteIdentifier(std::string_view name) {
    std::string quoted = "`";
    for (const char c : name)
        quoted += c == '`' ? "``" : std::string(1, c);
    return quoted + "`";
}

}  // namespace tidemark::mysql
