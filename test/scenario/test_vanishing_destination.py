"""A backup whose destination goes in the midst of its copy waits for it, and is copied again (docs/decisions/work.md)."""
import concurrent.futures
import contextlib
import shutil
import time

import pytest

from hangs import away
from node import checksums, wait_for


@pytest.fixture(scope="module")
def shop(shared_node):
    node = shared_node
    node.create_tenant("shop")
    node.sql("CREATE DATABASE d", tenant="shop")
    node.sql("CREATE TABLE d.t (id INT PRIMARY KEY, noise BLOB)", tenant="shop")
    node.sql("INSERT INTO d.t SELECT seq, RANDOM_BYTES(1000) FROM d.seq_1_to_16000", tenant="shop")
    node.start_archive("shop")
    return node


def markers(node):
    """Of copies that have begun."""
    return set((node.backups / "shop_data" / "backup_sets").glob("*_start.obbak"))


def copies(node, file="*", turn="*"):
    """Files of them."""
    return set((node.backups / "shop_data").glob(f"*/logstream_1001/major_data_turn_{turn}_retry_0/{file}"))


def has_written(node, turn, least):
    """Whether that copy is writing an object of so many bytes."""
    for path in copies(node, ".unfinished-*", turn):
        with contextlib.suppress(OSError):
            if path.stat().st_size >= least:
                return True
    return False


def wait_for_waiting(node):
    """Returns what it waits for."""
    (waiting,) = wait_for("the backup to wait", lambda: [w for w in node.shown_work("backup") if w["STATE"] == "WAITING"])
    assert waiting["ATTEMPT"] == 1, waiting
    assert not node.processes("mariadb-backup")
    return waiting["WAITING_FOR"]


def require_success(node, job):
    done = node.wait_backup("shop", job)
    assert (done["STATUS"], done["RESULT"], done["COMMENT"]) == ("COMPLETED", 0, ""), done


def require_restorable(node):
    node.archived_now("shop")
    node.restore("copy", "shop")
    assert checksums(node, "copy") == checksums(node, "shop")
    node.drop("copy")


def test_it_is_copied_again_however_often_the_destination_goes(shop):
    shop.sql("ALTER SYSTEM SET backup_io_limit = '8M'")
    offset = shop.log.stat().st_size
    job = shop.start_backup("shop")
    # When it has begun, and once when much is written. A copy that breaks off of something else is made four times.
    absences = [0, 0, 0, 0, 1]
    for turn, least in enumerate(absences, 1):
        wait_for(f"copy {turn} to write", lambda: has_written(shop, turn, least))
        with away(shop.backups / "shop_data"):
            assert "shop_data is not there" in wait_for_waiting(shop)
    shop.sql("ALTER SYSTEM SET backup_io_limit = '0M'")
    require_success(shop, job)
    log = shop.log.read_text()[offset:]
    assert log.count("is copied again when its destination is back") == len(absences), log
    wait_for("the others to be removed", lambda: not shop.work("clean"))
    assert len({path.parent for path in copies(shop)}) == 1
    require_restorable(shop)


def back_up_beneath(node):
    """A backup whose destination is unmounted when its copy has just begun, and mounted again when it waits for that.
    Returns whether all of the copy went into what is beneath."""
    data = node.backups / "shop_data"
    mounted, beneath = data.with_name("mounted"), data.with_name("beneath")
    begun = markers(node)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        starting = pool.submit(node.start_backup, "shop")
        limit = time.monotonic() + 60
        while markers(node) == begun:  # without a pause: the first object is opened a moment later
            assert time.monotonic() < limit
        data.rename(mounted)
        data.mkdir()
        job = starting.result()
    try:
        assert "shop_data has no format.obbak" in wait_for_waiting(node)
        whole = bool(copies(node, "macro_range_index.obbak"))
    finally:
        data.rename(beneath)
        mounted.rename(data)
    shutil.rmtree(beneath)
    require_success(node, job)
    return whole


def test_a_copy_beneath_an_unmounted_destination_does_not_count(shop):
    # One that has an object open when that happens breaks off of it.
    assert any(back_up_beneath(shop) for _ in range(20))
    require_restorable(shop)
