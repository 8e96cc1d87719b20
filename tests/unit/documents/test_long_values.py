"""Long values of letters: addresses of mail and web, names and numbers stay in their places, broken where a reader would break them."""

import io
import re

import pypdf
import pytest

from bridge.documents.form import FORMS, Style
from bridge.documents.letter import render
from bridge.documents.printable import breakable, lines_of
from tests.unit.documents.samples import SENDER, TEXT, a_letter, a_row, a_table

POINT = 25.4 / 72
LONG_MAIL = "rechnungen.und.mahnungen@gesellschaft-fuer-aussergewoehnliche-werbung.example"
LONG_NAME = (
    "Gesellschaft für außerordentlich lange Firmennamen und deren Vervollständigung mbH & Co. Kommanditgesellschaft"
)


def read(letter):
    return pypdf.PdfReader(io.BytesIO(render(letter))).pages


def lines(page):
    """Return every piece of text of a page as it stands in the PDF: left, right and baseline in mm from the top left corner, and its size.

    Signs are as wide as the font in the file says; typst writes each as two bytes.
    """
    found, now = [], {}
    fonts = {name: wide(one.get_object()) for name, one in page["/Resources"]["/Font"].items()}

    def visit(operator, given, matrix, _):
        if operator == b"Tf":
            now.update(font=fonts[given[0]], size=float(given[1]))
        elif operator == b"TJ":
            right, last = 0.0, b""
            for part in given[0]:
                signs = part.original_bytes if isinstance(part, str) else part if isinstance(part, bytes) else b""
                right += sum(now["font"][signs[at : at + 2]] for at in range(0, len(signs), 2))
                right -= 0 if signs else float(part)
                last = signs[-2:] or last
            right -= (
                now["font"][signs[-2:]] if signs[-2:] == now["font"]["blank"] else 0
            )  # a line's last blank is not seen
            left = POINT * matrix[4]
            found.append((left, left + POINT * now["size"] * right / 1000, 297 - POINT * matrix[5], now["size"]))

    page.extract_text(visitor_operand_before=visit)
    return found


def wide(font):
    """Return how wide each sign of a font is, in thousandths of its size, by the two bytes that stand for it; `blank` is the space."""
    widths, given = {}, iter(font["/DescendantFonts"][0].get_object()["/W"])
    for first in given:
        after = next(given)
        several = isinstance(after, list)
        known = dict(enumerate(after, first)) if several else dict.fromkeys(range(first, after + 1), next(given))
        widths |= {sign.to_bytes(2): float(width) for sign, width in known.items()}
    blank = re.search(rb"<([0-9a-fA-F]{4})> ?<0020>", font["/ToUnicode"].get_object().get_data())
    return widths | {"blank": bytes.fromhex(blank.group(1).decode()) if blank else b""}


@pytest.mark.parametrize("form", ["A", "B"])
@pytest.mark.parametrize(
    "value",
    [
        "buchhaltung@nordlicht.example",
        "buchhaltung@nordlicht-werbeagentur.example",
        LONG_MAIL,
        "https://www.nordlicht-werbeagentur.example/kontakt/forderungen",
        "Dr. Annegret Müller-Lüdenscheidt-Westermann, Forderungsmanagement",
        "W" * 20,
        "x" * 60,
    ],
)
def test_information_block_ends_at_the_edge_of_the_text(form, value):
    """Whatever stands in it, no line of the block reaches beyond the text's right edge, 190 mm, or down to the subject."""
    letter = a_letter(
        style=Style(form=form), info=(("Kundennummer", "10017"), ("Telefon", "040 1234567"), ("E-Mail", value))
    )
    place = FORMS[form]
    (page,) = read(letter)
    block = [one for one in lines(page) if one[0] > 124 and place.info <= one[2] <= place.subject]
    assert [left for left, *_ in block if 124 < left < 126] != []
    assert max(right for _, right, *_ in block) <= 190.05
    assert max(base for *_, base, _ in block) < place.info + 45
    assert value.replace(" ", "") in "".join(page.extract_text().split()).replace("\u200b", "")


