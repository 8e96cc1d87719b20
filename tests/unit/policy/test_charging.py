"""What a plan asks for and will not get, fees that are not owed or colleagues whom nobody names: said before anything is due."""

from dataclasses import replace

import pytest

from bridge.model import Colleague, DebtorKind, Severity
from bridge.policy.charging import fees_fit
from bridge.policy.colleagues import people_fit
from bridge.policy.money import DueSource, FeeRules, MoneyRules
from bridge.policy.rules import Caretaker
from tests.unit.policy.helpers import level, plan, rules

AGREED = MoneyRules(due_source=DueSource.CONTRACT)
CONSUMERS = FeeRules(consumer_fees=True)


@pytest.mark.feature("S-BIL-7")
@pytest.mark.parametrize(
    ("second", "money", "codes"),
    [
        ({"fee": 5}, MoneyRules(), ["plan_fee_free", "plan_fee_consumers"]),
        ({"fee": 5}, AGREED, ["plan_fee_consumers"]),
        ({"fee": 5}, replace(AGREED, fees=CONSUMERS), []),
        ({"fee": 5}, MoneyRules(fees=CONSUMERS), ["plan_fee_free"]),
        ({"fee": 5, "after_due": 31}, MoneyRules(fees=CONSUMERS), []),
        ({"fee": 5, "after_due": 30}, MoneyRules(fees=CONSUMERS), ["plan_fee_free"]),
        ({"fee": 5, "after_due": 28, "grace_days": 3}, MoneyRules(fees=CONSUMERS), []),
        ({"fee": 5}, replace(MoneyRules(), country="CH"), []),
        ({}, MoneyRules(), []),
    ],
)
def test_a_fee_that_will_not_be_asked_for_is_said_beforehand(second, money, codes):
    """A new user who plans a fee is told by `check` where it comes to nothing, and what to write for it."""
    found = fees_fit(plan(level(1, after_due=3), level(2, **{"after_due": 14, **second})), money)
    assert [one.code for one in found] == codes
    assert {one.severity for one in found} <= {Severity.INFO}
    assert all("claims." in str(one.text) for one in found)


def test_what_put_the_debtor_into_default_before_is_minded():
    """After a letter that creates default a fee is owed; a customer of unknown kind may count as a business."""
    legal = plan(level(1, after_due=3, is_legal_dunning=True), level(2, after_due=14, fee=5))
    (told,) = fees_fit(legal, MoneyRules())
    assert "not known" in str(told.text)
    (told,) = fees_fit(legal, MoneyRules(unknown_kind=DebtorKind.BUSINESS))
    assert "not known" not in str(told.text)


NOTICE = {"channels": ["mail"], "internal_notice": True}
COPY = {"channels": ["mail"], "recipients": {"sales_rep": "bcc"}}
LENA = Caretaker(Colleague(email="lena@example.com"))


@pytest.mark.parametrize(
    ("second", "caretakers", "told"),
    [(NOTICE, (), True), (COPY, (), True), (NOTICE, (LENA,), False), ({"channels": ["mail"]}, (), False)],
)
def test_a_plan_that_needs_colleagues_says_so_where_nobody_is_named(second, caretakers, told):
    """No provider here says who looks after a customer, so `check` names the levels that would tell nobody."""
    its = plan(level(1), level(2, after_due=14, **second))
    found = people_fit(its, replace(rules(its), caretakers=caretakers))
    assert [(one.code, one.severity) for one in found] == ([("plan_colleagues", Severity.WARNING)] if told else [])
