"""ARCHIVELOG and NOARCHIVELOG of one tenant by several sessions at random, and a daemon that is killed meanwhile. Whatever
came of each: in the end the views, the records and the archiver agree, and an archive that is on archives.

TIDEMARK_HAMMER_SECONDS: how long; `./dev soak` takes longer than `./dev test`. TIDEMARK_SEED=<printed seed> chooses the same
again.
"""
import contextlib
import os
import pathlib
import random
import threading
import time

import pymysql
import pymysql.cursors

from node import wait_for

SESSIONS = 4
SECONDS = float(os.environ.get("TIDEMARK_HAMMER_SECONDS", 4))
REFUSALS = {9091, 9092}  # it is in that mode already


class Switchers:
    """Sessions that switch at random until the block ends. What else than a refusal comes, the daemon's death aside, is kept."""

    def __init__(self, node, rng):
        self.node = node
        self.seeds = [rng.randrange(2**32) for _ in range(SESSIONS)]
        self.over = threading.Event()
        self.dying = threading.Event()  # what fails now fails of that
        self.done = 0
        self.unexpected = []
        self.threads = [threading.Thread(target=self._run, args=[random.Random(seed)]) for seed in self.seeds]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive(), "a statement does not come back"

    def _run(self, rng):
        while not self.over.is_set():
            mode = rng.choice(["ARCHIVELOG", "NOARCHIVELOG"])
            try:
                self.node.sql(f"ALTER SYSTEM {mode} TENANT = shop")
                self.done += 1
            except pymysql.Error as error:
                if error.args[0] not in REFUSALS and not self.dying.is_set():
                    self.unexpected.append((mode, error.args))
                if self.dying.is_set():
                    time.sleep(0.05)  # there is nobody to be asked
            time.sleep(rng.uniform(0, 0.03))


def on_sys(node, statement):
    """Past the daemon, on its own records."""
    with contextlib.closing(pymysql.connect(
            unix_socket=str(node.data / "t" / "1" / "s"), user="tidemark", password=node.daemon_password(1), autocommit=True,
            cursorclass=pymysql.cursors.DictCursor)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def archivers(node):
    names = (pathlib.Path(f"/proc/{node.process.pid}/task")).glob("*/comm")
    return [name for name in names if name.read_text().strip() == "archiver"]


def dumps(node):
    return node.sql("SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'", tenant="shop")


def state(node):
    """Of the archive, as everybody knows it who has a say."""
    rounds = on_sys(node, "SELECT round_id, status FROM tidemark.archive_round ORDER BY round_id")
    return {
        "log mode": node.scalar("SELECT LOG_MODE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'shop'"),
        "view": (node.archive("shop") or {}).get("STATUS"),
        "own view": node.scalar("SELECT STATUS FROM oceanbase.DBA_OB_ARCHIVELOG", tenant="shop"),
        "last round": rounds[-1]["status"],
        "earlier rounds": {r["status"] for r in rounds[:-1]} or {"STOP"},
        "archivers": len(archivers(node)),
        "dumps": len(dumps(node)),
    }


def expected(on):
    status = "DOING" if on else "STOP"
    return {"log mode": "ARCHIVELOG" if on else "NOARCHIVELOG", "view": status, "own view": status, "last round": status,
            "earlier rounds": {"STOP"}, "archivers": int(on), "dumps": int(on)}


def await_state(node, on):
    seen = {}

    def agreed():
        seen.update(state(node))
        return seen == expected(on)
    try:
        wait_for("everybody to agree", agreed, 30)
    except AssertionError:
        assert seen == expected(on)
        raise


def test_switching_the_archive_from_several_sessions(node, rng):
    node.create_tenant("shop", "128M")
    node.sql("CREATE DATABASE d", tenant="shop")
    node.sql("CREATE TABLE d.t (a INT PRIMARY KEY)", tenant="shop")
    node.start_archive("shop")
    with Switchers(node, rng) as switchers:
        time.sleep(rng.uniform(0.3, 0.7) * SECONDS)  # the random moment itself, not a wait for something
        switchers.dying.set()
        node.kill()
        node.start()
        switchers.dying.clear()
        wait_for("switching to go on", lambda now=switchers.done: switchers.done > now + 5)
        time.sleep(0.3 * SECONDS)
    assert not switchers.unexpected
    print(f"{switchers.done} switches")
    assert switchers.done > 10
    await_state(node, node.scalar("SELECT LOG_MODE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'shop'") == "ARCHIVELOG")

    with contextlib.suppress(pymysql.Error):
        node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
    await_state(node, on=False)
    node.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
    await_state(node, on=True)
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    node.sql("INSERT INTO d.t VALUES (42)", tenant="shop")
    node.archived_now("shop")
    node.restore("back", "shop", memory="128M")
    assert node.scalar("SELECT a FROM d.t", tenant="back") == 42
