"""Work that is called off: it ends, says so, and leaves nothing behind."""
import os
import signal
import time

import pymysql
import pytest

from hanging_mount import HangingMount
from hangs import hang_in_a_write, needs_fuse, on_mount
from node import wait_for


@pytest.fixture(scope="module")
def shop(shared_node):
    node = shared_node
    node.create_tenant("shop")
    node.sql("CREATE DATABASE fill", tenant="shop")
    node.sql("CREATE TABLE fill.t AS SELECT seq AS id, SHA2(seq, 512) AS a, SHA2(-seq, 512) AS b"
             " FROM fill.seq_1_to_1500000", tenant="shop")
    node.start_archive("shop")
    return node


def test_a_cancelled_backup_ends_and_leaves_nothing(shop):
    node = shop
    job = node.start_backup("shop")
    wait_for("mariadb-backup to run", lambda: node.processes("mariadb-backup"))
    with pytest.raises(pymysql.Error) as caught:
        node.sql("ALTER SYSTEM BACKUP TENANT = shop")
    assert caught.value.args[0] == 9036
    node.sql("ALTER SYSTEM CANCEL BACKUP TENANT = shop")
    end = node.wait_backup("shop", job, 30)
    assert (end["STATUS"], end["RESULT"]) == ("CANCELED", -4072), end
    assert not node.processes("mariadb-backup")
    parent = node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE TENANT_ID = 1")
    assert [p["STATUS"] for p in parent] == ["CANCELED"]
    assert not node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE FILE_STATUS = 'AVAILABLE'")
    node.sql("ALTER SYSTEM CANCEL BACKUP")  # nothing running is no error
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    sets = node.backups / "shop_data"
    wait_for("what is left of it to be removed", lambda: [p.name for p in sets.glob("backup_set_*")] == ["backup_set_2_full"])


def test_a_cancelled_restore_leaves_no_tenant_and_its_pool_free(shop):
    node = shop
    node.archived_now("shop")
    node.create_pool("p_back")
    statement = f"ALTER SYSTEM RESTORE back FROM '{node.uri('shop_data')},{node.uri('shop_log')}' WITH 'pool_list=p_back'"
    node.sql(statement)
    with pytest.raises(pymysql.Error) as caught:
        node.sql(statement)
    assert caught.value.args[0] in (9014, 5156)
    with pytest.raises(pymysql.Error, match="being restored"):
        node.sql("SELECT 1", tenant="back")
    node.sql("ALTER SYSTEM CANCEL RESTORE back")
    assert node.wait_restore("back")["STATUS"] == "FAIL"
    assert not node.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'back'")
    with pytest.raises(pymysql.Error):
        node.sql("ALTER SYSTEM CANCEL RESTORE back")
    node.restore("back", "shop")
    assert node.scalar("SELECT COUNT(*) FROM fill.t", tenant="back") == 1500000


def test_dropping_a_tenant_ends_its_restore(shop):
    node = shop
    node.archived_now("shop")
    node.create_pool("p_twin")
    node.sql(f"ALTER SYSTEM RESTORE twin FROM '{node.uri('shop_data')},{node.uri('shop_log')}' WITH 'pool_list=p_twin'")
    preparing = wait_for("the redo log to be applied", lambda: node.processes("mariadb-backup"))
    for pid in preparing:
        os.kill(pid, signal.SIGSTOP)
    node.sql("DROP TENANT twin FORCE")
    assert not node.processes("mariadb-backup")
    # The end of an earlier restore may be shown still.
    assert {row["STATUS"] for row in node.sql("SELECT STATUS FROM oceanbase.CDB_OB_RESTORE_PROGRESS"
                                              " WHERE RESTORE_TENANT_NAME = 'twin'")} == {"RESTORE_FAIL"}
    assert node.wait_restore("twin", 10)["STATUS"] == "FAIL"
    # What comes next under this name has nothing to do with it.
    node.sql("CREATE TENANT twin RESOURCE_POOL_LIST = ('p_twin')")
    node.sql("CREATE DATABASE mine", tenant="twin")


