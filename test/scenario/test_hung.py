"""What hangs and does not die: sys, a tenant, a destination. Everybody else's logins, statements, archives and backups go
on meanwhile, and what hung goes on where it was."""
import concurrent.futures
import contextlib
import itertools
import os
import signal
import statistics
import time

import pytest

from hanging_mount import HangingMount
from hangs import again_and_again, back_up, hang_in_a_write, hanging, needs_fuse, on_mount, start_backup, stopped
from latency import WINDOW, PointSelects, p99
from load import Ledger, fill
from node import Node, wait_for

# How long something hangs. `./dev soak` lets it be a minute.
HANG = float(os.environ.get("TIDEMARK_HANG_SECONDS", "10"))
# No login and no select of others takes that long, on however busy a machine; whoever waits for what hangs does.
LONGEST = min(HANG / 3, 5)
# Windows of point selects (latency.py) in a quiet phase, and in a hung one.
PHASE = 4
PAIRS_OF_PHASES = 12

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


def archived_bytes(node, tenant):
    """What lies at the archive destination, without asking sys."""
    directory = node.backups / f"{tenant}_log"
    return sum(entry.stat().st_size for entry in directory.glob("*/logstream_1/log/*.obarc"))


class Others:
    """Load on the tenant `other`: point selects and logins, measured, and writers that are archived."""

    def __init__(self, node):
        self.node = node
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        self._selects = self._stack.enter_context(PointSelects(self.node, "other"))
        self.ledger = self._stack.enter_context(Ledger(self.node, "other", writers=1))
        self._p99()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def require_served(self, begin, end):
        """Between these times no login and no select waited for what hung."""
        windows = self._selects.windows
        # What was waiting at the end is in a window that is told of when it is over.
        wait_for("the selects that had begun", lambda: any(window["at"] >= end for window in windows))
        for window in windows:
            if begin - WINDOW <= window["at"] < end:
                assert max(window["login"], window["longest"]) < LONGEST, window

    def _p99(self):
        begin = time.monotonic()
        return p99(wait_for("point selects and logins",
                            lambda: (w := self._selects.between(begin, time.monotonic()))[PHASE - 1:] and w, 30))

    def require_as_fast(self, hang):
        """With hang(), a context manager, p99 of point selects is at most twice what it is without. Quiet and hung phases
        take turns, with no other load of ours; the median of the pairs counts, since the machine may be busy with
        something else in one of them."""
        ratios = []
        while len(ratios) < 2 or (statistics.median(ratios) > 2 and len(ratios) < PAIRS_OF_PHASES):
            quiet = self._p99()
            with hang():
                hung = self._p99()
            ratios.append(hung / quiet)
            print(f"p99 {quiet * 1e3:.2f} ms, {hung * 1e3:.2f} ms while it hangs")
        ratio = statistics.median(ratios)
        print(f"p99 of others is {ratio:.2f} times what it is when nothing hangs")
        assert ratio <= 2


def goes_on(what, value, limit=10):
    """Waits until value() has grown, without an end of the hang."""
    begin = value()
    wait_for(f"{what} to go on", lambda: value() > begin, limit)


def hang_for(seconds, begin):
    wait_for("the hang to last", lambda: time.monotonic() - begin >= seconds, seconds + 5)


