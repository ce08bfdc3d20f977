"""How long a client of the port waits for point selects, and whether it gets in: measured by a process of its own, so
that what the test does meanwhile does not count.

    latency.py PORT TENANT    prints a line of JSON per window of point selects, until its input ends
"""
import contextlib
import json
import pathlib
import select
import statistics
import subprocess
import sys
import threading
import time

WINDOW = 0.5  # seconds
ROWS = 1000


class PointSelects:
    """One client per CPU-friendly loop: selects a row by its key again and again, and logs in anew in each window.
    `windows` are dictionaries: at, count, p99, longest, login; times in seconds. `error` is what ended it early."""

    def __init__(self, node, tenant):
        node.sql("CREATE DATABASE IF NOT EXISTS point", tenant=tenant)
        node.sql("CREATE TABLE IF NOT EXISTS point.t (id INT PRIMARY KEY, c CHAR(60))", tenant=tenant)
        node.sql(f"INSERT IGNORE INTO point.t SELECT seq, MD5(seq) FROM point.seq_1_to_{ROWS}", tenant=tenant)
        self._arguments = [sys.executable, __file__, str(node.port), tenant]
        self.windows, self.error = [], ""

    def __enter__(self):
        self._process = subprocess.Popen(self._arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join()
        self.error = self._process.stderr.read()

    def _read(self):
        for line in self._process.stdout:
            self.windows.append(json.loads(line))

    def between(self, begin, end):
        """The windows that began and ended in this time (time.monotonic())."""
        return [w for w in self.windows if w["at"] >= begin and w["at"] + WINDOW <= end]


def p99(windows):
    """The median of the windows' 99th percentiles: one window in which the machine was busy does not count."""
    return statistics.median(w["p99"] for w in windows)


def measure(port, tenant):
    import pymysql

    def connect():
        return pymysql.connect(host="127.0.0.1", port=port, user=f"root@{tenant}", read_timeout=60)

    connection = connect()
    cursor = connection.cursor()
    while not select.select([sys.stdin], [], [], 0)[0]:
        begin, taken = time.monotonic(), []
        with contextlib.closing(connect()):
            login = time.monotonic() - begin
        while time.monotonic() < begin + WINDOW:
            before = time.perf_counter()
            cursor.execute("SELECT c FROM point.t WHERE id = %s", [len(taken) % ROWS + 1])
            cursor.fetchall()
            taken.append(time.perf_counter() - before)
        taken.sort()
        print(json.dumps({"at": begin, "count": len(taken), "login": login, "longest": taken[-1],
                          "p99": taken[int(len(taken) * 0.99)]}), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    measure(int(sys.argv[1]), sys.argv[2])
