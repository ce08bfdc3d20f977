#include "front/error_reply.h"

#include <gtest/gtest.h>

#include "base/ob_error.h"

namespace tidemark::front {
namespace {

/// The error number in an ERR packet: behind the header and the 0xff.
int numberIn(const Bytes& packet) {
    return packet.at(5) | packet.at(6) << 8;
}

TEST(ErrorReply, GivesTheServersNumbersAndNoClients) {
    EXPECT_EQ(numberIn(errorReply(1, obError(Ob::BackupInProgress))), 9036);
    EXPECT_EQ(numberIn(errorReply(1, Error(ErrorCode::NotFound, "x"))), 4018);
    EXPECT_EQ(numberIn(errorReply(1, Error(ErrorCode::InvalidRequest, SqlCode{1064, "42000"}, "x"))), 1064);
    // Our own connection to a tenant was lost; the client's was not.
    EXPECT_EQ(numberIn(errorReply(1, Error(ErrorCode::Unavailable, SqlCode{2013, "HY000"}, "x"))), 4009);
}

}  // namespace
}  // namespace tidemark::front
