"""kill -9 of anything at random moments: databases come back, jobs end or go on, nothing hangs, no acknowledged row is lost."""
import os
import signal
import time

import pytest

from load import Ledger, fill, rows
from node import wait_for

FINAL = {"COMPLETED", "FAILED"}


def wait_usable(node, tenant):
    def usable():
        try:
            return node.scalar("SELECT 1", tenant=tenant) == 1
        except Exception:
            return False
    wait_for(f"{tenant} to answer", usable, 60)


def prove(node, ledger):
    """After whatever happened: the next backup and restore succeed, and no acknowledged row is missing."""
    wait_usable(node, "shop")
    ledger.stop()
    for job in node.sql("SELECT JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOBS WHERE TENANT_ID <> 1"):
        end = node.wait_backup("shop", job["JOB_ID"])
        assert end["STATUS"] in FINAL
        assert end["STATUS"] == "COMPLETED" or end["COMMENT"], "a failed job says why"
    assert set(ledger.acknowledged) <= rows(node, "shop")
    done = node.backup("shop")
    assert done["STATUS"] == "COMPLETED", done
    node.archived_now("shop")
    node.restore("back", "shop")
    assert rows(node, "back") == rows(node, "shop")


@pytest.mark.parametrize("victim", ["daemon", "mariadb-backup", "mariadbd"])
def test_kill_during_a_backup(node, rng, victim):
    node.create_tenant("shop")
    fill(node, "shop", megabytes=120)
    node.start_archive("shop")
    with Ledger(node, "shop", writers=2) as ledger:
        wait_for("rows", lambda: ledger.count() > 50)
        job = node.start_backup("shop")
        wait_for("mariadb-backup to run", lambda: node.processes("mariadb-backup"))
        time.sleep(rng.uniform(0, 0.6))  # the random moment itself, not a wait for something
        if victim == "daemon":
            node.kill()
            wait_for("mariadb-backup to end with the daemon", lambda: not node.processes("mariadb-backup"), 20)
            node.start()
        elif victim == "mariadbd":
            os.kill(node.database_pid("shop"), signal.SIGKILL)
        else:
            for pid in node.processes("mariadb-backup"):
                os.kill(pid, signal.SIGKILL)
        wait_usable(node, "shop")
        end = node.wait_backup("shop", job)
        assert end["STATUS"] in FINAL
        if victim == "daemon":
            assert end["STATUS"] == "COMPLETED", "the next daemon goes on with it"
            wait_for("the other turn to be removed", lambda: len(list(
                (node.backups / "shop_data").glob("backup_set_1_full/logstream_1001/*"))) == 1)
        before = ledger.count()
        wait_for("writers to go on", lambda: ledger.count() > before + 20)
        prove(node, ledger)


@pytest.mark.parametrize("victim", ["daemon", "mariadbd"])
def test_kill_during_archiving(node, rng, victim):
    node.create_tenant("shop")
    node.start_archive("shop")
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    with Ledger(node, "shop", writers=2) as ledger:
        for _ in range(3):
            before = ledger.count()
            wait_for("rows", lambda: ledger.count() > before + 30)
            time.sleep(rng.uniform(0, 1.2))  # the random moment itself
            if victim == "daemon":
                node.kill()
                node.start()
            else:
                os.kill(node.database_pid("shop"), signal.SIGKILL)
            wait_usable(node, "shop")
        before = ledger.count()
        wait_for("writers to go on", lambda: ledger.count() > before + 20)
        ledger.stop()
        assert node.archive("shop")["ROUND_ID"] == 1, "the round went on"
        node.archived_now("shop")
        node.restore("first", "shop", activate=False)  # from the backup made before: all of it comes from the log
        assert set(ledger.acknowledged) <= rows(node, "first")
        assert rows(node, "first") == rows(node, "shop")
        prove(node, ledger)