def test_a_tenant_can_be_dropped_in_the_middle_of_its_backup(shop):
    node = shop
    node.start_archive("back")
    node.start_backup("back")
    wait_for("mariadb-backup to run", lambda: node.processes("mariadb-backup"))
    node.drop("back")
    wait_for("mariadb-backup to end", lambda: not node.processes("mariadb-backup"), 30)
    wait_for("its job to be gone", lambda: not node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_JOBS"), 30)
    assert node.scalar("SELECT COUNT(*) FROM fill.t", tenant="shop") == 1500000
    assert node.backup("shop")["STATUS"] == "COMPLETED"


def test_cancelling_a_restore_that_hangs_at_its_destination_is_answered_and_others_go_on(shop):
    """Opening a named pipe waits in the kernel, as a dead network file system does, until somebody writes."""
    node = shop
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    node.archived_now("shop")
    newest = max((node.backups / "shop_data").glob("backup_set_*_full"), key=lambda p: p.stat().st_mtime)
    blocks = next(iter(newest.rglob("macro_block_data.0.obbak")))
    kept, pipe = blocks.with_name("kept"), blocks.with_name("pipe")
    os.link(blocks, kept)
    os.mkfifo(pipe)
    try:
        node.create_pool("p_stuck")
        node.sql(f"ALTER SYSTEM RESTORE stuck FROM '{node.uri('shop_data')},{node.uri('shop_log')}'"
                 " WITH 'pool_list=p_stuck&concurrency=1'")
        wait_for("files to be written", lambda: node.sql(
            "SELECT 1 FROM oceanbase.CDB_OB_RESTORE_PROGRESS WHERE STATUS = 'RESTORING' AND FINISH_BYTES > 0"))
        pipe.rename(blocks)
        begin = time.monotonic()
        with pytest.raises(pymysql.Error, match="has not ended yet"):
            node.sql("ALTER SYSTEM CANCEL RESTORE stuck")
        assert time.monotonic() - begin < 30
        assert [r["STATUS"] for r in node.sql("SELECT STATUS FROM oceanbase.CDB_OB_RESTORE_PROGRESS WHERE TENANT_ID = 1")] \
            == ["WAIT_TENANT_RESTORE_FINISH"]
        assert node.backup("shop")["STATUS"] == "COMPLETED"
    finally:
        held = os.open(blocks, os.O_RDWR | os.O_NONBLOCK)
        kept.rename(blocks)
        os.close(held)
    assert node.wait_restore("stuck")["STATUS"] == "FAIL"
    assert not node.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'stuck'")


@needs_fuse
def test_cancelling_a_backup_that_hangs_at_its_destination_is_answered_and_others_go_on(shop):
    node = shop
    node.create_tenant("dead", "128M")
    node.sql("CREATE DATABASE fill", tenant="dead")
    node.sql("CREATE TABLE fill.t AS SELECT seq AS id, SHA2(seq, 512) AS a FROM fill.seq_1_to_200000", tenant="dead")
    jobs = "FROM oceanbase.CDB_OB_BACKUP_JOBS j JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID) WHERE TENANT_NAME = 'dead'"
    with HangingMount(node.directory / "dead") as mount:
        on_mount(node, mount, "dead")
        node.sql("ALTER SYSTEM BACKUP DATABASE", tenant="dead")
        job = node.scalar(f"SELECT j.JOB_ID {jobs}")
        hang_in_a_write(node, mount)
        begin = time.monotonic()
        node.sql("ALTER SYSTEM CANCEL BACKUP", tenant="dead")
        assert time.monotonic() - begin < 5
        assert node.scalar(f"SELECT j.STATUS {jobs}") == "CANCELING"
        assert node.backup("shop")["STATUS"] == "COMPLETED"
        assert node.scalar(f"SELECT j.STATUS {jobs}") == "CANCELING"
        mount.go_on()
        assert node.wait_backup("dead", job)["STATUS"] == "CANCELED"
        node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = dead")
        node.drop("dead")
