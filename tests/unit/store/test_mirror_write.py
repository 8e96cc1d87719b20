"""The mirror writes what changed, and nothing else."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, select

from bridge.model import InvoiceKind, InvoiceStatus, Relation
from bridge.store.tables import invoice as invoices
from tests.unit.store.made import DAY, NOW, batch, debtor, invoice, notice, payment, reject, snapshot

LATER = DAY + timedelta(days=3)


def write(store, *, on=DAY, now=NOW, account="a", **values):
    with store.begin() as conn:
        return store.mirror.write(conn, account, batch(**values), business_date=on, now=now)


def settle(store, *ids):
    """Let a dunning run have decided: nothing happens to these until something changes."""
    with store.begin() as conn:
        store.mirror.set_next(conn, "a", dict.fromkeys(ids))


def next_dates(store):
    with store.reading() as conn:
        return {row.id: row.next_on for row in conn.execute(select(invoices.c.id, invoices.c.next_on))}


@pytest.fixture
def writes(store):
    """The writing statements since, as the database got them."""
    seen = []

    def remember(conn, cursor, statement, *rest):
        if statement.split()[0].lower() in ("insert", "update", "delete"):
            seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", remember)
    return seen


def test_what_was_written_is_read_back_equal(store):
    """Every field of a record survives the database, to the cent and to the microsecond."""
    full = invoice(
        "1",
        gross=Decimal("99999999999.99"),
        paid=Decimal("0.01"),
        open=Decimal("-12.30"),
        tags=("gemahnt", "ümläut \N{PILE OF POO}"),
        updated_at=datetime(2026, 3, 1, 23, 59, 59, 123456, tzinfo=UTC),
        email=None,
        sent=False,
    )
    write(store, debtors=[debtor()], invoices=[full], payments=[payment()], notices=[notice(total=Decimal("124.00"))])
    with store.reading() as conn:
        known = store.mirror.invoice(conn, "a", "1")
        assert (known.invoice, known.next_on) == (full, DAY)
        assert store.mirror.debtor(conn, "a", "d1") == debtor()
        assert store.mirror.payments(conn, "a", ["1"]) == {"1": (payment(),)}
        (read,) = store.mirror.notices(conn, "a", ["1"])["1"]
        assert (read.notice, read.ours, read.first_seen) == (notice(total=Decimal("124.00")), False, NOW)


@pytest.mark.feature("P-32")
def test_the_same_again_writes_nothing(store, writes):
    """A batch that says nothing new writes no row at all, even where the provider touched its time stamps."""
    given = {"debtors": [debtor()], "payments": [payment()], "notices": [notice()], "rejects": [reject()]}
    write(store, invoices=[invoice("1"), invoice("2")], **given)
    settle(store, "1", "2")
    writes.clear()
    again = write(
        store, invoices=[invoice("1", updated_at=NOW), invoice("2")], on=LATER, now=NOW + timedelta(hours=1), **given
    )
    assert writes == []
    assert (again.rows, again.touched) == (0, frozenset())
    assert next_dates(store) == {"1": None, "2": None}


def test_only_the_changed_row_is_written(store):
    """Of many records the changed one alone is written, and it alone is due again."""
    write(store, invoices=[invoice(str(i)) for i in range(1200)])
    settle(store, *map(str, range(1200)))
    changed = [invoice(str(i), **({"paid": Decimal("1.00")} if i == 700 else {})) for i in range(1200)]
    written = write(store, invoices=changed, on=LATER)
    assert (written.invoices, written.rows, written.touched) == (1, 1, {"700"})
    assert {i for i, on in next_dates(store).items() if on} == {"700"}


@pytest.mark.parametrize(
    "change",
    [
        {"debtors": [debtor(email="neu@example.org")]},
        {"payments": [payment()]},
        {"notices": [notice()]},
        {
            "invoices": [
                invoice("9", kind=InvoiceKind.CREDIT_NOTE, debtor_id=None, origin_id="1", relation=Relation.CREDITS)
            ]
        },
        {
            "invoices": [
                invoice("9", kind=InvoiceKind.CANCELLATION, debtor_id=None, origin_id="1", relation=Relation.CANCELS)
            ]
        },
        {"invoices": [invoice("9", kind=InvoiceKind.FINAL, debtor_id=None, origin_id="1", relation=Relation.COVERS)]},
        {"invoices": [invoice("9", kind=InvoiceKind.CREDIT_NOTE)]},
    ],
    ids=["debtor", "payment", "reminder", "credit note", "cancellation", "final invoice", "credit note without origin"],
)
def test_what_concerns_an_invoice_makes_it_due(store, change):
    """An invoice is decided again when its debtor, payment, reminder, credit note, cancellation or final invoice changes."""
    write(store, debtors=[debtor(), debtor("d2")], invoices=[invoice("1"), invoice("2", debtor_id="d2")])
    settle(store, "1", "2")
    written = write(store, on=LATER, **change)
    dates = next_dates(store)
    assert (dates["1"], dates["2"]) == (LATER, None)
    assert "1" in written.touched or "d1" in written.debtors_touched


def test_a_lost_origin_makes_the_old_one_due(store):
    """When a cancellation turns out to belong to another invoice, both are decided again."""
    write(store, invoices=[invoice("1"), invoice("2"), invoice("3", debtor_id="x", origin_id="1")])
    settle(store, "1", "2", "3")
    write(store, invoices=[invoice("3", debtor_id="x", origin_id="2")], on=LATER)
    assert next_dates(store) == {"1": LATER, "2": LATER, "3": LATER}


def test_an_earlier_date_stays(store):
    """What is due already is not put off by a later change around it."""
    write(store, debtors=[debtor()], invoices=[invoice("1")])
    write(store, debtors=[debtor(name="Anders")], on=LATER)
    assert next_dates(store) == {"1": DAY}


def test_settled_history_is_not_decided(store):
    """A first pull of paid and cancelled documents gives a dunning run nothing to do."""
    old = [invoice("1", status="paid"), invoice("2", status="cancelled"), invoice("3", kind="credit_note")]
    write(store, invoices=[*old, invoice("4", status="unknown")])
    assert next_dates(store) == {"1": None, "2": None, "3": None, "4": DAY}


def test_a_paid_invoice_is_decided_once_more(store):
    """An invoice that was open and is paid now is due, so that its claim is closed."""
    write(store, invoices=[invoice("1")])
    settle(store, "1")
    write(store, invoices=[invoice("1", status="paid")], on=LATER)
    assert next_dates(store) == {"1": LATER}


def test_the_later_of_two_in_one_batch_counts(store):
    """A record that a batch has twice is stored once, as it came last."""
    written = write(store, invoices=[invoice("1"), invoice("1", status=InvoiceStatus.PAID)])
    assert written.invoices == 1
    with store.reading() as conn:
        assert store.mirror.invoice(conn, "a", "1").invoice.status is InvoiceStatus.PAID


def test_accounts_do_not_meet(store):
    """The same provider id in two accounts is two records."""
    write(store, invoices=[invoice("1")])
    write(store, account="b", invoices=[invoice("1", open=Decimal("7.00"))])
    with store.reading() as conn:
        assert store.mirror.invoice(conn, "a", "1").invoice.open == Decimal("119.00")
        assert store.mirror.invoice(conn, "b", "1").invoice.open == Decimal("7.00")
        assert len(store.mirror.by_number(conn, "RE-1")) == 2
        assert len(store.mirror.by_number(conn, "RE-1", "b")) == 1


@pytest.mark.feature("P-31")
@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (invoice("x" * 129), "id"),
        (invoice("7", debtor_id="y" * 500), "debtor_id"),
        (invoice("7\0"), "id"),
        (notice(level=-1), "level"),
        (notice(level=10**12), "level"),
        (payment(invoice_id="z" * 129), "invoice_id"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_the_database_cannot_hold_is_set_aside(store, bad, field):
    """A record with an absurd id or level is set aside with its raw form; the rest of the batch is stored."""
    kind = {"Invoice": "invoices", "ProviderNotice": "notices", "Payment": "payments"}[type(bad).__name__]
    given = {"invoices": [invoice("1")]}
    given[kind] = [*given.get(kind, []), bad]
    assert write(store, **given).rejects == 1
    with store.reading() as conn:
        assert store.mirror.invoice(conn, "a", "1") is not None
        (kept,) = store.mirror.rejects.list(conn)
        assert kept.reject.field == field
        assert kept.reject.raw.startswith("{")


def test_odd_text_is_stored(store):
    """NUL and endless text in free fields reach neither an error nor another field."""
    write(
        store,
        debtors=[debtor(name="a\0b" * 1000, number="9" * 300)],
        rejects=[reject(value="\0", raw="\0", field="f" * 200)],
    )
    with store.reading() as conn:
        assert store.mirror.debtor(conn, "a", "d1").name == "a b" * 1000
        (kept,) = store.mirror.rejects.list(conn)
        assert (kept.reject.value, kept.reject.raw) == ("\ufffd", "\ufffd")


@pytest.mark.feature("P-31")
def test_a_bad_record_is_one_row(store):
    """However often the same bad record arrives, it is one row; it is resolved when the record arrives well, reopened if not."""
    write(store, rejects=[reject("9")])
    write(store, rejects=[reject("9", value="32.01.2026")], now=NOW + timedelta(hours=1))
    with store.reading() as conn:
        (kept,) = store.mirror.rejects.list(conn)
    assert (kept.reject.value, kept.first_seen, kept.last_seen) == ("32.01.2026", NOW, NOW + timedelta(hours=1))

    assert write(store, invoices=[invoice("9")]).resolved == 1
    with store.reading() as conn:
        assert store.mirror.rejects.list(conn) == []

    write(store, rejects=[reject("9")])
    with store.reading() as conn:
        assert [one.id for one in store.mirror.rejects.list(conn)] == [kept.id]


def test_a_discarded_record_stays_discarded_until_it_changes(store):
    """A bad record that a person has discarded does not come back by being read again, but by being bad in another way."""
    write(store, rejects=[reject("9")])
    with store.begin() as conn:
        (kept,) = store.mirror.rejects.list(conn)
        assert store.mirror.rejects.settle(conn, kept.id, "discarded")
        assert not store.mirror.rejects.settle(conn, kept.id, "discarded")
    write(store, rejects=[reject("9")], now=NOW + timedelta(days=2))
    with store.reading() as conn:
        assert store.mirror.rejects.list(conn) == []
    write(store, rejects=[reject("9", raw="{}")])
    with store.reading() as conn:
        assert store.mirror.rejects.counts(conn) == {("a", "invoice", "due_on"): 1}


def test_bad_lines_without_id_are_told_apart_by_their_raw_form(store):
    """Two bad lines of a file are two rows, the same line again is none."""
    lines = [reject(None, raw="a;b"), reject(None, raw="c;d")]
    assert write(store, rejects=lines).rejects == 2
    assert write(store, rejects=lines).rejects == 0


def test_looks_are_written(store):
    """What a look answered is stored: paid, gone, and a reminder that the provider no longer holds."""
    write(store, invoices=[invoice("1"), invoice("2"), invoice("3")], notices=[notice("n1", "3"), notice("n2", "3")])
    answers = [
        snapshot("1", invoice=invoice("1", status="paid")),
        snapshot("2", found=False),
        snapshot("3", invoice=invoice("3"), debtor=debtor(), notices=(notice("n2", "3"),)),
        snapshot("4", found=False),
    ]
    with store.begin() as conn:
        written = store.mirror.write_looks(conn, "a", answers, business_date=LATER, now=NOW)
    assert (written.invoices, written.debtors, written.notices) == (2, 1, 1)
    with store.reading() as conn:
        assert store.mirror.invoice(conn, "a", "1").invoice.status == "paid"
        gone = store.mirror.invoice(conn, "a", "2").invoice
        assert (gone.status, [flag.reason for flag in gone.flags]) == ("cancelled", ["gone"])
        states = {known.notice.id: known.notice.status for known in store.mirror.notices(conn, "a", ["3"])["3"]}
        assert states == {"n1": "cancelled", "n2": "sent"}
        assert store.mirror.invoice(conn, "a", "4") is None


def test_a_date_is_moved_for_the_named_invoices(store):
    """A dunning run sets the next date of each invoice it decided, and null where only a change can make something happen."""
    write(store, invoices=[invoice("1"), invoice("2"), invoice("3")])
    with store.begin() as conn:
        store.mirror.set_next(conn, "a", {"1": None, "2": date(2026, 4, 1)})
    assert next_dates(store) == {"1": None, "2": date(2026, 4, 1), "3": DAY}
