"""The section "many tenants" of `./dev bench`: what a node with N archiving tenants costs, and how each figure grows with N.

The baseline of the idle figures is the same mariadbd processes with the daemon gone: databases outlive it, so nothing
differs but what the daemon and its archivers cause. CPU time is counted, so that other work on the machine disturbs little."""
import contextlib
import datetime
import os
import pathlib
import random
import signal
import statistics
import tempfile
import threading
import time

from node import Node, wait_for

IDLE_SECONDS = 30
# After a start the archivers look for the end of idle time after 1, 2, 4, … s, from then on each 10 s; InnoDB tidies up.
REST_SECONDS = 45
LOAD_SECONDS = 20
SESSIONS = 4
FILLED = 20_000_000  # bytes of rows in each tenant before anything is measured

# One session per tenant commits as fast as the machine lets it; all begin and end at the same moments.
LOAD = """CREATE PROCEDURE load_test.run(IN begin_time DATETIME(6), IN end_time DATETIME(6))
BEGIN
  DECLARE n INT DEFAULT SLEEP(TIMESTAMPDIFF(MICROSECOND, SYSDATE(6), begin_time) / 1000000);
  WHILE SYSDATE(6) < end_time DO
    SET n = n + 1;
    INSERT INTO load_test.t (text) VALUES (REPEAT('x', n % 200));
  END WHILE;
END"""


def cpu_seconds(pid):
    """Of all threads that live, from the scheduler: /proc/PID/stat counts in hundredths of a second."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def proportional_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")


class SysView:
    """What sys's view of all archives has shown, and when."""

    def __init__(self, node):
        self.connection = node.connect()
        self.history = []  # (time, tenant id → CHECKPOINT_SCN)

    def look(self):
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT TENANT_ID, CHECKPOINT_SCN FROM oceanbase.CDB_OB_ARCHIVELOG WHERE STATUS = 'DOING'")
            self.history.append((time.time(), {row["TENANT_ID"]: row["CHECKPOINT_SCN"] for row in cursor.fetchall()}))

    def lags(self):
        at, scns = self.history[-1]
        return [at - scn / 1e9 for scn in scns.values()]

    def lateness(self, tenant, scn, at):
        """For how long, at that time, sys had shown more than this."""
        return max(0.0, at - next((seen for seen, scns in self.history if scns[tenant] > scn), at))


