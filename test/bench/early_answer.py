"""How soon a restored database answers, and how soon all of it is on the disk, on a fast and on a slow disk, beside
`zstd -d | mbstream -x`, --prepare and the start of a server. Backups are in the page cache: only writing differs."""
import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import pymysql

from node import Node, wait_for
from throttled_disk import ThrottledDisk, why_not

SLOW = 430_000_000  # bytes per second
QUERY = "SELECT c FROM sb.sbtest1 WHERE id = 7"


def processor_seconds(pid):
    """Of a process and those that it has waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


class EarlyAnswer:
    def __init__(self, gigabytes, rounds, say):
        self.gigabytes, self.rounds, self.say = gigabytes, rounds, say
        self.lines = []

    def run(self):
        if missing := why_not():
            self.lines.append(f"no slow disk could be made: {missing}")
            return
        self.disk = ThrottledDisk(int(3500 * self.gigabytes) + 1500)
        self.away = pathlib.Path(tempfile.mkdtemp(prefix="tidemark-early-"))  # what is restored from
        try:
            self.measure()
        finally:
            self.disk.remove()
            shutil.rmtree(self.away, ignore_errors=True)

    def measure(self):
        place = self.disk.place / "node"
        place.mkdir()
        self.node = Node(place)
        self.node.backups = self.away / "backups"
        self.node.backups.mkdir()
        try:
            self.prepare()
            for name, limit in (("fast", 0), ("slow", SLOW)):
                self.disk.limit(limit)
                reached = self.disk.speed()
                if limit and not 0.7 < reached / limit < 1.3:
                    self.lines.append(f"the disk could not be slowed down: {reached / 1e6:.0f} MB/s")
                    continue
                self.compare(f"{name} disk, {reached / 1e6:.0f} MB/s")
        finally:
            self.disk.limit(0)
            self.node.destroy()

    def prepare(self):
        rows = int(self.gigabytes * 3_600_000 / 8)
        self.node.start()
        self.node.create_tenant("bench", "512M")
        self.node.sql("CREATE DATABASE sb", tenant="bench")
        subprocess.run(["sysbench", "oltp_common", "--mysql-host=127.0.0.1", f"--mysql-port={self.node.port}",
                        "--mysql-user=root@bench", "--mysql-password=", "--mysql-db=sb", "--tables=8",
                        f"--table-size={rows}", "--threads=2", "prepare"], check=True, stdout=subprocess.DEVNULL)
        self.node.start_archive("bench")
        tenant_id = self.node.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'bench'")
        place = self.node.data / "t" / str(tenant_id)
        self.socket = next(place.rglob("s"))
        password = self.node.daemon_password(tenant_id)
        self.account = self.away / "my.cnf"
        self.account.touch(0o600)
        self.account.write_text(f"[client]\nuser=tidemark\npassword={password}\n[mariadb-backup]\nuser=tidemark\n"
                                f"password={password}\nsocket={self.socket}\n")
        with pymysql.connect(unix_socket=str(self.socket), user="tidemark", password=password) as connection:
            connection.cursor().execute("SET GLOBAL innodb_log_checkpoint_now = ON")
        os.sync()
        self.shell(f"mariadb-backup --defaults-file={self.account} --backup --stream=mbstream --parallel=2"
                   f" | zstd -q -1 -T2 -o {self.away}/backup.zst")
        assert self.node.backup("bench")["STATUS"] == "COMPLETED"
        self.scn = self.node.scalar("SELECT MAX(MIN_RESTORE_SCN) FROM oceanbase.CDB_OB_BACKUP_SET_FILES")
        self.node.create_pool("p_back", "512M")
        # What is restored has the account of the tenant that was backed up; the tenant itself is not needed any more.
        self.node.drop("bench")

    @staticmethod
    def shell(command):
        subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def compare(self, where):
        ours, theirs = [], []
        for n in range(self.rounds):
            for times, restore in ((theirs, self.peer), (ours, self.tidemark)):
                os.sync()
                times.append(restore())
            self.say(f"{where}, round {n + 1}: answers {ours[-1][0]:.2f} s, peer {theirs[-1][0]:.2f} s;"
                     f" durable {ours[-1][1]:.2f} s, peer {theirs[-1][1]:.2f} s;"
                     f" processors {ours[-1][2]:.1f} s, peer {theirs[-1][2]:.1f} s")
        for i, (what, goal) in enumerate((("to the first answer", "≥ 1.5"), ("until all is durable", "≥ 1.2"),
                                          ("processor time", "—"))):
            our, their = (statistics.median(one[i] for one in times) for times in (ours, theirs))
            self.lines.append(f"| restore, {where}: {what} | {our:.2f} s | {their:.2f} s | {their / our:.2f} | {goal} |")

    def peer(self):
        target = self.disk.place / "peer"
        target.mkdir()
        before = processor_seconds(os.getpid())
        begin = time.monotonic()
        self.shell(f"zstd -q -d -c {self.away}/backup.zst | mbstream -x -p2 -C {target} &&"
                   f" mariadb-backup --prepare --target-dir={target} --use-memory=256M")
        server = subprocess.Popen(["mariadbd", "--no-defaults", f"--datadir={target}", f"--socket={self.away}/s",
                                   "--skip-networking", "--user=root", "--innodb-buffer-pool-size=256M",
                                   "--unix-socket=OFF", "--lower-case-table-names=1"], stderr=subprocess.DEVNULL)
        try:
            ask = ["mariadb", f"--defaults-file={self.account}", f"--socket={self.away}/s", "-e", QUERY]
            wait_for("the peer's server", lambda: subprocess.run(ask, capture_output=True).returncode == 0)
            first = time.monotonic() - begin
            os.sync()
            durable = time.monotonic() - begin
            return first, durable, processor_seconds(os.getpid()) - before + processor_seconds(server.pid)
        finally:
            server.terminate()
            server.wait()
            shutil.rmtree(target)

    def tidemark(self):
        before = processor_seconds(self.node.process.pid)
        begin = time.monotonic()
        self.node.sql(f"ALTER SYSTEM RESTORE back FROM '{self.node.uri('bench_data')},{self.node.uri('bench_log')}'"
                      f" UNTIL SCN = {self.scn} WITH 'pool_list=p_back'")
        wait_for("an answer of the restored tenant", self.answers)
        first = time.monotonic() - begin
        end = self.node.wait_restore("back", seconds_in_progress=False)
        durable = time.monotonic() - begin
        assert end["STATUS"] in ("RESTORE_SUCCESS", "SUCCESS"), end
        used = processor_seconds(self.node.process.pid) - before + processor_seconds(self.node.database_pid("back"))
        self.node.drop("back")
        return first, durable, used

    def answers(self):
        with contextlib.suppress(pymysql.MySQLError):
            return self.node.sql(QUERY, tenant="back")
        return None

    def table(self):
        rows = [line for line in self.lines if line.startswith("|")]
        said = [line for line in self.lines if not line.startswith("|")]
        head = ["| measured | Tidemark | peer | ratio | goal |", "|---|---|---|---|---|"] if rows else []
        return "\n".join(said + head + rows)
