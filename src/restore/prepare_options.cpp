#include "restore/prepare_options.h"

#include <map>
#include <regex>
#include <sstream>

#include "base/error.h"

namespace tidemark::restore {
namespace {

/// Names, and what their values, or what stands between semicolons, look like as mariadb-backup 10.11 to 11.8 writes
/// them. Made once: a file may name one of them a thousand times.
const std::map<std::string, std::regex>& knownOptions() {
    static const std::map<std::string, std::regex> known = {
        {"innodb_checksum_algorithm", std::regex("(strict_)?(full_)?(crc32|innodb|none)")},
        {"innodb_data_file_path",
         std::regex("ibdata[0-9]{1,3}:[0-9]{1,12}[KMG]?(:autoextend(:max:[0-9]{1,12}[KMG]?)?)?")},
        {"innodb_log_file_size", std::regex("[0-9]{1,15}")},
        {"innodb_page_size", std::regex("4096|8192|16384|32768|65536")},
        {"innodb_undo_directory", std::regex("\\./?")},
        {"innodb_undo_tablespaces", std::regex("[0-9]{1,3}")},
        {"innodb_compression_level", std::regex("[0-9]")},
    };
    return known;
}

bool isList(const std::string& name) {
    return name == "innodb_data_file_path";
}

bool matches(const std::string& value, const std::regex& form) {
    constexpr std::size_t kLongest = 100;  // the library goes as deep as a text is long
    return value.size() <= kLongest && std::regex_match(value, form);
}

bool isPossible(const std::string& name, const std::string& value, const std::regex& form) {
    if (!isList(name)) return matches(value, form);
    std::istringstream parts(value);
    bool possible = !value.empty() && value.back() != ';';
    for (std::string part; possible && std::getline(parts, part, ';');)
        possible = matches(part, form);
    return possible;
}

/// "name=value", if it is one that is taken over.
std::string checkedLine(const std::string& name, const std::string& value) {
    const auto known = knownOptions().find(name);
    if (known != knownOptions().end()) {
        if (isPossible(name, value, known->second)) return name + "=" + value + "\n";
        throw Error(
            ErrorCode::Corrupt,
            "backup-my.cnf of the backup set gives " + name + " the impossible value '" + value.substr(0, 100) + "'",
            "restore from another backup set");
    }
    return {};
}

}  // namespace

std::string prepareOptions(const std::string& of_the_set) {
    std::string text = "# of the backup set, what is known and checked\n[mysqld]\n";
    std::istringstream lines(of_the_set);
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (equals != std::string::npos) text += checkedLine(line.substr(0, equals), line.substr(equals + 1));
    }
    return text;
}

}  // namespace tidemark::restore
