"""VALIDATE … WITH RESTORE: sets are restored beside the tenants, every table is checked and compared with the tenant itself.
What is wrong is named by its table; nothing of the server that it is done in stays, nobody can log into it."""
import contextlib
import os
import pathlib
import subprocess
import time

import pymysql
import pytest

from hangs import again_and_again
from node import Node, checksums, wait_for
from sampler import Sampler, in_order

PAGE = 16384
JOBS = "SELECT * FROM oceanbase.CDB_TM_VALIDATE_JOBS ORDER BY TENANT_ID, JOB_ID"
OPEN = "SELECT * FROM oceanbase.CDB_TM_VALIDATE_FINDINGS WHERE STATUS = 'OPEN' ORDER BY FINDING_ID"


@pytest.fixture(scope="module")
def site():
    """Tenant `shop` with a set, log before and behind it, and tables that can be compared."""
    node = Node()
    try:
        node.start()
        node.tenant = node.create_tenant("shop")
        node.sql("CREATE DATABASE t", tenant="shop")
        may_change_what_is_not_logged(node)
        node.start_archive("shop")
        for table in "a", "b", "c":
            node.sql(f"CREATE TABLE t.{table} (id INT PRIMARY KEY, b VARCHAR(200))", tenant="shop")
            node.sql(f"INSERT INTO t.{table} SELECT seq, SHA2(seq, 256) FROM t.seq_1_to_3000", tenant="shop")
        assert node.backup("shop")["STATUS"] == "COMPLETED"
        node.sql("UPDATE t.b SET b = 'behind the set' WHERE id % 3 = 0", tenant="shop")
        node.sql("CREATE TABLE t.behind (id INT PRIMARY KEY) AS SELECT seq AS id FROM t.seq_1_to_100", tenant="shop")
        yield node
    finally:
        node.destroy()


def may_change_what_is_not_logged(node):
    """The daemon's account, whose sessions need not write the binlog, may do so in `t`."""
    with open(node.data / "t" / str(node.tenant) / "init.sql", "a") as init:
        init.write("GRANT ALL ON `t`.* TO `tidemark`@`localhost`;\n")
    os.kill(node.database_pid(node.tenant), 9)

    def may():
        with contextlib.suppress(pymysql.Error):
            return any("`t`" in next(iter(row.values())) for row in inside(node, "SHOW GRANTS"))
    wait_for("the tenant to be up again", may, 30)


