"""Incremental sets: what they store, what the views say of them, and that each of a chain restores to what was there."""
import contextlib
import json
import os

from load import Ledger, fill, flush, rows
from node import checksums, wait_for

SETS = ("SELECT s.* FROM oceanbase.CDB_OB_BACKUP_SET_FILES s JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID)"
        " WHERE t.TENANT_NAME = %s ORDER BY BACKUP_SET_ID")

TABLES = """
CREATE DATABASE app;
CREATE TABLE app.calm (id INT PRIMARY KEY, t VARCHAR(200));
INSERT INTO app.calm SELECT seq, SHA2(seq, 512) FROM app.seq_1_to_20000;
CREATE TABLE app.busy (id INT PRIMARY KEY, t VARCHAR(200), n INT, KEY (n));
INSERT INTO app.busy SELECT seq, SHA2(seq, 512), seq % 97 FROM app.seq_1_to_20000;
CREATE TABLE app.squeezed (id INT PRIMARY KEY, t TEXT) ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8;
INSERT INTO app.squeezed SELECT seq, REPEAT(SHA2(seq, 512), 3) FROM app.seq_1_to_3000;
CREATE TABLE app.holes (id INT PRIMARY KEY, t TEXT) PAGE_COMPRESSED=1;
INSERT INTO app.holes SELECT seq, REPEAT(seq, 60) FROM app.seq_1_to_3000;
CREATE TABLE app.aria (id INT PRIMARY KEY, t TEXT) ENGINE=Aria;
CREATE TABLE app.myisam (id INT PRIMARY KEY, t TEXT) ENGINE=MyISAM;
CREATE TABLE app.again (id INT PRIMARY KEY, t TEXT);
CREATE TABLE app.cut (id INT PRIMARY KEY, t TEXT);
"""

# What changes from set to set: each kind of change that makes other files of old ones, or old ones of other files.
CHANGES = """
UPDATE app.busy SET n = n + 1, t = SHA2(CONCAT(t, {i}), 512) WHERE id % 20 = {i} % 20;
DELETE FROM app.squeezed WHERE id % 31 = {i} % 31;
UPDATE app.holes SET t = REPEAT({i}, id % 100) WHERE id % 17 = {i} % 17;
INSERT INTO app.aria VALUES ({i}, REPEAT('a', {i} * 100));
INSERT INTO app.myisam VALUES ({i}, REPEAT('m', {i} * 100));
DROP TABLE app.again;
CREATE TABLE app.again (id INT PRIMARY KEY, t TEXT, KEY (id));
INSERT INTO app.again SELECT seq, {i} FROM app.seq_1_to_500;
TRUNCATE TABLE app.cut;
INSERT INTO app.cut SELECT seq, SHA2({i}, 512) FROM app.seq_1_to_700;
CREATE TABLE app.moved_{i} (id INT PRIMARY KEY, t TEXT);
INSERT INTO app.moved_{i} SELECT seq, SHA2(seq, 512) FROM app.seq_1_to_1000;
RENAME TABLE app.moved_{i} TO app.named_{i};
OPTIMIZE TABLE app.squeezed;
ALTER TABLE app.busy ADD COLUMN c{i} INT DEFAULT {i};
"""


def run_script(node, tenant, script):
    with contextlib.closing(node.connect(tenant)) as connection, connection.cursor() as cursor:
        for statement in filter(None, (s.strip() for s in script.split(";\n"))):
            cursor.execute(statement)


def back_up(node, tenant, incremental):
    node.sql(f"ALTER SYSTEM BACKUP {'INCREMENTAL ' if incremental else ''}TENANT = {tenant}")
    job = wait_for("the job", lambda: node.sql(
        "SELECT MAX(JOB_ID) j FROM (SELECT TENANT_ID, JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOBS UNION ALL"
        " SELECT TENANT_ID, JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY) j"
        " JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID) WHERE t.TENANT_NAME = %s", [tenant]))[0]["j"]
    done = node.wait_backup(tenant, job)
    assert done["STATUS"] == "COMPLETED", done
    return done


