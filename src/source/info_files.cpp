#include <charconv>
#include <sstream>

#include "base/error.h"
#include "source/mariadb_backup.h"

namespace tidemark::source {
namespace {

std::string contentOf(const std::map<std::string, std::string>& info, const std::string& name) {
    for (const char* first : {"mariadb_backup_", "xtrabackup_"}) {
        const auto found = info.find(first + name);
        if (found != info.end()) return found->second;
    }
    return {};
}

/// The value of "name = value" lines.
std::string field(const std::string& content, const std::string& name) {
    std::istringstream lines(content);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(name + " = ")) return line.substr(name.size() + 3);
    }
    return {};
}

std::uint64_t number(const std::string& text, const char* what) {
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem == std::errc() && end == text.data() + text.size()) return value;
    throw Error(ErrorCode::Corrupt, std::string("mariadb-backup gave no number for ") + what + ": '" + text + "'");
}

/// "t/a" → "t/a.ibd"; those of the system have names of their own.
std::string fileOf(const std::string& tablespace) {
    if (tablespace.find('/') != std::string::npos) return tablespace + ".ibd";
    constexpr std::string_view kUndo = "innodb_";
    if (tablespace == "innodb_system") return "ibdata1";
    return tablespace.starts_with(kUndo) ? tablespace.substr(kUndo.size()) : tablespace;
}

}  // namespace

/// For each tablespace a line with its name and number, then one with numbers of pages.
void parseWrongPages(const std::string& list, SourceFacts& facts) {
    std::istringstream lines(list);
    for (std::string space, numbers; std::getline(lines, space) && std::getline(lines, numbers);) {
        const std::string file = fileOf(space.substr(0, space.rfind(' ')));
        std::istringstream pages(numbers);
        for (std::string page; pages >> page; ++facts.wrong_page_count) {
            if (facts.wrong_page_count >= SourceFacts::kMostNamed) continue;
            if (facts.wrong_pages.size() >= SourceFacts::kMostFiles && !facts.wrong_pages.contains(file)) continue;
            std::string& named = facts.wrong_pages[file];
            named += (named.empty() ? "" : " ") + page;
        }
    }
}

SourceFacts parseInfoFiles(const std::map<std::string, std::string>& info) {
    const std::string checkpoints = contentOf(info, "checkpoints");
    SourceFacts facts;
    facts.from_lsn = number(field(checkpoints, "from_lsn"), "from_lsn");
    facts.to_lsn = number(field(checkpoints, "to_lsn"), "to_lsn");
    facts.last_lsn = number(field(checkpoints, "last_lsn"), "last_lsn");
    facts.server_version = field(contentOf(info, "info"), "server_version");
    // "file <tab> position <tab> GTID position"; there is no such file if the tenant writes no binlog.
    std::istringstream binlog(contentOf(info, "binlog_info"));
    std::string position;
    if (std::getline(binlog, facts.binlog_file, '\t') && std::getline(binlog, position, '\t')) {
        facts.binlog_position = number(position, "the binlog position");
        std::getline(binlog, facts.gtid);
    }
    return facts;
}

}  // namespace tidemark::source
