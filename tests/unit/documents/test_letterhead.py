"""From the configuration to the letter: which words stand around an operator's own text."""

from datetime import date

import pytest

from bridge.app.letterhead import letter_of, particulars
from bridge.config import Creditor
from bridge.documents.form import Style
from bridge.model import Content, Debtor
from tests.unit.documents.samples import KUNDE, TEXT, a_table, to_pay
from tests.unit.documents.test_letter import text_of

OWN = Creditor(name="A GmbH", phone="040 1", managers=("Erika Muster",), email="post@a.example")


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ("Kundennummer", "Telefon", "Geschäftsführung: ", "Rechnung", "Datum")),
        ("en", ("Customer number", "Telephone", "Managing directors: ", "Invoice", "Date")),
        ("fr", ("Customer number", "Telephone", "Managing directors: ", "Invoice", "Date")),
    ],
)
def test_one_letter_has_labels_of_one_language(language, words):
    """Information block, table and particulars are in the text's language; for a text in a third one, all of them in English."""
    table = a_table()
    content = Content(
        subject="x", text=TEXT, language=language, address=KUNDE, table=table, payment=to_pay(table), total=table.total
    )
    debtor = Debtor(id="1", number="10017", name="Kunde GmbH")
    printed = text_of(letter_of(content, OWN, Style(), debtor, today=date(2026, 9, 1)))
    assert [word for word in words if word not in printed] == []
    assert any("Erika Muster" in line and words[2] in line for column in particulars(OWN, language) for line in column)
