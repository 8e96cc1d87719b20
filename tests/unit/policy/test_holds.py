"""Everything that speaks against a reminder, each with its reason, its end, and what it takes to go on."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bridge.cli.commands.case import BLOCKS
from bridge.model import Address, DebtorKind, InvoiceKind, InvoiceStatus, Reason
from bridge.policy import AccountFacts, Block, Outcome, words
from bridge.policy.rules import Prepayment
from tests.unit.policy.helpers import case, claim, days, decided, rules, walk

TODAY = date(2026, 10, 5)  # a Monday, 20 days overdue
ITS = rules(days(3))


def test_without_a_hold_the_level_is_due():
    """The claim that all other tests here change would get its reminder."""
    assert decided(claim(), ITS, TODAY).outcome is Outcome.ESCALATE


@pytest.mark.parametrize(
    ("values", "reason", "outcome"),
    [
        ({"status": InvoiceStatus.PAID}, Reason.PAID, Outcome.CLOSE),
        ({"status": InvoiceStatus.CANCELLED}, Reason.CANCELLED, Outcome.CLOSE),
        ({"cancelled": True}, Reason.CANCELLED, Outcome.CLOSE),
        ({"gone": True}, Reason.GONE, Outcome.CLOSE),
        ({"covered": True}, Reason.COVERED, Outcome.CLOSE),
        ({"credited": True}, Reason.CREDITED, Outcome.CLOSE),
        ({"kind": InvoiceKind.CREDIT_NOTE}, Reason.NOT_DUNNABLE, Outcome.HOLD),
        ({"kind": InvoiceKind.CANCELLATION}, Reason.NOT_DUNNABLE, Outcome.HOLD),
        ({"kind": InvoiceKind.OTHER}, Reason.NOT_DUNNABLE, Outcome.HOLD),
        ({"status": InvoiceStatus.UNKNOWN}, Reason.UNKNOWN_STATUS, Outcome.HOLD),
        ({"closed": Reason.CLOSED_BY_HAND}, Reason.CLOSED_BY_HAND, Outcome.HOLD),
        ({"due_on": None}, Reason.NO_DUE_DATE, Outcome.HOLD),
        ({"amounts_clear": False}, Reason.AMOUNT_UNCLEAR, Outcome.HOLD),
        ({"currency": "CHF"}, Reason.FOREIGN_CURRENCY, Outcome.HOLD),
        ({"open": 0}, Reason.BALANCE_NOT_POSITIVE, Outcome.HOLD),
        ({"open": -500}, Reason.BALANCE_NOT_POSITIVE, Outcome.HOLD),
        ({"linked_credits": 10000}, Reason.BALANCE_NOT_POSITIVE, Outcome.HOLD),
        ({"shared_credits": 10000}, Reason.BALANCE_NOT_POSITIVE, Outcome.HOLD),
        ({"payment_method": "direct_debit"}, Reason.DIRECT_DEBIT_PENDING, Outcome.HOLD),
        ({"payment_method": "Lastschrift"}, Reason.DIRECT_DEBIT_PENDING, Outcome.HOLD),
        ({"include": "exclude"}, Reason.INVOICE_EXCLUDED, Outcome.HOLD),
    ],
)
def test_the_invoice_itself_speaks_against_it(values, reason, outcome):
    """What the provider says of an invoice decides, and nothing goes out."""
    found = decided(claim(**values), ITS, TODAY)
    assert (found.reason, found.outcome, found.next_on) == (reason, outcome, None)


@pytest.mark.feature("S-AMX-2")
def test_paid_and_draft_invoices_are_not_in_dunning():
    """Overdue, but paid or a draft: neither belongs into a case."""
    for status, reason in ((InvoiceStatus.PAID, Reason.PAID), (InvoiceStatus.DRAFT, Reason.DRAFT)):
        found = decided(claim(status=status), ITS, TODAY)
        assert (found.reason, found.enters) == (reason, False)


@pytest.mark.feature("S-PAY-13")
def test_an_invoice_that_was_never_sent_is_not_dunned():
    """Overdue but not sent: listed with that reason. Where the provider cannot tell, it counts as sent."""
    found = decided(claim(sent=False), ITS, TODAY)
    assert (found.reason, found.enters) == (Reason.NOT_SENT, True)
    assert words.reason(found.reason, "de", found.facts) == "noch nicht versendet"
    assert decided(claim(sent=False), ITS, TODAY.replace(year=TODAY.year + 1)).outcome is Outcome.HOLD, "never dunned"
    assert decided(claim(sent=None), ITS, TODAY).outcome is Outcome.ESCALATE


@pytest.mark.feature("S-PAY-15")
def test_a_direct_debit_not_yet_collected_is_left_out_until_it_comes_back():
    """Flag or payment method: pending. Returned: dunned at once."""
    flagged = claim(blocks=(Block(Reason.DIRECT_DEBIT_PENDING, source="provider"),))
    assert decided(flagged, ITS, TODAY).reason is Reason.DIRECT_DEBIT_PENDING
    by_method = decided(claim(payment_method="direct_debit"), ITS, TODAY)
    assert by_method.reason is Reason.DIRECT_DEBIT_PENDING
    back = claim(blocks=flagged.blocks, payment_method="direct_debit", returned=True)
    assert decided(back, ITS, TODAY).outcome is Outcome.ESCALATE


@pytest.mark.feature("P-5")
@pytest.mark.parametrize(
    ("issued", "reason"),
    [(date(2026, 5, 31), Reason.BEFORE_CUTOFF), (date(2026, 6, 1), Reason.LEVEL_DUE), (None, Reason.BEFORE_CUTOFF)],
)
def test_the_cut_off_leaves_old_invoices_alone(issued, reason):
    """Cut-off 1 June: an invoice of May stays untouched, as does one whose date nobody knows."""
    found = decided(claim(issued_on=issued), rules(days(3), cutoff=date(2026, 6, 1)), TODAY)
    assert (found.reason, found.enters) == (reason, reason is Reason.LEVEL_DUE)


@pytest.mark.feature("P-15")
@pytest.mark.parametrize(
    ("rest", "reason"), [(40, Reason.BELOW_MINIMUM), (100, Reason.BELOW_MINIMUM), (101, Reason.LEVEL_DUE)]
)
def test_a_rest_within_tolerance_is_not_dunned(rest, reason):
    """Rest of 0.40 with tolerance 1.00: below tolerance."""
    assert decided(claim(open=rest), rules(days(3), tolerance=100), TODAY).reason is reason


@pytest.mark.parametrize(("rest", "reason"), [(499, Reason.BELOW_MINIMUM), (500, Reason.LEVEL_DUE)])
def test_minimum_amount(rest, reason):
    """Below 5.00 nothing is dunned, 5.00 is."""
    assert decided(claim(open=rest), rules(days(3), minimum=500), TODAY).reason is reason


@pytest.mark.parametrize(
    "reason",
    [
        Reason.INSOLVENCY,
        Reason.COLLECTION,
        Reason.DISPUTE,
        Reason.PAYMENT_PLAN,
        Reason.PREPAYMENT,
        Reason.PAYMENT_UNMATCHED,
        Reason.PARKED,
    ],
)
@pytest.mark.parametrize("on", ["invoice", "customer"])
def test_a_block_holds_until_it_is_lifted(reason, on):
    """On the invoice or on the customer, without an end: held, with the note, until something changes."""
    block = Block(reason, note="ruft an", source="anna")
    if on == "invoice":
        found = decided(claim(blocks=(block,)), ITS, TODAY)
    else:
        found = decided(claim(), ITS, TODAY, case=case(blocks=(block,)))
    assert (found.reason, found.next_on, found.enters) == (reason, None, True)
    assert found.facts["note"] == "ruft an"


@pytest.mark.parametrize("reason", [Reason.DEFERRED, Reason.PROMISE_TO_PAY])
def test_a_deferral_ends_by_itself_and_resumes_at_the_same_level(reason):
    """Deferred until the 19th: silent on that day, on the 20th it goes on at the next level."""
    one = claim(level=1, level_on=date(2026, 9, 18), deadline=date(2026, 9, 25))
    until = date(2026, 10, 19)
    its = rules(days(3, 14))
    blocked = claim(level=1, level_on=one.level_on, deadline=one.deadline, blocks=(Block(reason, until),))
    found = decided(blocked, its, until)
    assert (found.reason, found.next_on) == (reason, until + timedelta(days=1))
    assert decided(blocked, its, found.next_on).level == 2


def test_the_gravest_block_decides():
    """Of several blocks the gravest names the reason, whatever order they were read in."""
    blocks = (Block(Reason.DEFERRED, date(2026, 12, 1)), Block(Reason.DISPUTE), Block(Reason.INSOLVENCY))
    for order in (blocks, blocks[::-1]):
        assert decided(claim(blocks=order), ITS, TODAY).reason is Reason.INSOLVENCY


@pytest.mark.feature("S-BIL-19")
def test_an_excluded_customer():
    """By flag, by number, by tag or by choice: excluded as customer."""
    flagged = case(blocks=(Block(Reason.CUSTOMER_EXCLUDED, source="dunning_run"),))
    by_number = rules(days(3), excluded_customers=frozenset({"10017"}))
    by_tag = rules(days(3), excluded_customer_tags=frozenset({"vip"}))
    found = [
        decided(claim(), ITS, TODAY, case=flagged),
        decided(claim(), by_number, TODAY),
        decided(claim(), by_tag, TODAY, case=case(tags=("vip",))),
        decided(claim(), ITS, TODAY, case=case(include="exclude")),
    ]
    assert {one.reason for one in found} == {Reason.CUSTOMER_EXCLUDED}


@pytest.mark.feature("S-BIL-20")
def test_a_customer_can_be_included_explicitly():
    """Default exclude: only the included customer is dunned; an inclusion also overrides a flag at the provider."""
    its = rules(days(3), include_by_default=False)
    assert decided(claim(), its, TODAY).reason is Reason.CUSTOMER_EXCLUDED
    assert decided(claim(), its, TODAY, case=case(include="include")).outcome is Outcome.ESCALATE
    flagged = case(blocks=(Block(Reason.CUSTOMER_EXCLUDED),), include="include")
    assert decided(claim(), ITS, TODAY, case=flagged).outcome is Outcome.ESCALATE


def test_an_inclusion_lifts_no_block():
    """Included explicitly, but disputed: still held."""
    disputed = case(blocks=(Block(Reason.DISPUTE),), include="include")
    assert decided(claim(include="include"), ITS, TODAY, case=disputed).reason is Reason.DISPUTE


def test_invoice_tags_methods_and_prepayment():
    """Tags and payment methods of the configuration exclude; a prepayment tag has its own reason."""
    by_tag = rules(days(3), excluded_invoice_tags=frozenset({"mahnstopp"}))
    by_method = rules(days(3), excluded_methods=frozenset({"sepa"}))
    shop = rules(days(3), prepayment=Prepayment(tags=frozenset({"vorkasse"})))
    assert decided(claim(tags=("mahnstopp",)), by_tag, TODAY).reason is Reason.INVOICE_EXCLUDED
    assert decided(claim(payment_method="SEPA"), by_method, TODAY).reason is Reason.INVOICE_EXCLUDED
    assert decided(claim(tags=("vorkasse",)), shop, TODAY).reason is Reason.PREPAYMENT
    assert decided(claim(), shop, TODAY, case=case(tags=("vorkasse",))).reason is Reason.PREPAYMENT


def test_no_plan():
    """No plan for this account, or a person took the customer out of every plan."""
    assert decided(claim(), rules(), TODAY).reason is Reason.NO_PLAN
    assert decided(claim(), ITS, TODAY, case=case(plan="none")).reason is Reason.NO_PLAN
    assert decided(claim(plan="missing"), ITS, TODAY).reason is Reason.NO_PLAN


def test_no_recipient():
    """No e-mail address for a mail: held until there is one; an address of the invoice itself is enough."""
    whole = case(email=None)
    assert decided(claim(), ITS, TODAY, case=whole).reason is Reason.NO_RECIPIENT
    assert decided(claim(email="x@example.com"), ITS, TODAY, case=whole).outcome is Outcome.ESCALATE


def test_a_letter_needs_street_and_town():
    """An address without a town is none."""
    from tests.unit.policy.helpers import level, plan  # noqa: PLC0415

    its = rules(plan(level(1, after_due=3, channels=["letter"])))
    for address, ok in ((None, False), (Address(street="Weg 1"), False), (Address(street="Weg 1", city="Köln"), True)):
        found = decided(claim(), its, TODAY, case=case(address=address, kind=DebtorKind.BUSINESS))
        assert (found.outcome is Outcome.ESCALATE) is ok


@pytest.mark.feature("P-38")
@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (date(2026, 9, 30), Reason.STALE_DATA),  # Wednesday: Thursday, Friday, Monday are three bank days
        (date(2026, 10, 1), Reason.LEVEL_DUE),
        (date(2026, 10, 5), Reason.LEVEL_DUE),
        (None, Reason.LEVEL_DUE),  # no bank feed: not asked
    ],
)
def test_stale_payment_data_holds(seen, reason):
    """Last bank booking three working days old, limit two: held; over a weekend the same calendar days are fresh."""
    facts = AccountFacts(payments_as_of=seen)
    found = decided(claim(), rules(days(3), payments_limit_days=2), TODAY, facts=facts)
    assert found.reason is reason


def test_account_wide_holds():
    """Writing suspended, or a jump in the data that nobody has looked at."""
    suspended = AccountFacts(writing_suspended="foreign reminders")
    jumped = AccountFacts(held_jump={"en": "count: 50 %"})
    assert decided(claim(), ITS, TODAY, facts=suspended).reason is Reason.WRITING_SUSPENDED
    assert decided(claim(), ITS, TODAY, facts=jumped).reason is Reason.APPROVAL_PENDING
    approved = AccountFacts(held_jump={"en": "count: 50 %"}, approved=True)
    assert decided(claim(), ITS, TODAY, facts=approved).outcome is Outcome.ESCALATE


@pytest.mark.feature("P-9")
def test_exclusion_by_payment_term_or_method_names_it():
    """Method SEPA, however it is written, or a term of 14 days: held as excluded, with that very reason in both languages."""
    by_method = rules(days(3), excluded_methods=frozenset({"sepa"}))
    found = decided(claim(payment_method="SEPA"), by_method, TODAY)
    assert words.reason(found.reason, "de", found.facts) == "ausgeschlossen: Rechnung (Zahlungsart): SEPA"
    by_term = rules(days(3), excluded_terms=frozenset({14}))
    for one, whole in ((claim(payment_term_days=14), case()), (claim(), case(payment_term_days=14))):
        found = decided(one, by_term, TODAY, case=whole)
        assert words.reason(found.reason, "de", found.facts) == "ausgeschlossen: Rechnung (Zahlungsziel in Tagen): 14"
        assert words.reason(found.reason, "en", found.facts) == "excluded: invoice (payment term in days): 14"
    assert (
        decided(claim(payment_term_days=30), by_term, TODAY, case=case(payment_term_days=14)).outcome
        is Outcome.ESCALATE
    )


SHOP = (
    (Prepayment(tags=frozenset({"vorkasse"})), {"tags": ("vorkasse",)}),
    (Prepayment(terms_days=frozenset({0})), {"payment_term_days": 0}),
    (Prepayment(methods=frozenset({"paypal"})), {"payment_method": "PayPal"}),
)


@pytest.mark.feature("S-SEV-6")
@pytest.mark.parametrize(("marks", "values"), SHOP)
def test_a_prepayment_is_not_dunned_or_has_its_own_plan(marks, values):
    """By tag, term or method: without a plan of its own it is held; with one it gets that one's single notice, and no second."""
    found = decided(claim(**values), rules(days(3, 14), prepayment=marks), TODAY)
    assert (found.reason, found.next_on) == (Reason.PREPAYMENT, None)
    shop = replace(marks, plan="shop")
    its = rules(days(3, 14), days(5, name="shop"), prepayment=shop)
    assert [number for _, number, _ in walk(claim(**values), its, date(2026, 9, 15), date(2026, 12, 31))] == [1]
    assert decided(claim(**values), its, TODAY).plan == "shop"
    assert decided(claim(), its, TODAY).plan == "plan"


