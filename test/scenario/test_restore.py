"""What comes back is what was there: everything, and exactly up to the moment asked for."""
import contextlib
import time

import pytest

from load import Ledger, rows
from node import checksums, wait_for

OBJECTS = """
CREATE DATABASE app;
CREATE TABLE app.inno (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100), amount DECIMAL(10,2), KEY (name)) ENGINE=InnoDB;
CREATE TABLE app.aria (id INT PRIMARY KEY, t TEXT) ENGINE=Aria;
CREATE TABLE app.myisam (id INT PRIMARY KEY, t TEXT) ENGINE=MyISAM;
CREATE TABLE app.parted (id INT, d DATE, PRIMARY KEY (id, d)) PARTITION BY RANGE (YEAR(d))
  (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN (2030), PARTITION p2 VALUES LESS THAN MAXVALUE);
CREATE TABLE app.squeezed (id INT PRIMARY KEY, t TEXT) ROW_FORMAT=COMPRESSED;
CREATE TABLE app.blobs (id INT PRIMARY KEY, b LONGBLOB);
CREATE VIEW app.totals AS SELECT name, SUM(amount) AS total FROM app.inno GROUP BY name;
CREATE PROCEDURE app.add_one(n INT) INSERT INTO app.aria VALUES (n, REPEAT('a', n));
CREATE FUNCTION app.twice(n INT) RETURNS INT DETERMINISTIC RETURN 2 * n;
CREATE TRIGGER app.copy AFTER INSERT ON app.inno FOR EACH ROW INSERT IGNORE INTO app.myisam VALUES (NEW.id, NEW.name);
CREATE EVENT app.nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM app.aria WHERE id < 0;
CREATE USER 'clerk'@'%' IDENTIFIED BY 'secret';
GRANT SELECT, INSERT ON app.* TO 'clerk'@'%';
INSERT INTO app.inno (name, amount) VALUES ('ann', 1.5), ('bob', 2.25), ('cy', 3);
INSERT INTO app.aria VALUES (1, 'one'), (2, 'two');
INSERT INTO app.parted VALUES (1, '2019-05-05'), (2, '2025-05-05'), (3, '2035-05-05');
INSERT INTO app.squeezed SELECT seq, REPEAT(seq, 50) FROM app.seq_1_to_2000;
INSERT INTO app.blobs VALUES (1, REPEAT('x', 3000000));
"""

DDL_ROUND = """
CREATE TABLE app.fresh_{i} (id INT PRIMARY KEY, v INT);
INSERT INTO app.fresh_{i} VALUES (1, {i}), (2, {i});
ALTER TABLE app.fresh_{i} ADD COLUMN w INT DEFAULT {i};
RENAME TABLE app.fresh_{i} TO app.renamed_{i};
CREATE TABLE app.victim_{i} (id INT);
INSERT INTO app.victim_{i} VALUES ({i});
TRUNCATE TABLE app.victim_{i};
DROP TABLE app.victim_{i};
ALTER TABLE app.inno COMMENT = 'round {i}';
INSERT INTO app.aria VALUES (1000 + {i}, 'round');
INSERT INTO app.myisam VALUES (100000 + {i}, 'round');
UPDATE app.parted SET d = d + INTERVAL 1 DAY WHERE id = 2;
"""


def run_script(node, tenant, script):
    with contextlib.closing(node.connect(tenant)) as connection, connection.cursor() as cursor:
        for statement in filter(None, (s.strip() for s in script.split(";\n"))):
            cursor.execute(statement.rstrip(";"))


