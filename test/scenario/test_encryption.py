"""An encrypted backup tells nothing to who has no password, is restored by who has, and the password stays nowhere."""
import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import uuid

import pymysql
import pytest

from load import Ledger, rows
from node import checksums, wait_for

PASSWORD = "Pw" + uuid.uuid4().hex
OTHER = "Other" + uuid.uuid4().hex
SCHEMA = "schema_" + uuid.uuid4().hex[:10]
TABLE = "table_" + uuid.uuid4().hex[:10]
ROW = "row_" + uuid.uuid4().hex
COMMENT = "comment_" + uuid.uuid4().hex


@pytest.fixture(scope="module")
def vault(shared_node):
    node = shared_node
    tenant = node.create_tenant("vault")
    for one in (1, tenant):
        with contextlib.closing(by_socket(node, one)) as connection:
            connection.cursor().execute(f"SET GLOBAL general_log_file = 'general', GLOBAL general_log = ON")
    node.start_archive("vault")
    node.sql(f"CREATE DATABASE {SCHEMA}", tenant="vault")
    node.sql(f"CREATE TABLE {SCHEMA}.{TABLE} (id INT PRIMARY KEY, v VARCHAR(200))", tenant="vault")
    node.sql(f"INSERT INTO {SCHEMA}.{TABLE} SELECT seq, CONCAT('{ROW}', seq, SHA2(seq, 512)) FROM seq_1_to_3000",
             tenant="vault", database=SCHEMA)
    node.create_pool("p_copy")
    return node


@pytest.fixture(scope="module")
def sets(vault):
    """An encrypted set, and one that is not: the setting ends with the backup that it was for."""
    with contextlib.closing(vault.connect()) as session, session.cursor() as cursor:
        cursor.execute(f"SET ENCRYPTION ON IDENTIFIED BY '{PASSWORD}' ONLY")
        cursor.execute(f"ALTER SYSTEM BACKUP TENANT = vault DESCRIPTION '{COMMENT}'")
        assert vault.wait_backup("vault", 1)["STATUS"] == "COMPLETED"
        vault.content = checksums(vault, "vault")
        vault.sql(f"INSERT INTO {SCHEMA}.{TABLE} VALUES (0, 'later')", tenant="vault")
        cursor.execute(f"ALTER SYSTEM BACKUP TENANT = vault DESCRIPTION '{COMMENT}'")
        assert vault.wait_backup("vault", 2)["STATUS"] == "COMPLETED"
    return vault.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID")


@pytest.fixture(autouse=True)
def without_copy(vault):
    yield
    if vault.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'copy'"):
        vault.drop("copy")


def by_socket(node, tenant):
    return pymysql.connect(unix_socket=str(node.data / "t" / str(tenant) / "s"), user="tidemark",
                           password=node.daemon_password(tenant), autocommit=True)


def restore(node, scn, *passwords):
    """Starts a restore of the set that restores to this point."""
    with contextlib.closing(node.connect()) as session, session.cursor() as cursor:
        if passwords:
            cursor.execute("SET DECRYPTION IDENTIFIED BY " + ", ".join(["%s"] * len(passwords)), passwords)
        cursor.execute(f"ALTER SYSTEM RESTORE copy FROM '{node.uri('vault_data')},{node.uri('vault_log')}'"
                       f" UNTIL SCN = {scn} WITH 'pool_list=p_copy'")


def await_success(node):
    assert node.wait_restore("copy", seconds_in_progress=False)["STATUS"] in ("RESTORE_SUCCESS", "SUCCESS")


def restored(node, scn, *passwords):
    restore(node, scn, *passwords)
    await_success(node)


def back_up(node, password, what="BACKUP TENANT = vault"):
    """Returns the row of the set."""
    with contextlib.closing(node.connect()) as session, session.cursor() as cursor:
        if password:
            cursor.execute("SET ENCRYPTION ON IDENTIFIED BY %s ONLY", [password])
        cursor.execute("ALTER SYSTEM " + what)
    assert node.wait_backup("vault", last_job(node))["STATUS"] == "COMPLETED"
    return node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID DESC LIMIT 1")[0]


def directory_of(row):
    kind = row["BACKUP_TYPE"].lower()
    return pathlib.Path(row["PATH"].removeprefix("file://")) / f"backup_set_{row['BACKUP_SET_ID']}_{kind}"


def refusal(run, *arguments):
    with pytest.raises(pymysql.MySQLError) as caught:
        run(*arguments)
    return caught.value.args


