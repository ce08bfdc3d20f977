#include "base/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace tidemark {
namespace {

/// From the third version on; Debian 12's headers do not name it.
constexpr std::uint64_t kTruncate = 1ULL << 14;

constexpr std::uint64_t kOfFiles =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kEverything =
    kOfFiles | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER;

/// 0 if there is no Landlock.
int version() {
    const long answer = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return answer < 0 ? 0 : static_cast<int>(answer);
}

void allow(const Fd& ruleset, const std::filesystem::path& path, std::uint64_t access) {
    const Fd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!fd.valid() && errno == ENOENT) return;
    if (!fd.valid()) throwErrno(errno, "opening " + path.string());
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) throwErrno(errno, "looking at " + path.string());
    landlock_path_beneath_attr rule{.allowed_access = S_ISDIR(info.st_mode) ? access : access & (kOfFiles | kTruncate),
                                    .parent_fd = fd.get()};
    if (syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
        throwErrno(errno, "allowing access to " + path.string());
    }
}

}  // namespace

bool sandboxAvailable() {
    // The first version forbids every rename between directories, which RENAME TABLE needs.
    return version() >= 2;
}

std::optional<Fd> makeSandbox(const FileAccess& access) {
    if (!sandboxAvailable()) return std::nullopt;
    const std::uint64_t everything = version() >= 3 ? kEverything | kTruncate : kEverything;
    landlock_ruleset_attr handled{.handled_access_fs = everything};
    Fd ruleset(static_cast<int>(syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0)));
    if (!ruleset.valid()) throwErrno(errno, "making a Landlock ruleset");
    for (const auto& path : access.readable)
        allow(ruleset, path, kRead);
    for (const auto& path : access.writable)
        allow(ruleset, path, everything);
    return ruleset;
}

bool enterSandbox(int sandbox) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_landlock_restrict_self, sandbox, 0) == 0;
}

}  // namespace tidemark
