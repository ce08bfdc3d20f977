"""VALIDATE BACKUPSET at real destinations: each kind of harm is found, named and told what it costs; nothing is found where
nothing is wrong; what is put right is AVAILABLE again."""
import contextlib
import pathlib
import re
import shutil
import struct
import time

import pymysql
import pytest

from load import Ledger, fill
from node import Node, wait_for
from sampler import Sampler, in_order

JOBS = "SELECT * FROM oceanbase.CDB_TM_VALIDATE_JOBS ORDER BY TENANT_ID, JOB_ID"
OPEN = ("SELECT * FROM oceanbase.CDB_TM_VALIDATE_FINDINGS WHERE STATUS = 'OPEN' ORDER BY FINDING_ID")


@pytest.fixture(scope="module")
def site():
    """Tenant `shop`: two sets, three pieces or more, log before, between and behind the sets."""
    node = Node(options=["--piece-interval", "2"])
    try:
        node.start()
        node.create_tenant("shop")
        node.start_archive("shop")
        fill(node, "shop", 6)
        with Ledger(node, "shop", writers=1) as ledger:
            assert node.backup("shop")["STATUS"] == "COMPLETED"
            wait_for("rows", lambda: ledger.count() > 100)
            # A set begins in the midst of the log, and pieces are frozen before and behind it.
            wait_for("two pieces to be frozen", lambda: len(pieces(node, "FROZEN")) >= 2)
            assert node.backup("shop")["STATUS"] == "COMPLETED"
            wait_for("a third one", lambda: len(pieces(node, "FROZEN")) >= 3)
        node.archived_now("shop")
        # What is validated does not change meanwhile, and a segment at the end of a closed round is found missing.
        node.sql("ALTER SYSTEM NOARCHIVELOG TENANT = shop")
        node.wait_archive("shop", "STOP")
        yield node
    finally:
        node.destroy()


def pieces(node, status):
    return [r["PIECE_ID"] for r in node.sql("SELECT PIECE_ID FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES"
                                            " WHERE STATUS = %s ORDER BY 1", [status])]


def last_job(node, tenant="shop"):
    return node.sql("SELECT j.* FROM oceanbase.CDB_TM_VALIDATE_JOBS j JOIN oceanbase.DBA_OB_TENANTS t USING (TENANT_ID)"
                    " WHERE t.TENANT_NAME = %s ORDER BY JOB_ID DESC LIMIT 1", [tenant])[0]


def ended(node, limit=60):
    return wait_for("the validation to end", lambda: (job := last_job(node))["END_TIMESTAMP"] and job, limit)


def validate(node, sets="ALL"):
    """Its job, and what is wrong by then."""
    node.sql(f"ALTER SYSTEM VALIDATE BACKUPSET {sets} TENANT = shop")
    job = ended(node)
    assert job["STATUS"] == "COMPLETED", job
    assert job["FINISH_BYTES"] == job["TOTAL_BYTES"] and job["FINISH_OBJECT_COUNT"] == job["OBJECT_COUNT"]
    findings = node.sql(OPEN)
    assert job["FINDING_COUNT"] == len([f for f in findings if f["LAST_JOB_ID"] == job["JOB_ID"]])
    assert job["RESULT"] == (-4103 if job["FINDING_COUNT"] else 0)
    return job, findings


def statuses(node):
    """FILE_STATUS of sets, and of pieces, by number."""
    sets = {r["i"]: r["s"] for r in node.sql("SELECT BACKUP_SET_ID i, FILE_STATUS s FROM oceanbase.CDB_OB_BACKUP_SET_FILES")}
    log = {r["i"]: r["s"] for r in node.sql("SELECT PIECE_ID i, FILE_STATUS s FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES")}
    return sets, log


