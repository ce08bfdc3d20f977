"""`BACKUP DATABASE` from sys: all tenants side by side; one that fails stops no other; one statement cancels them all."""
import contextlib
import time

import pytest

from node import Node, wait_for
from sampler import Sampler, in_order

SLOTS = 8  # copies at once, job/work_engine.h
TENANTS = [f"t{n}" for n in range(SLOTS + 2)]
BROKEN, FOREIGN = "t3", "t6"


@pytest.fixture(scope="module")
def node():
    node = Node().start()
    for tenant in TENANTS:
        node.create_tenant(tenant, "64M")
        node.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION={node.uri(tenant + '_log')}' TENANT = {tenant}")
        node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{node.uri(tenant + '_data')}' TENANT = {tenant}")
    node.sql("ALTER SYSTEM ARCHIVELOG")
    for tenant in TENANTS:
        node.wait_archive(tenant, "DOING")
    yield node
    node.destroy()


def ids(node):
    return {r["TENANT_NAME"]: r["TENANT_ID"] for r in node.sql(
        "SELECT TENANT_ID, TENANT_NAME FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_TYPE = 'USER'")}


def wait_for_parent(node):
    """sys's row of the newest backup, and those of its tenants by their ids, once all are over."""
    wait_for("all jobs to end", lambda: not node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_JOBS"), 120)
    parent = node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE TENANT_ID = 1 ORDER BY JOB_ID DESC LIMIT 1")[0]
    jobs = node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE INITIATOR_TENANT_ID = 1 AND INITIATOR_JOB_ID = %s",
                    [parent["JOB_ID"]])
    return parent, {job["TENANT_ID"]: job for job in jobs}


def sets(node, tenant):
    return sorted(path.name for path in (node.backups / f"{tenant}_data").glob("backup_set_*"))


@contextlib.contextmanager
def broken(node):
    """At one destination a file stands where the set's directory would be; another one bears another tenant's mark."""
    file = node.backups / f"{BROKEN}_data" / "backup_set_1_full"
    mark = node.backups / f"{FOREIGN}_data" / "format.obbak"
    kept = mark.read_bytes()
    file.write_text("somebody's")
    mark.write_bytes((node.backups / "t0_data" / "format.obbak").read_bytes())
    try:
        yield
    finally:
        file.unlink()
        mark.write_bytes(kept)


def test_one_that_fails_stops_no_other(node):
    tenants = ids(node)
    with broken(node), Sampler(node, "SELECT * FROM oceanbase.CDB_OB_BACKUP_JOBS") as seen, \
            Sampler(node, "SELECT 1", tenant="t0") as answers:
        node.sql("ALTER SYSTEM BACKUP DATABASE")
        parent, jobs = wait_for_parent(node)
    # One is left out, and an event says why; one fails, and says why; all others are whole.
    assert set(jobs) == set(tenants.values()) - {tenants[FOREIGN]}
    failed = jobs.pop(tenants[BROKEN])
    assert failed["STATUS"] == "FAILED" and failed["RESULT"] < 0 and "backup_set_1_full" in failed["COMMENT"], failed
    assert {job["STATUS"] for job in jobs.values()} == {"COMPLETED"}, jobs
    assert (parent["STATUS"], parent["RESULT"]) == ("FAILED", failed["RESULT"])
    assert set(map(int, parent["EXECUTOR_TENANT_ID"].split(","))) == {*jobs, tenants[BROKEN]}
    events = node.sql("SELECT * FROM oceanbase.DBA_OB_ROOTSERVICE_EVENT_HISTORY WHERE EVENT = 'start_backup_data'")
    assert any(str(tenants[FOREIGN]) in event.values() and "format file" in str(event.values()) for event in events), events
    for tenant in TENANTS:
        assert sets(node, tenant) == ([] if tenant in (BROKEN, FOREIGN) else ["backup_set_1_full"]), tenant
    # They ran side by side, under sys's row, which is there from the first to the last.
    running = [{row["TENANT_ID"] for row in rows if row["STATUS"] == "DOING"} for _, rows in seen.samples if rows]
    assert max(len(at_once - {1}) for at_once in running) > SLOTS / 2
    assert all(1 in {row["TENANT_ID"] for row in rows} for _, rows in seen.samples if rows)
    pauses = [b - a for (a, _), (b, _) in zip(answers.samples, answers.samples[1:])]
    print(f"a tenant's slowest answer meanwhile: {max(pauses):.2f} s")
    assert max(pauses) < 2


def test_all_are_cancelled_within_seconds_also_those_that_wait_for_their_turn(node):
    tenants = ids(node)
    before = {tenant: sets(node, tenant) for tenant in TENANTS}
    node.sql("ALTER SYSTEM SET backup_io_limit = '64K'")
    with Sampler(node, "SELECT * FROM oceanbase.CDB_OB_BACKUP_TASKS") as seen:
        node.sql("ALTER SYSTEM BACKUP DATABASE")
        wait_for("all slots to be taken", lambda: len(node.processes("mariadb-backup")) == SLOTS)
        wait_for("the others to wait", lambda: node.scalar(
            "SELECT COUNT(*) FROM oceanbase.CDB_OB_BACKUP_TASKS WHERE STATUS = 'BACKUP_USER_META'") == len(TENANTS) - SLOTS)
        begin = time.monotonic()
        node.sql("ALTER SYSTEM CANCEL BACKUP")
        parent, jobs = wait_for_parent(node)
        took = time.monotonic() - begin
    print(f"all were cancelled in {took:.2f} s")
    assert took < 5
    assert set(jobs) == set(tenants.values())
    assert {job["STATUS"] for job in [parent, *jobs.values()]} == {"CANCELED"}
    for tenant_id in tenants.values():
        assert in_order([row["STATUS"] for _, row in seen.rows(TENANT_ID=tenant_id)])[-1] == "CANCELING"
    assert not node.processes("mariadb-backup")
    node.sql("ALTER SYSTEM SET backup_io_limit = '0M'")
    wait_for("what is left to be removed", lambda: {tenant: sets(node, tenant) for tenant in TENANTS} == before, 20)


def test_the_next_one_is_whole(node):
    node.sql("ALTER SYSTEM BACKUP DATABASE PLUS ARCHIVELOG")
    parent, jobs = wait_for_parent(node)
    assert {job["STATUS"] for job in [parent, *jobs.values()]} == {"COMPLETED"} and len(jobs) == len(TENANTS), jobs
    assert {job["PLUS_ARCHIVELOG"] for job in [parent, *jobs.values()]} == {"ON"}
