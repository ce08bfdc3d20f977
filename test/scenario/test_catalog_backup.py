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


def back_up(node, password=None, kind=""):
    """The row of the new set."""
    job = node.start_backup("shop", kind=kind, password=password)
    assert node.wait_backup("shop", job)["STATUS"] == "COMPLETED"
    return node.sql(SETS)[-1]


def validate(node):
    """The open findings: kind and name of the object."""
    node.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = shop")
    wait_for("the validation to end", lambda: not node.sql(
        "SELECT 1 FROM oceanbase.CDB_TM_VALIDATE_JOBS WHERE STATUS NOT IN ('COMPLETED', 'FAILED', 'CANCELED')"))
    return open_findings(node)


def open_findings(node):
    return {(row["BACKUP_SET_ID"], row["KIND"], row["OBJECT"].rsplit("/", 1)[1]) for row in node.sql(
        "SELECT * FROM oceanbase.CDB_TM_VALIDATE_FINDINGS WHERE STATUS = 'OPEN'")}


def file_status(node):
    return {row["BACKUP_SET_ID"]: row["FILE_STATUS"] for row in node.sql(SETS)}


@contextlib.contextmanager
def replaced(path, content):
    """A file of a destination has another content, or is away (None), inside."""
    whole = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(whole)


def copy_with(node, name, numbers):
    """A copy of the destination of sets, with some of them."""
    place = node.backups / name
    shutil.copytree(node.backups / "shop_data", place)
    for path in [*place.glob("backup_set_*"), *(place / "backup_sets").iterdir()]:
        if int(path.name.split("_")[2]) not in numbers:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return place


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
    assert "what opens it is not known" in rows["BACKUP SET", 4]["COMMENT"]
    shown = shop.sql(SETS)
    assert shown[:3] == before[:3]
    hidden = ("INPUT_BYTES", "TABLET_COUNT", "FINISH_TABLET_COUNT", "MACRO_BLOCK_COUNT", "FINISH_MACRO_BLOCK_COUNT")
    assert shown[3] == before[3] | dict.fromkeys(hidden, 0)
    lose_sets(shop)
    catalog(shop, passwords="'secret'")


def test_a_password_that_comes_later_completes_its_set(shop):
    before = shop.sql(SETS)
    lose_sets(shop)
    catalog(shop)
    for passwords in (None, "'wrong'"):
        rows = catalog(shop, passwords=passwords)
        assert results(rows)[4] == "KNOWN" and "what opens it is not known" in rows["BACKUP SET", 4]["COMMENT"]
    rows = catalog(shop, passwords="'secret'")
    assert results(rows) == {1: "KNOWN", 2: "KNOWN", 3: "KNOWN", 4: "CATALOGED"}
    assert shop.sql(SETS) == before
    wait_for("the tenant's own view to show it", lambda: own_sets(shop)[3]["INPUT_BYTES"] == before[3]["INPUT_BYTES"])
    rows = catalog(shop)
    assert (results(rows)[4], rows["BACKUP SET", 4]["COMMENT"]) == ("KNOWN", "")
    # So does it with one whose key was kept under a key of the node that is there no more.
    (kept,) = shop.in_catalog("SELECT wrapped FROM tidemark.backup_key")
    shop.in_catalog("UPDATE tidemark.backup_key SET wrapped = REVERSE(wrapped)")
    assert results(catalog(shop))[4] == "KNOWN"
    assert results(catalog(shop, passwords="'secret'"))[4] == "CATALOGED"
    (again,) = shop.in_catalog("SELECT wrapped FROM tidemark.backup_key")
    assert again["wrapped"] not in (kept["wrapped"], kept["wrapped"][::-1])
    assert shop.sql(SETS) == before


