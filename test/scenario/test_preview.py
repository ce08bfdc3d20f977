"""What a restore would read and reach is told before it, and is what it then does."""
import contextlib

import pymysql
import pytest

COM_RESET_CONNECTION = 0x1F


@pytest.fixture(scope="module")
def shop(shared_node):
    """Two sets in one round, with log behind each."""
    shared_node.create_tenant("shop")
    shared_node.start_archive("shop")
    shared_node.sql("CREATE DATABASE app", tenant="shop")
    shared_node.sql("CREATE TABLE app.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(2000))", tenant="shop")
    for _ in range(2):
        shared_node.sql("INSERT INTO app.t (v) SELECT REPEAT(seq, 200) FROM seq_1_to_3000", tenant="shop", database="app")
        assert shared_node.backup("shop")["STATUS"] == "COMPLETED"
        for n in range(20):
            shared_node.sql("INSERT INTO app.t (v) VALUES (REPEAT(%s, 500))", [n], tenant="shop")
    return shared_node


def uris(node):
    return f"{node.uri('shop_data')},{node.uri('shop_log')}"


def preview(node, until, source=None):
    with contextlib.closing(node.connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"ALTER SYSTEM RESTORE FROM '{source or uris(node)}' {until} PREVIEW")
        cursor.execute("SHOW RESTORE PREVIEW")
        return cursor.fetchall()


def refusal(run, *arguments, **options):
    with pytest.raises(pymysql.MySQLError) as caught:
        run(*arguments, **options)
    return caught.value.args


def test_a_preview_is_what_the_restore_then_reads_and_how_long_it_takes(shop):
    scn = shop.archived_now("shop")
    rows = preview(shop, f"UNTIL SCN = {scn}")
    assert list(rows[0]) == ["backup_type", "backup_id", "backup_dest", "description", "read_bytes", "restored_bytes",
                             "estimated_seconds"]
    assert [row["backup_type"] for row in rows] == ["BACKUP_SET", "BACKUP_PIECE", "RESTORE"]
    data, log, whole = rows
    stored = shop.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID DESC LIMIT 1")[0]
    assert data["backup_id"] == str(stored["BACKUP_SET_ID"])
    assert int(data["restored_bytes"]) == stored["INPUT_BYTES"]
    assert 0.9 * stored["OUTPUT_BYTES"] < int(data["read_bytes"]) <= stored["OUTPUT_BYTES"]
    assert int(log["read_bytes"]) > 0 and int(log["restored_bytes"]) > 20 * 500
    assert "start_scn_display: 20" in log["description"], log
    assert [row["estimated_seconds"] for row in rows] == [None] * 3, "nothing has been measured yet"
    assert str(scn) in whole["description"] and "no restore has been measured" in whole["description"]

    shop.restore("back", "shop", f"UNTIL SCN = {scn}", activate=False)
    shop.wait_restore("back")
    done = shop.sql("SELECT * FROM oceanbase.CDB_OB_RESTORE_HISTORY WHERE RESTORE_TENANT_NAME = 'back' AND TENANT_ID = 1")[0]
    assert done["BACKUP_SET_LIST"] == data["backup_dest"]
    assert done["BACKUP_PIECE_LIST"] == log["backup_dest"]
    assert done["TOTAL_BYTES"] == int(whole["restored_bytes"]) == int(data["restored_bytes"]) + int(log["restored_bytes"])

    again = preview(shop, f"UNTIL SCN = {scn}")
    assert [(row["backup_dest"], row["read_bytes"]) for row in again] == [(row["backup_dest"], row["read_bytes"]) for row in rows]
    pace = shop.in_catalog("SELECT * FROM tidemark.restore_pace")[0]
    took = [pace["file_us"] / 1e6, pace["log_us"] / 1e6]
    assert [float(row["estimated_seconds"]) for row in again] == pytest.approx(
        took + [sum(took) + pace["rest_us"] / 1e6], rel=0.01, abs=0.002), "of the same restore it is what it took"
    elapsed = (done["FINISH_TIMESTAMP"] - done["START_TIMESTAMP"]).total_seconds()
    assert 0.5 * elapsed < float(again[2]["estimated_seconds"]) <= elapsed + 0.1
    assert "estimated by 1 restore on this node" in again[2]["description"]


