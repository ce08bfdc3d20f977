#include "tenant/running_servers.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>

#include "base/process.h"

namespace tidemark::tenant {
namespace {

namespace fs = std::filesystem;

std::optional<pid_t> numberOf(std::string_view text) {
    pid_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value <= 0) return std::nullopt;
    return value;
}

bool isOurs(const fs::path& process) {
    struct stat info {};
    return ::stat(process.c_str(), &info) == 0 && info.st_uid == geteuid();
}

}  // namespace

RunningServers RunningServers::look() {
    RunningServers found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const auto pid = numberOf(entry.path().filename().string());
        if (!pid || !isOurs(entry.path())) continue;
        auto arguments = commandLine(*pid);
        if (arguments.size() == 2 && arguments[1].starts_with("--defaults-file="))
            found.by_arguments_.emplace(std::move(arguments), *pid);
    }
    return found;
}

std::optional<pid_t> RunningServers::find(const std::vector<std::string>& arguments) const {
    const auto found = by_arguments_.find(arguments);
    return found == by_arguments_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace tidemark::tenant
