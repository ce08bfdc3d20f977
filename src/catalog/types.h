#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace tidemark::catalog {

using TenantId = std::int64_t;
using JobId = std::int64_t;

constexpr TenantId kSysTenantId = 1;
/// User tenants have even ids from here on, never used twice; the odd ones would be OceanBase's meta tenants.
constexpr TenantId kFirstUserTenantId = 1002;

// What the status columns of the views show, word for word (docs/views.md). Every enum below has
// `std::string text(Enum)` and can be read back with parseText<Enum>().

enum class TenantStatus { Creating, Normal, Restore, Dropping };
enum class TenantRole { Primary, Standby, Restore };
/// Who runs the server: Tidemark, or somebody else.
enum class ReplicaKind { Managed, Attached };
/// Of a tenant with several replicas, which one its clients write to.
enum class ReplicaRole { Leader, Follower };
enum class CompatibilityMode { Mysql, Oracle };
enum class LogMode { NoArchivelog, Archivelog };
enum class SwitchoverStatus {
    Normal,
    PrepareSwitchingToPrimary,
    SwitchingToPrimary,
    PrepareFlashback,
    Flashback,
    PrepareSwitchingToStandby,
    SwitchingToStandby
};

enum class Binding { Optional, Mandatory };
enum class DestinationState { Enable, Defer };
enum class DestinationUse { ArchiveLog, BackupData };

enum class RoundStatus { Prepare, Beginning, Doing, Interrupted, Stopping, Stop, Suspending, Suspend };
enum class PieceStatus { Active, Frozen };
/// Of a backup set or an archive piece at its destination.
enum class FileStatus { Copying, Available, Incomplete, Deleting, Deleted, Expired, Broken };

enum class BackupJobStatus { Init, Doing, Canceling, Completed, Failed, Canceled };
enum class BackupTaskStatus {
    Init,
    BackupSysMeta,
    BackupUserMeta,
    BackupMetaFinish,
    BackupDataSys,
    BackupDataMinor,
    BackupDataMajor,
    BeforeBackupLog,
    BackupLog,
    Canceling,
    Completed,
    Failed,
    Canceled
};
enum class BackupType { Full, Inc };
enum class JobLevel { Cluster, SysTenant, UserTenant };
enum class BackupSetStatus { Doing, Success, Failed };

enum class DeleteType { Obsolete, BackupSet, BackupPiece };
enum class DeletedObject { BackupSet, BackupPiece };

enum class RestoreSysStatus { CreateTenant, WaitTenantRestoreFinish, RestoreSuccess, RestoreFail };
enum class RestoreTenantStatus {
    Restoring,
    PostCheck,
    Upgrade,
    WaitQuickRestoreFinish,  ///< it answers; not all of it is durable
    QuickRestoreFinish,      ///< it is NORMAL; not all of it is local
    RestoreSuccess,
    RestoreFail
};
/// What `method` of a restore came to.
enum class RestoreType { Full, Quick };
/// Whether a tenant's files are all here, or some still at a destination.
enum class RestoreDataMode { Normal, Remote };

enum class WorkState { Ready, Running, Waiting };

enum class ValidateStatus { Init, Doing, Canceling, Completed, Failed, Canceled };
/// What is wrong with an object at a destination.
enum class FindingKind {
    Missing,
    WrongSize,
    Damaged,        ///< its own checksums say so
    Contradiction,  ///< whole, and something else than another object says of it
    Chain,          ///< of a set that leans on others: what it needs of them is not whole
    Gap,            ///< log does not join
    Unreadable,     ///< the storage answers, and does not give it
    NewerVersion,   ///< written by one; nothing is wrong with it, and nothing more could be checked
    NoKey,          ///< the same of what is encrypted, for want of its key
    SourcePage,     ///< the backup is as it should be: pages were wrong in the tenant itself
    // What only restoring a set shows:
    NotRestorable,  ///< restoring it fails
    TableDamaged,   ///< CHECK TABLE says so of a restored table
    RowsDiffer,     ///< a restored table is not what the tenant has at the same position of its log
    NotCompared,    ///< nothing is known to be wrong: it could not be compared with the tenant
};
/// Whether it is found by restoring a set, and not by reading its objects.
constexpr bool isByRestore(FindingKind kind) {
    return kind >= FindingKind::NotRestorable;
}
/// What a validation does just now; the last five are of one set.
enum class ValidateStage { None, Objects, TenantRows, RestoreData, RestoreLog, CheckTables, Compare };
/// What a check has looked at, and may therefore say of earlier findings that they are no more.
enum class Looked {
    Nothing,  ///< a check by restore that restored nothing
    Tables,   ///< the same: it has checked every table, and compared none
    All,
};
enum class FindingStatus { Open, Closed };
/// What is lost of restores with what a finding is about.
enum class Harm {
    None,     ///< no restore reads it
    Set,      ///< restores from the set
    Log,      ///< those that need a range of the log of a round
    Round,    ///< those that need the log of a round
    Archive,  ///< those that need any log of the destination
    Data,     ///< those from any set of the destination
};

std::string text(TenantStatus value);
std::string text(TenantRole value);
std::string text(ReplicaKind value);
std::string text(ReplicaRole value);
std::string text(CompatibilityMode value);
std::string text(LogMode value);
std::string text(SwitchoverStatus value);
std::string text(Binding value);
std::string text(DestinationState value);
std::string text(DestinationUse value);
std::string text(RoundStatus value);
std::string text(PieceStatus value);
std::string text(FileStatus value);
std::string text(BackupJobStatus value);
std::string text(BackupTaskStatus value);
std::string text(BackupType value);
std::string text(JobLevel value);
std::string text(BackupSetStatus value);
std::string text(DeleteType value);
std::string text(DeletedObject value);
std::string text(RestoreSysStatus value);
std::string text(RestoreTenantStatus value);
std::string text(RestoreType value);
std::string text(RestoreDataMode value);
std::string text(WorkState value);
std::string text(ValidateStatus value);
std::string text(FindingKind value);
std::string text(ValidateStage value);
std::string text(FindingStatus value);
std::string text(Harm value);

/// The enumerator whose text() is `word`, in any case. Throws Internal if there is none: the words come from our own
/// tables, or have been checked by the grammar.
template <typename Enum>
Enum parseText(std::string_view word);

/// How a job ended: what RESULT and COMMENT of its history row show.
struct Outcome {
    enum class State { Completed, Failed, Canceled };

    State state = State::Completed;
    int result = 0;       ///< 0, or a negative OceanBase code
    std::string comment;  ///< error text and hint; empty when completed

    static Outcome completed() { return {}; }
    /// Cancelled → Canceled (-4072); anything else → Failed with obResult() and "message; hint".
    static Outcome of(const Error& error);
};

}  // namespace tidemark::catalog
