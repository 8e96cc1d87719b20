"""Amounts and rates never break: between a number and what it counts stands a space at which no line ends, in text, mail and letter."""

import re
from datetime import date
from decimal import Decimal

import pytest

from bridge.documents.mail import html
from bridge.model import Content
from bridge.policy.claim_text import claim_lines, form_of
from bridge.policy.money import words
from bridge.policy.money.interest import Part, Segment
from tests.unit.documents.samples import FEE, INTEREST, TEXT, a_letter, a_row, a_table, to_pay
from tests.unit.documents.test_letter import text_of

BREAKABLE = re.compile(r"\d(?:[ \n\t]|&#32;)+(?:%|EUR)")
SEGMENT = Segment(
    date(2026, 7, 16), date(2026, 9, 1), 100000, Decimal("1.52"), Decimal(9), Decimal("10.52"), (Part(48, 365),), 1383
)


@pytest.fixture(params=["de", "en"])
def content(request):
    """A notice with interest by formula, a fee and how to pay, in either language."""
    row = INTEREST.model_copy(update={"formula": words.computation(SEGMENT, "EUR", request.param)})
    table = a_table(a_row(1, ancillaries=(FEE,), interest_rows=(row,)), a_row(2), law="BGB 288(2)")
    return Content(
        subject="x", text=TEXT, table=table, payment=to_pay(table), total=table.total, language=request.param
    )


def test_no_line_of_a_text_or_mail_ends_inside_an_amount_or_a_rate(content):
    """Every amount with its currency and every rate with its sign is one word, in the plain text and in the page of the mail."""
    plain, page = claim_lines(content.table, form_of(content)), html(content)
    for told in (plain, page.replace("&nbsp;", "\u00a0")):
        assert BREAKABLE.findall(told) == []
        assert "9.00\u00a0%" in told.replace(",", ".")
        assert re.search(r"\d\u00a0EUR|EUR\u00a0\d", told)


def test_no_line_of_a_letter_ends_inside_an_amount_or_a_rate():
    """Whatever stands before it in its cell, the formula breaks elsewhere."""
    formula = words.computation(SEGMENT, "EUR", "de")
    rows = [INTEREST.model_copy(update={"formula": f"{'i' * width} {formula}"}) for width in range(2, 60, 3)]
    told = text_of(a_letter(a_table(a_row(1, interest_rows=rows), law="BGB 288(2)")))
    assert told.count("9,00 %") == len(rows)
    assert re.findall(r"\d\s*\n\s*(?:%|EUR)", told) == []
