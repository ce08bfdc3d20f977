#include "restore/opened_data.h"

#include <fcntl.h>
#include <sys/file.h>

#include "backup_set/kept_key.h"
#include "base/crash_point.h"
#include "base/error.h"
#include "base/json.h"
#include "base/process.h"
#include "base/program.h"
#include "base/require_going.h"
#include "base/secret.h"
#include "base/stop_sleep.h"

namespace tidemark::restore {

using backup_set::MountFailure;
using backup_set::MountFiles;
using backup_set::MountProgress;
using tenant::TenantPaths;

namespace fs = std::filesystem;

namespace {

/// A start of a server waits so long at most: the supervisor's thread makes those of all tenants.
constexpr std::chrono::seconds kSoon{2};
/// A restore has time: the whole index is read.
constexpr std::chrono::minutes kLimit{30};
constexpr std::chrono::milliseconds kLookEach{10};
/// For the process of a mount to end once it is unmounted: it syncs what it has.
constexpr std::chrono::minutes kEndLimit{2};

MountFiles filesOf(const TenantPaths& paths) {
    return {paths.directory / "mount"};
}
fs::path openedOf(const TenantPaths& paths) {
    return paths.directory / "opened";
}

/// Beside the daemon's own program; else in PATH.
std::string mountProgram() {
    constexpr const char* kName = "tidemark-mount";
    std::error_code unknown;
    const fs::path beside = fs::read_symlink("/proc/self/exe", unknown).parent_path() / kName;
    return !unknown && fs::exists(beside, unknown) ? beside.string() : kName;
}

/// Waits until no tidemark-mount has the directory any more.
void awaitEnd(const fs::path& lock) {
    const Fd fd(::open(lock.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd.valid()) return;
    const auto until = std::chrono::steady_clock::now() + kEndLimit;
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (std::chrono::steady_clock::now() > until)
            throw Error(ErrorCode::Unavailable, "a tidemark-mount does not end though it was unmounted");
        sleepFor({}, kLookEach);
    }
}

}  // namespace

tenant::DataGround OpenedData::ground() {
    return {.lay = [this](const TenantPaths& paths) { lay(paths); },
            .clear = [this](const TenantPaths& paths) { clear(paths); }};
}

bool OpenedData::isOpened(const TenantPaths& paths) {
    return fs::exists(filesOf(paths).source());
}

void OpenedData::hydrate(const TenantPaths& paths, std::uint64_t bytes_per_second) {
    const std::string text = std::to_string(bytes_per_second) + "\n";
    if (readFile(filesOf(paths).hydrate()) != text) replaceFile(filesOf(paths).hydrate(), text);
}

OpenedData::State OpenedData::look(const TenantPaths& paths) {
    const MountFiles files = filesOf(paths);
    State state{.mount = mountState(paths.data()), .complete = fs::exists(files.complete()), .progress = {}};
    if (const auto progress = MountProgress::from(readFile(files.progress()).value_or(""))) state.progress = *progress;
    return state;
}

std::optional<std::string> OpenedData::open(const TenantPaths& paths, const Source& source,
                                            const std::stop_token& stop) {
    if (const std::string why = whyNoMounts(); !why.empty()) return why;
    const MountFiles files = filesOf(paths);
    fs::create_directory(files.directory);
    fs::create_directory(openedOf(paths));
    fs::permissions(files.directory, fs::perms::owner_all);
    fs::permissions(openedOf(paths), fs::perms::owner_all);
    replaceFile(files.source(), jsonText({{"data", source.data_uri},
                                          {"set", source.set.number},
                                          {"full", source.set.kind == backup_set::SetKind::Full},
                                          {"key", backup_set::wrappedKey(source.key, node_key_)}}));
    crashPoint("quick.source-noted");
    startProgram(paths);
    if (await(paths, kLimit, stop)) return std::nullopt;
    const auto failure = MountFailure::from(readFile(files.failure()).value_or(""));
    if (!failure) throw Error(ErrorCode::Unavailable, "the backup set was not mounted in 30 minutes", "see mount.log");
    if (!failure->no_mount) throw Error(failure->may_heal ? ErrorCode::Unavailable : ErrorCode::Corrupt, failure->what);
    fs::remove_all(files.directory);
    fs::remove_all(openedOf(paths));
    return failure->what;
}

/// False if its program has told that it failed, or the limit has passed.
bool OpenedData::await(const TenantPaths& paths, std::chrono::milliseconds limit, const std::stop_token& stop) const {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (mountState(paths.data()) != MountState::Serving) {
        requireGoing(stop, "the restore was cancelled");
        if (fs::exists(filesOf(paths).failure()) || std::chrono::steady_clock::now() > until) return false;
        sleepFor(stop, kLookEach);
    }
    return true;
}

std::string OpenedData::orderOf(const TenantPaths& paths) const {
    const MountFiles files = filesOf(paths);
    const auto text = readFile(files.source());
    if (!text) throw Error(ErrorCode::NotFound, files.source().string() + " is gone");
    try {
        const nlohmann::json json = parseJson(*text);
        return backup_set::OpenOrder{
            .data_uri = json.at("data").get<std::string>(),
            .set = {json.at("set").get<std::uint32_t>(), backup_set::kindOf(!json.at("full").get<bool>())},
            .key = backup_set::keptKey(json.at("key").get<std::string>(), node_key_),
            .local = openedOf(paths),
            .at = paths.data(),
            .control = files.directory}
            .text();
    } catch (const nlohmann::json::exception& problem) {
        throw Error(ErrorCode::Corrupt, files.source().string() + " is damaged: " + problem.what());
    }
}

/// One more that serves the same ends by itself.
void OpenedData::startProgram(const TenantPaths& paths) const {
    fs::remove(filesOf(paths).failure());
    Command command;
    command.arguments = {mountProgram(), paths.directory.string()};
    command.input = orderOf(paths);
    const Wiped<std::string> wiped(command.input);
    command.stderr_file = paths.directory / "mount.log";
    startDetached(command);
}

void OpenedData::lay(const TenantPaths& paths) const {
    if (!isOpened(paths)) return;
    if (fs::exists(filesOf(paths).complete()) && becomePlain(paths)) return;
    const MountState state = mountState(paths.data());
    if (state == MountState::Serving) return;
    if (state == MountState::Dead) detachMount(paths.data());
    startProgram(paths);
    if (await(paths, kSoon, {})) return;
    const auto failure = MountFailure::from(readFile(filesOf(paths).failure()).value_or(""));
    throw Error(ErrorCode::Unavailable,
                "the files of the backup set are not there yet: " + (failure ? failure->what : "it is being opened"),
                "see " + (paths.directory / "mount.log").string());
}

/// The local directory takes the place of the mount. Goes on where it was interrupted. False if somebody has something
/// open there.
bool OpenedData::becomePlain(const TenantPaths& paths) const {
    const MountFiles files = filesOf(paths);
    if (fs::exists(openedOf(paths) / "data")) {
        const MountState state = mountState(paths.data());
        if (state == MountState::Dead) detachMount(paths.data());
        if (state == MountState::Serving && !unmount(paths.data())) {
            log_->warn("{} is in use, and stays mounted", paths.data().string());
            return false;
        }
        awaitEnd(files.lock());
        fs::remove(paths.data());  // the mount point, which is empty
        crashPoint("quick.mount-point-removed");
        fs::rename(openedOf(paths) / "data", paths.data());
        syncDirectory(paths.directory);
        crashPoint("quick.files-moved");
    }
    fs::remove_all(openedOf(paths));
    // Under a name that the daemon's next start removes: of `source` and `complete` neither is to be there alone.
    const fs::path doomed = paths.directory / "tidemark-mount-over";
    fs::remove_all(doomed);
    fs::rename(files.directory, doomed);
    syncDirectory(paths.directory);
    fs::remove_all(doomed);
    log_->info("{} has all of its files", paths.data().string());
    return true;
}

void OpenedData::clear(const TenantPaths& paths) const {
    if (!isOpened(paths)) return;
    detachMount(paths.data());
    awaitEnd(filesOf(paths).lock());
}

}  // namespace tidemark::restore
