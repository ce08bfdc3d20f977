"""Pages that are wrong in the tenant itself: the backup is made, says which they are, and restores the rest exactly."""
import contextlib

import pymysql
import pytest

from node import Node, checksums, wait_for

PAGE = 16384
FINDINGS = ("SELECT KIND, OBJECT, DESCRIPTION, STATUS, BACKUP_SET_ID, FIRST_SEEN_TIMESTAMP AS seen, LOST_SCN_RANGES AS lost"
            " FROM oceanbase.CDB_TM_VALIDATE_FINDINGS ORDER BY BACKUP_SET_ID, OBJECT")


class Harm:
    """A byte of a row on the disk is another one: the page's checksum does not fit any more."""

    def __init__(self, site, file, page):
        self.path, self.at = site.tables / file, page * PAGE + 5000
        self.flip()

    def flip(self):
        with open(self.path, "r+b") as file:
            file.seek(self.at)
            byte = file.read(1)
            file.seek(self.at)
            file.write(bytes([byte[0] ^ 0x55]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.flip()


@pytest.fixture(scope="module")
def site():
    """Tenant `shop` with a table of each form, all of it on the disk."""
    node = Node()
    try:
        node.start()
        tenant = node.create_tenant("shop")
        node.tables = node.data / "t" / str(tenant) / "data" / "t"
        node.start_archive("shop")
        node.sql("CREATE DATABASE t", tenant="shop")
        for table, form in {"a": "", "zip": "ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8", "packed": "PAGE_COMPRESSED=1",
                            "p": "PARTITION BY HASH (id) PARTITIONS 2", "whole": ""}.items():
            node.sql(f"CREATE TABLE t.{table} (id INT PRIMARY KEY, b VARCHAR(200)) {form}", tenant="shop")
            node.sql(f"INSERT INTO t.{table} SELECT seq, SHA2(CONCAT('secret', seq), 512) FROM t.seq_1_to_6000", tenant="shop")
        inside(node, "SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0, GLOBAL innodb_io_capacity_max = 20000,"
                     " GLOBAL innodb_io_capacity = 20000")
        flush(node)
        yield node
    finally:
        node.destroy()


def inside(node, statement):
    """By the daemon's own account, past the daemon."""
    with contextlib.closing(pymysql.connect(
            unix_socket=str(node.tables.parents[1] / "s"), user="tidemark", password=(
                node.tables.parents[1] / "secret").read_text(), cursorclass=pymysql.cursors.DictCursor)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())


def flush(node):
    """On the disk, and of no redo log any more."""
    inside(node, "SET GLOBAL innodb_max_dirty_pages_pct = 0")
    wait_for("pages to be written", lambda: inside(
        node, "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")[0]["Value"] == "0", 30)


def set_of(node):
    return node.sql("SELECT BACKUP_SET_ID i, FILE_STATUS s, COMMENT c FROM oceanbase.CDB_OB_BACKUP_SET_FILES"
                    " ORDER BY 1 DESC LIMIT 1")[0]


def restored(node, **options):
    """Checksums of the tables that were not harmed, of the tenant and of what its newest set restores to."""
    end = node.restore("back", "shop", activate=False, **options)
    assert end["BACKUP_SET_LIST"].endswith(f"backup_set_{set_of(node)['i']}_full")
    try:
        return [{name: value for name, value in checksums(node, tenant).items() if name in ("t.whole", "t.zip", "t.packed")}
                for tenant in ("shop", "back")]
    finally:
        node.drop("back")


def test_no_page_of_any_form_is_taken_for_a_wrong_one(site):
    assert site.backup("shop")["COMMENT"] == ""


def test_wrong_pages_are_named_and_copied_as_they_are(site):
    with Harm(site, "a.ibd", 20), Harm(site, "a.ibd", 21), Harm(site, "p#P#p1.ibd", 12):
        job = site.backup("shop")
    assert job["STATUS"] == "COMPLETED" and job["RESULT"] == 0 and job["COMMENT"].startswith("3 pages have a wrong checksum")
    made = set_of(site)
    assert made["s"] == "AVAILABLE" and made["c"] == job["COMMENT"]
    first = site.sql(FINDINGS)
    assert [(f["KIND"], f["OBJECT"], f["DESCRIPTION"].split(" had ")[0]) for f in first] == [
        ("SOURCE_PAGE", "t/a.ibd", "pages 20 21"), ("SOURCE_PAGE", "t/p#P#p1.ibd", "page 12")]
    assert all(f["BACKUP_SET_ID"] == made["i"] and f["STATUS"] == "OPEN" and f["lost"] == "" for f in first)
    site.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = shop")
    job = wait_for("the validation", lambda: site.sql(
        "SELECT * FROM oceanbase.CDB_TM_VALIDATE_JOBS WHERE STATUS = 'COMPLETED'"))[0]
    assert job["RESULT"] == 0 and job["FINDING_COUNT"] == 2
    assert site.sql(FINDINGS) == first, "it is the same that was found then"
    assert set_of(site) == made, "the set is as it was made"
    before, after = restored(site)
    assert len(before) == 3 and before == after
    # mariadb-backup prints such pages: nothing of them is anywhere.
    assert not any(word in site.log.read_text(errors="replace") for word in ("; hex ", "asc "))


def test_a_set_whose_redo_log_changes_a_wrong_page_is_restored(site):
    """The tenant has the page in memory, and goes on writing to it; the copy cannot apply that."""
    inside(site, "SET GLOBAL innodb_max_dirty_pages_pct = 90")
    with Harm(site, "a.ibd", 20):
        site.sql("UPDATE t.a SET b = REVERSE(b) WHERE id < 5000", tenant="shop")
        site.sql("UPDATE t.whole SET b = REVERSE(b)", tenant="shop")
        assert site.backup("shop")["COMMENT"].startswith("1 pages have"), "the page has not been written meanwhile"
    before, after = restored(site)
    assert len(before) == 3 and before == after
    flush(site)


def test_a_page_that_is_whole_at_a_later_look_is_none(site):
    """As one that the tenant just writes."""
    with Harm(site, "a.ibd", 30):
        job = site.start_backup("shop")
        logs = site.tables.parents[1]
        wait_for("a second look at it", lambda: any(
            b"retrying" in log.read_bytes() for log in logs.glob("tidemark-*/log")), 20)
    end = site.wait_backup("shop", job)
    assert end["STATUS"] == "COMPLETED" and end["COMMENT"] == ""
