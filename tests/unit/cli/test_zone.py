"""Instants are told in the agency's time zone, whatever zone the machine is in."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.cli import locale
from bridge.cli.out import shown


@pytest.fixture
def berlin(monkeypatch):
    """The zone of a configuration that was read, in a container that lives in UTC."""
    monkeypatch.setattr(locale, "_zones", [])
    monkeypatch.setattr(locale, "_chosen", ["de"])
    locale.tell_time_in(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("instant", "told"),
    [
        (datetime(2026, 10, 24, 22, 30, tzinfo=UTC), "25.10.2026 00:30"),
        (datetime(2026, 10, 25, 23, 30, tzinfo=UTC), "26.10.2026 00:30"),
        (datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "29.03.2026 00:30"),
        (datetime(2026, 3, 29, 22, 30, tzinfo=UTC), "30.03.2026 00:30"),
    ],
)
def test_local_time_on_both_clock_changes(berlin, instant, told):
    """Half past midnight in Berlin is told as such before and after either clock change."""
    assert shown(instant) == told
