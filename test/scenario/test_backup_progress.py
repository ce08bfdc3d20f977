"""The page "view data backup progress": what a user sees in its views while a backup of 300 MB runs, sampled every 20 ms."""
import os
import time

import pytest

from node import wait_for
from sampler import Sampler, in_order

STAGES = ["INIT", "BACKUP_SYS_META", "BACKUP_USER_META", "BACKUP_DATA_SYS", "BACKUP_DATA_MINOR", "BACKUP_DATA_MAJOR",
          "BEFORE_BACKUP_LOG"]
DATA_STAGES = STAGES[3:6]
COUNTERS = ["INPUT_BYTES", "OUTPUT_BYTES", "FINISH_TABLET_COUNT", "FINISH_MACRO_BLOCK_COUNT", "DATA_PROGRESS"]
OF_TOTAL = {"FINISH_TABLET_COUNT": "TABLET_COUNT", "FINISH_MACRO_BLOCK_COUNT": "MACRO_BLOCK_COUNT"}
SHOWN = 0.06  # a stage is shown at least so long (seconds); who looks less often may miss one


@pytest.fixture(scope="module")
def shop(shared_node):
    node = shared_node
    node.create_tenant("shop")
    node.sql("CREATE DATABASE fill", tenant="shop")
    for i in range(4):
        node.sql(f"CREATE TABLE fill.t{i} AS SELECT seq AS id, SHA2(seq, 512) AS a, SHA2(-seq, 512) AS b"
                 " FROM fill.seq_1_to_250000", tenant="shop")
    node.sql("CREATE TABLE fill.m ENGINE=Aria AS SELECT * FROM fill.t1 LIMIT 10000", tenant="shop")
    node.start_archive("shop")
    return node


def watched_backup(node):
    """A backup and what was seen of it. A machine that was too busy to look often enough is given other chances."""
    gaps = []
    for _ in range(10):
        with Sampler(node, "SELECT * FROM oceanbase.CDB_OB_BACKUP_TASKS") as tasks:
            job = node.start_backup("shop")
            assert node.wait_backup("shop", job)["STATUS"] == "COMPLETED"
        gaps.append(tasks.longest_gap(job))
        if gaps[-1] < SHOWN:
            return job, tasks
    raise AssertionError(f"no chance to look every {SHOWN} s: {gaps}")


@pytest.fixture(scope="module")
def watched(shop):
    return watched_backup(shop)


def test_every_stage_is_seen_in_order(watched):
    _, tasks = watched
    assert in_order([row["STATUS"] for _, row in tasks.rows()]) == STAGES


def test_most_of_the_time_is_shown_as_what_it_is_spent_on(shop, watched):
    """The tables are read while MAJOR is shown, but for what a stage is shown longer than it lasted."""
    _, tasks = watched
    tables = sum(file.stat().st_size for file in (shop.data / "t" / "1002").rglob("fill/*.ibd"))
    major = [row for _, row in tasks.rows(STATUS="BACKUP_DATA_MAJOR")]
    assert major[-1]["INPUT_BYTES"] - major[0]["INPUT_BYTES"] > 0.6 * tables > 100_000_000


def test_counters_only_grow_and_never_pass_their_totals(watched):
    _, tasks = watched
    rows = [row for _, row in tasks.rows()]
    for earlier, later in zip(rows, rows[1:]):
        for counter in COUNTERS:
            assert later[counter] >= earlier[counter], (counter, earlier, later)
    for row in rows:
        for counter, total in OF_TOTAL.items():
            assert row[counter] <= row[total], (counter, row)
        assert 0 <= row["DATA_PROGRESS"] <= 100
        if row["STATUS"] in DATA_STAGES:
            assert row["TABLET_COUNT"] > 4 and row["MACRO_BLOCK_COUNT"] > 100, "known before the data is read"


