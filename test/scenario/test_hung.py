"""What hangs and does not die: sys, a tenant, a destination. Everybody else's logins, statements, archives and backups go
on meanwhile, and what hung goes on where it was."""
import concurrent.futures
import contextlib
import os
import signal
import time

import pytest

from latency import PointSelects, p99
from load import Ledger
from node import Node, wait_for

# How long something hangs. `./dev soak` lets it be a minute.
HANG = float(os.environ.get("TIDEMARK_HANG_SECONDS", "10"))
# More than the daemon has places for (backups at one time, workers of statements).
# What a login may take beside the p99 of selects: it starts a thread in the tenant.
LOGIN_LIMIT = 2.0
# Point selects take tenths of a millisecond: what a busy machine adds to them is no matter of what hangs.
FLOOR = 0.004



@pytest.fixture(scope="module")
def hung_node():
    """Two tenants that are archived; `other` is the one that must not notice anything."""
    made = Node()
    try:
        made.start()
        for tenant in ("other", "victim"):
            made.create_tenant(tenant)
            made.start_archive(tenant)
        yield made
    finally:
        made.destroy()


def pid_of(node, tenant):
    tenant_id = node.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [tenant])
    return next(pid for pid in node.mariadbd_pids()
                if f"{node.data}/t/{tenant_id}/" in open(f"/proc/{pid}/cmdline").read())


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def fill(node, tenant, megabytes=60):
    node.sql("CREATE DATABASE IF NOT EXISTS fill", tenant=tenant)
    node.sql("CREATE TABLE IF NOT EXISTS fill.t (id INT PRIMARY KEY, a CHAR(255), b CHAR(255))", tenant=tenant)
    node.sql(f"REPLACE INTO fill.t SELECT seq, SHA2(seq, 512), SHA2(-seq, 512) FROM fill.seq_1_to_{megabytes * 1500}",
             tenant=tenant)


def archived_bytes(node, tenant):
    """What lies at the archive destination, without asking sys."""
    directory = node.backups / f"{tenant}_log"
    return sum(entry.stat().st_size for entry in directory.glob("*/logstream_1/log/*.obarc"))


def start_backup(node, tenant):
    """As the tenant's own administrator: sys has one job at a time."""
    before = node.scalar("SELECT MAX(JOB_ID) FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY h JOIN oceanbase.DBA_OB_TENANTS t"
                         " USING (TENANT_ID) WHERE t.TENANT_NAME = %s", [tenant]) or 0
    node.sql("ALTER SYSTEM BACKUP DATABASE", tenant=tenant)
    return before + 1


def back_up(node, tenant):
    job = start_backup(node, tenant)
    done = node.wait_backup(tenant, job, limit=60)
    assert done["STATUS"] == "COMPLETED", done


class Others:
    """Load on the tenant `other`: point selects and logins, measured, and writers that are archived."""

    def __init__(self, node):
        self.node = node
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        self.selects = self._stack.enter_context(PointSelects(self.node, "other"))
        self.ledger = self._stack.enter_context(Ledger(self.node, "other", writers=1))
        begin = time.monotonic()
        wait_for("a few seconds of measuring", lambda: len(self.selects.windows) >= 8)
        self.before = self.selects.between(begin, time.monotonic())
        return self

    def __exit__(self, *_):
        self._stack.close()

    def require_unharmed(self, begin, end):
        """Between these times `other` was served as before."""
        during = self.selects.between(begin, end)
        expected = (end - begin) / 0.5
        assert len(during) >= 0.6 * expected - 2, f"{len(during)} windows in {end - begin:.1f} s: selects or logins stood"
        slow = [w for w in during if w["login"] > LOGIN_LIMIT]
        assert not slow, f"logins that took long: {slow}"
        print(f"p99 {p99(self.before) * 1e3:.2f} ms before, {p99(during) * 1e3:.2f} ms during")
        assert p99(during) <= 2 * p99(self.before) + FLOOR


def goes_on(what, value, limit=10):
    """Waits until value() has grown, without an end of the hang."""
    begin = value()
    wait_for(f"{what} to go on", lambda: value() > begin, limit)


def hang_for(seconds, begin):
    wait_for("the hang to last", lambda: time.monotonic() - begin >= seconds, seconds + 5)


def test_a_hung_sys_holds_up_no_tenant(hung_node):
    node = hung_node
    fill(node, "other")
    sys_pid = pid_of(node, "sys")
    with Others(node) as others, concurrent.futures.ThreadPoolExecutor() as pool:
        job = start_backup(node, "other")
        begin = time.monotonic()
        with stopped(sys_pid):
            asked = [pool.submit(node.sql, "SHOW PARAMETERS LIKE 'archive%'", tenant="other") for _ in range(20)]
            while time.monotonic() - begin < HANG - 5:
                goes_on("the archive", lambda: archived_bytes(node, "other"))
                goes_on("commits", others.ledger.count)
            hang_for(HANG, begin)
            end = time.monotonic()
        others.require_unharmed(begin, end)
        for answer in asked:
            with contextlib.suppress(Exception):  # waited, or failed after a limit: both will do
                answer.result(60)
        assert node.sql("SHOW PARAMETERS LIKE 'archive%'", tenant="other")
        wait_for("statements of sys", lambda: node.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_TENANTS") >= 3)
        assert node.wait_backup("other", job)["STATUS"] == "COMPLETED"
        node.archived_now("other")
        node.archived_now("victim")
    assert others.ledger.errors == []
