"""The words of fees, default and remarks, in both languages."""

from datetime import date

import pytest

from bridge.policy.money import Ancillary, AncillaryKind, FlatFeeReason, Note, NoteCode
from bridge.policy.money.default import DefaultStart
from bridge.policy.money.words import ancillary, default_start, flat_fee, note

DAY = date(2026, 10, 1)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "01.10.2026: vereinbarter Zahlungstermin"),
        ("en", "1 October 2026: date of payment agreed"),
    ],
)
def test_since_when_and_why_somebody_is_in_default(language, said):
    """The day as the language writes it, and the rule."""
    assert default_start(DefaultStart(DAY, DAY, "a"), language) == said


@pytest.mark.parametrize(
    ("reason", "language", "said"),
    [
        (FlatFeeReason.OWED, "de", "geschuldet"),
        (FlatFeeReason.CONSUMER, "en", "not from consumers"),
        (None, "de", ""),
        (None, "en", ""),
    ],
)
def test_why_the_flat_fee_is_owed_or_not(reason, language, said):
    """Nothing where it is not asked for."""
    assert flat_fee(reason, language) == said


@pytest.mark.parametrize(
    ("absorbed", "language", "covered"),
    [
        (0, "de", None),
        (0, "en", None),
        (1, "de", "0,01"),
        (500, "de", "mit 5,00"),
        (500, "en", "covered by the flat fee"),
    ],
)
def test_what_the_flat_fee_covers_of_a_cost_is_said(absorbed, language, covered):
    """From the first cent on; that it is outside VAT is said always."""
    said = ancillary(Ancillary(AncillaryKind.COST, 900, DAY, "Auskunft", absorbed), "EUR", language)
    assert ("ohne Umsatzsteuer" if language == "de" else "outside VAT") in said
    assert ("Verzugspauschale" in said or "flat fee" in said) is (covered is not None)
    assert covered is None or covered in said


@pytest.mark.parametrize(
    ("one", "language", "parts"),
    [
        (Note(NoteCode.UNDATED_REDUCTION, {"amount": 1250}), "de", ["sind 12,50"]),
        (Note(NoteCode.NOT_IN_DEFAULT, {"on": DAY}), "de", ["noch nicht in Verzug, Verzug ab 01.10.2026"]),
        (Note(NoteCode.NOT_IN_DEFAULT), "de", ["noch nicht in Verzug"]),
        (Note(NoteCode.NO_RULES, {"country": "FR"}), "en", ["the law of FR:"]),
    ],
)
def test_facts_of_a_remark_are_written_by_what_they_are(one, language, parts):
    """Cents as money, days as days, and words as they are."""
    said = note(one, "EUR", language)
    assert all(part in said for part in parts), said
    assert "None" not in said
    assert "[" not in said
