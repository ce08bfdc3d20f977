#include "front/error_reply.h"

#include <gtest/gtest.h>

#include "oceanbase/ob_error.h"

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

TEST(ErrorReply, HasOraclesFormInOracleMode) {
    const auto said = [](const Error& error) {
        const Bytes packet = errorReply(1, error, true);
        return std::to_string(numberIn(packet)) + std::string(packet.begin() + 7, packet.end());
    };
    EXPECT_EQ(said(obError(Ob::NoPrivilege, "ALTER SYSTEM")), "1031#42501ORA-01031: insufficient privileges");
    EXPECT_EQ(said(obError(Ob::ParseSql, "near 'x'", "read it")),
              "900#42000ORA-00900: You have an error in your SQL syntax; near 'x' (hint: read it)");
    EXPECT_EQ(said(obError(Ob::NotSupported, "this is")),
              "600#0A000ORA-00600: internal error code, arguments: -4007, this is not supported");
    EXPECT_EQ(said(obError(Ob::AlreadyInArchiveMode)),
              "600#HY000ORA-00600: internal error code, arguments: -9091, Already in ARCHIVELOG mode");
    EXPECT_EQ(said(Error(ErrorCode::Internal, "it")), "600#HY000ORA-00600: internal error code, arguments: -4016, it");
}

}  // namespace
}  // namespace tidemark::front
