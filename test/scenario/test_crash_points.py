"""Every place where the code says that the daemon might end (src/base/crash_point.h): it ends there, as by kill -9, and is
started again. Then each job has gone on, or says why not; nothing is orphaned at the destination, in the catalog or in a
tenant; and the next backup and restore are exact.

`./dev test` visits some, at random: TIDEMARK_SEED=<printed seed> chooses the same again. All of them:
`./dev test scenario --all-crash-points -k crash_point`; `./dev soak` does it, too. A name that nothing visits is a failure.
"""
import contextlib
import pathlib
import signal
import subprocess
import time

import pymysql
import pymysql.cursors
import pytest

from load import Ledger
from node import BIN, Node, checksums, wait_for

ALL = subprocess.run([BIN / "tidemarkd", "--crash-points"], capture_output=True, text=True, check=True).stdout.split()
SHORT_RUN = 75  # seconds


class Site:
    """A node with tenant `shop`, archived and backed up, and tenant `other`, which stands for all the rest."""

    def __init__(self):
        self.node = Node(options=["--piece-interval", "10"])
        self.node.start()
        self.node.create_tenant("shop")
        self.node.create_tenant("other", memory="128M")
        self.node.create_pool("p_half")
        self.node.create_pool("p_new", memory="128M")
        self.node.start_archive("shop")
        self.node.sql("CREATE DATABASE d", tenant="shop")
        self.node.sql("CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(200))", tenant="shop")
        self.written = 0
        self.places = 0
        self.round_with_set = None
        self.write(2000)
        self.make_ready()
        self.accounts = self.accounts_of_shop()

    def write(self, rows):
        self.node.sql(f"INSERT INTO d.t (a) SELECT SHA2(seq, 512) FROM d.seq_1_to_{rows}", tenant="shop")
        self.written += rows

    def id_of(self, tenant):
        return self.node.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [tenant])

    def inside(self, tenant_id, statement):
        """By the daemon's own account, past the daemon."""
        with contextlib.closing(pymysql.connect(
                unix_socket=str(self.node.data / "t" / str(tenant_id) / "s"), user="tidemark",
                password=self.node.daemon_password(tenant_id), autocommit=True,
                cursorclass=pymysql.cursors.DictCursor)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def catalog(self, statement):
        return self.inside(1, statement)

    def accounts_of_shop(self):
        return {(r["User"], r["Host"]) for r in self.inside(self.id_of("shop"), "SELECT User, Host FROM mysql.user")}

    def make_ready(self):
        """The archive runs, and has a set in its present round."""
        if self.node.archive("shop")["STATUS"] == "STOP":
            self.node.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
        now = self.node.wait_archive("shop", "DOING")["ROUND_ID"]
        if now != self.round_with_set:
            assert self.node.backup("shop")["STATUS"] == "COMPLETED"
            self.round_with_set = now

    # --- what leads to the points ---

    def set_destination(self):
        self.places += 1
        self.node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{self.node.uri(f'place{self.places}')}' TENANT = other")
        self.node.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION={self.node.uri(f'log{self.places}')}' TENANT = other")

    def create_and_drop(self):
        self.node.sql("CREATE TENANT new RESOURCE_POOL_LIST = ('p_new')")
        self.node.sql("DROP TENANT new FORCE")

    def new_round(self):
        self.node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
        self.node.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
        for _ in range(30):
            self.write(10)
            time.sleep(0.5)  # so long does a piece last that switches by time: the daemon ends somewhere here

    def backup(self):
        self.write(50)
        self.node.backup("shop")

    def backup_with_log(self):
        """There is log behind the copy: rows are written all the time."""
        with Ledger(self.node, "shop", writers=1):
            job = self.node.start_backup("shop", "PLUS ARCHIVELOG")
            self.node.wait_backup("shop", job)

    def cancelled_backup(self):
        self.node.start_backup("shop")
        begun = wait_for("the set to be begun", lambda: self.node.sql(
            "SELECT BACKUP_SET_ID AS id FROM oceanbase.CDB_OB_BACKUP_TASKS"))[0]["id"]
        # Else there may be nothing to be cleaned.
        wait_for("something to be stored", lambda: list(
            (self.node.backups / "shop_data").glob(f"backup_set_{begun}_full/**/*")))
        self.node.sql("ALTER SYSTEM CANCEL BACKUP TENANT = shop")
        self.node.wait_backup("shop", self.node.scalar("SELECT MAX(JOB_ID) FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY"))

    def remove_older_sets(self):
        """By a policy, which runs at once. What is obsolete waits for it to begin, if the daemon lives that long."""
        self.write(50)
        self.node.backup("shop")
        self.node.sql("ALTER SYSTEM SET backup_clean_interval = '1s'")
        self.node.sql("ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' REDUNDANCY 1 TENANT = shop")
        self.node.sql("ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = shop")
        time.sleep(2)  # the policy's own run is due

    def start_restore(self, method="full"):
        node = self.node
        node.sql(f"ALTER SYSTEM RESTORE half FROM '{node.uri('shop_data')},{node.uri('shop_log')}'"
                 f" WITH 'pool_list=p_half&method={method}'")

    def restore(self):
        self.write(50)
        self.node.archived_now("shop")
        self.start_restore()
        self.node.wait_restore("half")

    def quick_restore(self):
        self.write(50)
        self.node.archived_now("shop")
        self.start_restore("quick")
        self.node.wait_restore("half")

    def cancelled_restore(self):
        self.start_restore()
        self.node.sql("ALTER SYSTEM CANCEL RESTORE half")
        self.node.wait_restore("half")

    def activate(self):
        self.restore()
        self.node.sql("ALTER SYSTEM ACTIVATE STANDBY TENANT = half")

    def validate(self):
        self.node.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = shop")
        self.validated()

    def validate_with_restore(self):
        self.node.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = shop WITH RESTORE")
        self.validated()

    def validated(self):
        wait_for("all validations to be over", lambda: not self.node.sql(
            "SELECT 1 FROM oceanbase.CDB_TM_VALIDATE_JOBS WHERE END_TIMESTAMP IS NULL"), 60)

    # --- what has to hold afterwards ---

    def check(self):
        with contextlib.suppress(pymysql.Error):  # without one there is none to be dropped
            self.node.sql("ALTER SYSTEM DROP DELETE BACKUP POLICY 'default' TENANT = shop")
        self.check_jobs()
        self.check_tenants()
        self.check_shop()
        if self.id_of("half"):
            assert checksums(self.node, "half")["d.t"], "what was restored can be read"
            self.node.drop("half")
        if self.id_of("new"):
            assert self.node.scalar("SELECT 1", tenant="new") == 1
            self.node.drop("new")
        if self.places:
            self.set_again()
        self.make_ready()

    def check_jobs(self):
        wait_for("all jobs to be over", lambda: not self.node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_JOBS"), 120)
        wait_for("all deletions to be over", lambda: not self.node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_DELETE_JOBS"), 60)
        assert not self.catalog("SELECT * FROM tidemark.backup_set WHERE file_status = 'DELETING'")
        wait_for("all restores to be over", lambda: not self.node.sql("SELECT 1 FROM oceanbase.CDB_OB_RESTORE_PROGRESS"), 120)
        for job in self.node.sql("SELECT STATUS, COMMENT FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY"
                                 " UNION ALL SELECT STATUS, COMMENT FROM oceanbase.CDB_OB_RESTORE_HISTORY WHERE TENANT_ID = 1"):
            assert job["STATUS"] in {"COMPLETED", "SUCCESS"} or job["COMMENT"], f"it says why: {job}"
        self.validated()
        assert not self.node.sql("SELECT * FROM oceanbase.CDB_TM_VALIDATE_JOBS WHERE STATUS <> 'COMPLETED' OR RESULT <> 0")
        wait_for("no work without end", lambda: not self.catalog("SELECT * FROM tidemark.work"), 30)
        for table in "backup_job", "backup_task", "restore_job", "delete_job", "delete_task":
            assert not self.catalog(f"SELECT * FROM tidemark.{table}"), table
        assert not self.catalog("SELECT * FROM tidemark.backup_set WHERE status = 'DOING'")

    def check_tenants(self):
        tenants = self.catalog("SELECT tenant_id AS id, name, status FROM tidemark.tenant")
        assert {t["status"] for t in tenants} == {"NORMAL"}, tenants
        directories = {p.name for p in (self.node.data / "t").iterdir()}
        assert directories == {str(t["id"]) for t in tenants}
        assert not list((self.node.data / "v").iterdir()), "a validation's server"
        wait_for("a mariadbd per tenant", lambda: len(self.node.mariadbd_pids()) == len(tenants), 20)
        wait_for("no helper to be left", lambda: not self.node.processes("mariadb-backup"), 20)
        wait_for("no mount to be left", lambda: not self.node.mounts() and not self.node.processes("tidemark-mount"), 20)
        names = {t["name"] for t in tenants}
        assert {"sys", "shop", "other"} <= names <= {"sys", "shop", "other", "half", "new"}

    def check_shop(self):
        """Nothing that a backup or a restore has put into it is left, and it has all its rows."""
        wait_for("shop to answer", self.shop_answers, 60)
        shop = self.id_of("shop")
        self.inside(shop, "SET SESSION lock_wait_timeout = 10")
        self.inside(shop, "BACKUP STAGE START")  # its session, and with it the lock, ends at once
        assert self.accounts_of_shop() == self.accounts
        assert not self.inside(shop, "SHOW ALL SLAVES STATUS")
        assert self.node.scalar("SELECT COUNT(*) FROM d.t", tenant="shop") >= self.written
        assert not list(self.node.data.glob("t/*/mariabackup*"))

    def shop_answers(self):
        with contextlib.suppress(pymysql.Error):
            return self.node.scalar("SELECT 1", tenant="shop") == 1

    def set_again(self):
        """What an end has interrupted, the same statement completes."""
        self.places -= 1
        self.set_destination()
        self.places = 0

    def prove(self):
        """The next backup and restore are exact, and what was left at the destination is gone or known."""
        self.write(20)
        assert self.node.backup("shop")["STATUS"] == "COMPLETED"
        self.node.archived_now("shop")
        self.node.restore("half", "shop", activate=False)
        assert checksums(self.node, "half")["d.t"] == checksums(self.node, "shop")["d.t"]
        self.node.drop("half")
        self.check_destination()

    def check_destination(self):
        data = self.node.backups / "shop_data"
        markers = [p.name for p in (data / "backup_sets").iterdir()]
        whole = {name.split("_end_success_")[0] for name in markers if "_end_success_" in name}
        assert {name.removesuffix("_start.obbak") for name in markers if name.endswith("_start.obbak")} == whole
        assert {p.name for p in data.glob("backup_set_*")} == whole
        known = {f"backup_set_{r['backup_set_id']}_full" for r in
                 self.catalog("SELECT backup_set_id FROM tidemark.backup_set WHERE status = 'SUCCESS'"
                              " AND file_status <> 'DELETED'")}
        assert whole == known, "a set that can be restored is a success in the catalog, and the other way round"
        assert not unfinished(data)
        wait_for("the catalog to know all pieces", lambda: self.pieces_at_destination() <= self.pieces_in_catalog(), 20)

    def pieces_at_destination(self):
        return {p.name.split("_start_")[0] for p in (self.node.backups / "shop_log" / "pieces").glob("*_start_*")}

    def pieces_in_catalog(self):
        return {f"piece_d{r['dest_id']}r{r['round_id']}p{r['piece_id']}" for r in
                self.catalog("SELECT dest_id, round_id, piece_id FROM tidemark.archive_piece")}


def unfinished(directory):
    """Objects that were being written a minute ago are nobody's."""
    return [p for p in pathlib.Path(directory).rglob(".unfinished*")]


PATHS = {
    "storage": Site.backup,
    "destination": Site.set_destination,
    "tenant": Site.create_and_drop,
    "archive": Site.new_round,
    "backup": Site.backup,
    "backup.log-chosen": Site.backup_with_log,
    "backup.log-segment-copied": Site.backup_with_log,
    "backup.log-copied": Site.backup_with_log,
    "backup.cleaning": Site.cancelled_backup,
    "clean": Site.remove_older_sets,
    "restore": Site.restore,
    "restore.failure-noted": Site.cancelled_restore,
    "restore.tenant-removed": Site.cancelled_restore,
    "quick": Site.quick_restore,
    "activate": Site.activate,
    "validate": Site.validate,
    "validate.server-made": Site.validate_with_restore,
    "validate.restored": Site.validate_with_restore,
    "validate.server-started": Site.validate_with_restore,
    "validate.replayed": Site.validate_with_restore,
    "validate.tables-checked": Site.validate_with_restore,
}


def path_to(point):
    return PATHS.get(point) or PATHS[point.split(".")[0]]


def started_with(node, point):
    """False: the daemon ended at the point while it started."""
    try:
        node.start(crash_at=point)
        return True
    except AssertionError:
        assert node.process.returncode == -signal.SIGKILL
        return False


def ends_at_point(node, point, path):
    """Runs `path` until the daemon ends."""
    if started_with(node, point):
        with contextlib.suppress(pymysql.Error, AssertionError):
            path()
        with contextlib.suppress(subprocess.TimeoutExpired):
            node.process.wait(10)
    assert node.process.poll() == -signal.SIGKILL, f"nothing visits {point}"


def visit(site, point, proof):
    print(f"crash point: {point}")
    site.node.terminate()
    ends_at_point(site.node, point, lambda: path_to(point.split(":")[0])(site))
    site.node.start()
    site.check()
    if proof:
        site.prove()


def visit_schema(point):
    """The first start of a node, and the one after it."""
    node = Node()
    try:
        ends_at_point(node, point, lambda: None)
        node.start()
        assert node.scalar("SELECT COUNT(*) FROM oceanbase.DBA_OB_TENANTS") == 1
        node.create_tenant("first")
    finally:
        node.destroy()


def nth_of(rng, point):
    """Some points are passed many times: one of the first visits."""
    most = {"storage": 12, "schema": 3, "restore.file-written": 40, "archive.progress-recorded": 3,
            "archive.segment-sealed": 3}
    return f"{point}:{rng.randint(1, most.get(point) or most.get(point.split('.')[0], 1))}"


class Sites:
    """A test that fails leaves a broken one behind: the next gets another."""

    def __init__(self):
        self.site = None

    @contextlib.contextmanager
    def borrow(self):
        self.site = self.site or Site()
        try:
            yield self.site
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.site:
            self.site.node.destroy()
        self.site = None


@pytest.fixture(scope="module")
def sites():
    made = Sites()
    try:
        yield made
    finally:
        made.close()


def test_each_crash_point_has_a_path_to_it():
    assert [p for p in ALL if p not in PATHS and p.split(".")[0] not in {*PATHS, "schema"}] == []


def test_some_crash_points(sites, rng, request):
    if request.config.getoption("--all-crash-points"):
        pytest.skip("all of them are visited")
    end = time.monotonic() + SHORT_RUN
    points = list(ALL)
    rng.shuffle(points)
    with sites.borrow() as site:
        visited = 0
        while time.monotonic() < end and points:
            point = nth_of(rng, points.pop())
            if point.startswith("schema"):
                continue  # catalog_test.cpp's, and of the long run
            visit(site, point, proof=False)
            visited += 1
        site.prove()
    assert visited >= 3


def test_crash_point(sites, rng, crash_point):
    if crash_point is None:
        pytest.skip("all of them are visited with --all-crash-points only")
    if crash_point.startswith("schema"):
        return visit_schema(nth_of(rng, crash_point))
    with sites.borrow() as site:
        visit(site, nth_of(rng, crash_point), proof=True)


def pytest_generate_tests(metafunc):
    if "crash_point" in metafunc.fixturenames:
        metafunc.parametrize("crash_point", ALL if metafunc.config.getoption("--all-crash-points") else [None])
