#!/usr/bin/env python3
"""PyMySQL through the front. Usage: pymysql_client.py HOST PORT USER@TENANT PASSWORD"""
import os
import sys
import tempfile

import pymysql

HOST, PORT, USER, PASSWORD = [
    sys.argv[i + 1] if len(sys.argv) > i + 1 else os.environ["TM_" + name]
    for i, name in enumerate(("HOST", "PORT", "USER", "PASSWORD"))]
NAME, TENANT = USER.rsplit("@", 1)
OWN = os.environ.get("TM_OWN", "SHOW TENANT")
failed = False


def connect(user=USER, password=PASSWORD, **options):
    return pymysql.connect(host=HOST, port=int(PORT), user=user, password=password, autocommit=True, **options)


def check(what, good, seen=""):
    global failed
    failed = failed or not good
    print(f"ok - {what}" if good else f"not ok - {what}: {str(seen)[:300]}")


def rows(connection, statement, args=None):
    with connection.cursor() as cursor:
        cursor.execute(statement, args)
        return cursor.fetchall()


def error(what, number, action, text=""):
    try:
        action()
        check(what, False, "no error")
    except pymysql.MySQLError as refusal:
        check(what, refusal.args[0] == number and text in str(refusal.args[1]), refusal)


def load_local(connection):
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        file.writelines(f"{i}\ttext of line {i}\n" for i in range(100000))
        file.flush()
        rows(connection, f"LOAD DATA LOCAL INFILE '{file.name}' INTO TABLE pymysql_check.t")
    return rows(connection, "SELECT COUNT(*) FROM pymysql_check.t")[0][0]


def several(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1; SELECT 2; DO 1")
        seen = [cursor.fetchall()]
        while cursor.nextset():
            seen.append(cursor.fetchall())
    return seen


connection = connect(local_infile=True, max_allowed_packet=64 << 20,
                     client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)
check("login", rows(connection, "SELECT 1") == ((1,),))
error("wrong password", 1045, lambda: connect(password="wrong-" + PASSWORD))
error("unknown tenant", 1045, lambda: connect(user=NAME + "@no_such_tenant"), "unknown tenant 'no_such_tenant'")

rows(connection, "CREATE OR REPLACE DATABASE pymysql_check")
rows(connection, "CREATE TABLE pymysql_check.t (a INT PRIMARY KEY, b TEXT)")
with connect(database="pymysql_check") as other:
    check("database at login", rows(other, "SELECT DATABASE()") == (("pymysql_check",),))
seen = several(connection)
check("several statements", seen[:2] == [((1,),), ((2,),)], seen)
count = load_local(connection)
check("LOAD DATA LOCAL", count == 100000, count)
check("query over 16 MiB", rows(connection, "SELECT LENGTH(%s)", ["x" * 17_000_000]) == ((17_000_000,),))
check("result over 16 MiB", len(rows(connection, "SELECT REPEAT('x', 18000000)")[0][0]) == 18_000_000)

own = rows(connection, OWN)
check("own statement", TENANT in str(own), own)
error("misspelt own statement", 1064, lambda: rows(connection, "ALTER SYSTEM MISSPELT"))
check("the session goes on", rows(connection, "SELECT 3") == ((3,),))

with connect() as victim:
    connection.kill(victim.thread_id())
    try:
        rows(victim, "SELECT 1")
        check("kill by the client's own id", False, "it lives")
    except pymysql.MySQLError:
        check("kill by the client's own id", True)

rows(connection, "DROP DATABASE pymysql_check")
sys.exit(failed)
