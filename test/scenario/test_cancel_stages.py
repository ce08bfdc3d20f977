"""CANCEL BACKUP at every stage of a backup: CANCELING, then CANCELED within five seconds, seen through the port; and nothing
is left at the destination or in the tenant."""
import contextlib
import os
import time

import pymysql
import pytest

from hangs import away
from load import fill
from node import wait_for
from sampler import Sampler, in_order

LIMIT = 5.0  # seconds
SEEN = ["INIT", "BACKUP_SYS_META", "BACKUP_USER_META", "BACKUP_DATA_SYS", "BACKUP_DATA_MINOR", "BACKUP_DATA_MAJOR"]


class Site:
    """A tenant that is archived, and what it and its destination are like while no backup runs."""

    def __init__(self, node):
        self.node = node
        self.id = node.create_tenant("shop")
        fill(node, "shop", 15)
        node.sql("CREATE TABLE fill.aria (id INT PRIMARY KEY) ENGINE=Aria", tenant="shop")
        node.start_archive("shop")
        self.destination = node.backups / "shop_data"
        self.log = node.backups / "shop_log"
        self.before = self.state()
        self.at_destination = objects(self.destination)

    @contextlib.contextmanager
    def inside(self):
        """By the daemon's own account, past the daemon."""
        with contextlib.closing(pymysql.connect(
                unix_socket=str(self.node.data / "t" / str(self.id) / "s"), user="tidemark",
                password=self.node.daemon_password(self.id), autocommit=True,
                cursorclass=pymysql.cursors.DictCursor)) as connection, connection.cursor() as cursor:
            yield cursor

    def state(self):
        """Settings and accounts."""
        moving = ("gtid", "timestamp", "pseudo", "rand_seed", "identity", "last_insert_id", "wsrep", "version")
        with self.inside() as cursor:
            cursor.execute("SELECT User, Host FROM mysql.user ORDER BY 1, 2")
            accounts = cursor.fetchall()
            cursor.execute("SHOW GLOBAL VARIABLES")
            return accounts, {r["Variable_name"]: r["Value"] for r in cursor.fetchall()
                              if not r["Variable_name"].startswith(moving)}

    def start(self, options=""):
        return self.node.start_backup("shop", options)

    def limit(self, bytes_per_second, what="backup_io_limit"):
        self.node.sql(f"ALTER SYSTEM SET {what} = '{bytes_per_second}'")

    def status(self):
        return self.node.scalar("SELECT STATUS FROM oceanbase.CDB_OB_BACKUP_TASKS WHERE TENANT_ID <> 1")

    def copy_log(self):
        """What mariadb-backup says of its stages."""
        return "".join(path.read_text(errors="replace")
                       for path in (self.node.data / "t" / str(self.id)).glob("tidemark-*/log"))

    def waits_in(self, stage):
        """mariadb-backup's statement waits for others of the tenant."""
        with self.inside() as cursor:
            return cursor.execute("SELECT 1 FROM information_schema.processlist WHERE INFO LIKE %s AND TIME_MS > 200",
                                  [f"BACKUP STAGE {stage}%"])

    def cancelled(self, job, seen_by):
        """Cancels, and has the end within the limit. Returns what was seen of the task before."""
        jobs, tasks = seen_by
        begin = time.monotonic()
        self.node.sql("ALTER SYSTEM CANCEL BACKUP TENANT = shop")
        end = self.node.wait_backup("shop", job, 30)
        took = time.monotonic() - begin
        assert (end["STATUS"], end["RESULT"]) == ("CANCELED", -4072), end
        assert took < LIMIT, f"{took:.1f} s"
        assert not self.node.processes("mariadb-backup")
        seen = in_order([row["STATUS"] for _, row in jobs.rows(JOB_ID=job, TENANT_ID=self.id)])
        stages = in_order([row["STATUS"] for _, row in tasks.rows(JOB_ID=job)])
        print(f"cancelled in {took:.2f} s, seen: {seen}, {stages}")
        assert seen in (["DOING", "CANCELING"], ["INIT", "DOING", "CANCELING"], ["INIT", "CANCELING"], ["CANCELING"]), seen
        if stages:
            assert stages[-1] == "CANCELING" and "CANCELING" not in stages[:-1], stages
        return stages[:-1]

    def nothing_left(self):
        """The cleaner comes after the end."""
        wait_for("what is left of it to be removed", lambda: objects(self.destination) == self.at_destination, 20)
        wait_for("the cleaner to end", lambda: not self.node.work("clean"), 20)
        assert not list((self.node.data / "t" / str(self.id)).glob("tidemark-*"))
        assert self.state() == self.before
        with self.inside() as cursor:
            cursor.execute("SET SESSION lock_wait_timeout = 5")
            cursor.execute("BACKUP STAGE START")  # its session ends at once, and with it the lock
        assert not self.node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE STATUS = 'DOING'")
        assert not self.node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_TASKS")


def objects(directory):
    """Whole and unfinished ones, and directories; some may go meanwhile."""
    return {os.path.relpath(os.path.join(place, name), directory) for place, directories, files in os.walk(directory)
            for name in directories + files} - {"check_file"}


@pytest.fixture(scope="module")
def site(shared_node):
    return Site(shared_node)


