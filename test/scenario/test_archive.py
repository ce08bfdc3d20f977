"""The archive over time: pieces, gaps in the binlog, and what is purged when."""
import contextlib
import pathlib
import time

import pymysql
import pytest

from load import Ledger, rows
from node import Node, wait_for


@pytest.fixture
def quick_pieces():
    made = Node(options=["--piece-interval", "3"])
    try:
        yield made.start()
    finally:
        made.destroy()


def test_a_restore_reads_over_many_pieces(quick_pieces):
    node = quick_pieces
    node.create_tenant("shop")
    node.start_archive("shop")
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    with Ledger(node, "shop", writers=2) as ledger:
        wait_for("three frozen pieces", lambda: node.scalar(
            "SELECT COUNT(*) FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES WHERE STATUS = 'FROZEN'") >= 3)
    node.archived_now("shop")
    end = node.restore("back", "shop", activate=False)
    assert len(end["BACKUP_PIECE_LIST"].split(",")) >= 3
    assert rows(node, "back") == set(ledger.acknowledged)
    pieces = node.sql("SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES ORDER BY PIECE_ID")
    for earlier, later in zip(pieces, pieces[1:]):
        assert earlier["STATUS"] == "FROZEN" and earlier["END_SCN"] <= later["START_SCN"]


def binlogs(node, tenant_id):
    return sorted(p.name for p in (pathlib.Path(node.data) / "t" / str(tenant_id) / "data").glob("bin.0*"))


def test_binlogs_are_purged_only_after_they_are_archived(node):
    tenant_id = node.create_tenant("shop")
    node.start_archive("shop")
    node.sql("CREATE DATABASE d", tenant="shop")
    first = binlogs(node, tenant_id)[0]
    for _ in range(2):  # a restart of the tenant begins a new binlog file
        node.cli("shutdown")
        node.process.wait(60)
        node.start()
        node.sql("CREATE TABLE IF NOT EXISTS d.t (a INT)", tenant="shop")
    node.archived_now("shop")
    wait_for("the first binlog to be purged", lambda: first not in binlogs(node, tenant_id))
    assert binlogs(node, tenant_id), "the one in use stays"


def test_a_binlog_that_was_purged_too_early_interrupts_the_round(node):
    """Somebody with access to the machine deletes binlogs while the archive is away: said, never papered over."""
    tenant_id = node.create_tenant("shop")
    node.start_archive("shop")
    node.sql("CREATE DATABASE d", tenant="shop")
    node.sql("CREATE TABLE d.t (a INT PRIMARY KEY)", tenant="shop")
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    node.archived_now("shop")
    node.terminate()
    directory = pathlib.Path(node.data) / "t" / str(tenant_id)
    secret = (directory / "secret").read_text().strip()
    admin = pymysql.connect(unix_socket=str(directory / "s"), user="tidemark", password=secret, autocommit=True)
    owner = pymysql.connect(unix_socket=str(directory / "s"), user="root", autocommit=True)
    with admin.cursor() as cursor, owner.cursor() as writer:
        writer.execute("INSERT INTO d.t VALUES (1)")
        cursor.execute("FLUSH BINARY LOGS")
        cursor.execute("SHOW BINARY LOGS")
        newest = cursor.fetchall()[-1][0]
        writer.execute("INSERT INTO d.t VALUES (2)")

        def purged():
            """PURGE silently leaves what is still sent to somebody: the daemon that has just ended."""
            cursor.execute("PURGE BINARY LOGS TO %s", [newest])
            return binlogs(node, tenant_id) == [newest]
        wait_for("the binlogs to be gone", purged)
    node.start()
    row = node.wait_archive("shop", "INTERRUPTED")
    assert row["COMMENT"], "with the reason"
    with pytest.raises(Exception, match="log archive status is not doing"):
        node.sql("ALTER SYSTEM BACKUP TENANT = shop")
    # As the hint says: a new round and a new backup, and all is well again.
    node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
    node.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
    node.wait_archive("shop", "DOING")
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    node.sql("INSERT INTO d.t VALUES (3)", tenant="shop")
    node.archived_now("shop")
    node.restore("back", "shop")
    assert node.scalar("SELECT COUNT(*) FROM d.t", tenant="back") == 3