def stored_bytes(node, tenant, number, kind):
    directory = node.backups / f"{tenant}_data" / f"backup_set_{number}_{kind}"
    return sum(f.stat().st_size for f in directory.rglob("macro_block_data.*"))


def test_every_set_of_a_chain_restores_to_what_was_there(node):
    """One full set and several incremental ones, each made under load, each against the one before, with DDL in between.
    TIDEMARK_CHAIN: how many; all of them are restored when it is given."""
    length = int(os.environ.get("TIDEMARK_CHAIN", 5))
    node.create_tenant("shop")
    node.start_archive("shop")
    run_script(node, "shop", TABLES)
    fill(node, "shop", 20)
    expected = {}
    with Ledger(node, "shop", writers=2) as ledger:
        for i in range(length + 1):
            if i > 0:
                run_script(node, "shop", CHANGES.format(i=i))
            sums = {name: value for name, value in checksums(node, "shop").items() if name != "d.ledger"}
            done = back_up(node, "shop", incremental=i > 0)
            assert done["BACKUP_TYPE"] == ("INC" if i > 0 else "FULL")
            expected[done["BACKUP_SET_ID"]] = sums
    assert not ledger.errors
    sets = node.sql(SETS, ["shop"])
    assert [(s["BACKUP_SET_ID"], s["BACKUP_TYPE"], s["PREV_FULL_BACKUP_SET_ID"], s["PREV_INC_BACKUP_SET_ID"]) for s in sets] \
        == [(1, "FULL", 0, 0)] + [(n, "INC", 1, n - 1) for n in range(2, length + 2)]
    node.archived_now("shop")
    scn_of_gtid = {t["gtid"]: t["scn"] for t in json.loads(
        node.cli("log", node.uri("shop_log"), "--json").stdout)}

    restored = sets if "TIDEMARK_CHAIN" in os.environ else [sets[1], sets[-1]]
    for backup_set in restored:
        scn = backup_set["MIN_RESTORE_SCN"]
        end = node.restore("back", "shop", f"UNTIL SCN = {scn}")
        names = [os.path.basename(part) for part in end["BACKUP_SET_LIST"].split(",")]
        number, kind = backup_set["BACKUP_SET_ID"], backup_set["BACKUP_TYPE"].lower()
        assert names[-1] == f"backup_set_{number}_{kind}", names
        assert number > length // 2 or names[0] == "backup_set_1_full", names
        found = checksums(node, "back")
        del found["d.ledger"]
        assert found == expected[backup_set["BACKUP_SET_ID"]]
        assert rows(node, "back") == {row for row, gtid in ledger.acknowledged.items() if scn_of_gtid[gtid] <= scn}
        for table in found:
            assert node.sql(f"CHECK TABLE {table} EXTENDED", tenant="back")[-1]["Msg_text"] == "OK"
        node.drop("back")


