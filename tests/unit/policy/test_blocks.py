"""Which block holds a claim and what is told of it: flags at the provider, what people set, what the configuration excludes."""

from datetime import date, timedelta

import pytest

from bridge.model import Reason
from bridge.policy import Block, Outcome
from bridge.policy.blocks import strongest
from bridge.policy.instalments import Agreement, Rate
from bridge.policy.rules import Prepayment
from tests.unit.policy.helpers import case, claim, days, decided, rules

TODAY = date(2026, 10, 5)
GRAVE = (
    Reason.INSOLVENCY, Reason.COLLECTION, Reason.DISPUTE, Reason.PAYMENT_PLAN, Reason.PROMISE_TO_PAY, Reason.DEFERRED,
    Reason.CUSTOMER_EXCLUDED, Reason.INVOICE_EXCLUDED, Reason.PARKED, Reason.PAYMENT_UNMATCHED,
)  # fmt: skip


def on(number):
    return TODAY + timedelta(days=number)


def held(one=None, whole=None, **values):
    one = one or claim()
    return decided(one, rules(days(3), **values), TODAY, case=whole or case(one))


def test_the_gravest_block_decides():
    """Insolvency before collection, dispute, payment plan, promise, deferral and exclusion, before everything else; in any order."""
    made = [Block(reason, source=str(number)) for number, reason in enumerate(GRAVE)]
    for number in range(len(made)):
        for order in (made[number:], made[number:][::-1]):
            assert strongest(order, TODAY) == made[number]


@pytest.mark.parametrize(
    ("untils", "first"),
    [((5, 9), 9), ((9, None), None), ((-1, 0), 0), ((-2, -1), "none"), ((0, 0), 0), ((-1, None), None)],
)
def test_of_one_reason_the_longest_that_is_active(untils, first):
    """It holds on its last day, and not on the day after."""
    made = [Block(Reason.DEFERRED, None if until is None else on(until)) for until in untils]
    for order in (made, made[::-1]):
        found = strongest(order, TODAY)
        assert (found and found.until) == (None if first in (None, "none") else on(first))
        assert (found is None) is (first == "none")


def test_of_equal_blocks_always_the_same_is_told():
    """Whatever the order in which they were read: by their source."""
    made = [Block(Reason.DISPUTE, source="b"), Block(Reason.DISPUTE, source="a")]
    assert strongest(made, TODAY).source == strongest(made[::-1], TODAY).source == "a"


@pytest.mark.parametrize(
    ("block", "facts", "next_on"),
    [
        (Block(Reason.DISPUTE), {"source": ""}, None),
        (
            Block(Reason.DEFERRED, on(3), "local", note="called", by="anna", since=on(-2)),
            {"source": "local", "until": on(3), "note": "called", "by": "anna", "since": on(-2)},
            on(4),
        ),
        (Block(Reason.DEFERRED, date.max), {"source": "", "until": date.max}, None),
    ],
)
def test_a_block_tells_who_why_and_until_when(block, facts, next_on):
    """And the claim is asked about again on the day after its last one; one that never ends, never."""
    found = held(claim(blocks=(block,)))
    assert (found.outcome, found.facts, found.next_on) == (Outcome.HOLD, facts, next_on)


@pytest.mark.parametrize(
    ("paid", "told"),
    [
        (0, {"kept": "0", "amount": 3000, "rate_on": on(0)}),
        (2999, {"kept": "0", "amount": 1, "rate_on": on(0)}),
        (3000, {"kept": "1", "amount": 3000, "rate_on": on(30)}),
        (3001, {"kept": "1", "amount": 2999, "rate_on": on(30)}),
    ],
)
def test_a_payment_plan_tells_how_it_stands(paid, told):
    """How many rates are paid, what is missing of the next one and until when, and the last day of the whole."""
    agreement = Agreement(rates=(Rate(on(0), 3000), Rate(on(30), 3000)), total=6000, paid=paid)
    found = held(claim(blocks=(Block(Reason.PAYMENT_PLAN, agreement=agreement),)))
    assert found.reason is Reason.PAYMENT_PLAN
    assert {name: found.facts[name] for name in told} == told
    assert (found.facts["rates"], found.facts["until"], found.facts["currency"]) == (2, on(30), "EUR")
    assert found.next_on == told["rate_on"] + timedelta(days=4)  # three days of grace, and it is missed


