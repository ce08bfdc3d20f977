#include "cli/commands.h"

#include <unistd.h>

#include <iostream>
#include <set>
#include <thread>

#include "base/json.h"
#include "cli/jobs.h"
#include "cli/table.h"

namespace tidemark::cli {
namespace {

struct Section {
    const char* title;
    const char* key;  ///< in the JSON
    const char* query;
};

constexpr Section kSections[] = {
    {"Tenants", "tenants",
     "SELECT t.TENANT_NAME AS TENANT, t.TENANT_ID AS ID, t.STATUS, t.TENANT_ROLE AS ROLE, t.LOG_MODE,"
     " a.STATUS AS ARCHIVE, a.CHECKPOINT_SCN_DISPLAY AS ARCHIVED_UNTIL,"
     " (SELECT MAX(s.END_TIMESTAMP) FROM oceanbase.CDB_OB_BACKUP_SET_FILES s"
     "  WHERE s.TENANT_ID = t.TENANT_ID AND s.FILE_STATUS = 'AVAILABLE') AS LAST_BACKUP"
     " FROM oceanbase.DBA_OB_TENANTS t LEFT JOIN oceanbase.CDB_OB_ARCHIVELOG a ON a.TENANT_ID = t.TENANT_ID"
     " ORDER BY t.TENANT_ID"},
    {"Archives in trouble", "archive_problems",
     "SELECT t.TENANT_NAME AS TENANT, a.STATUS, a.COMMENT FROM oceanbase.CDB_OB_ARCHIVELOG a"
     " JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID) WHERE a.COMMENT <> ''"},
    {"Running backups", "backups",
     "SELECT TENANT_ID AS TENANT, JOB_ID AS JOB, BACKUP_SET_ID AS BACKUP_SET, STATUS, START_TIMESTAMP AS STARTED, PATH"
     " FROM oceanbase.CDB_OB_BACKUP_JOBS WHERE TENANT_ID <> 1"},
    {"Running restores", "restores",
     "SELECT JOB_ID AS JOB, RESTORE_TENANT_NAME AS TENANT, STATUS, RESTORE_SCN_DISPLAY AS UNTIL,"
     " FINISH_BYTES_DISPLAY AS DONE, TOTAL_BYTES_DISPLAY AS TOTAL"
     " FROM oceanbase.CDB_OB_RESTORE_PROGRESS WHERE TENANT_ID <> 1"
     " AND STATUS NOT IN ('RESTORE_SUCCESS', 'RESTORE_FAIL')"},
};

std::string clause(const std::string& keyword, const std::string& description) {
    return description.empty() ? "" : " " + keyword + "?";
}

}  // namespace

int showStatus(mysql::SqlClient& client, bool json) {
    auto document = nlohmann::json::object();
    for (const Section& section : kSections) {
        const auto result = client.query(section.query);
        if (json) {
            document[section.key] = toJson(result);
        } else {
            printTable(std::cout, section.title, result);
        }
    }
    if (json) std::cout << jsonText(document, 2) << '\n';
    return 0;
}

int runBackup(mysql::SqlClient& client, const BackupCommand& command) {
    std::string statement = "ALTER SYSTEM BACKUP ";
    if (command.tenants.empty()) {
        statement += "DATABASE";
    } else {
        statement += "TENANT = ";
        for (std::size_t i = 0; i < command.tenants.size(); ++i) {
            statement += (i == 0 ? "" : ", ") + mysql::quoteIdentifier(command.tenants[i]);
        }
    }
    std::vector<mysql::Value> values;
    if (!command.description.empty()) values.emplace_back(command.description);
    client.query(statement + clause("DESCRIPTION = ", command.description), values);
    const auto ids = newestBackupJobs(client);
    if (!command.wait) {
        for (const auto& id : ids)
            std::cout << "started " << id << '\n';
        return 0;
    }
    return watchUntilEnd(client, ids) ? 0 : 1;
}

int runRestore(mysql::SqlClient& client, const RestoreCommand& command) {
    const std::string name = mysql::quoteIdentifier(command.tenant);
    std::string statement = "ALTER SYSTEM RESTORE " + name + " FROM ?";
    std::vector<mysql::Value> values{command.from};
    if (command.until_time) {
        statement += " UNTIL TIME = ?";
        values.emplace_back(*command.until_time);
    } else if (command.until_scn) {
        statement += " UNTIL SCN = ?";
        values.emplace_back(*command.until_scn);
    }
    statement += " WITH ?";
    values.emplace_back("pool_list=" + command.pools);
    if (!command.description.empty()) values.emplace_back(command.description);
    client.query(statement + clause("DESCRIPTION = ", command.description), values);
    const std::string id = newestRestoreJob(client, command.tenant);
    if (!command.wait) {
        std::cout << "started " << id << '\n';
        return 0;
    }
    if (!watchUntilEnd(client, {id})) return 1;
    if (command.activate) client.query("ALTER SYSTEM ACTIVATE STANDBY TENANT = " + name);
    return 0;
}

int watch(mysql::SqlClient& client, bool forever, bool json) {
    if (json) {
        auto document = nlohmann::json::array();
        for (const auto& job : runningJobs(client)) {
            document.push_back({{"id", job.id},
                                {"job", job.label},
                                {"phase", job.phase},
                                {"done_bytes", job.done},
                                {"total_bytes", job.total}});
        }
        std::cout << jsonText(document, 2) << '\n';
        return 0;
    }
    ProgressBars bars(isatty(STDOUT_FILENO) != 0);
    std::set<std::string> known;
    for (;;) {
        const auto jobs = runningJobs(client);
        bars.clear();
        std::set<std::string> running;
        for (const auto& job : jobs)
            running.insert(job.id);
        for (const auto& id : known) {
            if (running.contains(id)) continue;
            if (const auto end = jobEnd(client, id)) {
                std::cout << end->label << ": " << end->status << (end->comment.empty() ? "" : ": " + end->comment)
                          << std::endl;
            }
        }
        known = running;
        bars.draw(jobs);
        if (jobs.empty() && !forever) {
            std::cout << "nothing is running\n";
            return 0;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
}

int shutdownNode(mysql::SqlClient& client) {
    client.query("ALTER SYSTEM SHUTDOWN");
    std::cout << "the node and its databases are shutting down\n";
    return 0;
}

}  // namespace tidemark::cli
