"""Right before a call: what stops it, and what does not."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from bridge.model import (
    Address,
    Contact,
    Debtor,
    DebtorKind,
    Flag,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    NoticeStatus,
    Payment,
    PaymentKind,
    ProviderNotice,
    Reason,
    Relation,
    Snapshot,
)
from bridge.policy import AccountFacts, Basis, Block, LocalView, recheck
from bridge.policy.money import Asks, DueSource, MoneyRules
from bridge.policy.recheck import recheck_mention
from tests.unit.policy.helpers import days, rules

TODAY = date(2026, 10, 5)
BASIS = Basis(
    invoice_id="1",
    currency="EUR",
    demand=10000,
    credits=0,
    round=1,
    from_level=0,
    level=1,
    decided_on=TODAY,
    via="mail",
    main="a@example.com",
    recipient="a@example.com",
    deadline=date(2026, 10, 15),
)
INVOICE = Invoice(
    id="1",
    number="RE-1",
    status=InvoiceStatus.OPEN,
    debtor_id="d",
    issued_on=date(2026, 9, 1),
    due_on=date(2026, 9, 15),
    gross=Decimal(100),
    open=Decimal(100),
    sent=True,
)
DEBTOR = Debtor(id="d", name="Muster GmbH", email="a@example.com")
TAKEN = datetime(2026, 10, 5, 6, tzinfo=UTC)
ITS = rules(days(3))


def look(invoice=INVOICE, debtor=DEBTOR, **more):
    return Snapshot(invoice_id="1", taken_at=TAKEN, invoice=invoice, debtor=debtor, **more)


def reason(snapshot, basis=BASIS, local=None, its=ITS, today=TODAY):
    hold = recheck(basis, snapshot, local or LocalView(), its, today)
    assert hold is None or hold.text
    return hold.reason if hold else None


def changed(**values):
    return look(INVOICE.model_copy(update=values))


def note(number, status=NoticeStatus.SENT, **more):
    return ProviderNotice(id=str(number), invoice_id="1", level=1, status=status, **more)


def credit(**values):
    base = {"id": "9", "status": InvoiceStatus.OPEN, "kind": InvoiceKind.CREDIT_NOTE, "origin_id": "1"}
    return Invoice(**{**base, "gross": Decimal(30), "open": Decimal(30), "relation": Relation.CREDITS, **values})


def test_nothing_has_changed():
    """The same answer as at the decision: nothing speaks against it."""
    assert reason(look()) is None


@pytest.mark.feature("N-1")
@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (Snapshot(invoice_id="1", taken_at=TAKEN, found=False), Reason.GONE),
        (Snapshot(invoice_id="1", taken_at=TAKEN), Reason.UNREADABLE),
        (changed(status=InvoiceStatus.PAID), Reason.PAID),
        (changed(status=InvoiceStatus.CANCELLED), Reason.CANCELLED),
        (changed(status=InvoiceStatus.UNKNOWN), Reason.UNKNOWN_STATUS),
        (changed(status=InvoiceStatus.DRAFT), Reason.DRAFT),
        (changed(open=Decimal("99.99")), Reason.CHANGED),
        (changed(open=Decimal(0)), Reason.BALANCE_NOT_POSITIVE),
        (changed(currency="CHF"), Reason.FOREIGN_CURRENCY),
        (changed(amounts_clear=False), Reason.AMOUNT_UNCLEAR),
        (changed(sent=False), Reason.NOT_SENT),
        (changed(payment_method="lastschrift"), Reason.DIRECT_DEBIT_PENDING),
        (changed(flags=(Flag(reason=Reason.PAYMENT_UNMATCHED, source="bank"),)), Reason.PAYMENT_UNMATCHED),
        (changed(flags=(Flag(reason=Reason.DISPUTE, source="tag", until=date(2026, 10, 4)),)), None),
        (changed(email="b@example.com"), Reason.CHANGED),
        (look(debtor=DEBTOR.model_copy(update={"email": "b@example.com"})), Reason.CHANGED),
        (look(debtor=DEBTOR.model_copy(update={"email": None})), Reason.CHANGED),
        (
            look(debtor=DEBTOR.model_copy(update={"flags": (Flag(reason=Reason.CUSTOMER_EXCLUDED, source="x"),)})),
            Reason.CUSTOMER_EXCLUDED,
        ),
        (look(related=(credit(),)), Reason.CHANGED),
        (look(related=(credit(status=InvoiceStatus.DRAFT),)), None),
        (look(related=(credit(gross=Decimal(100), open=Decimal(0), status=InvoiceStatus.PAID),)), Reason.CREDITED),
        (look(related=(credit(kind=InvoiceKind.CANCELLATION, relation=Relation.CANCELS),)), Reason.CANCELLED),
        (look(notices=(note(5),)), Reason.FOREIGN_REMINDER_RUNNING),
        (look(notices=(note(5, NoticeStatus.DRAFT),)), Reason.FOREIGN_REMINDER_RUNNING),
        (look(notices=(note(5, NoticeStatus.CANCELLED),)), None),
        (look(notices=(note(5, marker="mb:0123456789ab"),)), None),
        (look(notices=(note(5, NoticeStatus.DRAFT, marker="mb:0123456789ab"),)), Reason.OWN_DRAFT_LEFT),
    ],
)
def test_judged_by_the_providers_answer(snapshot, expected):
    """Each change at the provider stops the call with its own reason; what is over or void does not."""
    assert reason(snapshot) is expected


def test_reminders_that_the_decision_knew_are_not_foreign():
    """A known one is history, our own of this notice no obstacle, a known draft is one."""
    its = replace(BASIS, known_reminders=frozenset({"5"}), own_reminders=frozenset({"6"}))
    assert reason(look(notices=(note(5), note(6, NoticeStatus.DRAFT))), its) is None
    assert reason(look(notices=(note(5), note(7))), its) is Reason.FOREIGN_REMINDER_RUNNING


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        (LocalView(blocks=(Block(Reason.DISPUTE),)), Reason.DISPUTE),
        (LocalView(customer_blocks=(Block(Reason.INSOLVENCY),)), Reason.INSOLVENCY),
        (LocalView(customer_blocks=(Block(Reason.DEFERRED, TODAY),)), Reason.DEFERRED),
        (LocalView(customer_blocks=(Block(Reason.DEFERRED, date(2026, 10, 4)),)), None),
        (LocalView(closed=Reason.CLOSED_BY_HAND), Reason.CLOSED_BY_HAND),
        (LocalView(customer_include="exclude"), Reason.CUSTOMER_EXCLUDED),
        (LocalView(round=2), Reason.CHANGED),
        (LocalView(level=2), Reason.CHANGED),
        (LocalView(level=1), None),  # the other channel of the same level has landed
        (LocalView(level=1, undelivered=True), None),  # and came back: this one is the other try
        (LocalView(undelivered=True), Reason.UNDELIVERED),
        (LocalView(facts=AccountFacts(writing_suspended="x")), Reason.WRITING_SUSPENDED),
        (LocalView(plan="none"), Reason.NO_PLAN),
        (LocalView(customer_plan="none", settled=True), Reason.NO_PLAN),
    ],
)
def test_judged_by_what_is_known_here(local, expected):
    """What people did here since the decision stops the call as well."""
    assert reason(look(), local=local) is expected


@pytest.mark.feature("S-AGI-27", "S-BIL-9")
def test_a_plan_that_changed_is_minded():
    """An edited plan stops what nobody has looked at; another plan stops what was approved too; the level's other channel follows."""
    [theirs] = ITS.plans.values()
    its = replace(BASIS, plan=theirs.name, plan_version=theirs.version)
    edited = replace(its, plan_version="older")
    assert reason(look(), its) is None
    assert reason(look(), edited) is Reason.CHANGED
    assert reason(look(), edited, LocalView(settled=True)) is None
    assert reason(look(), edited, LocalView(level=1)) is None
    assert reason(look(), replace(its, plan="before"), LocalView(settled=True)) is Reason.CHANGED


