#include "restore/set_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>

#include "base/error.h"

namespace tidemark::restore {
namespace {

bool isNumber(std::string_view text) {
    return !text.empty() && text.size() <= 10 &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// `first` and a number.
bool isNumbered(std::string_view name, std::string_view first) {
    return name.starts_with(first) && isNumber(name.substr(first.size()));
}

/// Of the files beside the schemas.
bool isServerFile(std::string_view name) {
    static constexpr auto kNames =
        std::to_array<std::string_view>({"ib_logfile0", "aria_log_control", "backup-my.cnf", "ib_buffer_pool"});
    return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || isNumbered(name, "ibdata") ||
           isNumbered(name, "undo") || isNumbered(name, "aria_log.") || name.starts_with("xtrabackup_") ||
           name.starts_with("mariadb_backup_");
}

bool isSchemaFile(std::string_view name) {
    // Of tablespaces elsewhere, and of incremental copies. (A copy may hold *.new, *.ren and *.del: see prepareFiles.)
    static constexpr auto kObeyed = std::to_array<std::string_view>({".isl", ".delta", ".meta"});
    return std::none_of(kObeyed.begin(), kObeyed.end(), [&](std::string_view end) { return name.ends_with(end); });
}

}  // namespace

void requireOrdinaryFiles(const std::vector<block::StoredFile>& files, const std::string& object) {
    std::set<std::string_view> schemas;
    const auto refuse = [&](const block::StoredFile& file, const std::string& what) {
        throw Error(ErrorCode::Corrupt, object + " names '" + file.path + "', " + what,
                    "nothing was written; find out who can write to the destination, restore from another backup set");
    };
    for (const block::StoredFile& file : files) {
        const std::string_view path = file.path;
        const auto slash = path.find('/');
        const std::string_view name = path.substr(slash + 1);
        const bool in_schema = slash != std::string_view::npos;
        if (in_schema ? name.find('/') != std::string_view::npos || !isSchemaFile(name) : !isServerFile(name)) {
            refuse(file, "which is no file that a backup stores");
        }
        if (in_schema) schemas.insert(path.substr(0, slash));
    }
    for (const block::StoredFile& file : files) {
        if (schemas.contains(file.path)) refuse(file, "which is a directory of other files at the same time");
    }
}

}  // namespace tidemark::restore
