"""Backups that are encrypted without anybody typing a password: the tenant's key in a file, its copy, restores elsewhere."""
import contextlib
import json
import pathlib
import shutil
import stat
import uuid

import pymysql
import pytest

from hanging_mount import HangingMount
from hangs import needs_fuse
from load import Ledger
from node import Node, checksums, wait_for
from sampler import Sampler

PASSWORD = "Pw" + uuid.uuid4().hex
TABLE = "table_" + uuid.uuid4().hex[:10]


def refusal(node, statement, **options):
    with pytest.raises(pymysql.MySQLError) as caught:
        node.sql(statement, **options)
    assert PASSWORD not in str(caught.value)
    return caught.value.args[0]


def newest(node):
    return node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID DESC LIMIT 1")[0]


def back_up(node, options="", kind="", password=None):
    job = node.start_backup("vault", options, kind, password)
    assert node.wait_backup("vault", job)["STATUS"] == "COMPLETED"
    return newest(node)


def chain_of(node, made):
    """The chain of a set, whose sets all have one key."""
    (bag,) = (node.backups / "vault_data").glob(f"backup_set_{made['BACKUP_SET_ID']}_*/backup_set_key.obbak")
    return json.loads(bag.read_text().rsplit("\nxxh3 ", 1)[0])["content"]["chain"]