class ManyTenants:
    """One node that grows from the first count to the last; every figure is taken at each count. Each tenant has rows
    of 20 MB."""

    def __init__(self, counts, say):
        self.counts, self.say = counts, say
        self.node = Node(tempfile.mkdtemp(prefix="tidemark-bench-"))
        self.names = []
        self.figures = {}  # what → {count: (value, text)}

    def run(self):
        self.node.start()
        try:
            for count in self.counts:
                self.grow(count)
                self.idle(count)
                self.load(count)
                self.backups(count)
                self.restart(count)
        finally:
            self.node.destroy()

    def note(self, what, count, value, unit, digits=1):
        self.figures.setdefault(what, {})[count] = (value, f"{value:.{digits}f} {unit}".rstrip())
        self.say(f"{count} tenants: {what}: {value:.{digits}f} {unit}")

    def table(self):
        head = f"| {os.cpu_count()} cores, tenants: | " + " | ".join(str(c) for c in self.counts) + " | growth |"
        lines = [head, "|---" * (len(self.counts) + 2) + "|"]
        for what, by in self.figures.items():
            cells = [by[c][1] if c in by else "—" for c in self.counts]
            values = [value for value, _ in by.values()]
            growth = f"× {values[-1] / values[0]:.1f}" if len(values) > 1 and values[0] > 0 else "—"
            lines.append(f"| {what} | " + " | ".join([*cells, growth]) + " |")
        return "\n".join(lines)

    # --- the figures ---

    def grow(self, count):
        added = [f"t{n}" for n in range(len(self.names), count)]
        for name in added:
            self.node.create_pool(f"p_{name}", "256M")
        # Half of them one after the other, half of them in several sessions.
        half = len(added) // 2 if len(added) > SESSIONS else len(added)
        self.note("CREATE TENANT, one after the other, each", count, self.create([added[:half]]) / half, "s", 2)
        self.figures.setdefault(f"… in {SESSIONS} sessions, each", {})
        if added[half:]:
            took = self.create([added[half + n::SESSIONS] for n in range(SESSIONS)])
            self.note(f"… in {SESSIONS} sessions, each", count, took / len(added[half:]), "s", 2)
        self.names += added
        for name in added:
            self.prepare(name)
        wait_for("all archives to run", lambda: self.archiving() == count, 120)

    def create(self, parts):
        """A session for each part; returns the seconds of all."""
        sessions = [threading.Thread(target=self.create_in_turn, args=(names,)) for names in parts]
        begin = time.monotonic()
        for session in sessions:
            session.start()
        for session in sessions:
            session.join()
        return time.monotonic() - begin

    def create_in_turn(self, names):
        with contextlib.closing(self.node.connect()) as session, session.cursor() as cursor:
            for name in names:
                cursor.execute(f"CREATE TENANT {name} RESOURCE_POOL_LIST = ('p_{name}')")

    def prepare(self, name):
        for statement in ["CREATE DATABASE load_test", LOAD,
                          "CREATE TABLE load_test.t (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(200))",
                          "CREATE TABLE load_test.filled (id INT PRIMARY KEY, v VARBINARY(1000))",
                          f"INSERT INTO load_test.filled SELECT seq, RANDOM_BYTES(1000) FROM seq_1_to_{FILLED // 1000}"]:
            self.node.sql(statement, tenant=name)
        self.node.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION={self.node.uri(name + '_log')}' TENANT = {name}")
        self.node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{self.node.uri(name + '_data')}' TENANT = {name}")
        self.node.sql(f"ALTER SYSTEM ARCHIVELOG TENANT = {name}")

    def archiving(self):
        return self.node.scalar("SELECT COUNT(*) FROM oceanbase.CDB_OB_ARCHIVELOG WHERE STATUS = 'DOING'")

    def tenants_pids(self):
        sys_directory = f"{self.node.data}/t/1/"
        return [pid for pid in self.node.mariadbd_pids()
                if sys_directory not in pathlib.Path(f"/proc/{pid}/cmdline").read_text()]

    def idle_cpu(self, pids):
        before = {pid: cpu_seconds(pid) for pid in pids}
        time.sleep(IDLE_SECONDS)  # nothing is waited for: this is the time over which is measured
        return sum(cpu_seconds(pid) - before[pid] for pid in pids) / IDLE_SECONDS * 100

    def idle(self, count):
        time.sleep(REST_SECONDS)
        databases = self.node.mariadbd_pids()
        daemon_pid = self.node.process.pid
        sizes = [proportional_bytes(pid) for pid in self.tenants_pids()]
        daemon_size = proportional_bytes(daemon_pid)
        begin, before = time.monotonic(), cpu_seconds(daemon_pid)
        with_daemon = self.idle_cpu(databases)
        daemon = (cpu_seconds(daemon_pid) - before) / (time.monotonic() - begin) * 100
        self.node.terminate()
        time.sleep(REST_SECONDS / 3)
        bare = self.idle_cpu(databases)
        self.node.start()
        wait_for("all archives to run", lambda: self.archiving() == count, 120)
        self.note("idle CPU above bare databases, of a core", count, with_daemon + daemon - bare, "%", 2)
        self.note("… of it the daemon's", count, daemon, "%", 2)
        self.note("… bare databases", count, bare, "%", 2)
        self.note("memory of a tenant's mariadbd", count, statistics.mean(sizes) / 1e6, "MB", 0)
        self.note("memory of the daemon", count, daemon_size / 1e6, "MB", 0)

    def load(self, count):
        """All tenants commit at full speed. How far the views are behind is asked through the port, as clients would."""
        own = {row["TENANT_ID"]: self.node.connect(tenant=row["TENANT_NAME"]) for row in self.node.sql(
            "SELECT TENANT_ID, TENANT_NAME FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_TYPE = 'USER'")}
        begin = time.time() + 2 + count / 50
        runners = [threading.Thread(target=self.commit_between, args=(n, begin, begin + LOAD_SECONDS)) for n in self.names]
        rows = self.rows()
        for runner in runners:
            runner.start()
        time.sleep(max(0, begin + 1 - time.time()))  # the first second is not looked at: the lag begins at nothing
        lags, late, view = [], [], SysView(self.node)
        spent = [self.cpu_of_all()]
        while time.time() < begin + LOAD_SECONDS:
            view.look()
            lags += view.lags()
            tenant, at = random.choice(list(own)), time.time()
            with own[tenant].cursor() as cursor:
                cursor.execute("SELECT CHECKPOINT_SCN FROM oceanbase.DBA_OB_ARCHIVELOG")
                late.append(view.lateness(tenant, cursor.fetchone()["CHECKPOINT_SCN"], at))
            time.sleep(0.1)  # the rate of sampling
        spent.append(self.cpu_of_all())
        for runner in runners:
            runner.join()
        for connection in [view.connection, *own.values()]:
            connection.close()
        ours, all_of_it = (after - before for before, after in zip(*spent))
        self.note("commits at full load", count, (self.rows() - rows) / LOAD_SECONDS, "/s", 0)
        self.note("… CPU time of the daemon and sys, of all of ours", count, ours / all_of_it * 100, "%")
        self.note("archive lag at full load, median", count, statistics.median(lags), "s", 2)
        self.note("… worst", count, max(lags), "s", 2)
        self.note("a tenant's view shows what sys's does, worst, after", count, max(late), "s", 2)

    def commit_between(self, name, begin, end):
        with contextlib.closing(self.node.connect(tenant=name)) as session, session.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            cursor.execute("CALL load_test.run(%s, %s)", [utc(begin), utc(end)])

    def cpu_of_all(self):
        databases, tenants = self.node.mariadbd_pids(), self.tenants_pids()
        daemon = cpu_seconds(self.node.process.pid)
        of_tenants = sum(cpu_seconds(pid) for pid in tenants)
        of_sys = sum(cpu_seconds(pid) for pid in databases if pid not in tenants)
        return daemon + of_sys, daemon + of_sys + of_tenants

    def rows(self):
        return sum(self.node.scalar("SELECT COUNT(*) FROM load_test.t", tenant=n) for n in self.names)

    def backups(self, count):
        """All at once, while somebody works with one of the tenants."""
        running = "SELECT COUNT(*) FROM oceanbase.CDB_OB_BACKUP_JOBS"
        over, answers = threading.Event(), []
        beside = threading.Thread(target=self.answer_times, args=(over, answers))
        beside.start()
        begin = time.monotonic()
        try:
            self.node.sql("ALTER SYSTEM BACKUP DATABASE")
            wait_for("all backups to end", lambda: self.node.scalar(running) == 0, 900)
            took = time.monotonic() - begin
        finally:
            over.set()
            beside.join()
        failed = self.node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE STATUS <> 'COMPLETED'")
        assert not failed, failed
        self.note("backup of all", count, took, "s")
        self.note("… meanwhile a tenant's commit, median", count, statistics.median(answers) * 1000, "ms")
        self.note("… worst", count, max(answers) * 1000, "ms")

    def answer_times(self, over, seconds):
        """Of one commit after the other in a tenant, through the port, a session each, as an application without a pool."""
        while not over.is_set() or not seconds:
            begin = time.monotonic()
            self.node.sql("INSERT INTO load_test.t (text) VALUES ('beside')", tenant=self.names[0])
            seconds.append(time.monotonic() - begin)
            over.wait(0.02)

    def restart(self, count):
        """Everything is killed at once; it is over when every tenant answers."""
        pids = self.node.mariadbd_pids()
        self.node.kill()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for("all processes to be gone", lambda: not self.node.mariadbd_pids(), 30)
        begin = time.monotonic()
        self.node.start()
        for name in self.names:
            wait_for(f"{name} to answer", lambda: self.answers(name), 120)
        self.note("start after kill -9 of everything", count, time.monotonic() - begin, "s")
        wait_for("all archives to run", lambda: self.archiving() == count, 120)

    def answers(self, name):
        with contextlib.suppress(Exception):
            return self.node.scalar("SELECT 1", tenant=name) == 1
        return False
