"""A copy of the database is whole, and a database made from it goes on where the copy ended."""

import json

import pytest

from bridge.errors import ConfigError
from bridge.store import Store, snapshots
from tests.unit.store.made import DAY, NOW, batch, debtor, invoice


def fill(store):
    with store.begin() as conn:
        store.mirror.accounts.ensure(conn, "a", "x")
        store.mirror.write(
            conn, "a", batch(invoices=[invoice("1"), invoice("ä\t\\")], debtors=[debtor()]), business_date=DAY, now=NOW
        )
        for number in range(3):
            store.journal.record(
                conn, "connected", at=NOW, on=DAY, account="a", data={"n": number, "text": "Zeile\nzwei"}
            )
        store.trail.extend(conn)


def held(store):
    with store.reading() as conn:
        return (
            [store.mirror.invoice(conn, "a", one) for one in ("1", "ä\t\\")],
            store.trail.head(conn),
            list(store.trail.check(conn)),
        )


def test_a_copy_of_sqlite_is_taken_while_it_is_in_use(sqlite_store, sqlite_path, tmp_path):
    """The online backup has what was committed, and says how much of what."""
    fill(sqlite_store)
    (tmp_path / "copy").mkdir()
    with sqlite_store.begin():
        told = snapshots.save(str(sqlite_path), tmp_path / "copy")
    assert (told.kind, told.rows["invoice"], told.rows["event"]) == ("sqlite", 2, 3)
    with Store.open(tmp_path / "copy" / snapshots.DATABASE) as other:
        assert held(other) == held(sqlite_store)
        assert held(other)[2] == []


def test_a_damaged_copy_is_noticed(sqlite_store, sqlite_path, tmp_path):
    """One page overwritten: the copy is refused."""
    fill(sqlite_store)
    snapshots.save(str(sqlite_path), tmp_path)
    copy = tmp_path / snapshots.DATABASE
    data = bytearray(copy.read_bytes())
    data[4096 * 3 : 4096 * 5] = b"\xff" * 8192
    copy.write_bytes(data)
    with pytest.raises(ConfigError, match="damaged"):
        snapshots.check(tmp_path, "sqlite")


def test_there_is_nothing_to_copy(tmp_path):
    """A database without tables of ours is no backup."""
    with pytest.raises(ConfigError, match="nothing to back up"):
        snapshots.save(str(tmp_path / "empty.db"), tmp_path)


@pytest.mark.postgres
def test_a_copy_of_postgresql_needs_no_other_program(postgres_store, postgres_url, another_postgres_url, tmp_path):
    """All rows of all tables in one snapshot; put into an empty database they are the same, and new rows get new numbers."""
    fill(postgres_store)
    told = snapshots.save(postgres_url, tmp_path)
    assert (told.kind, told.rows["invoice"], told.rows["event"]) == ("postgresql", 2, 3)
    with pytest.raises(ConfigError, match="not empty"):
        snapshots.load(postgres_url, tmp_path, told.revision)
    snapshots.load(another_postgres_url, tmp_path, told.revision)
    with Store.open(another_postgres_url) as other:
        assert held(other) == held(postgres_store)
        with other.begin() as conn:
            assert other.journal.record(conn, "connected", at=NOW, on=DAY) == 4
    with postgres_store.begin() as conn:
        conn.exec_driver_sql("alter table task drop column outcome_note")
    (tmp_path / "older").mkdir()
    snapshots.save(postgres_url, tmp_path / "older")  # before an upgrade the tables are not those of the program
    assert "outcome_note" not in json.loads((tmp_path / "older" / snapshots.COLUMNS).read_text("utf-8"))["task"]
