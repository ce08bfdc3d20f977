#include "mysql/response_tracker.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::mysql {
namespace {

constexpr std::uint8_t kOk = 0x00;
constexpr std::uint8_t kFile = 0xfb;
constexpr std::uint8_t kEof = 0xfe;
constexpr std::uint8_t kErr = 0xff;
/// A row may start with 0xfe too (a value over 16 MiB), but then its packet is full; a real EOF has 5 bytes.
constexpr std::uint32_t kEofLimit = 9;
/// The error number that marks a progress report (MariaDB), which announces that the response is still to come.
constexpr std::uint16_t kProgressReport = 0xffff;

}  // namespace

std::uint16_t okStatus(ByteView payload) {
    ByteReader reader(payload, "OK packet");
    reader.skip(1);
    readLenenc(reader);  // affected rows
    readLenenc(reader);  // last insert id
    return reader.u16();
}

ResponseTracker::ResponseTracker(const Capabilities& agreed)
    : deprecate_eof_(agreed.has(capability::kDeprecateEof)),
      cache_metadata_(agreed.hasExtended(extended::kCacheMetadata)),
      progress_(agreed.hasExtended(extended::kProgress)) {}

bool ResponseTracker::expectsResponse(Command command) {
    return command != Command::Quit && command != Command::StmtClose && command != Command::StmtSendLongData;
}

void ResponseTracker::begin(Command command, std::uint8_t client_sequence) {
    head_size_ = 0;
    skip_ = 0;
    continues_ = false;
    failed_ = false;
    last_sequence_ = client_sequence;
    switch (command) {
        case Command::Query:
        case Command::ProcessInfo:
        case Command::StmtExecute:
        case Command::StmtBulkExecute:
            state_ = State::Result;
            break;
        case Command::StmtPrepare:
            state_ = State::Prepared;
            break;
        case Command::StmtFetch:
            state_ = State::Rows;
            break;
        case Command::FieldList:
            state_ = State::FieldList;
            break;
        case Command::Statistics:
            state_ = State::Any;
            break;
        default:
            state_ = expectsResponse(command) ? State::Single : State::Complete;
    }
}

void ResponseTracker::fileSent(std::uint8_t client_sequence) {
    state_ = State::Result;
    last_sequence_ = client_sequence;
}

std::size_t ResponseTracker::feed(ByteView bytes) {
    std::size_t at = 0;
    while (at < bytes.size() && state_ != State::Complete && state_ != State::WaitFile) {
        if (skip_ == 0 && head_size_ == 0 && state_ == State::Rows && !continues_) {
            at += skipRows(bytes.subspan(at));
            if (at == bytes.size()) break;
        }
        if (skip_ == 0) at += gatherHead(bytes.subspan(at));
        const std::size_t passed = std::min<std::size_t>(skip_, bytes.size() - at);
        at += passed;
        skip_ -= static_cast<std::uint32_t>(passed);
        if (skip_ == 0 && headReady()) packetEnded();
    }
    return at;
}

/// The hot loop of a large result: rows that lie whole in `bytes`.
std::size_t ResponseTracker::skipRows(ByteView bytes) {
    std::size_t at = 0;
    while (bytes.size() - at > kHeaderSize) {
        const PacketHeader header = parseHeader(bytes.data() + at);
        const std::uint8_t first = bytes[at + kHeaderSize];
        if (first >= kEof || header.length == 0 || header.length == kMaxPayload) break;
        if (bytes.size() - at < kHeaderSize + header.length) break;
        last_sequence_ = header.sequence;
        at += kHeaderSize + header.length;
    }
    return at;
}

/// Collects the header and the start of the payload, which may come in pieces.
std::size_t ResponseTracker::gatherHead(ByteView bytes) {
    std::size_t at = 0;
    while (at < bytes.size() && !headReady()) {
        const std::size_t wanted =
            head_size_ < kHeaderSize ? kHeaderSize : kHeaderSize + std::min<std::size_t>(packet_.length, kPayloadHead);
        const std::size_t taken = std::min(wanted - head_size_, bytes.size() - at);
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), taken,
                    head_.begin() + static_cast<std::ptrdiff_t>(head_size_));
        head_size_ += taken;
        at += taken;
        if (head_size_ == kHeaderSize) packet_ = parseHeader(head_.data());
    }
    if (headReady()) packetStarted();
    return at;
}

