#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/layout.h"
#include "catalog/stores.h"
#include "restore/restore_plan.h"
#include "tenant/standby_service.h"
#include "validate/checking.h"
#include "validate/finding.h"
#include "validate/restore_blame.h"
#include "validate/tenant_reading.h"

namespace tidemark::validate {

/// What a check by restore works with beside its storage; references outlive it.
struct RestoreCheckParts {
    catalog::Stores& stores;
    tenant::StandbyService& tenants;
    catalog::TenantId tenant = 0;
    std::filesystem::path servers;  ///< below it the throw-away server lies
    /// Has the archivers that write there write what they have.
    std::function<void(const std::string&)> write_archive;
    std::optional<TableStates>& present;  ///< of the tenant: read once for all sets of a job
};

/// Restores a set into a throw-away server, replays the log as far as it goes, has every table checked, and compares
/// what they hold with the tenant itself, at one position of its log: docs/decisions/validate.md.
///
/// Memory: that of the server (kServerMemory), and 300 bytes for each table of the tenant.
class RestoreCheck {
public:
    static constexpr std::uint64_t kServerMemory = 256ULL << 20;

    RestoreCheck(const RestoreCheckParts& parts, const catalog::BackupSet& set, const Checking& with);

    /// What is wrong it returns. Throws what may pass (Unavailable, Denied), as long as that is no finding
    /// (Checking::unreadable_is_finding) or the archive is away; then Conflict: it is the node that cannot restore the
    /// set; NoSpace; Cancelled.
    std::vector<Finding> run();

private:
    bool isLocked();
    void readTenant();
    bool canCompare() const;
    void restoreAndLook();
    void restoreInto(tenant::TenantServer& server);
    void look(const mysql::GtidPosition& reached, tenant::TenantServer& server);
    void compare(const mysql::GtidPosition& reached, const std::map<TableName, std::string>& damaged,
                 const std::map<TableName, TableState>& listed, const std::map<TableName, TableState>& restored);
    tenant::TenantSettings settingsOf(const std::map<std::string, std::string>& carried);
    void stage(catalog::ValidateStage stage);
    TableProgress tableProgress();
    std::string setUri() const;
    void notCompared(const std::string& object, const std::string& why);
    void cannotRestore(const Error& error, Blame blame);
    bool isArchiveAway() const;
    bool nodeRunsServers();
    void notRestorable(const Error& error, Blame blame);

    // What is replayed: restore_check_plan.cpp.
    void findRound();
    bool hasWrongPages();
    bool choosePlan();
    std::optional<Scn> presentScn();
    restore::RestoreChoice choiceTo(Scn target) const;
    bool planWithArchive(Scn target);
    bool planWithOwnLog();
    bool plan(const restore::RestoreChoice& choice);

    const RestoreCheckParts parts_;
    const catalog::BackupSet set_;
    const backup_set::SetId id_;
    const Checking& with_;
    Findings findings_;
    std::optional<catalog::ArchiveRound> round_;  ///< whose log goes on behind the set
    std::string why_not_;                         ///< the tables cannot be compared
    block::ChainKeyPtr key_;
    std::optional<restore::RestorePlan> plan_;
    bool own_log_ = false;  ///< the plan's is the one that the set carries
    std::uint32_t server_id_ = 0;
    std::optional<std::pair<Error, Blame>> failure_;  ///< of the trial
};

}  // namespace tidemark::validate
