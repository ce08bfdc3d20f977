"""The page "view restore progress": what a user sees in its views while a restore of 300 MB runs, sampled every 20 ms, and
by somebody who looks once a second."""
import contextlib
import re

import pymysql
import pytest

from node import wait_for
from sampler import Sampler, in_order

SYS_STAGES = ["CREATE_TENANT", "WAIT_TENANT_RESTORE_FINISH"]
TENANT_STAGES = ["RESTORING", "POST_CHECK", "UPGRADE", "WAIT_QUICK_RESTORE_FINISH"]
SHOWN = 0.05  # a stage is shown at least so long (seconds); who looks less often may miss one
PAGE = "SELECT * FROM oceanbase.CDB_OB_RESTORE_PROGRESS"
HISTORY = "SELECT * FROM oceanbase.CDB_OB_RESTORE_HISTORY"
# Both views and the tenant's state at one moment.
WHERE = ("SELECT 'PROGRESS' AS V, p.TENANT_ID, JOB_ID, p.STATUS, t.STATUS AS TENANT_STATUS FROM oceanbase.CDB_OB_RESTORE_PROGRESS p"
         " LEFT JOIN oceanbase.DBA_OB_TENANTS t ON t.TENANT_NAME = p.RESTORE_TENANT_NAME"
         " UNION ALL SELECT 'HISTORY', TENANT_ID, JOB_ID, STATUS, NULL FROM oceanbase.CDB_OB_RESTORE_HISTORY")


@pytest.fixture(scope="module")
def shop(shared_node):
    """200 MB are in the set, 100 MB of log come after it."""
    node = shared_node
    node.create_tenant("shop")
    node.create_pool("p_copy")
    node.start_archive("shop")
    node.sql("CREATE DATABASE fill", tenant="shop")
    node.sql("CREATE TABLE fill.data AS SELECT seq AS id, SHA2(seq, 512) AS a, SHA2(-seq, 512) AS b"
             " FROM fill.seq_1_to_700000", tenant="shop")
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    node.sql("CREATE TABLE fill.log (id INT PRIMARY KEY, a CHAR(128))", tenant="shop")
    with contextlib.closing(node.connect("shop")) as connection, connection.cursor() as cursor:
        for i in range(40):
            cursor.execute(f"INSERT INTO fill.log SELECT seq, SHA2(seq, 512) FROM fill.seq_{i * 20000}_to_{i * 20000 + 19999}")
    node.archived_now("shop")
    return node


def sources(node):
    """FROM as on the page: the archive first, and two slashes in its path."""
    return f"file://{node.backups}//shop_log,{node.uri('shop_data')}"


def start(node, name="copy"):
    node.sql(f"ALTER SYSTEM RESTORE {name} FROM '{sources(node)}' WITH 'pool_list=p_copy&primary_zone=zone1'")
    return node.scalar("SELECT MAX(JOB_ID) FROM oceanbase.CDB_OB_RESTORE_PROGRESS WHERE RESTORE_TENANT_NAME = %s", [name])


def wait_ended(node, job):
    """The end is seen in PROGRESS; returns the status of sys's row."""
    return wait_for("the restore to end", lambda: node.sql(
        f"{PAGE} WHERE JOB_ID = %s AND TENANT_ID = 1 AND STATUS LIKE 'RESTORE\\_%%'", [job]), 120)[0]["STATUS"]


def wait_history(node, job):
    wait_for("the restore in the history", lambda: node.sql(f"{HISTORY} WHERE JOB_ID = %s", [job]), 120)
    return node.sql(f"{HISTORY} WHERE JOB_ID = %s", [job])


class Watched:
    """A restore, and what was seen of it. A machine that was too busy to look often enough is given another chance."""

    def __init__(self, node, name, tenant_stages, run=lambda _: None):
        for _ in range(4):
            with Sampler(node, PAGE) as self.progress, Sampler(node, WHERE) as self.places, \
                    Sampler(node, PAGE, every=1) as self.each_second:
                wait_for("the first look", lambda: self.progress.samples and self.places.samples and self.each_second.samples)
                self.job = start(node, name)
                run(self)
                self.history = wait_history(node, self.job)
            if self.progress.longest_gap(self.job) < SHOWN or self.stages(self.progress, sys=False) == tenant_stages:
                return
            if node.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [name]):
                node.drop(name)
        raise AssertionError(f"no chance to look every {SHOWN} s: {self.progress.longest_gap(self.job)}")

    def rows(self, sampler, sys):
        return [row for _, row in sampler.rows(JOB_ID=self.job) if (row["TENANT_ID"] == 1) == sys]

    def stages(self, sampler, sys):
        return in_order([row["STATUS"] for row in self.rows(sampler, sys)])


