"""A restore that the end of the daemon interrupts goes on: the same set to the same point, three times at most."""
import contextlib
import os
import pathlib
import signal

import pymysql
import pytest

from node import wait_for


@pytest.fixture(scope="module")
def shop(shared_node):
    node = shared_node
    node.create_tenant("shop")
    node.sql("CREATE DATABASE d", tenant="shop")
    node.sql("CREATE TABLE d.t (id INT PRIMARY KEY)", tenant="shop")
    node.start_archive("shop")
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    node.sql("INSERT INTO d.t SELECT seq FROM d.seq_1_to_1000", tenant="shop")
    node.create_pool("p_copy")
    return node


@pytest.fixture(autouse=True)
def without_copy(shop):
    yield
    if shop.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'copy'"):
        shop.drop("copy")


def start_with(node, point):
    with contextlib.suppress(AssertionError):  # it may end before it is up
        node.start(crash_at=point)


def await_end(node):
    assert node.process.wait(60) == -signal.SIGKILL


def restore_until(node, point):
    """Starts a restore whose daemon ends at the point."""
    node.archived_now("shop")
    node.terminate()
    start_with(node, point)
    with contextlib.suppress(pymysql.Error):
        begin_restore(node)
    await_end(node)


def begin_restore(node):
    node.sql(f"ALTER SYSTEM RESTORE copy FROM '{node.uri('shop_data')},{node.uri('shop_log')}' WITH 'pool_list=p_copy'")


def kill_once(node, program, argument):
    """Kills the program that works for the restore as soon as there is one."""
    def found():
        for pid in node.processes(program):
            with contextlib.suppress(OSError):
                if argument in pathlib.Path(f"/proc/{pid}/cmdline").read_text():
                    os.kill(pid, signal.SIGKILL)
                    return True
        return False
    wait_for(f"{program} of the restore", found)


def count(node, tenant):
    return node.scalar("SELECT COUNT(*) FROM d.t", tenant=tenant)


def test_it_restores_the_same_though_more_has_come(shop):
    """Without UNTIL the target is the end of the log, as it was when the statement was given."""
    before = count(shop, "shop")
    restore_until(shop, "restore.prepared")
    shop.start()
    # While it begins anew there are a newer set and more log.
    shop.sql("INSERT INTO d.t SELECT seq FROM d.seq_100001_to_100100", tenant="shop")
    assert shop.backup("shop")["STATUS"] == "COMPLETED"
    end = shop.wait_restore("copy")
    assert end["STATUS"] == "SUCCESS", end
    assert end["BACKUP_SET_LIST"].endswith("backup_set_1_full")
    assert count(shop, "copy") == before


def test_it_goes_on_from_before_its_first_step_and_after_its_last_but_one(shop):
    before = count(shop, "shop")
    restore_until(shop, "restore.rows-written")
    start_with(shop, "restore.standby")
    await_end(shop)
    shop.start()
    assert shop.wait_restore("copy")["STATUS"] == "SUCCESS"
    assert count(shop, "copy") == before


def test_after_three_ends_it_fails_with_the_reason_and_leaves_no_tenant(shop):
    restore_until(shop, "restore.prepared")
    for _ in range(2):
        start_with(shop, "restore.prepared")
        await_end(shop)
    shop.start()
    end = shop.wait_restore("copy")
    assert end["STATUS"] == "FAIL" and "3 times" in end["COMMENT"], end
    assert not shop.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'copy'")
    shop.restore("copy", "shop")


def test_one_that_had_opened_its_tenant_has_succeeded(shop):
    restore_until(shop, "restore.opened")
    shop.start()
    assert shop.wait_restore("copy")["STATUS"] == "SUCCESS"
    assert count(shop, "copy") == count(shop, "shop")


def test_one_that_was_being_cancelled_is_failed_and_its_reason_kept(shop):
    shop.terminate()
    start_with(shop, "restore.tenant-removed")
    begin_restore(shop)
    with contextlib.suppress(pymysql.Error):
        shop.sql("ALTER SYSTEM CANCEL RESTORE copy")
    await_end(shop)
    shop.start()
    end = shop.wait_restore("copy")
    assert (end["STATUS"], end["RESULT"] if "RESULT" in end else -4072) == ("FAIL", -4072), end
    assert "cancel" in end["COMMENT"].lower()
    assert not shop.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'copy'")


def test_the_counters_of_a_new_attempt_begin_again(shop):
    restore_until(shop, "restore.standby")
    shop.start()
    seen = []

    def ended():
        rows = shop.sql("SELECT * FROM oceanbase.CDB_OB_RESTORE_PROGRESS WHERE TENANT_ID <> 1")
        seen.extend(rows)
        return not rows
    wait_for("the restore to end", ended)
    assert min(row["FINISH_BYTES"] for row in seen) < max(row["TOTAL_BYTES"] for row in seen) / 2
    assert seen[-1]["STATUS"] == "RESTORE_SUCCESS" and seen[-1]["FINISH_BYTES"] == seen[-1]["TOTAL_BYTES"]


def test_one_whose_destination_is_away_waits_for_it_and_costs_no_thread(shop):
    restore_until(shop, "restore.prepared")
    data = shop.backups / "shop_data"
    hidden = data.rename(data.with_name("away"))
    try:
        shop.start()
        waiting = wait_for("the restore to wait", lambda: [w for w in shop.work("restore") if w["state"] == "WAITING"])[0]
        assert str(data) in waiting["waiting_for"], waiting
        assert [r["STATUS"] for r in shop.sql("SELECT STATUS FROM oceanbase.CDB_OB_RESTORE_PROGRESS WHERE TENANT_ID = 1")] \
            == ["WAIT_TENANT_RESTORE_FINISH"]
        wait_for("no thread of it", lambda: not [
            comm for comm in pathlib.Path(f"/proc/{shop.process.pid}/task").glob("*/comm") if "restore" in comm.read_text()])
    finally:
        hidden.rename(data)
    end = shop.wait_restore("copy")
    assert end["STATUS"] == "SUCCESS" and not end["COMMENT"], end
    assert count(shop, "copy") == count(shop, "shop")


@pytest.mark.parametrize("program, argument", [("mariadb-backup", "--prepare"), ("mariadbd", "/t/{copy}/")])
def test_one_whose_program_is_killed_begins_again(shop, program, argument):
    shop.archived_now("shop")
    begin_restore(shop)
    copy = shop.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'copy'")
    kill_once(shop, program, argument.format(copy=copy))
    wait_for("the next attempt to be due", lambda: [w["attempt"] for w in shop.work("restore")] == [2])
    end = shop.wait_restore("copy")
    assert end["STATUS"] == "SUCCESS" and not end["COMMENT"], end
    assert count(shop, "copy") == count(shop, "shop")
