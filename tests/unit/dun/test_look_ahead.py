"""The look ahead that `status` counts from: it costs what is due, and says what a run would do."""

from datetime import timedelta

import pytest

from bridge.dun import run as running
from tests.unit.dun.stage import MONDAY, Stage, debtor, invoice
from tests.unit.policy.helpers import days, rules


@pytest.fixture
def stage(sqlite_store):
    """Three debtors; the invoice of the first one is due for a reminder, the others were decided and wait."""
    made = Stage(sqlite_store, rules(days(3, 14)))
    made.tell(MONDAY, *(debtor(number) for number in (1, 2, 3)))
    late, later = MONDAY - timedelta(days=20), MONDAY + timedelta(days=20)
    made.tell(MONDAY, *(invoice(number, debtor_id=f"d{number}", due_on=later) for number in (2, 3)))
    made.run(MONDAY)
    made.tell(MONDAY, invoice(1, due_on=late))
    return made


@pytest.fixture
def decided(monkeypatch):
    """The invoices that were decided about, in order."""
    asked, decide = [], running.decide_claim

    def counted(case, claim, *more, **named):
        asked.append(claim.invoice_id)
        return decide(case, claim, *more, **named)

    monkeypatch.setattr(running, "decide_claim", counted)
    return asked


def test_only_what_is_due_is_looked_at(stage, decided):
    """One invoice is due: one decision, however many are open, and the notice that a run would make."""
    report = stage.plan(MONDAY)
    assert decided == ["1"]
    assert [one.draft.debtor_id for one in report.notices] == ["d1"]
    stage.run(MONDAY)
    decided.clear()
    assert stage.plan(MONDAY).notices == []
    assert decided == []


def test_changed_rules_concern_all(stage, decided):
    """Another plan may bring up any invoice: until a run has decided by it, all of them are looked at."""
    stage.run(MONDAY)
    stage.rules = rules(days(5, 10))
    decided.clear()
    stage.plan(MONDAY)
    assert sorted(set(decided)) == ["1", "2", "3"]
    stage.run(MONDAY)
    decided.clear()
    stage.plan(MONDAY)
    assert decided == []