@pytest.mark.parametrize("told", ["UNIX_TIMESTAMP() + 240", "2147483647"])
def test_what_a_session_says_of_the_time_hides_nothing_from_a_restore(node, told):
    """While the daemon is away, a session lives in the future. What is committed then, before or after, is there in a
    restore to now, and CHECKPOINT_SCN tells of no time that has not come."""
    tenant_id = node.create_tenant("shop")
    node.start_archive("shop")
    node.sql("CREATE DATABASE d", tenant="shop")
    node.sql("CREATE TABLE d.t (id INT PRIMARY KEY)", tenant="shop")
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    node.kill()
    with contextlib.closing(pymysql.connect(
            unix_socket=str(node.data / "t" / str(tenant_id) / "s"), user="root", autocommit=True)) as away:
        with away.cursor() as cursor:
            cursor.execute(f"SET timestamp = {told}")
            cursor.execute("INSERT INTO d.t VALUES (1)")
    node.start()
    node.wait_archive("shop", "DOING")
    wait_for("the tenant to take a row", lambda: accepts(node, "INSERT IGNORE INTO d.t VALUES (2)"))
    archived = node.archived_now("shop")
    assert archived <= time.time_ns(), "of what has not come yet nothing is archived"
    assert node.archive("shop")["COMMENT"] in ("", None)
    for target in ("", f"UNTIL SCN = {archived}"):
        node.restore("back", "shop", target)
        assert [r["id"] for r in node.sql("SELECT id FROM d.t ORDER BY id", tenant="back")] == [1, 2], target
        node.drop("back")


def accepts(node, statement):
    try:
        node.sql(statement, tenant="shop")
        return True
    except pymysql.Error:
        return False  # the tenant is just coming back


def test_log_mode_and_round_agree_after_a_crash_between_them(node):
    for name in ("begun", "ended"):
        node.create_tenant(name)
    node.start_archive("begun")
    node.start_archive("ended")
    node.kill()
    # ARCHIVELOG had made its round and not yet set the mode; NOARCHIVELOG had set the mode and not yet told the round.
    node.on_catalog("UPDATE tidemark.tenant SET log_mode = 'NOARCHIVELOG' WHERE name = 'begun'")
    node.on_catalog("UPDATE tidemark.archive_round r JOIN tidemark.tenant t ON r.tenant_id = t.tenant_id"
                    " SET r.status = 'PREPARE' WHERE t.name = 'begun'")
    node.on_catalog("UPDATE tidemark.tenant SET log_mode = 'NOARCHIVELOG' WHERE name = 'ended'")
    node.start()
    node.wait_archive("begun", "DOING")
    node.wait_archive("ended", "STOP")
    modes = node.sql("SELECT TENANT_NAME, LOG_MODE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_ID > 1 ORDER BY 1")
    assert [(m["TENANT_NAME"], m["LOG_MODE"]) for m in modes] == [("begun", "ARCHIVELOG"), ("ended", "NOARCHIVELOG")]
    node.sql("ALTER SYSTEM ARCHIVELOG TENANT = ended")
    node.wait_archive("ended", "DOING")


def test_backups_go_on_whatever_becomes_of_the_daemons_account(node):
    """A tenant's administrator may change any account of it. Nobody has to do anything about it."""
    node.create_tenant("shop")
    node.start_archive("shop")
    node.sql("CREATE DATABASE d", tenant="shop")
    node.sql("CREATE TABLE d.t (a INT)", tenant="shop")
    for change in ("ALTER USER tidemark@localhost IDENTIFIED BY 'other'", "DROP USER tidemark@localhost"):
        node.sql(change, tenant="shop")
        node.backup("shop")
        node.sql("INSERT INTO d.t VALUES (1)", tenant="shop")
        node.archived_now("shop")
