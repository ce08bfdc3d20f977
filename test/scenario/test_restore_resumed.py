"""A restore that the end of the daemon interrupts goes on: the same set to the same point, three times at most."""
import contextlib
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
    node.environment["TIDEMARK_CRASH_AT"] = point
    try:
        with contextlib.suppress(AssertionError):  # it may end before it is up
            node.start()
    finally:
        del node.environment["TIDEMARK_CRASH_AT"]


def await_end(node):
    assert node.process.wait(60) == -signal.SIGKILL


def restore_until(node, point):
    """Starts a restore whose daemon ends at the point."""
    node.archived_now("shop")
    node.terminate()
    start_with(node, point)
    with contextlib.suppress(pymysql.Error):
        node.sql(f"ALTER SYSTEM RESTORE copy FROM '{node.uri('shop_data')},{node.uri('shop_log')}' WITH 'pool_list=p_copy'")
    await_end(node)


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
    shop.sql(f"ALTER SYSTEM RESTORE copy FROM '{shop.uri('shop_data')},{shop.uri('shop_log')}' WITH 'pool_list=p_copy'")
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
