#include "catalog/types.h"

#include <fmt/format.h>
#include <strings.h>

#include <array>

#include "oceanbase/ob_error.h"

namespace tidemark::catalog {
namespace {

/// The words of an enum in the order of its enumerators.
template <typename Enum>
constexpr std::array<const char*, 0> kWords{};
template <>
constexpr std::array kWords<TenantStatus> = {"CREATING", "NORMAL", "RESTORE", "DROPPING"};
template <>
constexpr std::array kWords<TenantRole> = {"PRIMARY", "STANDBY", "RESTORE"};
template <>
constexpr std::array kWords<ReplicaKind> = {"MANAGED", "ATTACHED"};
template <>
constexpr std::array kWords<ReplicaRole> = {"LEADER", "FOLLOWER"};
template <>
constexpr std::array kWords<CompatibilityMode> = {"MYSQL", "ORACLE"};
template <>
constexpr std::array kWords<LogMode> = {"NOARCHIVELOG", "ARCHIVELOG"};
template <>
constexpr std::array kWords<SwitchoverStatus> = {
    "NORMAL",    "PREPARE SWITCHING TO PRIMARY", "SWITCHING TO PRIMARY", "PREPARE FLASHBACK",
    "FLASHBACK", "PREPARE SWITCHING TO STANDBY", "SWITCHING TO STANDBY"};
template <>
constexpr std::array kWords<Binding> = {"OPTIONAL", "MANDATORY"};
template <>
constexpr std::array kWords<DestinationState> = {"ENABLE", "DEFER"};
template <>
constexpr std::array kWords<DestinationUse> = {"archive_log", "backup_data"};
template <>
constexpr std::array kWords<RoundStatus> = {"PREPARE",  "BEGINNING", "DOING",      "INTERRUPTED",
                                            "STOPPING", "STOP",      "SUSPENDING", "SUSPEND"};
template <>
constexpr std::array kWords<PieceStatus> = {"ACTIVE", "FROZEN"};
template <>
constexpr std::array kWords<FileStatus> = {"COPYING", "AVAILABLE", "INCOMPLETE", "DELETING",
                                           "DELETED", "EXPIRED",   "BROKEN"};
template <>
constexpr std::array kWords<BackupJobStatus> = {"INIT", "DOING", "CANCELING", "COMPLETED", "FAILED", "CANCELED"};
template <>
constexpr std::array kWords<BackupTaskStatus> = {"INIT",
                                                 "BACKUP_SYS_META",
                                                 "BACKUP_USER_META",
                                                 "BACKUP_META_FINISH",
                                                 "BACKUP_DATA_SYS",
                                                 "BACKUP_DATA_MINOR",
                                                 "BACKUP_DATA_MAJOR",
                                                 "BEFORE_BACKUP_LOG",
                                                 "BACKUP_LOG",
                                                 "CANCELING",
                                                 "COMPLETED",
                                                 "FAILED",
                                                 "CANCELED"};
template <>
constexpr std::array kWords<BackupType> = {"FULL", "INC"};
template <>
constexpr std::array kWords<JobLevel> = {"CLUSTER", "SYS_TENANT", "USER_TENANT"};
template <>
constexpr std::array kWords<BackupSetStatus> = {"DOING", "SUCCESS", "FAILED"};
template <>
constexpr std::array kWords<DeleteType> = {"DELETE OBSOLETE BACKUP", "DELETE BACKUPSET", "DELETE ARCHIVELOG_PIECE"};
template <>
constexpr std::array kWords<DeletedObject> = {"BACKUP SET", "BACKUP PIECE"};
template <>
constexpr std::array kWords<RestoreSysStatus> = {"CREATE_TENANT", "WAIT_TENANT_RESTORE_FINISH", "RESTORE_SUCCESS",
                                                 "RESTORE_FAIL"};
template <>
constexpr std::array kWords<RestoreTenantStatus> = {
    "RESTORING",       "POST_CHECK",  "UPGRADE", "WAIT_QUICK_RESTORE_FINISH", "QUICK_RESTORE_FINISH",
    "RESTORE_SUCCESS", "RESTORE_FAIL"};
template <>
constexpr std::array kWords<RestoreType> = {"FULL", "QUICK"};
template <>
constexpr std::array kWords<RestoreDataMode> = {"NORMAL", "REMOTE"};
template <>
constexpr std::array kWords<WorkState> = {"READY", "RUNNING", "WAITING"};
template <>
constexpr std::array kWords<ValidateStatus> = {"INIT", "DOING", "CANCELING", "COMPLETED", "FAILED", "CANCELED"};
template <>
constexpr std::array kWords<FindingKind> = {
    "MISSING",       "WRONG_SIZE", "DAMAGED",     "CONTRADICTION",  "CHAIN",         "GAP",         "UNREADABLE",
    "NEWER_VERSION", "NO_KEY",     "SOURCE_PAGE", "NOT_RESTORABLE", "TABLE_DAMAGED", "ROWS_DIFFER", "NOT_COMPARED"};
template <>
constexpr std::array kWords<ValidateStage> = {
    "", "OBJECTS", "TENANT_ROWS", "RESTORE_DATA", "RESTORE_LOG", "CHECK_TABLES", "COMPARE"};
template <>
constexpr std::array kWords<FindingStatus> = {"OPEN", "CLOSED"};
template <>
constexpr std::array kWords<Harm> = {"NONE", "SET", "LOG", "ROUND", "ARCHIVE", "DATA"};

}  // namespace

template <typename Enum>
Enum parseText(std::string_view word) {
    const auto& words = kWords<Enum>;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (word.size() == std::string_view(words[i]).size() && strncasecmp(words[i], word.data(), word.size()) == 0) {
            return static_cast<Enum>(i);
        }
    }
    throw Error(ErrorCode::Internal, fmt::format("unknown word in the catalog: '{}'", word));
}

