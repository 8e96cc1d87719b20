"""A run that stops to ask, meets another, stumbles or crashes."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bridge.dun import DunAccount, Order, dun
from bridge.dun import run as running
from bridge.errors import AlreadyRunning, UsageError
from bridge.model import (
    Batch,
    Cursor,
)
from bridge.policy.words import reason
from tests.unit.dun.stage import (
    ABILITIES,
    MONDAY,
    at,
    days_after,
    debtor,
    invoice,
)


@pytest.mark.feature("P-27")
def test_two_runs_at_once(stage):
    """The second run is refused as long as the first one is under way, and nothing is doubled."""
    stage.tell(MONDAY, debtor(), invoice())
    with stage.store.leases.holding("dun", seconds=60), pytest.raises(AlreadyRunning, match="already running"):
        stage.run(MONDAY)
    assert stage.notices() == []
    stage.run(MONDAY)
    assert len(stage.notices()) == 1


def test_a_run_never_goes_back_in_time(stage):
    """A run dated before the last one is refused."""
    stage.run(MONDAY)
    with pytest.raises(UsageError, match="back in time"):
        stage.run(MONDAY - timedelta(days=1))


def test_the_cap_asks_for_one_approval(stage):
    """Three notices with a cap of two: two go out, the third waits with a reason; approved, it follows, and no proposal counts."""
    for number in (1, 2, 3):
        stage.tell(MONDAY, debtor(number), invoice(number, debtor_id=f"d{number}"))
    report = stage.run(MONDAY, max_notices=2)
    assert (report.state, report.waiting_for, len(stage.notices("queued"))) == ("waiting", {"cap"}, 2)
    assert stage.reason("3") == "approval_pending"
    assert stage.next_on("3") == MONDAY
    again = stage.run(MONDAY, max_notices=2)
    assert (again.state, len(stage.notices("queued"))) == ("waiting", 2)  # the next run has room, but nobody approved
    with stage.store.begin() as conn:
        stage.store.runs.approved(conn, report.run_id)
    assert stage.run(MONDAY, max_notices=2, approved=True).state == "done"
    assert len(stage.notices("queued")) == 3


def test_the_cap_counts_over_all_accounts_of_a_run(stage):
    """Two notices in each of two accounts under a cap of three: three go out, one waits."""
    second = replace(stage.rules, account="second")
    with stage.store.begin() as conn:
        stage.store.mirror.accounts.ensure(conn, "second", "test")
    for name in ("main", "second"):
        records = {"debtors": (debtor(1), debtor(2)), "invoices": (invoice(1), invoice(2, debtor_id="d2"))}
        with stage.store.begin() as conn:
            batch = Batch(**records, cursor=Cursor(data={"n": name}))
            stage.store.mirror.write(conn, name, batch, business_date=MONDAY, now=at(MONDAY))
    both = [stage.account, DunAccount(second, ABILITIES)]
    report = dun(stage.store, both, Order(today=MONDAY, at=at(MONDAY), max_notices=3))
    assert (report.state, report.waiting_for, len(stage.notices("queued"))) == ("waiting", {"cap"}, 3)


def test_a_jump_in_the_data_asks_first(stage):
    """After a jump between two pulls nothing goes out until a person has approved."""
    stage.tell(MONDAY, debtor(), invoice())
    with stage.store.begin() as conn:
        stage.store.mirror.accounts.pulled(
            conn, "main", at=at(MONDAY), full=False, totals=None, jump={"count": [30, 6]}
        )
    report = stage.run(MONDAY)
    assert (report.state, report.waiting_for, stage.notices()) == ("waiting", {"jump"}, [])
    assert stage.run(MONDAY, approved=True).counts["notices"] == 1


@pytest.mark.parametrize(
    ("jump", "german", "english"),
    [
        (
            {"count": [30, 42], "EUR": ["9800.00", "120.50"]},
            "wartet auf Freigabe: offene Rechnungen 30 -> 42, EUR 9800,00 -> 120,50",
            "waits for approval: open invoices 30 -> 42, EUR 9800.00 -> 120.50",
        ),
        (
            {"left": ["alt", "älter"]},
            "wartet auf Freigabe: neu hier, während alt, älter",
            "waits for approval: new here, while alt, älter",
        ),
    ],
)
def test_what_jumped_is_told_in_words_of_both_languages(stage, jump, german, english):
    """Whoever reads the plan sees what moved, not how it is stored."""
    stage.tell(MONDAY, debtor(), invoice())
    with stage.store.begin() as conn:
        stage.store.mirror.accounts.pulled(conn, "main", at=at(MONDAY), full=False, totals=None, jump=jump)
    stage.run(MONDAY)
    with stage.store.reading() as conn:
        found = stage.store.runs.decided(conn, "main", ["1"])["1"]
    assert reason(found.reason, "de", found.detail["facts"]).startswith(german)
    assert reason(found.reason, "en", found.detail["facts"]).startswith(english)


def test_a_crash_leaves_the_rest_due(stage, monkeypatch):
    """A run that dies keeps what its transactions stored; it is shown as failed, and the next one goes on."""
    for number in (1, 2, 3):
        stage.tell(MONDAY, debtor(number), invoice(number, debtor_id=f"d{number}"))
    monkeypatch.setattr("bridge.dun.run.CHUNK", 1)
    insert, calls = stage.store.outbox.insert, []

    def dying(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return insert(*args, **kwargs)

    monkeypatch.setattr(stage.store.outbox, "insert", dying)
    with pytest.raises(KeyboardInterrupt):
        stage.run(MONDAY)
    with stage.store.reading() as conn:
        assert [one.state for one in stage.store.runs.listing(conn, kind="dun")] == ["failed"]
    assert len(stage.notices()) == 1
    monkeypatch.undo()
    stage.run(MONDAY)
    assert sorted(one.debtor_id for one in stage.notices()) == ["d1", "d2", "d3"]


def test_cost_follows_what_is_due(lone):
    """Of many open invoices only those that are due are decided on."""
    far = [invoice(number, debtor_id=f"d{number}", due_on=date(2026, 12, 1)) for number in range(2, 200)]
    lone.tell(MONDAY, *(debtor(number) for number in range(1, 200)), invoice(1), *far)
    lone.run(MONDAY)
    report = lone.run(days_after(1))
    assert report.counts == {}


def test_a_debtor_over_whom_the_rules_stumble_stops_no_other(stage, monkeypatch):
    """The others are decided; the run is listed as failed with the customer's name, and the next one takes that customer up again."""
    stage.tell(MONDAY, *(debtor(one) for one in (1, 2, 3)), *(invoice(one, debtor_id=f"d{one}") for one in (1, 2, 3)))
    composed = running.compose

    def stumbles(case, *more):
        if case.debtor_id == "d2":
            raise KeyError("plan")
        return composed(case, *more)

    monkeypatch.setattr(running, "compose", stumbles)
    assert stage.run(MONDAY).counts == {"escalate": 2, "notices": 2, "undecided": 1}
    assert [one.debtor_id for one in stage.notices()] == ["d1", "d3"]
    with stage.store.reading() as conn:
        [run] = stage.store.runs.listing(conn, kind="dun")
    assert (run.state, run.cause) == ("failed", "undecided")
    assert "main, d2: KeyError" in run.error
    monkeypatch.undo()
    stage.run(MONDAY)
    assert [one.debtor_id for one in stage.notices()] == ["d1", "d3", "d2"]