def test_an_interrupted_copy_goes_on_from_what_it_has_stored(node):
    """The daemon is killed when some data files are whole; the next turn uses them, and the cleaner leaves them."""
    tenant_id = node.create_tenant("shop")
    node.start_archive("shop")
    fill(node, "shop", 30)
    flush(node, tenant_id)  # else the first data files have nothing but the redo log, which is another one each time
    sums = checksums(node, "shop")
    # Smaller than the parameter allows: else this would take a gigabyte.
    node.sql("ALTER SYSTEM SET backup_data_file_size = '512M' TENANT = shop")
    node.on_catalog(f"UPDATE tidemark.parameter_value SET value = '1M' WHERE tenant_id = {tenant_id}"
                    " AND name = 'backup_data_file_size'")
    node.sql("ALTER SYSTEM SET backup_net_limit = '2M'")
    job = node.start_backup("shop")
    turns = node.backups / "shop_data" / "backup_set_1_full" / "logstream_1001"
    wait_for("four data files", lambda: len(list(turns.glob("major_data_turn_1_retry_0/macro_block_data.*"))) >= 4)
    node.kill()
    whole = {f: f.stat().st_mtime_ns for f in turns.glob("major_data_turn_1_retry_0/macro_block_data.*")}
    node.start()
    node.sql("ALTER SYSTEM SET backup_net_limit = '0M'")
    done = node.wait_backup("shop", job)
    assert done["STATUS"] == "COMPLETED", done
    task = node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_TASK_HISTORY")[0]
    assert (task["MAJOR_TURN_ID"], task["MINOR_TURN_ID"], task["DATA_TURN_ID"]) == (2, 2, 1)
    assert node.sql(SETS, ["shop"])[0]["MAJOR_TURN_ID"] == 2
    wait_for("the cleaner to end", lambda: not node.work("clean"))
    used = {f: f.stat().st_mtime_ns for f in turns.glob("major_data_turn_1_retry_0/*")}
    assert used and used.items() <= whole.items()
    again = sum(f.stat().st_size for f in turns.glob("major_data_turn_2_retry_0/*"))
    assert again + sum(f.stat().st_size for f in used) == task["OUTPUT_BYTES"]
    assert again < task["OUTPUT_BYTES"] * 4 / 5, "it stored again what was there"
    node.restore("back", "shop")
    assert checksums(node, "back") == sums
    # The next set leans on both turns.
    assert back_up(node, "shop", incremental=True)["BACKUP_TYPE"] == "INC"
    assert stored_bytes(node, "shop", 2, "inc") < task["OUTPUT_BYTES"] / 2
    node.drop("back")
    node.restore("back", "shop")
    assert checksums(node, "back") == sums


def test_an_incremental_set_stores_what_changed(node):
    """And is a full one where there is nothing to lean on: no set yet, another destination, a damaged parent."""
    tenant_id = node.create_tenant("shop")
    node.start_archive("shop")
    fill(node, "shop", 12)
    flush(node, tenant_id)
    first = back_up(node, "shop", incremental=True)
    assert first["BACKUP_TYPE"] == "FULL", "there was none before"
    node.sql("UPDATE fill.t SET a = 'x' WHERE id BETWEEN 1000 AND 1050", tenant="shop")
    second = back_up(node, "shop", incremental=True)
    assert second["BACKUP_TYPE"] == "INC"
    # After a load the server goes on writing pages of its own for a moment: undo log that is purged.
    full, changed = stored_bytes(node, "shop", 1, "full"), stored_bytes(node, "shop", 2, "inc")
    assert changed < full * 3 / 5, (changed, full)
    row = node.sql(SETS, ["shop"])[1]
    assert row["OUTPUT_BYTES"] < node.sql(SETS, ["shop"])[0]["OUTPUT_BYTES"] * 3 / 5
    assert row["INPUT_BYTES"] > 12_000_000, "everything is read"

    # A set whose index is damaged is not leaned on: the one before is.
    index = next((node.backups / "shop_data" / "backup_set_2_inc").rglob("macro_range_index.obbak"))
    content = index.read_bytes()
    index.chmod(0o600)
    index.write_bytes(content[:-60] + b"x" * 10 + content[-50:])
    third = back_up(node, "shop", incremental=True)
    row = node.sql(SETS, ["shop"])[2]
    assert (third["BACKUP_TYPE"], row["PREV_FULL_BACKUP_SET_ID"], row["PREV_INC_BACKUP_SET_ID"]) == ("INC", 1, 1)
    # Nor is one of which an object is missing.
    for number, kind in ((1, "full"), (3, "inc")):
        for data in (node.backups / "shop_data" / f"backup_set_{number}_{kind}").rglob("macro_block_data.0.obbak"):
            data.unlink()
    assert back_up(node, "shop", incremental=True)["BACKUP_TYPE"] == "FULL"

    node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{node.uri('elsewhere')}' TENANT = shop")
    elsewhere = back_up(node, "shop", incremental=True)
    assert elsewhere["BACKUP_TYPE"] == "FULL"
    assert back_up(node, "shop", incremental=True)["BACKUP_TYPE"] == "INC"
