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
#include "validate/table_states.h"

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

    /// Throws Unavailable if the storage does not give something, NoSpace, Cancelled; what is wrong it returns.
    std::vector<Finding> run();

private:
    bool isLocked();
    void findRound();
    bool hasWrongPages();
    void readTenant();
    bool canCompare() const;
    bool choosePlan();
    std::optional<Scn> presentScn();
    bool planTo(Scn target, bool with_log);
    void restoreAndLook();
    void look(const mysql::GtidPosition& reached, tenant::TenantServer& server);
    void compare(const mysql::GtidPosition& reached, const std::map<TableName, std::string>& damaged,
                 const std::map<TableName, TableState>& listed, const std::map<TableName, TableState>& restored);
    tenant::TenantSettings settingsOf(const std::map<std::string, std::string>& carried);
    void stage(catalog::ValidateStage stage);
    TableProgress tableProgress();
    std::string setUri() const;
    void notCompared(const std::string& object, const std::string& why);
    void cannotRestore(const Error& error, bool by_log);

    const RestoreCheckParts parts_;
    const catalog::BackupSet set_;
    const Checking& with_;
    Findings findings_;
    std::optional<catalog::ArchiveRound> round_;  ///< whose log goes on behind the set
    std::string why_not_;                         ///< the tables cannot be compared
    block::ChainKeyPtr key_;
    std::optional<restore::RestorePlan> plan_;
    std::uint32_t server_id_ = 0;
};

}  // namespace tidemark::validate
