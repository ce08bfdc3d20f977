#include "front/own_statements.h"

#include <fmt/format.h>

#include "base/secret.h"
#include "front/client_text.h"
#include "front/error_reply.h"
#include "front/packet_stream.h"
#include "front/tenant_query.h"
#include "net/on_workers.h"
#include "oceanbase/ob_error.h"
#include "statement/statement.h"

namespace tidemark::front {

using namespace mysql;

namespace {

/// Most own statements that one session may have prepared; real programs have a few.
constexpr std::size_t kMaxPrepared = 1000;
constexpr std::size_t kStatementIdSize = 4;

bool namesStatement(Command command) {
    switch (command) {
        case Command::StmtExecute:
        case Command::StmtBulkExecute:
        case Command::StmtSendLongData:
        case Command::StmtClose:
        case Command::StmtReset:
        case Command::StmtFetch:
            return true;
        default:
            return false;
    }
}

/// Whether the tenant may be asked what a text says in another character set: its logs would have it.
Shown shownTo(std::string_view text) {
    return statement::mayHoldPassword(text) ? Shown::ToNobody : Shown::ToTenant;
}

/// Texts, and values, wiped at the end of their scope: one of them may be a password.
class WipedTexts {
public:
    explicit WipedTexts(std::vector<std::string>& texts) : texts_(texts) {}
    ~WipedTexts() {
        for (std::string& text : texts_)
            wipe(text);
    }
    WipedTexts(const WipedTexts&) = delete;
    WipedTexts& operator=(const WipedTexts&) = delete;

private:
    std::vector<std::string>& texts_;
};

class WipedValues {
public:
    explicit WipedValues(std::vector<Value>& values) : values_(values) {}
    ~WipedValues() {
        for (Value& value : values_) {
            if (auto* text = std::get_if<std::string>(&value)) wipe(*text);
        }
    }
    WipedValues(const WipedValues&) = delete;
    WipedValues& operator=(const WipedValues&) = delete;

private:
    std::vector<Value>& values_;
};

/// Walks over the packets of a reply of ours.
PacketHeader lastPacket(ByteView reply, ByteView& payload) {
    PacketHeader header;
    while (!reply.empty()) {
        header = parseHeader(reply.data());
        payload = reply.subspan(kHeaderSize, header.length);
        reply = reply.subspan(kHeaderSize + header.length);
    }
    return header;
}

std::uint8_t lastSequence(ByteView reply) {
    ByteView payload;
    return lastPacket(reply, payload).sequence;
}

bool endsInError(ByteView reply) {
    ByteView payload;
    lastPacket(reply, payload);
    return !payload.empty() && payload[0] == 0xff;
}

/// Who the session is, in the tenant's own words. Whoever may create users may grant himself everything, so holding
/// CREATE USER on *.* is what counts as ALTER SYSTEM. GRANTEE reads 'user'@'host'; compared as bytes, because user
/// names are case-sensitive and the view's collation is not. HEX, so that no character set of the session gets in the
/// way.
constexpr std::string_view kCallerQuery =
    "SELECT HEX(CURRENT_USER()), HEX(DATABASE()), EXISTS(SELECT 1 FROM information_schema.USER_PRIVILEGES"
    " WHERE PRIVILEGE_TYPE = 'CREATE USER' AND BINARY GRANTEE = BINARY CONCAT('''',"
    " LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)) - 1),"
    " '''@''', SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''')) LIMIT 1";

}  // namespace

bool OwnStatements::claims(Command command, ByteView payload) const {
    if (command == Command::Query || command == Command::StmtPrepare) {
        return context_.service.isOwn(textOf(payload.subspan(1)));
    }
    if (!namesStatement(command)) return false;
    const auto id = preparedId(payload);
    return id && prepared_.contains(*id);
}

std::optional<std::uint32_t> OwnStatements::preparedId(ByteView payload) const {
    if (payload.size() < 1 + kStatementIdSize) return std::nullopt;
    const std::uint32_t id = ByteReader(payload.subspan(1), "statement id").u32();
    return id == kLastStatement ? last_prepared_ : id;
}

OwnStatements::Prepared& OwnStatements::prepared(ByteView payload) {
    return prepared_.at(preparedId(payload).value());
}

void OwnStatements::passedOn(Command command) {
    if (command == Command::StmtPrepare) last_prepared_.reset();
    if (command == Command::ResetConnection || command == Command::ChangeUser) {
        prepared_.clear();
        last_prepared_.reset();
        memory_ = std::make_shared<statement::SessionMemory>();
    }
}

ReplyStyle OwnStatements::style() const {
    return {.agreed = connection_.agreed,
            .status = static_cast<std::uint16_t>(connection_.tracker->status() & status::kOfSession)};
}

ClientSyntax OwnStatements::syntax() const {
    return {.several_statements = connection_.several_statements,
            .no_backslash_escapes = (connection_.tracker->status() & status::kNoBackslashEscapes) != 0};
}

net::Awaitable<Bytes> OwnStatements::answer(Command command, Bytes payload) {
    const Wiped end(payload);
    switch (command) {
        case Command::Query:
            co_return co_await query(std::string(textOf(payload).substr(1)));
        case Command::StmtPrepare:
            co_return co_await prepare(std::string(textOf(payload).substr(1)));
        case Command::StmtExecute:
            co_return co_await execute(std::move(payload));
        case Command::StmtSendLongData:
            appendLongData(payload);
            co_return Bytes{};
        case Command::StmtClose:
            prepared_.erase(preparedId(payload).value());
            co_return Bytes{};
        case Command::StmtReset:
            prepared(payload).parameters.long_data.clear();
            prepared(payload).long_data_size = 0;
            co_return okReply(style());
        case Command::StmtFetch:
            throw Error(ErrorCode::InvalidRequest, SqlCode{1421, "HY000"}, "The statement has no open cursor");
        default:
            throw obError(Ob::NotSupported, "bulk execution of Tidemark's own statements");
    }
}

net::Awaitable<Bytes> OwnStatements::query(std::string text) {
    const Shown shown = shownTo(text);
    std::string read = co_await utf8OfClient(connection_, std::move(text), shown);
    const Wiped end(read);
    StatementPlan plan = planStatements(read, context_.service, syntax());
    const WipedTexts own_end(plan.own);
    Bytes replies;
    ReplyStyle reply_style = style();
    for (std::size_t i = 0; i < plan.own.size(); ++i) {
        reply_style.status = style().status;
        if (i + 1 < plan.own.size()) reply_style.status |= status::kMoreResults;
        const Bytes reply = co_await runOrError(std::move(plan.own[i]), reply_style);
        replies.insert(replies.end(), reply.begin(), reply.end());
        if (endsInError(reply)) break;
        reply_style.sequence = static_cast<std::uint8_t>(lastSequence(reply) + 1);
    }
    co_return replies;
}

/// One result of a list. An error ends the list, and what came before it has been done.
net::Awaitable<Bytes> OwnStatements::runOrError(std::string text, ReplyStyle reply_style) {
    if (text.empty()) co_return okReply(reply_style);
    std::optional<Error> failure;
    try {
        co_return co_await run(std::move(text), {}, RowFormat::Text, reply_style);
    } catch (const net::StreamClosed&) {
        throw;
    } catch (const Error& error) {
        failure = error;
    } catch (const std::exception& unforeseen) {
        context_.log->error("tenant={} an own statement failed: {}", connection_.tenant_name, unforeseen.what());
        failure = internalError();
    }
    co_return errorReply(reply_style.sequence, *failure, connection_.oracle);
}

net::Awaitable<Bytes> OwnStatements::prepare(std::string sent) {
    last_prepared_.reset();
    const Shown shown = shownTo(sent);
    std::string text = co_await utf8OfClient(connection_, std::move(sent), shown);
    const Wiped end(text);
    if (prepared_.size() >= kMaxPrepared) {
        throw Error(ErrorCode::Conflict, SqlCode{1461, "42000"},
                    fmt::format("this session has {} of Tidemark's statements prepared already", kMaxPrepared),
                    "close those that are not needed");
    }
    const std::size_t parameters = context_.service.parameterCount(text);
    if (parameters > 0xffff) throw obError(Ob::NotSupported, "over 65535 parameters");
    const auto count = static_cast<std::uint16_t>(parameters);
    while (prepared_.contains(next_id_))
        next_id_ = next_id_ == kLastId ? kFirstId : next_id_ + 1;
    prepared_[next_id_] = {.text = text, .parameters = {.count = count}};
    last_prepared_ = next_id_;
    Bytes reply = preparedReply(style(), next_id_, count);
    next_id_ = next_id_ == kLastId ? kFirstId : next_id_ + 1;
    co_return reply;
}

/// COM_STMT_SEND_LONG_DATA has no answer: what does not fit shows when the statement is executed.
void OwnStatements::appendLongData(ByteView payload) {
    Prepared& statement = prepared(payload);
    if (payload.size() < 1 + kStatementIdSize + 2) return;
    ByteReader reader(payload.subspan(1 + kStatementIdSize), "long data");
    const std::uint16_t parameter = reader.u16();
    statement.long_data_size += reader.remaining();
    if (statement.long_data_size > kMaxSize) return;
    if (parameter < statement.parameters.count) statement.parameters.long_data[parameter] += textOf(reader.rest());
}

net::Awaitable<Bytes> OwnStatements::execute(Bytes payload) {
    Prepared& statement = prepared(payload);
    const bool too_long = statement.long_data_size > kMaxSize;
    // The cursor that a client may ask for is optional: a server may as well send all rows.
    std::vector<Value> values;
    if (!too_long) values = decodeParameters(payload, statement.parameters);
    wipe(payload);
    for (auto& [parameter, text] : statement.parameters.long_data)
        wipe(text);
    statement.parameters.long_data.clear();
    statement.long_data_size = 0;
    if (too_long) {
        throw Error(ErrorCode::InvalidRequest, SqlCode{1153, "08S01"},
                    fmt::format("the parameters have over {} bytes", kMaxSize));
    }
    const Shown shown = shownTo(statement.text);
    for (Value& value : values) {
        if (auto* text = std::get_if<std::string>(&value)) *text = co_await utf8OfClient(connection_, *text, shown);
    }
    co_return co_await run(statement.text, std::move(values), RowFormat::Binary, style());
}

net::Awaitable<Bytes> OwnStatements::run(std::string text, std::vector<Value> parameters, RowFormat format,
                                         ReplyStyle reply_style) {
    const Wiped end(text);
    const WipedValues values_end(parameters);
    const statement::Caller caller = co_await askCaller();
    context_.own_statements.fetch_add(1, std::memory_order_relaxed);
    statement::StatementService& service = context_.service;
    std::string owner = service.about(caller, text, parameters);
    // The reply is put together there too: it may be large. The closure has a name because GCC 12 destroys a temporary
    // one twice when it is an argument of a co_await.
    auto work = [&service, caller, text = std::move(text), parameters = std::move(parameters), reply_style,
                 format]() mutable {
        const Wiped text_end(text);
        const WipedValues parameters_end(parameters);
        const statement::StatementResult result = service.execute(caller, text, parameters);
        if (result.columns.empty()) return okReply(reply_style, result.affected_rows);
        return resultReply(reply_style, result.columns, result.rows, format);
    };
    co_return co_await net::onWorkers(context_.loop.workers(), std::move(owner), std::move(work));
}

net::Awaitable<statement::Caller> OwnStatements::askCaller() {
    const auto rows = co_await queryTenant(connection_, kCallerQuery);
    if (rows.size() != 1 || rows[0].size() != 3) {
        throw Error(ErrorCode::Internal, "the tenant did not say who the session's user is");
    }
    statement::Caller caller{.tenant = connection_.tenant_name,
                             .user = fromHex(rows[0][0]),
                             .database = fromHex(rows[0][1]),
                             .alter_system = rows[0][2] == "1",
                             .memory = memory_};
    co_return caller;
}

}  // namespace tidemark::front
