"""What the README tells a newcomer to type works, word for word."""
import contextlib
import re
import subprocess

import pymysql

from node import ROOT, wait_for


def session_of_readme(node):
    """The README's SQL, in order, with its places replaced by ours."""
    text = (ROOT / "README.md").read_text()
    sql = "\n".join(re.findall(r"```sql\n(.*?)```", text, re.S)).replace("\\G", ";")
    place = str(node.directory / "readme")
    sql = sql.replace("/var/tmp/tidemark-backup", place)
    (shell,) = re.findall(r"^    \$ (mkdir .*)$", text, re.M)
    subprocess.run(shell.replace("/var/tmp/tidemark-backup", place).split(), check=True)
    return [s.strip() for s in sql.split(";") if s.strip()]


def test_the_first_session_of_the_readme(node):
    statements = session_of_readme(node)
    assert len(statements) >= 12, "the README has its session"
    connection = node.connect()
    with contextlib.closing(connection), connection.cursor() as cursor:
        for statement in statements:
            if statement.startswith("ALTER SYSTEM RESTORE"):
                wait_for("the backup", lambda: node.sql("SELECT 1 FROM oceanbase.CDB_OB_BACKUP_SET_FILES"
                                                        " WHERE FILE_STATUS = 'AVAILABLE'"))
                scn = node.archived_now("shop")
                moment = node.scalar("SELECT FROM_UNIXTIME(%s / 1000000000)", [scn])
                statement = re.sub(r"UNTIL TIME = '[^']*'", f"UNTIL TIME = '{moment}'", statement)
            if statement.startswith("ALTER SYSTEM ACTIVATE"):
                assert node.wait_restore("shop_before")["STATUS"] == "SUCCESS"
            cursor.execute(statement)
            cursor.fetchall()
    assert node.scalar("SELECT TENANT_ROLE FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'shop_before'") == "PRIMARY"


def test_every_documented_statement_is_understood(node):
    """Each statement in docs/sql.md's grammar blocks is at least known: none is a syntax error of MariaDB's."""
    text = (ROOT / "docs" / "sql.md").read_text()
    verbs = set(re.findall(r"^    ((?:ALTER SYSTEM|CREATE|DROP|ALTER|SHOW) [A-Z]+(?: [A-Z]+)?)", text, re.M))
    assert len(verbs) > 10
    for verb in verbs:
        try:
            node.sql(verb)
        except pymysql.Error as error:
            assert "MariaDB server version" not in str(error), f"{verb} went to MariaDB"


def literal_parts(call):
    """Of the text of a call that logs, what stands between its fields."""
    text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', call))
    return [part.strip(" :,;()") for part in re.split(r"\{[^}]*\}", text)]


def test_each_warning_of_the_log_says_in_the_manual_what_to_do():
    """What the code logs as a warning or an error stands in docs/operate.md."""
    manual = re.sub(r"\s+", " ", (ROOT / "docs" / "operate.md").read_text())
    missing = []
    found = 0
    for source in sorted((ROOT / "src").rglob("*.cpp")):
        if source.parent.name == "testing" or source.name.endswith("_test.cpp"):
            continue
        for call in re.findall(r"log_?->(?:warn|error)\((.*?)\);", source.read_text(), re.S):
            longest = max(literal_parts(call), key=len)
            if len(longest) < 6:
                continue  # another text, which is looked for where it is written
            found += 1
            if longest[:40].strip() not in manual:
                missing.append(f"{source.name}: {longest}")
    assert found > 40, "the code logs in another way now"
    assert missing == []