def last_job(node):
    return node.scalar("SELECT MAX(JOB_ID) FROM (SELECT TENANT_ID, JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOBS UNION ALL"
                       " SELECT TENANT_ID, JOB_ID FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY) j WHERE TENANT_ID <> 1")


def files_with(directory, text):
    return sorted(str(path) for path in pathlib.Path(directory).rglob("*")
                  if path.is_file() and text.encode() in path.read_bytes())


def test_the_views_show_how_a_set_is_encrypted(vault, sets):
    encrypted, plain = sets
    assert (encrypted["ENCRYPTION_MODE"], plain["ENCRYPTION_MODE"]) == ("PASSWORD", "NONE")
    assert len(encrypted["PASSWD"]) == 16 and plain["PASSWD"] == ""
    for view in ("JOB", "TASK"):
        query = f"SELECT * FROM oceanbase.DBA_OB_BACKUP_{view}_HISTORY ORDER BY JOB_ID"
        rows = wait_for("the tenant's views", lambda: len(found := vault.sql(query, tenant="vault")) == 2 and found)
        assert [(row["ENCRYPTION_MODE"], row["PASSWD"] or "") for row in rows] == [
            ("PASSWORD", encrypted["PASSWD"]), ("NONE", "")]


def test_nothing_at_the_destination_tells_of_the_content(vault, sets):
    gtid = vault.scalar("SELECT @@gtid_binlog_pos", tenant="vault").split("-")
    found = {}
    for row in sets:
        directory = directory_of(row)
        assert list(directory.rglob("macro_block_data.*"))
        found[row["ENCRYPTION_MODE"]] = {
            text for text in (SCHEMA, TABLE, COMMENT, "-".join(gtid[:2]) + "-", "utf8mb4_general_ci", "ibdata1", PASSWORD)
            if files_with(directory, text)}
    assert found["PASSWORD"] == set()
    assert found["NONE"] >= {SCHEMA, TABLE, COMMENT, "-".join(gtid[:2]) + "-", "ibdata1"}, "what is looked for can be found"


def test_without_the_password_nothing_is_restored(vault, sets):
    blocks = directory_of(sets[0]) / "logstream_1001"
    blocks.rename(blocks.with_name("away"))  # it is known before anything of them is read
    try:
        for passwords in ((), (OTHER, PASSWORD.lower())):
            number, text = refusal(restore, vault, sets[0]["MIN_RESTORE_SCN"], *passwords)
            assert number == 9047 and "invalid password for backup" in text and "SET DECRYPTION" in text
            assert not any(password in text for password in passwords)
    finally:
        blocks.with_name("away").rename(blocks)
    assert not vault.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'copy'")
    with contextlib.closing(vault.connect("vault")) as session, session.cursor() as cursor:
        assert refusal(cursor.execute, "SET DECRYPTION IDENTIFIED BY 'x'")[0] == 1235


def test_with_the_password_everything_comes_back(vault, sets):
    restored(vault, sets[0]["MIN_RESTORE_SCN"], OTHER, PASSWORD)
    assert checksums(vault, "copy") == vault.content


def test_an_incremental_set_has_a_password_of_its_own_and_the_key_of_its_chain(vault, sets):
    inc = "BACKUP INCREMENTAL TENANT = vault"
    full = back_up(vault, PASSWORD)
    vault.sql(f"INSERT INTO {SCHEMA}.{TABLE} VALUES (-1, '{ROW}')", tenant="vault")
    content = checksums(vault, "vault")
    made = back_up(vault, OTHER, inc)
    assert (made["BACKUP_TYPE"], made["PREV_INC_BACKUP_SET_ID"]) == ("INC", full["BACKUP_SET_ID"])
    assert made["OUTPUT_BYTES"] < full["OUTPUT_BYTES"] / 2
    assert not files_with(directory_of(made), TABLE)
    assert refusal(restore, vault, made["MIN_RESTORE_SCN"], PASSWORD)[0] == 9047
    restored(vault, made["MIN_RESTORE_SCN"], OTHER)
    assert checksums(vault, "copy") == content
    assert back_up(vault, None, inc)["PREV_INC_BACKUP_SET_ID"] == sets[1]["BACKUP_SET_ID"], "the newest that is not encrypted"


