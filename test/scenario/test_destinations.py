"""Wrong, foreign, full and forbidden destinations: the right code, a clear text, nothing lost, works again when fixed."""
import contextlib
import os
import subprocess

import pymysql
import pytest

from node import wait_for


@pytest.fixture(scope="module")
def tenants(shared_node):
    shared_node.create_tenant("one")
    shared_node.create_tenant("two")
    return shared_node


def refused(node, statement, code):
    with pytest.raises(pymysql.Error) as caught:
        node.sql(statement)
    assert caught.value.args[0] == code, caught.value
    return caught.value.args[1]


@pytest.mark.parametrize("kind", ["DATA_BACKUP_DEST", "LOG_ARCHIVE_DEST"])
def test_bad_destinations_are_refused(tenants, kind):
    node = tenants
    location = "LOCATION=" if kind == "LOG_ARCHIVE_DEST" else ""

    def setting(uri, tenant="one"):
        return f"ALTER SYSTEM SET {kind} = '{location}{uri}' TENANT = {tenant}"

    refused(node, setting("file://relative/path"), 9026)
    refused(node, setting("nonsense"), 9026)
    foreign = node.backups / f"foreign_{kind}"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    assert "format file does not exist" in refused(node, setting(f"file://{foreign}"), 9080)
    assert (foreign / "letter.txt").read_text() == "mine"
    used = f"file://{node.backups}/used_{kind}"
    node.sql(setting(used))
    assert "format file does not match" in refused(node, setting(used, "two"), 9081)
    node.sql(setting(used))  # the same again is fine
    blocked = node.backups / f"file_{kind}"
    blocked.write_text("a file, not a directory")
    with pytest.raises(pymysql.Error) as caught:
        node.sql(setting(f"file://{blocked}"))
    assert caught.value.args[0] in (9070, 9071), caught.value
    assert "blocked" not in str(caught.value) and str(blocked) in str(caught.value)


@pytest.mark.parametrize("kind", ["DATA_BACKUP_DEST", "LOG_ARCHIVE_DEST"])
def test_a_tenant_sets_destinations_only_where_sys_lets_it(tenants, kind):
    node = tenants
    location = "LOCATION=" if kind == "LOG_ARCHIVE_DEST" else ""
    allowed, outside = node.backups / f"allowed_{kind}", node.backups / f"outside_{kind}"
    allowed.mkdir()
    outside.mkdir()
    (allowed / "link").symlink_to(outside)

    def set_dest(path, tenant="one"):
        clause = " TENANT = one" if tenant == "sys" else ""
        node.sql(f"ALTER SYSTEM SET {kind} = '{location}file://{path}'{clause}", tenant=tenant)

    def refused_one(path):
        with pytest.raises(pymysql.Error, match="tenant_destination_roots|must not contain") as caught:
            set_dest(path)
        assert caught.value.args[0] in (4179, 9026), caught.value

    refused_one(allowed / "mine")
    assert not (allowed / "mine").exists()
    try:
        node.sql(f"ALTER SYSTEM SET tenant_destination_roots = '/nowhere,{allowed}'")
        shown = node.sql("SHOW PARAMETERS LIKE 'tenant_destination_roots'")
        assert shown[0]["value"] == f"/nowhere,{allowed}"
        for path in (outside / "x", allowed / "link" / "x", f"{allowed}/../outside_{kind}/x", f"{allowed}_not/x"):
            refused_one(path)
        assert not list(outside.iterdir())
        set_dest(allowed / "mine")
        assert (allowed / "mine" / "format.obbak").exists()
        with pytest.raises(pymysql.Error):
            node.sql("ALTER SYSTEM SET tenant_destination_roots = '/'", tenant="one")
    finally:
        node.sql("ALTER SYSTEM SET tenant_destination_roots = ''")
    set_dest(outside / "by_sys", "sys")
    set_dest(outside / "by_sys")  # what sys has set for it, a tenant may set again


