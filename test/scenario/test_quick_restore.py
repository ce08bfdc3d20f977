"""method=quick: a tenant that answers while its files are still at the destination, whatever dies meanwhile; and one that
is as any other when they are here."""
import contextlib
import json
import os
import pathlib
import signal

import pymysql
import pytest

from node import Node, checksums, wait_for
from sampler import Sampler, in_order

if not os.access("/dev/fuse", os.R_OK | os.W_OK) or os.geteuid() != 0:
    pytest.skip("mounting needs root and FUSE", allow_module_level=True)

PAGE = "SELECT * FROM oceanbase.CDB_OB_RESTORE_PROGRESS WHERE TENANT_ID <> 1"
REMOTE = "QUICK_RESTORE_FINISH"


@pytest.fixture(scope="module")
def shop():
    node = Node()
    try:
        node.start()
        node.create_tenant("shop")
        node.start_archive("shop")
        node.sql("CREATE DATABASE app", tenant="shop")
        node.sql("CREATE TABLE app.t (id INT PRIMARY KEY, v VARBINARY(4000))", tenant="shop")
        node.sql("CREATE TABLE app.aria (id INT PRIMARY KEY, v VARCHAR(100)) ENGINE=Aria", tenant="shop")
        node.sql("INSERT INTO app.t SELECT seq, RANDOM_BYTES(1000) FROM seq_1_to_12000", tenant="shop", database="app")
        node.sql("INSERT INTO app.aria SELECT seq, MD5(seq) FROM seq_1_to_500", tenant="shop", database="app")
        # A clean end, so that the redo log which the set has is short: else applying it would make all of this local.
        node.sql("ALTER SYSTEM SHUTDOWN")
        node.process.wait(60)
        node.start()
        wait_for("the tenant to be archived again", lambda: node.archive("shop")["STATUS"] == "DOING", 30)
        assert node.backup("shop")["STATUS"] == "COMPLETED"
        node.sql("INSERT INTO app.t SELECT seq, RANDOM_BYTES(100) FROM seq_20001_to_20500", tenant="shop", database="app")
        node.archived_now("shop")
        node.sum = checksums(node, "shop")
        yield node
    finally:
        node.destroy()


def start_restore(node, name):
    if not node.sql("SELECT 1 FROM oceanbase.DBA_OB_RESOURCE_POOLS WHERE NAME = %s", [f"p_{name}"]):
        node.create_pool(f"p_{name}")
    with contextlib.closing(node.connect()) as session, session.cursor() as cursor:
        start_restore_in(cursor, node, name)


def start_restore_in(cursor, node, name):
    cursor.execute(f"ALTER SYSTEM RESTORE {name} FROM '{node.uri('shop_data')},{node.uri('shop_log')}'"
                   f" WITH 'pool_list=p_{name}&method=quick'")


def status(node):
    rows = node.sql(PAGE)
    return rows[-1]["STATUS"] if rows else None


def mode(node, tenant):
    return node.scalar("SELECT RESTORE_DATA_MODE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [tenant])


@contextlib.contextmanager
def fetching_slowly(node, limit="200K"):
    """So slowly that it does not end before it is allowed to."""
    node.sql(f"ALTER SYSTEM SET restore_net_limit = '{limit}'")
    try:
        yield
    finally:
        node.sql("ALTER SYSTEM SET restore_net_limit = '0M'")


def refusal(node, statement, **options):
    with pytest.raises(pymysql.MySQLError) as caught:
        node.sql(statement, **options)
    return caught.value.args[0]


def answer(node, tenant):
    with contextlib.suppress(pymysql.MySQLError):
        return node.sql("SELECT COUNT(*) AS n FROM app.mine", tenant=tenant)[0]["n"]
    return None


def mount_pid(node):
    return wait_for("a tidemark-mount", lambda: node.processes("tidemark-mount"), 30)[0]


def data_of(node, tenant):
    tenant_id = node.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [tenant])
    return node.data / "t" / str(tenant_id) / "data"


