"""The rules of an account: whether they exclude anybody, which plan they name, and their fingerprint."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from bridge.policy import Creditor
from bridge.policy.rules import AccountRules, Assignment, Prepayment
from tests.unit.policy.helpers import days, rules

FIRST = Assignment("plan", customers=frozenset({"1"}))


@pytest.mark.parametrize(
    ("values", "nobody", "one_plan"),
    [
        ({}, True, True),
        ({"assignments": (FIRST,)}, True, False),
        ({"include_by_default": False}, False, False),
        ({"include_by_default": False, "assignments": (FIRST,)}, False, False),
        ({"excluded_customers": frozenset({"1"})}, False, False),
        ({"excluded_customers": frozenset({"1"}), "assignments": (FIRST,)}, False, False),
        ({"excluded_customer_tags": frozenset({"vip"})}, False, False),
        ({"excluded_invoice_tags": frozenset({"vip"})}, False, False),
        ({"excluded_methods": frozenset({"cash"})}, False, False),
        ({"excluded_terms": frozenset({0})}, False, False),
        ({"prepayment": Prepayment(tags=frozenset({"shop"}))}, False, False),
        ({"prepayment": Prepayment(terms_days=frozenset({0}))}, False, False),
        ({"prepayment": Prepayment(methods=frozenset({"paypal"}))}, False, False),
        ({"excluded_customers": frozenset({"1"}), "include_by_default": False}, False, False),
    ],
)
def test_whether_the_configuration_excludes_anybody(values, nobody, one_plan):
    """Any list that takes customers or invoices out counts, and without inclusion by default too; assignments only give other plans."""
    its = rules(days(3), **values)
    assert (its.excludes_nobody, its.has_one_plan) == (nobody, one_plan)


@pytest.mark.parametrize(("name", "found"), [("plan", True), ("none", False), (None, False), ("other", False)])
def test_the_plan_of_a_name(name, found):
    """`none`, no name and a name that nobody has are no plan; the name and the reason stay as they were given."""
    one = rules(days(3), days(5, name="none")).assigned(name, "customer", "a.yaml:3")
    assert (one.plan is not None, one.name, one.because, one.where) == (found, name, "customer", "a.yaml:3")


@pytest.mark.parametrize(
    ("pages", "number", "link"),
    [
        ("https://intern.example/cases", "MA-7", "https://intern.example/cases/MA-7"),
        ("https://intern.example/cases", None, ""),
        ("https://intern.example/cases", "", ""),
        ("", "MA-7", ""),
        ("", None, ""),
    ],
)
def test_a_link_leads_to_a_page_that_is_there(pages, number, link):
    """Only where there are pages, and a case to show."""
    assert rules(days(3), cases_url=pages).case_link(number) == link


def test_the_fingerprint_of_the_rules():
    """The same for the same rules in whatever order; another with each edit, also deep inside them."""
    its = rules(days(3), days(5, name="b"), creditor=Creditor(name="A", particulars={"de": ("x",), "en": ("y",)}))
    turned = rules(days(3), days(5, name="b"), creditor=Creditor(name="A", particulars={"en": ("y",), "de": ("x",)}))
    assert its.version == turned.version == replace(its, plans=dict(reversed(its.plans.items()))).version
    edits = (
        {"plans": {**its.plans, "plan": days(4)}},
        {"creditor": replace(its.creditor, name="B")},
        {"creditor": replace(its.creditor, particulars={"de": ("z",), "en": ("y",)})},
        {"creditor": replace(its.creditor, particulars=MappingProxyType({"de": ("w",)}))},
        {"creditor": replace(its.creditor, particulars=MappingProxyType({"de": ("v",)}))},
        {"excluded_customers": frozenset({"1"})},
        {"minimum": 1},
    )
    assert len(its.version) == 12
    assert len({its.version, *(replace(its, **one).version for one in edits)}) == 1 + len(edits)


def test_what_holds_where_the_configuration_says_nothing():
    """No minimum and no tolerance, a week between letters, no letter for a mail, everybody included, three and fourteen days."""
    its = AccountRules(account="main", plans={"plan": days(3)}, default_plan="plan")
    assert (its.minimum, its.tolerance, its.minimum_interval_days) == (0, 0, 7)
    assert (its.letter_without_email, its.include_by_default, its.payments_limit_days) == (False, True, None)
    assert (its.instalment_grace_days, its.deferral_days) == (3, 14)
    assert its.of_account == its.assigned("plan", "account")
