#include "cli/jobs.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <thread>

namespace tidemark::cli {
namespace {

double number(const mysql::Row& row, const char* column) {
    const auto text = row.maybe(column);
    return text ? std::stod(*text) : 0;
}

std::string backupId(const std::string& tenant_id, const std::string& job_id) {
    return "backup " + tenant_id + "/" + job_id;
}

void addBackups(mysql::SqlClient& client, std::vector<JobProgress>& jobs) {
    const auto result = client.query(
        "SELECT j.TENANT_ID, j.JOB_ID, COALESCE(n.TENANT_NAME, j.TENANT_ID) AS NAME, COALESCE(t.STATUS, j.STATUS) AS "
        "STATUS,"
        " COALESCE(t.INPUT_BYTES, 0) AS DONE, COALESCE(t.MACRO_BLOCK_COUNT, 0) AS BLOCKS,"
        " t.FINISH_MACRO_BLOCK_COUNT = t.MACRO_BLOCK_COUNT AS WHOLE, p.SECONDS_LEFT"
        " FROM oceanbase.CDB_OB_BACKUP_JOBS j"
        " LEFT JOIN oceanbase.CDB_OB_BACKUP_TASKS t ON t.TENANT_ID = j.TENANT_ID AND t.JOB_ID = j.JOB_ID"
        " LEFT JOIN oceanbase.CDB_TM_BACKUP_PROGRESS p ON p.TENANT_ID = j.TENANT_ID AND p.JOB_ID = j.JOB_ID"
        " LEFT JOIN oceanbase.DBA_OB_TENANTS n ON n.TENANT_ID = j.TENANT_ID WHERE j.TENANT_ID <> 1");
    for (const auto& row : result.rows) {
        JobProgress job{.id = backupId(row.text("TENANT_ID"), row.text("JOB_ID")),
                        .label = "backup " + row.text("NAME"),
                        .phase = row.text("STATUS"),
                        .done = number(row, "DONE"),
                        .left = number(row, "SECONDS_LEFT")};
        constexpr double kMacroBlock = 2 << 20;  // bytes, docs/sql.md
        const bool whole = job.done > 0 && number(row, "WHOLE") != 0;
        job.total = whole ? job.done : std::max(job.done, number(row, "BLOCKS") * kMacroBlock);
        jobs.push_back(job);
    }
}

void addRestores(mysql::SqlClient& client, std::vector<JobProgress>& jobs) {
    const auto result = client.query(
        "SELECT s.JOB_ID, s.RESTORE_TENANT_NAME, COALESCE(t.STATUS, s.STATUS) AS STATUS, t.TOTAL_BYTES, t.FINISH_BYTES,"
        " p.SECONDS_LEFT"
        " FROM oceanbase.CDB_OB_RESTORE_PROGRESS s LEFT JOIN oceanbase.CDB_OB_RESTORE_PROGRESS t"
        " ON t.JOB_ID = s.JOB_ID AND t.TENANT_ID <> 1"
        " LEFT JOIN oceanbase.CDB_TM_RESTORE_PROGRESS p ON p.JOB_ID = s.JOB_ID WHERE s.TENANT_ID = 1");
    for (const auto& row : result.rows) {
        jobs.push_back({.id = "restore " + row.text("JOB_ID"),
                        .label = "restore " + row.text("RESTORE_TENANT_NAME"),
                        .phase = row.text("STATUS"),
                        .done = number(row, "FINISH_BYTES"),
                        .total = number(row, "TOTAL_BYTES"),
                        .left = number(row, "SECONDS_LEFT")});
    }
}

std::optional<JobEnd> endOf(const mysql::Result& result, const std::string& kind) {
    if (result.empty()) return std::nullopt;
    const auto& row = result.rows.front();
    JobEnd end{
        .label = kind + row.text("NAME"), .status = row.text("STATUS"), .comment = row.maybe("COMMENT").value_or("")};
    end.ok = end.status == "COMPLETED" || end.status == "SUCCESS";
    return end;
}

}  // namespace

std::vector<JobProgress> runningJobs(mysql::SqlClient& client) {
    std::vector<JobProgress> jobs;
    addBackups(client, jobs);
    addRestores(client, jobs);
    return jobs;
}

std::optional<JobEnd> jobEnd(mysql::SqlClient& client, const std::string& id) {
    const auto space = id.find(' ');
    const std::string numbers = id.substr(space + 1);
    if (id.starts_with("restore ")) {
        return endOf(
            // One that succeeded is over when PROGRESS says so; why one failed, only the history says.
            client.query("SELECT RESTORE_TENANT_NAME AS NAME, STATUS, COMMENT FROM oceanbase.CDB_OB_RESTORE_HISTORY"
                         " WHERE TENANT_ID = 1 AND JOB_ID = ?"
                         " UNION ALL SELECT RESTORE_TENANT_NAME, 'SUCCESS', NULL FROM oceanbase.CDB_OB_RESTORE_PROGRESS"
                         " WHERE TENANT_ID = 1 AND JOB_ID = ? AND STATUS = 'RESTORE_SUCCESS'",
                         {numbers, numbers}),
            "restore ");
    }
    const auto slash = numbers.find('/');
    return endOf(client.query("SELECT COALESCE(n.TENANT_NAME, j.TENANT_ID) AS NAME, j.STATUS, j.COMMENT"
                              " FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY j"
                              " LEFT JOIN oceanbase.DBA_OB_TENANTS n ON n.TENANT_ID = j.TENANT_ID"
                              " WHERE j.TENANT_ID = ? AND j.JOB_ID = ?",
                              {numbers.substr(0, slash), numbers.substr(slash + 1)}),
                 "backup ");
}

std::vector<std::string> newestBackupJobs(mysql::SqlClient& client) {
    // A quick job may be in the history before we look, so both views are asked.
    const auto result = client.query(
        "SELECT TENANT_ID, JOB_ID FROM (SELECT TENANT_ID, JOB_ID, INITIATOR_JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOBS"
        " UNION ALL SELECT TENANT_ID, JOB_ID, INITIATOR_JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY) a"
        " WHERE TENANT_ID <> 1 AND INITIATOR_JOB_ID = (SELECT MAX(JOB_ID) FROM"
        " (SELECT JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOBS WHERE TENANT_ID = 1"
        " UNION ALL SELECT JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE TENANT_ID = 1) p)");
    std::vector<std::string> ids;
    for (const auto& row : result.rows)
        ids.push_back(backupId(row.text("TENANT_ID"), row.text("JOB_ID")));
    return ids;
}

std::string newestRestoreJob(mysql::SqlClient& client, const std::string& tenant) {
    return "restore " +
           client
               .scalar(
                   "SELECT MAX(JOB_ID) FROM (SELECT JOB_ID FROM oceanbase.CDB_OB_RESTORE_PROGRESS WHERE "
                   "RESTORE_TENANT_NAME = ?"
                   " UNION ALL SELECT JOB_ID FROM oceanbase.CDB_OB_RESTORE_HISTORY WHERE RESTORE_TENANT_NAME = ?) a",
                   {tenant, tenant})
               .value_or("0");
}

bool watchUntilEnd(mysql::SqlClient& client, const std::vector<std::string>& ids) {
    ProgressBars bars(isatty(STDOUT_FILENO) != 0);
    bool all_ok = true;
    std::vector<std::string> waiting = ids;
    while (!waiting.empty()) {
        std::vector<JobProgress> ours;
        for (const auto& job : runningJobs(client)) {
            if (std::find(waiting.begin(), waiting.end(), job.id) != waiting.end()) ours.push_back(job);
        }
        bars.clear();
        std::erase_if(waiting, [&](const std::string& id) {
            const auto end = jobEnd(client, id);
            if (!end) return false;
            std::cout << end->label << ": " << end->status << (end->comment.empty() ? "" : ": " + end->comment)
                      << std::endl;
            all_ok = all_ok && end->ok;
            return true;
        });
        bars.draw(ours);
        // The views move once a second at most; there is nothing to wake us.
        if (!waiting.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(250));
    }
    return all_ok;
}

}  // namespace tidemark::cli