def inside(node, *statements):
    """By the daemon's own account, past the daemon."""
    directory = node.data / "t" / str(node.tenant)
    with contextlib.closing(pymysql.connect(
            unix_socket=str(directory / "s"), user="tidemark", password=(directory / "secret").read_text(), autocommit=True,
            cursorclass=pymysql.cursors.DictCursor)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def last_job(node):
    return node.sql("SELECT * FROM oceanbase.CDB_TM_VALIDATE_JOBS ORDER BY JOB_ID DESC LIMIT 1")[0]


def ended(node, limit=90):
    return wait_for("the validation to end", lambda: (job := last_job(node))["END_TIMESTAMP"] and job, limit)


def begin(node, sets="ALL"):
    node.sql(f"ALTER SYSTEM VALIDATE BACKUPSET {sets} TENANT = shop WITH RESTORE")


def validate(node, sets="ALL"):
    begin(node, sets)
    job = ended(node)
    assert job["STATUS"] == "COMPLETED" and job["WITH_RESTORE"] == "ON", job
    assert job["FINISH_BYTES"] == job["TOTAL_BYTES"] and job["STAGE"] == ""
    nothing_is_left(node)
    return job, node.sql(OPEN)


def throwaways(node):
    return [pid for pid in node.mariadbd_pids() if f"{node.data}/v/" in pathlib.Path(f"/proc/{pid}/cmdline").read_text()]


def nothing_is_left(node):
    wait_for("its directory to be removed", lambda: not list((node.data / "v").iterdir()), 10)
    assert not throwaways(node) and not node.processes("mariadb-backup")


def set_status(node, number):
    return node.scalar("SELECT FILE_STATUS FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE BACKUP_SET_ID = %s", [number])


def test_a_good_set_is_restored_and_nothing_is_found(site):
    before = site.sql("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS"), site.sql("SELECT * FROM oceanbase.DBA_OB_UNITS")
    with Sampler(site, JOBS, every=0.02) as sampler:
        begin(site)
        server = wait_for("the server to run", lambda: throwaways(site), 60)[0]
        assert (site.sql("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS"), site.sql(
            "SELECT * FROM oceanbase.DBA_OB_UNITS")) == before, "it is no tenant, and takes nothing from a pool"
        for name in "1002 (a validation's)", "v", f"{site.tenant}":
            with pytest.raises(pymysql.Error):
                site.sql("SELECT 1", tenant=name)
        own = os.getpriority(os.PRIO_PROCESS, site.process.pid)
        assert os.getpriority(os.PRIO_PROCESS, server) == min(own + 5, 19), "it gives way"
        job = ended(site)
        wait_for("the end to be seen", lambda: sampler.rows(JOB_ID=job["JOB_ID"], STATUS="COMPLETED"), 5)
    assert job["RESULT"] == 0 and job["FINDING_COUNT"] == 0 and site.sql(OPEN) == [], (job, site.sql(OPEN))
    rows = [row for _, row in sampler.rows(JOB_ID=job["JOB_ID"])]
    stages = ["OBJECTS", "TENANT_ROWS", "RESTORE_DATA", "RESTORE_LOG", "CHECK_TABLES", "COMPARE"]
    assert [s for s in in_order([r["STAGE"] for r in rows]) if s] == stages
    assert all((r["STAGE_BACKUP_SET_ID"] == 1) == (r["STAGE"] in stages[1:]) for r in rows if r["STAGE"])
    compared = [r for r in rows if r["STAGE"] == "COMPARE"][-1]
    assert compared["FINISH_TABLE_COUNT"] <= compared["TABLE_COUNT"] <= 4
    seen = [r["FINISH_BYTES"] for r in rows]
    assert seen == sorted(seen) and job["FINISH_BYTES"] == job["TOTAL_BYTES"] > site.scalar(
        "SELECT INPUT_BYTES FROM oceanbase.CDB_OB_BACKUP_SET_FILES"), "what it restores to counts, too"
    nothing_is_left(site)


def test_what_the_tenant_does_meanwhile_is_no_difference(site):
    """It is compared at one moment; DDL of another table does not wait."""
    site.sql("CREATE TABLE IF NOT EXISTS t.moving (id INT PRIMARY KEY AUTO_INCREMENT, n INT)", tenant="shop")
    begin(site)
    for i in range(10000):
        site.sql("INSERT INTO t.moving (n) VALUES (%s)", [i], tenant="shop")
        if last_job(site)["END_TIMESTAMP"]:
            break
    assert ended(site)["FINDING_COUNT"] == 0 and site.sql(OPEN) == [] and i > 5


def test_a_row_that_is_another_one_in_the_tenant(site):
    inside(site, "SET sql_log_bin = 0", "UPDATE t.a SET b = 'never logged' WHERE id = 77")
    job, found = validate(site)
    assert [(f["KIND"], f["OBJECT"], f["BACKUP_SET_ID"]) for f in found] == [("ROWS_DIFFER", "t.a", 1)], found
    assert "CHECKSUM TABLE" in found[0]["DESCRIPTION"] and job["RESULT"] == -4103 and found[0]["LOST_SCN_RANGES"] == ""
    assert set_status(site, 1) == "BROKEN"
    site.sql("ALTER SYSTEM VALIDATE BACKUPSET 1 TENANT = shop")
    assert ended(site)["FINDING_COUNT"] == 0 and [f["STATUS"] for f in site.sql(OPEN)] == ["OPEN"]
    assert set_status(site, 1) == "BROKEN", "to read its objects tells nothing of that"
    inside(site, "SET sql_log_bin = 0", "UPDATE t.a SET b = SHA2(id, 256) WHERE id = 77")
    assert validate(site)[1] == [] and set_status(site, 1) == "AVAILABLE"
    closed = site.sql("SELECT * FROM oceanbase.CDB_TM_VALIDATE_FINDINGS WHERE KIND = 'ROWS_DIFFER'")[0]
    assert closed["STATUS"] == "CLOSED" and closed["FIRST_SEEN_TIMESTAMP"] < closed["CLOSED_TIMESTAMP"]


def test_tables_that_are_missing_or_new_or_cannot_be_compared(site):
    inside(site, "SET sql_log_bin = 0", "CREATE TABLE t.unlogged (id INT)", "DROP TABLE t.behind")
    site.sql("CREATE TABLE t.isam (id INT) ENGINE = MyISAM", tenant="shop")
    found = {f["OBJECT"]: f for f in validate(site)[1]}
    assert {name: f["KIND"] for name, f in found.items()} == {
        "t.unlogged": "ROWS_DIFFER", "t.behind": "ROWS_DIFFER", "t.isam": "NOT_COMPARED"}
    assert "MyISAM" in found["t.isam"]["DESCRIPTION"]
    inside(site, "SET sql_log_bin = 0", "DROP TABLE t.unlogged",
           "CREATE TABLE t.behind (id INT PRIMARY KEY) AS SELECT seq AS id FROM t.seq_1_to_100")
    job, found = validate(site)
    assert [(f["KIND"], f["OBJECT"]) for f in found] == [("NOT_COMPARED", "t.isam")]
    assert job["RESULT"] == 0 and set_status(site, 1) == "AVAILABLE"
    site.sql("DROP TABLE t.isam", tenant="shop")


def crc32c(data, table=[]):
    if not table:
        for n in range(256):
            for _ in range(8):
                n = n >> 1 ^ 0x82F63B78 if n & 1 else n >> 1
            table.append(n)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


@contextlib.contextmanager
def other_pages(path, change):
    """Every page of a tablespace that `change` changes is so on the disk, with a right checksum (full_crc32)."""
    content = path.read_bytes()
    pages = [bytearray(content[at:at + PAGE]) for at in range(0, len(content), PAGE)]
    changed = 0
    for page in pages:
        assert not any(page) or crc32c(page[:-4]) == int.from_bytes(page[-4:], "big")
        if change(page):
            page[-4:] = crc32c(page[:-4]).to_bytes(4, "big")
            changed += 1
    assert changed
    with open(path, "r+b") as file:
        file.write(b"".join(bytes(p) for p in pages))
    try:
        yield
    finally:
        with open(path, "r+b") as file:
            file.write(content)


def replacing(old, new):
    def change(page):
        at = page.find(old)
        if at < 0:
            return False
        page[at:at + len(old)] = new
        return True
    return change


def test_a_set_of_a_table_whose_pages_are_damaged_though_their_checksums_are_right(site):
    """The tenant has the right ones in memory: a damaged disk, or a defect of its server."""
    inside(site, "SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0, GLOBAL innodb_io_capacity_max = 20000, GLOBAL innodb_io_capacity = 20000",
           "SET GLOBAL innodb_max_dirty_pages_pct = 0")
    wait_for("pages to be written", lambda: inside(
        site, "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")[0]["Value"] == "0", 30)
    checksums(site, "shop")
    data = site.data / "t" / str(site.tenant) / "data" / "t"
    hash_of = {i: inside(site, f"SELECT b FROM t.c WHERE id = {i}")[0]["b"].encode() for i in (5, 6)}
    key = lambda n: (n ^ 1 << 31).to_bytes(4, "big")
    with other_pages(data / "c.ibd", replacing(hash_of[5], hash_of[5].replace(b"a", b"b", 1))), \
            other_pages(data / "a.ibd", replacing(key(1500), key(2999))):
        assert site.backup("shop")["COMMENT"] == "", "the checksums are right"
    job, found = validate(site, "2")
    assert {(f["KIND"], f["OBJECT"], f["BACKUP_SET_ID"]) for f in found if f["BACKUP_SET_ID"] == 2} == {
        ("ROWS_DIFFER", "t.c", 2), ("TABLE_DAMAGED", "t.a", 2)}, found
    assert set_status(site, 2) == "BROKEN" and set_status(site, 1) == "AVAILABLE" and job["RESULT"] == -4103
    validate(site, "1")
    assert {f["BACKUP_SET_ID"] for f in site.sql(OPEN)} == {2}


def slow(site, seconds):
    return site.reading_takes(
        seconds, site.scalar("SELECT OUTPUT_BYTES FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE BACKUP_SET_ID = 1"))


def test_cancel(site):
    with slow(site, 4):
        begin(site, "1")
        wait_for("files to be restored", lambda: last_job(site)["STAGE"] == "RESTORE_DATA", 60)
        began = time.monotonic()
        site.sql("ALTER SYSTEM CANCEL VALIDATE TENANT = shop")
        job = ended(site)
        assert time.monotonic() - began < 5
    assert job["STATUS"] == "CANCELED" and job["RESULT"] == -4072
    nothing_is_left(site)


def test_cancel_while_tables_are_checked(site):
    begin(site, "1")
    server = wait_for("the server to run", lambda: throwaways(site), 60)[0]
    os.kill(server, 19)  # SIGSTOP: whoever waits for it waits for long
    began = time.monotonic()
    site.sql("ALTER SYSTEM CANCEL VALIDATE TENANT = shop")
    job = ended(site)
    assert time.monotonic() - began < 5 and job["STATUS"] == "CANCELED"
    nothing_is_left(site)


def test_it_goes_on_after_kill_9(site):
    begin(site, "1")
    wait_for("the server to run", lambda: throwaways(site), 60)
    before = last_job(site)
    site.kill()
    site.start()
    job = ended(site)
    assert job["JOB_ID"] == before["JOB_ID"] and job["STATUS"] == "COMPLETED", job
    assert job["FINISH_BYTES"] == job["TOTAL_BYTES"]
    nothing_is_left(site)


def found_of(node, number):
    """What is open of one set: tests before have left something of others."""
    return [f for f in node.sql(OPEN) if f["BACKUP_SET_ID"] == number]


def finds_nothing_any_more(node, number):
    validate(node, number)
    assert found_of(node, number) == []


@contextlib.contextmanager
def slow_table(node, rows):
    """Rows that take 1 KB each, and 8 MB when they are read: a small table that is read for long. In no log, where they
    would take 8 MB as well."""
    inside(node, "SET sql_log_bin = 0", "CREATE TABLE t.one (b LONGBLOB COMPRESSED)",
           "INSERT INTO t.one VALUES (REPEAT('abcdefgh', 1000000))",
           "CREATE TABLE t.slow (id INT PRIMARY KEY AUTO_INCREMENT, b LONGBLOB COMPRESSED)",
           f"INSERT INTO t.slow (b) SELECT one.b FROM t.one, t.seq_1_to_{rows}", "DROP TABLE t.one")
    try:
        yield
    finally:
        inside(node, "SET sql_log_bin = 0", "DROP TABLE IF EXISTS t.slow")


def readings(node):
    """Ids of the sessions that read the slow table."""
    return {row["Id"] for row in inside(node, "SHOW FULL PROCESSLIST")
            if "CHECKSUM TABLE `t`.`slow`" in (row["Info"] or "")}


def test_ddl_waits_for_a_moment_while_its_table_is_read(site):
    with slow_table(site, 3000):
        begin(site, "1")
        wait_for("the table to be read", lambda: readings(site), 60)
        began = time.monotonic()
        inside(site, "SET sql_log_bin = 0", "ALTER TABLE t.slow COMMENT = 'in a hurry'")
        assert time.monotonic() - began < 3
        assert ended(site)["RESULT"] == 0
    (found,) = found_of(site, 1)
    assert (found["KIND"], found["OBJECT"]) == ("NOT_COMPARED", "t.slow") and "DDL" in found["DESCRIPTION"], found
    finds_nothing_any_more(site, 1)


def test_what_kill_9_leaves_running_in_the_tenant_is_ended(site):
    with slow_table(site, 3000):
        begin(site, "1")
        left = wait_for("the table to be read", lambda: readings(site), 60)
        site.kill()
        assert readings(site) == left, "the server does not care whether anybody waits for the answer"
        site.start()
        wait_for("the reading that was left to be ended", lambda: not readings(site) & left, 10)
    assert ended(site)["STATUS"] == "COMPLETED"
    nothing_is_left(site)
    finds_nothing_any_more(site, 1)


def test_a_node_that_ends_its_server_is_not_the_sets_fault(site):
    with again_and_again(lambda: [os.kill(pid, 9) for pid in throwaways(site)], every=0.01):
        begin(site, "1")
        job = ended(site)
    assert job["STATUS"] == "FAILED" and job["RESULT"] == -4179 and "says nothing of the set" in job["COMMENT"], job
    assert set_status(site, 1) == "AVAILABLE" and found_of(site, 1) == []
    nothing_is_left(site)


def test_a_set_on_whose_files_no_server_starts(site):
    """As if they had been stored so. A server that holds nothing starts all the same, so it is no fault of the node."""
    data = site.data / "v" / str(site.tenant) / "data"

    def spoil():
        file = data / "mysql" / "global_priv.frm"
        if (data / "t" / "a.ibd").exists() and any(file.read_bytes()):
            file.write_bytes(bytes(file.stat().st_size))
    with again_and_again(spoil, every=0.01):
        job, _ = validate(site, "1")
    assert [f["KIND"] for f in found_of(site, 1)] == ["NOT_RESTORABLE"]
    assert set_status(site, 1) == "BROKEN" and job["LOST_BACKUP_SETS"] == "1" and job["RESULT"] == -4103
    finds_nothing_any_more(site, 1)
    assert set_status(site, 1) == "AVAILABLE"


def test_the_log_that_a_set_carries_is_replayed_where_the_archive_does_not_lead_on(site):
    job = site.start_backup("shop", "PLUS ARCHIVELOG")
    number = site.wait_backup("shop", job)["BACKUP_SET_ID"]
    for i in range(3):
        site.sql("INSERT INTO t.a VALUES (%s, 'behind it')", [90000 + i], tenant="shop")
        site.archived_now("shop")
    segments = sorted((site.backups / "shop_log").glob("**/log/*.obarc"), key=lambda path: path.stat().st_mtime_ns)
    missing, away = segments[-2], site.backups / "away"
    missing.rename(away)
    try:
        validate(site, number)
        found = {f["KIND"]: f for f in found_of(site, number)}
    finally:
        away.rename(missing)
    assert "restored with the log that it carries, up to SCN " in found["NOT_COMPARED"]["DESCRIPTION"], found
    assert set_status(site, number) == "AVAILABLE"
    finds_nothing_any_more(site, number)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_the_tenants_keep_their_room(site):
    place = site.data / "v"
    mount = lambda *options: subprocess.run(["mount", *options, place], check=True)
    mount("-t", "tmpfs", "-o", "size=1100m", "tmpfs")
    try:
        begin(site, "1")
        job = ended(site)
        assert job["STATUS"] == "FAILED" and job["RESULT"] == -9082, job
        assert "1024 MiB have to stay free for the tenants" in job["COMMENT"] and "needs" in job["COMMENT"]
        nothing_is_left(site)
        mount("-o", "remount,size=4000m")
        with slow(site, 4):
            begin(site, "1")
            wait_for("files to be restored", lambda: last_job(site)["STAGE"] == "RESTORE_DATA" and last_job(
                site)["FINISH_BYTES"] > 0 and list(place.glob("*/data/ibdata1")), 60)
            with open(place / "theirs", "wb") as theirs:
                os.posix_fallocate(theirs.fileno(), 0, 3200 << 20)
            job = ended(site)
        assert job["STATUS"] == "FAILED" and job["RESULT"] == -9082 and "replaying the log" in job["COMMENT"], job
        (place / "theirs").unlink()
        nothing_is_left(site)
    finally:
        subprocess.run(["umount", "-l", place], check=True)
    assert set_status(site, 1) == "AVAILABLE"
    finds_nothing_any_more(site, 1)


def test_a_set_whose_log_does_not_reach_the_present_is_restored_and_not_compared(site):
    """Last: from here on that of set 1 does not."""
    site.sql("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
    site.wait_archive("shop", "STOP")
    try:
        (found,) = [f for f in validate(site, "1")[1] if f["BACKUP_SET_ID"] == 1]
        assert found["KIND"] == "NOT_COMPARED" and found["OBJECT"] == f"{site.uri('shop_data')}/backup_set_1_full"
    finally:
        site.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
        site.wait_archive("shop", "DOING")
