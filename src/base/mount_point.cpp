#include "base/mount_point.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"
#include "base/process.h"
#include "base/program.h"

namespace tidemark {
namespace {

/// With root's rights, or else by the helper that has them. Returns an errno.
int unmountWith(const std::filesystem::path& at, bool detach) {
    if (::geteuid() == 0) return ::umount2(at.c_str(), detach ? MNT_DETACH : 0) == 0 ? 0 : errno;
    Command command{.arguments = {"fusermount3", "-u"}};
    if (detach) command.arguments.emplace_back("-z");
    command.arguments.push_back(at.string());
    return Child(command).wait().ok() ? 0 : EBUSY;
}

}  // namespace

/// By statfs(2), which the kernel has no answer of its own for; stat(2) would tell of a dead one what it was.
MountState mountState(const std::filesystem::path& at) {
    struct statfs info {};
    if (::statfs(at.c_str(), &info) != 0) {
        if (errno == ENOTCONN || errno == ECONNABORTED) return MountState::Dead;
        if (errno == ENOENT) return MountState::None;
        throwErrno(errno, "looking at " + at.string());
    }
    struct stat own {};
    struct stat parent {};
    if (::stat(at.c_str(), &own) != 0 || ::stat(at.parent_path().c_str(), &parent) != 0)
        throwErrno(errno, "looking at " + at.string());
    return own.st_dev != parent.st_dev ? MountState::Serving : MountState::None;
}

bool unmount(const std::filesystem::path& at) {
    const int problem = unmountWith(at, false);
    if (problem != 0 && problem != EBUSY) throwErrno(problem, "unmounting " + at.string());
    return problem == 0;
}

void detachMount(const std::filesystem::path& at) {
    if (mountState(at) == MountState::None) return;
    if (const int problem = unmountWith(at, true); problem != 0) throwErrno(problem, "unmounting " + at.string());
}

std::string whyNoMounts() {
    if (::access("/dev/fuse", R_OK | W_OK) != 0) return "there is no /dev/fuse that may be used";
    if (::geteuid() != 0 && findProgram("fusermount3").empty()) return "fusermount3 (package fuse3) is missing";
    return {};
}

}  // namespace tidemark
