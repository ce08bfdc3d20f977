"""Memory of the daemon stays under 400 MB during a backup of any size."""
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
