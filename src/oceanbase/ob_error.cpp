#include "oceanbase/ob_error.h"

#include <array>
#include <string>

#include "base/secrets.h"

namespace tidemark {
namespace {

struct Row {
    Ob ob;
    int mysql;  ///< what the client sees
    const char* sqlstate;
    ErrorCode code;
    const char* message;  ///< OceanBase's template; %s stands where the text goes
};

using E = ErrorCode;
constexpr auto kRows = std::to_array<Row>({
    {Ob::InvalidArgument, 1210, "HY000", E::InvalidRequest, "Incorrect arguments to %s"},
    {Ob::NotSupported, 1235, "0A000", E::InvalidRequest, "%s not supported"},
    {Ob::ErrUnexpected, 4016, "HY000", E::Internal, "Internal error"},
    {Ob::EntryExist, 4017, "HY000", E::AlreadyExists, "Entry already exist"},
    {Ob::EntryNotExist, 4018, "HY000", E::NotFound, "Entry not exist"},
    {Ob::Canceled, 4072, "HY000", E::Cancelled, "Operation canceled"},
    {Ob::StateNotMatch, 4109, "HY000", E::Conflict, "Server state or role not the same as expected"},
    {Ob::OpNotAllow, 4179, "HY000", E::Conflict, "%s not allowed"},
    {Ob::MissArgument, 1210, "HY000", E::InvalidRequest, "Miss argument for %s"},
    {Ob::ResourceNotEnough, 4624, "HY000", E::Conflict, "machine resource is not enough to hold a new unit: %s"},
    {Ob::PoolAlreadyGranted, 4626, "HY000", E::Conflict, "resource pool '%s' has already been granted to a tenant"},
    {Ob::UnitIsReferenced, 4634, "HY000", E::Conflict, "resource unit '%s' is referenced by some resource pool"},
    {Ob::ZoneDuplicated, 4641, "HY000", E::InvalidRequest, "Duplicated zone %s"},
    {Ob::InvalidTenantName, 4646, "HY000", E::InvalidRequest, "tenant name '%s' over max_tenant_name_length 63"},
    {Ob::EmptyPoolList, 4647, "HY000", E::InvalidRequest, "resource pool list is empty"},
    {Ob::UnitNotExist, 4648, "HY000", E::NotFound, "resource unit '%s' not exist"},
    {Ob::UnitExist, 4649, "HY000", E::AlreadyExists, "resource unit '%s' already exist"},
    {Ob::PoolNotExist, 4650, "HY000", E::NotFound, "resource pool '%s' not exist"},
    {Ob::PoolExist, 4651, "HY000", E::AlreadyExists, "resource pool '%s' exist"},
    {Ob::UnitNumOverServerCount, 4656, "HY000", E::InvalidRequest,
     "resource pool unit num is bigger than zone server count"},
    {Ob::PoolServerIntersect, 4657, "HY000", E::InvalidRequest, "resource pool list %s unit servers intersect"},
    {Ob::UnitValueBelowLimit, 4659, "HY000", E::InvalidRequest, "%s"},
    {Ob::StandbyReadOnly, 4688, "HY000", E::Conflict, "standby tenant is read only"},
    {Ob::ParseSql, 1064, "42000", E::InvalidRequest, "You have an error in your SQL syntax; %s"},
    {Ob::NoPrivilege, 1227, "42501", E::Denied,
     "Access denied; you need (at least one of) the %s privilege(s) for this operation"},
    {Ob::ConfigUnknown, 5099, "42000", E::InvalidRequest, "System config unknown"},
    {Ob::TenantNotInServer, 5150, "HY000", E::Conflict, "Tenant not in this server"},
    {Ob::TenantExist, 5156, "HY000", E::AlreadyExists, "tenant '%s' already exist"},
    {Ob::TenantNotExist, 5157, "HY000", E::NotFound, "Unknown tenant '%s'"},
    {Ob::InvalidConnectTenant, 5160, "HY000", E::InvalidRequest, "invalid tenant name specified in connection string"},
    {Ob::TenantIsLocked, 5260, "HY000", E::Denied, "Tenant '%s' is locked"},
    {Ob::TooManyConnections, 1040, "08004", E::Unavailable, "Too many connections"},
    {Ob::IgnoreSqlInRestore, 5309, "HY000", E::Conflict, "Ignore sql in restore process"},
    {Ob::ServerIsInit, 8001, "08004", E::Unavailable, "Server is initializing"},
    {Ob::BackupFileNotExist, 9011, "HY000", E::NotFound, "cannot find backup file"},
    {Ob::RestoreInProgress, 9014, "HY000", E::Conflict, "Another restore is in progress"},
    {Ob::CannotStartLogArchive, 9023, "HY000", E::Conflict, "cannot start log archive backup"},
    {Ob::InvalidBackupDest, 9026, "HY000", E::InvalidRequest, "%s is not a valid uri"},
    {Ob::LogArchiveInterrupted, 9027, "HY000", E::Conflict, "ob log archive interrupted"},
    {Ob::LogArchiveNotRunning, 9029, "HY000", E::Conflict, "log archive is not running"},
    {Ob::BackupInProgress, 9036, "HY000", E::Conflict, "Backup is in progress"},
    {Ob::BackupInvalidPassword, 9047, "HY000", E::Denied, "invalid password for backup"},
    {Ob::BackupCanNotStart, 9040, "HY000", E::Conflict, "backup can not start, because %s"},
    {Ob::BackupDeleteInProgress, 9044, "HY000", E::Conflict, "delete backup data is in progress"},
    {Ob::DeleteSetNotAllowed, 9045, "HY000", E::Conflict, "delete backup set do not allow"},
    {Ob::InvalidBackupSetId, 9046, "HY000", E::NotFound, "backup set id is not valid"},
    {Ob::DeletePieceNotAllowed, 9069, "HY000", E::Conflict, "deleting backup piece is not allowed"},
    {Ob::BackupDestNotConnect, 9070, "HY000", E::Unavailable, "can not connect to backup destination"},
    {Ob::BackupPermissionDenied, 9071, "HY000", E::Denied, "no I/O operation permission at the backup destination"},
    {Ob::FormatFileNotExist, 9080, "HY000", E::Conflict, "format file does not exist%s"},
    {Ob::FormatFileNotMatch, 9081, "HY000", E::Conflict, "format file does not match%s"},
    {Ob::DeviceOutOfSpace, 9082, "HY000", E::NoSpace, "backup device out of space"},
    {Ob::AlreadyInArchiveMode, 9091, "HY000", E::Conflict, "Already in ARCHIVELOG mode"},
    {Ob::AlreadyInNoArchiveMode, 9092, "HY000", E::Conflict, "Already in NOARCHIVELOG mode"},
    {Ob::RestoreTenantFailed, 9099, "HY000", E::Conflict, "%s"},
});

std::string fill(const char* message, const std::string& text) {
    std::string filled = message;
    const auto at = filled.find("%s");
    if (at != std::string::npos) return filled.replace(at, 2, text);
    return text.empty() ? filled : filled + " (" + text + ")";
}

}  // namespace

Error obError(Ob number, const std::string& text, const std::string& hint) {
    for (const Row& row : kRows) {
        if (row.ob == number)
            return {row.code, SqlCode{row.mysql, row.sqlstate}, fill(row.message, withoutSecrets(text)), hint};
    }
    return {ErrorCode::Internal, "unknown OceanBase error number " + std::to_string(static_cast<int>(number))};
}

int obNumber(int mysql_number) {
    for (const Row& row : kRows) {
        if (row.mysql == mysql_number) return static_cast<int>(row.ob);
    }
    return mysql_number;
}

int obResult(const Error& error) {
    if (error.sql()) {
        for (const Row& row : kRows) {
            if (row.mysql == error.sql()->number) return -static_cast<int>(row.ob);
        }
    }
    switch (error.code()) {
        case E::NotFound:
            return -9011;  // OB_BACKUP_FILE_NOT_EXIST
        case E::Denied:
            return -9071;  // OB_BACKUP_PERMISSION_DENIED
        case E::NoSpace:
            return -9082;  // OB_BACKUP_DEVICE_OUT_OF_SPACE
        case E::Corrupt:
            return -4103;  // OB_CHECKSUM_ERROR
        case E::Cancelled:
            return -4072;  // OB_CANCELED
        case E::Unavailable:
            return -4009;  // OB_IO_ERROR
        case E::Conflict:
            return -4179;  // OB_OP_NOT_ALLOW
        default:
            return -4016;  // OB_ERR_UNEXPECTED
    }
}

}  // namespace tidemark
