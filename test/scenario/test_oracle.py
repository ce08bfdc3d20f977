"""The page "view data backup progress" in ORACLE mode: a tenant whose administrator SYS works, backs up and watches; and
which is an ORACLE tenant again after a restore."""
import contextlib
import subprocess

import pymysql
import pytest

from node import wait_for

SYS = {"tenant": "ora", "user": "SYS"}


def as_sys(node, tenant="ora"):
    """The mariadb client as SYS; obclient takes the same options."""
    def run(script, user="SYS", database=None, check=True):
        result = subprocess.run(
            ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{node.port}", f"-u{user}@{tenant}", "--batch", "--vertical",
             *([f"-D{database}"] if database else [])], input=script, capture_output=True, text=True, timeout=60)
        assert not check or result.returncode == 0, result.stderr
        return result.stdout if check else result.stderr
    return run


@pytest.fixture(scope="module")
def ora(shared_node):
    node = shared_node
    node.create_pool("p_ora")
    node.sql("CREATE TENANT ora RESOURCE_POOL_LIST = ('p_ora') SET ob_compatibility_mode = 'oracle'")
    node.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION={node.uri('ora_log')}' TENANT = ora")
    node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{node.uri('ora_data')}' TENANT = ora")
    return node


def test_sys_works_in_plsql(ora):
    run = as_sys(ora)
    run("""CREATE DATABASE app; USE app;
CREATE TABLE emp (id NUMBER(10) PRIMARY KEY, name VARCHAR2(40), note CLOB);
CREATE SEQUENCE ids;
CREATE TABLE wide AS SELECT seq AS id, SHA2(seq, 512) || SHA2(-seq, 512) AS a FROM seq_1_to_100000;
DELIMITER /
CREATE OR REPLACE PROCEDURE hire (who IN VARCHAR2, new_id OUT NUMBER) AS
BEGIN
  new_id := ids.NEXTVAL;
  INSERT INTO emp VALUES (new_id, who, '');
END;
/
DECLARE
  n NUMBER(10);
BEGIN
  FOR i IN 1..3 LOOP
    hire('name ' || i, n);
  END LOOP;
  INSERT INTO emp VALUES (1, 'twice', NULL);
EXCEPTION
  WHEN DUP_VAL_ON_INDEX THEN UPDATE emp SET name = NVL('', 'found') WHERE id = 1;
END;
/
""")
    assert ora.sql("SELECT id, name FROM app.emp WHERE note IS NULL ORDER BY id", **SYS) == [
        {"id": 1, "name": "found"}, {"id": 2, "name": "name 2"}, {"id": 3, "name": "name 3"}]
    assert ora.scalar("SELECT '' IS NULL FROM DUAL", **SYS) == 1


@pytest.mark.parametrize("user", ["SYS", "sys", "Sys"])
def test_sys_logs_in_in_any_case_and_begins_in_sys(ora, user):
    row = ora.sql("SELECT CURRENT_USER() u, DATABASE() d, @@sql_mode m", tenant="ora", user=user)[0]
    assert (row["u"], row["d"].upper()) == ("SYS@%", "SYS")
    assert {"ORACLE", "EMPTY_STRING_IS_NULL"} <= set(row["m"].split(","))
    with contextlib.closing(ora.connect("ora", user="SYS", database="app")) as connection:
        assert connection.query("SELECT 1") and connection.db == b"app"
        connection.commit()


def test_there_is_no_root(ora):
    with pytest.raises(pymysql.err.OperationalError, match="1045"):
        ora.connect("ora", user="root")


def test_the_pages_statements_while_sys_backs_up(ora):
    run = as_sys(ora)
    ora.sql("ALTER SYSTEM ARCHIVELOG", **SYS)
    ora.wait_archive("ora", "DOING")
    ora.sql("ALTER SYSTEM BACKUP DATABASE", **SYS)
    job = wait_for("the job in SYS", lambda: "JOB_ID" in (
        text := run("SELECT * FROM SYS.DBA_OB_BACKUP_JOBS\\G SELECT * FROM SYS.DBA_OB_BACKUP_TASKS\\G")) and text, 5)
    assert "PASSWD: NULL" in job and "END_TIMESTAMP: NULL" in job
    assert f"PATH: {ora.uri('ora_data')}" in job
    assert ora.wait_backup("ora", 1)["STATUS"] == "COMPLETED"
    done = wait_for("the history in SYS", lambda: "COMPLETED" in (
        text := run("SELECT * FROM SYS.DBA_OB_BACKUP_TASK_HISTORY\\G")) and text, 5)
    assert "COMMENT: NULL" in done and "RESULT: 0\n" in done
    for spelling in ("sys.dba_ob_backup_tasks", '"SYS"."DBA_OB_BACKUP_TASKS"', "`SYS`.`DBA_OB_BACKUP_TASKS`",
                     "DBA_OB_BACKUP_TASKS"):
        assert ora.sql(f"SELECT * FROM {spelling}", **SYS) == []