@pytest.fixture(scope="module")
def watched(shop):
    """While it ends, the administrator of the restored tenant logs in, and looks at the same."""
    def run(seen):
        def of_tenant():
            with contextlib.suppress(pymysql.Error):  # not open yet
                seen.names_in_tenant.update(row["TENANT_NAME"] for row in shop.sql(
                    "SELECT TENANT_NAME FROM oceanbase.DBA_OB_TENANTS", tenant="copy"))
                return shop.sql("SELECT STATUS, RESTORE_TENANT_NAME, FINISH_BYTES, TOTAL_BYTES FROM"
                                " oceanbase.DBA_OB_RESTORE_PROGRESS WHERE STATUS = 'RESTORE_SUCCESS'", tenant="copy")
        seen.names_in_tenant = set()
        seen.in_tenant = wait_for("the end, as the tenant sees it", of_tenant, 120)
        shop.sql("ALTER SYSTEM ACTIVATE STANDBY TENANT = copy")
        shop.sql("INSERT INTO fill.log VALUES (-1, 'open')", tenant="copy")
    return Watched(shop, "copy", [*TENANT_STAGES, "RESTORE_SUCCESS"], run)


def test_every_stage_is_seen_in_order(watched):
    assert watched.stages(watched.progress, sys=True) == [*SYS_STAGES, "RESTORE_SUCCESS"]
    assert watched.stages(watched.progress, sys=False) == [*TENANT_STAGES, "RESTORE_SUCCESS"]


def test_who_looks_once_a_second_sees_the_end(watched):
    assert watched.stages(watched.each_second, sys=True)[-1] == "RESTORE_SUCCESS"
    assert watched.stages(watched.each_second, sys=False)[-1] == "RESTORE_SUCCESS"


def test_then_both_rows_are_in_the_history_and_at_each_moment_in_one_view(watched, shop):
    assert [(row["TENANT_ID"] == 1, row["STATUS"]) for row in watched.history] == [(True, "SUCCESS"), (False, "SUCCESS")]
    begun = False
    for _, sampled in watched.places.samples:
        rows = [row for row in sampled if row["JOB_ID"] == watched.job]
        assert not begun or rows, "a restore that is in neither view"
        begun = begun or bool(rows)
        assert len({row["V"] for row in rows}) < 2, rows
    assert not shop.sql(f"{PAGE} WHERE JOB_ID = %s", [watched.job])


def test_the_tenant_is_open_when_its_end_is_shown(watched):
    ended = watched.places.rows(JOB_ID=watched.job, V="PROGRESS", STATUS="RESTORE_SUCCESS")
    assert ended and ended[0][1]["TENANT_STATUS"] == "NORMAL"


def test_sys_comes_first_and_the_tenants_row_when_there_is_a_tenant(watched):
    for _, sampled in watched.progress.samples:
        rows = [row for row in sampled if row["JOB_ID"] == watched.job]
        if rows:
            assert rows[0]["TENANT_ID"] == 1
            assert len(rows) == (1 if rows[0]["STATUS"] == "CREATE_TENANT" else 2), rows


def test_totals_are_known_from_the_first_row_on(watched):
    rows = watched.rows(watched.progress, sys=False)
    for row in rows:
        for total in ("TOTAL_BYTES", "TABLET_COUNT"):
            assert row[total] == rows[-1][total] > 5, row
        for name in ("FINISH_BYTES", "FINISH_TABLET_COUNT", "RESTORE_PROGRESS", "RECOVER_PROGRESS", "RECOVER_SCN",
                     "RECOVER_SCN_DISPLAY"):
            assert row[name] is not None, (name, row)
        assert row["RECOVER_SCN"] > 1_600_000_000 * 10**9, row
    assert rows[0]["RECOVER_PROGRESS"] == 0 and rows[0]["FINISH_TABLET_COUNT"] == 0
    assert rows[0]["TOTAL_BYTES"] > 200_000_000


def test_counters_only_grow_and_in_the_end_equal_their_totals(watched):
    rows = watched.rows(watched.progress, sys=False)
    for earlier, later in zip(rows, rows[1:]):
        for counter in ("FINISH_BYTES", "FINISH_TABLET_COUNT", "RESTORE_PROGRESS", "RECOVER_PROGRESS", "RECOVER_SCN"):
            assert later[counter] >= earlier[counter], (counter, earlier, later)
    for row in rows:
        assert row["FINISH_BYTES"] <= row["TOTAL_BYTES"] and row["FINISH_TABLET_COUNT"] <= row["TABLET_COUNT"], row
    assert any(0 < row["RECOVER_PROGRESS"] < 100 for row in rows), "the replay is seen"
    before_replay = {row["RESTORE_PROGRESS"] for row in rows if row["RECOVER_PROGRESS"] == 0}
    assert len(before_replay - {0}) > 1, ("the data is seen in the midst of it and at its end", before_replay)
    for row in [*(r for r in rows if r["STATUS"] != "RESTORING"), *watched.history]:
        assert row["FINISH_BYTES"] == row["TOTAL_BYTES"] and row["FINISH_TABLET_COUNT"] == row["TABLET_COUNT"], row
        assert row.get("RESTORE_PROGRESS", 100) == row.get("RECOVER_PROGRESS", 100) == 100, row