def test_a_set_whose_index_is_lost_is_cataloged_as_broken(shop):
    """As a restore makes it again from the data; a validation that finds it in its place says that all is well."""
    before = shop.sql(SETS)
    data = shop.backups / "shop_data"
    index = {n: next(data.glob(f"backup_set_{n}_*/**/macro_range_index.obbak")) for n in (1, 2, 3, 4)}
    damaged = index[3].read_bytes()
    damaged = damaged[:-1] + bytes([damaged[-1] ^ 1])
    with replaced(index[1], None), replaced(index[2], index[2].read_bytes()[:-1]), replaced(index[3], damaged), \
            replaced(index[4], None):
        lose_sets(shop)
        rows = catalog(shop)
        assert results(rows) == dict.fromkeys([1, 2, 3, 4], "CATALOGED")
        for number in (1, 2, 3, 4):
            comment = rows["BACKUP SET", number]["COMMENT"]
            assert str(index[number]) in comment and "a restore makes it again" in comment
        assert file_status(shop) == dict.fromkeys([1, 2, 3, 4], "BROKEN")
        lost = {(1, "MISSING", index[1].name), (2, "WRONG_SIZE", index[1].name), (3, "DAMAGED", index[1].name),
                (4, "MISSING", index[1].name)}
        assert open_findings(shop) == lost
        assert results(catalog(shop, passwords="'secret'")) == {1: "KNOWN", 2: "KNOWN", 3: "KNOWN", 4: "CATALOGED"}
        assert [row | {"FILE_STATUS": "AVAILABLE"} for row in shop.sql(SETS)] == before
        assert (file_status(shop), open_findings(shop)) == (dict.fromkeys([1, 2, 3, 4], "BROKEN"), lost)
        # The same findings as a validation's, and its end.
        assert validate(shop) >= lost
    assert validate(shop) == set()
    assert shop.sql(SETS) == before


def test_a_set_whose_index_cannot_be_made_again_is_passed_over(shop):
    before = shop.sql(SETS)
    directory = next((shop.backups / "shop_data" / "backup_set_3_full").rglob("macro_range_index.obbak")).parent
    data = directory / "macro_block_data.0.obbak"
    content = data.read_bytes()
    with replaced(directory / "macro_range_index.obbak", None), \
            replaced(data, content[:-100] + bytes([content[-100] ^ 1]) + content[-99:]):
        lose_sets(shop)
        rows = catalog(shop, passwords="'secret'")
        assert results(rows) == {1: "CATALOGED", 2: "CATALOGED", 3: "SKIPPED", 4: "CATALOGED"}
        assert "cannot be made again" in rows["BACKUP SET", 3]["COMMENT"]
    assert results(catalog(shop))[3] == "CATALOGED"
    assert shop.sql(SETS) == before


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


def test_an_incremental_set_leans_on_one_whose_password_came_later(shop):
    """And its own password opens all of its chain, also what is before it."""
    lose_sets(shop)
    catalog(shop)
    inc = "INCREMENTAL"
    assert back_up(shop, "other", inc)["BACKUP_TYPE"] == "FULL", "there is no key to lean on"
    (job,) = shop.sql("SELECT COMMENT FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE BACKUP_SET_ID = 6")
    assert "the key of set 4 is not in the catalog" in job["COMMENT"]
    shop.sql("ALTER SYSTEM DELETE BACKUPSET 6 TENANT = shop")
    wait_for("its removal", lambda: file_status(shop)[6] == "DELETED")
    catalog(shop, passwords="'secret'")
    made = back_up(shop, "other", inc)
    assert (made["BACKUP_TYPE"], made["PREV_INC_BACKUP_SET_ID"]) == ("INC", 4)
    before = shop.sql(SETS)
    lose_sets(shop)
    rows = catalog(shop, passwords="'other'")
    assert [rows["BACKUP SET", number]["COMMENT"] for number in (4, 7)] == ["", ""]
    assert shop.sql(SETS) == [row for row in before if row["BACKUP_SET_ID"] != 6]


