"""Backups that are not needed any more go: by a policy, by their number, and never the wrong ones."""
import contextlib
import signal

import pymysql
import pytest

from node import Node, checksums, wait_for
from sampler import Sampler, in_order

WATCHED = ("SELECT JOB_ID, 'job' AS what, STATUS, 0 AS ID, 0 AS DONE, TASK_COUNT AS ALL_OF_IT FROM oceanbase.CDB_OB_BACKUP_DELETE_JOBS"
           " UNION ALL SELECT JOB_ID, 'task', STATUS, ID, DELETE_FILES_COUNT, TOTAL_FILES_COUNT FROM oceanbase.CDB_OB_BACKUP_DELETE_TASKS"
           " WHERE TASK_TYPE = 'BACKUP SET'"
           " UNION ALL SELECT 0, 'set', FILE_STATUS, BACKUP_SET_ID, 0, 0 FROM oceanbase.CDB_OB_BACKUP_SET_FILES")


class Shop:
    """A tenant with an archive, and backups that are made when a test asks for them."""

    def __init__(self, node):
        self.node = node
        node.create_tenant("shop")
        node.start_archive("shop")
        node.sql("CREATE DATABASE d", tenant="shop")
        node.sql("CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(200))", tenant="shop")
        self.data = node.backups / "shop_data"

    def back_up(self, times=1):
        """Returns the number of the last set."""
        for _ in range(times):
            self.node.sql("INSERT INTO d.t (a) SELECT SHA2(seq, 512) FROM d.seq_1_to_50", tenant="shop")
            row = self.node.backup("shop")
            assert row["STATUS"] == "COMPLETED", row
        return row["BACKUP_SET_ID"]

    def statuses(self):
        return {r["BACKUP_SET_ID"]: r["FILE_STATUS"] for r in self.node.sql(
            "SELECT BACKUP_SET_ID, FILE_STATUS FROM oceanbase.CDB_OB_BACKUP_SET_FILES")}

    def available(self):
        return [number for number, status in self.statuses().items() if status in ("AVAILABLE", "EXPIRED")]

    def wait_deleted(self, *sets):
        return wait_for(f"sets {sets} to be DELETED", lambda: all(self.statuses()[s] == "DELETED" for s in sets), 60)

    def objects_of(self, number):
        return [p for p in self.data.rglob("*") if p.is_file() and f"backup_set_{number}_" in str(p.relative_to(self.data))]

    def job(self):
        """The last one that has ended."""
        rows = self.node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_DELETE_JOB_HISTORY ORDER BY JOB_ID DESC LIMIT 1")
        return rows[0] if rows else None

    def wait_job(self):
        wait_for("the deletion to end", lambda: not self.node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_DELETE_JOBS"), 60)
        return self.job()

    def delete(self, sets):
        self.node.sql(f"ALTER SYSTEM DELETE BACKUPSET {sets} TENANT = shop")
        return self.wait_job()

    def refused(self, statement):
        with pytest.raises(pymysql.Error) as caught:
            self.node.sql(statement)
        return caught.value.args


@pytest.fixture(scope="module")
def shop():
    node = Node(options=["--piece-interval", "2"])
    try:
        made = Shop(node.start())
        made.back_up(2)
        yield made
    finally:
        node.destroy()


def test_a_policy_removes_what_its_window_does_not_need(shop):
    node = shop.node
    last = shop.back_up(2)
    before = shop.available()
    kept = before[0]
    node.sql(f"ALTER SYSTEM KEEP BACKUPSET {kept} TENANT = shop")
    node.sql("ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' RECOVERY_WINDOW '500ms'", tenant="shop")
    wait_for("the tenant to see its policy", lambda: node.sql(
        "SELECT * FROM oceanbase.DBA_OB_BACKUP_DELETE_POLICY", tenant="shop") == [
            {"POLICY_NAME": "default", "RECOVERY_WINDOW": "500ms"}], 5)
    with Sampler(node, WATCHED) as watch:
        node.sql("ALTER SYSTEM SET backup_clean_interval = '1s'")
        shop.wait_deleted(*before[1:-1])
        job = shop.wait_job()
    node.sql("ALTER SYSTEM SET backup_clean_interval = '1h'")
    assert (job["TYPE"], job["STATUS"], job["JOB_LEVEL"]) == ("DELETE OBSOLETE BACKUP", "COMPLETED", "USER_TENANT"), job
    assert job["TASK_COUNT"] == job["SUCCESS_TASK_COUNT"] >= len(before) - 2
    points = {r["BACKUP_SET_ID"]: r["MIN_RESTORE_SCN_DISPLAY"] for r in node.sql(
        "SELECT BACKUP_SET_ID, MIN_RESTORE_SCN_DISPLAY FROM oceanbase.CDB_OB_BACKUP_SET_FILES")}
    assert points[last] <= job["PARAMETER"] < str(job["START_TIMESTAMP"]), "the moment up to which all stays restorable"
    statuses = shop.statuses()
    assert (statuses[kept], statuses[last]) == ("EXPIRED", "AVAILABLE"), "kept beyond its time, and the newest"
    assert not shop.objects_of(before[1]) and shop.objects_of(kept) and shop.objects_of(last)
    tasks = node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_DELETE_TASK_HISTORY WHERE TASK_TYPE = 'BACKUP SET'")
    assert len(tasks) == len(before) - 2
    for task in tasks:
        assert task["STATUS"] == "COMPLETED"
        assert task["DELETE_FILES_COUNT"] == task["TOTAL_FILES_COUNT"] > 4
        assert task["DELETE_BYTES"] == task["TOTAL_BYTES"] > 10000
    for removed in before[1:-1]:
        seen = in_order([row["STATUS"] for _, row in watch.rows(what="set", ID=removed)])
        assert seen == ["AVAILABLE", "EXPIRED", "DELETING", "DELETED"], seen
        tasks = [row for _, row in watch.rows(what="task", ID=removed)]
        assert in_order([t["STATUS"] for t in tasks])[:2] == ["INIT", "DOING"], tasks
        assert all(t["DONE"] <= t["ALL_OF_IT"] for t in tasks)
    assert in_order([row["STATUS"] for _, row in watch.rows(what="job", JOB_ID=job["JOB_ID"])]) == ["INIT", "DOING"]
    node.sql("ALTER SYSTEM NOKEEP BACKUPSET %s TENANT = shop", [kept])
    node.sql("ALTER SYSTEM DROP DELETE BACKUP POLICY 'default' TENANT = shop")
    assert shop.statuses()[kept] == "AVAILABLE", "without a policy nothing has expired"


def test_what_stays_can_be_restored(shop):
    node = shop.node
    node.archived_now("shop")
    node.restore("again", "shop", activate=False)
    assert checksums(node, "again")["d.t"] == checksums(node, "shop")["d.t"]
    node.drop("again")


def test_a_set_goes_by_its_number_and_the_last_good_one_stays(shop):
    node = shop.node
    first = shop.back_up()
    second = shop.back_up()
    assert shop.delete(first)["STATUS"] == "COMPLETED"
    assert shop.statuses()[first] == "DELETED" and not shop.objects_of(first)
    others = ",".join(str(s) for s in shop.available())
    code, text = shop.refused(f"ALTER SYSTEM DELETE BACKUPSET {others} TENANT = shop")
    assert code == 9045 and f"set {second}: it is the last good full set of the tenant" in text
    assert str(second) in others and second in shop.available()
    assert shop.refused(f"ALTER SYSTEM DELETE BACKUPSET {first} TENANT = shop")[0] == 9046
    assert shop.refused("ALTER SYSTEM DELETE BACKUPSET 4711 TENANT = shop")[0] == 9046
    node.sql("ALTER SYSTEM KEEP BACKUPSET %s UNTIL '2037-01-02 03:04:05'", [second], tenant="shop")
    wait_for("the tenant to see what is kept", lambda: node.sql(
        "SELECT * FROM oceanbase.DBA_TM_BACKUP_SET_KEEP", tenant="shop") == [
            {"BACKUP_SET_ID": second, "KEEP_UNTIL": "2037-01-02 03:04:05.000000"}], 5)
    third = shop.back_up()
    code, text = shop.refused(f"ALTER SYSTEM DELETE BACKUPSET {second} TENANT = shop")
    assert code == 9045 and "it is kept until 2037-01-02" in text
    node.sql("ALTER SYSTEM NOKEEP BACKUPSET %s", [second], tenant="shop")
    shop.delete(second)
    assert third in shop.available() and second not in shop.available()


def test_what_a_restore_reads_stays(shop):
    node = shop.node
    used = shop.back_up()
    node.archived_now("shop")
    node.create_pool("p_reader")
    node.sql(f"ALTER SYSTEM RESTORE reader FROM '{node.uri('shop_data')},{node.uri('shop_log')}' WITH 'pool_list=p_reader'")
    code, text = shop.refused(f"ALTER SYSTEM DELETE BACKUPSET {used} TENANT = shop")
    assert code == 9045 and f"set {used}: restore job" in text
    node.wait_restore("reader", seconds_in_progress=False)
    assert shop.delete(used)["STATUS"] == "COMPLETED", "when it has ended, nothing holds the set"
    node.drop("reader")


def test_a_destination_that_is_away_is_waited_for_and_a_cancel_is_not(shop):
    node = shop.node
    doomed = shop.back_up()
    shop.back_up()
    away = shop.data.with_name("away")
    shop.data.rename(away)
    try:
        node.sql(f"ALTER SYSTEM DELETE BACKUPSET {doomed} TENANT = shop")
        wait_for("the deletion to say what it waits for",
                 lambda: [w for w in node.shown_work("delete") if "shop_data" in w["WAITING_FOR"]])
        assert shop.refused(f"ALTER SYSTEM DELETE BACKUPSET {doomed} TENANT = shop")[0] == 9044
        node.sql("ALTER SYSTEM CANCEL DELETE BACKUP TENANT = shop DESCRIPTION = 'not now'")
        assert wait_for("the end", shop.wait_job, 5)["STATUS"] == "CANCELED"
        assert shop.job()["RESULT"] == -4072 and shop.statuses()[doomed] == "AVAILABLE"
        node.sql(f"ALTER SYSTEM DELETE BACKUPSET {doomed} TENANT = shop")
        wait_for("the deletion to wait again", lambda: [w for w in node.work("delete") if w["waiting_for"]])
    finally:
        away.rename(shop.data)
    assert shop.wait_job()["STATUS"] == "COMPLETED" and not shop.objects_of(doomed)
    node.sql("ALTER SYSTEM CANCEL DELETE BACKUP")  # nothing runs: no error


def crash(node, point, statement):
    """The daemon ends at the point, and is started again."""
    node.terminate()
    node.start(crash_at=point)
    with contextlib.suppress(pymysql.Error):
        node.sql(statement)
    assert node.process.wait(20) == -signal.SIGKILL
    return node


@pytest.mark.parametrize("point", ["clean.task-begun", "clean.hidden", "clean.emptied"])
def test_an_end_in_the_midst_of_a_removal_offers_nothing_and_is_finished_later(shop, point):
    node = shop.node
    doomed = shop.back_up()
    shop.back_up()
    crash(node, point, f"ALTER SYSTEM DELETE BACKUPSET {doomed} TENANT = shop")
    left = [str(p) for p in shop.objects_of(doomed)]
    assert left, "something is left to be found"
    assert any("_start.obbak" in p for p in left)
    if point != "clean.task-begun":
        assert not any("_end_success_" in p for p in left), "and it is offered to nobody"
    node.start()
    assert shop.wait_job()["STATUS"] == "COMPLETED"
    assert shop.statuses()[doomed] == "DELETED" and not shop.objects_of(doomed)


def pieces_of(shop, status):
    return [r["PIECE_ID"] for r in shop.node.sql("SELECT PIECE_ID FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES"
                                                 " WHERE FILE_STATUS = %s ORDER BY 1", [status])]


def test_log_goes_with_the_sets_that_needed_it_and_the_archive_goes_on(shop):
    """A dry run tells before what happens, and does nothing."""
    node = shop.node
    log = node.backups / "shop_log"
    wait_for("a piece to end before the next set", lambda: len(node.sql(
        "SELECT 1 FROM oceanbase.CDB_OB_ARCHIVELOG_PIECE_FILES WHERE STATUS = 'FROZEN' AND FILE_STATUS <> 'DELETED'")) >= 2)
    last = shop.back_up()
    node.sql("ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' REDUNDANCY 1 TENANT = shop")
    before = sorted(p.relative_to(log) for p in log.rglob("*") if p.is_file())
    told = node.sql("EXPLAIN ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = shop")
    doomed = {kind: [int(r["ID"]) for r in told if (r["ACTION"], r["OBJECT"]) == ("DELETE", kind)]
              for kind in ("BACKUP SET", "BACKUP PIECE")}
    assert doomed["BACKUP SET"] and doomed["BACKUP PIECE"] and last not in doomed["BACKUP SET"]
    assert all(int(r["BYTES"]) > 0 and int(r["FILES"]) > 2 for r in told if r["ACTION"] == "DELETE")
    lost = [r for r in told if r["ACTION"] == "LOSE"]
    assert lost and all(r["FROM_TIME"] <= r["UNTIL_TIME"] for r in lost), told
    assert shop.available() and set(doomed["BACKUP SET"]) < set(shop.available()), "nothing has happened"
    assert shop.refused(f"ALTER SYSTEM DELETE BACKUPPIECE {max(pieces_of(shop, 'AVAILABLE'))} TENANT = shop")[0] == 9069
    bytes_before = node.archive("shop")["INPUT_BYTES"]
    node.sql("ALTER SYSTEM DELETE OBSOLETE BACKUP TENANT = shop")
    assert shop.wait_job()["STATUS"] == "COMPLETED"
    assert set(doomed["BACKUP PIECE"]) <= set(pieces_of(shop, "DELETED"))
    after = {str(p.relative_to(log)) for p in log.rglob("*") if p.is_file()}
    for piece in doomed["BACKUP PIECE"]:
        assert any(f"p{piece}/" in str(p) for p in before) and not any(f"p{piece}/" in p or f"p{piece}_" in p for p in after)
    round_now = node.archive("shop")
    assert round_now["DELETED_INPUT_BYTES"] > 0 and round_now["INPUT_BYTES"] >= bytes_before
    node.terminate()
    node.start()  # the archiver opens a round whose first pieces are gone
    node.sql("INSERT INTO d.t (a) VALUES ('behind')", tenant="shop")
    node.archived_now("shop")
    assert node.archive("shop")["INPUT_BYTES"] > bytes_before, "what is gone is counted on"
    node.restore("again", "shop", activate=False)
    assert checksums(node, "again")["d.t"] == checksums(node, "shop")["d.t"]