class Written:
    """Rows that were acknowledged, one by one."""

    def __init__(self, node, tenant):
        self.node, self.tenant, self.count = node, tenant, 0
        node.sql("CREATE TABLE app.mine (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(200))", tenant=tenant)

    def write(self, rows=20):
        with contextlib.closing(self.node.connect(self.tenant)) as connection, connection.cursor() as cursor:
            for _ in range(rows):
                cursor.execute("INSERT INTO app.mine (v) VALUES (REPEAT(MD5(RAND()), 5))")
                self.count += 1

    def check(self):
        wait_for("the tenant to answer", lambda: answer(self.node, self.tenant) is not None, 60)
        assert answer(self.node, self.tenant) >= self.count
        sums = checksums(self.node, self.tenant)
        assert {table: sums[table] for table in self.node.sum} == self.node.sum


def test_it_answers_before_its_files_are_here_and_loses_nothing_whatever_dies(shop):
    with fetching_slowly(shop):
        with Sampler(shop, PAGE, every=0.02) as seen:
            start_restore(shop, "early")
            wait_for("the tenant to be open", lambda: status(shop) == REMOTE, 60)
        assert mode(shop, "early") == "REMOTE"
        data = data_of(shop, "early")
        assert os.path.ismount(data)
        # All of it, and readable only.
        assert checksums(shop, "early") == shop.sum
        assert refusal(shop, "CREATE TABLE app.mine (id INT)", tenant="early") == 1290
        # What it stands on is in use.
        used = shop.in_catalog("SELECT * FROM tidemark.backup_use")
        assert [use["kind"] for use in used] == ["restore-hydration"], used
        shop.sql("ALTER SYSTEM ACTIVATE STANDBY TENANT = early")
        mine = Written(shop, "early")
        mine.write()

        def gone(pid):
            return not pathlib.Path(f"/proc/{pid}").exists()

        # The mount's process: nobody uses it at that moment.
        before = mount_pid(shop)
        os.kill(before, signal.SIGKILL)
        wait_for("another mount", lambda: [p for p in shop.processes("tidemark-mount") if p != before], 30)
        mine.check()
        mine.write()
        # The database's.
        database = shop.database_pid("early")
        os.kill(database, signal.SIGKILL)
        wait_for("mariadbd to be gone", lambda: gone(database), 30)
        mine.check()
        mine.write()
        # The daemon: the database and its files do not notice.
        serving = mount_pid(shop)
        shop.kill()
        assert shop.processes("tidemark-mount") == [serving]
        shop.start()
        mine.check()
        mine.write()
        assert mount_pid(shop) == serving
        # All of them.
        tenant_id = int(data.parent.name)
        database = shop.database_pid(tenant_id)
        shop.kill()
        os.kill(serving, signal.SIGKILL)
        os.kill(database, signal.SIGKILL)
        shop.start()
        mine.check()
        mine.write()
        assert mode(shop, "early") == "REMOTE" and status(shop) == REMOTE
        with Sampler(shop, PAGE, every=0.02) as later:
            shop.sql("ALTER SYSTEM SET restore_net_limit = '0M'")
            end = shop.wait_restore("early", seconds_in_progress=False)
    assert end["STATUS"] == "RESTORE_SUCCESS", end
    assert end["RESTORE_TYPE"] == "QUICK"
    assert mode(shop, "early") == "NORMAL"
    assert not os.path.ismount(data) and not shop.processes("tidemark-mount")
    assert not (data.parent / "opened").exists() and not (data.parent / "mount").exists()
    mine.check()
    mine.write()
    mine.check()
    rows = [row for _, row in seen.rows() + later.rows()]
    stages = in_order([row["STATUS"] for row in rows])
    assert stages == ["RESTORING", "POST_CHECK", "UPGRADE", "WAIT_QUICK_RESTORE_FINISH", REMOTE, "RESTORE_SUCCESS"]
    finished = [row["FINISH_BYTES"] for row in rows]
    assert finished == sorted(finished) and finished[-1] == rows[-1]["TOTAL_BYTES"]
    assert len({row["FINISH_BYTES"] for row in rows if row["STATUS"] == REMOTE}) > 2, "it moves"
    shop.drop("early")


def test_a_tenant_that_is_dropped_before_its_files_are_here_leaves_no_mount(shop):
    with fetching_slowly(shop):
        start_restore(shop, "never")
        wait_for("the tenant to be open", lambda: status(shop) == REMOTE, 60)
        assert shop.mounts()
        shop.drop("never")
        assert not shop.mounts()
        wait_for("its process to end", lambda: not shop.processes("tidemark-mount"), 20)
        end = shop.wait_restore("never")
    assert end["STATUS"] == "FAIL" and "dropped" in end["COMMENT"], end


