#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>

#include "base/crash_point.h"
#include "base/error.h"
#include "base/program_log.h"
#include "base/random.h"
#include "tenant/tenant_server.h"
#include "tenant/time_zone_tables.h"

// The directory of a tenant: made, configured, made durable, read for messages, removed.

namespace tidemark::tenant {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDropping = ".dropping-";
/// As source::PrivateDirectory names what jobs make in a tenant's directory.
constexpr const char* kWork = "tidemark-";

/// What jobs kept beside a tenant's data when the daemon died: logs, and option files that may hold its password.
void removeWorkOf(const fs::path& tenant) {
    std::vector<fs::path> left;
    for (const auto& entry : fs::directory_iterator(tenant)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(kWork) || name == "upgrade.cnf") left.push_back(entry.path());
    }
    for (const fs::path& path : left)
        fs::remove_all(path);
}

/// "2026-11-21 11:37:44 0 [ERROR] text". What follows a crash has no such form: the statement that was run, the stack.
bool isMessage(std::string_view line) {
    constexpr std::size_t kLongestBegin = 60;
    const std::string_view begin = line.substr(0, kLongestBegin);
    return !begin.empty() && std::isdigit(static_cast<unsigned char>(begin.front())) != 0 &&
           (begin.find("[ERROR] ") != std::string_view::npos || begin.find("[Warning] ") != std::string_view::npos ||
            begin.find("[Note] ") != std::string_view::npos);
}

void makePrivate(const fs::path& directory) {
    if (::mkdir(directory.c_str(), 0700) != 0) throwErrno(errno, "making " + directory.string());
}

}  // namespace

bool TenantServer::exists() const {
    return fs::exists(paths_.directory);
}

void TenantServer::makeDirectory() {
    makePrivate(paths_.directory);
    {
        const MutexLock starting(starting_);
        looked_ = true;  // nothing can run on a directory that was not there
    }
    makePrivate(paths_.temporary());
    replaceFile(paths_.secret(), randomPassword());
}

void TenantServer::create(TenantTemplate& tenant_template, catalog::CompatibilityMode mode) {
    makeDirectory();
    crashPoint("tenant.directory-made");
    tenant_template.copyTo(paths_.data(), mode);
}

/// One call for all the files: a sync of each of 200 would take a journal commit each.
void TenantServer::syncFiles() const {
    const Fd directory = openFile(paths_.directory, O_RDONLY | O_DIRECTORY);
    if (::syncfs(directory.get()) != 0) throwErrno(errno, "syncing the file system of tenant " + name());
}

void TenantServer::createEmpty() {
    makeDirectory();
    makePrivate(paths_.data());
    syncDirectory(paths_.directory);
    syncDirectory(paths_.directory.parent_path());
}

void TenantServer::configure(const TenantSettings& settings) {
    replaying_ = settings.profile == Profile::Replay || settings.profile == Profile::Upgrade;
    mode_ = settings.mode;
    const auto secret = readFile(paths_.secret());
    if (!secret) throw Error(ErrorCode::NotFound, "tenant " + name() + " has no file " + paths_.secret().string());
    replaceFile(paths_.initFile(), initFileText(*secret, settings.profile, settings.mode) + timeZoneSql(settings));
    replaceFile(paths_.config(), configText(settings));
    const MutexLock lock(mutex_);
    system_time_zone_ = settings.system_time_zone;
}

void TenantServer::removeFiles() {
    if (!exists()) return;
    ground_.clear(paths_);
    const fs::path parent = paths_.directory.parent_path();
    const fs::path doomed = parent / fmt::format("{}{}-{:08x}", kDropping, id_, randomU32());
    fs::rename(paths_.directory, doomed);
    syncDirectory(parent);
    crashPoint("tenant.directory-renamed");
    fs::remove_all(doomed);
}

std::string TenantServer::logTail(std::size_t lines) const {
    std::vector<std::string> own = lastLines(paths_.log());
    std::erase_if(own, [](const std::string& line) { return !isMessage(line); });
    if (own.size() > lines) own.erase(own.begin(), own.end() - static_cast<std::ptrdiff_t>(lines));
    return fmt::format("{}", fmt::join(own, "\n"));
}

void removeLeftovers(const fs::path& tenants) {
    for (const auto& entry : fs::directory_iterator(tenants)) {
        if (entry.path().filename().string().starts_with(kDropping)) {
            fs::remove_all(entry.path());
        } else if (entry.is_directory()) {
            removeWorkOf(entry.path());
        }
    }
}

}  // namespace tidemark::tenant