def test_a_preview_belongs_to_its_session_and_changes_nothing(shop):
    with contextlib.closing(shop.connect()) as connection, connection.cursor() as cursor:
        assert refusal(cursor.execute, "SHOW RESTORE PREVIEW")[0] == 4018
        cursor.execute(f"ALTER SYSTEM RESTORE FROM '{uris(shop)}' PREVIEW")
        cursor.execute("SHOW RESTORE PREVIEW")
        first = cursor.fetchall()
        assert refusal(cursor.execute, f"ALTER SYSTEM RESTORE FROM '{uris(shop)}' UNTIL SCN = 7 PREVIEW")[0] == 4018
        cursor.execute("SHOW RESTORE PREVIEW")
        assert cursor.fetchall() == first, "one that was refused replaces nothing"
        assert refusal(shop.sql, "SHOW RESTORE PREVIEW")[0] == 4018, "another session"
        connection._execute_command(COM_RESET_CONNECTION, b"")
        connection._read_ok_packet()
        assert refusal(cursor.execute, "SHOW RESTORE PREVIEW")[0] == 4018, "a session that was reset"
    before = shop.sql("SELECT COUNT(*) n FROM oceanbase.CDB_OB_RESTORE_HISTORY")
    assert shop.sql("SELECT COUNT(*) n FROM oceanbase.CDB_OB_RESTORE_PROGRESS")[0]["n"] == 0
    for statement, code in [("ALTER SYSTEM RESTORE FROM 'nowhere' PREVIEW", 9026),
                            ("ALTER SYSTEM RESTORE FROM '' PREVIEW", 9026),
                            (f"ALTER SYSTEM RESTORE FROM '{shop.uri('nothing')}' PREVIEW", 9070),
                            (f"ALTER SYSTEM RESTORE FROM '{uris(shop)}' WITH 'pool_list=p'", 1235),
                            (f"ALTER SYSTEM RESTORE FROM '{uris(shop)}'", 1064)]:
        assert refusal(shop.sql, statement)[0] == code, statement
    assert refusal(shop.sql, f"ALTER SYSTEM RESTORE FROM '{uris(shop)}' PREVIEW", tenant="shop")[0] == 1227
    assert refusal(shop.sql, "SHOW RESTORE PREVIEW", tenant="shop")[0] == 1227
    assert shop.sql("SELECT COUNT(*) n FROM oceanbase.CDB_OB_RESTORE_HISTORY") == before


def windows(node):
    rows = node.sql("SELECT w.* FROM oceanbase.CDB_TM_RESTORE_WINDOWS w JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID)"
                    " WHERE t.TENANT_NAME = 'shop' ORDER BY FROM_SCN")
    assert [row["FROM_SCN"] for row in rows[1:]] == [row["TO_SCN"] + 1 for row in rows[:-1]], rows
    return rows


def require_true(node, rows):
    """Asks the destinations about both ends of every window and of every gap."""
    for row in rows:
        for scn in filter(None, (row["FROM_SCN"], row["TO_SCN"])):
            if row["RESTORABLE"] == "YES":
                chosen = preview(node, f"UNTIL SCN = {scn}", row["RESTORE_FROM"])
                assert chosen[0]["backup_id"] == str(row["BACKUP_SET_ID"]), (row, chosen)
            else:
                assert refusal(preview, node, f"UNTIL SCN = {scn}")[0] == 4018, row


def test_windows_and_gaps_are_what_the_destinations_hold(shop):
    shop.archived_now("shop")
    rows = windows(shop)
    assert [(row["RESTORABLE"], row["BACKUP_SET_ID"], row["GAP_REASON"]) for row in rows] == [
        ("NO", None, "there is log, and no set before it"), ("YES", 1, None), ("YES", 2, None)]
    require_true(shop, rows)

    shop.sql("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
    shop.wait_archive("shop", "STOP")
    rows = windows(shop)
    assert (rows[-1]["TO_SCN"], rows[-1]["GAP_REASON"]) == (
        None, "round 1 of the log ends there; no newer set can be restored")
    require_true(shop, rows)

    shop.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
    shop.wait_archive("shop", "DOING")
    shop.sql("INSERT INTO app.t (v) VALUES ('between')", tenant="shop")
    assert shop.backup("shop")["STATUS"] == "COMPLETED"
    shop.archived_now("shop")
    rows = windows(shop)
    assert [(row["RESTORABLE"], row["BACKUP_SET_ID"], row["ROUND_ID"]) for row in rows] == [
        ("NO", None, None), ("YES", 1, 1), ("YES", 2, 1), ("NO", None, 1), ("YES", 3, 2)]
    assert rows[3]["GAP_REASON"] == "round 1 of the log ends there; set 3 is the next one"
    require_true(shop, rows)

    columns = "RESTORABLE, FROM_SCN, BACKUP_SET_ID, ROUND_ID, RESTORE_FROM, GAP_REASON"
    own = shop.sql(f"SELECT {columns} FROM oceanbase.DBA_TM_RESTORE_WINDOWS ORDER BY FROM_SCN", tenant="shop")
    assert own == [{name: row[name] for name in columns.split(", ")} for row in rows]
