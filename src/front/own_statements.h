#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/secret.h"
#include "front/client_statements.h"
#include "front/connection.h"
#include "mysql/prepared.h"
#include "mysql/reply.h"

namespace tidemark::front {

/// Tidemark's own statements in one session: which commands are meant for them, those that are prepared, and how they
/// run on behalf of the session's user. Belongs to the session's thread.
class OwnStatements {
public:
    /// Longest command taken for an own statement, and most long data of a prepared one.
    static constexpr std::size_t kMaxSize = 1024UL * 1024;
    /// Enough of a query to recognise an own statement behind a comment.
    static constexpr std::size_t kSniffSize = 4096;

    /// mariadbd's own ids are 31 bits wide (its STMT_ID_MASK) and come from one counter for all sessions.
    static constexpr std::uint32_t kFirstId = 0x80000000;
    static constexpr std::uint32_t kLastId = mysql::kLastStatement - 1;

    OwnStatements(FrontContext& context, Connection& connection) : context_(context), connection_(connection) {}

    /// Whether a command is ours: by its text, or by the id of a statement that was prepared here. `payload` is the
    /// command's start, at least min(length, kSniffSize) bytes, with the command byte.
    bool claims(mysql::Command command, ByteView payload) const;

    /// Answers a claimed command; the reply is empty for commands that have none. Throws Error, which is to be the
    /// answer, and net::StreamClosed.
    net::Awaitable<Bytes> answer(mysql::Command command, Bytes payload);

    /// Commands that went to the tenant and have a say in what is prepared.
    void passedOn(mysql::Command command);

    mysql::ReplyStyle style() const;
    /// How the session's client writes a query.
    ClientSyntax syntax() const;

private:
    struct Prepared {
        std::string text = {};  ///< it may have a password in it
        mysql::ParameterState parameters = {};
        std::size_t long_data_size = 0;

        ~Prepared() { wipe(text); }
    };

    std::optional<std::uint32_t> preparedId(ByteView payload) const;
    Prepared& prepared(ByteView payload);
    net::Awaitable<Bytes> query(std::string text);
    net::Awaitable<Bytes> runOrError(std::string text, mysql::ReplyStyle reply_style);
    net::Awaitable<Bytes> prepare(std::string sent);
    void appendLongData(ByteView payload);
    net::Awaitable<Bytes> execute(Bytes payload);
    net::Awaitable<Bytes> run(std::string text, std::vector<mysql::Value> parameters, mysql::RowFormat format,
                              mysql::ReplyStyle reply_style);
    net::Awaitable<statement::Caller> askCaller();

    FrontContext& context_;
    Connection& connection_;
    std::map<std::uint32_t, Prepared> prepared_;
    std::uint32_t next_id_ = kFirstId;
    std::shared_ptr<statement::SessionMemory> memory_ = std::make_shared<statement::SessionMemory>();
    std::optional<std::uint32_t> last_prepared_;  ///< if the last COM_STMT_PREPARE was ours
};

}  // namespace tidemark::front
