"""Who of ours looks after a customer, and who of them gets a copy."""

import pytest

from bridge.model import Colleague
from bridge.policy.colleagues import account_owner, copies
from tests.unit.policy.helpers import case, days, level, plan, rules
from tests.unit.policy.together import LENA

MAX, EVA = Colleague(email="max@example.com", name="Max"), Colleague(email="eva@example.com")


@pytest.mark.parametrize(
    ("people", "owner"), [((), None), ((MAX,), MAX), ((MAX, EVA), MAX), ((MAX, LENA), LENA), ((LENA, MAX), LENA)]
)
def test_the_account_owner_is_the_sales_representative_else_the_first(people, owner):
    """Whoever is named first, a sales representative goes before them; with nobody named there is none."""
    assert account_owner(case(colleagues=people), rules(days(3))) == owner


@pytest.mark.parametrize(
    ("rule", "open_", "hidden"),
    [
        ({}, (), ()),
        ({"sales_rep": "cc"}, ("lena@example.com",), ()),
        ({"sales_rep": "bcc"}, (), ("lena@example.com",)),
        ({"colleagues": "cc"}, ("lena@example.com", "max@example.com"), ()),
        ({"colleagues": "bcc"}, (), ("lena@example.com", "max@example.com")),
        ({"sales_rep": "cc", "colleagues": "bcc"}, ("lena@example.com",), ("max@example.com",)),
        ({"sales_rep": "bcc", "colleagues": "cc"}, ("max@example.com",), ("lena@example.com",)),
    ],
)
def test_who_of_ours_gets_a_copy(rule, open_, hidden):
    """The sales representative as wanted for them, else like all colleagues; seen or unseen, and nobody where it is not wanted."""
    its = rules(plan(level(1, recipients=rule)))
    one = its.plans["plan"].levels[0]
    assert copies(case(colleagues=(MAX, LENA)), one, its) == (open_, hidden)
    assert copies(case(), one, its) == ((), ())
