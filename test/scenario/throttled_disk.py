"""A file system on a disk of its own whose writes can be slowed down: a loop device on a file in memory, limited by a
control group. Needs root; `why_not()` says what else is missing."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from node import wait_for

GROUPS = pathlib.Path("/sys/fs/cgroup")
VERSION_1 = GROUPS / "blkio" / "blkio.throttle.write_bps_device"


def why_not():
    """Empty if there can be such a disk here."""
    if os.geteuid() != 0:
        return "only root may make a loop device"
    for program in ("losetup", "mkfs.ext4", "mount"):
        if not shutil.which(program):
            return f"there is no {program}"
    if not VERSION_1.exists() and "io" not in controllers():
        return "no control group can limit a disk here"
    return ""


def controllers():
    file = GROUPS / "cgroup.controllers"
    return file.read_text().split() if file.exists() else []


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout.strip()


class ThrottledDisk:
    """`place` is its file system. At first as fast as memory; limit() changes that."""

    def __init__(self, megabytes):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tidemark-disk-", dir="/dev/shm"))
        self.place = self.directory / "mounted"
        self.place.mkdir()
        self.device = None
        self.group = None
        try:
            # All of it is written now: taking memory would be what is measured later.
            run("dd", "if=/dev/zero", f"of={self.directory}/image", "bs=1M", f"count={megabytes}")
            self.device = run("losetup", "--find", "--show", self.directory / "image")
            run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", self.device)
            run("mount", self.device, self.place)
        except subprocess.CalledProcessError:
            self.remove()
            raise

    def limit(self, bytes_per_second):
        """0: none."""
        number = (pathlib.Path("/sys/block") / pathlib.Path(self.device).name / "dev").read_text().strip()
        if VERSION_1.exists():
            VERSION_1.write_text(f"{number} {bytes_per_second}")
        else:
            self._limit_own_group(number, bytes_per_second)

    def _limit_own_group(self, number, bytes_per_second):
        """Version 2 has no limit for all processes: this one and those that it starts move into a group that has."""
        if self.group is None:
            (GROUPS / "cgroup.subtree_control").write_text("+io +memory")
            self.group = GROUPS / self.directory.name
            self.group.mkdir()
            (self.group / "cgroup.procs").write_text(str(os.getpid()))
        (self.group / "io.max").write_text(f"{number} wbps={bytes_per_second or 'max'}")

    def speed(self):
        """What writes past the page cache reach, in bytes per second."""
        megabytes = 200
        begin = time.monotonic()
        run("dd", "if=/dev/zero", f"of={self.place}/probe", "bs=1M", f"count={megabytes}", "oflag=direct")
        seconds = time.monotonic() - begin
        (self.place / "probe").unlink()
        return (megabytes << 20) / seconds

    def lose_power(self, end_processes):
        """What the disk has now, and no more, is what is mounted there afterwards. Nobody may use it any more once
        end_processes() has returned."""
        self.limit(1)  # nothing gets there while it is copied
        shutil.copyfile(self.directory / "image", self.directory / "left")
        self.limit(0)
        end_processes()
        # Threads of a process that counts as ended may yet be in a sync.
        wait_for("the disk to be used by nobody", lambda: subprocess.run(["umount", self.place]).returncode == 0)
        run("losetup", "-d", self.device)
        (self.directory / "left").replace(self.directory / "image")
        self.device = run("losetup", "--find", "--show", self.directory / "image")
        run("mount", self.device, self.place)

    def remove(self):
        if self.device:
            with contextlib.suppress(OSError):
                self.limit(0)
            subprocess.run(["umount", self.place], capture_output=True)
            subprocess.run(["losetup", "-d", self.device], capture_output=True)
        if self.group is not None:
            (GROUPS / "cgroup.procs").write_text(str(os.getpid()))
            self.group.rmdir()
        shutil.rmtree(self.directory, ignore_errors=True)
