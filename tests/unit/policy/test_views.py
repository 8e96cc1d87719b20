"""What is not said counts as nothing: the defaults of everything that rules see and answer."""

from dataclasses import MISSING, fields
from decimal import Decimal

import pytest

from bridge.model import DebtorKind, InvoiceKind, InvoiceStatus
from bridge.policy import views
from bridge.policy.beside import Bundle, Other
from bridge.policy.drafts import ClaimDraft, Item, NoticeDraft, TaskDraft
from bridge.policy.money import Ancillary, ClaimInputs, DueFacts, FeeRules, MoneyRules, Paid
from bridge.policy.money.allocation import Debt
from bridge.policy.money.default import DueSource
from bridge.policy.money.history import Asks, History, Reached, Waived
from bridge.policy.office import Closure, Office
from bridge.policy.replanned import Planned
from bridge.policy.rules import AccountRules, Assignment, Caretaker, Creditor, Prepayment
from bridge.policy.steps import Frame
from bridge.policy.ways import Extra, Way


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (views.Block, {}),
        (views.SendTo, {}),
        (views.NoticeView, {}),
        (views.Running, {}),
        (
            views.ClaimView,
            {"kind": InvoiceKind.INVOICE, "status": InvoiceStatus.OPEN, "currency": "EUR", "amounts_clear": True, "round": 1},
        ),
        (views.CaseView, {"kind": DebtorKind.UNKNOWN, "has_record": True}),
        (views.AccountFacts, {}),
        (views.Hold, {}),
        (views.Basis, {}),
        (views.LocalView, {"round": 1}),
        (views.Abilities, {"provider_fees": True}),
        (History, {}),
        (Reached, {}),
        (ClaimDraft, {}),
        (TaskDraft, {}),
        (NoticeDraft, {}),
        (Paid, {}),
        (Ancillary, {}),
        (Debt, {}),
        (FeeRules, {"consumer_cap": 250}),
        (MoneyRules, {"country": "DE", "interest": True, "day_count": "act/365", "rounding": "segment", "due_source": "invoice_only", "unknown_kind": "unknown"}),
        (ClaimInputs, {"currency": "EUR", "for_consideration": True}),
        (DueFacts, {"kind": DebtorKind.UNKNOWN, "country": "DE", "due_source": DueSource.INVOICE_ONLY}),
        (AccountRules, {"currencies": frozenset({"EUR"}), "language": "de", "staff_language": "de", "minimum_interval_days": 7, "include_by_default": True, "instalment_grace_days": 3, "deferral_days": 14}),
        (Creditor, {"country": "DE"}),
        (Caretaker, {}),
        (Prepayment, {}),
        (Assignment, {}),
        (Closure, {"counts": True}),
        (Office, {"weekdays": frozenset(range(5)), "quiet": frozenset({(12, 24), (12, 31)}), "debtor_holidays": True}),
    ],
)  # fmt: skip
def test_what_is_not_said_is_nothing(kind, expected):
    """Every default is empty, but these, which are what is usual."""
    given = {one.name: one.default for one in fields(kind) if one.default is not MISSING and one.init}
    nothing = {
        name
        for name, one in given.items()
        if isinstance(one, History | Asks | views.AccountFacts) and one == type(one)()
    }
    assert {name: one for name, one in given.items() if one and name not in nothing} == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (views.Decision, {"round": 1}),
        (Asks, {}),
        (Waived, {}),
        (Planned, {}),
        (Item, {}),
        (Other, {}),
        (Bundle, {}),
        (Frame, {"customer": True}),
        (Extra, {}),
        (Way, {}),
    ],
)
def test_what_is_not_said_of_a_small_thing_is_nothing(kind, expected):
    """The same for named tuples."""
    assert {name: value for name, value in kind._field_defaults.items() if value} == expected
    assert Decimal(0) == Debt("x", 1, due=True, since=None).burden