@pytest.mark.feature("S-SEV-6")
def test_a_person_decides_over_a_prepayment():
    """Included, or given a plan by a person: it is dunned like every other invoice."""
    its = rules(days(3), prepayment=Prepayment(tags=frozenset({"vorkasse"})))
    one = claim(tags=("vorkasse",), include="include")
    assert decided(one, its, TODAY).outcome is Outcome.ESCALATE
    assert decided(claim(tags=("vorkasse",), plan="plan"), its, TODAY).outcome is Outcome.ESCALATE


@pytest.mark.parametrize(
    ("reason", "german", "english"),
    [
        (
            Reason.DISPUTE,
            "Einwand bis 31.12.2026: falsch (von Erika, 01.10.2026)",
            "disputed until 31 December 2026: falsch (by Erika, 1 October 2026)",
        ),
        (
            Reason.INSOLVENCY,
            "Insolvenz bis 31.12.2026: falsch (von Erika, 01.10.2026)",
            "insolvency until 31 December 2026: falsch (by Erika, 1 October 2026)",
        ),
        (
            Reason.PARKED,
            "zurückgestellt bis 31.12.2026: falsch (von Erika, 01.10.2026)",
            "parked until 31 December 2026: falsch (by Erika, 1 October 2026)",
        ),
    ],
)
def test_a_hold_says_who_set_it_when_and_until_when(reason, german, english):
    """Reason, note, end, person and day, in both languages."""
    block = Block(reason, date(2026, 12, 31), "", "falsch", "Erika", date(2026, 10, 1))
    found = decided(claim(blocks=(block,)), ITS, TODAY)
    assert words.reason(found.reason, "de", found.facts) == german
    assert words.reason(found.reason, "en", found.facts) == english


