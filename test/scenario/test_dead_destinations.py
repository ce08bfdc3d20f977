"""Twenty tenants whose destination hangs, and the backup of one more: it takes hardly longer than alone (docs/decisions/work.md)."""
import concurrent.futures
import contextlib
import time

import pytest

from hanging_mount import HangingMount
from hangs import away, back_up, hang_in_a_write, needs_fuse, on_mount, start_backup
from node import Node, wait_for

DEAD = [f"dead{i}" for i in range(20)]
SLOTS = 8  # heavy steps at once: job/work_engine.h
# A copy that does not move for that long lends its slot; the engine looks four times as often.
STALLED = 5 * 1.25
# What the machine may be busy with otherwise, and a quarter of a second for each eight destinations that do not answer.
SPARE = 3


@pytest.fixture(scope="module")
def place():
    """A node and a mount on which twenty tenants have their destinations; `other` and the live ones have theirs elsewhere."""
    node = Node()
    try:
        node.start()
        with HangingMount(node.directory / "many") as mount, concurrent.futures.ThreadPoolExecutor(8) as pool:
            live = [f"live{i}" for i in range(SLOTS)]
            list(pool.map(lambda tenant: node.create_tenant(tenant, "64M"), ["other", *live, *DEAD]))
            list(pool.map(node.start_archive, ["other", *live]))
            list(pool.map(lambda tenant: on_mount(node, mount, tenant), DEAD))
            back_up(node, "other")  # what is read for the first time takes longer
            yield node, mount, live
            mount.go_on()
    finally:
        node.destroy()


def stages(node, tenants):
    """What the running backups of these tenants have come to."""
    rows = node.sql("SELECT b.STATUS FROM oceanbase.CDB_OB_BACKUP_TASKS b JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID)"
                    f" WHERE t.TENANT_NAME IN ({', '.join(['%s'] * len(tenants))})", tenants)
    return [row["STATUS"] for row in rows]


def copying(node, tenants):
    return len([stage for stage in stages(node, tenants) if stage.startswith("BACKUP_DATA")])


def take_slots(node, live):
    """Eight copies hold them, so what comes then is dead by its turn if it is dead after the queue."""
    node.sql("ALTER SYSTEM SET backup_io_limit = '4M'")
    for tenant in live:
        start_backup(node, tenant)
    wait_for("the slots to be taken", lambda: copying(node, live) == SLOTS)


def free_slots(node, live):
    assert copying(node, live) == SLOTS
    node.sql("ALTER SYSTEM SET backup_io_limit = '0M'")
    for tenant in live:
        node.sql(f"ALTER SYSTEM CANCEL BACKUP TENANT = {tenant}")


def wait_for_ends(node, tenants):
    wait_for("the backups to end", lambda: not stages(node, tenants), 120)


@needs_fuse
def test_those_that_die_while_their_backups_queue_delay_nobody(place):
    node, mount, live = place
    alone = back_up(node, "other")
    take_slots(node, live)
    for tenant in DEAD:
        start_backup(node, tenant)
    wait_for("the others to queue", lambda: stages(node, DEAD) == ["BACKUP_USER_META"] * len(DEAD))
    for tenant in DEAD:
        (mount.path / f"{tenant}_data" / "format.obbak").stat()  # which the kernel remembers
    mount.hang()
    job = start_backup(node, "other")
    wait_for("one more to queue", lambda: stages(node, ["other"]) == ["BACKUP_USER_META"])
    begin = time.monotonic()
    free_slots(node, live)
    assert node.wait_backup("other", job)["STATUS"] == "COMPLETED"
    beside = time.monotonic() - begin
    print(f"the backup took {beside:.1f} s behind {len(DEAD)} dead destinations, {alone:.1f} s alone")
    begin = time.monotonic()
    for tenant in DEAD:
        node.sql(f"ALTER SYSTEM CANCEL BACKUP TENANT = {tenant}")
    wait_for("those whose destinations do not answer to be cancelled", lambda: not stages(node, DEAD), 60)
    cancelled = time.monotonic() - begin
    print(f"they were cancelled in {cancelled:.1f} s")
    mount.go_on()
    wait_for_ends(node, [*live, *DEAD])
    assert beside < 2 * alone + SPARE
    assert cancelled < 5


@needs_fuse
def test_a_restore_waits_for_a_destination_that_has_gone_while_it_queued(place):
    node, _, live = place
    back_up(node, "other")
    node.archived_now("other")
    node.create_pool("p_copy", "64M")
    take_slots(node, live)
    node.sql(f"ALTER SYSTEM RESTORE copy FROM '{node.uri('other_data')},{node.uri('other_log')}' WITH 'pool_list=p_copy'")
    wait_for("the restore to be taken", lambda: [w["state"] for w in node.work("restore")] == ["RUNNING"])
    with away(node.backups / "other_data"):
        free_slots(node, live)
        waiting = wait_for("it to wait", lambda: [w for w in node.shown_work("restore") if w["STATE"] == "WAITING"])[0]
        assert "other_data is not there" in waiting["WAITING_FOR"] and waiting["ATTEMPT"] == 1, waiting
        assert (waiting["SERVER_ID"], waiting["CANCELED"]) == (1, "NO"), waiting
        assert copying(node, live) == 0 and not node.processes("mariadb-backup")
    end = node.wait_restore("copy")
    assert (end["STATUS"], node.work("restore")) == ("SUCCESS", []), end
    wait_for_ends(node, live)


@needs_fuse
def test_those_that_die_in_the_midst_of_their_copies_delay_others_once(place):
    node, mount, _ = place
    alone = back_up(node, "other")
    with concurrent.futures.ThreadPoolExecutor(3 * len(DEAD)) as pool:
        node.sql("ALTER SYSTEM SET backup_io_limit = '4M'")
        for tenant in DEAD:
            start_backup(node, tenant)
        wait_for("the slots to be taken", lambda: copying(node, DEAD) == SLOTS)
        hang_in_a_write(node, mount)
        node.sql("ALTER SYSTEM SET backup_io_limit = '0M'")
        stuck = [pool.submit(node.sql, "ALTER SYSTEM SET DATA_BACKUP_DEST = ''", tenant=tenant) for tenant in DEAD]
        stuck += [pool.submit(node.sql, "ALTER SYSTEM BACKUP DATABASE", tenant=tenant) for tenant in 2 * DEAD]
        beside = back_up(node, "other")
        print(f"the backup took {beside:.1f} s beside {len(DEAD)} dead destinations, {alone:.1f} s alone")
        mount.go_on()
        for answer in stuck:
            with contextlib.suppress(Exception):  # another one may be in progress
                answer.result(120)
        wait_for_ends(node, DEAD)
    assert beside < 2 * alone + STALLED + SPARE
    for tenant in DEAD:
        node.sql(f"ALTER SYSTEM NOARCHIVELOG TENANT = {tenant}")
        node.drop(tenant)
