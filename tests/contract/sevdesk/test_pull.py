"""What a pull of a sevDesk account brings, and what it remembers."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.contract import (
    InvoiceKind,
    InvoiceStatus,
    NoticeStatus,
    Reason,
    Relation,
)


@pytest.mark.feature("S-SEV-7")
def test_all_open_invoices_with_equal_count_and_sum(account, customer):
    """The open invoices of the account arrive, over several pages, with the same count and the same sum."""
    sandbox = account.sandbox
    amounts = [Decimal(f"{100 + number}.{number:02}") for number in range(11)]
    for amount in amounts:
        sandbox.add_invoice(customer, gross=amount)
    paid = sandbox.add_invoice(customer, gross="70")
    sandbox.pay(paid)
    sandbox.add_invoice(customer, status=100)
    sandbox.add_invoice(customer, type="WKR")
    batch = account.pull()
    claims = [invoice for invoice in batch.invoices if invoice.status is InvoiceStatus.OPEN]
    assert len(claims) == len(amounts)
    assert sum(claim.open for claim in claims) == sum(amounts)
    assert batch.complete
    assert batch.full


@pytest.mark.feature("S-SEV-8")
def test_recorded_invoices_count_too(account):
    """An invoice that was only recorded at sevDesk, never sent from there, arrives open with the stored e-mail address."""
    contact = account.sandbox.add_contact(first="Erika", last="Beispiel", email="erika@beispiel.example")
    recorded = account.sandbox.add_invoice(contact, written=False)
    batch = account.pull()
    found = account.invoice(recorded, batch)
    assert (found.status, found.sent) == (InvoiceStatus.OPEN, None)
    assert [debtor.email for debtor in batch.debtors] == ["erika@beispiel.example"]


def test_a_clock_that_is_ahead_skips_no_change(account, invoice):
    """A gateway's wrong time does not move the begin of the next reading into the future."""
    ahead = {"Date": "Mon, 14 Sep 2026 10:00:00 GMT"}
    account.sandbox.server.after(lambda _, response: response.with_headers(ahead))
    account.pull()
    account.later()
    account.sandbox.pay(invoice)
    assert account.invoice(invoice, account.pull()).status is InvoiceStatus.PAID


def test_nothing_changed_costs_the_same_few_calls(account, customer):
    """A pull in which nothing changed brings nothing, in a number of calls that does not grow with the invoices."""
    counts = []
    for size in (2, 20):
        for _ in range(size):
            account.sandbox.add_invoice(customer)
        account.pull(full=True)
        account.later()
        account.pull()
        before = len(account.sandbox.server.log)
        batch = account.pull()
        assert (batch.debtors, batch.invoices, batch.notices, batch.payments) == ((), (), (), ())
        counts.append(len(account.sandbox.server.log) - before)
    assert counts[0] == counts[1] <= 18


def test_unchanged_pull_after_another_hour_reads_no_invoice(account, invoice):
    """The overlap reaches back from the last reading, not from the last change: quiet accounts stay quiet."""
    account.pull()
    for _ in range(3):
        account.later(minutes=90)
        batch = account.pull()
        assert not batch.full
    assert batch.invoices == ()


def test_late_entries_within_the_overlap_are_seen(account, customer):
    """A change that appears with a time before the last reading is seen within the overlap."""
    account.pull()
    account.later(minutes=30)
    account.pull()
    late = account.sandbox.add_invoice(customer)
    account.sandbox.document(late).updated -= timedelta(minutes=45)
    assert account.invoice(late, account.pull()) is not None


def test_periodic_full_reading(account, invoice):
    """After a day everything open is read again, and says that it was complete."""
    account.pull()
    account.later(hours=23)
    assert not account.pull().full
    account.later(hours=2)
    batch = account.pull()
    assert batch.full
    assert batch.complete
    assert account.invoice(invoice, batch) is not None


@pytest.mark.parametrize("status", [1000, 200])
def test_cancellation_excludes_whatever_the_status(account, invoice, status):
    """A cancelled invoice is cancelled, not paid; its cancellation says so, whether the original shows 1000 or still 200."""
    account.sandbox.behaviour.cancelled_status = status
    account.pull()
    account.later()
    cancellation = account.sandbox.cancel(invoice)
    batch = account.pull()
    found = account.invoice(cancellation, batch)
    assert (found.kind, found.origin_id, found.relation) == (InvoiceKind.CANCELLATION, invoice, Relation.CANCELS)
    assert found.gross == Decimal("238.00")
    if status == 1000:
        assert account.invoice(invoice, batch).status is InvoiceStatus.CANCELLED
    snapshot = account.look(invoice)
    assert (snapshot.invoice.status, snapshot.invoice.open) == (InvoiceStatus.CANCELLED, 0)
    assert [other.id for other in snapshot.related] == [cancellation]