def test_a_payment_plan_that_was_kept_misses_nothing():
    """It says so, and there is no day to wait for: a person ends it."""
    agreement = Agreement(rates=(Rate(on(-30), 3000), Rate(on(-20), 3000)), total=6000, paid=6000)
    found = held(claim(blocks=(Block(Reason.PAYMENT_PLAN, agreement=agreement),)))
    assert (found.reason, found.facts.get("kept"), "amount" in found.facts, found.next_on) == (
        Reason.PAYMENT_PLAN, "2", False, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("claimed", "whole", "values", "source"),
    [
        ({}, {"include": "exclude", "include_by": "anna", "include_on": on(-1)}, {}, ""),
        ({"include": "exclude", "include_by": "anna", "include_on": on(-1)}, {}, {}, ""),
        ({}, {}, {"include_by_default": False}, "default"),
        ({}, {"include": "include"}, {"include_by_default": False}, None),
        ({"include": "include"}, {}, {"include_by_default": False}, None),
        ({}, {}, {"excluded_customers": frozenset({"d"})}, "configuration"),
        ({}, {}, {"excluded_customers": frozenset({"10017"})}, "configuration"),
        ({}, {}, {"excluded_customers": frozenset({"10018"})}, None),
        ({}, {"number": None}, {"excluded_customers": frozenset({"10018"})}, None),
        ({}, {"include": "include"}, {"excluded_customers": frozenset({"d"})}, None),
        ({"include": "include"}, {}, {"excluded_customers": frozenset({"d"})}, None),
        ({}, {"tags": ("x",)}, {"excluded_customer_tags": frozenset({"x"})}, "customer tag"),
        ({"tags": ("x",)}, {}, {"excluded_customer_tags": frozenset({"x"})}, None),
        ({"tags": ("x",)}, {}, {"excluded_invoice_tags": frozenset({"x"})}, "invoice tag"),
        ({}, {"tags": ("x",)}, {"excluded_invoice_tags": frozenset({"x"})}, None),
        ({"tags": ("x",)}, {"include": "include"}, {"excluded_invoice_tags": frozenset({"x"})}, "invoice tag"),
        ({"tags": ("x",), "include": "include"}, {}, {"excluded_invoice_tags": frozenset({"x"})}, None),
        ({"payment_method": "PayPal"}, {}, {"excluded_methods": frozenset({"paypal"})}, "payment method"),
        ({"payment_method": "cash"}, {}, {"excluded_methods": frozenset({"paypal"})}, None),
        ({"payment_term_days": 0}, {}, {"excluded_terms": frozenset({0})}, "payment term"),
        ({"payment_term_days": 14}, {}, {"excluded_terms": frozenset({0})}, None),
        ({}, {}, {"excluded_terms": frozenset({0})}, None),
        ({"tags": ("x",)}, {}, {"prepayment": Prepayment(tags=frozenset({"x"}))}, "configuration"),
        ({"tags": ("x",)}, {}, {"prepayment": Prepayment(tags=frozenset({"x"}), plan="plan")}, None),
    ],
)
def test_what_configuration_and_people_exclude(claimed, whole, values, source):
    """Each list by itself; a person's word for the customer outweighs lists of customers, for the invoice all of them."""
    one = claim(**claimed)
    found = held(one, case(one, **whole), **values)
    if source is None:
        assert found.reason is Reason.LEVEL_DUE
    else:
        assert (found.outcome, found.facts["source"]) == (Outcome.HOLD, source)
        by = claimed.get("include_by") or whole.get("include_by")
        assert (found.facts.get("by"), found.facts.get("since")) == ((by, on(-1)) if by else (None, None))


@pytest.mark.parametrize(
    ("values", "whole", "reason"),
    [
        ({}, {}, Reason.DIRECT_DEBIT_PENDING),
        ({"returned": True}, {}, Reason.LEVEL_DUE),
        ({"include": "include"}, {}, Reason.LEVEL_DUE),
        ({}, {"include": "include"}, Reason.DIRECT_DEBIT_PENDING),
    ],
)
def test_a_debit_under_way_holds_until_it_comes_back(values, whole, reason):
    """Or until a person includes the invoice; the customer's inclusion is no word about this debit."""
    one = claim(blocks=(Block(Reason.DIRECT_DEBIT_PENDING, source="mandate"),), **values)
    assert held(one, case(one, **whole)).reason is reason


def test_an_inclusion_lifts_exclusions_and_no_other_block():
    """Whichever was read first: the customer's own dispute still holds."""
    for reason, values in (
        (Reason.CUSTOMER_EXCLUDED, {}),
        (Reason.INVOICE_EXCLUDED, {}),
        (Reason.DIRECT_DEBIT_PENDING, {"returned": True}),
    ):
        one = claim(include="include", blocks=(Block(reason), Block(Reason.DISPUTE)), **values)
        assert held(one).reason is Reason.DISPUTE


def test_what_method_and_term_are_excluded_is_told():
    """So that staff sees which line of the configuration it was."""
    found = held(claim(payment_method="PayPal"), excluded_methods=frozenset({"paypal"}))
    assert found.facts["method"] == "PayPal"
    assert held(claim(payment_term_days=0), excluded_terms=frozenset({0})).facts["term"] == 0
