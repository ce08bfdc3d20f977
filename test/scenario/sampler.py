"""Looks at a view through the port again and again, as somebody who watches does."""
import contextlib
import threading
import time


class Sampler:
    """Runs `query` every `every` seconds in a session of its own while the block runs, and once more when it has ended:
    what the block waited for is always seen. `samples` are (time, rows)."""

    def __init__(self, node, query, tenant="sys", every=0.02, user="root"):
        self.samples = []
        self._work = (node, query, tenant, user, every)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(60)

    def _run(self):
        node, query, tenant, user, every = self._work
        with contextlib.closing(node.connect(tenant, user=user)) as connection, connection.cursor() as cursor:
            ended = False
            while not ended:
                ended = self._stop.is_set()
                begin = time.monotonic()
                cursor.execute(query)
                self.samples.append((begin, list(cursor.fetchall())))
                self._stop.wait(max(0.0, every - (time.monotonic() - begin)))

    def rows(self, **equal):
        """Every row seen, in the order of the samples, that has these values: [(time, row)]."""
        return [(at, row) for at, sampled in self.samples for row in sampled
                if all(row[name] == value for name, value in equal.items())]

    def longest_gap(self, job):
        """Between two looks while rows of `job` were there, in seconds: what was there for less may have been missed."""
        with_rows = [i for i, (_, rows) in enumerate(self.samples) if any(row["JOB_ID"] == job for row in rows)]
        times = [at for at, _ in self.samples[max(0, with_rows[0] - 1):with_rows[-1] + 2]]
        return max(later - earlier for earlier, later in zip(times, times[1:]))


def in_order(values):
    """The values without repetitions of neighbours."""
    return [v for i, v in enumerate(values) if i == 0 or v != values[i - 1]]