def in_both_orders(node, *names, passwords=None):
    """What CATALOG BACKUP makes of an empty catalog, which is the same whatever the order of the destinations."""
    made = []
    for order in (names, names[::-1]):
        lose_sets(node)
        for table in ("archive_round", "archive_piece"):
            node.in_catalog(f"DELETE FROM tidemark.{table} WHERE round_id = 1")
        rows = catalog(node, "FROM '" + ",".join(map(node.uri, order)) + "'", passwords)
        made.append((rows, node.sql(SETS), node.sql(ROUND), node.sql(PIECES)))
    assert made[0] == made[1]
    return made[0]


def test_the_order_of_the_destinations_makes_no_difference(shop):
    numbers = sorted(file_status(shop))
    description = copy_with(shop, "a", [1, 2]) / "backup_set_1_full" / "single_backup_set_info.obbak"
    # A copy in which set 1 is damaged, and 2, which leans on it, is not; and one that has set 1 only.
    description.write_bytes(description.read_bytes().replace(b"shop", b"shoq", 1))
    copy_with(shop, "b", [1])
    _, sets, *_ = in_both_orders(shop, "a", "b")
    assert [(row["BACKUP_SET_ID"], row["PATH"]) for row in sets] == [(1, shop.uri("b")), (2, shop.uri("a"))]
    # One without an index, and one that has it.
    next(copy_with(shop, "c", [3]).rglob("macro_range_index.obbak")).unlink()
    copy_with(shop, "d", [3])
    _, sets, *_ = in_both_orders(shop, "c", "d")
    assert [(row["PATH"], row["FILE_STATUS"]) for row in sets] == [(shop.uri("d"), "AVAILABLE")]
    # A set that cannot be opened and does not lie beside what it leans on cannot be restored from there.
    copy_with(shop, "e", [4])
    copy_with(shop, "f", [7])
    rows, sets, *_ = in_both_orders(shop, "e", "f")
    assert [row["BACKUP_SET_ID"] for row in sets] == [4]
    assert "leans on set 4" in rows["BACKUP SET", 7]["COMMENT"]
    # Of copies, and kinds: what lies where the tenant has it now.
    copy_with(shop, "g", numbers)
    shutil.copytree(shop.backups / "shop_log", shop.backups / "log_copy")
    for names in (("g", "shop_data", "log_copy", "shop_log"), ("shop_log", "g", "shop_data", "log_copy")):
        _, sets, rounds, pieces = in_both_orders(shop, *names, passwords="'secret'")
        assert {row["PATH"] for row in sets} == {shop.uri("shop_data")}
        assert {row["PATH"] for row in rounds + pieces} == {shop.uri("shop_log")} and rounds and pieces


def test_nothing_is_entered_if_one_destination_is_refused(shop):
    marker = copy_with(shop, "refused", [1]) / "format.obbak"
    marker.unlink()
    before = shop.sql(SETS)
    lose_sets(shop)
    for order in ("refused,shop_data", "shop_data,refused"):
        with pytest.raises(pymysql.MySQLError, match="9080"):
            catalog(shop, "FROM '" + ",".join(map(shop.uri, order.split(","))) + "'")
        assert shop.sql(SETS) == []
    catalog(shop, passwords="'secret'")
    assert shop.sql(SETS) == before


def test_refusals(shop):
    with pytest.raises(pymysql.MySQLError, match="9081"):
        shop.create_tenant("other")
        shop.sql(f"ALTER SYSTEM CATALOG BACKUP FROM '{shop.uri('shop_data')}' TENANT = other")
    with pytest.raises(pymysql.MySQLError, match="4018"):
        shop.sql("ALTER SYSTEM CATALOG BACKUP TENANT = other")
    with pytest.raises(pymysql.MySQLError, match="1227"):
        shop.sql(f"ALTER SYSTEM CATALOG BACKUP FROM '{shop.uri('shop_data')}'", tenant="shop")
    with pytest.raises(pymysql.MySQLError, match="1227"):
        shop.sql("ALTER SYSTEM CATALOG BACKUP WITH KEY FROM 'file:///nowhere' ENCRYPTED BY 'x'", tenant="shop")
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
