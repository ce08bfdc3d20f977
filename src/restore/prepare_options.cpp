#include "restore/prepare_options.h"

#include <array>
#include <regex>
#include <sstream>
#include <utility>

#include "base/error.h"

namespace tidemark::restore {
namespace {

/// Names, and what their values look like as mariadb-backup 10.11 to 11.8 writes them.
constexpr auto kKnown = std::to_array<std::pair<const char*, const char*>>({
    {"innodb_checksum_algorithm", "(strict_)?(full_)?(crc32|innodb|none)"},
    {"innodb_data_file_path",
     "ibdata[0-9]{1,3}:[0-9]{1,12}[KMG]?(:autoextend(:max:[0-9]{1,12}[KMG]?)?)?"
     "(;ibdata[0-9]{1,3}:[0-9]{1,12}[KMG]?(:autoextend(:max:[0-9]{1,12}[KMG]?)?)?){0,99}"},
    {"innodb_log_file_size", "[0-9]{1,15}"},
    {"innodb_page_size", "4096|8192|16384|32768|65536"},
    {"innodb_undo_directory", "\\./?"},
    {"innodb_undo_tablespaces", "[0-9]{1,3}"},
    {"innodb_compression_level", "[0-9]"},
});

/// "name=value", if it is one that is taken over.
std::string checkedLine(const std::string& name, const std::string& value) {
    for (const auto& [known, pattern] : kKnown) {
        if (name != known) continue;
        constexpr std::size_t kLongest = 4096;
        if (value.size() <= kLongest && std::regex_match(value, std::regex(pattern))) return name + "=" + value + "\n";
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
