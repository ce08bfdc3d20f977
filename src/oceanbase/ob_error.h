#pragma once

#include <string>

#include "base/error.h"

namespace tidemark {

/// OceanBase V4.3.3's errors that Tidemark answers with: the OceanBase number, under which they are looked up here.
/// The client sees the MySQL twin where there is one (4007 → 1235), else the OceanBase number itself.
/// Source: OceanBase V4.3.3 error reference.
enum class Ob {
    InvalidArgument = 4002,         ///< Incorrect arguments to %s
    NotSupported = 4007,            ///< %s not supported
    ErrUnexpected = 4016,           ///< Internal error
    EntryExist = 4017,              ///< Entry already exist
    EntryNotExist = 4018,           ///< Entry not exist
    Canceled = 4072,                ///< Operation canceled
    StateNotMatch = 4109,           ///< Server state or role not the same as expected
    OpNotAllow = 4179,              ///< %s not allowed
    MissArgument = 4277,            ///< Miss argument for %s
    ResourceNotEnough = 4624,       ///< machine resource is not enough to hold a new unit: %s
    PoolAlreadyGranted = 4626,      ///< resource pool '%s' has already been granted to a tenant
    UnitIsReferenced = 4634,        ///< resource unit '%s' is referenced by some resource pool
    ZoneDuplicated = 4641,          ///< Duplicated zone %s   (text: '%s' in zone list %s)
    InvalidTenantName = 4646,       ///< tenant name '%s' over max_tenant_name_length 63
    EmptyPoolList = 4647,           ///< resource pool list is empty
    UnitNotExist = 4648,            ///< resource unit '%s' not exist
    UnitExist = 4649,               ///< resource unit '%s' already exist
    PoolNotExist = 4650,            ///< resource pool '%s' not exist
    PoolExist = 4651,               ///< resource pool '%s' exist
    UnitNumOverServerCount = 4656,  ///< resource pool unit num is bigger than zone server count
    PoolServerIntersect = 4657,     ///< resource pool list %s unit servers intersect
    UnitValueBelowLimit = 4659,     ///< invalid %s value, min value is %s   (text is the caller's)
    StandbyReadOnly = 4688,         ///< standby tenant is read only
    ParseSql = 5001,                ///< You have an error in your SQL syntax; %s
    NoPrivilege = 5036,             ///< Access denied; you need (at least one of) the %s privilege(s) …
    ConfigUnknown = 5099,           ///< System config unknown
    TenantNotInServer = 5150,       ///< Tenant not in this server
    TenantExist = 5156,             ///< tenant '%s' already exist
    TenantNotExist = 5157,          ///< Unknown tenant '%s'
    InvalidConnectTenant = 5160,    ///< invalid tenant name specified in connection string
    TenantIsLocked = 5260,          ///< Tenant '%s' is locked
    TooManyConnections = 5271,      ///< Too many connections
    IgnoreSqlInRestore = 5309,      ///< Ignore sql in restore process
    ServerIsInit = 8001,            ///< Server is initializing
    BackupFileNotExist = 9011,      ///< cannot find backup file
    RestoreInProgress = 9014,       ///< Another restore is in progress
    CannotStartLogArchive = 9023,   ///< cannot start log archive backup
    InvalidBackupDest = 9026,       ///< %s is not a valid uri
    LogArchiveInterrupted = 9027,   ///< ob log archive interrupted
    LogArchiveNotRunning = 9029,    ///< log archive is not running
    BackupInProgress = 9036,        ///< Backup is in progress
    BackupInvalidPassword = 9047,   ///< invalid password for backup
    BackupCanNotStart = 9040,       ///< backup can not start, because %s
    BackupDeleteInProgress = 9044,  ///< delete backup data is in progress
    DeleteSetNotAllowed = 9045,     ///< delete backup set do not allow
    InvalidBackupSetId = 9046,      ///< backup set id is not valid
    DeletePieceNotAllowed = 9069,   ///< deleting backup piece is not allowed
    BackupDestNotConnect = 9070,    ///< can not connect to backup destination
    BackupPermissionDenied = 9071,  ///< no I/O operation permission at the backup destination
    FormatFileNotExist = 9080,      ///< format file does not exist%s
    FormatFileNotMatch = 9081,      ///< format file does not match%s
    DeviceOutOfSpace = 9082,        ///< backup device out of space
    AlreadyInArchiveMode = 9091,    ///< Already in ARCHIVELOG mode
    AlreadyInNoArchiveMode = 9092,  ///< Already in NOARCHIVELOG mode
    RestoreTenantFailed = 9099,     ///< %s restore failed, %s   (text is the caller's)
};

/// Builds the error: `text` fills the %s of the template; for templates without one a non-empty text is appended in
/// brackets. `hint` tells the operator what to do. Secrets of a URI in `text` (access_id, access_key, encrypt_key,
/// extension) are shown as xxx.
Error obError(Ob number, const std::string& text = {}, const std::string& hint = {});

/// The first OceanBase error that a client sees under this number; the number itself if there is none.
int obNumber(int mysql_number);

/// The number to record as RESULT of a failed job: the negative OceanBase code that fits the failure best.
int obResult(const Error& error);

/// Whether an error is that one.
inline bool is(const Error& error, Ob which) {
    return error.sql() && error.sql()->number == obError(which).sql()->number;
}

}  // namespace tidemark