def test_a_hung_sys_holds_up_no_tenant(hung_node):
    node = hung_node
    fill(node, "other", megabytes=60)
    sys_pid = node.database_pid("sys")
    with concurrent.futures.ThreadPoolExecutor(20) as pool, Others(node) as others:
        job = start_backup(node, "other")
        begin = time.monotonic()
        with stopped(sys_pid):
            asked = [pool.submit(node.sql, "SHOW PARAMETERS LIKE 'archive%'", tenant="other") for _ in range(20)]
            while time.monotonic() - begin < HANG - 5:
                goes_on("the archive", lambda: archived_bytes(node, "other"))
                goes_on("commits", others.ledger.count)
            hang_for(HANG, begin)
            others.require_served(begin, time.monotonic())
        for answer in asked:
            with contextlib.suppress(Exception):  # waited, or failed after a limit: both will do
                answer.result(60)
        assert node.sql("SHOW PARAMETERS LIKE 'archive%'", tenant="other")
        wait_for("statements of sys", lambda: node.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_TENANTS") >= 3)
        assert node.wait_backup("other", job)["STATUS"] == "COMPLETED"
        others.require_as_fast(lambda: stopped(sys_pid))
        node.archived_now("other")
        node.archived_now("victim")
    assert others.ledger.errors == []


def test_a_hung_tenant_holds_up_no_other(hung_node):
    node = hung_node
    victim_pid = node.database_pid("victim")
    node.create_pool("p_made_meanwhile")
    sizes = itertools.cycle(("300M", "310M"))

    def alter_victim():
        """What the daemon does in the tenant itself waits, too, until it is given up."""
        node.sql(f"ALTER RESOURCE UNIT u_p_victim MEMORY_SIZE '{next(sizes)}'")
    with concurrent.futures.ThreadPoolExecutor(10) as pool, Others(node) as others:
        begin = time.monotonic()
        with stopped(victim_pid), again_and_again(alter_victim):
            stuck = [pool.submit(node.sql, "SELECT 1 AS one", tenant="victim") for _ in range(10)]
            wait_for("the victim to be altered", lambda: node.scalar(
                "SELECT MEMORY_SIZE FROM oceanbase.DBA_OB_UNIT_CONFIGS WHERE NAME = 'u_p_victim'") == 300 << 20)
            node.sql("CREATE TENANT made_meanwhile RESOURCE_POOL_LIST = ('p_made_meanwhile')")
            created = time.monotonic() - begin
            print(f"CREATE TENANT took {created:.1f} s")
            assert created < 2 * LONGEST
            assert node.scalar("SELECT COUNT(*) FROM oceanbase.CDB_OB_ARCHIVELOG") >= 1
            node.sql("ALTER SYSTEM SET archive_lag_target = '2s' TENANT = other")
            assert node.sql("SHOW PARAMETERS LIKE 'archive_lag_target'", tenant="other")
            node.start_archive("made_meanwhile")
            back_up(node, "other")
            back_up(node, "made_meanwhile")
            goes_on("the archive", lambda: archived_bytes(node, "other"))
            node.archived_now("other")
            node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = made_meanwhile")
            for change in 2 * ("LOCK", "UNLOCK"):
                asked = time.monotonic()
                node.sql(f"ALTER TENANT made_meanwhile {change}")
                assert time.monotonic() - asked < LONGEST, change
            node.drop("made_meanwhile")
            hang_for(HANG, begin)
            others.require_served(begin, time.monotonic())
        for answer in stuck:
            assert answer.result(60) == [{"one": 1}]
        others.require_as_fast(lambda: stopped(victim_pid))
        node.archived_now("victim")
        back_up(node, "victim")
    assert others.ledger.errors == []


def end_beside_it(node):
    """Another daemon takes over; returns the process of this one, which the kernel may keep for as long as something hangs."""
    ending = node.process
    ending.send_signal(signal.SIGTERM)
    wait_for("the daemon to give up the data directory", lambda: "the next daemon can start" in node.log.read_text())
    node.start()
    return ending


@needs_fuse
def test_a_hung_destination_holds_up_no_other(hung_node):
    node = hung_node
    node.create_tenant("dead")
    fill(node, "dead", megabytes=20)
    with concurrent.futures.ThreadPoolExecutor(40) as pool, HangingMount(node.directory) as mount:
        on_mount(node, mount, "dead")
        with Others(node) as others, Ledger(node, "dead", writers=1) as dead:
            others.require_as_fast(lambda: hanging(mount))
            node.wait_archive("dead", "DOING")
            job = start_backup(node, "dead")
            hang_in_a_write(node, mount)
            begin = time.monotonic()
            again = f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{mount.path}/dead_more'"
            stuck = [pool.submit(node.sql, again, tenant="dead") for _ in range(20)]
            stuck += [pool.submit(node.sql, again + " TENANT = dead") for _ in range(10)]
            # The tenant itself goes on, and so does sys.
            goes_on("the tenant whose destination hangs", dead.count)
            assert node.scalar("SELECT COUNT(*) FROM oceanbase.CDB_OB_ARCHIVELOG") >= 1
            node.sql("ALTER SYSTEM SET archive_lag_target = '3s' TENANT = other")
            assert node.sql("SHOW PARAMETERS LIKE 'archive_lag_target'", tenant="other")
            node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = victim")
            node.wait_archive("victim", "STOP")
            node.sql("ALTER SYSTEM ARCHIVELOG TENANT = victim")
            node.wait_archive("victim", "DOING")
            back_up(node, "victim")
            back_up(node, "other")
            goes_on("the archive", lambda: archived_bytes(node, "other"))
            node.archived_now("other")
            hang_for(HANG, begin)
            others.require_served(begin, time.monotonic())
            assert others.ledger.errors == [] and dead.errors == []
        ended = end_beside_it(node)
        assert node.sql("SELECT 1 AS one", tenant="dead") == [{"one": 1}]
        back_up(node, "other")
        mount.go_on()
        assert ended.wait(60) == 0
        for answer in stuck:
            with contextlib.suppress(Exception):
                answer.result(60)
        node.wait_archive("dead", "DOING")
        node.archived_now("dead")
        assert node.wait_backup("dead", job)["STATUS"] in ("COMPLETED", "FAILED")
        back_up(node, "dead")
        node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = dead")
        node.drop("dead")