def test_a_damaged_object_fails_the_statement_that_needs_it_and_nothing_else(shop):
    with fetching_slowly(shop, "50K"):
        start_restore(shop, "hurt")
        wait_for("the tenant to be open", lambda: status(shop) == REMOTE, 60)
        objects = sorted(shop.backups.glob("shop_data/**/macro_block_data.*.obbak"))
        away = [(o, o.with_name(o.name + ".away")) for o in objects]
        for there, gone in away:
            there.rename(gone)
        try:
            with pytest.raises(pymysql.MySQLError):
                shop.sql("SELECT SUM(LENGTH(v)) FROM app.t", tenant="hurt")
            assert "macro_block_data" in (data_of(shop, "hurt").parent / "mount.log").read_text()
        finally:
            for there, gone in away:
                gone.rename(there)
        wait_for("the table to be readable again", lambda: sums_or_none(shop, "hurt") == shop.sum, 60)
        shop.sql("ALTER SYSTEM SET restore_net_limit = '0M'")
        assert shop.wait_restore("hurt", seconds_in_progress=False)["STATUS"] == "RESTORE_SUCCESS"
    assert checksums(shop, "hurt") == shop.sum
    shop.drop("hurt")


def sums_or_none(node, tenant):
    with contextlib.suppress(pymysql.MySQLError):
        return checksums(node, tenant)
    return None


def test_where_nothing_can_be_mounted_the_files_are_copied_and_the_views_say_so(shop):
    """The daemon in a mount namespace of its own, in which /dev/fuse is another device."""
    shop.terminate()
    shop.prefix = ["unshare", "-m", "sh", "-c", "mount --bind /dev/null /dev/fuse && exec \"$@\"", "sh"]
    try:
        shop.start()
        start_restore(shop, "copied")
        end = shop.wait_restore("copied", seconds_in_progress=False)
        assert end["STATUS"] == "RESTORE_SUCCESS" and end["RESTORE_TYPE"] == "FULL", end
        assert mode(shop, "copied") == "NORMAL"
        assert checksums(shop, "copied") == shop.sum
        comment = shop.wait_restore("copied")["COMMENT"]
        assert "copied" in comment and "mounted" in comment, comment
        shop.drop("copied")
    finally:
        shop.prefix = []
        shop.terminate()
        shop.start()


def test_an_encrypted_set_is_opened_again_without_its_password_and_its_key_is_nowhere(shop):
    with contextlib.closing(shop.connect()) as session, session.cursor() as cursor:
        cursor.execute("SET ENCRYPTION ON IDENTIFIED BY 'secret of the set' ONLY")
        cursor.execute("ALTER SYSTEM BACKUP TENANT = shop")
    wait_for("an encrypted set", lambda: shop.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE"
                                                  " ENCRYPTION_MODE <> 'NONE' AND FILE_STATUS = 'AVAILABLE'"), 60)
    shop.archived_now("shop")
    shop.create_pool("p_sealed")
    with fetching_slowly(shop):
        with contextlib.closing(shop.connect()) as session, session.cursor() as cursor:
            cursor.execute("SET DECRYPTION IDENTIFIED BY 'secret of the set'")
            start_restore_in(cursor, shop, "sealed")
        wait_for("the tenant to be open", lambda: status(shop) == REMOTE, 60)
        assert checksums(shop, "sealed") == shop.sum
        serving = mount_pid(shop)
        assert len(pathlib.Path(f"/proc/{serving}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")) == 2
        os.kill(serving, signal.SIGKILL)
        wait_for("another mount", lambda: [p for p in shop.processes("tidemark-mount") if p != serving], 30)
        wait_for("the tenant to answer", lambda: sums_or_none(shop, "sealed") == shop.sum, 60)
        source = json.loads((data_of(shop, "sealed").parent / "mount" / "source").read_text())
        assert len(source["key"]) > 64, "it is wrapped by the node's"
        shop.sql("ALTER SYSTEM SET restore_net_limit = '0M'")
        assert shop.wait_restore("sealed", seconds_in_progress=False)["STATUS"] == "RESTORE_SUCCESS"
    assert checksums(shop, "sealed") == shop.sum
    shop.drop("sealed")