def test_a_returned_debit_may_be_reminded_though_it_is_a_debit():
    """The payment method still says direct debit; the money came back."""
    back = Payment(id="p", invoice_id="1", amount=Decimal(-100), value_on=TODAY, kind=PaymentKind.DIRECT_DEBIT)
    debit = changed(payment_method="direct_debit")
    assert reason(debit.model_copy(update={"payments": (back,)})) is None
    assert reason(debit, local=LocalView(returned=True)) is None


def test_credit_notes_that_the_decision_counted_are_no_change():
    """The linked credit note and the netted free one were known: the same rest is asked for."""
    its = replace(BASIS, demand=5000, credits=2000)
    assert reason(look(related=(credit(),)), its) is None


def test_stale_bank_data_holds_by_the_looks_own_date():
    """The look itself says up to when the provider has seen the bank account."""
    its = rules(days(3), payments_limit_days=2)
    old, new = datetime(2026, 9, 28, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC)
    assert reason(look(payments_as_of=old), its=its) is Reason.STALE_DATA
    assert reason(look(payments_as_of=new), its=its) is None


def test_a_notice_that_lay_too_long_is_decided_anew():
    """More than half of the term has passed before it went out: no letter with a deadline of two days."""
    assert reason(look(), today=date(2026, 10, 10)) is None
    assert reason(look(), today=date(2026, 10, 11)) is Reason.CHANGED