@pytest.fixture
def seen_by(site):
    """Who looks at the jobs, and at the tasks, while the test runs. It leaves no job and no limit."""
    with Sampler(site.node, "SELECT * FROM oceanbase.CDB_OB_BACKUP_JOBS", every=0.01) as jobs, \
            Sampler(site.node, "SELECT * FROM oceanbase.CDB_OB_BACKUP_TASKS", every=0.01) as tasks:
        yield jobs, tasks
    site.limit("0M")
    site.limit("0M", "backup_net_limit")
    site.node.sql("ALTER SYSTEM CANCEL BACKUP")
    wait_for("no backup", lambda: not site.node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_JOBS"))


@pytest.mark.parametrize("stage", SEEN)
def test_at_first_sight_of_a_stage(site, seen_by, stage):
    """Short ones are hit at the second or third attempt. The backup itself may be a stage ahead of what is shown."""
    site.limit("64M")
    for _ in range(8):
        job = site.start()
        reached = "INIT" if stage == "INIT" else wait_for(
            "the stage", lambda: (s := site.status()) and SEEN.index(s) >= SEEN.index(stage) and s)
        seen = site.cancelled(job, seen_by)
        site.nothing_left()
        if reached == stage:
            assert set(seen) <= set(SEEN)
            return
    raise AssertionError(f"no chance to see {stage}")


def test_while_the_copy_waits_to_begin(site, seen_by):
    with contextlib.closing(site.node.connect("shop")) as session, session.cursor() as cursor:
        cursor.execute("LOCK TABLES fill.t WRITE")
        job = site.start()
        wait_for("the copy to wait", lambda: site.waits_in("START"))
        site.cancelled(job, seen_by)
    site.nothing_left()


def test_while_the_copy_waits_for_ddl_to_end(site, seen_by):
    site.limit("64K")
    with contextlib.closing(site.node.connect("shop")) as session, session.cursor() as cursor:
        job = site.start()
        wait_for("the copy to have begun", lambda: "Acquired locks for BACKUP STAGE START" in site.copy_log())
        cursor.execute("LOCK TABLES fill.aria WRITE")
        site.limit("0M")
        wait_for("the copy to wait", lambda: site.waits_in("BLOCK_DDL"))
        site.cancelled(job, seen_by)
        cursor.execute("INSERT INTO fill.aria VALUES (1)")
        cursor.execute("DELETE FROM fill.aria")
    site.nothing_left()


def test_while_the_copy_holds_up_commits(site, seen_by):
    """A commit that waits for a semi-synchronous replica is not over, and mariadb-backup waits for it."""
    with site.inside() as cursor:
        cursor.execute("SET GLOBAL rpl_semi_sync_master_timeout = 60000, GLOBAL rpl_semi_sync_master_enabled = 1")
    commit = site.node.connect("shop")
    try:
        job = site.start()
        wait_for("the copy to have begun", lambda: "Acquired locks for BACKUP STAGE START" in site.copy_log())
        commit._execute_command(pymysql.constants.COMMAND.COM_QUERY, "REPLACE INTO fill.t VALUES (1, 'a', 'b')")
        wait_for("the copy to wait", lambda: site.waits_in("BLOCK_COMMIT"))
        site.cancelled(job, seen_by)
    finally:
        with site.inside() as cursor:
            cursor.execute("SET GLOBAL rpl_semi_sync_master_enabled = 0, GLOBAL rpl_semi_sync_master_timeout = DEFAULT")
        commit.close()
    site.nothing_left()


def test_while_it_waits_for_the_archive(site, seen_by):
    with away(site.log):
        job = site.start()
        wait_for("it to wait", lambda: site.status() == "BEFORE_BACKUP_LOG")
        wait_for("the work to say so", lambda: site.node.work("backup")[0]["waiting_for"])
        assert site.cancelled(job, seen_by)[-1] == "BEFORE_BACKUP_LOG"
    site.nothing_left()


def test_while_it_waits_for_its_destination(site, seen_by):
    site.limit("1M")
    job = site.start()
    wait_for("something to be stored", lambda: list(site.destination.rglob("*macro_block_data*")) or list(
        site.destination.rglob(".unfinished*")))
    with away(site.destination):
        site.limit("0M")
        wait_for("it to wait", lambda: [w for w in site.node.work("backup") if w["waiting_for"]])
        site.cancelled(job, seen_by)
    site.nothing_left()


def test_while_the_log_is_copied(site, seen_by):
    site.limit("4M", "backup_net_limit")
    with away(site.log):
        job = site.start("PLUS ARCHIVELOG")
        wait_for("it to wait", lambda: site.status() == "BEFORE_BACKUP_LOG")
        site.node.sql("REPLACE INTO fill.t SELECT seq, SHA2(RAND(), 512), SHA2(RAND(), 512) FROM fill.seq_1_to_60000",
                      tenant="shop")
    wait_for("the log to be copied", lambda: site.status() == "BACKUP_LOG" and site.node.sql(
        "SELECT 1 FROM oceanbase.CDB_OB_BACKUP_TASKS WHERE LOG_FILE_COUNT > 0"))
    assert site.cancelled(job, seen_by)[-1] == "BACKUP_LOG"
    site.nothing_left()


def test_the_next_one_succeeds(site):
    assert site.node.backup("shop")["STATUS"] == "COMPLETED"
