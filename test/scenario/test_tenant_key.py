"""Backups that are encrypted without anybody typing a password: the tenant's key in a file, its copy, restores elsewhere."""
import contextlib
import pathlib
import stat
import uuid

import pymysql
import pytest

from load import Ledger
from node import Node, checksums, wait_for

PASSWORD = "Pw" + uuid.uuid4().hex
TABLE = "table_" + uuid.uuid4().hex[:10]


def refusal(node, statement, **options):
    with pytest.raises(pymysql.MySQLError) as caught:
        node.sql(statement, **options)
    assert PASSWORD not in str(caught.value)
    return caught.value.args[0]


def newest(node):
    return node.sql("SELECT * FROM oceanbase.CDB_OB_BACKUP_SET_FILES ORDER BY BACKUP_SET_ID DESC LIMIT 1")[0]


def back_up(node, options="", kind=""):
    node.sql(f"ALTER SYSTEM BACKUP {kind} TENANT = vault {options}")
    job = node.scalar("SELECT MAX(JOB_ID) FROM (SELECT JOB_ID, TENANT_ID FROM oceanbase.CDB_OB_BACKUP_JOBS UNION ALL SELECT"
                      " JOB_ID, TENANT_ID FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY) j WHERE TENANT_ID <> 1")
    assert node.wait_backup("vault", job)["STATUS"] == "COMPLETED"
    return newest(node)


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
    with contextlib.closing(vault.connect()) as session, session.cursor() as cursor:  # who gives a password, uses that
        cursor.execute(f"SET ENCRYPTION ON IDENTIFIED BY '{PASSWORD}' ONLY")
        cursor.execute("ALTER SYSTEM BACKUP TENANT = vault")
    assert vault.wait_backup("vault", 3)["ENCRYPTION_MODE"] == "PASSWORD"


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
    assert vault.scalar("SELECT VALUE FROM oceanbase.GV$OB_PARAMETERS WHERE NAME = 'backup_key_file' AND TENANT_ID > 1") == str(vault.file)
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TENANT = vault TO '{vault.uri('vault_data')}' ENCRYPTED BY 'x'") == 4179
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TENANT = vault TO 'file://{vault.keys}'") == 1235
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TO 'file://{vault.keys}' ENCRYPTED BY 'x'") == 1210
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TO 'file://{vault.keys}' ENCRYPTED BY 'x'", tenant="vault") == 1227
    saved = vault.directory / "saved keys"
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TENANT = vault TO 'file://{saved}' ENCRYPTED BY 'another'") != 0
    vault.sql("ALTER SYSTEM SET backup_key_file = '' TENANT = vault")
    assert refusal(vault, f"ALTER SYSTEM BACKUP KEY TENANT = vault TO 'file://{saved}' ENCRYPTED BY 'x'") == 4018
    assert back_up(vault)["ENCRYPTION_MODE"] == "NONE"
