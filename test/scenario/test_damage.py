"""Damaged, cut or missing objects: the restore fails naming the object, and no tenant is left half-made."""
import pathlib

import pytest

from load import Ledger
from node import checksums, wait_for


@pytest.fixture(scope="module")
def backed_up(shared_node):
    node = shared_node
    node.create_tenant("shop")
    node.start_archive("shop")
    node.sql("CREATE DATABASE fill", tenant="shop")
    node.sql("CREATE TABLE fill.t AS SELECT seq AS id, SHA2(seq, 512) AS a FROM fill.seq_1_to_60000", tenant="shop")
    assert node.backup("shop")["STATUS"] == "COMPLETED"
    node.segments_before = set(segments(node))
    with Ledger(node, "shop", writers=2) as ledger:
        wait_for("rows", lambda: ledger.count() > 200)
    node.archived_now("shop")
    # The last transaction's own SCN may be what that waited for. Only a checkpoint behind it, which says how many
    # segments there are, shows that the last one is missing.
    node.archived_now("shop")
    node.create_pool("p_bad")
    return node


def segments(node):
    return sorted((pathlib.Path(node.backups) / "shop_log").rglob("log/*.obarc"))


def candidates(node, kind):
    """The objects that a restore must read; what was archived before the backup is not among them."""
    root = pathlib.Path(node.backups)
    if kind == "set":
        return sorted(p for p in (root / "shop_data" / "backup_set_1_full").rglob("*.obbak")
                      if "macro_block_data" in p.name or p.name == "single_backup_set_info.obbak")
    return [s for s in segments(node) if s not in node.segments_before]


def do_harm(path, harm, rng, read):
    """To an object of which the bytes of `read` are looked at."""
    content = path.read_bytes()
    if harm == "flip":
        at = rng.randrange(*read)
        print(f"flipping byte {at} of {path}")
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x40]) + content[at + 1:])
    elif harm == "cut":
        path.write_bytes(content[:rng.randrange(len(content))])
    else:
        path.unlink()


@pytest.mark.parametrize("kind", ["set", "piece"])
@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_object_is_named(backed_up, rng, kind, harm):
    node = backed_up
    path = rng.choice(candidates(node, kind))
    content = path.read_bytes()
    try:
        # A restore reads frames; heads and the tables at the end of data files are for other readers.
        do_harm(path, harm, rng, (64, len(content) * 9 // 10) if path.name.startswith("macro_") else (0, len(content)))
        statement = (f"ALTER SYSTEM RESTORE bad FROM '{node.uri('shop_data')},{node.uri('shop_log')}'"
                     " WITH 'pool_list=p_bad'")
        try:
            node.sql(statement)
        except Exception as error:  # found while planning: refused at once
            text = str(error)
        else:
            end = node.wait_restore("bad")
            assert end["STATUS"] == "FAIL", f"{path} was harmed ({harm}) and nobody noticed"
            text = end["COMMENT"]
        relative = str(path.relative_to(node.backups))
        assert relative.split("/", 1)[1] in text, f"{text!r} does not name {relative}"
        assert not node.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'bad'")
        assert not node.sql("SELECT 1 FROM oceanbase.CDB_OB_RESTORE_PROGRESS")
    finally:
        path.write_bytes(content)
        if node.sql("SELECT 1 FROM oceanbase.DBA_OB_TENANTS WHERE TENANT_NAME = 'bad'"):
            node.drop("bad")


@pytest.mark.parametrize("kind", ["full", "inc"])
@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_lost_index_is_made_again(backed_up, rng, kind, harm):
    """From the data objects, of a set that leans on another, too."""
    node = backed_up
    if kind == "inc" and not list((node.backups / "shop_data").glob("backup_set_2_inc")):
        node.sql("ALTER SYSTEM BACKUP INCREMENTAL TENANT = shop")
        node.wait_backup("shop", 2)
        node.archived_now("shop")
    (path,) = (node.backups / "shop_data").glob(f"backup_set_*_{kind}/**/macro_range_index.obbak")
    until = node.scalar("SELECT MIN_RESTORE_SCN FROM oceanbase.CDB_OB_BACKUP_SET_FILES WHERE BACKUP_TYPE = %s", [kind.upper()])
    content = path.read_bytes()
    offset = node.log.stat().st_size
    try:
        do_harm(path, harm, rng, (64, len(content)))
        node.restore("bad", "shop", f"UNTIL SCN = {until}")
        assert "was made again from its data objects" in node.log.read_text()[offset:]
        assert node.scalar("SELECT COUNT(*) FROM fill.t", tenant="bad") == 60000
        for table in checksums(node, "bad"):
            assert node.sql(f"CHECK TABLE {table} EXTENDED", tenant="bad")[-1]["Msg_text"] == "OK"
        node.drop("bad")
    finally:
        path.write_bytes(content)


def test_mended_it_restores(backed_up):
    """The harm above was undone each time: the same destinations restore."""
    backed_up.restore("bad", "shop")
