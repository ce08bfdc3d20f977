"""The section "many tenants" of `./dev bench`: what a node with N archiving tenants costs, and how each figure grows with N.

The baseline of the idle figures is the same mariadbd processes with the daemon gone: databases outlive it, so nothing
differs but what the daemon and its archivers cause. Both are measured in turns."""
import contextlib
import os
import pathlib
import random
import signal
import statistics
import tempfile
import threading
import time

from node import Node, wait_for

IDLE_SECONDS = 20
LOAD_SECONDS = 20

# One session per tenant commits as fast as the machine lets it.
LOAD = """CREATE PROCEDURE load_test.run(IN seconds INT)
BEGIN
  DECLARE n INT DEFAULT 0;
  DECLARE until_time DATETIME(6) DEFAULT SYSDATE(6) + INTERVAL seconds SECOND;
  WHILE SYSDATE(6) < until_time DO
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


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]



class ManyTenants:
    """One node that grows from the first count to the last; every figure is taken at each count."""

    def __init__(self, counts, say):
        self.counts, self.say = counts, say
        self.node = Node(tempfile.mkdtemp(prefix="tidemark-bench-"))
        self.names = []
        self.figures = {}  # what → {count: text}

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

    def note(self, what, count, text):
        self.figures.setdefault(what, {})[count] = text
        self.say(f"{count} tenants: {what}: {text}")

    def table(self):
        head = "| tenants | " + " | ".join(str(c) for c in self.counts) + " |"
        lines = [head, "|---" * (len(self.counts) + 1) + "|"]
        lines += [f"| {what} | " + " | ".join(by.get(c, "—") for c in self.counts) + " |" for what, by in self.figures.items()]
        return "\n".join(lines)

    # --- the figures ---

    def grow(self, count):
        added = [f"t{n}" for n in range(len(self.names), count)]
        for name in added:
            self.node.create_pool(f"p_{name}", "256M")
        begin = time.monotonic()
        with contextlib.closing(self.node.connect()) as session, session.cursor() as cursor:
            for name in added:
                cursor.execute(f"CREATE TENANT {name} RESOURCE_POOL_LIST = ('p_{name}')")
        self.note("CREATE TENANT, one after the other, each", count, f"{(time.monotonic() - begin) / len(added):.2f} s")
        self.names += added
        for name in added:
            self.prepare(name)
        wait_for("all archives to run", lambda: self.archiving() == count, 120)

    def prepare(self, name):
        for statement in ["CREATE DATABASE load_test", LOAD,
                          "CREATE TABLE load_test.t (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(200))"]:
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
        with_daemon, daemons, bare = [], [], []
        for _ in range(2):
            self.settle()
            sys_and_tenants = self.node.mariadbd_pids()
            before = cpu_seconds(self.node.process.pid)
            begin = time.monotonic()
            with_daemon.append(self.idle_cpu(sys_and_tenants))
            daemons.append((cpu_seconds(self.node.process.pid) - before) / (time.monotonic() - begin) * 100)
            self.node.terminate()
            self.settle()
            bare.append(self.idle_cpu(sys_and_tenants))
            self.node.start()
            wait_for("all archives to run", lambda: self.archiving() == count, 120)
        all_of_it, daemon, baseline = (statistics.median(v) for v in (with_daemon, daemons, bare))
        self.note("idle CPU above bare databases", count, f"{all_of_it + daemon - baseline:.1f} % of a core")
        self.note("… of it the daemon's", count, f"{daemon:.1f} %")
        self.note("… bare databases", count, f"{baseline:.1f} %")
        sizes = [proportional_bytes(pid) for pid in self.tenants_pids()]
        self.note("memory of a tenant's mariadbd", count, f"{statistics.mean(sizes) / 1e6:.0f} MB")
        self.note("memory of the daemon", count, f"{proportional_bytes(self.node.process.pid) / 1e6:.0f} MB")

    def settle(self):
        """InnoDB's background work after a start or a load, so that it is not taken for idle."""
        def quiet():
            pids = self.node.mariadbd_pids()
            before = sum(cpu_seconds(pid) for pid in pids)
            time.sleep(2)
            return sum(cpu_seconds(pid) for pid in pids) - before < 0.002 * len(pids) * 2
        with contextlib.suppress(AssertionError):
            wait_for("the databases to be at rest", quiet, 60)

    def load(self, count):
        """All tenants commit at full speed; how far the views are behind is asked through the port."""
        runners = [threading.Thread(target=self.node.sql, args=(f"CALL load_test.run({LOAD_SECONDS})",), kwargs={"tenant": n})
                   for n in self.names]
        before = self.rows()
        for runner in runners:
            runner.start()
        lags, behind = [], []
        end = time.monotonic() + LOAD_SECONDS - 1
        while time.monotonic() < end:
            time.sleep(0.2)  # the rate of sampling
            lags += self.lags()
            behind.append(self.behind(random.choice(self.names)))
        for runner in runners:
            runner.join()
        self.note("commits at full load", count, f"{(self.rows() - before) / LOAD_SECONDS:.0f}/s")
        self.note("archive lag at full load, median", count, f"{statistics.median(lags):.2f} s")
        self.note("… worst of all samples", count, f"{max(lags):.2f} s")
        self.note("a tenant's own view behind sys's, worst", count, f"{max(behind):.2f} s")

    def rows(self):
        return sum(self.node.scalar("SELECT COUNT(*) FROM load_test.t", tenant=n) for n in self.names)

    def lags(self):
        rows = self.node.sql("SELECT CHECKPOINT_SCN FROM oceanbase.CDB_OB_ARCHIVELOG WHERE STATUS = 'DOING'")
        return [time.time() - row["CHECKPOINT_SCN"] / 1e9 for row in rows]

    def behind(self, name):
        in_sys = self.node.scalar("SELECT a.CHECKPOINT_SCN FROM oceanbase.CDB_OB_ARCHIVELOG a JOIN oceanbase.DBA_OB_TENANTS t"
                                  " USING (TENANT_ID) WHERE t.TENANT_NAME = %s", [name])
        own = self.node.scalar("SELECT CHECKPOINT_SCN FROM oceanbase.DBA_OB_ARCHIVELOG", tenant=name)
        return max(0.0, (in_sys - own) / 1e9)

    def backups(self, count):
        running = "SELECT COUNT(*) FROM oceanbase.CDB_OB_BACKUP_JOBS"
        begin = time.monotonic()
        self.node.sql("ALTER SYSTEM BACKUP DATABASE")
        wait_for("all backups to end", lambda: self.node.scalar(running) == 0, 900)
        took = time.monotonic() - begin
        failed = self.node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE STATUS <> 'COMPLETED'")
        assert not failed, failed
        self.note("backup of all", count, f"{took:.1f} s")

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
        self.note("start after kill -9 of everything", count, f"{time.monotonic() - begin:.1f} s")
        wait_for("all archives to run", lambda: self.archiving() == count, 120)

    def answers(self, name):
        with contextlib.suppress(Exception):
            return self.node.scalar("SELECT 1", tenant=name) == 1
        return False
