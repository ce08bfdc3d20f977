"""What MariaDB's log does not carry by itself, and a replay has to know: time zone and variables of then."""
from node import Node


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