def files_with(directory, text):
    return [path for path in pathlib.Path(directory).rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


@pytest.fixture(scope="module")
def vault(shared_node):
    node = shared_node
    node.create_tenant("vault")
    node.sql("CREATE DATABASE d", tenant="vault")
    node.sql(f"CREATE TABLE d.{TABLE} (id INT PRIMARY KEY)", tenant="vault")
    node.sql(f"INSERT INTO d.{TABLE} SELECT seq FROM d.seq_1_to_100", tenant="vault")
    node.start_archive("vault")
    node.keys = node.directory / "keys of tenants"
    node.keys.mkdir()
    node.file = node.keys / "vault.key"
    node.sql(f"ALTER SYSTEM SET backup_key_file = '{node.file}' TENANT = vault")
    return node


def test_backups_are_encrypted_without_a_word(vault):
    assert stat.S_IMODE(vault.file.stat().st_mode) == 0o600
    full = back_up(vault)
    assert (full["ENCRYPTION_MODE"], len(full["PASSWD"])) == ("TRANSPARENT_ENCRYPTION", 16)
    assert full["PASSWD"] in vault.file.read_text()
    vault.sql(f"INSERT INTO d.{TABLE} VALUES (1000)", tenant="vault")
    inc = back_up(vault, kind="INCREMENTAL")
    assert (inc["BACKUP_TYPE"], inc["PREV_FULL_BACKUP_SET_ID"]) == ("INC", full["BACKUP_SET_ID"])
    assert not files_with(vault.backups / "vault_data", TABLE)
    vault.content = checksums(vault, "vault")
    vault.sql(f"INSERT INTO d.{TABLE} VALUES (1001)", tenant="vault")
    assert back_up(vault, password=PASSWORD)["ENCRYPTION_MODE"] == "PASSWORD", "who gives a password, uses that"


def test_this_cluster_restores_without_being_asked(vault):
    until = vault.scalar("SELECT MIN_RESTORE_SCN FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE BACKUP_SET_ID = 2")
    vault.restore("copy", "vault", f"UNTIL SCN = {until}")
    assert checksums(vault, "copy") == vault.content
    vault.drop("copy")


def test_a_lost_catalogue_needs_no_password_either(vault):
    query = "SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE BACKUP_SET_ID < 3 ORDER BY BACKUP_SET_ID"
    before = vault.sql(query)
    for table in ("backup_set", "backup_key"):
        vault.in_catalog(f"DELETE FROM tidemark.{table}")
    vault.sql("ALTER SYSTEM CATALOG BACKUP TENANT = vault")
    assert vault.sql(query) == before


def test_another_cluster_restores_with_the_copy_of_the_key(vault):
    """Also the log that the set carries."""
    with Ledger(vault, "vault", writers=1) as ledger:
        wait_for("rows", lambda: ledger.count() > 5)
        made = back_up(vault, "PLUS ARCHIVELOG")
    saved = vault.directory / "saved keys"
    saved.mkdir()
    key = f"'file://{saved}' ENCRYPTED BY '{PASSWORD}'"
    for _ in range(2):  # a second time is nothing new
        vault.sql(f"ALTER SYSTEM BACKUP KEY TENANT = vault TO {key}")
    (copy,) = saved.iterdir()
    assert copy.name.startswith("backup_key_") and made["PASSWD"] in copy.name
    other = Node()
    try:
        other.start()
        other.create_pool("p")
        restore = (f"ALTER SYSTEM RESTORE back FROM '{vault.uri('vault_data')}' UNTIL SCN = {made['MIN_RESTORE_SCN']}"
                   " WITH 'pool_list=p'")
        assert refusal(other, restore) == 9047
        preview = (f"ALTER SYSTEM RESTORE FROM '{vault.uri('vault_data')}' UNTIL SCN = {made['MIN_RESTORE_SCN']} PREVIEW")
        assert refusal(other, preview) == 9047
        assert refusal(other, f"{preview} WITH KEY FROM 'file://{saved}' ENCRYPTED BY 'x{PASSWORD}'") == 9047
        with contextlib.closing(other.connect()) as session, session.cursor() as cursor:
            cursor.execute(f"{preview} WITH KEY FROM {key}")
            cursor.execute("SHOW RESTORE PREVIEW")
            shown = cursor.fetchall()
        assert [row["backup_id"] for row in shown if row["backup_type"] == "BACKUP_SET"] == [str(made["BACKUP_SET_ID"])]
        assert refusal(other, f"{restore} WITH KEY FROM 'file://{saved}' ENCRYPTED BY 'x{PASSWORD}'") == 9047
        assert refusal(other, f"{restore} WITH KEY FROM 'file://{vault.keys}' ENCRYPTED BY '{PASSWORD}'") == 9011
        other.sql(f"{restore} WITH KEY FROM {key}")
        end = other.wait_restore("back", seconds_in_progress=False)
        assert end["STATUS"] in ("RESTORE_SUCCESS", "SUCCESS"), end
        assert other.scalar(f"SELECT COUNT(*) FROM d.{TABLE}", tenant="back") == 102
        assert PASSWORD not in other.log.read_text()
    finally:
        other.destroy()
    for place in (vault.data, vault.keys, saved):
        assert not files_with(place, PASSWORD), place
    assert PASSWORD not in vault.log.read_text()


def test_a_lost_catalogue_and_a_lost_file_need_the_copy_of_the_key(vault):
    query = "SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID"
    statement = "ALTER SYSTEM CATALOG BACKUP TENANT = vault"
    with contextlib.closing(vault.connect()) as session, session.cursor() as cursor:
        cursor.execute(f"SET DECRYPTION IDENTIFIED BY '{PASSWORD}'")  # set 3 was cataloged without it
        cursor.execute(statement)
        assert [int(row["ID"]) for row in cursor.fetchall() if row["RESULT"] == "CATALOGED"] == [3]
    before = vault.sql(query)
    vault.sql("ALTER SYSTEM SET backup_key_file = '' TENANT = vault")
    try:
        for table in ("backup_set", "backup_key"):
            vault.in_catalog(f"DELETE FROM tidemark.{table}")
        hidden = [row for row in vault.sql(statement) if "WITH KEY FROM" in row["COMMENT"]]
        assert [int(row["ID"]) for row in hidden] == [1, 2, 3, 4]
        saved = f"'file://{vault.directory / 'saved keys'}'"
        assert refusal(vault, f"{statement} WITH KEY FROM {saved} ENCRYPTED BY 'x{PASSWORD}'") == 9047
        with contextlib.closing(vault.connect()) as session, session.cursor() as cursor:
            cursor.execute(f"SET DECRYPTION IDENTIFIED BY '{PASSWORD}'")  # of set 3
            cursor.execute(f"{statement} WITH KEY FROM {saved} ENCRYPTED BY '{PASSWORD}'")
            rows = [row for row in cursor.fetchall() if row["OBJECT"] == "BACKUP SET"]
        assert {row["RESULT"] for row in rows} == {"CATALOGED"}
        assert vault.sql(query) == before
    finally:
        vault.sql(f"ALTER SYSTEM SET backup_key_file = '{vault.file}' TENANT = vault")


def test_another_key_begins_another_chain(vault):
    """Who has had the first key opens what was made with it, and nothing that comes."""
    first = newest(vault)
    second = vault.keys / "second.key"
    vault.sql(f"ALTER SYSTEM SET backup_key_file = '{second}' TENANT = vault")
    with Sampler(vault, "SELECT BACKUP_TYPE, COMMENT FROM oceanbase.CDB_OB_BACKUP_JOBS WHERE TENANT_ID > 1") as sampler:
        full = back_up(vault, kind="INCREMENTAL")
    reason = "no set at this destination is encrypted by the key that backup_key_file names"
    assert full["BACKUP_TYPE"] == "FULL" and reason in full["COMMENT"]
    seen = sampler.rows()
    assert seen and all(row["BACKUP_TYPE"] == "FULL" and reason in row["COMMENT"] for _, row in seen)
    for view in ("JOB", "TASK"):
        (row,) = vault.sql(f"SELECT COMMENT FROM oceanbase.CDB_OB_BACKUP_{view}_HISTORY WHERE BACKUP_SET_ID = %s",
                           [full["BACKUP_SET_ID"]])
        assert reason in row["COMMENT"]
    assert full["PASSWD"] in second.read_text() and full["PASSWD"] != first["PASSWD"]
    assert chain_of(vault, full) != chain_of(vault, first)
    inc = back_up(vault, kind="INCREMENTAL")
    assert (inc["BACKUP_TYPE"], inc["PREV_INC_BACKUP_SET_ID"], inc["COMMENT"]) == ("INC", full["BACKUP_SET_ID"], "")
    assert chain_of(vault, inc) == chain_of(vault, full)
    # A chain that is opened by two keys, as older versions made them, goes on under neither.
    vault.in_catalog("UPDATE tidemark.backup_set SET passwd = 'another' WHERE backup_set_id = %s", [full["BACKUP_SET_ID"]])
    assert back_up(vault, kind="INCREMENTAL")["BACKUP_TYPE"] == "FULL"
    # Nor does a password lean on a key: who has the key would open what the password is to close.
    inc = back_up(vault, kind="INCREMENTAL", password=PASSWORD)
    assert (inc["BACKUP_TYPE"], inc["PREV_INC_BACKUP_SET_ID"]) == ("INC", 3)
    # Back at the first key, its own chain goes on.
    vault.sql(f"ALTER SYSTEM SET backup_key_file = '{vault.file}' TENANT = vault")
    inc = back_up(vault, kind="INCREMENTAL")
    assert (inc["BACKUP_TYPE"], inc["PREV_INC_BACKUP_SET_ID"]) == ("INC", first["BACKUP_SET_ID"])
    assert chain_of(vault, inc) == chain_of(vault, first)


def test_each_tenant_has_a_key_of_its_own(vault):
    vault.create_tenant("other")
    link = vault.directory / "keys by another name"
    link.symlink_to(vault.keys)
    shutil.copy(vault.file, vault.keys / "copy.key")
    setting = "ALTER SYSTEM SET backup_key_file = '{}' TENANT = {}"
    new = vault.keys / "new.key"
    for tenants in ("ALL", "vault, other"):
        assert refusal(vault, setting.format(new, tenants)) == 4179
    assert not new.exists()
    for file in (vault.file, link / vault.file.name, vault.keys / "copy.key"):
        assert refusal(vault, setting.format(file, "other")) == 4179
    away = vault.file.with_suffix(".away")
    vault.file.rename(away)
    assert refusal(vault, setting.format(link / vault.file.name, "other")) == 4179, "it is lost, and still the other's"
    assert not vault.file.exists()
    away.rename(vault.file)
    values = "SELECT TENANT_ID, VALUE FROM oceanbase.GV$OB_PARAMETERS WHERE NAME = 'backup_key_file' AND TENANT_ID > 1 ORDER BY 1"
    assert [row["VALUE"] for row in vault.sql(values)] == [str(vault.file), ""]
    vault.sql(setting.format(new, "other"))
    assert json.loads(new.read_text().rsplit("\nxxh3 ", 1)[0])["content"]["id"] not in vault.file.read_text()
    vault.sql(setting.format("", "ALL"))
    assert {row["VALUE"] for row in vault.sql(values)} == {""}
    vault.sql(setting.format(vault.file, "vault"))


@needs_fuse
def test_a_key_that_is_not_what_was_stored_is_not_saved(vault):
    """The storage takes it, and keeps something else."""
    with HangingMount(vault.directory / "garbling", "garble") as mount:
        with pytest.raises(pymysql.MySQLError, match="the key is not saved: .*backup_key_") as caught:
            vault.sql(f"ALTER SYSTEM BACKUP KEY TENANT = vault TO 'file://{mount.path}' ENCRYPTED BY '{PASSWORD}'")
        assert PASSWORD not in str(caught.value)
        assert list(mount.backing.glob("backup_key_*"))
    # Nor is one that was stored before, and is damaged by now.
    saved = vault.directory / "saved by and by"
    saved.mkdir()
    statement = f"ALTER SYSTEM BACKUP KEY TENANT = vault TO 'file://{saved}' ENCRYPTED BY '{PASSWORD}'"
    vault.sql(statement)
    (copy,) = saved.iterdir()
    copy.write_bytes(copy.read_bytes()[:-1])
    with pytest.raises(pymysql.MySQLError, match="the key is not saved"):
        vault.sql(statement)


def test_a_lost_file_is_not_made_again(vault):
    away = vault.file.with_suffix(".away")
    vault.file.rename(away)
    try:
        assert refusal(vault, "ALTER SYSTEM BACKUP TENANT = vault") == 9011
        assert not vault.file.exists()
    finally:
        away.rename(vault.file)
    content = vault.file.read_text()
    vault.file.chmod(0o600)
    vault.file.write_text(content.replace('"id"', '"ie"'))
    assert refusal(vault, "ALTER SYSTEM BACKUP TENANT = vault") not in (0, 9011)
    vault.file.write_text(content)


def test_refusals(vault):
    assert refusal(vault, f"ALTER SYSTEM SET backup_key_file = '{vault.keys}/x'", tenant="vault") == 1227
    for bad in ("relative", "/", "/a/.hidden", f"{vault.data}/k"):
        assert refusal(vault, f"ALTER SYSTEM SET backup_key_file = '{bad}' TENANT = vault") in (1210, 9026)
    assert refusal(vault, "ALTER SYSTEM SET backup_key_file = '/nowhere/at/all' TENANT = vault") != 0
    assert refusal(vault, f"ALTER SYSTEM SET backup_key_file = '{vault.keys}/x'") == 1235, "of sys"
    assert vault.scalar("SELECT VALUE FROM oceanbase.GV$OB_PARAMETERS WHERE NAME = 'backup_key_file' AND TENANT_ID > 1 ORDER BY TENANT_ID") == str(vault.file)
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TENANT = vault TO '{vault.uri('vault_data')}' ENCRYPTED BY 'x'") == 4179
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TENANT = vault TO 'file://{vault.keys}'") == 1235
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TO 'file://{vault.keys}' ENCRYPTED BY 'x'") == 1210
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TO 'file://{vault.keys}' ENCRYPTED BY 'x'", tenant="vault") == 1227
    saved = vault.directory / "saved keys"
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TENANT = vault TO 'file://{saved}' ENCRYPTED BY 'another'") != 0
    vault.sql("ALTER SYSTEM SET backup_key_file = '' TENANT = vault")
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TENANT = vault TO 'file://{saved}' ENCRYPTED BY 'x'") == 4018
    assert back_up(vault)["ENCRYPTION_MODE"] == "NONE"
