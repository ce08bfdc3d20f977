"""CATALOG BACKUP: what the catalog has lost of sets, rounds and pieces comes back from the destinations."""
import contextlib
import shutil

import pymysql
import pytest

from node import checksums, wait_for

SETS = "SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID"
ROUND = "SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG_SUMMARY WHERE ROUND_ID = 1"
# CREATE_TIMESTAMP was in the catalog alone.
PIECES = "SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES WHERE ROUND_ID = 1"


def catalog(node, clause="", passwords=None):
    """Rows of the answer, by object and number."""
    with contextlib.closing(node.connect()) as connection, connection.cursor() as cursor:
        if passwords:
            cursor.execute(f"SET DECRYPTION IDENTIFIED BY {passwords}")
        cursor.execute(f"ALTER SYSTEM CATALOG BACKUP {clause} TENANT = shop")
        return {(row["OBJECT"], row["ID"] and int(row["ID"])): row for row in cursor.fetchall()}


def results(rows, kind="BACKUP SET"):
    return {number: row["RESULT"] for (object, number), row in rows.items() if object == kind}


def own_sets(node):
    """What the tenant's view shows, a moment later."""
    return node.sql("SELECT * FROM oceanbase.DBA_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID", tenant="shop")


def lose_sets(node):
    for table in ("backup_set", "backup_key"):
        node.in_catalog(f"DELETE FROM tidemark.{table}")
    assert node.sql(SETS) == []


