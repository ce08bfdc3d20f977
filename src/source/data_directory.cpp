#include "source/data_directory.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace tidemark::source {
namespace {

namespace fs = std::filesystem;

bool isSystemTablespace(const std::string& name) {
    return name.starts_with("ibdata") || name.starts_with("undo");
}

bool isCopied(const fs::path& relative) {
    const std::string name = relative.filename().string();
    if (!relative.has_parent_path()) {
        return isSystemTablespace(name) || name.starts_with("aria_log.") || name == "aria_log_control";
    }
    static constexpr auto kTypes =
        std::to_array<std::string_view>({".frm", ".ibd", ".isl", ".MYD", ".MYI", ".MAD", ".MAI", ".MRG", ".TRG", ".TRN",
                                         ".ARM", ".ARZ", ".CSM", ".CSV", ".opt", ".par"});
    return std::find(kTypes.begin(), kTypes.end(), relative.extension().string()) != kTypes.end();
}

void addFile(const fs::path& relative, std::uint64_t size, SourceTotals& totals) {
    if (!isCopied(relative)) return;
    totals.bytes += size;
    totals.files += 1;
    totals.tablets += isTablet(relative.string()) ? 1 : 0;
    totals.sizes.emplace(relative.string(), size);
}

}  // namespace

bool Source::has(const std::string&) const {
    return true;
}

bool isTablet(const std::string& path) {
    const fs::path file(path);
    const std::string type = file.extension().string();
    return type == ".ibd" || type == ".MYD" || type == ".MAD" ||
           (!file.has_parent_path() && isSystemTablespace(file.filename().string()));
}

SourceTotals measureDataDirectory(const fs::path& directory) {
    SourceTotals totals;
    std::error_code problem;
    fs::recursive_directory_iterator at(directory, fs::directory_options::skip_permission_denied, problem);
    if (problem) throwErrno(problem.value(), "looking into " + directory.string());
    while (at != fs::recursive_directory_iterator()) {
        std::error_code gone;
        if (at->is_regular_file(gone)) {
            const std::uint64_t size = at->file_size(gone);
            if (!gone) addFile(at->path().lexically_relative(directory), size, totals);
        }
        // Databases are one level deep; a directory that vanishes ends the walk early, which an estimate may.
        if (at.depth() >= 1) at.disable_recursion_pending();
        at.increment(gone);
        if (gone) break;
    }
    return totals;
}

}  // namespace tidemark::source
