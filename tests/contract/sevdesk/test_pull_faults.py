"""A pull of a sevDesk account that is hindered: lists that change meanwhile, records that do not fit, answers that are none."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.contract import (
    BadAnswer,
    BadRecord,
    ConfigError,
    InvoiceStatus,
    RetryLater,
)


def test_another_record_as_answer_is_none(account, customer, invoice):
    """What a cache gives for another invoice says nothing about this one."""
    other = account.sandbox.add_invoice(customer)
    account.sandbox.faults.reshape(
        lambda data: {"objects": [{**data["objects"][0], "id": other}]},
        rf"/Invoice/{invoice}$",
        method="GET",
        times=None,
    )
    with pytest.raises(BadAnswer, match="another record"):
        account.look(invoice)


@pytest.mark.parametrize("filters", [{"status"}, {"updateAfter", "invoiceType"}, {"showAll"}])
def test_ignored_filters_change_nothing(account, customer, invoice, filters):
    """sevDesk ignores filters that it does not know; every row is checked again, so nothing wrong comes through."""
    paid = account.sandbox.add_invoice(customer)
    account.sandbox.pay(paid)
    account.pull()
    account.sandbox.behaviour.ignored_filters = filters
    account.later(hours=25)
    full = account.pull()
    assert full.complete
    assert {found.id for found in full.invoices if found.status is InvoiceStatus.OPEN} == {invoice}
    account.later(hours=3)
    assert account.pull().invoices == ()


@pytest.mark.parametrize("source", ["Tag", "TagRelation", "ContactCustomField", "CheckAccountTransaction"])
def test_unreadable_source_holds_everything(account, invoice, source):
    """A source of blocks that cannot be read counts as a block, at once, and no longer than it lasts."""
    account.pull()
    account.sandbox.set_field(account.sandbox.add_contact("X"), "Mahnsperre", "")
    account.sandbox.behaviour.forbidden.add(source)
    account.later()
    batch = account.pull()
    flags = [flag for record in (*batch.invoices, *batch.debtors) for flag in record.flags]
    assert flags
    assert all("unreadable" in flag.source for flag in flags)
    account.sandbox.behaviour.forbidden.clear()
    account.later()
    batch = account.pull()
    assert account.invoice(invoice, batch).flags == ()
    assert all(debtor.flags == () for debtor in batch.debtors)


def test_refused_token_is_no_unreadable_source(account, invoice):
    """A token that is refused stops the account; it is not taken for a missing right."""
    account.sandbox.server.faults.status(401, "/Tag$", body="Authentication required", times=None)
    with pytest.raises(ConfigError):
        account.pull()


def test_interrupted_full_reading_goes_on(account, customer):
    """A full reading that was cut off goes on at the page where it stopped, and is complete all the same."""
    ids = {account.sandbox.add_invoice(customer) for _ in range(10)}
    batches = account.connector.pull(None)
    seen = set()
    for batch in batches:
        seen |= {invoice.id for invoice in batch.invoices}
        if len(seen) >= 6:
            account.cursor = batch.cursor
            break
    before = len(account.sandbox.server.calls("GET", r"/Invoice$"))
    rest = account.pull()
    assert seen | {invoice.id for invoice in rest.invoices} == ids
    assert rest.complete
    assert len(account.sandbox.server.calls("GET", r"/Invoice$")) - before == 2


def test_changed_list_is_not_complete_until_it_rests(account, customer):
    """A list that changes on every page is not taken for complete."""
    for _ in range(5):
        account.sandbox.add_invoice(customer)

    def grow(request, response):
        if request.path.endswith("/Invoice"):
            account.sandbox.add_invoice(customer)
        return response

    account.sandbox.server.after(grow)
    assert not account.pull().complete


def test_no_totals(account, customer):
    """Where sevDesk does not count, pages are read until one is short."""
    account.sandbox.behaviour.total_known = False
    ids = {account.sandbox.add_invoice(customer) for _ in range(7)}
    batch = account.pull()
    assert {invoice.id for invoice in batch.invoices} == ids
    assert batch.complete


def test_bad_records_are_set_aside(account, customer, invoice):
    """Records that do not fit are set aside with field, value and reason; the others arrive, and a healed one too."""
    account.sandbox.spoil(invoice, sumGross="viel")
    account.sandbox.spoil(account.sandbox.add_contact("Kaputt"), defaultTimeToPay="bald")
    good = account.sandbox.add_invoice(customer)
    batch = account.pull()
    assert {(reject.kind, reject.field, reject.value) for reject in batch.rejects} == {
        ("invoice", "sumGross", "'viel'"),
        ("contact", "defaultTimeToPay", "'bald'"),
    }
    assert [found.id for found in batch.invoices] == [good]
    account.later()
    account.sandbox.heal(invoice)
    assert account.invoice(invoice, account.pull()).open == Decimal("238.00")


def test_an_open_invoice_without_its_customer_is_not_judged(account, customer, invoice):
    """Whether a customer who is not there any more is blocked cannot be told; that a paid invoice is paid can."""
    account.sandbox.faults.status(404, rf"/Contact/{customer}$", body={}, method="GET", times=None)
    with pytest.raises(BadRecord, match="customer does not exist"):
        account.look(invoice)
    account.sandbox.pay(invoice)
    assert account.look(invoice).invoice.status is InvoiceStatus.PAID


@pytest.mark.parametrize("kind", ["MA", "SR"])
def test_a_look_at_lists_that_do_not_rest_is_no_answer(account, customer, kind):
    """Reminders and cancellations that may be missing from a list stop nothing, so nothing is written on such a look."""
    invoices = [account.sandbox.add_invoice(customer) for _ in range(2)]

    def more(request, response):
        if f"invoiceType={kind}" in request.target:
            data = json.loads(response.body)
            return replace(response, body=json.dumps({**data, "total": "9"}).encode())
        return response

    account.sandbox.server.after(more)
    with pytest.raises(BadAnswer):
        account.look(invoices[0])


def test_credit_note_that_cannot_be_read_stops_its_own_invoice_only(account, customer, invoice):
    """A spoilt credit note of this invoice is not left out in silence; one of another invoice is nothing to it."""
    other = account.sandbox.add_invoice(customer)
    note = account.sandbox.add_credit_note(other, "38.00")
    account.rewriting("/CreditNote", note, {"sumGross": "38.005"})
    assert account.look(invoice).invoice.open == Decimal("238.00")
    with pytest.raises(BadRecord, match="sumGross"):
        account.look(other)


@pytest.mark.parametrize("what", ["invoice", "customer", "reminder"])
def test_a_look_leaves_nothing_out(account, customer, invoice, what):
    """A look at an invoice that does not fit, or whose customer or reminder does not, is an error and no half answer."""
    reminder = account.sandbox.remind_by_hand(invoice)
    record = {"invoice": invoice, "customer": customer, "reminder": reminder}[what]
    account.sandbox.spoil(record, **({"defaultTimeToPay": "x"} if what == "customer" else {"dunningLevel": "x"}))
    with pytest.raises(BadRecord):
        account.look(invoice)


def test_an_old_cursor_begins_anew(account, invoice):
    """A cursor that an older program wrote leads to a full reading, not to an error."""
    account.pull()
    account.cursor = account.cursor.model_copy(update={"data": {"version": 0, "page": 3}})
    assert account.pull().complete


def test_rate_limit_stops_the_pull(account, invoice):
    """A 429 in the middle of a pull ends it with sevDesk's wait."""
    account.sandbox.limit_rate(3, retry_after="120")
    with pytest.raises(RetryLater) as raised:
        account.pull()
    assert raised.value.after == timedelta(seconds=120)
