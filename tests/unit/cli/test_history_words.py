"""The history of a case in plain words."""

import pytest

from bridge.app.timeline import entry_text


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("blocked", {"reason": "insolvency"}, "gesperrt: Insolvenz"),
        ("blocked", {"reason": "promise_to_pay", "until": "2026-09-10"}, "gesperrt: Zahlungszusage, bis 10.09.2026"),
        ("chosen", {"setting": "include", "value": "exclude"}, "gewählt: Einschluss ausgenommen"),
        ("chosen", {"setting": "include", "value": "default"}, "gewählt: Einschluss wie in der Konfiguration"),
        ("chosen", {"setting": "hand_over", "value": "early"}, "gewählt: Übergabe an das Inkasso ohne weitere Mahnung"),
        (
            "chosen",
            {"setting": "hand_over", "value": "last"},
            "gewählt: Übergabe an das Inkasso nach der letzten Mahnung",
        ),
        ("chosen", {"setting": "contact", "value": "2026-09-13"}, "gewählt: Kontakt von Hand 13.09.2026"),
        ("chosen", {"setting": "plan", "value": "early"}, "gewählt: Plan early"),
        ("chosen", {"setting": "plan", "value": "none"}, "gewählt: Plan none"),
        ("chosen", {"setting": "fee:1", "value": "250"}, "gewählt: Gebühr (Stufe 1) 2,50"),
        ("levels_skipped", {"skipped": [1], "by": "Erika", "level": 2}, "Stufe 1 übersprungen durch Erika"),
        ("levels_skipped", {"skipped": [1, 2], "by": "Erika", "level": 3}, "Stufen 1, 2 übersprungen durch Erika"),
        ("notice_landed", {"level": 2, "level_name": "Mahnung", "channel": "mail"}, "gemahnt: Stufe 2 Mahnung"),
        (
            "notice_landed",
            {"level": 5, "level_name": "Inkasso", "channel": "collection"},
            "geht ans Inkasso: Stufe 5 Inkasso",
        ),
        ("notice_landed", {"level": 2, "level_name": "Anruf", "channel": "call"}, "Anruf erledigt, Stufe 2 Anruf"),
        ("instalments_agreed", {"count": 1, "until": "2026-09-10"}, "Zahlung in einer Rate vereinbart, bis 10.09.2026"),
        ("instalments_agreed", {"count": 3, "until": "2026-09-10"}, "Ratenzahlung vereinbart, 3 Raten bis 10.09.2026"),
        ("resend_asked", {"level": 1, "channel": "letter"}, "Stufe 1 soll noch einmal hinaus (Brief)"),
    ],
)
def test_what_people_did_is_told_without_codes(kind, data, told):
    """A block without an end has no "until"; an exclusion is told in words."""
    assert entry_text(kind, data, "", "de").lstrip(": ") == told
