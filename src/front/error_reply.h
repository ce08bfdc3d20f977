#pragma once

#include "base/bytes.h"
#include "base/error.h"

namespace tidemark::front {

/// The ERR packet for an error: its own number and SQLSTATE where it has one, else one per ErrorCode; the hint follows
/// the message as "(hint: …)". This is the one table from our codes to MySQL's. With
/// `oracle` in OceanBase's form of ORACLE mode: "ORA-01031: insufficient privileges", the number being Oracle's.
Bytes errorReply(std::uint8_t sequence, const Error& error, bool oracle = false);

/// What a client may see of an exception that is no Error: nothing but that it happened.
Error internalError();

/// What a client is told whose connection ends with the daemon.
Error nodeEnds();

}  // namespace tidemark::front
