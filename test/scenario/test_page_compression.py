"""Tables that InnoDB compresses itself, page by page or as a whole, take as little room after a restore as before."""
import contextlib

import pymysql
import pytest

from node import checksums

TABLES = {"paged": "PAGE_COMPRESSED=1", "zipped": "ROW_FORMAT=COMPRESSED KEY_BLOCK_SIZE=8", "plain": ""}


@pytest.fixture(scope="module")
def shop(shared_node):
    node = shared_node
    node.create_tenant("shop")
    node.sql("CREATE DATABASE d", tenant="shop")
    for name, options in TABLES.items():
        node.sql(f"CREATE TABLE d.{name} (id INT PRIMARY KEY, text VARCHAR(2000)) {options}", tenant="shop")
        node.sql(f"INSERT INTO d.{name} SELECT seq, REPEAT(CHAR(65 + seq % 26), 2000) FROM d.seq_1_to_4000", tenant="shop")
    node.start_archive("shop")
    return node


def written(node, tenant):
    """Bytes and allocated bytes of each table's file, when all of its pages are on the disk."""
    tenant_id = node.scalar("SELECT TENANT_ID FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = %s", [tenant])
    found = {}
    with contextlib.closing(pymysql.connect(unix_socket=str(node.data / "t" / str(tenant_id) / "s"), user="tidemark",
                                            password=node.daemon_password(tenant_id))) as connection, connection.cursor() as cursor:
        for name in TABLES:
            cursor.execute(f"FLUSH TABLES d.{name} FOR EXPORT")
            (path,) = (node.data / "t" / str(tenant_id)).rglob(f"d/{name}.ibd")
            found[name] = path.stat().st_size, path.stat().st_blocks * 512
            cursor.execute("UNLOCK TABLES")
    return found


@pytest.mark.parametrize("kind", ["", "INCREMENTAL"])
def test_tables_take_as_much_room_as_they_did(shop, kind):
    if kind:
        for name in TABLES:
            shop.sql(f"UPDATE d.{name} SET text = REPEAT('x', 1999) WHERE id % 50 = 0", tenant="shop")
    before = written(shop, "shop")
    assert before["paged"][1] < before["paged"][0] / 3, "InnoDB has freed what it compressed away"
    shop.sql(f"ALTER SYSTEM BACKUP {kind} TENANT = shop")
    assert shop.wait_backup("shop", 2 if kind else 1)["STATUS"] == "COMPLETED"
    shop.archived_now("shop")
    shop.restore("copy", "shop", activate=False)
    after = written(shop, "copy")
    for name, (size, allocated) in before.items():
        assert after[name][0] == size, name
        assert abs(after[name][1] - allocated) <= allocated / 10, (name, before, after)
    assert checksums(shop, "copy") == checksums(shop, "shop")
    for name in TABLES:
        assert shop.sql(f"CHECK TABLE d.{name}", tenant="copy")[-1]["Msg_text"] == "OK"
    shop.drop("copy")
