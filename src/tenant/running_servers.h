#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tidemark::tenant {

/// The programs of our user that run now and were started with an option file, as every mariadbd of a tenant is. /proc
/// is read once, for all tenants: it has an entry for every process of the machine, and an entry may be slow to answer.
///
/// Immutable. What it names may have ended since.
class RunningServers {
public:
    /// None, where it is known that none can run.
    RunningServers() = default;
    /// Those that run when this is called.
    static RunningServers look();

    /// The process that was started with exactly these arguments.
    std::optional<pid_t> find(const std::vector<std::string>& arguments) const;

private:
    std::map<std::vector<std::string>, pid_t> by_arguments_;
};

}  // namespace tidemark::tenant