def test_the_log_that_a_set_carries_is_encrypted_too(vault, sets):
    """And is gone on with after the end of the daemon; the set alone restores to its end."""
    point = "backup.log-segment-copied"
    vault.terminate()
    vault.start(crash_at=point)
    vault.wait_archive("vault", "DOING")
    with contextlib.closing(vault.connect()) as session, session.cursor() as cursor, contextlib.ExitStack() as load:
        ledger = load.enter_context(Ledger(vault, "vault"))
        wait_for("rows to be written", lambda: ledger.count() > 20)
        cursor.execute("SET ENCRYPTION ON IDENTIFIED BY %s ONLY", [PASSWORD])
        cursor.execute("ALTER SYSTEM BACKUP TENANT = vault PLUS ARCHIVELOG")
        assert vault.process.wait(60) == -signal.SIGKILL
    vault.start()
    vault.wait_archive("vault", "DOING")
    assert vault.wait_backup("vault", last_job(vault))["STATUS"] == "COMPLETED"
    made = vault.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID DESC LIMIT 1")[0]
    assert (made["PLUS_ARCHIVELOG"], made["ENCRYPTION_MODE"]) == ("ON", "PASSWORD")
    log = directory_of(made) / "complement_log"
    gtid = "-".join(vault.scalar("SELECT @@gtid_binlog_pos", tenant="vault").split("-")[:2]) + "-"
    segments = list(log.rglob("log/*.obarc"))
    assert segments
    for text in ("TMLOG001", "TMLOGEND", gtid, "utf8mb4_general_ci", "log archive round start"):
        assert files_with(vault.backups / "vault_log", text), f"{text} can be found"
        assert not files_with(log, text), text
    end = json.loads((directory_of(made) / "single_backup_set_info.obbak").read_text().rsplit("\nxxh3 ", 1)[0])["content"]["log_end_scn"]
    assert end > made["MIN_RESTORE_SCN"]
    with contextlib.closing(vault.connect()) as session, session.cursor() as cursor:
        alone = f"ALTER SYSTEM RESTORE copy FROM '{vault.uri('vault_data')}' UNTIL SCN = {end} WITH 'pool_list=p_copy'"
        assert refusal(cursor.execute, alone)[0] == 9047
        cursor.execute("SET DECRYPTION IDENTIFIED BY %s", [PASSWORD])
        cursor.execute(alone)
    await_success(vault)
    written = rows(vault, "vault")
    assert rows(vault, "copy") <= written and len(rows(vault, "copy")) > 20
    vault.drop("copy")
    # Bytes of it that are others are noticed.
    contents = {segment: segment.read_bytes() for segment in segments}
    try:
        for segment, content in contents.items():
            segment.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
        with contextlib.closing(vault.connect()) as session, session.cursor() as cursor:
            cursor.execute("SET DECRYPTION IDENTIFIED BY %s, %s", [PASSWORD, OTHER])
            assert "/complement_log/" in refusal(cursor.execute, alone)[1]
    finally:
        for segment, content in contents.items():
            segment.write_bytes(content)


def test_a_validation_reads_an_encrypted_set(vault, sets):
    """The node keeps the keys of the sets that it has made."""
    def validate():
        vault.sql("ALTER SYSTEM VALIDATE BACKUPSET ALL TENANT = vault")
        job = wait_for("the validation", lambda: [j for j in vault.sql(
            "SELECT * FROM oceanbase.CDB_TM_VALIDATE_JOBS ORDER BY JOB_ID DESC LIMIT 1")
            if j["STATUS"] not in ("INIT", "DOING")])[0]
        assert job["STATUS"] == "COMPLETED", job
        return vault.sql("SELECT KIND, OBJECT FROM oceanbase.CDB_TM_VALIDATE_FINDINGS WHERE STATUS = 'OPEN'")
    assert not validate()
    data = next(directory_of(sets[0]).rglob("macro_block_data.0.obbak"))
    content = data.read_bytes()
    try:
        data.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
        assert {(f["KIND"], f["OBJECT"].rsplit("/", 1)[1]) for f in validate()} == {("DAMAGED", data.name)}
    finally:
        data.write_bytes(content)
    assert not validate()


def test_mistakes_are_told_without_the_password(vault):
    for tenant in ("sys", "vault"):
        with contextlib.closing(vault.connect(tenant)) as session, session.cursor() as cursor:
            for wrong in ("SET ENCRYPTION ON IDENTIFIED '%s' ONLY", "SET ENCRYPTION ON IDENTIFIED BY '%s' ONLY NOW",
                          "SET ENCRYPTION ON IDENTIFIED BY '%s", "SET DECRYPTION IDENTIFIED BY '%s' '%s'"):
                number, text = refusal(cursor.execute, wrong.replace("%s", PASSWORD))
                assert number == 1064 and PASSWORD not in text
            assert refusal(cursor.execute, f"SET ENCRYPTION ON IDENTIFIED BY '{PASSWORD}'")[0] == 1235
            assert refusal(cursor.execute, "SET ENCRYPTION ON IDENTIFIED BY '' ONLY")[0] == 1210
            cursor.execute("SET NAMES latin1")
            number, text = refusal(cursor.execute, f"SET ENCRYPTION ON IDENTIFIED BY 'ü{PASSWORD}' ONLY".encode("latin1"))
            assert number == 1235 and "SET NAMES utf8mb4" in text


