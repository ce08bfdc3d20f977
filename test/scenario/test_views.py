"""The views of the two seed pages, and what is in them while work runs."""
import csv
import pathlib

import pytest

from node import ROOT, wait_for

SPEC = pathlib.Path(ROOT / "test" / "sql" / "views.tsv")


def spec_columns(scope, view):
    with open(SPEC, newline="") as file:
        return [row[3] for row in csv.reader(file, delimiter="\t") if row[:2] == [scope, view]]


@pytest.fixture(scope="module")
def shop(shared_node):
    shared_node.create_tenant("shop")
    return shared_node


@pytest.mark.parametrize("view", ["CDB_OB_BACKUP_JOBS", "CDB_OB_BACKUP_TASKS", "CDB_OB_RESTORE_PROGRESS"])
def test_sys_views_have_exactly_the_documented_columns(shop, view):
    columns = shop.sql("SELECT COLUMN_NAME AS c FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'oceanbase'"
                       " AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION", [view])
    assert [c["c"] for c in columns] == spec_columns("sys", view) != []


@pytest.mark.parametrize("view", ["DBA_OB_BACKUP_JOBS", "DBA_OB_BACKUP_TASKS"])
def test_tenant_views_have_exactly_the_documented_columns(shop, view):
    columns = wait_for("the views in the tenant", lambda: shop.sql(
        "SELECT COLUMN_NAME AS c FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'oceanbase' AND TABLE_NAME = %s"
        " ORDER BY ORDINAL_POSITION", [view], tenant="shop"))
    assert [c["c"] for c in columns] == spec_columns("mysql", view) != []


def test_progress_is_real_while_a_backup_runs(shop):
    """Counters only grow, phases come in order, and the tenant sees the same as sys."""
    node = shop
    node.sql("CREATE DATABASE fill", tenant="shop")
    node.sql("CREATE TABLE fill.t AS SELECT seq AS id, SHA2(seq, 512) AS a, SHA2(-seq, 512) AS b FROM fill.seq_1_to_1000000",
             tenant="shop")
    node.start_archive("shop")
    job = node.start_backup("shop")
    seen, in_tenant = [], []
    ended = "SELECT 1 FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE TENANT_ID <> 1 AND JOB_ID = %s"
    while not node.sql(ended, [job]):
        for task in node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_TASKS"):
            seen.append(task)
        in_tenant += node.sql("SELECT * FROM oceanbase.DBA_OB_BACKUP_TASKS", tenant="shop")
    assert node.wait_backup("shop", job)["STATUS"] == "COMPLETED"
    for earlier, later in zip(seen, seen[1:]):
        for counter in ("INPUT_BYTES", "OUTPUT_BYTES", "FINISH_TABLET_COUNT", "FINISH_MACRO_BLOCK_COUNT"):
            assert later[counter] >= earlier[counter], counter
        assert later["FINISH_MACRO_BLOCK_COUNT"] <= later["MACRO_BLOCK_COUNT"]
    assert {t["STATUS"] for t in seen} & {"BACKUP_DATA_SYS", "BACKUP_DATA_MAJOR", "BACKUP_DATA_MINOR"}
    assert in_tenant and {t["TASK_ID"] for t in in_tenant} == {t["TASK_ID"] for t in seen}
    history = node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_TASK_HISTORY WHERE JOB_ID = %s", [job])[0]
    assert history["FINISH_MACRO_BLOCK_COUNT"] == history["MACRO_BLOCK_COUNT"] > 50
    assert history["MACRO_BLOCK_COUNT"] == -(-history["INPUT_BYTES"] // (2 << 20)), "in units of 2 MiB"
    assert history["INPUT_BYTES"] > history["OUTPUT_BYTES"] > 1_000_000
    wait_for("the history in the tenant", lambda: node.sql(
        "SELECT 1 FROM oceanbase.DBA_OB_BACKUP_TASK_HISTORY WHERE STATUS = 'COMPLETED'", tenant="shop"), 5)


def test_any_sql_works_on_top(shop):
    rows = shop.sql("SELECT t.TENANT_NAME, COUNT(s.BACKUP_SET_ID) AS sets FROM oceanbase.DBA_OB_TENANTS t"
                    " LEFT JOIN oceanbase.CDB_OB_BACKUP_SET_FILES s USING (TENANT_ID)"
                    " GROUP BY t.TENANT_NAME HAVING COUNT(*) >= 0 ORDER BY t.TENANT_ID")
    assert [r["TENANT_NAME"] for r in rows] == ["sys", "shop"]


def test_a_tenant_sees_only_itself(shop):
    shop.create_tenant("other")
    assert [r["TENANT_NAME"] for r in wait_for("its own row", lambda: shop.sql(
        "SELECT TENANT_NAME FROM oceanbase.DBA_OB_TENANTS", tenant="other"))] == ["other"]
    assert not shop.sql("SELECT * FROM oceanbase.DBA_OB_BACKUP_JOB_HISTORY", tenant="other")
    with pytest.raises(Exception, match="denied|read"):
        shop.sql("DELETE FROM oceanbase.DBA_OB_TENANTS", tenant="other")
