#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/file.h"

struct st_mysql;

namespace tidemark::mysql {

/// Where and as whom to connect. Either `socket`, or `host` and `port`.
struct Endpoint {
    std::string socket;
    std::string host;
    unsigned port = 0;
    std::string user;
    std::string password;
    std::string database;
    std::chrono::seconds connect_timeout{10};
    /// How long one statement may take; a passed limit throws Unavailable. 0: no limit.
    std::chrono::seconds statement_timeout{0};
    /// Leaves the session as the server's settings make it, as an application's is, instead of kSessionSettings.
    bool server_settings = false;
    /// A result of more bytes than this throws Corrupt, and the connection is closed. No answer that is expected of a
    /// tenant's server comes near it.
    std::size_t result_limit = 16 << 20;
    static constexpr std::size_t kOwnResultLimit = 1 << 30;  ///< for sys, whose content is Tidemark's
};

/// A value for a `?` in a statement.
using Value = std::variant<std::nullptr_t, std::int64_t, std::uint64_t, double, std::string>;

/// One row of a result; columns by position or by name (any case).
class Row {
public:
    /// The text of a value. Throws Internal if it is NULL or there is no such column.
    const std::string& text(std::size_t column) const;
    const std::string& text(std::string_view column) const { return text(position(column)); }
    std::optional<std::string> maybe(std::string_view column) const { return values_.at(position(column)); }
    std::int64_t integer(std::string_view column) const;
    std::uint64_t unsignedInteger(std::string_view column) const;
    std::size_t size() const { return values_.size(); }
    const std::vector<std::optional<std::string>>& values() const { return values_; }

private:
    friend class SqlClient;
    std::size_t position(std::string_view column) const;

    std::shared_ptr<const std::vector<std::string>> names_;
    std::vector<std::optional<std::string>> values_;
};

struct Result {
    std::vector<std::string> columns;
    std::vector<Row> rows;
    std::uint64_t affected_rows = 0;
    std::uint64_t last_insert_id = 0;

    bool empty() const { return rows.empty(); }
};

/// The server's error, with its own number and text; `sql()` of the Error carries number and SQLSTATE.
/// Lost connections (2002, 2003, 2006, 2013, 1053, 1927), lock wait timeouts (1205), deadlocks (1213) and too many
/// connections (1040) are Unavailable; everything else is Internal unless a caller knows better.

/// A blocking connection to a MariaDB server, for administration; set up by kSessionSettings. Not thread-safe.
/// `?` in a statement is replaced by the escaped value; never paste values into the text.
class SqlClient {
public:
    /// Throws Unavailable if the server cannot be reached, Denied if it refuses the login.
    explicit SqlClient(const Endpoint& endpoint);
    ~SqlClient();
    SqlClient(SqlClient&&) noexcept;
    SqlClient& operator=(SqlClient&&) noexcept;

    Result query(std::string_view statement, const std::vector<Value>& values = {});
    /// The first column of the first row, or nullopt if there is no row or it is NULL.
    std::optional<std::string> scalar(std::string_view statement, const std::vector<Value>& values = {});
    /// Several statements separated by `;`, results thrown away; the first that fails is the last that runs. No values:
    /// statements that have some are filled() before.
    void script(std::string_view statements);
    /// The statement with its values in the place of each `?`, for script().
    std::string filled(std::string_view statement, const std::vector<Value>& values);

    /// Of the connection's socket: shutdown() of it, by any thread, has a call that waits for the server throw.
    Fd duplicateSocket() const;

    /// How often the server was asked so far: each call is one round trip.
    std::uint64_t roundTrips() const { return round_trips_; }

private:
    [[noreturn]] void tooMuch(std::string_view statement);
    [[noreturn]] void fail(std::string_view statement);
    void applySettings();

    std::unique_ptr<st_mysql, void (*)(st_mysql*)> handle_;
    std::size_t result_limit_;
    std::uint64_t round_trips_ = 0;
};

/// Runs `work` in one transaction: COMMIT if it returns, ROLLBACK if it throws.
template <typename Work>
auto inTransaction(SqlClient& client, Work work) {
    client.query("START TRANSACTION");
    try {
        if constexpr (std::is_void_v<decltype(work())>) {
            work();
            client.query("COMMIT");
        } else {
            auto result = work();
            client.query("COMMIT");
            return result;
        }
    } catch (...) {
        try {
            client.query("ROLLBACK");
        } catch (const Error&) {
            // the connection is gone, and with it the transaction
        }
        throw;
    }
}

/// `name` in backticks, for identifiers.
std::string quoteIdentifier(std::string_view name);

}  // namespace tidemark::mysql
