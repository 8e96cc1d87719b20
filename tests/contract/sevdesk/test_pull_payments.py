"""Payments of a sevDesk account: booked, not yet booked, late, returned, and how fresh the bank's data is."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.contract import (
    InvoiceStatus,
    Reason,
)


@pytest.mark.feature("S-SEV-3")
@pytest.mark.parametrize("bumps", [True, False])
def test_payments_from_the_bank_feed(account, invoice, bumps):
    """A payment at the bank is known as soon as it came in: unbooked it holds the claim, booked it closes it.

    It does not matter whether booking changes the invoice's time of change; what it does not change, a look shows.
    """
    account.sandbox.behaviour.booking_bumps_update = bumps
    account.pull()
    account.later()
    transaction = account.sandbox.add_transaction("238.00", purpose="RE-1001 danke", payer="Unbekannt")
    held = account.invoice(invoice, account.pull())
    assert [flag.reason for flag in held.flags] == [Reason.PAYMENT_UNMATCHED]
    account.later()
    account.sandbox.pay(invoice, transaction=transaction)
    seen = account.pull()
    assert seen.complete or account.invoice(invoice, seen).status is InvoiceStatus.PAID
    assert account.look(invoice).invoice.status is InvoiceStatus.PAID
    assert [payment.amount for payment in seen.payments] == [Decimal("238.00")]


def test_payer_without_a_number(account, customer, invoice):
    """An unbooked payment by the customer holds all claims against them, whatever its purpose says."""
    other = account.sandbox.add_invoice(account.sandbox.add_contact("Andere AG", email="a@andere.example"))
    account.sandbox.add_transaction("10.00", purpose="Abschlag", payer="MUSTER GMBH")
    account.sandbox.add_transaction("-238.00", purpose="RE-1002", payer="Andere AG")
    batch = account.pull()
    assert [flag.reason for flag in account.invoice(invoice, batch).flags] == [Reason.PAYMENT_UNMATCHED]
    assert account.invoice(other, batch).flags == ()
    assert account.look(invoice).invoice.flags == account.invoice(invoice, batch).flags


def test_person_paid_from_the_organisations_account(account, customer):
    """A look holds the claim against a person when the organisation they belong to has paid something."""
    person = account.sandbox.add_contact(first="Erika", last="Beispiel", parent=customer)
    invoice = account.sandbox.add_invoice(person)
    account.sandbox.add_transaction("119.00", payer="Muster GmbH")
    assert [flag.reason for flag in account.look(invoice).invoice.flags] == [Reason.PAYMENT_UNMATCHED]


def test_old_unbooked_payments_hold_nothing(account, invoice):
    """Payments that lie about unbooked for longer than configured hold nothing, though filters may be ignored."""
    account.sandbox.behaviour.ignored_filters = {"startDate", "status"}
    account.sandbox.add_transaction("238.00", purpose="RE-1001", on=date(2026, 5, 1))
    account.sandbox.add_transaction("238.00", purpose="RE-1001", status=400)
    assert account.invoice(invoice, account.pull()).flags == ()


def test_freshness_of_bank_data(account, invoice):
    """The newest entry of an online account tells how fresh the payments are; without a feed nothing does."""
    account.sandbox.add_transaction("1.00", on=date(2026, 8, 28), status=400)
    assert account.pull().payments_as_of.date() == date(2026, 8, 28)
    assert account.look(invoice).payments_as_of.date() == date(2026, 8, 28)
    account.sandbox.cut_bank_feed()
    assert account.pull().payments_as_of is None


def test_quiet_account_with_a_live_feed_is_fresh(account, invoice):
    """Where sevDesk says when it last imported, that counts: an account without movements is no broken feed."""
    bank = account.sandbox.world.plain["CheckAccount"][int(account.sandbox.bank_account)].data
    account.sandbox.add_transaction("1.00", on=date(2026, 8, 18), status=400)
    now = account.connector.http.now()
    bank["lastSync"] = (now - timedelta(hours=3)).isoformat()
    assert account.look(invoice).payments_as_of == now - timedelta(hours=3)
    bank["lastSync"] = (now + timedelta(days=3)).isoformat()
    assert account.look(invoice).payments_as_of <= account.connector.http.now()
    for nothing in (None, "bald", (now - timedelta(days=30)).isoformat()):
        bank["lastSync"] = nothing
        assert account.look(invoice).payments_as_of.date() == date(2026, 8, 18)


def test_feed_that_died_long_ago_is_stale_under_any_limit(account, invoice):
    """Where no entry came in ten days the newest older one counts, so that a dead feed does not stay ten days old for ever."""
    assert (account.connector.http.now() - account.look(invoice).payments_as_of).days >= 90
    account.sandbox.add_transaction("1.00", on=date(2026, 7, 1), status=400)
    assert account.look(invoice).payments_as_of.date() == date(2026, 7, 1)


@pytest.mark.parametrize("spoilt", [{"valueDate": "bald"}, {"entryDate": "bald"}, {"valueDate": "x", "entryDate": "y"}])
def test_payment_without_a_readable_date_holds_all_the_same(account, invoice, spoilt):
    """Money that names an invoice holds it, though its dates cannot be read."""
    payment = account.sandbox.add_transaction("238.00", purpose="RE-1001")
    account.rewriting("/CheckAccountTransaction", payment, spoilt)
    assert [flag.reason for flag in account.look(invoice).invoice.flags] == [Reason.PAYMENT_UNMATCHED]


def test_money_on_a_reminder_counts_for_its_invoice(account, invoice):
    """A payment that was booked on the reminder lowers the claim of the invoice; its own record did not change."""
    reminder = account.sandbox.remind_by_hand(invoice)
    account.pull()
    account.later()
    account.sandbox.pay(invoice, "100.00", on_reminder=reminder)
    batch = account.pull()
    found = account.invoice(invoice, batch)
    assert (found.paid, found.open) == (Decimal("100.00"), Decimal("138.00"))
    assert [(payment.invoice_id, payment.amount) for payment in batch.payments] == [(invoice, Decimal("100.00"))]
    assert account.look(invoice).invoice.open == Decimal("138.00")
    account.later(hours=25)
    assert account.invoice(invoice, account.pull()).open == Decimal("138.00")


def test_returned_debit_opens_the_invoice_again(account, invoice):
    """Payments that are taken back leave the invoice open again."""
    account.sandbox.pay(invoice)
    account.pull()
    account.later()
    account.sandbox.return_debit(invoice)
    found = account.invoice(invoice, account.pull())
    assert (found.status, found.paid, found.open) == (InvoiceStatus.OPEN, 0, Decimal("238.00"))


def test_without_the_payment_log_one_payment_stands_for_all(account, invoice):
    """Where the undocumented log cannot be read, one payment per invoice carries what was paid, and follows it down."""
    account.sandbox.behaviour.forbidden.add("CheckAccountTransactionLog")
    account.sandbox.pay(invoice, "100.00")
    (payment,) = account.pull().payments
    assert (payment.id, payment.amount) == (f"paid:{invoice}", Decimal("100.00"))
    account.later()
    account.sandbox.return_debit(invoice)
    assert {(payment.id, payment.amount) for payment in account.pull().payments} == {(f"paid:{invoice}", 0)}


def test_payment_log_goes_on_where_it_stopped(account, customer):
    """Only new entries of the payment log are read; after one was taken out it is read as a whole."""
    invoices = [account.sandbox.add_invoice(customer) for _ in range(4)]
    for id_ in invoices[:3]:
        account.sandbox.pay(id_)
    assert len(account.pull().payments) == 3
    account.later()
    account.sandbox.pay(invoices[3])
    assert invoices[3] in {payment.invoice_id for payment in account.pull().payments}
    account.later()
    account.sandbox.return_debit(invoices[0])
    assert {payment.invoice_id for payment in account.pull().payments} == set(invoices[1:])
    account.later()
    assert len(account.pull().payments) == 1


def test_direct_debit_waits(account, customer):
    """A payment method or a mandate that means direct debit holds, for ever unless a number of days is set."""
    by_method = account.sandbox.add_invoice(customer, method="SEPA-Lastschrift", issued_on=date(2026, 8, 3))
    by_mandate = account.sandbox.add_invoice(customer, mandate="M-1", issued_on=date(2026, 8, 3))
    transfer = account.sandbox.add_invoice(customer, method="Überweisung")
    batch = account.pull()
    for id_ in (by_method, by_mandate):
        (flag,) = account.invoice(id_, batch).flags
        assert (flag.reason, flag.until) == (Reason.DIRECT_DEBIT_PENDING, None)
    assert account.invoice(transfer, batch).flags == ()
    assert account.invoice(transfer, batch).payment_method == "Überweisung"
    account.sandbox.behaviour.forbidden.add("PaymentMethod")
    (flag,) = account.look(transfer).invoice.flags
    assert flag.reason is Reason.DIRECT_DEBIT_PENDING
