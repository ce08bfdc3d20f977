#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "mysql/packet.h"

namespace tidemark::mysql {

/// Follows the server's side of a connection and knows when the response to a command is complete, so that a relay can
/// answer something itself, or let the next command through, at the right moment. It reads packet headers and the first
/// bytes of the packets that steer the protocol; rows are skipped unread.
///
/// One command at a time: begin(), then feed() what the server sends until complete(). When wantsFile() becomes true
/// (LOAD DATA LOCAL), the client has to send the file before the server goes on; call fileSent() then.
/// COM_CHANGE_USER and COM_BINLOG_DUMP are not request and response; the caller handles them. Not thread-safe.
class ResponseTracker {
public:
    explicit ResponseTracker(const Capabilities& agreed);

    /// False for the commands that the server never answers.
    static bool expectsResponse(Command command);

    /// `client_sequence` is the number of the command's last packet: 0, or more if it was split at 16 MiB.
    void begin(Command command, std::uint8_t client_sequence = 0);

    /// Takes the server's next bytes and returns how many belong to this response: less than all of them only if it
    /// became complete, or asked for a file, in between. Throws Corrupt if they cannot be a response.
    std::size_t feed(ByteView bytes);

    bool complete() const { return state_ == State::Complete; }
    bool wantsFile() const { return state_ == State::WaitFile; }
    /// `client_sequence` is the number of the file's last packet, the empty one.
    void fileSent(std::uint8_t client_sequence);

    /// The flags of the last OK or EOF packet, over all responses; setStatus() brings those of the login.
    std::uint16_t status() const { return status_; }
    void setStatus(std::uint16_t status) { status_ = status; }
    /// Whether the response (up to now) ended with an ERR packet.
    bool failed() const { return failed_; }

    /// Where an own packet could be put if the server broke off: only between packets.
    bool atPacketBoundary() const { return skip_ == 0 && head_size_ == 0; }
    std::uint8_t nextSequence() const { return static_cast<std::uint8_t>(last_sequence_ + 1); }

private:
    enum class State {
        Result,         ///< OK, ERR, a request for a file, or a column count
        Single,         ///< OK, EOF or ERR
        Any,            ///< one packet, whatever it holds
        Prepared,       ///< COM_STMT_PREPARE's OK, or ERR
        ParameterDefs,  ///< of a prepared statement
        ParameterEnd,
        PreparedDefs,
        PreparedEnd,
        ColumnDefs,
        ColumnsEnd,
        FieldList,  ///< definitions up to an EOF
        Rows,
        WaitFile,
        Complete,
    };

    /// Enough of a payload for every field that steers: OK has two length-encoded numbers before its flags.
    static constexpr std::size_t kPayloadHead = 28;

    std::size_t skipRows(ByteView bytes);
    std::size_t gatherHead(ByteView bytes);
    bool headReady() const;
    void packetStarted();
    void packetEnded();
    State next(ByteView payload);
    State onResult(ByteView payload);
    State onPrepared(ByteView payload);
    State onRow(ByteView payload);
    State preparedColumns();
    State afterOk(ByteView payload);
    State afterEof(ByteView payload);
    bool isEof(ByteView payload) const;

    const bool deprecate_eof_;
    const bool cache_metadata_;
    const bool progress_;

    State state_ = State::Complete;
    State following_ = State::Complete;  ///< the state once the current packet has passed
    std::uint64_t definitions_ = 0;      ///< still to come
    std::uint16_t prepared_columns_ = 0;
    std::uint16_t status_ = status::kAutocommit;
    bool failed_ = false;

    std::array<std::uint8_t, kHeaderSize + kPayloadHead> head_{};
    std::size_t head_size_ = 0;
    PacketHeader packet_;
    std::uint32_t skip_ = 0;  ///< payload bytes of the current packet still to pass
    bool continues_ = false;  ///< the next packet goes on with the payload of the last one
    std::uint8_t last_sequence_ = 0;
};

/// The flags of an OK packet (first byte 0x00, or 0xfe in place of an EOF).
std::uint16_t okStatus(ByteView payload);

}  // namespace tidemark::mysql
