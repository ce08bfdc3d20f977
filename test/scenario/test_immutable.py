"""Destinations on which nothing can be removed or written again (docs/decisions/immutable.md)."""
import hashlib

import pytest

from hanging_mount import HangingMount
from hangs import needs_fuse
from node import Node, checksums, wait_for

pytestmark = needs_fuse


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A tenant whose destinations lie on such a mount, with a table that grows."""
    with HangingMount(tmp_path_factory.mktemp("kept"), "forbid") as mount:
        made = Node()
        made.backups = mount.path
        made.mount = mount
        try:
            made.start()
            made.create_tenant("shop")
            made.sql("CREATE DATABASE d", tenant="shop")
            made.sql("CREATE TABLE d.t (id INT PRIMARY KEY, noise BLOB)", tenant="shop")
            made.sql("INSERT INTO d.t SELECT seq, RANDOM_BYTES(500) FROM d.seq_1_to_2000", tenant="shop")
            made.start_archive("shop")
            yield made
        finally:
            made.destroy()


def contents(node):
    """Of everything that is there."""
    return {path: hashlib.sha256(path.read_bytes()).digest() for path in node.mount.backing.rglob("*") if path.is_file()}


def unlinked(node):
    """Names that were tried to be removed, but for those of files still being written and the archive's checkpoints."""
    refused = node.mount.refused.read_text().split("\n") if node.mount.refused.exists() else []
    return [line for line in refused if line.startswith("unlink ") and "/.unfinished-" not in line
            and "/checkpoint/" not in line]


def test_backups_log_and_restores_need_no_removing_and_no_rewriting(shop):
    before = contents(shop)
    for options in ("", "PLUS ARCHIVELOG"):
        job = shop.start_backup("shop", options)
        assert shop.wait_backup("shop", job)["STATUS"] == "COMPLETED"
    shop.sql("UPDATE d.t SET noise = RANDOM_BYTES(500) WHERE id <= 50", tenant="shop")
    shop.sql("ALTER SYSTEM BACKUP INCREMENTAL TENANT = shop")
    assert shop.wait_backup("shop", 3)["STATUS"] == "COMPLETED"
    sets = shop.sql("SELECT BACKUP_TYPE, FILE_STATUS FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID")
    assert [(s["BACKUP_TYPE"], s["FILE_STATUS"]) for s in sets] == [("FULL", "AVAILABLE")] * 2 + [("INC", "AVAILABLE")]
    shop.sql("DELETE FROM d.t WHERE id > 1990", tenant="shop")
    shop.archived_now("shop")
    shop.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = shop")
    job = wait_for("the validation to end", lambda: [
        j for j in shop.sql("SELECT * FROM oceanbase.CDB_TM_VALIDATE_JOBS") if j["END_TIMESTAMP"]])[0]
    assert (job["STATUS"], job["FINDING_COUNT"]) == ("COMPLETED", 0), job
    shop.restore("copy", "shop")
    assert checksums(shop, "copy") == checksums(shop, "shop")
    shop.drop("copy")
    after = contents(shop)
    assert {path: after.get(path) for path in before} == before
    assert unlinked(shop) == []


def test_what_is_set_again_is_not_in_the_way(shop):
    """The object that shows that writing works stays."""
    shop.sql(f"ALTER SYSTEM SET DATA_BACKUP_DEST = '{shop.uri('shop_data')}' TENANT = shop")
    assert list((shop.backups / "shop_data" / "check_file").glob("*_connect_file_*.obbak"))
    assert unlinked(shop) == []


def test_a_round_goes_on_after_a_kill(shop):
    shop.kill()
    shop.start()
    shop.wait_archive("shop", "DOING")
    shop.sql("INSERT INTO d.t VALUES (100000, 'after')", tenant="shop")
    shop.archived_now("shop")
    assert unlinked(shop) == []


def test_a_removal_that_is_refused_says_so_and_costs_nothing(shop):
    shop.sql("ALTER SYSTEM DELETE BACKUPSET 1 TENANT = shop")
    job = wait_for("the removal to end", lambda: shop.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_DELETE_JOB_HISTORY"))[0]
    assert (job["STATUS"], job["RESULT"]) == ("FAILED", -4179), job
    assert "removing" in job["COMMENT"], job
    sets = shop.sql("SELECT FILE_STATUS FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE BACKUP_SET_ID = 1")
    assert sets == [{"FILE_STATUS": "AVAILABLE"}]
    assert len(unlinked(shop)) == 1, "the object that makes a set visible is the first"