def test_every_view_of_sys_can_be_read_by_a_reader(ora):
    ora.sql("CREATE USER reader IDENTIFIED BY 'x'", **SYS)
    ora.sql("GRANT SELECT ON SYS.* TO reader", **SYS)
    views = ora.sql("SELECT table_name n FROM information_schema.tables WHERE table_schema = 'sys'"
                    " AND LEFT(table_name, 2) <> '__'", **SYS)
    assert len(views) >= 17
    for view in views:
        ora.sql(f"SELECT * FROM SYS.{view['n'].upper()}", tenant="ora", user="reader", password="x")
    assert ora.sql("SELECT TENANT_NAME, COMPATIBILITY_MODE FROM SYS.DBA_OB_TENANTS", **SYS) == [
        {"TENANT_NAME": "ora", "COMPATIBILITY_MODE": "ORACLE"}]
    assert ora.scalar("SELECT COMPATIBILITY_MODE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'ora'") == "ORACLE"


def test_errors_are_oracles(ora):
    ora.sql("CREATE USER clerk", **SYS)
    with pytest.raises(pymysql.err.MySQLError) as refused:
        ora.sql("ALTER SYSTEM BACKUP DATABASE", tenant="ora", user="clerk")
    assert refused.value.args[0] == 1031 and refused.value.args[1].startswith("ORA-01031: insufficient privileges")
    said = as_sys(ora)("ALTER SYSTEM BACKUP DATABASE", user="clerk", check=False)
    assert "ERROR 1031 (42501) at line 1: ORA-01031: insufficient privileges" in said
    with pytest.raises(pymysql.err.MySQLError, match="ORA-00900: You have an error in your SQL syntax"):
        ora.sql("ALTER SYSTEM BACKUP WHATEVER", **SYS)
    with pytest.raises(pymysql.err.MySQLError, match="ORA-00600: internal error code, arguments: -9091, Already in ARC"):
        ora.sql("ALTER SYSTEM ARCHIVELOG", **SYS)
    for statement in ("DROP DATABASE SYS", "DELETE FROM SYS.DBA_OB_BACKUP_TASK_HISTORY", "CREATE TABLE SYS.t (a INT)"):
        with pytest.raises(pymysql.err.MySQLError, match="denied"):
            ora.sql(statement, **SYS)


def test_a_restored_tenant_is_an_oracle_tenant(ora):
    ora.sql("INSERT INTO app.emp VALUES (app.ids.NEXTVAL, 'after ' || 'backup', '')", **SYS)
    ora.sql("CREATE PROCEDURE app.fire (who IN VARCHAR2) AS BEGIN DELETE FROM emp WHERE name = who; END", **SYS)
    ora.sql("CREATE EVENT app.hire ON SCHEDULE EVERY 1 SECOND STARTS '2030-01-01 00:00:00' DO "
            "INSERT INTO app.hired VALUES ('by ' || 'event', '')", **SYS)
    ora.sql("CREATE TABLE app.hired (how VARCHAR2(20), note VARCHAR2(20))", **SYS)
    events = "SELECT EVENT_NAME, DEFINER, SQL_MODE, STATUS, EVENT_DEFINITION FROM information_schema.EVENTS"
    events_before = ora.sql(events, **SYS)
    rows = "SELECT * FROM app.emp ORDER BY id"
    before = ora.sql(rows, **SYS)
    ora.archived_now("ora")
    ora.restore("again", "ora")
    again = {"tenant": "again", "user": "sys"}
    assert ora.sql(rows, **again) == before and before[-1]["note"] is None
    assert ora.sql(events, **again) == events_before and events_before[0]["STATUS"] == "ENABLED"
    ora.sql("ALTER EVENT app.hire ON SCHEDULE EVERY 1 SECOND", **again)
    hired = wait_for("the event to run", lambda: ora.sql("SELECT how, note FROM app.hired", **again))[0]
    ora.sql("DROP EVENT app.hire", **again)
    assert hired == {"how": "by event", "note": None}
    row = ora.sql("SELECT @@sql_mode m, COMPATIBILITY_MODE c, TENANT_NAME n FROM SYS.DBA_OB_TENANTS", **again)[0]
    assert "EMPTY_STRING_IS_NULL" in row["m"] and (row["c"], row["n"]) == ("ORACLE", "again")
    assert ora.sql("SELECT * FROM SYS.DBA_OB_BACKUP_TASK_HISTORY", **again) == [], "its source's"
    with contextlib.closing(ora.connect(**again)) as connection, connection.cursor() as cursor:
        cursor.execute("CALL app.fire('found')")
    assert [r["id"] for r in ora.sql(rows, **again)] == [r["id"] for r in before[1:]]
    assert ora.scalar("SELECT app.ids.NEXTVAL FROM DUAL", **again) > before[-1]["id"]


def test_the_daemons_account_is_not_taken_for_a_broken_one(ora):
    assert "account is refused" not in ora.log.read_text()
