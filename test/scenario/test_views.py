"""The views of the two pages; what is in them while work runs is in test_backup_progress.py."""
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