// One line per enum: its words outward and back.
#define TIDEMARK_WORDS(Enum)                                     \
    std::string text(Enum value) {                               \
        return kWords<Enum>.at(static_cast<std::size_t>(value)); \
    }                                                            \
    template Enum parseText<Enum>(std::string_view)

TIDEMARK_WORDS(TenantStatus);
TIDEMARK_WORDS(TenantRole);
TIDEMARK_WORDS(ReplicaKind);
TIDEMARK_WORDS(ReplicaRole);
TIDEMARK_WORDS(CompatibilityMode);
TIDEMARK_WORDS(LogMode);
TIDEMARK_WORDS(SwitchoverStatus);
TIDEMARK_WORDS(Binding);
TIDEMARK_WORDS(DestinationState);
TIDEMARK_WORDS(DestinationUse);
TIDEMARK_WORDS(RoundStatus);
TIDEMARK_WORDS(PieceStatus);
TIDEMARK_WORDS(FileStatus);
TIDEMARK_WORDS(BackupJobStatus);
TIDEMARK_WORDS(BackupTaskStatus);
TIDEMARK_WORDS(BackupType);
TIDEMARK_WORDS(JobLevel);
TIDEMARK_WORDS(BackupSetStatus);
TIDEMARK_WORDS(DeleteType);
TIDEMARK_WORDS(DeletedObject);
TIDEMARK_WORDS(RestoreSysStatus);
TIDEMARK_WORDS(RestoreTenantStatus);
TIDEMARK_WORDS(RestoreType);
TIDEMARK_WORDS(RestoreDataMode);
TIDEMARK_WORDS(WorkState);
TIDEMARK_WORDS(ValidateStatus);
TIDEMARK_WORDS(FindingKind);
TIDEMARK_WORDS(ValidateStage);
TIDEMARK_WORDS(FindingStatus);
TIDEMARK_WORDS(Harm);

#undef TIDEMARK_WORDS

Outcome Outcome::of(const Error& error) {
    Outcome outcome;
    outcome.state = error.code() == ErrorCode::Cancelled ? State::Canceled : State::Failed;
    outcome.result = outcome.state == State::Canceled ? -static_cast<int>(Ob::Canceled) : obResult(error);
    outcome.comment = error.what();
    if (!error.hint().empty()) outcome.comment += "; " + error.hint();
    return outcome;
}

}  // namespace tidemark::catalog
