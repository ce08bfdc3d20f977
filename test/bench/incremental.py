"""The parts of `./dev bench` about backup sets that lean on others: `incremental` against mariadb-backup's, `restic`,
`chain` (what the length of a chain costs a restore), and `load` (what backups cost a server that works)."""
import contextlib
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
PEER = "mariadb-backup --defaults-file={secret} --backup --stream=mbstream --parallel=2 --datadir={datadir}"
RESTIC = {"RESTIC_PASSWORD": "bench", "RESTIC_PROGRESS_FPS": "0.01"}


class Cost:
    """Seconds, CPU seconds and bytes of each round of one side."""

    def __init__(self):
        self.seconds, self.cpu, self.bytes = [], [], []

    @contextlib.contextmanager
    def measured(self, cpu):
        """`cpu` tells what was used so far."""
        begin, used = time.monotonic(), cpu()
        yield
        self.seconds.append(time.monotonic() - begin)
        self.cpu.append(cpu() - used)


def cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_of(pid):
    """Of the process, also of its threads that have ended, and of its children that have."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / TICKS


class IncrementalParts:
    """Measured with a Bench: its node, tenant and table of results."""

    def __init__(self, bench):
        self.bench, self.node, self.peer = bench, bench.node, bench.peer

    # --- what both sides do ---

    def update(self, share):
        """Of the rows of all tables, at random."""
        for table in range(1, 9):
            self.node.sql(f"UPDATE sb.sbtest{table} SET k = k + 1, c = REVERSE(c) WHERE RAND() < {share}", tenant="bench")
        self.bench.rest()

    def ours(self, kind, cost):
        """`kind`: INCREMENTAL, or nothing."""
        with cost.measured(lambda: cpu_of(self.node.process.pid)):
            done = self.node.wait_backup("bench", self.node.start_backup("bench", kind=kind), 3600)
        assert done["STATUS"] == "COMPLETED", done
        row = self.node.sql("SELECT BACKUP_TYPE, OUTPUT_BYTES FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID DESC LIMIT 1")[0]
        assert row["BACKUP_TYPE"] == ("INC" if kind else "FULL"), row
        cost.bytes.append(row["OUTPUT_BYTES"])

    def theirs(self, name, base, cost):
        """A backup in peer/name, which an incremental one can be made against; `base`: the one that this is."""
        place = self.peer / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        command = PEER.format(secret=self.bench.secret, datadir=self.bench.datadir) + f" --extra-lsndir={place}"
        if base:
            command += f" --incremental-basedir={self.peer / base}"
        target = place / "backup.zst"
        with cost.measured(cpu_of_children):
            shell(f"{command} | zstd -q -1 -T2 -o {target}")
        cost.bytes.append(target.stat().st_size)

    def restic(self, repository, cost):
        before = bytes_below(repository)
        command = PEER.format(secret=self.bench.secret, datadir=self.bench.datadir)
        with cost.measured(cpu_of_children):
            shell(f"{command} | restic -q -r {repository} backup --stdin --stdin-filename backup.mbstream", env=os.environ | RESTIC)
        cost.bytes.append(bytes_below(repository) - before)

    def add(self, what, ours, theirs, goal="—"):
        for name, unit, scale, one, other in (("time", "s", 1, ours.seconds, theirs.seconds), ("CPU time", "s", 1, ours.cpu, theirs.cpu),
                                              ("stored", "MB", 1e6, ours.bytes, theirs.bytes)):
            mine, yours = statistics.median(one) / scale, statistics.median(other) / scale
            digits = 2 if unit == "s" else 1
            self.bench.add(f"{what}, {name}", f"{mine:.{digits}f} {unit}", f"{yours:.{digits}f} {unit}", yours / max(mine, 0.01),
                           goal if name == "time" else "—")

    # --- the parts ---

    def incremental(self):
        """After 5 % of the rows became others, against the peer's of the same change."""
        ours, theirs, changed = Cost(), Cost(), []
        self.theirs("base", None, Cost())
        self.ours("", Cost())
        for n in range(self.bench.rounds):
            self.update(0.05)
            for work in (lambda: self.theirs("next", "base", theirs), lambda: self.ours("INCREMENTAL", ours)):
                self.bench.rest()
                work()
            changed.append(int(subprocess.check_output(f"zstd -q -dc {self.peer}/next/backup.zst | wc -c", shell=True)))
            shutil.rmtree(self.peer / "base")
            (self.peer / "next").rename(self.peer / "base")
            self.bench.say(f"incremental round {n + 1}: {ours.seconds[-1]:.2f} s, {theirs.seconds[-1]:.2f} s")
        shutil.rmtree(self.peer / "base")
        self.add("incremental backup after 5 % of the rows", ours, theirs, "≥ 1")
        stored, plain = statistics.median(ours.bytes), statistics.median(changed)
        self.bench.add("… stored, of the changed pages before compression", f"{stored / 1e6:.1f} MB", f"{plain / 1e6:.1f} MB", stored / plain,
                       "≤ 1.1")

    def restics(self):
        """The same stream into a repository of restic, which stores what it does not have yet."""
        full, full_theirs, inc, inc_theirs = Cost(), Cost(), Cost(), Cost()
        repository = self.peer / "restic"
        for n in range(self.bench.rounds):
            shutil.rmtree(repository, ignore_errors=True)
            shell(f"restic -q init -r {repository}", env=os.environ | RESTIC)
            for kind, ours, theirs in (("", full, full_theirs), ("INCREMENTAL", inc, inc_theirs)):
                self.update(0.05)
                self.restic(repository, theirs)
                self.bench.rest()
                self.ours(kind, ours)
            self.bench.say(f"restic round {n + 1}: {full.seconds[-1]:.2f} and {inc.seconds[-1]:.2f} s,"
                           f" restic {full_theirs.seconds[-1]:.2f} and {inc_theirs.seconds[-1]:.2f} s")
        shutil.rmtree(repository)
        self.add("full backup, against restic", full, full_theirs)
        self.add("incremental backup after 5 % of the rows, against restic", inc, inc_theirs)

    def chain(self):
        """The restore of the last of 21 sets that lean on each other, against that of a full set of the same data."""
        self.ours("", Cost())
        for n in range(20):
            self.update(0.001)
            self.ours("INCREMENTAL", Cost())
            if n % 5 == 4:
                self.bench.say(f"chain: {n + 1} of 20 sets")
        chained = self.newest_scn()
        self.update(0.001)  # or the full set would restore to the same moment, and be chosen for both
        self.ours("", Cost())
        full = self.newest_scn()
        files = list((self.node.backups / "bench_data").rglob("*.obbak"))
        times = {"inc": [], "full": []}
        for n in range(self.bench.rounds):
            for kind, scn in (("inc", chained), ("full", full)):
                os.sync()
                self.bench.set_cached(files, True)
                begin = time.monotonic()
                done = self.node.restore("back", "bench", f"UNTIL SCN = {scn}", activate=False, memory="2G")
                times[kind].append(time.monotonic() - begin)
                assert ("_inc" in done["BACKUP_SET_LIST"]) == (kind == "inc"), done
                self.bench.forget("back")
            self.bench.say(f"chain round {n + 1}: {times['inc'][-1]:.2f} s, full {times['full'][-1]:.2f} s")
        one, other = statistics.median(times["inc"]), statistics.median(times["full"])
        self.bench.add("restore of the 20th of a chain, against a full set", f"{one:.2f} s", f"{other:.2f} s", one / other, "≤ 1.1")

    def newest_scn(self):
        return self.node.scalar("SELECT MAX(MIN_RESTORE_SCN) FROM oceanbase.CDB_OB_BACKUP_SET_FILES")

    def load(self):
        """What a server that writes still does while it is backed up again and again."""
        repository = self.peer / "restic"
        shutil.rmtree(repository, ignore_errors=True)
        shell(f"restic -q init -r {repository}", env=os.environ | RESTIC)
        self.theirs("base", None, Cost())
        self.ours("", Cost())
        work = {"nothing": None,
                "full": lambda: self.ours("", Cost()), "their full": lambda: self.theirs("next", None, Cost()),
                "incremental": lambda: self.ours("INCREMENTAL", Cost()), "their incremental": lambda: self.theirs("next", "base", Cost()),
                "restic": lambda: self.restic(repository, Cost())}
        rates = {name: [] for name in work}
        for n in range(self.bench.rounds):
            for name, during in work.items():
                self.bench.rest()
                rates[name].append(self.writes_per_second(during))
            self.bench.say(f"load round {n + 1}: " + ", ".join(f"{name} {rate[-1]:.0f}/s" for name, rate in rates.items()))
        shares = {name: statistics.median(rate) / statistics.median(rates["nothing"]) for name, rate in rates.items()}
        for name, other, peer in (("full", "their full", "mariadb-backup"), ("incremental", "their incremental", "mariadb-backup"),
                                  ("incremental", "restic", "restic")):
            self.bench.add(f"writes during {name} backups, of those without, against {peer}", f"{100 * shares[name]:.0f} %",
                           f"{100 * shares[other]:.0f} %", shares[name] / shares[other], "—")
        for place in ("base", "next", "restic"):
            shutil.rmtree(self.peer / place)

    def writes_per_second(self, during, seconds=10):
        sysbench = subprocess.Popen(self.bench.sysbench("oltp_write_only", "run", f"--time={seconds}"), stdout=subprocess.PIPE, text=True)
        while sysbench.poll() is None and during:
            during()
        return float(re.search(r"transactions:\s+\d+\s+\(([\d.]+) per sec", sysbench.communicate()[0]).group(1))


def bytes_below(place):
    return sum(file.stat().st_size for file in place.rglob("*") if file.is_file())


def shell(command, env=None):
    """A pipeline as a person would type it; any part that fails fails it all."""
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, env=env)
    assert done.returncode == 0, f"{command}:\n" + done.stderr.decode(errors="replace")[-2000:]
