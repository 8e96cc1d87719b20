"""Which plan a claim has: what a person chose, what is paid in advance, the most specific assignment."""

from itertools import pairwise

import pytest

from bridge.model import Address, DebtorKind
from bridge.policy.assign import assign, is_prepaid
from bridge.policy.rules import Assignment, Prepayment
from tests.unit.policy.helpers import case, claim, days, rules

PARIS = Address(street="Rue 1", postcode="75001", city="Paris", country="FR")
CONDITIONS = (
    ("customers", frozenset({"d"})),
    ("tags", frozenset({"vip"})),
    ("terms_days", frozenset({14})),
    ("gross_from", 10000),
    ("countries", frozenset({"FR"})),
    ("languages", frozenset({"fr"})),
    ("kinds", frozenset({"business"})),
)
"""From the most specific to the least."""
FITS = {"tags": ("vip",), "payment_term_days": 14, "address": PARIS, "language": "fr", "kind": DebtorKind.BUSINESS}


def found(*assignments, one=None, **values):
    its = rules(*(days(3, name=name) for name in "abcd"), assignments=tuple(assignments))
    one = one or claim()
    return assign(case(one, **values), one, its)


@pytest.mark.parametrize("at", range(len(CONDITIONS)))
def test_one_condition_outweighs_all_that_are_less_specific_together(at):
    """Customer before tag, payment term, amount, country, language and kind; whatever was written first."""
    special = Assignment(plan="a", **dict(CONDITIONS[at : at + 1]))
    rest = Assignment(plan="b", **dict(CONDITIONS[at + 1 :]))
    for order in ((special, rest), (rest, special)):
        assert found(*order, **FITS).name == "a"


def test_each_condition_more_is_more_specific():
    """An amount from above counts as one from below; of equals the one written first wins."""
    for (name, value), (other, wanted) in pairwise(CONDITIONS):
        both = Assignment(plan="a", **{name: value, other: wanted})
        assert found(Assignment(plan="b", **{name: value}), both, **FITS).name == "a"
    below = Assignment(plan="c", gross_below=10001)
    assert found(below, Assignment(plan="d", gross_from=10000)).name == "c"
    assert found(Assignment(plan="b", countries=frozenset({"FR"})), below, **FITS).name == "c"


@pytest.mark.parametrize(
    ("condition", "claimed", "values", "fits"),
    [
        ({"customers": frozenset({"d"})}, {}, {}, True),
        ({"customers": frozenset({"10017"})}, {}, {}, True),
        ({"customers": frozenset({"10018"})}, {}, {}, False),
        ({"tags": frozenset({"vip"})}, {}, {"tags": ("vip", "x")}, True),
        ({"tags": frozenset({"vip"})}, {"tags": ("vip",)}, {}, True),
        ({"tags": frozenset({"vip"})}, {"tags": ("x",)}, {}, False),
        ({"terms_days": frozenset({14})}, {"payment_term_days": 14}, {"payment_term_days": 30}, True),
        ({"terms_days": frozenset({14})}, {"payment_term_days": 30}, {"payment_term_days": 14}, False),
        ({"terms_days": frozenset({14})}, {}, {"payment_term_days": 14}, True),
        ({"terms_days": frozenset({0})}, {"payment_term_days": 0}, {"payment_term_days": 14}, True),
        ({"terms_days": frozenset({14})}, {}, {}, False),
        ({"countries": frozenset({"FR"})}, {}, {"address": PARIS}, True),
        ({"countries": frozenset({"DE"})}, {}, {"address": PARIS}, False),
        ({"countries": frozenset({"DE"})}, {}, {}, False),
        ({"languages": frozenset({"fr"})}, {"language": "fr"}, {"language": "de"}, True),
        ({"languages": frozenset({"fr"})}, {}, {"language": "fr"}, True),
        ({"languages": frozenset({"fr"})}, {"language": "de"}, {"language": "fr"}, False),
        ({"kinds": frozenset({"business"})}, {}, {"kind": DebtorKind.BUSINESS}, True),
        ({"kinds": frozenset({"business"})}, {}, {}, False),
        ({"gross_from": 10000}, {}, {}, True),
        ({"gross_from": 10001}, {}, {}, False),
        ({"gross_below": 10001}, {}, {}, True),
        ({"gross_below": 10000}, {}, {}, False),
        ({"gross_from": 1, "gross_below": 10000}, {}, {}, False),
    ],
)
def test_a_condition_fits_or_not(condition, claimed, values, fits):
    """By id or number, by the tags of either, the invoice's own term and language first; amounts from (included) and below."""
    assert found(Assignment(plan="b", **condition), one=claim(**claimed), **values).name == ("b" if fits else "a")


def test_a_plan_says_where_it_comes_from():
    """The invoice's choice before the customer's, before the configuration; its conditions and its line are named."""
    line = Assignment(
        plan="b", tags=frozenset({"vip"}), gross_below=99999, countries=frozenset({"FR"}), where="bridge.yaml:7"
    )
    its = found(line, **FITS)
    assert (its.name, its.because, its.where) == ("b", "tags, countries, amount", "bridge.yaml:7")
    assert found(Assignment(plan="b", gross_from=0)).because == "amount"
    assert found(Assignment(plan="b", where="x")).because == "account"
    chosen = found(line, one=claim(plan="c"), plan="d", **FITS)
    assert (chosen.name, chosen.because) == ("c", "invoice")
    chosen = found(line, plan="d", **FITS)
    assert (chosen.name, chosen.because) == ("d", "customer")
    assert (found().name, found().because) == ("a", "account")


@pytest.mark.parametrize(
    ("marks", "claimed", "values", "prepaid"),
    [
        ({}, {"tags": ("shop",), "payment_method": "paypal"}, {}, False),
        ({"tags": frozenset({"shop"})}, {"tags": ("shop",)}, {}, True),
        ({"tags": frozenset({"shop"})}, {}, {"tags": ("shop",)}, True),
        ({"tags": frozenset({"shop"})}, {"tags": ("x",)}, {"tags": ("y",)}, False),
        ({"methods": frozenset({"paypal"})}, {"payment_method": "PayPal"}, {}, True),
        ({"methods": frozenset({"paypal"})}, {"payment_method": "invoice"}, {}, False),
        ({"methods": frozenset({"paypal"})}, {}, {}, False),
        ({"terms_days": frozenset({0})}, {"payment_term_days": 0}, {}, True),
        ({"terms_days": frozenset({0})}, {}, {}, False),
        ({"terms_days": frozenset({0})}, {}, {"payment_term_days": 0}, True),
    ],
)
def test_what_is_paid_in_advance(marks, claimed, values, prepaid):
    """By a tag of invoice or customer, by how it is paid, by its term; it has a plan of its own, unless a person included it."""
    one = claim(**claimed)
    whole = case(one, **values)
    its = rules(days(3, name="a"), days(7, name="b"), prepayment=Prepayment(**marks, plan="b"))
    assert is_prepaid(whole, one, its) is prepaid
    assert (assign(whole, one, its).name, assign(whole, one, its).because) == (
        ("b", "prepayment") if prepaid else ("a", "account")
    )
    included = claim(**claimed, include="include")
    assert assign(case(included, **values), included, its).name == "a"
    assert assign(case(one, include="include", **values), one, its).name == "a"
    bare = rules(days(3, name="a"), prepayment=Prepayment(**marks))
    assert (assign(whole, one, bare).plan is None) is prepaid
