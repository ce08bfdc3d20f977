#include "base/program_log.h"

#include <gtest/gtest.h>

#include <fstream>

#include "testing/mariadb_server.h"

namespace tidemark {
namespace {

TEST(ProgramLog, ShowsWhatHappenedToWhat) {
    for (const char* line : {
             "2026-11-27 22:30:01 0 [ERROR] InnoDB: Operating system error number 13 in a file operation.",
             "2026-11-27 22:30:01 0 [ERROR] InnoDB: Cannot open datafile for read-only: './d/t.ibd' OS error: 81",
             "2026-11-27 22:30:01 0 [ERROR] mariadbd: unknown variable 'no_such=1'",
             "2026-11-27 22:30:01 0 [Note] /usr/sbin/mariadbd: Shutdown complete",
             "[00] 2026-11-21 11:37:44 completed OK!",
             "Can't connect to local server through socket '/n/t/1002/s' (111)",
             "Access denied for user 'tidemark'@'localhost' (using password: YES)",
             "2026-11-27 22:30:01 0 [ERROR] mariadbd: Error while setting value 'NO_SUCH' to option 'sql_mode'",
             "Table `d`.`t` has an unknown index",
         }) {
        EXPECT_EQ(withoutContent(line), line);
    }
}

/// As 10.11 prints them.
TEST(ProgramLog, ShowsNothingOfWhatUsersStore) {
    const std::string page(1000, 'x');
    for (const std::string& line : std::vector<std::string>{
             " len 1024; hex " + page + "; asc secret;",
             " 1: len 6; hex 736563726574; asc secret;;",
             "2026-11-27 22:30:01 0 [ERROR] InnoDB: tuple: TUPLE (info_bits=0, 2 fields): {[6]secret(0x736563726574)}",
             "2026-11-27 22:30:01 5 [ERROR] Slave SQL: Error 'Duplicate entry 'secret' for key 'PRIMARY'' on query. "
             "Default database: 'd'. Query: 'INSERT INTO t VALUES ('secret')', Gtid 1-1-1",
             "2026-11-27 22:30:01 5 [ERROR] Could not execute Write_rows_v1 event; Duplicate entry 'secret' for key "
             "'a'",
             "Query (0x7f12): INSERT INTO t VALUES ('secret')",
             "2026-11-27 22:30:01 5 [Warning] Unsafe statement written. Statement: INSERT INTO t SELECT 'secret'",
             "2026-11-27 22:30:01 5 [ERROR] Event Scheduler: [root@%][d.e] secret",
             "ERROR: 1064 You have an error in your SQL syntax near 'BY \"secret\"' at line 1",
             "[ERROR] Incorrect string value: '\\xF0secret' for column `d`.`t`.`a` at row 1",
             "[ERROR] a value 'it's a' secret 'one' was refused",
             "[ERROR] it said \"secret\"",
             "[ERROR] option 'secret",
             "[ERROR] file 'a secret'",
             "[ERROR] token 736563726574736563726574736563726574secret",
         }) {
        EXPECT_EQ(withoutContent(line).find("secret"), std::string::npos) << withoutContent(line);
    }
    EXPECT_EQ(withoutContent("[ERROR] it said 'secret' (errno: 5)"), "[ERROR] it said *** (errno: 5)");
    EXPECT_EQ(withoutContent(page + "secret"), "");
}

TEST(ProgramLog, ReadsWholeLinesAtTheEnd) {
    const testing::TemporaryDirectory directory;
    const auto log = directory.path() / "log";
    EXPECT_TRUE(lastLines(log).empty());
    std::ofstream(log) << std::string(16 << 10, 'x') << " secret end of a page\n; hex 00\n\nfirst\nlast";
    EXPECT_EQ(lastLines(log), (std::vector<std::string>{"first", "last"}));
    std::ofstream(log) << "";
    EXPECT_TRUE(lastLines(log).empty());
    std::ofstream(log) << std::string(20'000, 'x');
    EXPECT_TRUE(lastLines(log).empty());
}

}  // namespace
}  // namespace tidemark