class Harm:
    """Changes an object, and puts it right again."""

    def __init__(self, path):
        self.path, self.content = path, path.read_bytes()

    def flip(self, at):
        at = at % len(self.content)
        self.path.write_bytes(self.content[:at] + bytes([self.content[at] ^ 0x40]) + self.content[at + 1:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(self.content)


def place(node, kind):
    """(path, byte) of a part of an object of set 1, or of the log."""
    data, log = node.backups / "shop_data", node.backups / "shop_log"
    blocks = data / "backup_set_1_full" / "logstream_1001" / "major_data_turn_1_retry_0"
    block, index = blocks / "macro_block_data.0.obbak", blocks / "macro_range_index.obbak"
    begin_of_end = lambda path: struct.unpack_from("<Q", path.read_bytes()[-48:], 24)[0]  # as docs/format/macro_block.md has it
    return {
        "head": (block, 20), "frame": (block, 64 + 30), "section": (block, begin_of_end(block) + 40), "trailer": (block, -20),
        "index head": (index, 20), "group": (index, 64 + 100), "directory": (index, begin_of_end(index) + 5),
        "index trailer": (index, -20),
        "description": (data / "backup_set_1_full" / "single_backup_set_info.obbak", 200),
        "end of the set": (next((data / "backup_sets").glob("backup_set_1_full_end_success_*")), 0),
        "marker": (data / "format.obbak", 50),
        "round start": (next((log / "rounds").glob("*_start.obarc")), 50),
        "settings": (next((log / "settings").glob("*.obarc")), 50),
        "piece info": (piece(node, 1) / "single_piece_info.obarc", 50),
        "segment head": (segment(node, 1), 30), "segment": (segment(node, 1), 400), "segment index": (segment(node, 1), -100),
        "segment end": (segment(node, 1), -10),
    }[kind]


def piece(node, nth):
    """Directory of the nth piece of those that the sets need, from 0."""
    first = node.scalar("SELECT MAX(p.PIECE_ID) FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES p JOIN"
                        " oceanbase.CDB_OB_BACKUP_SET_FILES s ON p.START_SCN <= s.START_REPLAY_SCN AND s.BACKUP_SET_ID = 1")
    return next(p for p in (node.backups / "shop_log").glob(f"piece_d*p{first + nth}"))


def segment(node, nth):
    """The middle one of those of a piece."""
    found = sorted((piece(node, nth) / "logstream_1" / "log").iterdir(), key=lambda p: int(p.stem))
    return found[len(found) // 2]


def test_nothing_is_found_where_nothing_is_wrong(site):
    job, findings = validate(site)
    assert findings == []
    assert job["SET_COUNT"] == 2 and job["PIECE_COUNT"] >= 3 and job["BACKUP_SETS"] == "ALL"
    at_destinations = sum(p.stat().st_size for p in site.backups.rglob("*.ob*") if p.is_file())
    assert at_destinations * 0.9 <= job["TOTAL_BYTES"] <= at_destinations
    assert site.sql("SELECT * FROM oceanbase.CDB_TM_VALIDATE_FINDINGS") == []


# kind of harm → kind of the finding, whether restores from the set lose something, whose FILE_STATUS is BROKEN
HARMS = {
    "head": ("DAMAGED", "nothing", "set"), "frame": ("DAMAGED", "set", "set"), "section": ("DAMAGED", "nothing", "set"),
    "trailer": ("DAMAGED", "nothing", "set"), "index head": ("DAMAGED", "nothing", "set"), "group": ("DAMAGED", "nothing", "set"),
    "directory": ("DAMAGED", "nothing", "set"), "index trailer": ("DAMAGED", "nothing", "set"),
    "description": ("DAMAGED", "set", "set"), "marker": ("DAMAGED", "sets", None),
    "round start": ("DAMAGED", "log", None), "settings": ("DAMAGED", "log", None), "piece info": ("DAMAGED", "log", "piece"),
    "segment head": ("DAMAGED", "log", "piece"), "segment": ("DAMAGED", "log", "piece"),
    "segment index": ("DAMAGED", "log", "piece"), "segment end": ("DAMAGED", "log", "piece"),
}


def check(node, path, kind, loses, broken):
    """One finding, exactly this; then none, and everything is AVAILABLE again."""
    whole = statuses(node)
    job, findings = validate(node)
    assert [(f["KIND"], f["OBJECT"]) for f in findings] == [(kind, f"file://{path}")], findings
    (found,) = findings
    assert found["OBJECT"] not in found["DESCRIPTION"] and len(found["DESCRIPTION"]) > 10
    first_set = node.sql("SELECT MIN_RESTORE_SCN m FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY 1")[0]["m"]
    if loses == "nothing":
        assert found["LOST_BACKUP_SETS"] == "" and found["LOST_SCN_RANGES"] == "" and found["LOST_FROM_SCN"] is None
    elif loses == "set":
        assert found["LOST_BACKUP_SETS"] == "1" and found["LOST_FROM_SCN"] == first_set
    elif loses == "sets":
        assert found["LOST_BACKUP_SETS"] == "1,2" and found["LOST_FROM_SCN"] == first_set
    else:
        assert found["LOST_BACKUP_SETS"] == "" and found["LOST_FROM_SCN"] > first_set
    assert (job["LOST_BACKUP_SETS"], job["LOST_SCN_RANGES"]) == (found["LOST_BACKUP_SETS"], found["LOST_SCN_RANGES"])
    sets, log = statuses(node)
    assert [i for i, s in sets.items() if s == "BROKEN"] == ([1] if broken == "set" else [])
    assert [i for i, s in log.items() if s == "BROKEN"] == ([found["PIECE_ID"]] if broken == "piece" else [])
    assert (found["BACKUP_SET_ID"] == 1) == (broken == "set")
    yield found
    assert validate(node)[1] == [] and statuses(node) == whole
    closed = node.sql("SELECT * FROM oceanbase.CDB_TM_VALIDATE_FINDINGS WHERE FINDING_ID = %s", [found["FINDING_ID"]])[0]
    assert closed["STATUS"] == "CLOSED" and closed["CLOSED_TIMESTAMP"] > closed["FIRST_SEEN_TIMESTAMP"]


checked = contextlib.contextmanager(check)


@pytest.mark.parametrize("kind", HARMS)
def test_a_byte_is_wrong(site, kind):
    path, at = place(site, kind)
    with contextlib.ExitStack() as stack:
        with Harm(path) as harm:
            harm.flip(at)
            stack.enter_context(checked(site, path, *HARMS[kind]))


@pytest.mark.parametrize("kind", ["frame", "group", "description", "end of the set", "piece info", "segment"])
def test_an_object_is_missing(site, kind):
    path, _ = place(site, kind)
    shown = pathlib.Path(re.sub(r"(_end_success_).*", r"\1*.obbak", str(path)))
    # A lost index is made again from the data objects.
    loses, broken = ("log", "piece") if "shop_log" in str(path) else ("nothing" if kind == "group" else "set", "set")
    with contextlib.ExitStack() as stack:
        with Harm(path):
            path.unlink()
            stack.enter_context(checked(site, shown, "MISSING", loses, broken))


@pytest.mark.parametrize("kind", ["frame", "group", "description", "segment"])
def test_an_object_is_cut(site, kind):
    path, _ = place(site, kind)
    loses, broken = ("log", "piece") if "shop_log" in str(path) else ("nothing" if kind == "group" else "set", "set")
    finding = "WRONG_SIZE" if path.name.startswith("macro_") else "DAMAGED"
    with contextlib.ExitStack() as stack:
        with Harm(path) as harm:
            path.write_bytes(harm.content[:len(harm.content) * 2 // 3])
            stack.enter_context(checked(site, path, finding, loses, broken))


def test_whole_objects_that_do_not_belong_there(site):
    """An index of another copy, a data object of the other set, a piece that begins elsewhere: each is whole by itself."""
    path, _ = place(site, "frame")
    other = pathlib.Path(str(path).replace("backup_set_1_", "backup_set_2_"))
    with Harm(path) as harm:
        path.write_bytes(other.read_bytes())
        found = validate(site)[1]
        assert {(f["OBJECT"], f["BACKUP_SET_ID"]) for f in found} == {(f"file://{path}", 1)}, found
        assert harm.content != other.read_bytes()
    info, _ = place(site, "piece info")
    with Harm(info):
        shutil.copy(piece(site, 0) / info.name, info)
        (found,) = validate(site)[1]
        assert found["OBJECT"] == f"file://{info}" and "is of piece_" in found["DESCRIPTION"]
    assert validate(site)[1] == []


def test_a_set_that_is_broken_is_not_restored_from_while_another_reaches_the_point(site):
    path, at = place(site, "frame")
    newest = pathlib.Path(str(path).replace("backup_set_1_", "backup_set_2_"))
    with Harm(newest) as harm:
        harm.flip(at)
        (found,) = validate(site, "2")[1]
        assert found["BACKUP_SET_ID"] == 2 and found["LOST_BACKUP_SETS"] == "2" and found["LOST_SCN_RANGES"] == ""
        assert statuses(site)[0] == {1: "AVAILABLE", 2: "BROKEN"}
        end = site.restore("back", "shop", activate=False)
        assert end["BACKUP_SET_LIST"].endswith("backup_set_1_full")
        site.drop("back")
    validate(site, "2")
    assert statuses(site)[0] == {1: "AVAILABLE", 2: "AVAILABLE"}


def test_a_tenant_sees_its_own(site):
    assert site.sql("SELECT * FROM oceanbase.DBA_TM_VALIDATE_JOBS") == []
    path, at = place(site, "frame")
    with Harm(path) as harm:
        harm.flip(at)
        site.sql("ALTER SYSTEM VALIDATE BACKUPSET 1, 2", tenant="shop")
        job = ended(site)
        assert job["INITIATOR_TENANT_ID"] == job["TENANT_ID"] and job["BACKUP_SETS"] == "1,2"
        (seen,) = wait_for("the tenant to see it", lambda: site.sql(
            "SELECT * FROM oceanbase.DBA_TM_VALIDATE_FINDINGS WHERE LAST_JOB_ID = %s", [job["JOB_ID"]], tenant="shop"), 5)
        assert seen["OBJECT"] == f"file://{path}" and seen["STATUS"] == "OPEN"
        rows = wait_for("the tenant to see the job's end", lambda: site.sql(
            "SELECT * FROM oceanbase.DBA_TM_VALIDATE_JOBS WHERE JOB_ID = %s AND STATUS = 'COMPLETED'", [job["JOB_ID"]],
            tenant="shop"), 5)
        assert rows[0] == {k: v for k, v in job.items() if k != "TENANT_ID"}
        assert wait_for("the tenant to see the set", lambda: site.sql(
            "SELECT BACKUP_SET_ID i FROM oceanbase.DBA_OB_BACKUP_SET_FILES WHERE FILE_STATUS = 'BROKEN'", tenant="shop"),
            5) == [{"i": 1}]
    site.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL", tenant="shop")
    ended(site)
    assert site.sql(OPEN) == []


def throttled(node, seconds):
    """Reading all of it takes about so long."""
    return node.reading_takes(seconds, last_job(node)["TOTAL_BYTES"])


def test_progress_is_seen_while_it_runs(site):
    validate(site)
    with throttled(site, 4), Sampler(site, JOBS, every=0.1) as sampler:
        site.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = shop")
        job = ended(site)
        wait_for("the end to be seen", lambda: sampler.rows(JOB_ID=job["JOB_ID"], STATUS="COMPLETED"), 5)
    rows = [row for _, row in sampler.rows(JOB_ID=job["JOB_ID"])]
    assert in_order([r["STATUS"] for r in rows])[-2:] == ["DOING", "COMPLETED"]
    seen = [r["FINISH_BYTES"] for r in rows]
    assert seen == sorted(seen) and len(set(seen)) > 6, seen
    doing = [r for r in rows if r["STATUS"] == "DOING"]
    assert all(r["FINISH_BYTES"] <= r["TOTAL_BYTES"] == job["TOTAL_BYTES"] for r in doing)
    assert max(float(r["VALIDATE_PROGRESS"]) for r in doing) > 50 and float(job["VALIDATE_PROGRESS"]) == 100


def test_cancel(site):
    validate(site)
    with throttled(site, 30):
        site.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = shop")
        wait_for("bytes to be read", lambda: last_job(site)["FINISH_BYTES"] > 0)
        with pytest.raises(pymysql.Error, match=r"\(4179"):
            site.sql("ALTER SYSTEM VALIDATE BACKUPSET 1 TENANT = shop")
        begin = time.monotonic()
        site.sql("ALTER SYSTEM CANCEL VALIDATE TENANT = shop")
        job = ended(site)
        assert time.monotonic() - begin < 5
    assert job["STATUS"] == "CANCELED" and job["RESULT"] == -4072 and job["FINISH_BYTES"] < job["TOTAL_BYTES"]
    assert site.work("validate") == []
    site.sql("ALTER SYSTEM CANCEL VALIDATE TENANT = shop")  # nothing runs: no error


def test_it_goes_on_after_kill_9(site):
    """With what it had found, and what it had read."""
    path, at = place(site, "frame")
    with Harm(path) as harm:
        harm.flip(at)
        with throttled(site, 8):
            site.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = shop")
            wait_for("set 1 to be checked", lambda: last_job(site)["FINDING_COUNT"] == 1)
            before = last_job(site)
            site.kill()
            site.start()
        job = ended(site)
        assert job["STATUS"] == "COMPLETED" and job["JOB_ID"] == before["JOB_ID"] and job["FINDING_COUNT"] == 1
        assert job["FINISH_BYTES"] == job["TOTAL_BYTES"] == before["TOTAL_BYTES"]
        (found,) = site.sql(OPEN)
        assert found["OBJECT"] == f"file://{path}"
    assert validate(site)[1] == []


def test_a_destination_that_is_away_is_waited_for(site):
    """What is not there looks like damage, and is none."""
    away = site.backups / "away"
    (site.backups / "shop_data").rename(away)
    (site.backups / "shop_data").mkdir()  # as the directory beneath a file system that is not mounted
    try:
        site.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = shop")
        waiting = wait_for("it to wait", lambda: [w["waiting_for"] for w in site.work("validate") if w["waiting_for"]], 20)
        assert "shop_data" in waiting[0]
    finally:
        (site.backups / "shop_data").rmdir()
        away.rename(site.backups / "shop_data")
    assert ended(site)["FINDING_COUNT"] == 0 and site.sql(OPEN) == []


REFUSED = {
    "ALTER SYSTEM VALIDATE BACKUPSET 7 TENANT = shop": 4018,
    "ALTER SYSTEM VALIDATE BACKUPSET 0 TENANT = shop": 1210,
    "ALTER SYSTEM VALIDATE BACKUPSET 1 TENANT = nobody": 5157,
    "ALTER SYSTEM VALIDATE BACKUPSET 1": 1235,
    "ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = sys": 4018,
    "ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = shop WITH": 1064,
    "ALTER SYSTEM VALIDATE BACKUPSET": 1064,
    "ALTER SYSTEM VALIDATE BACKUPSET 1,": 1064,
}


@pytest.mark.parametrize("statement", REFUSED)
def test_refused(site, statement):
    jobs = len(site.sql(JOBS))
    with pytest.raises(pymysql.Error) as refusal:
        site.sql(statement)
    assert refusal.value.args[0] == REFUSED[statement]
    assert len(site.sql(JOBS)) == jobs


def test_an_incremental_set_is_as_whole_as_what_it_leans_on(site):
    site.sql("ALTER SYSTEM ARCHIVELOG TENANT = shop")
    site.wait_archive("shop", "DOING")
    site.sql("UPDATE fill.t SET a = 'another' WHERE id < 100", tenant="shop")
    site.sql("ALTER SYSTEM BACKUP INCREMENTAL TENANT = shop")
    wait_for("set 3", lambda: statuses(site)[0].get(3) == "AVAILABLE")
    assert site.scalar("SELECT PREV_INC_BACKUP_SET_ID FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE BACKUP_SET_ID = 3") == 2
    job, findings = validate(site, "3")
    assert findings == [] and job["SET_COUNT"] == 2, "with the one that it leans on"
    path, at = place(site, "frame")
    base = pathlib.Path(str(path).replace("backup_set_1_", "backup_set_2_"))
    with Harm(base) as harm:
        damaged = bytearray(harm.content)
        for frame in range(64 + 30, len(damaged) - 5000, 20000):
            damaged[frame] ^= 1
        base.write_bytes(damaged)
        found = validate(site, "3")[1]
        assert {(f["KIND"], f["OBJECT"], f["BACKUP_SET_ID"]) for f in found} == {
            ("DAMAGED", f"file://{base}", 2), ("CHAIN", f"file://{base}", 3)}
        assert statuses(site)[0] == {1: "AVAILABLE", 2: "BROKEN", 3: "BROKEN"}
    base_only = validate(site, "2")
    assert statuses(site)[0] == {1: "AVAILABLE", 2: "AVAILABLE", 3: "BROKEN"}, "set 3 was not looked at again"
    assert [f["BACKUP_SET_ID"] for f in site.sql(OPEN)] == [3] and base_only[0]["SET_COUNT"] == 1
    assert validate(site, "3")[1] == [] and statuses(site)[0][3] == "AVAILABLE"
