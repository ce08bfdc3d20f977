#!/usr/bin/python3
"""The demonstration behind `./dev demo`: two real tenants, one of them in ORACLE mode, archived and backed up under load
while their administrators watch; one is damaged and restored to the moment before. Every statement it runs is printed. Options: --rows N (per table), --stop (leave nothing running)."""
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pymysql
import pymysql.cursors

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = ROOT / "build" / "dev" / "bin"
TABLES = 4
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")
STARTED = time.monotonic()


def say(text):
    print(f"\n{BOLD}[{time.monotonic() - STARTED:5.0f} s] {text}{PLAIN}", flush=True)


def free_port():
    for port in range(2881, 2981):
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    sys.exit("no free port between 2881 and 2980")


class Demo:
    def __init__(self, rows, stop):
        self.rows, self.stop = rows, stop
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="tidemark-demo-"))
        self.port = free_port()
        self.daemon = None
        self.load = None

    # --- tools ---

    def sql(self, statement, user="root@sys", show=True):
        if show:
            print(f"{DIM}{user}>{PLAIN} {statement};", flush=True)
        with contextlib.closing(pymysql.connect(host="127.0.0.1", port=self.port, user=user, autocommit=True,
                                                cursorclass=pymysql.cursors.DictCursor)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall())

    def show(self, statement, user="root@sys"):
        """As a person would see it, with the mariadb client."""
        print(f"{DIM}{user}>{PLAIN} {statement}\\G", flush=True)
        subprocess.run(["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{self.port}", f"-u{user}", "-e", statement + "\\G"],
                       check=True)

    def cli(self, *arguments):
        print(f"{DIM}$ tidemark {' '.join(arguments)}{PLAIN}", flush=True)
        subprocess.run([BIN / "tidemark", "-P", str(self.port), *arguments], check=True)

    def wait(self, what, condition, limit=120):
        deadline = time.monotonic() + limit
        while not (value := condition()):
            if time.monotonic() > deadline:
                sys.exit(f"waited {limit} s in vain for: {what}; log: {self.place / 'log'}")
            time.sleep(0.05)
        return value

    def sysbench(self, command, *options):
        return ["sysbench", "oltp_read_write", f"--mysql-host=127.0.0.1", f"--mysql-port={self.port}",
                "--mysql-user=root@shop", "--mysql-password=", "--mysql-db=shop", f"--tables={TABLES}",
                f"--table-size={self.rows}", "--threads=2", *options, command]

    def uri(self, tenant, kind):
        return f"file://{self.place}/backup/{tenant}_{kind}"

    # --- the story ---

    def run(self):
        self.start_node()
        self.create_tenants()
        self.load_data()
        self.start_archive()
        self.backup_under_load()
        moment, before = self.note_the_time()
        self.damage()
        self.restore(moment)
        self.prove(before)
        self.say_goodbye()

    def start_node(self):
        say(f"a node in {self.place}")
        (self.place / "backup").mkdir()
        with open(self.place / "log", "wb") as log:
            self.daemon = subprocess.Popen([BIN / "tidemarkd", "--data-dir", self.place / "data", "--port", str(self.port)],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.wait("the node", lambda: self.daemon.poll() is not None or
                  b"accepts connections" in (self.place / "log").read_bytes())
        if self.daemon.poll() is not None:
            sys.exit((self.place / "log").read_text())
        print(f"tidemarkd answers on port {self.port}")

    def create_tenants(self):
        say("two tenants, each a mariadbd of its own; the second one in ORACLE mode")
        self.sql("CREATE RESOURCE UNIT unit1 MAX_CPU 2, MEMORY_SIZE '512M'")
        for pool in ("pool1", "pool2", "pool3"):
            self.sql(f"CREATE RESOURCE POOL {pool} UNIT = 'unit1', UNIT_NUM = 1, ZONE_LIST = ('zone1')")
        self.sql("CREATE TENANT shop RESOURCE_POOL_LIST = ('pool1')")
        self.sql("CREATE TENANT erp RESOURCE_POOL_LIST = ('pool2') SET ob_compatibility_mode = 'oracle'")
        self.sql("CREATE DATABASE shop", user="root@shop")

    def load_data(self):
        say(f"{TABLES} tables of {self.rows} rows (sysbench)")
        subprocess.run(self.sysbench("prepare"), check=True, stdout=subprocess.DEVNULL)
        size = self.sql("SELECT ROUND(SUM(DATA_LENGTH + INDEX_LENGTH) / 1e6) AS mb FROM information_schema.TABLES"
                        " WHERE TABLE_SCHEMA = 'shop'", user="root@shop", show=False)[0]["mb"]
        print(f"{size} MB of tables and indexes")
        self.sql("CREATE DATABASE ledger", user="SYS@erp")
        self.sql("CREATE TABLE ledger.entries AS SELECT seq AS id, 'entry ' || seq AS name, SHA2(seq, 512) || SHA2(-seq, 512) AS"
                 f" proof FROM seq_1_to_{self.rows}", user="SYS@erp")

    def start_archive(self):
        say("the log archive")
        for tenant in ("shop", "erp"):
            self.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION={self.uri(tenant, 'archive')}' TENANT = {tenant}")
            self.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{self.uri(tenant, 'data')}' TENANT = {tenant}")
        self.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop, erp")
        self.wait("the archives", lambda: {a["STATUS"] for a in self.archives()} == {"DOING"})

    def archives(self):
        return self.sql("SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG ORDER BY TENANT_ID", show=False)

    def shop_archived_until(self):
        return self.archives()[0]["CHECKPOINT_SCN"]

    def backup_under_load(self):
        say("full backups while clients read and write")
        self.load = subprocess.Popen(self.sysbench("run", "--time=600", "--report-interval=0"), stdout=subprocess.DEVNULL)
        self.sql("ALTER SYSTEM BACKUP TENANT = shop, erp")
        self.wait("the backups to read data", lambda: self.sql(
            "SELECT 1 FROM oceanbase.CDB_OB_BACKUP_TASKS HAVING MIN(FINISH_MACRO_BLOCK_COUNT) > 10 UNION"
            " SELECT 1 FROM oceanbase.CDB_OB_BACKUP_TASK_HISTORY", show=False))
        self.show("SELECT * FROM oceanbase.CDB_OB_BACKUP_JOBS")
        self.show("SELECT * FROM oceanbase.CDB_OB_BACKUP_TASKS")
        for view in ("DBA_OB_BACKUP_JOBS", "DBA_OB_BACKUP_TASKS"):
            self.show(f"SELECT * FROM oceanbase.{view}", user="root@shop")
            self.show(f"SELECT * FROM SYS.{view}", user="SYS@erp")
        self.cli("watch")
        self.require_end("backup", "SELECT STATUS, COMMENT FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE TENANT_ID <> 1",
                         ["COMPLETED", "COMPLETED"])

    def require_end(self, what, history, expected):
        """A job that is over is in its history, a restore two seconds later."""
        ends = self.wait(f"the {what} in its history", lambda: self.sql(history, show=False))
        if [end["STATUS"] for end in ends] != expected:
            sys.exit(f"the {what} failed: {ends}")

    def note_the_time(self):
        say("writers pause; note the time and what every table holds")
        self.load.send_signal(signal.SIGTERM)
        self.load.wait()
        before = self.checksums("shop")
        stopped = time.time_ns()
        self.wait("the archive to pass this moment", lambda: self.shop_archived_until() > stopped)
        moment = str(self.sql("SELECT NOW(6) AS t")[0]["t"])
        print(f"the moment: {moment}")
        return moment, before

    def damage(self):
        say("damage: a wrong UPDATE, then a dropped table")
        self.sql("UPDATE shop.sbtest2 SET c = 'oops' WHERE id < 10000", user="root@shop")
        self.sql("DROP TABLE shop.sbtest1", user="root@shop")
        dropped = time.time_ns()
        self.wait("the archive to have the damage too", lambda: self.shop_archived_until() > dropped)

    def restore(self, moment):
        say(f"restore into a new tenant, to {moment}")
        self.sql(f"ALTER SYSTEM RESTORE shop_before FROM '{self.uri('shop', 'data')},{self.uri('shop', 'archive')}'"
                 f" UNTIL TIME = '{moment}' WITH 'pool_list=pool3'")
        self.show("SELECT * FROM oceanbase.CDB_OB_RESTORE_PROGRESS")
        self.cli("watch")
        self.require_end("restore", "SELECT STATUS, COMMENT FROM oceanbase.CDB_OB_RESTORE_HISTORY WHERE TENANT_ID = 1",
                         ["SUCCESS"])
        self.sql("ALTER SYSTEM ACTIVATE STANDBY TENANT = shop_before")

    def checksums(self, tenant):
        return {n: self.sql(f"CHECKSUM TABLE shop.sbtest{n}", user=f"root@{tenant}", show=False)[0]["Checksum"]
                for n in range(1, TABLES + 1)}

    def prove(self, before):
        say("proof: checksums of every table, then and now")
        after = self.checksums("shop_before")
        for n in before:
            print(f"  shop.sbtest{n}  {before[n]:>12}  {after[n]:>12}  {'equal' if before[n] == after[n] else 'DIFFERENT'}")
        if before != after:
            sys.exit("the restored tables differ")

    def say_goodbye(self):
        say(f"done in {time.monotonic() - STARTED:.0f} s")
        client = f"mariadb -h127.0.0.1 -P{self.port}"
        if self.stop:
            self.end()
            return
        print(f"""
The node is still running. Connect:
  {client} -uroot@sys                the cluster: jobs, tenants, views
  {client} -uroot@shop_before shop   the restored tenant
  {client} -uSYS@erp                 the tenant in ORACLE mode
Try:
  SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES\\G          (in sys)
  SELECT * FROM oceanbase.CDB_OB_ARCHIVELOG\\G                (in sys)
  ALTER SYSTEM BACKUP DATABASE;                              (in sys or shop)
  {BIN.relative_to(ROOT)}/tidemark -P{self.port} status
Stop and remove everything:
  {BIN.relative_to(ROOT)}/tidemark -P{self.port} shutdown && rm -rf {self.place}""")

    def end(self):
        if self.load and self.load.poll() is None:
            self.load.kill()
        if self.daemon and self.daemon.poll() is None:
            subprocess.run([BIN / "tidemark", "-P", str(self.port), "shutdown"], stdout=subprocess.DEVNULL)
            self.daemon.wait(60)
        shutil.rmtree(self.place, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=450_000, help="rows per table; 450000 make about 500 MB")
    parser.add_argument("--stop", action="store_true", help="end the node and remove everything at the end")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    demo = Demo(arguments.rows, arguments.stop)
    try:
        demo.run()
    except BaseException:
        print(f"\nthe demo did not finish; the node's log is {demo.place / 'log'}", file=sys.stderr)
        if demo.load and demo.load.poll() is None:
            demo.load.kill()
        raise


if __name__ == "__main__":
    main()
