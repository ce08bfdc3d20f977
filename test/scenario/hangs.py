"""What hangs and does not die: a process that is stopped, a destination whose file system does not answer; and one that is
not there."""
import contextlib
import os
import pathlib
import signal
import threading
import time

import pytest

import hanging_mount
from node import wait_for

needs_fuse = pytest.mark.skipif(hanging_mount.refusal() is not None, reason=str(hanging_mount.refusal()))


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def hanging(mount):
    mount.hang()
    try:
        yield
    finally:
        mount.go_on()


@contextlib.contextmanager
def again_and_again(work, every=0):
    """Calls it, whatever comes of it, as long as the block takes, with `every` seconds between."""
    over = threading.Event()

    def run():
        while not over.wait(every):
            with contextlib.suppress(Exception):
                work()
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def away(directory):
    """The destination is not there, as when its file system is not mounted."""
    hidden = directory.with_name(directory.name + ".away")
    directory.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(directory)


def on_mount(node, mount, tenant):
    """Lets both destinations of a tenant lie on the mount, and archives it."""
    node.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file://{mount.path}/{tenant}_log' TENANT = {tenant}")
    node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{mount.path}/{tenant}_data' TENANT = {tenant}")
    node.sql(f"ALTER SYSTEM ARCHIVELOG TENANT = {tenant}")
    node.wait_archive(tenant, "DOING")


def open_files(node, mount):
    """What the daemon has open there, without asking the mount."""
    found = []
    for fd in pathlib.Path(f"/proc/{node.process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(os.readlink(fd))
    return [path for path in found if path.startswith(str(mount.path))]


def hang_in_a_write(node, mount):
    """Hangs the mount while the daemon, which is writing there, has a file open; that stays open then."""
    def caught():
        if open_files(node, mount):
            mount.hang()
            if open_files(node, mount):
                return True
            mount.go_on()
        return False
    wait_for("a file to be open at the destination", caught, 30)


def start_backup(node, tenant):
    """As the tenant's own administrator: sys has one job at a time."""
    before = node.scalar("SELECT MAX(JOB_ID) FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY h JOIN oceanbase.DBA_OB_TENANTS t"
                         " USING (TENANT_ID) WHERE t.TENANT_NAME = %s", [tenant]) or 0
    node.sql("ALTER SYSTEM BACKUP DATABASE", tenant=tenant)
    return before + 1


def back_up(node, tenant):
    """How many seconds it takes."""
    begin = time.monotonic()
    job = start_backup(node, tenant)
    done = node.wait_backup(tenant, job, limit=60)
    assert done["STATUS"] == "COMPLETED", done
    return time.monotonic() - begin
