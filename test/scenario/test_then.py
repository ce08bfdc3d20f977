"""What MariaDB's log does not carry by itself, and a replay has to know: time zone and variables of then."""
import contextlib
import time

from node import Node, wait_for


def run_script(node, tenant, script):
    for statement in script.split(";"):
        if statement.strip():
            node.sql(statement, tenant=tenant)


def table(node, tenant, name):
    create = node.sql(f"SHOW CREATE TABLE {name}", tenant=tenant)[0]["Create Table"]
    return create, node.sql(f"SELECT * FROM {name}", tenant=tenant)


def test_a_tenant_keeps_its_time_zone_on_a_node_in_another():
    """DDL in sessions whose time_zone is SYSTEM: the log says no more of their zone than that name."""
    source, target = (Node(environment={"TZ": zone}) for zone in ("Asia/Tokyo", "UTC"))
    try:
        source.start()
        source.create_tenant("shop")
        source.start_archive("shop")
        run_script(source, "shop", "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, s TIMESTAMP, l DATETIME);"
                   "INSERT INTO d.t VALUES (1, '2026-05-24 21:00:00', '2026-05-24 21:00:00')")
        source.backup("shop")
        run_script(source, "shop", "ALTER TABLE d.t MODIFY s DATETIME, MODIFY l TIMESTAMP;"
                   "ALTER TABLE d.t ADD made DATETIME DEFAULT NOW();"
                   "CREATE TABLE d.p (at TIMESTAMP) PARTITION BY RANGE (UNIX_TIMESTAMP(at)) ("
                   " PARTITION old VALUES LESS THAN (UNIX_TIMESTAMP('2026-01-01')),"
                   " PARTITION new VALUES LESS THAN MAXVALUE); INSERT INTO d.p VALUES ('2025-12-31 23:00:00')")
        moment = source.scalar("SELECT NOW(6)", tenant="shop")
        run_script(source, "shop", "DELETE FROM d.t")
        source.archived_now("shop")

        target.backups = source.backups
        target.start()
        target.restore("shop", "shop", f"UNTIL TIME = '{moment}'")
        assert target.scalar("SELECT @@system_time_zone", tenant="shop") == "JST"
        assert target.scalar("SELECT @@system_time_zone") == "UTC"
        assert table(target, "shop", "d.p") == table(source, "shop", "d.p")
        run_script(source, "shop", "TRUNCATE d.t")
        definition, rows = table(target, "shop", "d.t")
        assert definition == table(source, "shop", "d.t")[0]
        assert [str(rows[0][column]) for column in ("s", "l")] == ["2026-05-24 21:00:00"] * 2
        assert rows[0]["made"] <= moment and (moment - rows[0]["made"]).total_seconds() < 60

        # It stays there, whatever the machine of the next start is in.
        target.cli("shutdown")
        target.process.wait(60)
        target.environment["TZ"] = "America/New_York"
        target.start()
        assert target.scalar("SELECT @@system_time_zone", tenant="shop") == "JST"
    finally:
        source.destroy()
        target.destroy()


def archived(node, tenant):
    """A moment that the archive has passed."""
    moment = time.time_ns()
    node.archived_now(tenant)
    return moment


def test_a_restore_knows_the_variables_of_each_moment(node):
    """ALTER TENANT … SET VARIABLES after the backup: what the log does not carry is replayed as it was meant, and the
    tenant ends with the variables that its source had at the target."""
    node.create_tenant("shop")
    node.start_archive("shop")
    run_script(node, "shop", "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1);"
               "CREATE TABLE d.mem (id INT PRIMARY KEY) ENGINE = MEMORY; INSERT INTO d.mem VALUES (1), (2), (3)")
    node.backup("shop")
    before = archived(node, "shop")
    node.sql("ALTER TENANT shop SET VARIABLES innodb_strict_mode = OFF, group_concat_max_len = 999, time_zone = 'Asia/Tokyo'")
    # Refused in strict mode.
    run_script(node, "shop", "CREATE TABLE d.loose (at TIMESTAMP) ROW_FORMAT = DYNAMIC KEY_BLOCK_SIZE = 8;"
               "UPDATE d.mem SET id = 4 WHERE id = 1")
    between = archived(node, "shop")
    node.sql("ALTER TENANT shop SET VARIABLES innodb_strict_mode = ON, group_concat_max_len = 777")
    run_script(node, "shop", "CREATE TABLE d.strict (at TIMESTAMP); INSERT INTO d.strict VALUES (NOW());"
               "DELETE FROM d.mem WHERE id <> 4")
    # What a session had set is not in the log: a replay must not refuse what the tenant's setting of then would.
    with contextlib.closing(node.connect("shop")) as connection, connection.cursor() as cursor:
        cursor.execute("SET innodb_strict_mode = OFF")
        cursor.execute("CREATE TABLE d.looser (at TIMESTAMP) ROW_FORMAT = DYNAMIC KEY_BLOCK_SIZE = 8")
    node.sql("ALTER TENANT shop SET VARIABLES sql_mode = 'ANSI'")
    after = archived(node, "shop")

    variables = "SELECT @@global.innodb_strict_mode, @@global.group_concat_max_len, @@global.time_zone, @@global.sql_mode"
    for name, moment, expected in (("a", before, ["1", "1048576", "SYSTEM"]), ("b", between, ["0", "999", "Asia/Tokyo"]),
                                   ("c", after, ["1", "777", "Asia/Tokyo"])):
        node.restore(name, "shop", f"UNTIL SCN = {moment}")
        seen = [str(value) for value in node.sql(variables, tenant=name)[0].values()]
        assert seen[:3] == expected, name
        assert ("ANSI" in seen[3]) == (name == "c")
    for name in ("t", "loose", "strict", "looser"):
        assert table(node, "c", f"d.{name}") == table(node, "shop", f"d.{name}")
    comment = "SELECT COMMENT c FROM oceanbase.CDB_OB_RESTORE_HISTORY WHERE RESTORE_TENANT_NAME = 'c' AND TENANT_ID = 1"
    told = wait_for("the history", lambda: node.sql(comment))[0]["c"]
    assert told.endswith("d.mem: 3"), "of all steps of the replay"
