"""The history of a case in plain words."""

import pytest

from bridge.app.timeline import entry_text


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("blocked", {"reason": "insolvency"}, "gesperrt: Insolvenz"),
        ("blocked", {"reason": "promise_to_pay", "until": "2026-09-10"}, "gesperrt: Zahlungszusage, bis 10.09.2026"),
        ("chosen", {"setting": "include", "value": "exclude"}, "gewählt: Einschluss ausgenommen"),
        ("chosen", {"setting": "plan", "value": "none"}, "gewählt: Plan none"),
        ("chosen", {"setting": "fee:1", "value": "250"}, "gewählt: Gebühr (Stufe 1) 2,50"),
        ("resend_asked", {"level": 1, "channel": "letter"}, "Stufe 1 soll noch einmal hinaus (Brief)"),
    ],
)
def test_what_people_did_is_told_without_codes(kind, data, told):
    """A block without an end has no "until"; an exclusion is told in words."""
    assert entry_text(kind, data, "", "de") == told
