"""The audit trail: whatever is changed, removed or inserted in the journal is found, and erased data leaves the chain whole."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from bridge.store.columns import by_link
from bridge.store.evidence import DECIDED
from bridge.store.journal import digests
from bridge.store.tables import decision, event, seal
from bridge.store.trail import ERASED, RESTORED, Head
from bridge.words import tell
from tests.unit.dun.stage import MONDAY, Stage, debtor, invoice
from tests.unit.policy.helpers import days, rules

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = date(2026, 3, 2)


def note(store, number, *, on=DAY, kind="held"):
    with store.begin() as conn:
        data = {"reason": "paid", "amount": "12.50", "names": ["Späth"], "number": number}
        return store.journal.record(conn, kind, at=AT + timedelta(seconds=number), on=on, actor="Erika", data=data)


def sealed(store):
    with store.begin() as conn:
        return store.trail.extend(conn)


def flaws(store, *noted):
    with store.reading() as conn:
        return [(one.what, one.number) for one in store.trail.check(conn, noted)]


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


def test_who_answered_by_a_link_is_told_in_either_language_and_kept_as_plain_text(trail):
    """The chain is made over the English text alone, which is what the database holds; a person's name is told as it is."""
    with trail.begin() as conn:
        trail.journal.record(conn, "debtor_answered", at=AT, on=DAY, actor=by_link(12), data={"answer": "paid"})
        raw = conn.exec_driver_sql("SELECT actor FROM event ORDER BY id DESC LIMIT 1").scalar_one()
        actors = list(conn.scalars(select(event.c.actor).order_by(event.c.id.desc()).limit(2)))
    assert raw == "debtor's link of notice 12"
    assert [tell(one, "de") for one in actors] == ["Antwortlink der Mahnung 12", "Erika"]
    assert [tell(one, "en") for one in actors] == ["debtor's link of notice 12", "Erika"]
    sealed(trail)
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


def test_a_trail_rewritten_and_continued_is_found(trail):
    """A chain made anew fits what is noted after it, but not what was noted before; a restore explains what it lost, and is named."""
    first = trail.newest
    with trail.begin() as conn:
        conn.execute(update(event).where(event.c.id == trail.ids[4]).values(digest="1" * 64))
        conn.execute(delete(seal).where(seal.c.seq > 3))
        trail.trail.extend(conn)
    note(trail, 6)
    assert ("cut", 5) in flaws(trail, first, sealed(trail))
    with trail.begin() as conn:
        conn.execute(delete(seal).where(seal.c.seq > 3))
        conn.execute(delete(event).where(event.c.id >= trail.ids[3]))
    put_back = note(trail, 7, kind=RESTORED)
    assert flaws(trail, first, sealed(trail)) == [("restored", put_back)]
    assert flaws(trail, Head(3, "0" * 64), first) == [("cut", 3), ("restored", put_back)]


@pytest.mark.parametrize("before", ["2036-01-01", "2027-01-02", "soon", None, 7])
def test_a_record_of_an_erasure_that_could_not_be(trail, before):
    """An event that lets data be erased which must still be kept lets none; nor does one of no day."""
    with trail.begin() as conn:
        trail.journal.record(conn, ERASED, at=AT, on=date(2036, 5, 4), data={"before": before})
        conn.execute(update(event).where(event.c.id == trail.ids[1]).values(data={}, salt=None))
    sealed(trail)
    assert flaws(trail) == [("erased", trail.ids[1])]