def test_everything_comes_back_after_a_backup_under_load(node):
    """Restore equality: writers and DDL go on during the backup; restored to the latest point, every table is equal."""
    node.create_tenant("shop")
    node.start_archive("shop")
    run_script(node, "shop", OBJECTS)
    with Ledger(node, "shop", writers=2) as ledger:
        wait_for("some rows", lambda: ledger.count() > 200)
        job = node.start_backup("shop")
        rounds = 0
        running = "SELECT 1 FROM oceanbase.CDB_OB_BACKUP_JOBS WHERE TENANT_ID <> 1"
        while node.sql(running) or rounds < 5:
            run_script(node, "shop", DDL_ROUND.format(i=rounds))
            rounds += 1
        done = node.wait_backup("shop", job)
        assert done["STATUS"] == "COMPLETED", done
        run_script(node, "shop", "CREATE EVENT app.later ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO SELECT 1;\n"
                                 "CREATE USER 'late'@'%' IDENTIFIED BY 'later';\n"
                                 "GRANT SELECT ON app.* TO 'late'@'%'")
    assert not ledger.errors
    node.archived_now("shop")
    node.restore("back", "shop")

    assert checksums(node, "back") == checksums(node, "shop")
    assert rows(node, "back") == set(ledger.acknowledged)
    assert node.scalar("SELECT total FROM app.totals WHERE name = 'bob'", tenant="back") is not None
    assert node.scalar("SELECT app.twice(21)", tenant="back") == 42
    node.sql("CALL app.add_one(60000)", tenant="back")
    node.sql("INSERT INTO app.inno (name, amount) VALUES ('new', 1)", tenant="back")
    assert node.sql("SELECT 1 FROM app.myisam WHERE t = 'new'", tenant="back"), "the trigger works"
    events = {e["EVENT_NAME"]: e["STATUS"] for e in node.sql(
        "SELECT EVENT_NAME, STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'app'", tenant="back")}
    assert events == {"nightly": "ENABLED", "later": "ENABLED"}
    for user, password in (("clerk", "secret"), ("late", "later")):
        assert node.scalar("SELECT COUNT(*) FROM app.inno", tenant="back", user=user, password=password) > 0
    with pytest.raises(Exception, match="denied"):
        node.sql("DELETE FROM app.inno", tenant="back", user="late", password="later")


def archive_index(node, tenant):
    """(GTID → SCN) of every archived transaction, from the destination alone."""
    listing = node.cli("log", node.uri(tenant + "_log"), "--json").stdout
    import json
    return {t["gtid"]: t["scn"] for t in json.loads(listing)}


