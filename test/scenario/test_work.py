"""Work that waits, is left by a dead daemon, or has something to clean up: it costs nobody anything and goes on."""
import contextlib
import os
import pathlib
import signal

import pymysql
import pytest

from hangs import away
from node import wait_for


@pytest.fixture(scope="module")
def shop(shared_node):
    node = shared_node
    node.create_tenant("shop")
    node.sql("CREATE DATABASE d", tenant="shop")
    node.sql("CREATE TABLE d.t AS SELECT seq AS id, SHA2(seq, 512) AS a FROM d.seq_1_to_400000", tenant="shop")
    node.start_archive("shop")
    return node


def remains(directory, number):
    """Of a set. os.walk bears that what it has found is removed meanwhile, and glob does not."""
    return [name for _, directories, files in os.walk(directory) for name in directories + files
            if name.startswith(f"backup_set_{number}_full")]


def turns(node, number):
    return sorted(p.name for p in (node.backups / "shop_data").glob(f"backup_set_{number}_full/logstream_1001/*"))


def test_a_backup_that_waits_for_its_archive_costs_no_thread_and_survives_its_daemon(shop):
    node = shop
    with away(node.backups / "shop_log"):
        job = node.start_backup("shop")
        wait_for("the backup to wait", lambda: [w["state"] for w in node.work("backup")] == ["WAITING"])
        assert [row["STATUS"] for row in node.sql("SELECT STATUS FROM oceanbase.CDB_OB_BACKUP_TASKS")] == ["BEFORE_BACKUP_LOG"]
        wait_for("no thread of it", lambda: not [
            comm for comm in pathlib.Path(f"/proc/{node.process.pid}/task").glob("*/comm") if "backup" in comm.read_text()])
        node.kill()
        node.start()
        wait_for("it to wait again", lambda: [(w["state"], w["epoch"], w["attempt"]) for w in node.work("backup")]
                 == [("WAITING", 2, 1)])
        assert not node.processes("mariadb-backup")
    end = node.wait_backup("shop", job)
    assert end["STATUS"] == "COMPLETED", end
    assert turns(node, 1) == ["major_data_turn_1_retry_0"], "it was not copied again"
    assert not node.work("backup") and not node.work("clean")
    node.archived_now("shop")
    node.restore("back", "shop")
    assert node.scalar("SELECT COUNT(*) FROM d.t", tenant="back") == 400000


def test_a_backup_does_not_wait_for_the_lag_that_its_archive_may_have(shop):
    node = shop
    node.sql("ALTER SYSTEM SET archive_lag_target = '600s' TENANT = shop")
    try:
        node.sql("INSERT INTO d.t VALUES (0, 'in the copy, and not archived for ten minutes')", tenant="shop")
        end = node.wait_backup("shop", node.start_backup("shop"), limit=30)
        assert end["STATUS"] == "COMPLETED", end
    finally:
        node.sql("ALTER SYSTEM SET archive_lag_target = '1s' TENANT = shop")


def test_what_a_cancelled_backup_left_is_removed_once_its_destination_is_back(shop):
    node = shop
    job = node.start_backup("shop")
    number = wait_for("the set to be begun", lambda: node.sql(
        "SELECT BACKUP_SET_ID FROM oceanbase.CDB_OB_BACKUP_TASKS"))[0]["BACKUP_SET_ID"]
    data = node.backups / "shop_data"
    wait_for("something to be stored", lambda: list(data.glob(f"backup_set_{number}_full/**/*.obbak")) or turns(node, number))
    with away(data):
        node.sql("ALTER SYSTEM CANCEL BACKUP TENANT = shop")
        # On a slow machine the copy may fail for its destination before it hears of the statement.
        assert node.wait_backup("shop", job, 30)["STATUS"] in ("CANCELED", "FAILED")
        wait_for("the cleaner to try again", lambda: [w["attempt"] > 1 for w in node.work("clean")] == [True])
        node.kill()  # the cleaner's work has an owner, too
        node.start()
    wait_for("its remains to be removed", lambda: not remains(data, number))
    wait_for("the cleaner to be done", lambda: not node.work("clean"))
    assert node.backup("shop")["STATUS"] == "COMPLETED"


def test_a_whole_set_is_a_success_once_its_destination_can_be_asked(shop):
    """The daemon ended between the last object and the catalog, and the backup was cancelled while nobody could look."""
    node = shop
    data = node.backups / "shop_data"
    node.terminate()
    node.start(crash_at="backup.set-visible")
    with contextlib.suppress(pymysql.Error):
        node.start_backup("shop")
    assert node.process.wait(60) == -signal.SIGKILL
    with away(data):
        node.start()
        job = node.scalar("SELECT JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOBS WHERE TENANT_ID <> 1")
        node.sql("ALTER SYSTEM CANCEL BACKUP TENANT = shop")
        end = node.wait_backup("shop", job, 30)
        assert end["STATUS"] == "CANCELED", end
    query = f"SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE BACKUP_SET_ID = {end['BACKUP_SET_ID']}"
    wait_for("the cleaner to have asked", lambda: not node.work("clean"))
    files = node.sql(query)[0]
    assert (files["STATUS"], files["FILE_STATUS"]) == ("SUCCESS", "AVAILABLE"), files
    assert files["MIN_RESTORE_SCN"] > 0 and files["OUTPUT_BYTES"] > 0, files