def test_in_the_end_every_counter_equals_its_total(shop, watched):
    job, tasks = watched
    history = shop.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_TASK_HISTORY WHERE JOB_ID = %s AND TENANT_ID <> 1", [job])
    assert len(history) == 1
    last = [row for _, row in tasks.rows(STATUS="BEFORE_BACKUP_LOG")]
    for row in [*last, *history]:
        for counter, total in OF_TOTAL.items():
            assert row[counter] == row[total], (counter, row)
    assert all(row["DATA_PROGRESS"] == 100 for row in last)
    for counter in set(COUNTERS) & set(history[0]):
        assert history[0][counter] >= last[-1][counter], counter
    assert history[0]["INPUT_BYTES"] > history[0]["OUTPUT_BYTES"] > 1_000_000


def test_totals_stay_what_they_were_said_to_be(watched):
    """A total that grows with what is done would make any progress look good."""
    _, tasks = watched
    first = tasks.rows(STATUS="BACKUP_DATA_SYS")[0][1]
    last = tasks.rows()[-1][1]
    assert abs(last["TABLET_COUNT"] - first["TABLET_COUNT"]) <= 2
    assert abs(last["MACRO_BLOCK_COUNT"] - first["MACRO_BLOCK_COUNT"]) < 0.25 * last["MACRO_BLOCK_COUNT"]


def test_bytes_and_progress_move_at_least_each_half_second(watched):
    _, tasks = watched
    seen = tasks.rows(STATUS="BACKUP_DATA_MAJOR")
    for name in ("OUTPUT_BYTES", "DATA_PROGRESS"):
        moved = [seen[0][0]]
        moved += [at for (_, before), (at, now) in zip(seen, seen[1:]) if now[name] != before[name]]
        moved.append(seen[-1][0])
        assert len(moved) > 2 or moved[-1] - moved[0] < 0.5, name
        assert max(b - a for a, b in zip(moved, moved[1:])) < 0.5, (name, moved)


def test_the_tenants_administrator_sees_the_same(shop, watched):
    """Its views are at most a second old, so a few stages may pass between two of its updates."""
    with Sampler(shop, "SELECT * FROM oceanbase.DBA_OB_BACKUP_TASKS", tenant="shop") as tasks, \
            Sampler(shop, "SELECT * FROM oceanbase.CDB_OB_BACKUP_JOBS") as all_jobs, \
            Sampler(shop, "SELECT * FROM oceanbase.DBA_OB_BACKUP_JOBS", tenant="shop") as jobs:
        job = shop.start_backup("shop")
        shop.wait_backup("shop", job)
        wait_for("the history in the tenant", lambda: shop.sql(
            "SELECT 1 FROM oceanbase.DBA_OB_BACKUP_TASK_HISTORY WHERE STATUS = 'COMPLETED' AND JOB_ID = %s", [job],
            tenant="shop"), 5)
    rows = [row for _, row in tasks.rows(JOB_ID=job)]
    seen = in_order([row["STATUS"] for row in rows])
    assert seen == [s for s in STAGES if s in seen] and "BACKUP_DATA_MAJOR" in seen
    assert jobs.rows(JOB_ID=job, STATUS="DOING") and all_jobs.rows(JOB_ID=job, TENANT_ID=1002, STATUS="DOING")
    for earlier, later in zip(rows, rows[1:]):
        assert all(later[c] >= earlier[c] for c in COUNTERS)


def test_a_limit_is_in_force_while_a_backup_runs_and_its_program_gives_way(shop):
    shop.sql("ALTER SYSTEM SET backup_net_limit = '64K'")
    job = shop.start_backup("shop")
    read = "SELECT INPUT_BYTES FROM oceanbase.CDB_OB_BACKUP_TASKS WHERE JOB_ID = %s AND TENANT_ID <> 1"
    seen = []

    def stands_still():
        """For one second; it would need half an hour."""
        seen.append((time.monotonic(), shop.scalar(read, [job]) or 0))
        still = [at for at, size in seen if size == seen[-1][1]]
        return seen[-1][1] > 0 and still[-1] - still[0] >= 1
    wait_for("the backup to wait for its bandwidth", stands_still)
    programs = shop.processes("mariadb-backup")
    assert [os.getpriority(os.PRIO_PROCESS, pid) for pid in programs] == [os.getpriority(os.PRIO_PROCESS, shop.process.pid) + 5]
    shop.sql("ALTER SYSTEM SET backup_net_limit = '0M'")
    assert shop.wait_backup("shop", job)["STATUS"] == "COMPLETED"
