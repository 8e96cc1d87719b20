"""The audit trail: whatever is changed, removed or inserted in the journal is found, and erased data leaves the chain whole."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from bridge.store.journal import digests
from bridge.store.tables import event, seal
from bridge.store.trail import ERASED

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = date(2026, 3, 2)


def note(store, number, *, on=DAY, kind="held"):
    with store.begin() as conn:
        data = {"reason": "paid", "amount": "12.50", "names": ["Späth"], "number": number}
        return store.journal.record(conn, kind, at=AT + timedelta(seconds=number), on=on, actor="Erika", data=data)


def sealed(store):
    with store.begin() as conn:
        return store.trail.extend(conn)


def flaws(store, known=None):
    with store.reading() as conn:
        return [(one.what, one.number) for one in store.trail.check(conn, known)]


@pytest.fixture
def trail(store):
    """Five sealed events, on both databases."""
    store.ids = [note(store, number) for number in range(5)]
    store.newest = sealed(store)
    return store


def test_an_untouched_trail_is_whole(trail):
    """What was written is what is read back, on both databases; sealing again adds nothing."""
    assert flaws(trail, trail.newest) == []
    assert sealed(trail) == trail.newest
    note(trail, 9)
    assert sealed(trail).seq == 6
    assert flaws(trail, trail.newest) == []


CHANGES = [
    {"actor": "Max"},
    {"kind": "blocked"},
    {"at": AT + timedelta(days=1)},
    {"business_date": date(2026, 3, 3)},
    {"data": {"reason": "paid", "amount": "12.51", "names": ["Späth"], "number": 2}},
    {"invoice_id": "7"},
    {"data": {}, "salt": None},
    {"digest": "0" * 64},
    {"data_digest": "0" * 64},
]


@pytest.mark.feature("N-12")
@pytest.mark.parametrize("change", CHANGES, ids=lambda one: next(iter(one)))
def test_one_changed_row_is_named(trail, change):
    """Any column of one event that is changed, and data that is erased without a record, is named by its number."""
    victim = trail.ids[2]
    with trail.begin() as conn:
        conn.execute(update(event).where(event.c.id == victim).values(**change))
    assert [number for _, number in flaws(trail)] == [victim]


def test_a_forger_who_recomputes_digests_is_found(trail):
    """An event changed together with its own digests does not fit the chain; with the whole chain made anew, not the link noted outside."""
    victim = trail.ids[2]
    with trail.begin() as conn:
        row = dict(conn.execute(select(event).where(event.c.id == victim)).mappings().one())
        row["data"] = {"reason": "nothing"}
        row |= digests(row, row["salt"])
        conn.execute(
            update(event)
            .where(event.c.id == victim)
            .values(**{name: row[name] for name in ("data", "data_digest", "digest")})
        )
    assert flaws(trail) == [("changed", victim)]
    with trail.begin() as conn:
        conn.execute(delete(seal))
        trail.trail.extend(conn)
    assert flaws(trail) == []
    assert flaws(trail, trail.newest) == [("cut", 5)]


def test_removed_events_and_links_are_found(trail):
    """A removed event is missing; with its link the chain breaks; a tail cut off with its links is shorter than noted."""
    with trail.begin() as conn:
        conn.execute(delete(event).where(event.c.id == trail.ids[1]))
    assert flaws(trail) == [("missing", trail.ids[1])]
    with trail.begin() as conn:
        conn.execute(delete(seal).where(seal.c.event_id == trail.ids[1]))
    assert ("link", 3) in flaws(trail)
    with trail.begin() as conn:
        conn.execute(delete(seal).where(seal.c.seq >= 4))
        conn.execute(delete(event).where(event.c.id >= trail.ids[3]))
    assert ("cut", 5) in flaws(trail, trail.newest)


def test_an_inserted_event_shows_where_it_came(trail):
    """An event put in later stands at the end of the chain, whatever date it claims; an own link for it breaks the chain."""
    values = {"at": AT, "business_date": DAY, "actor": "Max", "kind": "blocked", "data": {}}
    with trail.begin() as conn:
        made = conn.execute(insert(event).values(**values, **digests(values, "00")).returning(event.c.id)).scalar_one()
    assert sealed(trail).seq == 6
    with trail.begin() as conn:
        conn.execute(update(seal).where(seal.c.event_id == made).values(seq=60))
    assert ("link", 60) in flaws(trail)


def test_erased_data_leaves_the_chain_whole(trail):
    """Data erased with its record is gone, who and what and when stay, and nothing is reported; later events keep theirs."""
    late = note(trail, 7, on=date(2026, 3, 5))
    with trail.begin() as conn:
        trail.journal.record(conn, ERASED, at=AT, on=date(2037, 1, 2), data={"before": "2026-03-04"})
        assert trail.trail.erase(conn, date(2026, 3, 4)) == 5
    sealed(trail)
    assert flaws(trail, trail.newest) == []
    with trail.reading() as conn:
        rows = {row.id: row for row in conn.execute(select(event))}
    assert (rows[trail.ids[0]].data, rows[trail.ids[0]].actor) == ({}, "Erika")
    assert rows[late].data["names"] == ["Späth"]


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(max_size=5)),
        max_size=4,
    )
)
def test_digests_survive_the_database(data):
    """Whatever JSON values an event holds, its digest is the same after a round through JSON text."""
    values = {"at": AT, "business_date": DAY, "actor": "x", "kind": "y", "data": data}
    again = values | {"data": json.loads(json.dumps(data))}
    assert digests(values, "s") == digests(again, "s")
