#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "mysql/sql_client.h"

/// The binary protocol's parameters, as a server reads them.
namespace tidemark::mysql {

/// COM_STMT_EXECUTE may name the statement prepared last by this id.
constexpr std::uint32_t kLastStatement = 0xffffffff;

/// Of a parameter: the column type and whether it is unsigned.
struct ParameterType {
    std::uint8_t type = 0;
    bool is_unsigned = false;
};

/// What a server keeps of a prepared statement between its commands.
struct ParameterState {
    std::uint16_t count = 0;
    /// As sent with the last execution that carried types; later ones may leave them out.
    std::vector<ParameterType> types;
    /// COM_STMT_SEND_LONG_DATA's bytes by parameter; they stand for its value in the next execution.
    std::map<std::uint16_t, std::string> long_data;
};

/// `payload` is that of COM_STMT_EXECUTE, with the command byte. Numbers stay numbers; decimals, texts, blobs, dates
/// and times become text as SQL writes them. Updates state.types. Throws Corrupt for anything malformed, and
/// InvalidRequest for a type that is unknown.
std::vector<Value> decodeParameters(ByteView payload, ParameterState& state);

}  // namespace tidemark::mysql