def test_statement_errors_have_oceanbase_codes(tenants):
    node = tenants
    refused(node, "ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'BINDING=Optional' TENANT = one", 1235)
    refused(node, f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION={node.uri('x')} PIECE_SWITCH_INTERVAL=8d' TENANT = one", 1235)
    refused(node, f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION={node.uri('x')} COLOUR=red' TENANT = one", 1235)
    refused(node, "ALTER SYSTEM ARCHIVELOG TENANT = nobody", 5157)
    refused(node, "ALTER SYSTEM NOARCHIVELOG TENANT = one", 9092)
    refused(node, "ALTER SYSTEM NOARCHIVELOG TENANT = one, two", 9092)
    refused(node, "ALTER SYSTEM ACTIVATE STANDBY TENANT = All", 1235)
    refused(node, f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{node.uri('x')}' TENANT = one, two", 1235)
    refused(node, "CREATE TENANT y RESOURCE_POOL_LIST = ('p_one') READ ONLY", 1235)
    refused(node, "ALTER SYSTEM BACKUP TENANT = nobody", 5157)
    assert "backup dest is not set" in refused(node, "ALTER SYSTEM BACKUP TENANT = two", 9040)
    event = node.sql("SELECT * FROM oceanbase.DBA_OB_ROOTSERVICE_EVENT_HISTORY WHERE EVENT = 'start_backup_data'")[0]
    assert (event["MODULE"], event["NAME2"], event["VALUE2"]) == ("backup_data", "result", "-9040"), event
    assert "backup dest is not set" in event["EXTRA_INFO"], event
    refused(node, "ALTER SYSTEM BACKUP TENANT = sys", 4016)
    refused(node, "ALTER SYSTEM BACKUP TENANT = one TO 'file:///x'", 1235)
    refused(node, f"ALTER SYSTEM RESTORE new FROM '{node.uri('x')}' WITH 'primary_zone=zone1'", 1210)
    refused(node, f"ALTER SYSTEM RESTORE one FROM '{node.uri('x')}' WITH 'pool_list=p'", 5156)
    refused(node, f"ALTER SYSTEM RESTORE new FROM '{node.uri('x')}' WITH 'pool_list=nope'", 4650)
    refused(node, f"ALTER SYSTEM RESTORE new FROM '{node.uri('x')}' WITH 'pool_list=p_one'", 4626)
    refused(node, "ALTER SYSTEM BAKUP DATABASE", 1064)
    with pytest.raises(pymysql.Error) as caught:
        node.sql("ALTER SYSTEM BACKUP TENANT = two", tenant="one")
    assert caught.value.args[0] == 1235
    with pytest.raises(pymysql.Error) as caught:
        node.sql("CREATE TENANT x RESOURCE_POOL_LIST=('p_one')", tenant="one")
    assert caught.value.args[0] in (1227, 1235)


def test_only_administrators_may(tenants):
    node = tenants
    node.sql("CREATE USER app@'%' IDENTIFIED BY 'pw'", tenant="one")
    node.sql("CREATE DATABASE IF NOT EXISTS appdb", tenant="one")
    node.sql("GRANT ALL ON appdb.* TO app@'%'", tenant="one")
    with pytest.raises(pymysql.Error) as caught:
        node.sql("ALTER SYSTEM BACKUP DATABASE", tenant="one", user="app", password="pw")
    assert caught.value.args[0] == 1227
    assert "ALTER SYSTEM privilege" in caught.value.args[1]


@contextlib.contextmanager
def small_disk(path, megabytes):
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def test_a_full_data_destination_fails_the_backup_and_works_again(node):
    node.create_tenant("shop")
    node.sql("CREATE DATABASE fill", tenant="shop")
    node.sql("CREATE TABLE fill.t AS SELECT seq AS id, SHA2(seq, 512) AS a, SHA2(-seq, 512) AS b FROM fill.seq_1_to_300000",
             tenant="shop")
    with small_disk(node.backups / "small", 8):
        node.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION={node.uri('log')}' TENANT = shop")
        node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{node.backups}/small/data' TENANT = shop")
        node.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
        node.wait_archive("shop", "DOING")
        end = node.backup("shop")
        assert end["STATUS"] == "FAILED" and end["RESULT"] == -9082, end
        assert "No space left" in end["COMMENT"] or "space" in end["COMMENT"]
        assert not node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE FILE_STATUS = 'AVAILABLE'")
        assert node.scalar("SELECT COUNT(*) FROM fill.t", tenant="shop") == 300000, "the tenant was left alone"
        wait_for("its room to be free again", lambda: not list((node.backups / "small" / "data").glob("backup_set_*")))
        subprocess.run(["mount", "-o", "remount,size=300m", node.backups / "small"], check=True)
        end = node.backup("shop")
        assert end["STATUS"] == "COMPLETED", end


def test_a_full_archive_destination_stalls_nothing_and_goes_on(node):
    node.create_tenant("shop")
    with small_disk(node.backups / "small", 2):
        node.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file://{node.backups}/small/log' TENANT = shop")
        node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{node.uri('shop_data')}' TENANT = shop")
        node.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
        node.wait_archive("shop", "DOING")
        assert node.backup("shop")["STATUS"] == "COMPLETED"
        node.sql("CREATE DATABASE d", tenant="shop")
        node.sql("CREATE TABLE d.t (id INT PRIMARY KEY, a BLOB)", tenant="shop")
        for i in range(60):
            node.sql("INSERT INTO d.t VALUES (%s, %s)", [i, os.urandom(60000)], tenant="shop")  # never waits for the archive
        row = wait_for("the archive to say what is wrong",
                       lambda: "space" in (node.archive("shop")["COMMENT"] or "") and node.archive("shop"))
        assert row["STATUS"] == "DOING"
        subprocess.run(["mount", "-o", "remount,size=100m", node.backups / "small"], check=True)
        node.archived_now("shop")
        assert node.archive("shop")["ROUND_ID"] == 1 and not node.archive("shop")["COMMENT"]
        node.create_pool("p_back")
        node.sql(f"ALTER SYSTEM RESTORE back FROM '{node.uri('shop_data')},file://{node.backups}/small/log'"
                 " WITH 'pool_list=p_back'")
        assert node.wait_restore("back")["STATUS"] == "SUCCESS"
        assert node.scalar("SELECT COUNT(*) FROM d.t", tenant="back") == 60