def test_a_setting_is_taken_back_and_ends_with_a_reset(vault):
    reset = 0x1F
    for end in (lambda c, s: c.execute("SET ENCRYPTION OFF"),
                lambda c, s: (s._execute_command(reset, ""), s._read_ok_packet())):
        with contextlib.closing(vault.connect("vault")) as session, session.cursor() as cursor:
            cursor.execute(f"SET ENCRYPTION ON IDENTIFIED BY '{PASSWORD}' ONLY")
            end(cursor, session)
            cursor.execute("ALTER SYSTEM BACKUP DATABASE")
        assert vault.wait_backup("vault", last_job(vault))["ENCRYPTION_MODE"] == "NONE"


def ends_at(node, point, begin):
    """Runs `begin` with a daemon that ends at the point, then starts it again."""
    node.terminate()
    node.start(crash_at=point)
    begin()
    assert node.process.wait(60) == -signal.SIGKILL
    node.start()


@pytest.mark.parametrize("point", ["backup.turn-begun", "backup.copied", "backup.described"])
def test_a_backup_that_was_killed_goes_on_without_the_password(vault, sets, point):
    def begin():
        with contextlib.closing(vault.connect()) as session, session.cursor() as cursor:
            cursor.execute(f"SET ENCRYPTION ON IDENTIFIED BY '{OTHER}' ONLY")
            cursor.execute("ALTER SYSTEM BACKUP TENANT = vault")
    vault.wait_archive("vault", "DOING")
    ends_at(vault, point, begin)
    assert vault.wait_backup("vault", last_job(vault))["STATUS"] == "COMPLETED"
    made = vault.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID DESC LIMIT 1")[0]
    assert (made["STATUS"], made["ENCRYPTION_MODE"]) == ("SUCCESS", "PASSWORD")
    assert refusal(restore, vault, made["MIN_RESTORE_SCN"], PASSWORD)[0] == 9047
    restored(vault, made["MIN_RESTORE_SCN"], OTHER)


def test_a_restore_that_was_killed_goes_on_without_the_password(vault, sets):
    ends_at(vault, "restore.files-written", lambda: restore(vault, sets[0]["MIN_RESTORE_SCN"], PASSWORD))
    await_success(vault)
    assert checksums(vault, "copy") == vault.content


def test_the_password_is_found_nowhere(vault, sets):
    """After all of the above: on the node's disk (catalog, general logs, binlogs), in the log, in process lists."""
    with contextlib.closing(by_socket(vault, 1)) as connection:
        connection.cursor().execute("FLUSH LOGS")
    for text in (PASSWORD, OTHER):
        assert files_with(vault.data, text) == [] and files_with(vault.backups, text) == []
        assert text not in vault.log.read_text(errors="replace")
        hexed = text.encode().hex()
        assert files_with(vault.data, hexed) == [] and files_with(vault.data, hexed.upper()) == []
    general = [path for path in pathlib.Path(vault.data).rglob("general")]
    assert len(general) == 2 and all(b"information_schema.USER_PRIVILEGES" in path.read_bytes() for path in general), (
        "the logs were on")
    assert files_with(vault.data, TABLE), "what is looked for can be found"


@pytest.mark.skipif(not shutil.which("gcore"), reason="there is no gcore here")
def test_the_password_is_in_no_core_file(vault, sets, tmp_path):
    """While a session holds it, and after all of the above."""
    with contextlib.closing(vault.connect()) as session, session.cursor() as cursor:
        cursor.execute("SET DECRYPTION IDENTIFIED BY %s, %s", [PASSWORD, OTHER])
        cursor.execute(f"SET ENCRYPTION ON IDENTIFIED BY '{PASSWORD}' ONLY")
        subprocess.run(["gcore", "-o", tmp_path / "core", str(vault.process.pid)], check=True, capture_output=True)
    core = next(tmp_path.iterdir()).read_bytes()
    assert b"tidemark" in core and len(core) > 10 << 20
    found = [f"{core[max(0, at - 60):at + 60]!r}" for text in (PASSWORD, OTHER) for at in occurrences(core, text.encode())]
    assert not found, "\n".join(found)


def occurrences(core, text):
    at = core.find(text)
    while at >= 0:
        yield at
        at = core.find(text, at + 1)
