"""The tidemark command, as a person or a script uses it."""
import json
import os
import subprocess

import pytest

from node import BIN


@pytest.fixture(scope="module")
def shop(shared_node):
    shared_node.create_tenant("shop")
    shared_node.start_archive("shop")
    return shared_node


def test_backup_restore_and_log_in_three_commands(shop):
    out = shop.cli("backup", "shop", "--description", "before the sale").stdout
    assert "backup shop: COMPLETED" in out
    job = shop.sql("SELECT DESCRIPTION FROM oceanbase.CDB_OB_BACKUP_JOB_HISTORY WHERE TENANT_ID = 1")[0]
    assert job["DESCRIPTION"] == "before the sale"
    shop.sql("CREATE DATABASE d", tenant="shop")
    shop.sql("CREATE TABLE d.precious (a INT PRIMARY KEY)", tenant="shop")
    shop.sql("INSERT INTO d.precious VALUES (1)", tenant="shop")
    shop.sql("CREATE USER u@'%' IDENTIFIED BY 'open sesame'", tenant="shop")
    shop.sql("DROP TABLE d.precious", tenant="shop")
    shop.archived_now("shop")
    listing = shop.cli("log", shop.uri("shop_log"), "--ddl").stdout
    assert "DROP TABLE `d`.`precious`" in listing and "CREATE USER" in listing
    assert "sesame" not in listing, "no password in what is shown"
    dropped = next(t for t in json.loads(shop.cli("log", shop.uri("shop_log"), "--ddl", "--json").stdout)
                   if t["ddl"].startswith("DROP TABLE"))
    shop.create_pool("p_back")
    out = shop.cli("restore", "back", "--from", f"{shop.uri('shop_data')},{shop.uri('shop_log')}", "--pool", "p_back",
                   "--until-scn", str(dropped["scn"] - 1), "--activate").stdout
    assert "restore back: SUCCESS" in out
    assert shop.scalar("SELECT COUNT(*) FROM d.precious", tenant="back") == 1


def test_status_and_watch(shop):
    out = shop.cli("status").stdout
    assert "shop" in out and "ARCHIVELOG" in out
    assert {t["tenant"] for t in json.loads(shop.cli("status", "--json").stdout)["tenants"]} >= {"sys", "shop"}
    assert "nothing is running" in shop.cli("watch").stdout
    assert json.loads(shop.cli("watch", "--json").stdout) == []


def test_mistakes_have_clear_answers_and_exit_codes(shop):
    wrong = shop.cli("restore", "x", "--from", "file:///nowhere", "--pool", "none", check=False)
    assert wrong.returncode == 2 and "resource pool 'none' not exist" in wrong.stderr
    assert shop.cli("restore", check=False).returncode == 2
    for arguments, complaint in ((["bogus"], "bogus"), ([], "A command is required")):
        wrong = shop.cli(*arguments, check=False)
        assert wrong.returncode == 2 and complaint in wrong.stderr
    assert shop.cli("--help").returncode == 0
    environment = {**os.environ, "TIDEMARK_PASSWORD": "wrong"}
    refused = subprocess.run([BIN / "tidemark", "-P", str(shop.port), "status"], env=environment, capture_output=True,
                             text=True)
    assert refused.returncode == 2 and "Access denied" in refused.stderr and "wrong" not in refused.stderr


def test_shutdown_ends_daemon_and_databases(node):
    node.create_tenant("shop")
    assert len(node.mariadbd_pids()) == 2
    node.cli("shutdown")
    assert node.process.wait(60) == 0
    assert not node.mariadbd_pids()
    node.start()
    assert node.scalar("SELECT 1", tenant="shop") == 1


def test_sigterm_leaves_databases_up_and_a_second_daemon_is_refused(node):
    node.create_tenant("shop")
    before = sorted(node.mariadbd_pids())
    second = subprocess.run([BIN / "tidemarkd", "--data-dir", node.data, "--port", "0"], capture_output=True, text=True)
    assert second.returncode != 0 and str(node.process.pid) in second.stderr
    node.terminate()
    assert sorted(node.mariadbd_pids()) == before
    node.start()
    assert sorted(node.mariadbd_pids()) == before, "found again, not restarted"