@pytest.mark.parametrize("victim", ["daemon", "mariadbd", "mariadb-backup"])
def test_kill_during_a_restore(node, rng, victim):
    node.create_tenant("shop")
    fill(node, "shop", megabytes=120)
    node.start_archive("shop")
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    with Ledger(node, "shop", writers=2) as ledger:
        wait_for("rows", lambda: ledger.count() > 300)
    node.archived_now("shop")
    node.create_pool("p_half")
    node.sql(f"ALTER SYSTEM RESTORE half FROM '{node.uri('shop_data')},{node.uri('shop_log')}' WITH 'pool_list=p_half'")
    if victim == "daemon":
        time.sleep(rng.uniform(0, 2))  # the random moment itself
        node.kill()
        node.start()
    else:
        def strike():
            if node.sql("SELECT 1 FROM oceanbase.CDB_OB_RESTORE_HISTORY"):
                return True  # the restore was faster than the blow
            pids = [p for p in node.processes(victim)
                    if "/1004" in open(f"/proc/{p}/cmdline").read().replace("\0", " ")]
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            return pids
        wait_for(f"{victim} of the restore", strike, 120)
    end = node.wait_restore("half")
    assert end["STATUS"] in ({"SUCCESS"} if victim == "daemon" else {"SUCCESS", "FAIL"}), end
    if end["STATUS"] == "FAIL":
        assert end["COMMENT"], "a failed restore says why"
        assert not node.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'half'"), "no half-made tenant"
        node.sql(f"ALTER SYSTEM RESTORE half FROM '{node.uri('shop_data')},{node.uri('shop_log')}' WITH 'pool_list=p_half'")
        end = node.wait_restore("half")
        assert end["STATUS"] == "SUCCESS", end
    assert rows(node, "half") == set(ledger.acknowledged)


def forget_the_end(node, tenant_id):
    """The catalog as it was before it knew of the end of the tenant's only backup; a dead daemon has its record of work."""
    node.on_catalog("INSERT INTO tidemark.work (work_id, kind, tenant_id, job_id, state, owner_node, owner_session, epoch,"
                    f" progress) VALUES (1000, 'backup', {tenant_id}, 1, 'RUNNING', 1, 7, 1, '')")
    for table in ("backup_job", "backup_task"):
        node.on_catalog(f"INSERT INTO tidemark.{table} SELECT * FROM tidemark.{table}_history WHERE tenant_id = {tenant_id}")
        node.on_catalog(f"DELETE FROM tidemark.{table}_history WHERE tenant_id = {tenant_id}")
    node.on_catalog(f"UPDATE tidemark.backup_job SET status = 'DOING', end_time = NULL WHERE tenant_id = {tenant_id}")
    node.on_catalog(f"UPDATE tidemark.backup_task SET status = 'BEFORE_BACKUP_LOG', end_time = NULL, output_bytes = 7"
                    f" WHERE tenant_id = {tenant_id}")
    node.on_catalog(f"UPDATE tidemark.backup_set SET status = 'DOING', file_status = 'COPYING', min_restore_scn = 0,"
                    f" output_bytes = 7 WHERE tenant_id = {tenant_id}")


@pytest.mark.parametrize("last_object", ["stored", "missing"])  # missing: and the set is described
def test_a_kill_between_the_last_object_and_the_catalog(node, last_object):
    """A set that can be restored is a success, whatever the catalog had time to learn."""
    tenant_id = node.create_tenant("shop")
    node.start_archive("shop")
    job = node.backup("shop")
    assert job["STATUS"] == "COMPLETED"
    sets = "SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES"
    tasks = "SELECT * FROM oceanbase.CDB_OB_BACKUP_TASK_HISTORY WHERE TENANT_ID <> 1"
    ended = {"END_TIMESTAMP", "ELAPSED_SECONDES", "OUTPUT_RATE_BYTES"}
    before = [{k: v for k, v in node.sql(query)[0].items() if k not in ended} for query in (sets, tasks)]
    node.kill()
    forget_the_end(node, tenant_id)
    (end,) = (node.backups / "shop_data").rglob("backup_set_1_full_end_success_*")
    if last_object == "missing":
        end.unlink()
    node.start()
    after = node.wait_backup("shop", job["JOB_ID"])
    assert after["STATUS"] == "COMPLETED", after
    found = [{k: v for k, v in node.sql(query)[0].items() if k not in ended} for query in (sets, tasks)]
    assert found == before
    node.restore("back", "shop")
