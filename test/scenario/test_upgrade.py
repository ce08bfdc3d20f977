"""A set made under MariaDB 10.11, restored by a node of 11.8. That is fetched for this test, 50 MB, and kept in build/: a
minute in all, a quarter of it for the fetching. Skipped where it cannot be had."""
import os
import signal
import subprocess

import pymysql
import pytest

from node import ROOT, Node, checksums
from sampler import Sampler, in_order
from test_restore import OBJECTS, run_script

PAGE = "SELECT * FROM oceanbase.CDB_OB_RESTORE_PROGRESS"


@pytest.fixture(scope="module")
def newer():
    """What makes a node run the newer MariaDB."""
    made = subprocess.run([ROOT / "test" / "newer_mariadb", ROOT / "build" / "newer-mariadb"], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"no newer MariaDB to be had here: {made.stderr[-300:]}")
    usr = made.stdout.strip() + "/usr"
    return {"PATH": f"{usr}/sbin:{usr}/bin:{os.environ['PATH']}", "MY_BASEDIR_VERSION": usr}


@pytest.fixture(scope="module")
def newer_node(newer):
    node = Node(environment=newer)
    try:
        yield node.start()
    finally:
        node.destroy()


@pytest.fixture(scope="module")
def old(shared_node):
    """Tables of all kinds in the set, and a log after it."""
    shared_node.create_tenant("shop")
    shared_node.start_archive("shop")
    run_script(shared_node, "shop", OBJECTS)
    assert shared_node.backup("shop")["STATUS"] == "COMPLETED"
    run_script(shared_node, "shop", "INSERT INTO app.inno (name, amount) VALUES ('after', 4);\n"
               "CREATE TABLE app.later AS SELECT seq AS id FROM app.seq_1_to_1000")
    shared_node.archived_now("shop")
    return shared_node


def restore_from(node, source, name, tenant):
    node.sql(f"ALTER SYSTEM RESTORE {name} FROM '{source.uri(tenant + '_data')},{source.uri(tenant + '_log')}'"
             f" WITH 'pool_list=p_{name}'")
    end = node.wait_restore(name)
    assert end["STATUS"] == "SUCCESS", end


@pytest.fixture(scope="module")
def upgraded(old, newer_node):
    newer_node.create_pool("p_moved")
    with Sampler(newer_node, PAGE) as seen:
        restore_from(newer_node, old, "moved", "shop")
    newer_node.sql("ALTER SYSTEM ACTIVATE STANDBY TENANT = moved")
    return seen


def test_a_restore_into_a_newer_mariadb_shows_the_upgrade_and_runs_it(upgraded, newer_node):
    tenant = [(at, row["STATUS"]) for at, row in upgraded.rows() if row["TENANT_ID"] != 1]
    assert in_order([status for _, status in tenant]) == ["RESTORING", "POST_CHECK", "UPGRADE", "WAIT_QUICK_RESTORE_FINISH",
                                                          "RESTORE_SUCCESS"]
    assert in_order([row["STATUS"] for _, row in upgraded.rows(TENANT_ID=1)])[-1] == "RESTORE_SUCCESS"
    times = [at for at, status in tenant if status == "UPGRADE"]
    assert times[-1] - times[0] > 0.5, "mariadb-upgrade takes its time"
    version = newer_node.scalar("SELECT VERSION()", tenant="moved")
    assert version.startswith("11.8.")
    data = newer_node.data / "t" / "1002"
    marks = [p.read_text() for p in data.rglob("*upgrade_info")]
    assert marks and all(mark.startswith("11.8.") for mark in marks), "what mariadb-upgrade leaves"
    assert not list(data.glob("upgrade.cnf")), "it holds a password"
    with pymysql.connect(unix_socket=str(data / "s"), user="tidemark", password=newer_node.daemon_password(1002)) as own:
        with own.cursor() as cursor:
            cursor.execute("SHOW GRANTS")
            grants = [row[0] for row in cursor.fetchall()]
    assert grants and not any("ALL PRIVILEGES ON *.*" in g or "GRANT OPTION" in g for g in grants), "its rights are back"


def test_everything_is_as_it_was(upgraded, old, newer_node):
    assert checksums(newer_node, "moved") == checksums(old, "shop")
    assert newer_node.scalar("SELECT COUNT(*) FROM app.later", tenant="moved") == 1000
    assert newer_node.scalar("SELECT total FROM app.totals WHERE name = 'after'", tenant="moved") == 4
    assert newer_node.scalar("SELECT app.twice(21)", tenant="moved") == 42
    assert newer_node.sql("SELECT 1 AS one", tenant="moved", user="clerk", password="secret") == [{"one": 1}]


def test_the_upgraded_tenant_is_a_tenant_like_any_other(upgraded, newer_node):
    """It is written, archived, backed up and restored by the newer programs alone."""
    node = newer_node
    node.sql("CALL app.add_one(7)", tenant="moved")
    node.start_archive("moved")
    assert node.backup("moved")["STATUS"] == "COMPLETED"
    node.sql("CALL app.add_one(8)", tenant="moved")
    node.archived_now("moved")
    node.create_pool("p_again")
    with Sampler(node, PAGE) as seen:
        restore_from(node, node, "again", "moved")
    assert seen.rows()
    assert checksums(node, "again") == checksums(node, "moved")


def test_an_older_mariadb_refuses_what_a_newer_one_has_made(upgraded, old, newer_node):
    """At once, before anything is made."""
    if not (newer_node.backups / "moved_data").exists():
        newer_node.start_archive("moved")
        assert newer_node.backup("moved")["STATUS"] == "COMPLETED"
    old.create_pool("p_back")
    with pytest.raises(pymysql.Error, match="restoring a backup of MariaDB 11.8.*not allowed.*install the newer MariaDB first"):
        restore_from(old, newer_node, "back", "moved")
    assert not old.sql("SELECT 1 FROM oceanbase.CDB_OB_RESTORE_HISTORY")
    assert not old.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'back'")


def test_a_daemon_that_ends_after_the_upgrade_begins_the_restore_again(old, newer_node):
    """Crash point restore.upgraded, where mariadb-upgrade has really run; test_crash_points.py passes it without one."""
    node = newer_node
    node.create_pool("p_cut")
    node.terminate()
    node.start(crash_at="restore.upgraded")
    node.sql(f"ALTER SYSTEM RESTORE cut FROM '{old.uri('shop_data')},{old.uri('shop_log')}' WITH 'pool_list=p_cut'")
    cut = node.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'cut'")
    assert node.process.wait(180) == -signal.SIGKILL
    assert [p.read_text()[:5] for p in (node.data / "t" / str(cut)).rglob("*upgrade_info")] == ["11.8."]
    node.start()
    end = node.wait_restore("cut")
    assert end["STATUS"] == "SUCCESS", end
    assert checksums(node, "cut") == checksums(old, "shop")
