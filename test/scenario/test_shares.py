"""Own statements share threads: those about a tenant whose destination hangs take no more than its share."""
import concurrent.futures
import time

import pymysql

from hanging_mount import HangingMount
from hangs import hanging, needs_fuse
from node import wait_for

# Of one tenant: statements that run, and that wait (docs/front.md).
RUNNING, WAITING = 4, 256
# For a statement that waits for nothing, on a busy machine.
SOON = 10

pytestmark = needs_fuse


def answer_of(node, statement, tenant):
    try:
        return node.sql(statement, tenant=tenant, read_timeout=120)
    except pymysql.MySQLError as error:
        return error.args


def hangs(mount, number, about=""):
    """A statement that looks at a destination, each at another."""
    return f"ALTER SYSTEM SET DATA_BACKUP_DEST = 'file://{mount.path}/data{number}'" + about


def others_are_answered(node):
    for tenant in ("sys", "other"):
        assert node.sql("SHOW PARAMETERS LIKE 'archive_lag_target'", tenant=tenant, read_timeout=SOON)
        node.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{node.uri(tenant)}'" + " TENANT = other" * (tenant == "sys"),
                 tenant=tenant, read_timeout=SOON)


def test_statements_about_a_tenant_whose_destination_hangs_leave_threads_to_all_others(node):
    node.create_tenant("hung", "512M")  # which is how many sessions it may have
    node.create_tenant("other", "128M")
    node.sql(f"ALTER SYSTEM SET tenant_destination_roots = '{node.directory}'")
    with concurrent.futures.ThreadPoolExecutor(RUNNING + WAITING + 40) as pool, HangingMount(node.directory) as mount:
        with hanging(mount):
            stuck = [pool.submit(answer_of, node, hangs(mount, i), "hung") for i in range(20)]
            stuck += [pool.submit(answer_of, node, hangs(mount, 20 + i, " TENANT = hung"), "sys") for i in range(20)]
            others_are_answered(node)
            # Until all that may wait do, and one more is refused.
            stuck += [pool.submit(answer_of, node, hangs(mount, 40 + i), "hung") for i in range(RUNNING + WAITING)]
            refused = wait_for("one too many", lambda: next((a.result() for a in stuck if a.done()), None), SOON)
            assert refused[0] == 4023 and "about tenant 'hung' wait already" in refused[1]
            others_are_answered(node)
            assert sum(not a.done() for a in stuck) >= WAITING
        begin = time.monotonic()
        answers = [a.result() for a in stuck]
        print(f"all were answered {time.monotonic() - begin:.1f} s after the end of the hang")
        assert [a for a in answers if a and a[0] != 4023] == [], "nothing else went wrong"
