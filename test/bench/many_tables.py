"""What many small tables cost: a backup of N of them beside one of the same bytes of files in ten tables, and beside what mariadb-backup
alone takes for either, its stream thrown away. Processor times too, which other work on the machine disturbs less."""
import contextlib
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile
import time

from early_answer import processor_seconds
from node import Node

FEW = 10


class ManyTables:
    def __init__(self, tables, rounds, say):
        self.tables, self.rounds, self.say = tables, rounds, say
        self.lines = []

    def run(self):
        # One file for each tablespace at once: docs/operate.md.
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < 2 * self.tables:
            self.lines.append(f"the hard limit of {hard} open files is too low for {self.tables} tables")
            return
        self.node = Node(tempfile.mkdtemp(prefix="tidemark-tables-"))
        try:
            self.node.start()
            tenants = {"many": self.tables, "few": FEW}
            for tenant, count in tenants.items():
                self.prepare(tenant, count)
            results = {tenant: self.measure(tenant) for tenant in tenants}
            self.report(results)
        finally:
            self.node.destroy()

    def prepare(self, tenant, count):
        begin = time.monotonic()
        self.node.create_tenant(tenant, "512M")
        self.node.start_archive(tenant)
        self.node.sql("CREATE DATABASE d", tenant=tenant)
        # The many tables have some ten pages of 16 KiB each, the few as many together.
        rows = 60 if count == self.tables else max(60, self.tables // 4)
        with contextlib.closing(self.node.connect(tenant, database="d")) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE model (id INT PRIMARY KEY, v VARBINARY(1000)) ENGINE=InnoDB")
            for i in range(count):
                cursor.execute(f"CREATE TABLE t{i} LIKE model")
                cursor.execute(f"INSERT INTO t{i} SELECT seq, RANDOM_BYTES(900) FROM seq_1_to_{rows}")
            while count != self.tables and self.bytes_of(tenant) < 0.98 * self.bytes_of("many"):
                for i in range(count):
                    cursor.execute(f"INSERT INTO t{i} SELECT (SELECT MAX(id) FROM t{i}) + seq, RANDOM_BYTES(900)"
                                   f" FROM seq_1_to_{rows}")
        with self.account(tenant) as options:
            subprocess.run(["mariadb", f"--defaults-file={options}", "-e", "SET GLOBAL innodb_log_checkpoint_now = ON"], check=True)
        os.sync()
        self.say(f"{count} tables in {time.monotonic() - begin:.0f} s")

    def bytes_of(self, tenant):
        tenant_id = self.node.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [tenant])
        return sum(file.stat().st_size for file in (self.node.data / "t" / str(tenant_id)).rglob("d/t*.ibd"))

    @contextlib.contextmanager
    def account(self, tenant):
        tenant_id = self.node.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [tenant])
        socket = next((self.node.data / "t" / str(tenant_id)).rglob("s"))
        with tempfile.NamedTemporaryFile("w", suffix=".cnf") as file:
            password = self.node.daemon_password(tenant_id)
            for section in ("client", "mariadb-backup"):
                file.write(f"[{section}]\nuser=tidemark\npassword={password}\nsocket={socket}\n")
            file.flush()
            yield file.name

    def measure(self, tenant):
        alone, alone_cpu, ours, ours_cpu = [], [], [], []
        for _ in range(self.rounds):
            with self.account(tenant) as options, tempfile.TemporaryDirectory() as work:
                before, begin = processor_seconds(os.getpid()), time.monotonic()
                subprocess.run(f"mariadb-backup --defaults-file={options} --backup --stream=mbstream --parallel=2"
                               f" --open-files-limit={2 * self.tables} --target-dir={work} > /dev/null", shell=True, check=True,
                               stderr=subprocess.DEVNULL)
                alone.append(time.monotonic() - begin)
                alone_cpu.append(processor_seconds(os.getpid()) - before)
            before, begin = processor_seconds(self.node.process.pid), time.monotonic()
            done = self.node.backup(tenant)
            assert done["STATUS"] == "COMPLETED", done
            ours.append(time.monotonic() - begin)
            ours_cpu.append(processor_seconds(self.node.process.pid) - before)
        row = self.node.sql("SELECT s.* FROM oceanbase.CDB_OB_BACKUP_SET_FILES s JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID)"
                            " WHERE t.TENANT_NAME = %s ORDER BY BACKUP_SET_ID DESC LIMIT 1", [tenant])[0]
        self.say(f"{tenant}: backup {statistics.median(ours):.2f} s (processors {statistics.median(ours_cpu):.2f} s), mariadb-backup alone"
                 f" {statistics.median(alone):.2f} s ({statistics.median(alone_cpu):.2f} s); {row['INPUT_BYTES'] / 1e6:.0f} MB,"
                 f" {row['TABLET_COUNT']} tablespaces")
        return [statistics.median(times) for times in (ours, ours_cpu, alone, alone_cpu)]

    def report(self, results):
        many, few = results["many"], results["few"]
        for i, (what, goal) in enumerate((("backup", "≤ 1.5"), ("backup, processor time", "—"), ("mariadb-backup alone", "—"),
                                          ("mariadb-backup alone, processor time", "—"))):
            self.lines.append(f"| {what} | {many[i]:.2f} s | {few[i]:.2f} s | {many[i] / few[i]:.2f} | {goal} |")

    def table(self):
        rows = [line for line in self.lines if line.startswith("|")]
        said = [line for line in self.lines if not line.startswith("|")]
        head = [f"| the same bytes | in {self.tables} tables | in {FEW} tables | ratio | goal |", "|---|---|---|---|---|"] if rows else []
        return "\n".join(said + head + rows)
