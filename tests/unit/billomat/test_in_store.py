"""The connector under the real pull, into a real store: what is written, and what is not."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from bridge.contract import Act
from bridge.pull import pull
from connectors.billomat.sandbox import reminding


@dataclass
class Port:
    connector: Any
    name: str = "main"


@pytest.fixture
def read(billomat, sqlite_store):
    """Read the account; return what changed."""
    port = Port(billomat.connector(page_size=3))

    def once():
        result = pull(sqlite_store, port, business_date=billomat.sandbox.today)
        assert result.error is None
        return result.counts

    return once


def test_an_unchanged_cycle_changes_no_row(billomat, read):
    """The second pull of an unchanged account writes nothing, and neither does one after looks at all of it."""
    ids = [billomat.invoice() for _ in range(4)]
    billomat.sandbox.remind_by_hand(ids[0])
    billomat.sandbox.pay(ids[1], "1.00")
    billomat.sandbox.add_credit_note("4711", "1.00")
    first = read()
    assert (first.invoices, first.notices, first.payments, first.looked) == (5, 1, 1, 0)
    second = read()
    assert (second.debtors, second.invoices, second.notices, second.payments, second.looked) == (0, 0, 0, 0, 0)


@pytest.mark.feature("P-26")
def test_what_happens_at_the_provider_arrives(billomat, read, sqlite_store):
    """Paid, cancelled, corrected, credited, deleted and reminded by hand: each is in the store after the next pull."""
    paid, cancelled, corrected, deleted, reminded = (billomat.invoice() for _ in range(5))
    note = billomat.sandbox.add_credit_note("4711", "5.00")
    read()
    billomat.sandbox.pay(paid)
    billomat.sandbox.cancel(cancelled)
    billomat.sandbox.correct(corrected)
    billomat.sandbox.delete_invoice(deleted)
    billomat.sandbox.books.credit_notes.change(billomat.sandbox.books.credit_notes.rows[int(note)], status="PAID")
    reminder = billomat.sandbox.remind_by_hand(reminded)
    counts = read()
    assert (counts.looked, counts.gone) == (5, 1)
    with sqlite_store.begin() as conn:
        known = {
            key: sqlite_store.mirror.invoice(conn, "main", key)
            for key in (paid, cancelled, corrected, f"cn-{note}", reminded)
        }
    assert [one.invoice.status for one in known.values()] == ["paid", "cancelled", "paid", "paid", "open"]
    assert [found.id for found in _notices(sqlite_store, reminded)] == [reminder]


def test_a_returned_payment_opens_the_invoice_again(billomat, read, sqlite_store):
    """Deleting a payment at the provider opens the invoice in the store, and the money taken back is on record."""
    invoice = billomat.invoice()
    payment = billomat.sandbox.pay(invoice, type="DEBIT", on=date(2026, 11, 10))
    other = billomat.invoice()
    read()
    billomat.sandbox.delete_payment(payment)
    counts = read()
    assert (counts.invoices, counts.payments) == (1, 1)
    with sqlite_store.begin() as conn:
        assert sqlite_store.mirror.invoice(conn, "main", invoice).invoice.status == "open"
        assert sqlite_store.mirror.invoice(conn, "main", other).invoice.status == "open"


def test_the_reminders_of_a_paid_invoice_stay(billomat, read, sqlite_store):
    """Looking at an invoice that was paid does not withdraw its reminders, for the payment may be taken back."""
    invoice, _ = billomat.invoice(), billomat.invoice()
    billomat.sandbox.remind_by_hand(invoice)
    read()
    billomat.sandbox.pay(invoice)
    read()
    assert [notice.status for notice in _notices(sqlite_store, invoice)] == ["final"]
    assert read().notices == 0


def test_a_reminder_of_ours_that_a_person_sends_shows_as_sent(billomat, read, sqlite_store):
    """Completed by us and mailed by a person in Billomat: sent, in pull and look alike, and asked about once a day only."""
    connector, invoice = billomat.connector(), billomat.invoice()
    reminder = connector.push(billomat.write(connector, Act.CREATE, invoice)).provider_id
    connector.push(billomat.write(connector, Act.COMPLETE, invoice, reminder))
    read()
    before = billomat.seen
    read()
    assert "/invoice-comments" not in [path for _, path in billomat.calls(before)]
    billomat.sandbox.today = date(2026, 11, 17)
    books = billomat.sandbox.books
    reminding.send_mail(books, books.reminders.rows[int(reminder)], {"recipients": {"to": "a@ahorn.example"}})
    read()
    assert [notice.status for notice in _notices(sqlite_store, invoice)] == ["sent"]
    assert [notice.status for notice in billomat.look(connector, invoice)[0].notices] == ["sent"]
    assert read().notices == 0
    billomat.sandbox.pay(invoice)
    read()
    assert [notice.status for notice in _notices(sqlite_store, invoice)] == ["final"]


def _notices(store, invoice_id):
    with store.begin() as conn:
        return [known.notice for known in store.mirror.notices(conn, "main", [invoice_id])[invoice_id]]
