"""The daemon ends when it is asked to, whatever hangs; what was going on then goes on at its next start."""
import concurrent.futures
import functools
import signal
import time

import pymysql
import pytest

from hanging_mount import HangingMount
from hangs import needs_fuse, stopped
from node import wait_for

# Three parts with a limit of 8 s each, and what a busy machine adds.
LIMIT = 30


def end(node):
    """The kernel may keep the process while a mount hangs: then the daemon says that it is over."""
    begin, ending, logged = time.monotonic(), node.process, node.log.stat().st_size
    ending.send_signal(signal.SIGTERM)
    wait_for("the daemon to end", lambda: ending.poll() == 0
             or b"the next daemon can start" in node.log.read_bytes()[logged:], LIMIT)
    print(f"the daemon took {time.monotonic() - begin:.1f} s to end")
    return ending


class Client(pymysql.connections.Connection):
    """Counts what it has sent: who waits for an answer is seen by it."""
    sent = 0

    def __init__(self, node, tenant, **options):
        super().__init__(host="127.0.0.1", port=node.port, user=f"root@{tenant}", **options)

    def _write_bytes(self, data):
        super()._write_bytes(data)
        self.sent += 1


def asked(pool, client, question):
    """The future answer, once the question is sent."""
    before = client.sent
    answer = pool.submit(question)
    wait_for("the client to ask", lambda: client.sent > before)
    return answer


def number_of(answer):
    with pytest.raises(pymysql.err.OperationalError) as failure:
        answer.result(60)
    return failure.value.args[0]


def test_it_ends_beside_databases_that_hang_and_tells_who_waits_for_them(shared_node):
    node = shared_node
    shop = node.create_tenant("shop")
    node.start_archive("shop")
    with concurrent.futures.ThreadPoolExecutor() as pool, stopped(node.database_pid(1)), stopped(node.database_pid(shop)):
        client = Client(node, "shop", defer_connect=True)
        login = asked(pool, client, client.connect)
        assert end(node).wait(LIMIT) == 0
        assert number_of(login) == 1053
    node.start()
    node.archived_now("shop")


@needs_fuse
def test_it_ends_beside_a_destination_that_hangs(shared_node):
    node = shared_node
    node.create_tenant("mounted")
    with concurrent.futures.ThreadPoolExecutor(30) as pool, HangingMount(node.directory) as mount:
        node.sql(f"ALTER SYSTEM SET tenant_destination_roots = '{mount.path}'")
        node.sql(f"ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file://{mount.path}/log' TENANT = mounted")
        node.sql("ALTER SYSTEM ARCHIVELOG TENANT = mounted")
        node.wait_archive("mounted", "DOING")
        clients = [Client(node, "mounted") for _ in range(20)]
        mount.hang()
        stuck = [asked(pool, client, functools.partial(
            client.query, f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{mount.path}/data'")) for client in clients]
        for _ in range(4):  # on every network thread: what was sent before has been read
            assert node.scalar("SELECT 1") == 1
        ended = end(node)
        assert {number_of(answer) for answer in stuck} == {1053}
        node.start()
        assert node.scalar("SELECT 1", tenant="mounted") == 1
        mount.go_on()
        assert ended.wait(LIMIT) == 0
        node.archived_now("mounted")
        node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = mounted")