@pytest.mark.parametrize("form", ["A", "B"])
def test_an_information_block_with_much_in_it_ends_above_the_subject(form):
    """More lines than its 45 mm have room for are set smaller; the subject is never printed over."""
    contact = "Frau Dr. Annegret Müller-Lüdenscheidt-Westermann, Abteilung Forderungsmanagement und Debitorenbuchhaltung, Zimmer 4.123"
    info = (
        ("Kundennummer", "10017"),
        ("Kontakt", contact),
        ("Telefon", "+49 40 1234567-890 oder 0171 1234567"),
        ("E-Mail", LONG_MAIL),
    )
    block = [
        one for one in lines(read(a_letter(info=info, style=Style(form=form)))[0]) if one[0] > 124 and one[2] < 150
    ]
    block = [one for one in block if FORMS[form].info <= one[2] and one[3] < 9.2]
    assert len(block) > 12
    assert 6 <= min(size for *_, size in block) < max(size for *_, size in block) + 0.1 < 9
    assert max(base for *_, base, _ in block) < FORMS[form].info + 45


@pytest.mark.parametrize(
    ("value", "sizes"),
    [("Lena Vogt", {9}), ("post@agentur.example", {9}), ("buchhaltung@nordlicht.example", {8}), (LONG_MAIL, {9})],
)
def test_an_address_is_set_smaller_only_where_it_then_stands_on_one_line(value, sizes):
    """What fits keeps its size; what is a little too long is set smaller and not broken; what is longer keeps its size, broken."""
    block = [one for one in lines(read(a_letter(info=(("E-Mail", value),)))[0]) if 151 < one[0] < 153 and one[2] < 60]
    shown = block[:-1]  # without the date
    assert {round(size, 1) for *_, size in shown} == sizes
    assert (len(shown) > 1) is (value == LONG_MAIL)


def test_addresses_break_at_their_joints():
    """Mail and web addresses break behind @, strokes and hyphens and before dots, other long words anywhere; short words and amounts nowhere."""
    for text, parts in (
        ("buchhaltung@nordlicht-werbeagentur.example.", "buchhaltung@ nordlicht- werbeagentur .example."),
        ("https://www.nordlicht.example/a?b=c", "https:// www .nordlicht .example/ a? b= c"),
        ("X" * 30, f"{'X' * 12} {'X' * 12} {'X' * 6}"),
        ("post@agentur.example", "post@agentur.example"),
        ("1.000.000.000,00\u00a0EUR\u00a0x\u00a01.000", "1.000.000.000,00\u00a0EUR\u00a0x\u00a01.000"),
    ):
        assert breakable(text).split("\u200b") == parts.split(" ")


def test_lines_are_counted_as_they_break():
    """A column of so many signs takes the words and parts of words that fit into each line."""
    assert lines_of(breakable("kurz"), 10) == 1
    assert lines_of(breakable("buchhaltung@nordlicht-werbeagentur.example"), 30) == 2
    assert lines_of(breakable("drei kurze Worte"), 8) == 3
    assert lines_of(breakable("X" * 30), 10) == 5


@pytest.mark.parametrize("form", ["A", "B"])
@pytest.mark.parametrize("name", [LONG_NAME, "Donaudampfschifffahrtsgesellschaftskapitänswitwenversicherung"])
def test_a_long_company_name_stays_in_the_letterhead(form, name):
    """Without a logo the name stands in the letterhead's 85 mm, above address and information block; a common one keeps its size."""
    letter = a_letter(style=Style(form=form), sender=SENDER.model_copy(update={"name": name}))
    head = [one for one in lines(read(letter)[0]) if one[2] < FORMS[form].head]
    assert len(head) > 1
    assert min(left for left, *_ in head) >= 105 - 0.05
    assert max(right for _, right, *_ in head) <= 191.1  # typst lets a dot hang over
    assert min(base - POINT * size for *_, base, size in head) >= 7
    assert max(base for *_, base, _ in head) <= FORMS[form].head - 4
    (usual,) = [one for one in lines(read(a_letter(style=Style(form=form)))[0]) if one[2] < FORMS[form].head]
    assert usual[3] == 15


@pytest.mark.parametrize(
    "column", [("Zeile",) * 5, (LONG_MAIL, "https://www.gesellschaft-fuer-werbung.example/impressum"), ("x",)]
)
def test_particulars_never_reach_where_printers_cannot_print(column):
    """However many lines the particulars take, on letters of one page and of several, they end at least 7 mm above the paper's edge."""
    sender = SENDER.model_copy(
        update={"footer": (column, ("Sitz Hamburg",), ("Bank",), ("Geschäftsführung: Erika Muster",))}
    )
    long = TEXT.replace("Mit freundlichen", "Zeile.\n\n" * 30 + "Mit freundlichen")
    for text, count in ((TEXT, 1), (long, 2)):
        found = read(a_letter(a_table(a_row(1)), sender=sender, text=text))
        assert len(found) == count
        assert max(base for page in found for *_, base, _ in lines(page)) <= 290
