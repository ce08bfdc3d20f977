"""A mounted file system that can be made to hang, as a hard NFS mount does when its server is gone.

It is a FUSE mount that passes everything on to a directory. SIGSTOP of the process behind it hangs whoever touches the
mount; SIGCONT lets them go on where they were; its death fails them all.

It can also forbid, as a store that keeps everything does, that what is written is written again or goes: nothing is
removed, renamed or opened a second time for writing; each such call is refused, and written into the file `refused` beside
the directory. Or garble: the last byte of all that is written becomes another.

    hanging_mount.py guard BACKING MOUNT [forbid|garble]    prints the file system's process id; undoes it all when its input ends
    hanging_mount.py serve BACKING MOUNT [forbid|garble]    is that process
"""
import errno
import os
import pathlib
import signal
import subprocess
import sys
import time

MOUNT_LIMIT = 20


def refusal():
    """Why this machine cannot mount FUSE; None if it can."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse is not there or not for this user"
    try:
        import fusepy  # noqa: F401
    except ImportError:
        return "the package python3-fusepy is missing"
    return None


class HangingMount:
    """`path` shows the files of `backing`. As a context manager it is mounted inside, and set free at the end, also when
    the test's process is killed: a guard sees the end of its input. Whoever waits for the mount must be waited for
    outside of it."""

    def __init__(self, directory, *options):
        self.path = pathlib.Path(directory) / "mount"
        self.backing = pathlib.Path(directory) / "behind_mount"
        self.refused = pathlib.Path(directory) / "refused"
        self._options = options
        self._guard = self._pid = None

    def __enter__(self):
        for directory in (self.path, self.backing):
            directory.mkdir(parents=True)
        # A session of its own: a signal to all of the test's processes, as Ctrl-C is one, leaves it to its work.
        self._guard = subprocess.Popen([sys.executable, __file__, "guard", self.backing, self.path, *self._options],
                                       text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self._pid = int(self._guard.stdout.readline())
        deadline = time.monotonic() + MOUNT_LIMIT
        while not os.path.ismount(self.path):
            assert time.monotonic() < deadline, "the file system was not mounted in time"
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self._guard.stdin.close()
        assert self._guard.wait(MOUNT_LIMIT) == 0, f"{self.path} is still mounted"

    def hang(self):
        os.kill(self._pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self._pid, signal.SIGCONT)


def guard(backing, mount, *options):
    server = subprocess.Popen([sys.executable, __file__, "serve", backing, mount, *options], stdin=subprocess.DEVNULL,
                              stdout=sys.stderr)
    print(server.pid, flush=True)
    sys.stdin.read()
    # Killed and not asked: requests that wait fail then, whatever state it is in.
    server.kill()
    server.wait()
    return subprocess.run(["fusermount3", "-u", "-z", mount], check=False).returncode


def serve(backing, mount, *options):
    import fusepy

    WRITING = os.O_WRONLY | os.O_RDWR | os.O_TRUNC

    class Passthrough(fusepy.Operations):
        """Paths come with a leading slash. Each call may raise OSError, which is its answer."""

        def _at(self, path):
            return os.path.join(backing, path.lstrip("/"))

        def getattr(self, path, fh=None):
            info = os.lstat(self._at(path))
            return {name: getattr(info, name) for name in
                    ("st_atime", "st_ctime", "st_mtime", "st_gid", "st_uid", "st_mode", "st_nlink", "st_size", "st_blocks")}

        def readdir(self, path, fh):
            return [".", "..", *os.listdir(self._at(path))]

        def statfs(self, path):
            info = os.statvfs(self._at(path))
            return {name: getattr(info, name) for name in
                    ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_frsize", "f_namemax")}

        def open(self, path, flags):
            return os.open(self._at(path), flags & ~os.O_CREAT)

        def create(self, path, mode, fi=None):
            return os.open(self._at(path), os.O_RDWR | os.O_CREAT, mode)

        def read(self, path, size, offset, fh):
            return os.pread(fh, size, offset)

        def write(self, path, data, offset, fh):
            return os.pwrite(fh, data, offset)

        def truncate(self, path, length, fh=None):
            os.truncate(self._at(path), length)

        def fsync(self, path, datasync, fh):
            os.fsync(fh)

        def release(self, path, fh):
            os.close(fh)

        def mkdir(self, path, mode):
            os.mkdir(self._at(path), mode)

        def rmdir(self, path):
            os.rmdir(self._at(path))

        def unlink(self, path):
            os.unlink(self._at(path))

        def rename(self, old, new):
            os.rename(self._at(old), self._at(new))

        def link(self, target, source):
            os.link(self._at(source), self._at(target))

        def chmod(self, path, mode):
            os.chmod(self._at(path), mode)

        def utimens(self, path, times=None):
            os.utime(self._at(path), times)

    class Forbidding(Passthrough):
        """Lets nothing go that is there."""

        def _refuse(self, call, path):
            with open(os.path.join(os.path.dirname(backing), "refused"), "a") as told:
                told.write(f"{call} {path}\n")
            raise OSError(errno.EPERM, "")

        def open(self, path, flags):
            return self._refuse("open", path) if flags & WRITING else super().open(path, flags)

        def create(self, path, mode, fi=None):
            return os.open(self._at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

        def truncate(self, path, length, fh=None):
            self._refuse("truncate", path)

        def unlink(self, path):
            self._refuse("unlink", path)

        def rmdir(self, path):
            self._refuse("rmdir", path)

        def rename(self, old, new):
            self._refuse("rename", old)

    class Garbling(Passthrough):
        """Keeps something else than it was given."""

        def write(self, path, data, offset, fh):
            return super().write(path, data[:-1] + bytes([data[-1] ^ 1]), offset, fh)

    # hard_remove: a file that is removed while it is open is gone at once, and leaves no .fuse_hidden behind.
    # The timeouts: as of NFS, the kernel remembers for a minute what stat() has told it.
    operations = {"forbid": Forbidding, "garble": Garbling}.get(next(iter(options), None), Passthrough)()
    fusepy.FUSE(operations, mount, foreground=True, big_writes=True, hard_remove=True, default_permissions=True,
                attr_timeout=60, entry_timeout=60)


if __name__ == "__main__":
    sys.exit({"guard": guard, "serve": serve}[sys.argv[1]](*sys.argv[2:]))
