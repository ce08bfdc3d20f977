#pragma once

#include "base/bytes.h"
#include "base/error.h"

namespace tidemark::front {

/// The ERR packet for an error: its own number and SQLSTATE where it has one, else one per ErrorCode; the hint follows
/// the message as "(hint: …)". This is the one table from our codes to MySQL's.
Bytes errorReply(std::uint8_t sequence, const Error& error);

/// What a client may see of an exception that is no Error: nothing but that it happened.
Error internalError();

}  // namespace tidemark::front
