#!/usr/bin/python3
"""`./dev bench`: Tidemark and its peers on the same tenant, interleaved in one run, medians; ends with the table that the
README carries. The tenant is at rest when it is backed up: its pages are flushed, so that the redo log is not what is measured;
one row shows a restore after a load. Nobody pays for another's dirty pages. Backups are restored twice: when they are in the
page cache, as one made just now by a tool that leaves it there, and when they are read from the disk.
Options: --gigabytes N (tenant's size, 2), --rounds N (5), --transactions N (to replay, 40000),
--only front,backup,incremental,restic,chain,restore,loaded,early,replay,impact,load,tables,many, --tenants 1,10,50,100."""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "scenario"))
sys.path.insert(0, str(ROOT / "test" / "bench"))
from early_answer import EarlyAnswer  # noqa: E402
from incremental import IncrementalParts, shell  # noqa: E402
from many_tables import ManyTables  # noqa: E402
from many_tenants import ManyTenants  # noqa: E402
from node import Node, free_port, wait_for  # noqa: E402

HAPROXY = pathlib.Path(os.environ.get("TIDEMARK_HAPROXY", ROOT / "build" / "bench" / "haproxy" / "usr" / "sbin" / "haproxy"))


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def median(values):
    return statistics.median(values)


def set_cached(files, cached):
    """The next one to read the files reads them from the page cache, or from the disk."""
    for file in files:
        with open(file, "rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while cached and opened.read(16 << 20):
                pass


@contextlib.contextmanager
def timed(into):
    begin = time.monotonic()
    yield
    into.append(time.monotonic() - begin)


class Bench:
    say, set_cached = staticmethod(say), staticmethod(set_cached)

    def __init__(self, arguments):
        self.rounds = arguments.rounds
        self.transactions = arguments.transactions
        self.rows = int(arguments.gigabytes * 3_600_000 / 8)  # 8 sysbench tables; about 275 bytes a row with its index
        self.node = Node(tempfile.mkdtemp(prefix="tidemark-bench-"))
        self.peer = self.node.directory / "peer"
        self.peer.mkdir()
        self.results = []  # (what, ours, peer, ratio, goal)

    # --- the tenant, and the way around Tidemark to it ---

    def prepare(self):
        self.node.start()
        self.node.create_tenant("bench", "2G")
        self.node.sql("CREATE DATABASE sb", tenant="bench")
        say(f"loading 8 tables of {self.rows} rows")
        subprocess.run(self.sysbench("oltp_common", "prepare", threads=2), check=True, stdout=subprocess.DEVNULL)
        self.node.start_archive("bench")
        self.id = self.node.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'bench'")
        self.place = next(p for p in (self.node.data / "t").iterdir() if p.name == str(self.id))
        self.socket = next(self.place.rglob("s"))
        self.datadir = next(p for p in self.place.rglob("ibdata1")).parent
        self.secret = self.daemon_account()

    def daemon_account(self):
        """An option file with the account that the daemon itself uses, as a peer tool run by root could."""
        password = self.node.daemon_password(self.id)
        file = self.peer / "my.cnf"
        file.touch(0o600)
        file.write_text(f"[client]\nuser=tidemark\npassword={password}\nsocket={self.socket}\n"
                        f"[mariadb-backup]\nuser=tidemark\npassword={password}\nsocket={self.socket}\n")
        return file

    def sysbench(self, test, command, *options, threads=2, through=None):
        where = [f"--mysql-host=127.0.0.1", f"--mysql-port={through or self.node.port}", "--mysql-user=root@bench"]
        if through == "socket":
            where = [f"--mysql-socket={self.socket}", "--mysql-user=root"]
        elif through:
            where[-1] = "--mysql-user=root"
        return ["sysbench", test, *where, "--mysql-password=", "--mysql-db=sb", "--tables=8", f"--table-size={self.rows}",
                f"--threads={threads}", *options, command]

    def add(self, what, ours, peer, ratio, goal):
        self.results.append((what, ours, peer, ratio, goal))
        say(f"{what}: {ours} against {peer}: {ratio:.2f} (goal {goal})")

    # --- backup and restore ---

    def rest(self):
        """The tenant has written its pages, and the disk has nothing left to do."""
        subprocess.run(["mariadb", f"--defaults-file={self.secret}", "-e", "SET GLOBAL innodb_log_checkpoint_now = ON"], check=True)
        os.sync()

    def peer_backup(self, target):
        shell(f"mariadb-backup --defaults-file={self.secret} --backup --stream=mbstream --parallel=2"
              f" --datadir={self.datadir} | zstd -q -1 -T2 -o {target}")

    def backup(self):
        ours, theirs, our_bytes, their_bytes = [], [], [], []
        for n in range(self.rounds):
            target = self.peer / "backup.zst"
            target.unlink(missing_ok=True)
            self.rest()
            with timed(theirs):
                self.peer_backup(target)
            their_bytes.append(target.stat().st_size)
            self.rest()
            with timed(ours):
                done = self.node.backup("bench")
            assert done["STATUS"] == "COMPLETED", done
            our_bytes.append(self.node.scalar("SELECT OUTPUT_BYTES FROM oceanbase.CDB_OB_BACKUP_SET_FILES"
                                              " ORDER BY BACKUP_SET_ID DESC LIMIT 1"))
            say(f"backup round {n + 1}: {ours[-1]:.2f} s, {theirs[-1]:.2f} s")
        self.add("full backup, time", f"{median(ours):.2f} s", f"{median(theirs):.2f} s", median(theirs) / median(ours), "≥ 1.3")
        self.add("full backup, size", f"{median(our_bytes) / 1e6:.0f} MB", f"{median(their_bytes) / 1e6:.0f} MB",
                 median(their_bytes) / median(our_bytes), "≥ 1.0")

    def peer_place(self):
        target = self.peer / "restored"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        return target

    def peer_restore(self, target):
        shell(f"zstd -q -d -c {self.peer}/backup.zst | mbstream -x -p2 -C {target} &&"
              f" mariadb-backup --prepare --target-dir={target} --use-memory=512M")
        return target

    @contextlib.contextmanager
    def peer_server(self, datadir, *options):
        server = subprocess.Popen(["mariadbd", "--no-defaults", f"--datadir={datadir}", f"--socket={self.peer}/s",
                                   "--skip-networking", "--user=root", "--innodb-buffer-pool-size=1G", "--unix-socket=OFF",
                                   "--lower-case-table-names=1", *options], stderr=subprocess.DEVNULL)
        try:
            ping = ["mariadb-admin", f"--defaults-file={self.secret}", f"--socket={self.peer}/s", "ping"]
            wait_for("the peer's server", lambda: subprocess.run(ping, capture_output=True).returncode == 0, 60)
            yield
        finally:
            server.terminate()
            server.wait()

    def restore(self):
        self.restores("restore to a running server, backup in the page cache", "≥ 2", cached=True)
        self.restores("restore to a running server, backup on the disk", "≥ 2", cached=False)

    def loaded(self):
        """The same of backups made while the server has much to flush: mariadb-backup's prepare takes the longer."""
        def load():
            self.rest()
            subprocess.run(self.sysbench("oltp_write_only", "run", "--time=15", threads=8), check=True, stdout=subprocess.DEVNULL)
        target = self.peer / "backup.zst"
        target.unlink(missing_ok=True)
        load()
        self.peer_backup(target)
        load()
        assert self.node.backup("bench")["STATUS"] == "COMPLETED"
        self.restores("restore of a backup made after a load, in the page cache", "—", cached=True)

    def restores(self, what, goal, cached):
        """To a running server, from a backup without log behind it."""
        newest = max(self.node.backups.rglob("macro_block_data.0.obbak"), key=lambda file: file.stat().st_mtime)
        ours_files = list(newest.parent.glob("*.obbak"))
        ours, theirs, durable = [], [], []
        scn = self.node.scalar("SELECT MAX(MIN_RESTORE_SCN) FROM oceanbase.CDB_OB_BACKUP_SET_FILES")
        for n in range(self.rounds):
            target = self.peer_place()
            os.sync()
            set_cached([self.peer / "backup.zst"], cached)
            begin = time.monotonic()
            with self.peer_server(self.peer_restore(target)):
                theirs.append(time.monotonic() - begin)
            # Ours is on the disk when it is done; the peer's is in the page cache.
            begin = time.monotonic()
            os.sync()
            durable.append(theirs[-1] + time.monotonic() - begin)
            set_cached(ours_files, cached)
            with timed(ours):
                self.node.restore("back", "bench", f"UNTIL SCN = {scn}", activate=False, memory="2G")
            say(f"restore round {n + 1}: {ours[-1]:.2f} s, {theirs[-1]:.2f} s")
            self.forget("back")
        self.add(what, f"{median(ours):.2f} s", f"{median(theirs):.2f} s", median(theirs) / median(ours), goal)
        self.add("… and on the disk, as ours is", f"{median(ours):.2f} s", f"{median(durable):.2f} s",
                 median(durable) / median(ours), "—")

    def forget(self, tenant):
        self.node.drop(tenant)
        self.node.sql(f"DROP RESOURCE POOL p_{tenant}")
        self.node.sql(f"DROP RESOURCE UNIT u_p_{tenant}")

    # --- replay ---

    def replay(self):
        """The same transactions after the same backup: virtual primary against mariadb-binlog | mariadb."""
        target = self.peer / "backup.zst"
        target.unlink(missing_ok=True)
        self.peer_backup(target)
        assert self.node.backup("bench")["STATUS"] == "COMPLETED"
        low = self.node.scalar("SELECT MAX(MIN_RESTORE_SCN) FROM oceanbase.CDB_OB_BACKUP_SET_FILES")
        keeper = BinlogKeeper(self.datadir, self.peer / "binlogs")
        with keeper:
            say(f"{self.transactions} transactions to replay")
            subprocess.run(self.sysbench("oltp_write_only", "run", "--time=0", f"--events={self.transactions}", threads=8), check=True,
                           stdout=subprocess.DEVNULL)
            self.node.archived_now("bench")
        ours, theirs = [], []
        for n in range(self.rounds):
            base, full = [], []
            for until, into in ((f"UNTIL SCN = {low}", base), ("", full)):
                with timed(into):
                    self.node.restore("back", "bench", until, activate=False, memory="2G")
                self.forget("back")
            ours.append(full[0] - base[0])
            restored = self.peer_restore(self.peer_place())
            gtid = (restored / "xtrabackup_binlog_info").read_text().split()
            with self.peer_server(restored):
                files = " ".join(str(f) for f in sorted(keeper.place.iterdir()) if f.name >= gtid[0])
                with timed(theirs):
                    shell(f"mariadb-binlog --start-position={gtid[1]} {files} |"
                          f" mariadb --defaults-file={self.secret} --socket={self.peer}/s")
            say(f"replay round {n + 1}: {ours[-1]:.2f} s, {theirs[-1]:.2f} s")
        self.add(f"replay of {self.transactions} transactions", f"{median(ours):.2f} s", f"{median(theirs):.2f} s",
                 median(theirs) / median(ours), "≥ 4")

    # --- the front, and what a backup does to its tenant ---

    def point_selects(self, through):
        output = subprocess.run(self.sysbench("oltp_point_select", "run", "--time=8", threads=4, through=through),
                                check=True, capture_output=True, text=True).stdout
        return float(re.search(r"queries:\s+\d+\s+\(([\d.]+) per sec", output).group(1))

    def front(self):
        port = free_port()
        config = self.peer / "haproxy.cfg"
        config.write_text("defaults\n mode tcp\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n"
                          f"frontend f\n bind 127.0.0.1:{port}\n default_backend b\n"
                          f"backend b\n server s unix@{self.socket}\n")
        proxy = subprocess.Popen([HAPROXY, "-f", config, "-db"], stderr=subprocess.DEVNULL)
        ours, haproxy, direct = [], [], []
        try:
            for _ in range(self.rounds):
                direct.append(self.point_selects("socket"))
                haproxy.append(self.point_selects(port))
                ours.append(self.point_selects(None))
        finally:
            proxy.terminate()
            proxy.wait()
        self.add("point-selects through the front, against HAProxy", f"{median(ours):.0f}/s", f"{median(haproxy):.0f}/s",
                 median(ours) / median(haproxy), "≥ 0.8")
        self.add("point-selects through the front, against direct", f"{median(ours):.0f}/s", f"{median(direct):.0f}/s",
                 median(ours) / median(direct), "—")

    def p99(self, seconds, during):
        load = subprocess.Popen(self.sysbench("oltp_write_only", "run", f"--time={seconds}", "--percentile=99"),
                                stdout=subprocess.PIPE, text=True)
        time.sleep(1)
        count = 0
        while load.poll() is None and during:
            during()
            count += 1
        output = load.communicate()[0]
        return float(re.search(r"99th percentile:\s+([\d.]+)", output).group(1)), count

    def impact(self):
        quiet, ours, theirs = [], [], []
        for _ in range(self.rounds):
            target = self.peer / "impact.zst"

            def peer():
                target.unlink(missing_ok=True)
                self.peer_backup(target)
            quiet.append(self.p99(10, None)[0])
            theirs.append(self.p99(10, peer)[0])
            ours.append(self.p99(10, lambda: self.node.backup("bench"))[0])
        say(f"p99 of writes: quiet {median(quiet):.1f} ms, during Tidemark's backups {median(ours):.1f} ms,"
            f" during the peer's {median(theirs):.1f} ms")
        self.add("p99 of writes during backups", f"{median(ours):.1f} ms", f"{median(theirs):.1f} ms",
                 median(theirs) / median(ours), "< 20 ms")

    def table(self):
        lines = ["| measured | Tidemark | peer | ratio | goal |", "|---|---|---|---|---|"]
        lines += [f"| {what} | {ours} | {peer} | {ratio:.2f} | {goal} |" for what, ours, peer, ratio, goal in self.results]
        return "\n".join(lines)


class BinlogKeeper:
    """Hard links to a server's binlogs, made before the daemon purges what it has archived: the peer's archive."""

    def __init__(self, datadir, place):
        self.datadir, self.place = datadir, place
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.follow)

    def follow(self):
        while not self.stop.wait(0.1):
            self.link()

    def link(self):
        for file in self.datadir.glob("bin.0*"):
            if re.fullmatch(r"bin\.\d+", file.name):
                with contextlib.suppress(FileExistsError, FileNotFoundError):
                    os.link(file, self.place / file.name)

    def __enter__(self):
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        self.link()
        self.thread.start()

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.link()