def test_an_exclusion_by_hand_says_who_and_when():
    """For a customer and for one invoice."""
    chosen = {"include": "exclude", "include_by": "Erika", "include_on": date(2026, 10, 1)}
    found = decided(claim(**chosen), ITS, TODAY)
    assert words.reason(found.reason, "de", found.facts) == "ausgeschlossen: Rechnung (von Erika, 01.10.2026)"
    found = decided(claim(), ITS, TODAY, case=case(**chosen))
    assert words.reason(found.reason, "de", found.facts) == "ausgeschlossen: Kunde (von Erika, 01.10.2026)"


def test_what_is_no_address_is_named():
    """Without any other way the notice waits, and says what stands at the provider in place of an address, in both languages."""
    whole = case(email=None, unusable=("a@falle Bcc: b@welt.example",))
    found = decided(claim(), rules(days(3)), date(2026, 10, 5), case=whole)
    assert found.reason is Reason.NO_RECIPIENT
    for language in ("de", "en"):
        assert "a@falle Bcc: b@welt.example" in words.reason(found.reason, language, found.facts)


@pytest.mark.parametrize("reason", [Reason(one) for one in BLOCKS])
def test_every_block_that_a_person_sets_says_who_when_until_and_why(reason):
    """In German and English: the day until which it holds, the note, the name, the day on which it was set."""
    block = Block(reason, until=TODAY + timedelta(days=9), note="Anruf", by="Erika", since=TODAY)
    found = decided(claim(blocks=(block,)), ITS, TODAY)
    assert found.reason is reason
    for language, said in (("de", "bis 14.10.2026"), ("en", "until 14 October 2026")):
        told = words.reason(reason, language, found.facts)
        assert said in told
        assert "Anruf" in told
        assert "Erika" in told