def test_credit_note_comes_and_goes(account, invoice):
    """An open credit note lowers its invoice from the next pull on; once paid out it does so no more."""
    account.pull()
    account.later()
    note = account.sandbox.add_credit_note(invoice, "38.00")
    found = account.invoice(f"cn:{note}", account.pull())
    assert (found.relation, found.origin_id, found.open) == (Relation.CREDITS, invoice, Decimal("38.00"))
    assert [other.open for other in account.look(invoice).related] == [Decimal("38.00")]
    account.later()
    account.sandbox.settle_credit_note(note)
    assert account.invoice(f"cn:{note}", account.pull()).open == 0
    account.later()
    assert account.pull().invoices == ()


def test_provisions_lower_nothing(account, invoice):
    """A credit note over what we owe the customer is theirs, not a reduction of the invoice."""
    account.sandbox.add_credit_note(invoice, "38.00", category="PROVISION")
    assert account.look(invoice).related == ()


def test_tags_and_fields_set_later(account, customer, invoice):
    """A tag or block that people set or take off arrives with the next pull, though it changes no time of change."""
    account.pull()
    account.later()
    account.sandbox.tag(invoice, "Mahnsperre")
    account.sandbox.set_field(customer, "Mahnsperre", "31.12.2026")
    batch = account.pull()
    assert [flag.reason for flag in account.invoice(invoice, batch).flags] == [Reason.INVOICE_EXCLUDED]
    (flag,) = batch.debtors[0].flags
    assert (flag.reason, flag.until) == (Reason.CUSTOMER_EXCLUDED, date(2026, 12, 31))
    account.later()
    account.sandbox.untag(invoice, "Mahnsperre")
    account.sandbox.set_field(customer, "Mahnsperre", "")
    batch = account.pull()
    assert account.invoice(invoice, batch).flags == ()
    assert batch.debtors[0].flags == ()


@pytest.mark.feature("P-26")
@pytest.mark.parametrize("bumps", [True, False])
@pytest.mark.parametrize("hides", [True, False])
def test_reminders_made_by_hand(account, invoice, bumps, hides):
    """Reminders that people make arrive with level and deadline, even if lists hide them and the invoice does not change."""
    account.sandbox.behaviour.reminder_bumps_update = bumps
    account.sandbox.behaviour.hides_reminders = hides
    account.pull()
    account.later()
    first = account.sandbox.remind_by_hand(invoice)
    (notice,) = {found.id: found for found in account.pull().notices}.values()
    assert (notice.id, notice.level, notice.status) == (first, 1, NoticeStatus.SENT)
    assert notice.deadline == date(2026, 9, 8)
    second = account.sandbox.remind_by_hand(invoice, send=False)
    levels = {found.id: (found.level, found.status) for found in account.look(invoice).notices}
    assert levels == {first: (1, NoticeStatus.SENT), second: (2, NoticeStatus.DRAFT)}


@pytest.mark.parametrize("hours", [3, 25])
def test_deleted_drafts_are_cancelled(account, invoice, hours):
    """A reminder draft that people delete does not block its invoice for ever."""
    draft = account.sandbox.remind_by_hand(invoice, send=False)
    assert account.pull().notices[0].status is NoticeStatus.DRAFT
    account.later(hours=hours)
    account.sandbox.delete_draft(draft)
    gone = {notice.id: notice.status for notice in account.pull().notices}
    assert gone == {draft: NoticeStatus.CANCELLED}
    account.later(hours=hours)
    assert account.pull().notices == ()


@pytest.mark.parametrize("bumps", [True, False])
def test_changed_address(account, customer, invoice, bumps):
    """A changed e-mail address reaches a look at once, whether or not it changes the contact."""
    account.sandbox.behaviour.contact_detail_bumps_update = bumps
    account.pull()
    account.sandbox.change_email(customer, "neu@muster.example")
    assert account.look(invoice).debtor.email == "neu@muster.example"
    account.later(hours=25)
    assert [debtor.email for debtor in account.pull().debtors] == ["neu@muster.example"]


def test_persons_and_organisations(account, customer):
    """Persons come too; one without an address of their own is reached at the organisation."""
    person = account.sandbox.add_contact(first="Erika", last="Beispiel", parent=customer, address=None)
    debtors = {debtor.id: debtor for debtor in account.pull().debtors}
    assert debtors[person].name == "Erika Beispiel"
    assert debtors[person].email == "buchhaltung@muster.example"
    assert debtors[person].address.street == "Musterweg 1"


def test_countries(account):
    """Addresses abroad carry the code of their country; unknown ones fall back to Germany."""
    contact = account.sandbox.add_contact("Wien AG", email="a@wien.example", address=None)
    account.sandbox.add_address(contact, ("Ring 1", "1010", "Wien"), country=6)
    assert account.pull().debtors[0].address.country == "AT"