bool ResponseTracker::headReady() const {
    return head_size_ >= kHeaderSize && head_size_ == kHeaderSize + std::min<std::size_t>(packet_.length, kPayloadHead);
}

void ResponseTracker::packetStarted() {
    const ByteView payload = ByteView(head_).first(head_size_).subspan(kHeaderSize);
    last_sequence_ = packet_.sequence;
    skip_ = packet_.length - static_cast<std::uint32_t>(payload.size());
    if (!continues_) following_ = next(payload);
}

void ResponseTracker::packetEnded() {
    head_size_ = 0;
    continues_ = packet_.length == kMaxPayload;
    if (!continues_) state_ = following_;
}

ResponseTracker::State ResponseTracker::next(ByteView payload) {
    if (state_ == State::Any) return State::Complete;
    if (payload.empty()) throw Error(ErrorCode::Corrupt, "the server sent an empty packet in a response");
    if (payload[0] == kErr) {
        ByteReader reader(payload.subspan(1), "ERR packet");
        if (reader.u16() == kProgressReport && progress_) return state_;
        failed_ = true;
        return State::Complete;
    }
    switch (state_) {
        case State::Result:
            return onResult(payload);
        case State::Single:
            return payload[0] == kEof ? afterEof(payload) : afterOk(payload);
        case State::Prepared:
            return onPrepared(payload);
        case State::ParameterDefs:
            if (--definitions_ > 0) return state_;
            return deprecate_eof_ ? preparedColumns() : State::ParameterEnd;
        case State::ParameterEnd:
            return preparedColumns();
        case State::PreparedDefs:
            if (--definitions_ > 0) return state_;
            return deprecate_eof_ ? State::Complete : State::PreparedEnd;
        case State::PreparedEnd:
            return State::Complete;
        case State::ColumnDefs:
            if (--definitions_ > 0) return state_;
            return deprecate_eof_ ? State::Rows : State::ColumnsEnd;
        case State::ColumnsEnd:
            afterEof(payload);
            return (status_ & status::kCursorExists) != 0 ? State::Complete : State::Rows;  // a cursor: rows on request
        case State::FieldList:
            return isEof(payload) ? afterEof(payload) : state_;
        default:
            return onRow(payload);
    }
}

ResponseTracker::State ResponseTracker::onResult(ByteView payload) {
    if (payload[0] == kOk) return afterOk(payload);
    if (payload[0] == kFile) return State::WaitFile;
    if (isEof(payload)) return afterEof(payload);
    ByteReader reader(payload, "column count");
    definitions_ = readLenenc(reader);
    const bool definitions_follow = !cache_metadata_ || reader.u8() != 0;
    if (definitions_follow && definitions_ > 0) return State::ColumnDefs;
    return deprecate_eof_ ? State::Rows : State::ColumnsEnd;
}

ResponseTracker::State ResponseTracker::onPrepared(ByteView payload) {
    ByteReader reader(payload, "answer to COM_STMT_PREPARE");
    reader.skip(1 + 4);  // OK, statement id
    prepared_columns_ = reader.u16();
    definitions_ = reader.u16();
    return definitions_ > 0 ? State::ParameterDefs : preparedColumns();
}

/// After a prepared statement's parameters come its columns, if it has any.
ResponseTracker::State ResponseTracker::preparedColumns() {
    definitions_ = prepared_columns_;
    return definitions_ > 0 ? State::PreparedDefs : State::Complete;
}

ResponseTracker::State ResponseTracker::onRow(ByteView payload) {
    return isEof(payload) ? afterEof(payload) : State::Rows;
}

bool ResponseTracker::isEof(ByteView payload) const {
    return payload[0] == kEof && packet_.length < (deprecate_eof_ ? kMaxPayload : kEofLimit);
}

ResponseTracker::State ResponseTracker::afterOk(ByteView payload) {
    status_ = okStatus(payload);
    return (status_ & status::kMoreResults) != 0 ? State::Result : State::Complete;
}

ResponseTracker::State ResponseTracker::afterEof(ByteView payload) {
    // With DEPRECATE_EOF an OK packet stands in place of the EOF and only borrows its first byte.
    if (deprecate_eof_) return afterOk(payload);
    ByteReader reader(payload, "EOF packet");
    reader.skip(1 + 2);  // marker, warnings
    status_ = reader.u16();
    return (status_ & status::kMoreResults) != 0 ? State::Result : State::Complete;
}

}  // namespace tidemark::mysql
