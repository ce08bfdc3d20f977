"""A tenant whose database hangs (SIGSTOP) is its own trouble: what is done for others goes on, and the daemon starts."""
import os
import signal
import time

import pytest

from hangs import stopped
from node import Node, wait_for


@pytest.fixture(scope="module")
def node():
    node = Node().start()
    for name in ("hung", "shop"):
        node.create_tenant(name, "64M")
    yield node
    node.destroy()


@pytest.fixture
def hung(node):
    with stopped(node.database_pid("hung")):
        yield
    wait_for("the tenant to answer", lambda: node.scalar("SELECT 1", tenant="hung") == 1)


def seconds(work):
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def test_statements_about_others_go_on(node, hung):
    node.create_pool("p_new", "64M")
    assert seconds(lambda: node.scalar("SELECT 1", tenant="shop")) < 2
    assert seconds(lambda: node.sql("CREATE TENANT new RESOURCE_POOL_LIST = ('p_new')")) < 15
    assert seconds(lambda: node.sql("ALTER TENANT shop SET VARIABLES wait_timeout = 77")) < 5
    assert seconds(lambda: node.sql("ALTER RESOURCE UNIT u_p_shop MEMORY_SIZE '128M'")) < 5
    assert seconds(lambda: node.sql("DROP TENANT new")) < 15


def test_views_of_others_stay_fresh(node, hung):
    for tenant in ("hung", "shop"):
        node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{node.uri(tenant)}' TENANT = {tenant}")
    query = "SELECT VALUE FROM oceanbase.DBA_OB_BACKUP_PARAMETER WHERE NAME = 'data_backup_dest'"
    for number in range(4):
        begin = time.monotonic()
        uri = node.uri(f"shop_{number}")
        node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{uri}' TENANT = shop")
        wait_for("the other tenant's own views to show it", lambda uri=uri: node.scalar(query, tenant="shop") == uri, 20)
        # Whoever writes to the one that hangs waits for 5 s, again and again.
        assert time.monotonic() - begin < 3


def test_the_daemon_starts_beside_it(node, hung):
    node.kill()
    assert seconds(node.start) < 20
    assert node.scalar("SELECT 1", tenant="shop") == 1


def test_it_can_be_dropped(node):
    tenant_id = node.create_tenant("doomed", "64M")
    os.kill(node.database_pid(tenant_id), signal.SIGSTOP)
    assert seconds(lambda: node.sql("DROP TENANT doomed FORCE")) < 20
    assert not (node.data / "t" / str(tenant_id)).exists()
