"""What people look back on: versions of plans, and each day's totals."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.errors import UsageError
from tests.unit.dun.stage import Stage, debtor, invoice
from tests.unit.policy.helpers import days

DAY = date(2026, 10, 5)


def test_every_version_of_a_plan_stays_as_it_was(store):
    """Kept once, whatever is written over it later; an unknown version names those there are."""
    first, second = days(3, 14), days(3, 14, 28)
    with store.begin() as conn:
        store.history.keep_plans(conn, [first], DAY)
        store.history.keep_plans(conn, [first, second], DAY + timedelta(days=1))
        kept = store.history.plan_versions(conn, "plan")
        assert [(one.version, one.first_on, one.plan) for one in kept] == [
            (first.version, DAY, first),
            (second.version, DAY + timedelta(days=1), second),
        ]
        assert store.history.plan_version(conn, "plan", first.version).plan.level(2).name_in("de") == "Stufe 2"
        with pytest.raises(UsageError, match=f"has no version 'x'; kept are: {first.version}"):
            store.history.plan_version(conn, "plan", "x")


def test_totals_of_a_day_are_kept_once_and_found_later(store):
    """The last word of a day stands; days without a pull take the last one before, at most a week older; a quiet pull writes nothing."""
    stage = Stage(store)
    stage.tell(DAY, debtor(), invoice(), invoice(2, due_on=DAY, open=Decimal("40.00")))

    def keep(on):
        with store.begin() as conn:
            before = conn.connection.driver_connection.total_changes if store.engine.dialect.name == "sqlite" else 0
            store.history.keep_totals(conn, "main", on)
            after = conn.connection.driver_connection.total_changes if store.engine.dialect.name == "sqlite" else 0
        return after - before

    def on(day):
        with store.reading() as conn:
            return [(one.on, one.total.open, one.total.overdue) for one in store.history.totals_on(conn, "main", day)]

    keep(DAY)
    assert keep(DAY) == 0
    assert on(DAY) == [(DAY, Decimal("140.00"), Decimal("100.00"))]
    stage.tell(DAY, invoice(open=Decimal("60.00")))
    keep(DAY)
    assert on(DAY + timedelta(days=7)) == [(DAY, Decimal("100.00"), Decimal("60.00"))]
    assert on(DAY + timedelta(days=8)) == []
    assert on(DAY - timedelta(days=1)) == []
