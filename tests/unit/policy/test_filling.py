"""What the variables of a text say to the debtor: dates, numbers, people, accounts."""

from dataclasses import replace

import pytest

from bridge.model import Colleague
from bridge.policy import Creditor
from tests.unit.policy.helpers import case, claim, level, plan, rules
from tests.unit.policy.together import GROUP, HOME, LENA, ago, made

EACH = "{% for one in items %}{{ one.number }}: {{ one.days_overdue }};{% endfor %}"


def said(body, whole, *, language="de", trigger=None, creditor=None, **values):
    """The first line of a notice whose text is `body`."""
    its = rules(
        plan(level(1, **trigger or {"after_due": 3}, texts={language: {"subject": "x", "body": body}}), **values),
        creditor=creditor or Creditor(),
    )
    return made(replace(whole, address=HOME), its)[0].content.text.partition("\n")[0].strip()


@pytest.mark.parametrize(
    ("values", "trigger", "days"),
    [
        ({"due_on": ago(4)}, {"after_due": 3}, "4"),
        ({"due_on": ago(-5)}, {"before_due": 5}, "0"),
    ],
)
def test_days_overdue_are_never_less_than_none(values, trigger, days):
    """Days since the due date, of the whole and of each invoice; none before it."""
    text = said(f"<{{{{ days_overdue }}}}> {EACH}", case(claim(**values)), trigger=trigger)
    assert text == f"<{days}> RE-1: {days};"


def test_a_bundle_names_the_oldest_dates_and_the_most_days():
    """Whichever invoice comes first, of several the oldest issue and due date are named, and what is late is counted from there."""
    one = claim(invoice_id="1", due_on=ago(9), issued_on=ago(12))
    two = claim(invoice_id="2", due_on=ago(6), issued_on=ago(20))
    for order in ((one, two), (two, one)):
        text = said(
            "{{ invoice_date }} {{ due_date }} {{ days_overdue }} {{ several }} " + EACH, case(*order), bundling=GROUP
        )
        assert text == "15.09.2026 26.09.2026 9 True RE-1: 9;RE-2: 6;"


@pytest.mark.parametrize(("number", "shown"), [("10017", "10017"), (None, ""), ("", "")])
def test_numbers_that_are_not_there_are_empty(number, shown):
    """Customer and case number as they are; what is missing leaves a gap, never the word None."""
    text = said("<{{ customer_number }}><{{ case_number }}>", case(number=number, case_number=number))
    assert text == f"<{shown}><{shown}>"


@pytest.mark.parametrize(
    ("people", "shown"),
    [
        ((LENA,), "Lena <lena@example.com>"),
        ((Colleague(email="lena@example.com"),), "lena@example.com <lena@example.com>"),
        ((Colleague(email="a@example.com", name="A"), LENA), "Lena <lena@example.com>"),
        ((), " <>"),
    ],
)
def test_who_of_ours_looks_after_the_customer(people, shown):
    """The account owner by name, else by address; with nobody named both stay empty."""
    body = "({{ account_owner }} <{{ account_owner_email }}>)"
    assert said(body, case(colleagues=people)) == f"({shown})"


@pytest.mark.parametrize(
    ("iban", "shown"),
    [
        ("DE89370400440532013000", "DE89 3704 0044 0532 0130 00"),
        ("NO9386011117947", "NO93 8601 1117 947"),
        ("BE68539007547034", "BE68 5390 0754 7034"),
        ("", ""),
    ],
)
def test_an_iban_stands_in_groups_of_four(iban, shown):
    """As it is printed everywhere: four signs and a space, from the first to the last, and none is lost."""
    assert said("<{{ iban }}>", case(), creditor=Creditor(name="A", iban=iban)) == f"<{shown}>"


def test_one_invoice_is_not_several():
    """A notice over a single invoice speaks of one."""
    assert said("{% if several %}Rechnungen{% else %}Rechnung{% endif %}", case()) == "Rechnung"


@pytest.mark.parametrize(("number", "shown"), [("RE-7", "RE-7"), (None, "7")])
def test_an_invoice_is_named_by_its_number_else_by_its_id(number, shown):
    """The number that the debtor knows, and its amount; where the provider has none, what it goes by there."""
    text = said("{{ invoice_number }}: {{ open_amount }}, {{ total }}", case(claim(invoice_id="7", number=number)))
    assert text == f"{shown}: 100,00\u00a0EUR, 100,00\u00a0EUR"
