"""Memory of the daemon: under 400 MB during a backup of any size, and little per connection that waits."""
import contextlib
import pathlib


def peak_memory(pid):
    """Bytes: the most that was ever resident."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


def test_backup_and_restore_stay_below_400_mb(node):
    node.create_tenant("shop", "512M")
    node.sql("CREATE DATABASE fill", tenant="shop")
    for table in range(4):
        node.sql(f"CREATE TABLE fill.t{table} AS SELECT seq AS id, SHA2(seq, 512) AS a, REPEAT(SHA2(-seq, 512), 3) AS b"
                 " FROM fill.seq_1_to_400000", tenant="shop")
    node.start_archive("shop")
    # The smallest data files there can be, so that many are written; and a second backup, whose peak adds nothing.
    node.sql("ALTER SYSTEM SET backup_data_file_size = '512M' TENANT = shop")
    for _ in range(2):
        done = node.backup("shop")
        assert done["STATUS"] == "COMPLETED", done
    read = node.scalar("SELECT MAX(INPUT_BYTES) FROM oceanbase.CDB_OB_BACKUP_SET_FILES")
    assert read > 1_000_000_000, "large enough to tell streaming from gathering"
    after_backup = peak_memory(node.process.pid)
    node.restore("back", "shop", activate=False, memory="512M")
    after_restore = peak_memory(node.process.pid)
    print(f"{read} bytes read; peak {after_backup} bytes after the backups, {after_restore} after the restore")
    assert after_backup < 400_000_000 and after_restore < 400_000_000


CONNECTIONS = 400
IDLE_LIMIT = 16 * 1024


def anonymous_memory(pid):
    """Bytes that are the process's own and resident: no program text, no cache, nothing of the kernel's."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("RssAnon")).split()[1]) * 1024


def test_an_idle_connection_costs_little_whatever_passed_through_it(node):
    node.create_tenant("shop", "1G")
    with contextlib.ExitStack() as stack:
        node.sql("SELECT 1", tenant="shop")  # what is there once, however many follow
        before = anonymous_memory(node.process.pid)
        connections = [stack.enter_context(contextlib.closing(node.connect("shop"))) for _ in range(CONNECTIONS)]

        def each():
            return (anonymous_memory(node.process.pid) - before) / CONNECTIONS

        def on_all(statement, *arguments):
            for connection in connections:
                with connection.cursor() as cursor:
                    cursor.execute(statement, arguments)
                    cursor.fetchall()

        costs = {"fresh": each()}
        on_all("SELECT REPEAT('x', 1000000) AS c UNION ALL SELECT REPEAT('y', 1000000)")
        costs["after a large result"] = each()
        on_all("DO LENGTH(%s)", "z" * 1_000_000)
        costs["after a large statement"] = each()
        on_all("SHOW PARAMETERS")
        costs["after an own statement"] = each()
        print({what: f"{cost / 1024:.1f} KiB" for what, cost in costs.items()})
        assert max(costs.values()) <= IDLE_LIMIT
