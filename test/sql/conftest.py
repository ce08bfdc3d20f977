"""Runs *.test files: statements and what they answer, the cheapest test to write and the shortest documentation.

Blocks are separated by empty lines; a block's first line says what it is:

    ok [tenant]             the statements below succeed
    error CODE [tenant]     the statement below fails with this number; a line after `----` is in its text
    query [tenant]          rows of the statement below, one a line after `----`, values separated by two blanks
    wait [tenant]           the same, asked again until it answers so (30 s)
    restart                 the daemon is ended and started again; databases stay up
    kill daemon             the daemon is killed and started again
    kill tenant NAME        the tenant's mariadbd is killed

`{dir}` is a directory for destinations, `{data}` the node's own; `*` as a value stands for any.
"""
import os
import pathlib
import signal
import sys

import pymysql
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "scenario"))
from node import Node, wait_for  # noqa: E402


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".test":
        return ScriptFile.from_parent(parent, path=file_path)
    return None


class ScriptFile(pytest.File):
    def collect(self):
        yield Script.from_parent(self, name=self.path.stem)


class Block:
    def __init__(self, line, lines):
        self.line = line
        words = lines[0].split()
        self.kind, self.words = words[0], words[1:]
        body = "\n".join(lines[1:])
        self.sql, _, expected = body.partition("\n----")
        self.expected = [e for e in expected.strip("\n").split("\n") if e]

    def statements(self):
        return [s for s in (p.strip() for p in self.sql.split(";\n")) if s]


def blocks(text):
    line, gathered, start = 0, [], 0
    for line, content in enumerate(text.splitlines() + [""], 1):
        if content.startswith("#"):
            continue
        if content.strip():
            if not gathered:
                start = line
            gathered.append(content)
        elif gathered:
            yield Block(start, gathered)
            gathered = []


class Script(pytest.Item):
    def runtest(self):
        node = Node()
        try:
            node.start()
            for block in blocks(self.path.read_text().replace("{dir}", str(node.backups)).replace("{data}", str(node.data))):
                self.run(node, block)
        finally:
            node.destroy()

    def run(self, node, block):
        self.block = block
        getattr(self, "do_" + block.kind)(node, block)

    def do_ok(self, node, block):
        tenant = block.words[0] if block.words else "sys"
        for statement in block.statements():
            node.sql(statement.rstrip(";"), tenant=tenant)

    def do_error(self, node, block):
        tenant = block.words[1] if len(block.words) > 1 else "sys"
        with pytest.raises(pymysql.Error) as caught:
            node.sql(block.sql.strip().rstrip(";"), tenant=tenant)
        assert caught.value.args[0] == int(block.words[0]), caught.value
        for text in block.expected:
            assert text in caught.value.args[1], caught.value

    def rows(self, node, block):
        tenant = block.words[0] if block.words else "sys"
        rows = node.sql(block.sql.strip().rstrip(";"), tenant=tenant)
        return [["NULL" if v is None else str(v) for v in row.values()] for row in rows]

    @staticmethod
    def same(rows, expected):
        wanted = [line.strip().split("  ") for line in expected]
        return len(rows) == len(wanted) and all(
            len(r) == len(w) and all(b.strip() in ("*", a) for a, b in zip(r, w)) for r, w in zip(rows, wanted))

    def do_query(self, node, block):
        rows = self.rows(node, block)
        assert self.same(rows, block.expected), "got:\n" + "\n".join("  ".join(r) for r in rows)

    def do_wait(self, node, block):
        def answers():
            try:
                return self.same(self.rows(node, block), block.expected)
            except pymysql.Error:
                return False  # the tenant is just coming up
        wait_for(f"line {block.line}", answers, 30)

    def do_restart(self, node, block):
        node.terminate()
        node.start()

    def do_kill(self, node, block):
        if block.words[0] == "daemon":
            node.kill()
            node.start()
            return
        tenant_id = node.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [block.words[1]])
        victims = [p for p in node.mariadbd_pids()
                   if f"/{tenant_id}/" in pathlib.Path(f"/proc/{p}/cmdline").read_text().replace("\0", " ")]
        assert victims
        for pid in victims:
            os.kill(pid, signal.SIGKILL)

    def repr_failure(self, excinfo):
        block = getattr(self, "block", None)
        where = f"{self.path.name}:{block.line}: {block.kind}\n{block.sql}\n" if block else ""
        return where + str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, self.name
