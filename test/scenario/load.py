"""Writers that run beside what is tested."""
import contextlib
import threading

import pymysql

from node import wait_for


class Ledger:
    """Several writers, one row per transaction into d.ledger; every acknowledged row is remembered, with its GTID."""

    def __init__(self, node, tenant, writers=3):
        self.node, self.tenant, self.writers = node, tenant, writers
        self.acknowledged = {}  # (writer, n) -> GTID
        self.errors = []
        self._stop = threading.Event()
        self._threads = []
        self._lock = threading.Lock()
        node.sql("CREATE DATABASE IF NOT EXISTS d", tenant=tenant)
        node.sql("CREATE TABLE IF NOT EXISTS d.ledger (writer INT, n INT, text VARCHAR(200), PRIMARY KEY (writer, n))",
                 tenant=tenant)
        self._first = node.scalar("SELECT COALESCE(MAX(n), 0) FROM d.ledger", tenant=tenant)  # of a ledger before this

    def __enter__(self):
        self._threads = [threading.Thread(target=self._write, args=(w,)) for w in range(self.writers)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _write(self, writer):
        n = self._first
        while not self._stop.is_set():
            try:
                with contextlib.closing(self.node.connect(self.tenant)) as connection, connection.cursor() as cursor:
                    while not self._stop.is_set():
                        n += 1  # a row that was sent but not acknowledged may exist: its number is not used again
                        cursor.execute("INSERT INTO d.ledger VALUES (%s, %s, %s)", [writer, n, "x" * (n % 200)])
                        cursor.execute("SELECT @@last_gtid AS g")
                        gtid = cursor.fetchone()["g"]
                        with self._lock:
                            self.acknowledged[(writer, n)] = gtid
            except pymysql.Error as error:
                self.errors.append(error)  # the tenant was killed: connect again
                self._stop.wait(0.05)

    def count(self):
        with self._lock:
            return len(self.acknowledged)


def rows(node, tenant):
    return {(r["writer"], r["n"]) for r in node.sql("SELECT writer, n FROM d.ledger", tenant=tenant)}


def fill(node, tenant, megabytes):
    """Something for a backup to chew on, so that what happens to it hits it in the middle."""
    node.sql("CREATE DATABASE IF NOT EXISTS fill", tenant=tenant)
    node.sql("CREATE TABLE IF NOT EXISTS fill.t (id INT PRIMARY KEY, a CHAR(255), b CHAR(255)) ENGINE=InnoDB",
             tenant=tenant)
    node.sql(f"REPLACE INTO fill.t SELECT seq, SHA2(seq, 512), SHA2(-seq, 512) FROM fill.seq_1_to_{megabytes * 1500}",
             tenant=tenant)


def flush(node, tenant_id):
    """Has all of the tenant's pages written to the disk, so that its redo log is short. Its own users may not."""
    with contextlib.closing(pymysql.connect(unix_socket=str(node.data / "t" / str(tenant_id) / "s"), user="tidemark",
                                            password=node.daemon_password(tenant_id))) as connection:
        with connection.cursor() as cursor:
            def is_small(name, bound):
                cursor.execute(f"SHOW GLOBAL STATUS LIKE '{name}'")
                return int(cursor.fetchone()[1]) <= bound

            names = ["innodb_io_capacity", "innodb_io_capacity_max", "innodb_max_dirty_pages_pct"]
            cursor.execute("SELECT " + ", ".join(f"@@{name}" for name in names))
            before = cursor.fetchone()
            cursor.execute("SET GLOBAL innodb_io_capacity_max = 50000, innodb_io_capacity = 50000,"
                           " innodb_max_dirty_pages_pct = 0")
            try:
                wait_for("its pages to be on the disk", lambda: is_small("Innodb_buffer_pool_pages_dirty", 0)
                         and is_small("Innodb_checkpoint_age", 100_000))
            finally:
                cursor.execute("SET GLOBAL " + ", ".join(f"{name} = {value}" for name, value in zip(names, before)))