def test_a_letter_is_compared_by_its_address():
    """Moved since: changed. Where the look brings no address, the old one stands."""
    home = Address(lines=("Muster GmbH",), street="Weg 1", postcode="50667", city="Köln")
    its = replace(
        BASIS, via="letter", main="Muster GmbH, Weg 1, 50667 Köln, DE", recipient="Muster GmbH, Weg 1, 50667 Köln, DE"
    )
    assert reason(look(debtor=DEBTOR.model_copy(update={"address": home})), its) is None
    moved = home.model_copy(update={"street": "Weg 2"})
    assert reason(look(debtor=DEBTOR.model_copy(update={"address": moved})), its) is Reason.CHANGED
    assert reason(look(), its) is None


def test_contacts_chosen_by_role_must_still_be_there():
    """The mail goes to a contact who has left: changed."""
    person = Contact(email="c@example.com", role="invoicing")
    its = replace(BASIS, recipient="c@example.com")
    assert reason(look(debtor=DEBTOR.model_copy(update={"contacts": (person,)})), its) is None
    assert reason(look(), its) is Reason.CHANGED


def test_a_basis_survives_the_store():
    """What was stored with the notice is what is compared."""
    its = replace(BASIS, known_reminders=frozenset({"b", "a"}), own_reminders=frozenset({"c"}))
    assert Basis.from_json(its.to_json()) == its


@pytest.mark.parametrize(
    ("snapshot", "today", "expected"),
    [
        (look(), date(2026, 9, 15), None),  # due today is not late yet
        (look(), date(2026, 9, 16), Reason.CHANGED),
        (changed(due_on=None), date(2026, 9, 1), Reason.CHANGED),
        (changed(open=Decimal(99)), date(2026, 9, 1), Reason.CHANGED),
        (changed(currency="CHF"), date(2026, 9, 1), Reason.CHANGED),
        (changed(status=InvoiceStatus.PAID), date(2026, 9, 1), Reason.CHANGED),
        (Snapshot(invoice_id="1", taken_at=TAKEN, found=False), date(2026, 9, 1), Reason.CHANGED),
        (Snapshot(invoice_id="1", taken_at=TAKEN), date(2026, 9, 1), Reason.UNREADABLE),
        (look(debtor=None), date(2026, 9, 15), None),
    ],
)
def test_an_invoice_named_as_not_yet_due_must_still_be_that(snapshot, today, expected):
    """Open, with the same amount and not late: else the text that names it would say what is wrong."""
    mention = SimpleNamespace(why=Reason.NOT_DUE, demand=10000, credits=0, currency="EUR")
    hold = recheck_mention(mention, snapshot, ITS, today)
    assert (hold.reason if hold else None) is expected


def test_a_hold_says_until_when():
    """A deferral of today ends with its day; a dispute has no end."""
    deferred = recheck(BASIS, look(), LocalView(blocks=(Block(Reason.DEFERRED, TODAY),)), ITS, TODAY)
    disputed = recheck(BASIS, look(), LocalView(blocks=(Block(Reason.DISPUTE),)), ITS, TODAY)
    assert (deferred.until, disputed.until) == (TODAY, None)


def test_a_look_that_brings_no_customer_is_no_other_recipient():
    """Not every provider shows the customer with the invoice: what was decided stands."""
    assert reason(look(debtor=None)) is None
    assert reason(look(INVOICE.model_copy(update={"email": "b@example.com"}), debtor=None)) is Reason.CHANGED


@pytest.mark.parametrize(
    ("total", "debtor", "expected"),
    [
        (None, None, None),
        (10000, None, None),
        (9999, None, Reason.CHANGED),
        (14000, None, Reason.CHANGED),
        (14000, DEBTOR.model_copy(update={"kind": DebtorKind.BUSINESS}), None),
        (10000, DEBTOR.model_copy(update={"kind": DebtorKind.BUSINESS}), Reason.CHANGED),
    ],
)
def test_the_total_is_computed_anew(total, debtor, expected):
    """With what it asks for, as of the day on which it was decided; the customer as stored, as a look does not always show them."""
    its = replace(rules(days(3)), money=MoneyRules(due_source=DueSource.CONTRACT))
    basis = replace(BASIS, total=total, asks=Asks(flat_fee=True))
    assert reason(look(), basis, LocalView(debtor=debtor), its) is expected
    assert Basis.from_json(basis.to_json()) == basis


def test_what_a_basis_keeps():
    """Days as text, sets in their order, and what was asked for; an older one without them is read too."""
    whole = replace(
        BASIS, total=5, asks=Asks(True, True, 3, "x"), notes=("n",), chosen=True, plan="p", plan_version="v"
    )
    kept = whole.to_json()
    assert (kept["decided_on"], kept["deadline"]) == ("2026-10-05", "2026-10-15")
    assert Basis.from_json(kept) == whole
    assert Basis.from_json({**kept, "deadline": None, "asks": None, "notes": None, "known_reminders": None}) == replace(
        whole, deadline=None, asks=Asks(), notes=()
    )
