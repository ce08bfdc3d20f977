#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "mysql/packet.h"

/// A server's answers, framed and ready to send; they obey the bits that the client agreed to.
namespace tidemark::mysql {

/// How an answer has to look on one connection at this moment.
struct ReplyStyle {
    Capabilities agreed;
    std::uint16_t status = status::kAutocommit;  ///< the session's flags, as the tenant last reported them
    std::uint8_t sequence = 1;                   ///< of the first packet
};

using TextRow = std::vector<std::optional<std::string>>;

Bytes okReply(const ReplyStyle& style, std::uint64_t affected_rows = 0);
/// `sqlstate` has five characters. The message is cut at 64 KiB, far over any client's limit.
Bytes errorReply(std::uint8_t sequence, SqlCode code, std::string_view message);

/// A whole result set; every column is text in utf8mb4. Text protocol for COM_QUERY, binary for COM_STMT_EXECUTE.
enum class RowFormat { Text, Binary };
Bytes resultReply(const ReplyStyle& style, const std::vector<std::string>& columns, const std::vector<TextRow>& rows,
                  RowFormat format);

/// The answer to COM_STMT_PREPARE of a statement whose columns are known only when it runs.
Bytes preparedReply(const ReplyStyle& style, std::uint32_t statement_id, std::uint16_t parameters);

/// An ERR packet's payload as an Error (Internal) with the server's number and SQLSTATE. Throws Corrupt.
Error parseError(ByteView payload);

/// Reads one complete response in text protocol, as ResponseTracker delimits it: the rows of its first result set
/// (none for OK). Throws the server's error, or Corrupt.
std::vector<TextRow> parseTextResponse(ByteView response, const Capabilities& agreed);

}  // namespace tidemark::mysql
