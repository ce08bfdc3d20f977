"""A restored tenant answers before its files are on the disk, and is not a success before they are."""
import contextlib
import os
import signal
import time

import pymysql
import pytest

from node import Node, checksums, wait_for
from sampler import Sampler, in_order
from throttled_disk import ThrottledDisk, why_not

if reason := why_not():
    pytest.skip(f"no disk can be slowed down: {reason}", allow_module_level=True)

SLOW = 12_000_000  # bytes per second: a set of 40 MB takes seconds
CREEPING = 2_000_000  # while something is looked at that must not be over before
READABLE = "WAIT_QUICK_RESTORE_FINISH"
PAGE = "SELECT * FROM oceanbase.CDB_OB_RESTORE_PROGRESS"


@pytest.fixture(scope="module")
def disk():
    made = ThrottledDisk(1200)
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def shop(disk):
    """A node on that disk."""
    place = disk.place / "node"
    place.mkdir()
    node = Node(place)
    try:
        node.start()
        node.create_tenant("shop")
        node.start_archive("shop")
        node.sql("CREATE DATABASE app", tenant="shop")
        node.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v VARBINARY(4000))", tenant="shop")
        node.sql("INSERT INTO app.t SELECT seq, RANDOM_BYTES(1000) FROM seq_1_to_20000", tenant="shop", database="app")
        assert node.backup("shop")["STATUS"] == "COMPLETED"
        node.sum = checksums(node, "shop")
        node.scn = node.scalar("SELECT MIN_RESTORE_SCN FROM oceanbase.CDB_OB_BACKUP_SET_FILES")
        os.sync()
        yield node
    finally:
        disk.limit(0)
        node.destroy()


def status(node):
    rows = node.sql(PAGE + " WHERE TENANT_ID <> 1")
    return rows[-1]["STATUS"] if rows else None


def start_restore(node, name):
    node.create_pool(f"p_{name}")
    node.sql(f"ALTER SYSTEM RESTORE {name} FROM '{node.uri('shop_data')},{node.uri('shop_log')}'"
             f" UNTIL SCN = {node.scn} WITH 'pool_list=p_{name}'")


def wait_readable(node, disk):
    """And it stays so for a while, on a machine however busy."""
    wait_for("the tenant to be readable", lambda: status(node) == READABLE, 30)
    disk.limit(CREEPING)


def refusal(node, statement, **options):
    with pytest.raises(pymysql.MySQLError) as caught:
        node.sql(statement, **options)
    return caught.value.args[0]


def test_it_answers_while_its_files_are_on_the_way_and_is_a_success_once_they_are_there(shop, disk):
    disk.limit(SLOW)
    with Sampler(shop, PAGE + " WHERE TENANT_ID <> 1", every=0.01) as seen:
        start_restore(shop, "early")
        wait_readable(shop, disk)
        # All of it, while nothing of a success is shown.
        assert checksums(shop, "early") == shop.sum
        assert refusal(shop, "INSERT INTO app.t VALUES (0, '')", tenant="early") == 1290
        assert refusal(shop, "ALTER SYSTEM ACTIVATE STANDBY TENANT = early") == 4179
        assert shop.scalar("SELECT STATUS FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'early'") == "RESTORE"
        assert status(shop) == READABLE
        disk.limit(SLOW)
        end = shop.wait_restore("early", seconds_in_progress=False)
    assert end["STATUS"] == "RESTORE_SUCCESS"
    stages = in_order([row["STATUS"] for _, row in seen.rows()])
    assert stages == ["RESTORING", "POST_CHECK", "UPGRADE", READABLE, "RESTORE_SUCCESS"]
    times = [at for at, row in seen.rows(STATUS=READABLE)]
    assert times[-1] - times[0] > 0.5, "most of 40 MB was still on its way"
    assert shop.log.read_text().index("answers") < shop.log.read_text().index("is durable")
    shop.sql("ALTER SYSTEM ACTIVATE STANDBY TENANT = early")
    shop.sql("INSERT INTO app.t VALUES (0, '')", tenant="early")
    shop.drop("early")


def test_a_daemon_that_dies_before_it_is_durable_restores_anew(shop, disk):
    disk.limit(SLOW)
    start_restore(shop, "again")
    wait_readable(shop, disk)
    assert shop.scalar("SELECT COUNT(*) FROM app.t", tenant="again") == 20000
    shop.kill()
    disk.limit(0)
    shop.start()
    with contextlib.suppress(pymysql.MySQLError):  # it is closed again, or over
        assert shop.scalar("SELECT COUNT(*) FROM app.t", tenant="again") == 20000
    assert shop.wait_restore("again", seconds_in_progress=False)["STATUS"] in ("RESTORE_SUCCESS", "SUCCESS")
    assert "attempt 2" in shop.log.read_text()
    assert checksums(shop, "again") == shop.sum
    shop.drop("again")


def answers(node, tenant):
    with contextlib.suppress(pymysql.MySQLError):
        return node.scalar("SELECT 1", tenant=tenant)
    return None


def lose_power(node, disk):
    def end():
        databases = node.mariadbd_pids()
        node.kill()
        for pid in databases:
            os.kill(pid, signal.SIGKILL)
        wait_for("the databases to end", lambda: not node.mariadbd_pids(), 30)
    disk.lose_power(end)
    node.start()


def test_a_machine_that_dies_before_it_is_durable_restores_anew(shop, disk):
    disk.limit(SLOW)
    start_restore(shop, "powerless")
    wait_readable(shop, disk)
    lose_power(shop, disk)
    disk.limit(0)
    assert shop.wait_restore("powerless", seconds_in_progress=False)["STATUS"] in ("RESTORE_SUCCESS", "SUCCESS")
    assert "attempt 2" in shop.log.read_text()[shop.log.read_text().rindex("accepts connections"):]
    assert checksums(shop, "powerless") == shop.sum
    shop.drop("powerless")


def test_what_was_reported_a_success_survives_a_crash_of_the_machine(shop, disk):
    disk.limit(SLOW)
    start_restore(shop, "whole")
    assert shop.wait_restore("whole", seconds_in_progress=False)["STATUS"] == "RESTORE_SUCCESS"
    lose_power(shop, disk)
    wait_for("the tenant to answer", lambda: answers(shop, "whole"), 30)
    assert checksums(shop, "whole") == shop.sum
    shop.sql("ALTER SYSTEM ACTIVATE STANDBY TENANT = whole")
    assert checksums(shop, "whole") == shop.sum
    shop.drop("whole")


def test_it_can_be_cancelled_while_it_answers(shop, disk):
    disk.limit(SLOW)
    start_restore(shop, "never")
    wait_readable(shop, disk)
    begin = time.monotonic()
    shop.sql("ALTER SYSTEM CANCEL RESTORE never")
    assert time.monotonic() - begin < 40  # sys is on that disk, too
    disk.limit(0)
    assert shop.wait_restore("never")["STATUS"] == "FAIL"
    assert refusal(shop, "SELECT 1", tenant="never") == 1045
