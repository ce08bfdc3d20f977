"""How long a backup and a restore still take, as a user sees it: SECONDS_LEFT never jumps back by more than a tenth, and comes
true."""
import pytest

from load import fill, flush
from node import wait_for
from sampler import Sampler

ROUNDED = 0.1  # the view has one digit after the point


@pytest.fixture(scope="module")
def shop(shared_node):
    node = shared_node
    node.create_tenant("shop")
    fill(node, "shop", 30)
    flush(node, 1002)  # mariadb-backup copies a table whose beginning is in the redo log at the end, when no limit is in force
    node.start_archive("shop")
    return node


def said(sampler):
    """[(time, SECONDS_LEFT)], as soon as something was said."""
    return [(at, float(row["SECONDS_LEFT"])) for at, row in sampler.rows() if row["SECONDS_LEFT"] is not None]


def check_never_back(seen):
    """Whoever looks each second or more often sees no rise of more than a tenth."""
    for i, (at, left) in enumerate(seen):
        for later, then in seen[i + 1:]:
            if later - at > 1 and (later, then) != seen[i + 1]:
                break
            assert then <= left * 1.1 + 2 * ROUNDED, (at, left, later, then)


def check_comes_true(seen, end):
    """In the middle of what is left when the first word was said, within a factor of two; at the end it is short."""
    middle = (seen[0][0] + end) / 2
    at, left = next(s for s in seen if s[0] >= middle)
    print(f"said after the half: {left} s, it was {end - at:.1f} s")
    assert (end - at) / 2 <= left <= (end - at) * 2 + 1
    assert seen[-1][1] < max(4, seen[0][1] / 2)


def test_a_backup_tells_how_long_it_still_takes(shop):
    """It becomes half as fast on its way."""
    node = shop
    directory = node.data / "t" / "1002" / "data"
    total = sum(file.stat().st_size for file in [directory / "ibdata1", *directory.rglob("*.ibd")])
    node.sql(f"ALTER SYSTEM SET backup_io_limit = '{total // 4}B'")
    with Sampler(node, "SELECT * FROM oceanbase.CDB_TM_BACKUP_PROGRESS", every=0.05) as backup, \
            Sampler(node, "SELECT * FROM oceanbase.DBA_TM_BACKUP_PROGRESS", tenant="shop", every=0.05) as own:
        job = node.start_backup("shop")
        wait_for("a word", lambda: said(backup))
        node.sql(f"ALTER SYSTEM SET backup_io_limit = '{total // 8}B'")
        assert node.wait_backup("shop", job)["STATUS"] == "COMPLETED"
    node.sql("ALTER SYSTEM SET backup_io_limit = '0M'")
    check_never_back(said(backup))
    check_never_back(said(own))
    check_comes_true(said(backup), backup.rows()[-1][0])
    assert {row["JOB_ID"] for _, row in backup.rows()} == {job}
    assert not node.sql("SELECT 1 FROM oceanbase.CDB_TM_BACKUP_PROGRESS")


def test_a_restore_tells_how_long_it_still_takes(shop):
    node = shop
    node.sql("INSERT INTO fill.t SELECT seq + 1000000, SHA2(seq, 512), SHA2(-seq, 512) FROM fill.seq_1_to_2000", tenant="shop")
    node.archived_now("shop")
    (data,) = (node.backups / "shop_data").rglob("macro_block_data.0.obbak")
    node.sql(f"ALTER SYSTEM SET restore_net_limit = '{data.stat().st_size // 8}B'")
    with Sampler(node, "SELECT * FROM oceanbase.CDB_TM_RESTORE_PROGRESS", every=0.05) as restore:
        node.create_pool("p_back")
        node.sql(f"ALTER SYSTEM RESTORE back FROM '{node.uri('shop_data')},{node.uri('shop_log')}' WITH 'pool_list=p_back'")
        assert node.wait_restore("back")["STATUS"] == "SUCCESS"
    node.sql("ALTER SYSTEM SET restore_net_limit = '0M'")
    check_never_back(said(restore))
    ends = [at for at, row in restore.rows(STATUS="RESTORE_SUCCESS")]
    check_comes_true([s for s in said(restore) if s[0] < ends[0]], ends[0])
    assert all(row["SECONDS_LEFT"] is None for _, row in restore.rows(STATUS="RESTORE_SUCCESS"))
    assert {row["RESTORE_TENANT_NAME"] for _, row in restore.rows()} == {"back"}