def test_a_restore_stops_exactly_where_it_was_told(node, rng):
    """Ten SCNs and times at random: exactly the transactions with SCN ≤ the target, no gap, none more."""
    node.create_tenant("shop")
    node.start_archive("shop")
    with Ledger(node, "shop", writers=3) as ledger:
        wait_for("rows before the backup", lambda: ledger.count() > 300)
        job = node.start_backup("shop")
        done = node.wait_backup("shop", job)
        assert done["STATUS"] == "COMPLETED", done
        enough = ledger.count() + 600
        wait_for("rows after the backup", lambda: ledger.count() > enough)
    node.archived_now("shop")
    scn_of_gtid = archive_index(node, "shop")
    scn_of_row = {row: scn_of_gtid[gtid] for row, gtid in ledger.acknowledged.items()}
    first = node.scalar("SELECT MIN_RESTORE_SCN FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE FILE_STATUS = 'AVAILABLE'")
    last = max(scn_of_row.values())
    for attempt in range(10):
        if attempt % 2:
            target = rng.choice([s for s in scn_of_row.values() if s >= first])
            until = f"UNTIL SCN = {target}"
        else:
            target = rng.randrange(first, last) // 1000 * 1000 + 1000  # times have microseconds
            text = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(target // 10**9)) + f".{target % 10**9 // 1000:06}"
            until = f"UNTIL TIME = '{text}'"
        node.restore("back", "shop", until, activate=False)
        expected = {row for row, scn in scn_of_row.items() if scn <= target}
        got = rows(node, "back")
        assert got == expected, f"{until}: {len(expected - got)} missing, {len(got - expected)} too many"
        node.drop("back")
        node.sql("DROP RESOURCE POOL p_back")
        node.sql("DROP RESOURCE UNIT u_p_back")


def test_a_restored_tenant_is_a_standby_until_activated(node):
    node.create_tenant("shop")
    node.start_archive("shop")
    node.sql("CREATE DATABASE d", tenant="shop")
    node.sql("CREATE TABLE d.t (a INT PRIMARY KEY)", tenant="shop")
    node.sql("INSERT INTO d.t VALUES (1)", tenant="shop")
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    node.restore("back", "shop", activate=False)
    row = node.sql("SELECT * FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'back'")[0]
    assert (row["TENANT_ROLE"], row["STATUS"]) == ("STANDBY", "NORMAL")
    with pytest.raises(Exception, match="read.only"):
        node.sql("INSERT INTO d.t VALUES (2)", tenant="back")
    node.sql("ALTER SYSTEM ACTIVATE STANDBY TENANT = back")
    node.sql("INSERT INTO d.t VALUES (2)", tenant="back")
    assert node.scalar("SELECT TENANT_ROLE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'back'") == "PRIMARY"


def test_a_restored_tenant_has_the_settings_of_its_source(node):
    """Variables and character set come back, and UNTIL TIME is a time of the tenant's clock, whatever the daemon's is."""
    node.create_pool("p_shop")
    node.sql("CREATE TENANT shop RESOURCE_POOL_LIST = ('p_shop'), CHARSET = latin1 SET time_zone = 'Europe/Berlin',"
             " sql_mode = 'ANSI_QUOTES', ob_tcp_invited_nodes = '127.0.0.1', ob_query_timeout = 12345")
    node.start_archive("shop")
    run_script(node, "shop", "CREATE DATABASE app;\nCREATE TABLE app.t (id INT);\nINSERT INTO app.t VALUES (1);")
    node.backup("shop")
    moment = node.scalar("SELECT NOW(6)", tenant="shop")
    run_script(node, "shop", "INSERT INTO app.t VALUES (2);")
    node.archived_now("shop")

    node.restore("copy", "shop", f"UNTIL TIME = '{moment}'")
    assert node.sql("SELECT id FROM app.t", tenant="copy") == [{"id": 1}]
    with pytest.raises(Exception, match="Incorrect datetime value"):
        node.restore("never", "shop", "UNTIL TIME = '2026-03-29 02:30:00'")  # daylight saving leaves it out
    settings = "SELECT @@global.time_zone z, @@global.sql_mode m, @@global.character_set_server c, @@collation_server o"
    assert node.sql(settings, tenant="copy") == node.sql(settings, tenant="shop")
    assert node.sql(settings, tenant="copy")[0]["z"] == "Europe/Berlin"

    node.sql("ALTER TENANT shop SET VARIABLES ob_tcp_invited_nodes = '10.0.0.0/8'")
    node.backup("shop")
    node.restore("closed", "shop")
    for tenant in ("shop", "closed"):
        with pytest.raises(Exception, match="denied"):
            node.sql("SELECT 1", tenant=tenant)


def test_a_log_leads_on_from_sets_of_its_own_tenant_and_round_only(node):
    """The numbers of transactions alone would say that these logs go on from the set."""
    for tenant in ("shop", "other"):
        node.create_tenant(tenant)
        node.start_archive(tenant)
        run_script(node, tenant, "CREATE DATABASE app;\nCREATE TABLE app.t (id INT);\nINSERT INTO app.t VALUES (1)")
    node.backup("shop")
    in_first_round = node.archived_now("shop")
    node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
    node.wait_archive("shop", "STOP")
    node.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
    node.wait_archive("shop", "DOING")
    for tenant in ("shop", "other"):
        run_script(node, tenant, "INSERT INTO app.t VALUES (2);\nINSERT INTO app.t VALUES (3);\nINSERT INTO app.t VALUES (4)")
        node.archived_now(tenant)

    node.create_pool("p_bad")
    data, own, foreign = node.uri("shop_data"), node.uri("shop_log"), node.uri("other_log")
    for sources, why in (f"{data},{foreign}", "is the log of tenant other"), (f"{data},{own}", "log of round 2"):
        with pytest.raises(Exception, match=f"4018.*{why}"):
            node.sql(f"ALTER SYSTEM RESTORE bad FROM '{sources}' WITH 'pool_list=p_bad'")
    node.restore("copy", "shop", f"UNTIL SCN = {in_first_round}")
    assert node.sql("SELECT id FROM app.t", tenant="copy") == [{"id": 1}]


def test_a_restored_tenant_can_be_archived_backed_up_and_restored_again(node):
    """The second generation carries a log that begins in another tenant's."""
    node.create_tenant("one")
    node.start_archive("one")
    with Ledger(node, "one", writers=2) as ledger:
        wait_for("rows", lambda: ledger.count() > 100)
        assert node.backup("one")["STATUS"] == "COMPLETED"
    node.archived_now("one")
    node.restore("two", "one")
    node.start_archive("two")
    node.sql("INSERT INTO d.ledger VALUES (77, 1, 'second life')", tenant="two")
    assert node.backup("two")["STATUS"] == "COMPLETED"
    node.sql("INSERT INTO d.ledger VALUES (77, 2, 'after')", tenant="two")
    node.archived_now("two")
    node.restore("three", "two")
    assert rows(node, "three") == set(ledger.acknowledged) | {(77, 1), (77, 2)}


def test_a_brand_new_cluster_restores_from_the_destinations_alone(node, tmp_path_factory):
    from node import Node
    node.create_tenant("shop")
    node.start_archive("shop")
    with Ledger(node, "shop", writers=2) as ledger:
        wait_for("rows", lambda: ledger.count() > 100)
        assert node.backup("shop")["STATUS"] == "COMPLETED"
        more = ledger.count() + 100
        wait_for("rows after", lambda: ledger.count() > more)
    node.archived_now("shop")
    other = Node()
    try:
        other.start()
        other.create_pool("p_back")
        other.sql(f"ALTER SYSTEM RESTORE back FROM '{node.uri('shop_data')},{node.uri('shop_log')}' WITH 'pool_list=p_back'")
        end = other.wait_restore("back")
        assert end["STATUS"] == "SUCCESS", end
        assert rows(other, "back") == set(ledger.acknowledged)
        # Both clusters call their first tenant 1002: the new life of the log must not be mistaken for the old one.
        other.sql("ALTER SYSTEM ACTIVATE STANDBY TENANT = back")
        other.sql("INSERT INTO d.ledger VALUES (99, 1, 'new cluster')", tenant="back")
        other.start_archive("back")
        assert other.backup("back")["STATUS"] == "COMPLETED"
        other.sql("INSERT INTO d.ledger VALUES (99, 2, 'new cluster')", tenant="back")
        other.archived_now("back")
        other.restore("again", "back")
        assert rows(other, "again") == set(ledger.acknowledged) | {(99, 1), (99, 2)}
    finally:
        other.destroy()


MADE = """
CREATE EVENT app.off_{n} ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DISABLE COMMENT 'on purpose' DO SELECT 1;
CREATE EVENT app.on_{n} ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' ON COMPLETION PRESERVE DO SELECT 1;
CREATE DEFINER = CURRENT_ROLE EVENT app.role_{n} ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO SELECT 1;
CREATE EVENT app.`Zählung_{n}` ON SCHEDULE EVERY 1 HOUR STARTS '2030-01-01 00:00:00' DO INSERT INTO app.t VALUES ('é');
ALTER EVENT app.on_{n} COMMENT 'altered'
"""


def make_events(node, n):
    """By a client of another character set, sql_mode and time zone than the daemon's, with a role for a definer."""
    with contextlib.closing(node.connect("shop", charset="latin1")) as connection, connection.cursor() as cursor:
        cursor.execute("SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT', time_zone = '+05:00', collation_connection = latin1_german2_ci")
        cursor.execute("SET ROLE keeper")
        for statement in MADE.format(n=n).strip().split(";\n"):
            cursor.execute(statement)


def events_of(node, tenant):
    """Everything about them but which server made them and when they last ran."""
    listed = node.sql("SELECT * FROM information_schema.EVENTS ORDER BY EVENT_SCHEMA, EVENT_NAME", tenant=tenant)
    for event in listed:
        del event["ORIGINATOR"], event["LAST_EXECUTED"]
        event["SHOWN"] = node.sql(f"SHOW CREATE EVENT {event['EVENT_SCHEMA']}.`{event['EVENT_NAME']}`", tenant=tenant)
    return listed


def comment_of(node, tenant):
    return node.scalar("SELECT COMMENT FROM oceanbase.CDB_OB_RESTORE_HISTORY WHERE RESTORE_TENANT_NAME = %s AND"
                       " TENANT_ID = 1", [tenant])


def test_what_a_copy_or_a_log_does_not_have_is_told(node):
    """Events come back as they were; rows of MEMORY tables are in no copy: what the log changes of them is counted; and
    where a log cannot be replayed, the restore says where, why, and up to when it can be."""
    node.create_tenant("shop")
    node.start_archive("shop")
    run_script(node, "shop", "CREATE DATABASE app;\nCREATE TABLE app.t (t TEXT);\nCREATE TABLE app.ticks (t INT);\n"
                             "CREATE ROLE keeper;\nGRANT ALL ON app.* TO keeper;\n"
                             "CREATE TABLE app.mem (id INT PRIMARY KEY, v INT) ENGINE=MEMORY;\n"
                             "INSERT INTO app.mem VALUES (1, 1), (2, 2), (3, 3), (4, 4)")
    make_events(node, "before")
    node.backup("shop")
    make_events(node, "after")
    server_id = node.scalar("SELECT @@server_id", tenant="shop")
    run_script(node, "shop", "CREATE EVENT app.elsewhere ON SCHEDULE EVERY 1 SECOND DO "
                             f"INSERT INTO app.ticks SELECT 1 FROM DUAL WHERE @@server_id <> {server_id}")
    run_script(node, "shop", "ALTER EVENT app.on_before DISABLE;\nALTER EVENT app.off_before ENABLE;\n"
                             "UPDATE app.mem SET v = 10 WHERE id = 1;\nDELETE FROM app.mem WHERE id IN (2, 3);\n"
                             "INSERT INTO app.t VALUES ('behind them')")
    source = events_of(node, "shop")
    node.archived_now("shop")
    node.restore("back", "shop")
    wait_for("the history", lambda: comment_of(node, "back") is not None)
    assert comment_of(node, "back").endswith("changes left out for want of their rows: app.mem: 3")
    assert node.sql("SELECT t FROM app.t", tenant="back") == [{"t": "behind them"}]
    assert events_of(node, "back") == source
    assert {e["EVENT_NAME"]: e["STATUS"] for e in source if e["EVENT_NAME"].startswith("o")} == {
        "off_before": "ENABLED", "on_before": "DISABLED", "off_after": "DISABLED", "on_after": "ENABLED"}
    wait_for("an event to run", lambda: node.sql("SELECT * FROM app.ticks", tenant="back"))
    node.drop("back")

    # Its rows are missing in a table of another engine: nothing that may be left out.
    run_script(node, "shop", "ALTER TABLE app.mem ENGINE = InnoDB;\nINSERT INTO app.t VALUES ('the last');\n"
                             "DELETE FROM app.mem WHERE id = 4;\nINSERT INTO app.t VALUES ('never')")
    gtid = node.scalar("SELECT @@gtid_binlog_pos", tenant="shop")
    node.archived_now("shop")
    domain, server, number = gtid.split("-")
    refused = f"{domain}-{server}-{int(number) - 1}"
    scn = archive_index(node, "shop")[refused]
    node.create_pool("p_bad")
    sources = f"{node.uri('shop_data')},{node.uri('shop_log')}"
    node.sql(f"ALTER SYSTEM RESTORE bad FROM '{sources}' WITH 'pool_list=p_bad'")
    end = node.wait_restore("bad")
    assert end["STATUS"] == "FAIL", end
    for part in (f"cannot be replayed beyond SCN {scn - 1}", f"transaction {refused} (SCN {scn})", "Can't find record in 'mem'",
                 "DELETE FROM app.mem WHERE id = 4", f"UNTIL SCN = {scn - 1} (UNTIL TIME = '", "a backup set that was made after"):
        assert part in end["COMMENT"], end["COMMENT"]
    node.restore("edge", "shop", f"UNTIL SCN = {scn - 1}", activate=False)
    assert node.sql("SELECT t FROM app.t ORDER BY t", tenant="edge") == [{"t": "behind them"}, {"t": "the last"}]
