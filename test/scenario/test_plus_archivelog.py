"""BACKUP … PLUS ARCHIVELOG: what its stages show, and a set that restores alone, to each moment of its own log."""
import json
import shutil

import pymysql
import pytest

from load import Ledger, fill, rows
from node import wait_for
from sampler import Sampler, in_order

STAGES = ["INIT", "BACKUP_SYS_META", "BACKUP_USER_META", "BACKUP_DATA_SYS", "BACKUP_DATA_MINOR", "BACKUP_DATA_MAJOR",
          "BEFORE_BACKUP_LOG", "BACKUP_LOG"]
COUNTERS = ["INPUT_BYTES", "OUTPUT_BYTES", "FINISH_TABLET_COUNT", "LOG_FILE_COUNT", "FINISH_LOG_FILE_COUNT", "LOG_PROGRESS"]


class Made:
    """A set that was made while the tenant was written to, and whose archive is gone."""

    def __init__(self, node):
        self.node = node
        node.create_tenant("shop")
        fill(node, "shop", 20)
        node.start_archive("shop")
        with Ledger(node, "shop") as ledger, \
                Sampler(node, "SELECT * FROM oceanbase.CDB_OB_BACKUP_TASKS") as self.tasks, \
                Sampler(node, "SELECT * FROM oceanbase.CDB_OB_BACKUP_JOBS") as self.jobs:
            wait_for("rows to be written", lambda: ledger.count() > 50)
            node.sql("ALTER SYSTEM BACKUP DATABASE PLUS ARCHIVELOG", tenant="shop")
            self.job = node.wait_backup("shop", 1)
        self.sequences = {row: int(gtid.split("-")[2]) for row, gtid in ledger.acknowledged.items()}
        self.files = node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES")[0]
        node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
        shutil.rmtree(node.backups / "shop_log")
        self.directory = node.backups / "shop_data" / "backup_set_1_full"
        self.set = content(self.directory / "single_backup_set_info.obbak")
        node.create_pool("p_back", memory="128M")

    def restored(self, until=""):
        """The rows of the set at that moment, from the set alone; and sys's row of its restore."""
        self.node.sql(f"ALTER SYSTEM RESTORE back FROM '{self.node.uri('shop_data')}' {until} WITH 'pool_list=p_back'")
        end = self.node.wait_restore("back", seconds_in_progress=False)
        assert end["STATUS"] in ("RESTORE_SUCCESS", "SUCCESS"), end
        found = rows(self.node, "back")
        self.node.drop("back")
        return found, end

    def acknowledged(self, last):
        return {row for row, sequence in self.sequences.items() if sequence <= last}


def content(path):
    """Of a document."""
    return json.loads(path.read_text().rsplit("\nxxh3 ", 1)[0])["content"]


def sequence(position):
    return int(position.split("-")[2])


@pytest.fixture(scope="module")
def made(shared_node):
    return Made(shared_node)


def test_the_log_is_copied_as_the_last_stage_and_counted(made):
    seen = [row for _, row in made.tasks.rows()]
    assert made.job["STATUS"] == "COMPLETED", made.job
    stages = in_order([row["STATUS"] for row in seen])
    assert stages == [s for s in STAGES if s in stages] and stages[-2:] == STAGES[-2:]
    for earlier, later in zip(seen, seen[1:]):
        for counter in COUNTERS:
            assert later[counter] >= earlier[counter], (counter, earlier, later)
    assert all(row["LOG_FILE_COUNT"] == row["LOG_PROGRESS"] == 0 for row in seen if row["STATUS"] != "BACKUP_LOG")
    segments = list(made.directory.glob("complement_log/piece_*/logstream_1/log/*.obarc"))
    last = seen[-1]
    assert last["FINISH_LOG_FILE_COUNT"] == last["LOG_FILE_COUNT"] == len(segments) > 0
    assert last["LOG_PROGRESS"] == 100


def test_the_views_say_that_the_set_has_its_log(made):
    assert {row["PLUS_ARCHIVELOG"] for _, row in made.jobs.rows()} == {"ON"}
    assert made.job["PLUS_ARCHIVELOG"] == made.files["PLUS_ARCHIVELOG"] == "ON"
    objects = [path for path in made.directory.rglob("*") if path.is_file()]
    beside = [path for path in objects if path.parent == made.directory]  # description and times
    assert made.files["FILE_COUNT"] == len(objects) - len(beside)
    assert made.files["OUTPUT_BYTES"] == sum(path.stat().st_size for path in objects if path not in beside)


def test_the_set_alone_restores_to_its_own_point(made):
    found, end = made.restored()
    assert end["RESTORE_SCN"] == made.files["MIN_RESTORE_SCN"] == made.set["min_restore_scn"]
    assert found == made.acknowledged(sequence(made.set["gtid"]))


def test_the_set_alone_restores_to_each_moment_up_to_the_end_of_the_backup(made):
    first, last = made.set["min_restore_scn"], made.set["log_end_scn"]
    assert last > first
    piece = content(max(made.directory.glob("complement_log/piece_*/single_piece_info.obarc")))
    everything, end = made.restored(f"UNTIL SCN = {last}")
    # Every row that was acknowledged up to the last archived transaction, and none that was not sent yet.
    assert everything == made.acknowledged(sequence(piece["end_gtid"]))
    assert len(everything) > len(made.acknowledged(sequence(made.set["gtid"])))
    assert end["BACKUP_PIECE_LIST"].startswith(f"{made.node.uri('shop_data')}/backup_set_1_full/complement_log/piece_")
    between, _ = made.restored(f"UNTIL SCN = {(first + last) // 2}")
    assert made.acknowledged(sequence(made.set["gtid"])) <= between <= everything
    assert between in [made.acknowledged(s) for s in range(sequence(made.set["gtid"]), sequence(piece["end_gtid"]) + 1)]


def test_beyond_its_log_it_says_how_far_that_reaches(made):
    last = made.set["log_end_scn"]
    with pytest.raises(pymysql.Error, match=f"with log of its own to {last}") as caught:
        made.restored(f"UNTIL SCN = {last + 1}")
    assert caught.value.args[0] == 4018


def test_what_is_damaged_or_missing_of_its_log_is_named(made):
    segment = max(made.directory.glob("complement_log/piece_*/logstream_1/log/*.obarc"), key=lambda p: int(p.stem))
    kept = segment.read_bytes()
    restore = f"ALTER SYSTEM RESTORE back FROM '{made.node.uri('shop_data')}'"
    try:
        segment.unlink()
        with pytest.raises(pymysql.Error, match="4018|no backup set path"):
            made.node.sql(f"{restore} UNTIL SCN = {made.set['log_end_scn']} WITH 'pool_list=p_back'")
        assert made.restored()[0], "its own point needs no log"
        half = len(kept) // 2
        segment.write_bytes(kept[:half] + bytes([kept[half] ^ 1]) + kept[half + 1:])
        made.node.sql(f"{restore} UNTIL SCN = {made.set['log_end_scn']} WITH 'pool_list=p_back'")
        end = made.node.wait_restore("back")
        assert end["STATUS"] == "FAIL" and str(segment) in end["COMMENT"], end
    finally:
        segment.write_bytes(kept)