@pytest.mark.parametrize("column", ["data", "at", "business_date"])
def test_what_cannot_be_read_is_named(sqlite_store, column):
    """SQLite takes any text in any column: an event that nobody can read any more is named, and the others are checked."""
    ids = [note(sqlite_store, number) for number in range(3)]
    newest = sealed(sqlite_store)
    with sqlite_store.begin() as conn:
        conn.exec_driver_sql(f"update event set {column} = 'x' where id = ?", (ids[1],))
    assert flaws(sqlite_store, newest) == [("changed", ids[1])]
    with sqlite_store.reading() as conn:
        assert [one["kind"] for one in sqlite_store.trail.lines(conn)] == ["held", None, "held"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_decision_that_cannot_be_read_is_named(decided):
    """A decision whose detail is no JSON any more is changed, one put in like this is foreign. PostgreSQL takes no such thing."""
    store, victim = decided.store, decided.rows["5"]
    with store.begin() as conn:
        conn.exec_driver_sql("update decision set detail = 'x' where id = ?", (victim,))
    assert flaws(store) == [("decision", victim)]
    with store.begin() as conn:
        conn.exec_driver_sql("update decision set id = 99 where id = ?", (victim,))
    assert flaws(store) == [("undecided", victim), ("foreign", 99)]


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


@pytest.fixture
def decided(store):
    """Six invoices of two customers, of which a run has decided on four and held two in its course; all sealed."""
    stage = Stage(store, rules(days(7, 14, 28)))
    due = [invoice(number, debtor_id=f"d{1 + number % 2}") for number in range(1, 5)]
    later = [invoice(number, debtor_id="d1", due_on=MONDAY - timedelta(days=4)) for number in (5, 6)]
    stage.tell(MONDAY, debtor(1), debtor(2), *due, *later)
    stage.run(MONDAY)
    sealed(store)
    with store.reading() as conn:
        stage.rows = {row.invoice_id: row.id for row in conn.execute(select(decision))}
    return stage


def test_a_run_proves_its_decisions_with_one_event(decided):
    """Every decision, those to hold in the usual course too, is in the chain; a quiet run adds nothing; the export shows them."""
    store = decided.store
    assert len(decided.rows) == 6
    assert flaws(store) == []
    with store.reading() as conn:
        [line] = [one for one in store.trail.lines(conn) if one["kind"] == DECIDED]
    assert line["data"]["count"] == 6
    assert {one["invoice_id"]: one["reason"] for one in line["decisions"]}["5"] == "level_age"
    decided.run(MONDAY)
    with store.reading() as conn:
        assert len([one for one in conn.scalars(select(event.c.kind)) if one == DECIDED]) == 1


CHANGED_DECISIONS = [
    {"outcome": "escalate"},
    {"reason": "paid"},
    {"invoice_id": "9"},
    {"level": 3},
    {"debtor_id": None},
    {"detail": {}},
]


@pytest.mark.feature("N-12")
def test_a_changed_decision_is_named(decided):
    """Whatever is changed of one stored decision, to hold as to escalate, `audit verify` names its row."""
    store, victim = decided.store, decided.rows["5"]
    with store.reading() as conn:
        was = dict(conn.execute(select(decision).where(decision.c.id == victim)).mappings().one())
    for change in CHANGED_DECISIONS:
        with store.begin() as conn:
            conn.execute(update(decision).where(decision.c.id == victim).values(**was | change))
        assert flaws(store) == [("decision", victim)], change


def test_removed_and_inserted_decisions_are_named(decided):
    """A decision that was taken out, and one that no run made, are named; the next date alone may change, for runs keep it up to date."""
    store, victim = decided.store, decided.rows["6"]
    with store.begin() as conn:
        conn.execute(update(decision).values(next_on=date(2027, 1, 1)))
    assert flaws(store) == []
    with store.begin() as conn:
        row = dict(conn.execute(select(decision).where(decision.c.id == victim)).mappings().one())
        conn.execute(delete(decision).where(decision.c.id == victim))
        row["id"] = victim + 10
        conn.execute(insert(decision).values(row))
    assert flaws(store) == [("undecided", victim), ("foreign", victim + 10)]


def test_a_forged_event_about_decisions_stops_no_check(decided):
    """An event over decisions that was changed is named, and the decisions that nothing vouches for any more; nothing runs away."""
    store = decided.store
    with store.begin() as conn:
        victim = conn.scalar(select(event.c.id).where(event.c.kind == DECIDED))
    for rows in [[1, 10**12]], [[1, 6]]:
        with store.begin() as conn:
            data = {"rows": rows, "marks": 6 * 16 * "0", "count": 6}
            conn.execute(update(event).where(event.c.id == victim).values(data=data))
        found = flaws(store)
        assert found[0] == ("changed", victim)
        assert {what for what, _ in found[1:]} == {"foreign"}
        assert {number for _, number in found[1:]} == set(decided.rows.values())


def test_decisions_are_erased_with_their_event(decided):
    """After their retention decisions say nothing of people any more, and the check holds, for younger ones as before."""
    store = decided.store
    decided.tell(MONDAY + timedelta(days=1), invoice(7))
    decided.run(MONDAY + timedelta(days=1))
    before = MONDAY + timedelta(days=1)
    with store.begin() as conn:
        store.journal.record(conn, ERASED, at=AT, on=date(2037, 1, 2), data={"before": before.isoformat()})
        store.trail.erase(conn, before)
    sealed(store)
    assert flaws(store) == []
    with store.begin() as conn:
        found = {row.invoice_id: row for row in conn.execute(select(decision))}
        assert found["1"].detail == {}
        assert found["7"].detail["plan"]
        conn.execute(update(decision).where(decision.c.invoice_id == "7").values(reason="paid"))
    assert flaws(store) == [("decision", found["7"].id)]
