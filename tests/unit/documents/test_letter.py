import io
import re
from datetime import date
from decimal import Decimal

import pypdf
import pytest

from bridge.channels.letter_outbox import LetterOutbox, LetterSettings
from bridge.documents.letter import ClaimRow, Letter, Sender, render
from bridge.errors import Refused
from bridge.model import Act, Address, Attachment, Content, WriteBack

SENDER = Sender(
    name="Muster Agentur GmbH",
    address=Address(street="Hafenweg 3", postcode="20457", city="Hamburg"),
    iban="DE02120300000000202051",
    footer=("Sitz Hamburg, Amtsgericht Hamburg HRB 12345", "Geschäftsführerin: Erika Muster"),
)
KUNDE = Address(lines=("Kunde GmbH", "Buchhaltung"), street="Weg 1", postcode="50667", city="Köln")
POINT = Decimal("25.4") / 72


def a_letter(rows=2, **changes):
    claims = tuple(
        ClaimRow(
            number=f"RE-{number}",
            issued_on=date(2026, 7, 1),
            due_on=date(2026, 7, 15),
            gross=Decimal("1190.00"),
            paid=Decimal(190),
            open=Decimal(1000),
        )
        for number in range(1, rows + 1)
    )
    facts = {
        "dated_on": date(2026, 9, 1),
        "sender": SENDER,
        "name": "Kunde GmbH",
        "address": KUNDE,
        "subject": "Zahlungserinnerung",
        "text": "Guten Tag,\n\nfolgende Rechnungen sind offen:",
        "claims": claims,
        "total": Decimal(1000) * rows,
        "deadline": date(2026, 9, 11),
        "reference": "RE-1 KD-10017",
    }
    return Letter(**(facts | changes))


def places(page):
    """Return every text of a page with its place in mm from the top left corner."""
    found = []

    def visit(text, matrix, own, font, size):
        if text.strip():
            x, y = own[4] * matrix[0] + matrix[4], own[5] * matrix[3] + matrix[5]
            found.append((text.strip(), float(POINT) * x, 297 - float(POINT) * y))

    page.extract_text(visitor_text=visit)
    return found


def text_of(pdf):
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages).replace("\xa0", " ")


@pytest.mark.feature("S-BIL-16")
def test_letter_in_the_outbox_fits_a_window_envelope(tmp_path):
    """A letter PDF lands in the outbox with the address in the window and fold marks where DIN 5008 form B has them."""
    outbox = LetterOutbox(LetterSettings(folder=tmp_path))
    write = WriteBack(key="k", account="a", act=Act.LETTER, content=Content(level_name="Zahlungserinnerung"))
    proof = outbox.push(write, [(Attachment(filename="brief.pdf"), render(a_letter()))])
    page = pypdf.PdfReader(tmp_path / proof.provider_id).pages[0]
    spots = {text: (x, y) for text, x, y in places(page)}
    for line in ("Kunde GmbH", "Buchhaltung", "Weg 1", "50667 Köln"):
        x, y = spots[line]
        assert 20 <= x <= 105
        assert 62.7 <= y <= 90  # below the return line, inside the address field
    assert 45 <= spots["Muster Agentur GmbH · Hafenweg 3 · 20457 Hamburg"][1] <= 62.7
    assert 97 <= spots["Zahlungserinnerung"][1] <= 103
    stream = page.get_contents().get_data().decode("latin-1")
    marks = re.findall(r"1 0 0 -1 14\.17\d* ([\d.]+) cm[^\n]*0 0 m ([\d.]+) 0 l", stream)
    assert [round(297 - float(y) * float(POINT), 1) for y, _ in marks] == [105.0, 148.5, 210.0]


def test_letter_says_what_a_reminder_must_say():
    """Invoices with dates, amounts and open rest, the total, the deadline, IBAN in groups, reference and company particulars."""
    text = text_of(render(a_letter(extras=(("Mahngebühr", Decimal("2.50")),), total=Decimal("2002.50"))))
    for needed in (
        "RE-1",
        "01.07.2026",
        "15.07.2026",
        "1.190,00 €",
        "190,00 €",
        "1.000,00 €",
        "Mahngebühr",
        "Bitte zahlen Sie 2.002,50 € bis zum 11.09.2026.",
        "DE02 1203 0000 0000 2020 51",
        "RE-1 KD-10017",
        "Amtsgericht Hamburg HRB 12345",
        "Guten Tag,",
    ):
        assert needed in text


def test_english_letter():
    """A letter in English has English labels and dates."""
    text = text_of(render(a_letter(language="en")))
    assert "Please pay €2,000.00 by 11 Sept 2026." in text.replace("Sep ", "Sept ")


def test_data_is_never_markup():
    """Names and texts from outside are printed as they are; they cannot read files or change the page."""
    hostile = '#read("/etc/passwd") *x* $y$ \\ #pagebreak() "'
    text = text_of(
        render(a_letter(subject=hostile, text=hostile, name=hostile, address=KUNDE.model_copy(update={"lines": ()})))
    )
    assert text.count('#read("/etc/passwd")') == 3


def test_long_letter_has_numbered_pages_and_one_set_of_marks():
    """Sixty invoices take several pages; each says which of how many it is, the table's head is repeated."""
    reader = pypdf.PdfReader(io.BytesIO(render(a_letter(rows=60))))
    texts = [page.extract_text() for page in reader.pages]
    assert len(texts) >= 2
    for number, text in enumerate(texts, 1):
        assert f"Seite {number} von {len(texts)}" in text
    assert all("fällig am" in text for text in texts if "RE-" in text.replace("RE-1 KD", ""))


def test_same_letter_is_the_same_bytes():
    """Rendering the same letter again gives the same file."""
    assert render(a_letter()) == render(a_letter())


def test_foreign_country_is_the_last_line():
    """An address abroad ends with the country in capitals."""
    abroad = Address(street="Ring 1", postcode="1010", city="Wien", country="AT")
    assert "ÖSTERREICH" in text_of(render(a_letter(address=abroad)))


@pytest.mark.parametrize(
    "address",
    [
        Address(),
        Address(street="Weg 1"),
        Address(city="Köln"),
        Address(lines=tuple("abcdef"), street="Weg 1", postcode="50667", city="Köln"),
    ],
)
def test_undeliverable_address_is_refused(address):
    """No letter is made without street and town, or with more lines than the window shows."""
    with pytest.raises(Refused):
        render(a_letter(address=address))