@pytest.fixture(scope="module")
def shop(shared_node):
    """Sets of every kind, and a round that is over beside one that goes on."""
    node = shared_node
    node.create_tenant("shop")
    node.sql("CREATE DATABASE d", tenant="shop")
    node.sql("CREATE TABLE d.t (id INT PRIMARY KEY, v INT)", tenant="shop")
    node.sql("INSERT INTO d.t SELECT seq, seq FROM d.seq_1_to_500", tenant="shop")
    node.start_archive("shop")
    node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
    node.wait_archive("shop", "STOP")
    node.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
    node.wait_archive("shop", "DOING")
    node.backup("shop")
    node.sql("UPDATE d.t SET v = v + 1", tenant="shop")
    node.sql("ALTER SYSTEM BACKUP INCREMENTAL TENANT = shop")
    node.wait_backup("shop", 2)
    node.wait_backup("shop", node.start_backup("shop", "PLUS ARCHIVELOG DESCRIPTION 'kept'"))
    with contextlib.closing(node.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SET ENCRYPTION ON IDENTIFIED BY 'secret' ONLY")
        cursor.execute("ALTER SYSTEM BACKUP TENANT = shop")
    node.wait_backup("shop", 4)
    assert {row["STATUS"] for row in node.sql(SETS)} == {"SUCCESS"}
    return node


def test_sets_are_shown_as_they_were(shop):
    before = shop.sql(SETS)
    own_before = wait_for("the tenant to see the end of the last one", lambda: own_sets(shop)[3:]
                          and own_sets(shop)[3]["STATUS"] == "SUCCESS" and own_sets(shop))
    lose_sets(shop)
    assert results(catalog(shop, passwords="'secret'")) == dict.fromkeys([1, 2, 3, 4], "CATALOGED")
    assert shop.sql(SETS) == before
    wait_for("the tenant's own view to show them", lambda: own_sets(shop) == own_before)
    assert results(catalog(shop)) == dict.fromkeys([1, 2, 3, 4], "KNOWN"), "once more changes nothing"
    assert shop.sql(SETS) == before


def test_a_set_whose_password_is_not_known_hides_what_it_has(shop):
    before = shop.sql(SETS)
    lose_sets(shop)
    rows = catalog(shop)
    assert "password is not known" in rows["BACKUP SET", 4]["COMMENT"]
    shown = shop.sql(SETS)
    assert shown[:3] == before[:3]
    hidden = ("INPUT_BYTES", "TABLET_COUNT", "FINISH_TABLET_COUNT", "MACRO_BLOCK_COUNT", "FINISH_MACRO_BLOCK_COUNT")
    assert shown[3] == before[3] | dict.fromkeys(hidden, 0)
    lose_sets(shop)
    catalog(shop, passwords="'secret'")


def test_rounds_and_pieces_come_back(shop):
    before = shop.sql(ROUND), shop.sql(PIECES)
    assert all(before)
    for table in ("archive_round", "archive_piece"):
        shop.in_catalog(f"DELETE FROM tidemark.{table} WHERE round_id = 1")
    rows = catalog(shop)
    assert (results(rows, "ROUND"), results(rows, "BACKUP PIECE")) == (
        {1: "CATALOGED", 2: "KNOWN"}, {1: "CATALOGED", 2: "KNOWN"})
    after = shop.sql(ROUND), shop.sql(PIECES)
    assert after[0] == before[0]
    assert [p | {"CREATE_TIMESTAMP": 0} for p in after[1]] == [p | {"CREATE_TIMESTAMP": 0} for p in before[1]]
    assert shop.archive("shop")["STATUS"] == "DOING"


def test_a_round_whose_number_was_given_again_is_passed_over(shop):
    """The catalog that has lost rounds gives their numbers to others: what it has by now stays as it is."""
    present = shop.sql(PIECES), shop.sql(ROUND)
    elsewhere = shop.backups / "old_log"
    shutil.copytree(shop.backups / "shop_log", elsewhere)
    rows = catalog(shop, f"FROM '{shop.uri('old_log')}'")
    assert results(rows, "ROUND") == {1: "SKIPPED", 2: "SKIPPED"}
    assert "has a round 1 at" in rows["ROUND", 1]["COMMENT"]
    assert results(rows, "BACKUP PIECE") == {}
    assert (shop.sql(PIECES), shop.sql(ROUND)) == present


def test_a_round_that_had_no_end_is_over(shop):
    """Its row is lost while it goes on: the two statements that the answer names begin another one."""
    for table in ("archive_round", "archive_piece"):
        shop.in_catalog(f"DELETE FROM tidemark.{table} WHERE round_id = 2")
    rows = catalog(shop)
    assert "NOARCHIVELOG and ARCHIVELOG" in rows["ROUND", 2]["COMMENT"]
    (piece,) = shop.sql("SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES WHERE ROUND_ID = 2")
    assert piece["STATUS"] == "FROZEN" and piece["END_SCN"] >= piece["START_SCN"]
    shop.sql("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
    shop.wait_archive("shop", "STOP")
    shop.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
    shop.wait_archive("shop", "DOING")
    shop.archived_now("shop")


def test_what_is_damaged_or_foreign_is_named_and_passed_over(shop):
    """And what leans on it, too."""
    before = shop.sql(SETS)
    data = shop.backups / "shop_data"
    lose_sets(shop)
    (data / "backup_sets" / "notes.txt").write_text("x")
    (data / "backup_sets" / "backup_set_9_full_start.obbak").touch()
    description = data / "backup_set_1_full" / "single_backup_set_info.obbak"
    whole = description.read_bytes()
    description.write_bytes(whole.replace(b"shop", b"shoq", 1))
    data_file = next((data / "backup_set_3_full").rglob("macro_block_data.0.obbak"))
    data_file.rename(data_file.with_suffix(".away"))
    rows = catalog(shop, passwords="'secret'")
    assert results(rows) == {1: "SKIPPED", 2: "SKIPPED", 3: "SKIPPED", 4: "CATALOGED", 9: "SKIPPED"}
    assert "checksum" in rows["BACKUP SET", 1]["COMMENT"]
    assert "leans on set 1" in rows["BACKUP SET", 2]["COMMENT"]
    assert "macro_block_data.0.obbak is missing" in rows["BACKUP SET", 3]["COMMENT"]
    assert "not complete" in rows["BACKUP SET", 9]["COMMENT"]
    assert "notes.txt" in rows["OBJECT", None]["COMMENT"]
    assert [row["BACKUP_SET_ID"] for row in shop.sql(SETS)] == [4]
    description.write_bytes(whole)
    data_file.with_suffix(".away").rename(data_file)
    for stray in ("notes.txt", "backup_set_9_full_start.obbak"):
        (data / "backup_sets" / stray).unlink()
    assert results(catalog(shop)) == {1: "CATALOGED", 2: "CATALOGED", 3: "CATALOGED", 4: "KNOWN"}
    assert shop.sql(SETS) == before


def test_work_goes_on_from_there(shop):
    """The next set leans on one that was lost, with a number of its own, and everything restores."""
    shop.in_catalog("DELETE FROM tidemark.sequence WHERE name = 'backup_set'")
    lose_sets(shop)
    catalog(shop)
    shop.sql("INSERT INTO d.t VALUES (1000, 0)", tenant="shop")
    shop.sql("ALTER SYSTEM BACKUP INCREMENTAL TENANT = shop")
    assert shop.wait_backup("shop", 5)["STATUS"] == "COMPLETED"
    newest = shop.sql(SETS)[-1]
    assert (newest["BACKUP_SET_ID"], newest["BACKUP_TYPE"], newest["PREV_INC_BACKUP_SET_ID"]) == (5, "INC", 3)
    shop.archived_now("shop")
    shop.restore("copy", "shop")
    assert checksums(shop, "copy") == checksums(shop, "shop")


def test_refusals(shop):
    with pytest.raises(pymysql.MySQLError, match="9081"):
        shop.create_tenant("other")
        shop.sql(f"ALTER SYSTEM CATALOG BACKUP FROM '{shop.uri('shop_data')}' TENANT = other")
    with pytest.raises(pymysql.MySQLError, match="4018"):
        shop.sql("ALTER SYSTEM CATALOG BACKUP TENANT = other")
    with pytest.raises(pymysql.MySQLError, match="1227"):
        shop.sql(f"ALTER SYSTEM CATALOG BACKUP FROM '{shop.uri('shop_data')}'", tenant="shop")
    assert {row["RESULT"] for row in shop.sql("ALTER SYSTEM CATALOG BACKUP", tenant="shop")} == {"KNOWN"}


def test_a_destination_that_was_moved(shop):
    """Sets that lie elsewhere are cataloged by its name."""
    elsewhere = shop.backups / "moved"
    shutil.copytree(shop.backups / "shop_data", elsewhere)
    lose_sets(shop)
    catalog(shop, f"FROM '{shop.uri('moved')}'", passwords="'secret'")
    assert {row["PATH"] for row in shop.sql(SETS)} == {shop.uri("moved")}
    rows = catalog(shop)
    assert "moved" in rows["BACKUP SET", 1]["COMMENT"]