def compare_with_peers(arguments, parts):
    bench = Bench(arguments)
    incremental = IncrementalParts(bench)
    of_sets = {"incremental": incremental.incremental, "restic": incremental.restics, "chain": incremental.chain,
               "load": incremental.load}
    try:
        bench.prepare()
        for part in parts:
            (of_sets.get(part) or getattr(bench, part))()
    finally:
        bench.node.destroy()
    return bench.table()


def measure_growth(counts):
    many = ManyTenants([int(count) for count in counts.split(",")], say)
    many.run()
    return many.table()


def measure_early_answers(gigabytes, rounds):
    early = EarlyAnswer(gigabytes, rounds, say)
    early.run()
    return early.table()


def measure_many_tables(count, rounds):
    tables = ManyTables(count, rounds, say)
    tables.run()
    return tables.table()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--transactions", type=int, default=40_000)
    parser.add_argument("--only", default="front,backup,incremental,restic,chain,restore,loaded,early,replay,impact,load,tables,many")
    parser.add_argument("--tables", type=int, default=5000, help="of the part `tables`")
    parser.add_argument("--tenants", default="1,10,50,100", help="counts of the part `many`")
    arguments = parser.parse_args()
    parts = arguments.only.split(",")
    tables = []
    if against_peers := [part for part in parts if part not in ("many", "early", "tables")]:
        tables.append(compare_with_peers(arguments, against_peers))
    if "early" in parts:
        tables.append(measure_early_answers(min(arguments.gigabytes, 1), arguments.rounds))
    if "tables" in parts:
        tables.append(measure_many_tables(arguments.tables, arguments.rounds))
    if "many" in parts:
        tables.append(measure_growth(arguments.tenants))
    print("\n" + "\n\n".join(tables))


if __name__ == "__main__":
    main()
