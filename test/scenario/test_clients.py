"""Every client that must work, each in its own script (clients/README.md), through the front of a real node."""
import os
import pathlib
import shutil
import subprocess

import pytest

from node import ROOT

SCRIPTS = pathlib.Path(__file__).parent / "clients"
JDBC = pathlib.Path(os.environ.get("TIDEMARK_JDBC", "/usr/share/java/mariadb-java-client.jar"))
MODULES = ROOT / "build" / "clients"


@pytest.fixture(scope="module")
def login(shared_node):
    """Arguments for a script: an administrator with a password, in a tenant of its own."""
    shared_node.create_tenant("acme")
    shared_node.sql("ALTER USER root IDENTIFIED BY 'geheim'", tenant="acme")
    return ["127.0.0.1", str(shared_node.port), "root@acme", "geheim"]


@pytest.fixture(scope="module")
def node_modules():
    """The npm clients, in the versions of clients/package.json; installed once per build directory."""
    wanted = (SCRIPTS / "package.json").read_text()
    installed = MODULES / "package.json"
    if not (MODULES / "node_modules").exists() or installed.read_text() != wanted:
        MODULES.mkdir(parents=True, exist_ok=True)
        installed.write_text(wanted)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"], cwd=MODULES, check=True)
    return {**os.environ, "NODE_PATH": str(MODULES / "node_modules")}


def run(command, login, **options):
    result = subprocess.run([*map(str, command), *login], capture_output=True, text=True, timeout=240, **options)
    print(result.stdout + result.stderr)
    assert result.returncode == 0 and "not ok" not in result.stdout, result.stdout + result.stderr
    assert "ok - own statement" in result.stdout, "the script did not get that far"


def test_mariadb_program(login):
    run(["bash", SCRIPTS / "mariadb_cli.sh"], login)


def test_pymysql(login):
    run([shutil.which("python3", path="/usr/bin") or "python3", SCRIPTS / "pymysql_client.py"], login)


def test_mysql2(login, node_modules):
    run(["node", SCRIPTS / "mysql2_client.cjs"], login, env=node_modules)


def test_mariadb_npm(login, node_modules):
    run(["node", SCRIPTS / "mariadb_client.cjs"], login, env=node_modules)


def test_connector_j(login):
    run(["java", "-cp", JDBC, SCRIPTS / "ConnectorJ.java"], login)