def test_the_rows_are_those_of_the_page(watched, shop):
    tenant_id = shop.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'shop'")
    cluster = shop.scalar("SELECT VALUE FROM oceanbase.GV$OB_PARAMETERS WHERE NAME = 'cluster' AND TENANT_ID IS NULL")
    for row in watched.rows(watched.progress, sys=True) + watched.rows(watched.progress, sys=False) + watched.history:
        expected = {"RESTORE_TENANT_NAME": "copy", "BACKUP_TENANT_NAME": "shop", "BACKUP_DEST": sources(shop),
                    "RESTORE_OPTION": "pool_list=p_copy&primary_zone=zone1",
                    "BACKUP_SET_LIST": f"{shop.uri('shop_data')}/backup_set_1_full"}
        assert {name: row[name] for name in expected} == expected
        assert str(row["BACKUP_TENANT_ID"]) == str(tenant_id) and row["BACKUP_CLUSTER_NAME"] == (cluster or row["BACKUP_CLUSTER_NAME"])
        assert re.fullmatch(re.escape(shop.uri("shop_log")) + r"/[^/,]+", row["BACKUP_PIECE_LIST"]), row
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", row["RESTORE_SCN_DISPLAY"]), row
        # as the page shows it, when nothing was given; the reference has NULL in the history
        assert row["DESCRIPTION"] == (None if "COMMENT" in row else ""), row
    for row in watched.rows(watched.progress, sys=True):
        for name in ("TOTAL_BYTES", "TOTAL_BYTES_DISPLAY", "FINISH_BYTES", "FINISH_BYTES_DISPLAY"):
            assert row[name] is None, row
    first = watched.rows(watched.progress, sys=False)[0]
    assert first["RESTORE_TENANT_ID"] == first["TENANT_ID"] > 1000
    for row in watched.rows(watched.progress, sys=False):
        for name in ("TOTAL_BYTES", "FINISH_BYTES"):
            assert row[name + "_DISPLAY"] == f"{row[name] / (1 << 20):.2f}MB", row
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", row["START_TIMESTAMP"]), row


def test_the_restored_tenants_administrator_sees_the_same(watched, shop):
    assert [(r["STATUS"], r["RESTORE_TENANT_NAME"]) for r in watched.in_tenant] == [("RESTORE_SUCCESS", "copy")]
    assert watched.names_in_tenant == {"copy"}, "never what the tenant that was backed up had seen"
    assert watched.in_tenant[0]["FINISH_BYTES"] == watched.in_tenant[0]["TOTAL_BYTES"]
    wait_for("the history in the tenant", lambda: shop.sql(
        "SELECT 1 FROM oceanbase.DBA_OB_RESTORE_HISTORY WHERE STATUS = 'SUCCESS' AND JOB_ID = %s", [watched.job],
        tenant="copy"), 5)
    assert not shop.sql("SELECT 1 FROM oceanbase.DBA_OB_RESTORE_PROGRESS", tenant="copy")


def test_a_failed_restore_is_seen_the_same_way(shop):
    """An object of the set is gone; that is found when the files are written."""
    victim = next(p for p in sorted((shop.backups / "shop_data").glob("backup_set_*/**/*")) if p.stat().st_size > 1 << 20)
    if shop.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'copy'"):
        shop.drop("copy")
    content = victim.read_bytes()
    try:
        middle = len(content) // 2
        victim.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:])
        seen = Watched(shop, "bad", ["RESTORING", "RESTORE_FAIL"])
    finally:
        victim.write_bytes(content)
    assert seen.stages(seen.progress, sys=True) == [*SYS_STAGES, "RESTORE_FAIL"]
    assert seen.stages(seen.progress, sys=False) == ["RESTORING", "RESTORE_FAIL"]
    for sys in True, False:
        assert seen.stages(seen.each_second, sys)[-1] == "RESTORE_FAIL"
    assert [(row["TENANT_ID"] == 1, row["STATUS"]) for row in seen.history] == [(True, "FAIL"), (False, "FAIL")]
    assert all(row["COMMENT"] for row in seen.history)
    for row in seen.rows(seen.progress, sys=False):
        assert row["FINISH_BYTES"] <= row["TOTAL_BYTES"], row


def test_a_crash_while_the_end_is_shown_is_made_up_for(shop):
    """Also: what has ended stands in nobody's way, neither a new restore's of the same name nor a CANCEL's."""
    if shop.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'copy'"):
        shop.drop("copy")
    first = start(shop)
    shop.sql("ALTER SYSTEM CANCEL RESTORE copy")
    with pytest.raises(pymysql.Error, match="no restore of tenant copy is running"):
        shop.sql("ALTER SYSTEM CANCEL RESTORE copy")
    second = start(shop)
    assert second == first + 1
    assert wait_ended(shop, second) == "RESTORE_SUCCESS"
    shop.kill()
    shop.start()
    assert {row["STATUS"] for row in wait_history(shop, second)} == {"SUCCESS"}
    wait_for("PROGRESS to be empty", lambda: not shop.sql(PAGE), 10)
    assert {row["STATUS"] for row in wait_history(shop, first)} == {"FAIL"}
    assert shop.scalar("SELECT COUNT(*) FROM fill.log", tenant="copy") == 800000
