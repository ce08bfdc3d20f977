"""A real tidemarkd in a temporary place, and what the scenarios need around it."""
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pymysql
import pymysql.cursors

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("TIDEMARK_BIN", ROOT / "build" / "dev" / "bin"))


def free_port():
    """A free port below the kernel's outgoing range, so that no client connection can take it in between; at random,
    so that test runs side by side do not choose the same."""
    for port in random.sample(range(10000, 32000), 100):
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port")


def wait_for(what, condition, limit=60.0):
    """Polls until condition() is true and returns its value; fails, naming `what`, after `limit` seconds."""
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit} s in vain for: {what}")
        time.sleep(0.02)


class Node:
    """One daemon and its data directory. Destinations lie in `backups`."""

    def __init__(self, directory=None, options=(), environment=None):
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="tm-"))
        self.data = self.directory / "d"
        self.backups = self.directory / "with blank"
        self.backups.mkdir(exist_ok=True)
        self.log = self.directory / "log"
        self.port = free_port()
        self.options = list(options)
        self.environment = os.environ | (environment or {})
        self.process = None
        self.prefix = []  # what starts the daemon's program, if need be

    def start(self, crash_at=None):
        """With a crash point, the daemon ends itself there."""
        environment = self.environment | ({"TIDEMARK_CRASH_AT": crash_at} if crash_at else {})
        log = open(self.log, "ab")
        offset = self.log.stat().st_size
        self.process = subprocess.Popen(
            [*self.prefix, BIN / "tidemarkd", "--data-dir", self.data, "--port", str(self.port), *self.options],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        log.close()
        wait_for("the daemon to accept connections", lambda: self._accepts(offset), 60)
        return self

    def _accepts(self, offset):
        text = self.log.read_text(errors="replace")[offset:]
        if self.process.poll() is not None:
            raise AssertionError(f"tidemarkd ended with {self.process.returncode}:\n{text}")
        return "accepts connections" in text

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.log.read_text(errors="replace")[-3000:]

    def destroy(self):
        """Ends daemon and databases and removes everything. The log goes to the test's output, shown if it fails."""
        print("daemon's log:\n" + self.log.read_text(errors="replace")[-6000:])
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self.mariadbd_pids():
            os.kill(pid, signal.SIGKILL)
        wait_for("the databases to end", lambda: not self.mariadbd_pids(), 30)
        for mounted in self.mounts():
            subprocess.run(["fusermount3", "-u", "-z", mounted], check=False)
        wait_for("what served their files to end", lambda: not self.processes("tidemark-mount"), 30)
        shutil.rmtree(self.directory, ignore_errors=True)

    def mounts(self):
        """Where something is mounted below our data directory."""
        return [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()
                if line.split()[1].startswith(str(self.data))]

    def processes(self, program):
        """Pids of running `program`s whose command line names our data directory."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
                if pathlib.Path(arguments[0].decode()).name == program and any(
                        str(self.data).encode() in a for a in arguments):
                    if (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                        found.append(int(entry.name))
        return found

    def mariadbd_pids(self):
        return self.processes("mariadbd")

    def database_pid(self, tenant):
        """Of a tenant, by its name or its id; with an id, nobody is asked."""
        tenant_id = tenant if isinstance(tenant, int) else self.scalar(
            "SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [tenant])
        return next(pid for pid in self.mariadbd_pids()
                    if f"{self.data}/t/{tenant_id}/" in pathlib.Path(f"/proc/{pid}/cmdline").read_text())

    def daemon_password(self, tenant_id):
        """Of the account `tidemark` that the daemon uses itself, for tests that go around it by the unix socket."""
        return (self.data / "t" / str(tenant_id) / "secret").read_text()

    @contextlib.contextmanager
    def reading_takes(self, seconds, total):
        """Reading `total` bytes at destinations takes about so long."""
        self.sql(f"ALTER SYSTEM SET restore_net_limit = '{int(total / seconds / 1024)}K'")
        try:
            time.sleep(1.1)  # the limit is in force within a second, and nothing shows when
            yield
        finally:
            self.sql("ALTER SYSTEM SET restore_net_limit = '0M'")

    def work(self, kind):
        """The records of work of a kind."""
        return self.in_catalog("SELECT * FROM tidemark.work WHERE kind = %s", [kind])

    def shown_work(self, kind):
        """The same as its users see it."""
        return self.sql("SELECT * FROM oceanbase.CDB_TM_WORK WHERE KIND = %s", [kind])

    def in_catalog(self, query, args=None):
        """Rows of the catalog, past the daemon."""
        with contextlib.closing(pymysql.connect(
                unix_socket=str(self.data / "t" / "1" / "s"), user="tidemark", password=self.daemon_password(1),
                autocommit=True, cursorclass=pymysql.cursors.DictCursor)) as connection, connection.cursor() as cursor:
            cursor.execute(query, args)
            return list(cursor.fetchall())

    def on_catalog(self, statement):
        """On the catalog itself, as the daemon would write it, while the daemon is away."""
        with pymysql.connect(unix_socket=str(self.data / "t" / "1" / "s"), user="tidemark",
                             password=self.daemon_password(1), autocommit=True) as connection:
            with connection.cursor() as cursor:
                assert cursor.execute(statement) == 1

    def connect(self, tenant="sys", user="root", password="", **options):
        options.setdefault("autocommit", True)
        return pymysql.connect(host="127.0.0.1", port=self.port, user=f"{user}@{tenant}", password=password,
                               cursorclass=pymysql.cursors.DictCursor, **options)

    def sql(self, statement, args=None, tenant="sys", **options):
        """Runs one statement in a fresh session; returns its rows as dictionaries."""
        with contextlib.closing(self.connect(tenant, **options)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(statement, args)
                return list(cursor.fetchall())

    def scalar(self, statement, args=None, **options):
        rows = self.sql(statement, args, **options)
        return next(iter(rows[0].values())) if rows else None

    def cli(self, *arguments, check=True):
        result = subprocess.run([BIN / "tidemark", "-P", str(self.port), *arguments], capture_output=True, text=True)
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result

    # --- the first steps of nearly every scenario ---

    def create_pool(self, name, memory="256M"):
        self.sql(f"CREATE RESOURCE UNIT u_{name} MAX_CPU 2, MEMORY_SIZE '{memory}'")
        self.sql(f"CREATE RESOURCE POOL {name} UNIT = 'u_{name}', UNIT_NUM = 1, ZONE_LIST = ('zone1')")

    def create_tenant(self, name, memory="256M"):
        self.create_pool(f"p_{name}", memory)
        self.sql(f"CREATE TENANT {name} RESOURCE_POOL_LIST = ('p_{name}')")
        return self.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [name])

    def uri(self, name):
        return f"file://{self.backups}/{name}"

    def start_archive(self, tenant):
        self.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION={self.uri(tenant + '_log')}' TENANT = {tenant}")
        self.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{self.uri(tenant + '_data')}' TENANT = {tenant}")
        self.sql(f"ALTER SYSTEM ARCHIVELOG TENANT = {tenant}")
        self.wait_archive(tenant, "DOING")

    def archive(self, tenant):
        rows = self.sql("SELECT a.* FROM oceanbase.CDB_OB_ARCHIVELOG a JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID)"
                        " WHERE t.TENANT_NAME = %s", [tenant])
        return rows[0] if rows else None

    def wait_archive(self, tenant, status):
        return wait_for(f"the archive of {tenant} to be {status}",
                        lambda: (self.archive(tenant) or {}).get("STATUS") == status and self.archive(tenant))

    def wait_checkpoint(self, tenant, scn):
        return wait_for(f"the archive of {tenant} to reach {scn}",
                        lambda: (self.archive(tenant) or {}).get("CHECKPOINT_SCN", 0) >= scn)

    def archived_now(self, tenant):
        """Waits until everything committed so far is archived; returns an SCN after it."""
        self.wait_checkpoint(tenant, time.time_ns())
        return self.archive(tenant)["CHECKPOINT_SCN"]

    def backup(self, tenant):
        """Backs up and waits; returns the row of the job history."""
        job = self.start_backup(tenant)
        return self.wait_backup(tenant, job)

    def start_backup(self, tenant, options="", kind="", password=None):
        """Returns the job's number. With a password the set is encrypted."""
        with contextlib.closing(self.connect()) as session, session.cursor() as cursor:
            if password:
                cursor.execute(f"SET ENCRYPTION ON IDENTIFIED BY '{password}' ONLY")
            cursor.execute(f"ALTER SYSTEM BACKUP {kind} TENANT = {tenant} {options}")
        return self.scalar("SELECT MAX(JOB_ID) FROM (SELECT TENANT_ID, JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOBS UNION ALL"
                           " SELECT TENANT_ID, JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY) j"
                           " JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID) WHERE t.TENANT_NAME = %s", [tenant])

    def wait_backup(self, tenant, job, limit=180):
        query = ("SELECT h.* FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY h JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID)"
                 " WHERE t.TENANT_NAME = %s AND h.JOB_ID = %s")
        return wait_for(f"backup job {job} of {tenant} to end", lambda: self.sql(query, [tenant, job]), limit)[0]

    def restore(self, name, source, until="", limit=300, activate=True, memory="256M"):
        """Restores `source`'s destinations into a new tenant; fails unless that succeeds."""
        if not self.sql("SELECT 1 FROM oceanbase.DBA_OB_RESOURCE_POOLS WHERE NAME = %s", [f"p_{name}"]):
            self.create_pool(f"p_{name}", memory)
        self.sql(f"ALTER SYSTEM RESTORE {name} FROM '{self.uri(source + '_data')},{self.uri(source + '_log')}' {until}"
                 f" WITH 'pool_list=p_{name}'")
        end = self.wait_restore(name, limit, seconds_in_progress=False)
        assert end["STATUS"] in ("RESTORE_SUCCESS", "SUCCESS"), end
        if activate:
            self.sql(f"ALTER SYSTEM ACTIVATE STANDBY TENANT = {name}")
        return end

    def wait_restore(self, name, limit=300, seconds_in_progress=True):
        """Waits for the end of the newest restore of that name, and the seconds for which PROGRESS shows the end; returns
        sys's row of the history. Without these seconds, a success is sys's row of PROGRESS."""
        newest = " WHERE RESTORE_TENANT_NAME = %s AND TENANT_ID = 1 ORDER BY JOB_ID DESC LIMIT 1"

        def ended():
            running = self.sql("SELECT * FROM oceanbase.CDB_OB_RESTORE_PROGRESS" + newest, [name])
            if running and running[0]["STATUS"] == "RESTORE_SUCCESS" and not seconds_in_progress:
                return running
            return not running and self.sql("SELECT * FROM oceanbase.CDB_OB_RESTORE_HISTORY" + newest, [name])
        return wait_for(f"the restore of {name} to end", ended, limit)[0]

    def drop(self, tenant):
        self.sql(f"DROP TENANT {tenant} FORCE")


def checksums(node, tenant, **options):
    """CHECKSUM TABLE of every base table of a tenant's own databases."""
    tables = node.sql("SELECT TABLE_SCHEMA s, TABLE_NAME n FROM information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE'"
                      " AND TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'oceanbase',"
                      " 'tidemark') ORDER BY 1, 2", tenant=tenant, **options)
    return {f"{t['s']}.{t['n']}": node.sql(f"CHECKSUM TABLE `{t['s']}`.`{t['n']}`", tenant=tenant, **options)[0]["Checksum"]
            for t in tables}
