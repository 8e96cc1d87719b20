import io
import re
from datetime import date
from decimal import Decimal

import pypdf
import pytest

from bridge.channels.letter_outbox import LetterOutbox, LetterSettings
from bridge.documents.form import Style
from bridge.documents.letter import pictures, render
from bridge.documents.printable import plain
from bridge.documents.qr import encode
from bridge.documents.signs import _COMMON, unprintable
from bridge.documents.typesetting import lacking
from bridge.errors import Refused
from bridge.model import Act, Address, Attachment, Content, WriteBack
from tests.unit.documents.samples import FEE, INTEREST, KUNDE, NOT_DUE, SENDER, TEXT, a_letter, a_row, a_table, to_pay
from tests.unit.documents.scanner import pixels, scan_page
from tests.unit.documents.tiny_font import SIGN, TINY

POINT = 25.4 / 72
HOSTILE = '#read("/etc/passwd") *x* $y$ \\ #pagebreak() " \u202e\x00\ue000\ufeff\U0001f338'


def places(page):
    """Return every text of a page with its place in mm from the top left corner."""
    found = []

    def visit(text, matrix, own, font, size):
        if text.strip():
            x, y = own[4] * matrix[0] + matrix[4], own[5] * matrix[3] + matrix[5]
            found.append((text.strip(), POINT * x, 297 - POINT * y))

    page.extract_text(visitor_text=visit)
    return found


def spots(letter):
    return {text: (x, y) for text, x, y in places(pypdf.PdfReader(io.BytesIO(render(letter))).pages[0])}


def marks(page):
    stream = page.get_contents().get_data().decode("latin-1")
    found = re.findall(r"1 0 0 -1 14\.17\d* ([\d.]+) cm[^\n]*0 0 m ([\d.]+) 0 l", stream)
    return [round(297 - float(y) * POINT, 1) for y, _ in found]


def pages(letter):
    return [page.extract_text().replace("\xa0", " ") for page in pypdf.PdfReader(io.BytesIO(render(letter))).pages]


def text_of(letter):
    return "\n".join(pages(letter))


@pytest.mark.feature("S-BIL-16")
def test_letter_in_the_outbox_fits_a_window_envelope(tmp_path):
    """A letter PDF lands in the outbox with the address in the window and fold marks where DIN 5008 form B has them."""
    outbox = LetterOutbox(LetterSettings(folder=tmp_path))
    write = WriteBack(key="k", account="a", act=Act.LETTER, content=Content(level_name="Zahlungserinnerung"))
    proof = outbox.push(write, [(Attachment(filename="brief.pdf"), render(a_letter()))])
    page = pypdf.PdfReader(tmp_path / proof.provider_id).pages[0]
    found = {text: (x, y) for text, x, y in places(page)}
    for line in ("Kunde GmbH", "Buchhaltung", "Weg 1", "50667 Köln"):
        x, y = found[line]
        assert 20 <= x <= 105
        assert 62.7 <= y <= 90  # below the return line, inside the address field
    assert 45 <= found["Muster Agentur GmbH · Hafenweg 3 · 20457 Hamburg"][1] <= 62.7
    assert 97 <= found["Zahlungserinnerung"][1] <= 103
    assert found["Kundennummer"][0] >= 125
    assert marks(page) == [105.0, 148.5, 210.0]


def test_form_a_is_eighteen_mm_higher():
    """Form A has its window at 27 mm, its subject at 80 mm and its fold marks at 87 and 192 mm."""
    letter = a_letter(style=Style(form="A"))
    found = spots(letter)
    assert 44.7 <= found["Kunde GmbH"][1] <= 72
    assert 79 <= found["Zahlungserinnerung"][1] <= 85
    assert marks(pypdf.PdfReader(io.BytesIO(render(letter))).pages[0]) == [87.0, 148.5, 192.0]


def test_margins_of_the_text_are_a_setting_and_the_window_is_not():
    """Other margins move the text; address and marks stay where the envelope wants them."""
    found = spots(a_letter(style=Style(left=35, fold_marks=False)))
    assert round(found["Guten Tag,"][0]) == 35
    assert round(found["Kunde GmbH"][0]) == 25
    assert marks(pypdf.PdfReader(io.BytesIO(render(a_letter(style=Style(fold_marks=False))))).pages[0]) == []


def test_letter_says_what_a_reminder_must_say():
    """Invoices with dates, amounts and open rest, ancillary claims and interest one by one, total, deadline, account, particulars."""
    row = a_row(1, ancillaries=(FEE,), interest_rows=(INTEREST,))
    text = text_of(a_letter(a_table(row, a_row(2), law="BGB 288(2)", mentions=(NOT_DUE,))))
    for needed in (
        "RE-1",
        "01.07.2026",
        "15.07.2026",
        "1.190,00",
        "190,00",
        "1.000,00",
        "Mahngebühr (ohne Umsatzsteuer)",
        "Verzugszinsen 16.07.2026 bis 01.09.2026, 48 Tage: 1.000,00 EUR x (1,52 % + 9,00 %) x 48/365",
        "13,83",
        "Hauptforderung",
        "2.000,00 EUR",
        "Nebenforderungen",
        "2.016,33 EUR",
        "§ 288 Abs. 2 BGB; Zinsen bis 01.09.2026",
        "Nur zur Information",
        "RE-99",
        "noch nicht fällig",
        "Zahlbar bis",
        "11.09.2026",
        "DE02 1203 0000 0000 2020 51",
        "RE-1 RE-2 KD-10017",
        "Amtsgericht Hamburg HRB 12345",
        "Guten Tag,",
    ):
        assert needed in text


def test_table_and_account_stand_where_the_text_wants_them():
    """The text says where the table and the account go; a text that names neither gets both at its end."""
    text = text_of(a_letter())
    order = [text.index(word) for word in ("sind offen:", "Gesamtbetrag", "Bitte zahlen", "IBAN", "Mit freundlichen")]
    assert order == sorted(order)
    plain = text_of(a_letter(text="Guten Tag,\n\nbitte zahlen Sie."))
    order = [plain.index(word) for word in ("bitte zahlen", "Gesamtbetrag", "IBAN")]
    assert order == sorted(order)


def test_credit_notes_have_a_column_of_their_own():
    """Where something was credited, the table says how much; else there is no such column."""
    assert "gutgeschr." not in text_of(a_letter())
    text = text_of(a_letter(a_table(a_row(1, credited="30.00"))))
    assert "gutgeschr." in text
    assert "30,00" in text
    assert "970,00 EUR" in text


def test_english_and_swiss_letters():
    """A letter in English has English labels and dates; one from Switzerland writes amounts as they do there, and ss for ß."""
    text = text_of(a_letter(language="en"))
    assert "EUR 2,000.00" in text
    assert "11 September 2026" in text
    assert "Payable by" in text
    table = a_table(a_row(1, gross="12345.00", paid="0.00"), currency="CHF")
    swiss = text_of(a_letter(table, country="CH", address=KUNDE.model_copy(update={"country": "CH"})))
    assert "CHF 12'345.00" in swiss
    assert "SCHWEIZ" not in swiss  # at home there


def test_data_is_never_markup():
    """Names and texts from outside are printed as they are; they cannot read files, change the page or turn its reading direction."""
    letter = a_letter(
        a_table(a_row(1, number=HOSTILE)),
        subject=HOSTILE,
        text=HOSTILE,
        name=HOSTILE,
        address=KUNDE.model_copy(update={"lines": (HOSTILE,)}),
        info=((HOSTILE, HOSTILE),),
        sender=SENDER.model_copy(update={"footer": ((HOSTILE,),)}),
    )
    text = re.sub(r"\s", "", text_of(letter)).replace("\u200b", "")
    assert text.count('#read("/etc/passwd")*x*$y$') == 7
    assert "\u202e" not in text


def named(*lines):
    return a_letter(address=KUNDE.model_copy(update={"lines": lines}))


@pytest.mark.parametrize(
    "name",
    [
        "Żółć Ğüneş Nguyễn Sp. z o.o.",
        "Київ Ελλάδα ΑΕ",
        "ТОВ «ґанки» Қазақ",
        "საქართველო",
        "Հայաստան",
        "→ ✓ € №",
        "ʃəŋ",
        "Z\u0325urich",
    ],
)
def test_names_in_other_writing_are_printed_by_a_font_that_has_every_letter(name):
    """Latin with all accents, Greek, Cyrillic, Georgian and Armenian stand in the letter as they are, and are found by their text."""
    found = text_of(named(name))
    assert all(sign in found for sign in name)


def test_names_from_the_right_are_printed_and_joined():
    """Arabic and Hebrew are set from right to left; each has all its letters."""
    for name in ("شركة النور", "חברת אור"):
        assert sorted(set(name) - set(text_of(named(name)))) == []


@pytest.mark.parametrize(
    "name",
    [
        "王小明",
        "株式会社さくら",
        "주식회사",
        "บริษัท",
        "नमस्ते",
        "বাংলা",
        "አማርኛ",
        "𝓤𝓷𝓲",
        "\U0001f338\U0001f338",
        "\U0001f338 \U0001f339",
    ],
)
def test_letters_that_no_font_has_refuse_the_letter_by_name(name):
    """What cannot be printed, or not joined as its writing demands, is said sign by sign: no letter has boxes, half a name or none."""
    with pytest.raises(Refused, match=r"letters\.fonts") as refused:
        render(named(f"{name}", "Buchhaltung"))
    assert refused.value.cause == "letter_characters"
    assert all(sign in str(refused.value) for sign in name)


@pytest.mark.parametrize(
    ("name", "missing"),
    [("王小明 GmbH", "王小明"), ("\U0001f338 \U0001f339", "\U0001f338\U0001f339"), ("\U0001f338 Blumen", ""), ("Ćwikła Ελλάδα Ёж – №", "")],
)  # fmt: skip
def test_what_a_letter_would_refuse_is_known_without_setting_it(tmp_path, name, missing):
    """Signs of a name that would refuse the letter, and none where it would be printed; a font that has them changes that."""
    (tmp_path / "tiny.ttf").write_bytes(TINY)
    assert unprintable((name, "Buchhaltung", name), None) == missing
    assert unprintable((name,), tmp_path) == missing.replace(SIGN, "")


def test_common_writing_needs_no_look():
    """Every sign that is taken for printable without asking is printed by the letter's own fonts, plain and bold."""
    signs = (chr(number) for number in range(0x20, 0x2100))
    common = [sign for sign in signs if _COMMON.fullmatch(sign) and plain(f"a{sign}b") == f"a{sign}b"]
    assert len(common) > 1000
    assert lacking(" ".join(common), None) == ""


def test_symbols_beside_a_name_are_left_out():
    """A flower in a name that can be read without it leaves no box and no hole."""
    assert "Café GmbH" in text_of(named("Café \U0001f338 GmbH"))
    assert "Blumen\nBuchhaltung" in text_of(named("\U0001f338Blumen\U0001f469\u200d\U0001f469", "Buchhaltung"))


def test_everything_at_its_longest_is_printed_whole_or_refused(tmp_path):
    """A subject of 300 signs over sixty invoices with long numbers is set on numbered pages inside the paper; 35 lines of address are refused."""
    subject = " ".join(f"Mahnung{number:02}" for number in range(30))
    assert len(subject) == 299
    table = a_table(*(a_row(f"{number:02}-{'X' * 40}", interest_rows=(INTEREST,)) for number in range(60)))
    long = a_letter(table, subject=subject, payment=to_pay(table, reference="R" * 140))
    texts = ["".join(page.split()).replace("\u200b", "") for page in pages(long)]
    assert "".join(subject.split()) in texts[0]
    assert all(f"Seite{number}von{len(texts)}" in text for number, text in enumerate(texts, 1))
    assert all(any(f"RE-{number:02}-{'X' * 40}" in text for text in texts) for number in range(60))
    assert any("R" * 140 in text for text in texts)
    for picture in pictures(long, dots_per_inch=40):
        assert max(x for row in pixels(picture) for x, dark in enumerate(row) if dark) <= 201 / 25.4 * 40
    with pytest.raises(Refused, match="37 lines, the window 6"):
        render(named(*(f"Zeile {number}" for number in range(35))))


def test_a_font_of_the_agency_prints_what_the_letter_s_own_lacks(tmp_path):
    """A folder of `letters.fonts` gives names in other writing a font; it is embedded, and the rest keeps its own."""
    (tmp_path / "tiny.ttf").write_bytes(TINY)
    letter = a_letter(address=KUNDE.model_copy(update={"lines": (f"{SIGN} GmbH",)}), style=Style(fonts=tmp_path))
    assert f"{SIGN} GmbH" in text_of(letter)


@pytest.mark.parametrize(("name", "words"), [("missing", "is no folder"), (".", "holds no font")])
def test_a_folder_without_fonts_is_refused_when_the_configuration_is_read(tmp_path, name, words):
    """A wrong folder is told at the start, not when a letter is due."""
    with pytest.raises(ValueError, match=words):
        Style(fonts=tmp_path / name)


def test_sixty_invoices_take_numbered_pages_with_the_heads_repeated():
    """Sixty invoices take several pages; each says which of how many it is and whose, the table's head is repeated, marks stand once."""
    table = a_table(*(a_row(number, ancillaries=(FEE,)) for number in range(1, 61)))
    letter = a_letter(table, payment=to_pay(table, reference="MA-7"))
    texts = pages(letter)
    assert len(texts) >= 3
    for number, text in enumerate(texts, 1):
        assert f"Seite {number} von {len(texts)}" in text
        assert "Amtsgericht Hamburg HRB 12345" in text
        if re.search(r"RE-\d", text):
            assert "fällig am" in text
    assert all("Muster Agentur GmbH · Zahlungserinnerung · 01.09.2026" in text for text in texts[1:])
    assert sum(text.count("RE-") for text in texts) == 60
    assert "60.150,00 EUR" in texts[-1]
    found = pypdf.PdfReader(io.BytesIO(render(letter)))
    assert [len(marks(page)) for page in found.pages] == [3] + [0] * (len(texts) - 1)


@pytest.mark.parametrize("subject", ["Zahlungserinnerung", "/Type /Pages /Count 1"])
def test_a_letter_that_turns_out_longer_has_numbered_pages(subject):
    """One page has no number; where the text needs a second, whatever the letter says, both say so and the marks stand once."""
    assert "Seite" not in text_of(a_letter(subject=subject))
    long = a_letter(subject=subject, text=TEXT.replace("Mit freundlichen", "Zeile.\n\n" * 30 + "Mit freundlichen"))
    found = pypdf.PdfReader(io.BytesIO(render(long))).pages
    assert [f"Seite {number} von 2" in page.extract_text() for number, page in enumerate(found, 1)] == [True, True]
    assert [len(marks(page)) for page in found] == [3, 0]
    assert "Muster Agentur GmbH · " in found[1].extract_text()
    assert len(pictures(long, dots_per_inch=20)) == 2


def test_long_names_stay_inside_window_and_page():
    """Very long names, numbers and words are broken and set smaller; nothing leaves its place."""
    long = (
        "Gesellschaft für außerordentlich lange Firmennamen und deren Vervollständigung mbH & Co. Kommanditgesellschaft"
    )
    word = "X" * 120
    letter = a_letter(
        a_table(a_row(1, number=word)),
        subject=f"Mahnung {long} {word}",
        address=Address(lines=(long, long), street="Weg 1", postcode="50667", city="Köln"),
        info=(("E-Mail", f"{word[:60]}@example.com"),),
        sender=SENDER.model_copy(update={"name": long}),
    )
    found = places(pypdf.PdfReader(io.BytesIO(render(letter))).pages[0])
    town = next((x, y) for text, x, y in found if text == "50667 Köln")
    assert 62.7 <= town[1] <= 90.8
    dark = [[x for x, on in enumerate(row) if on] for row in pixels(pictures(letter, dots_per_inch=40)[0])]
    assert max(max(row) for row in dark if row) <= 201 / 25.4 * 40


@pytest.mark.feature("N-11")
@pytest.mark.parametrize("rows", [1, 60])
def test_a_scanner_reads_account_amount_and_reference_from_the_letter(rows):
    """The GiroCode on the letter, read from the PDF, names payee, IBAN, the exact total and the reference (EPC069-12)."""
    table = a_table(*(a_row(number, ancillaries=(FEE,), interest_rows=(INTEREST,)) for number in range(1, rows + 1)))
    letter = a_letter(table, sender=SENDER, payment=to_pay(table, payee="Müller & Söhne GmbH"))
    (found,) = filter(None, map(scan_page, pypdf.PdfReader(io.BytesIO(render(letter))).pages))
    assert found.decode().split("\n") == [
        "BCD",
        "002",
        "1",
        "SCT",
        "BYLADEM1001",
        "Müller & Söhne GmbH",
        "DE02120300000000202051",
        f"EUR{table.total}",
        "",
        "",
        "RE-1 RE-2 KD-10017",
    ]


def test_a_real_decoder_reads_the_code_from_the_pdf():
    """The same from the PDF itself, by a decoder that phones use, where one is installed."""
    zxingcpp, pdfium = pytest.importorskip("zxingcpp"), pytest.importorskip("pypdfium2")
    page = pdfium.PdfDocument(render(a_letter()))[0]
    (code,) = zxingcpp.read_barcodes(page.render(scale=3).to_pil(), formats=zxingcpp.BarcodeFormat.QRCode)
    assert code.text.split("\n")[5:8] == ["Muster Agentur GmbH", "DE02120300000000202051", "EUR2000.00"]


SIXTY = a_table(*(a_row(number, ancillaries=(FEE,)) for number in range(1, 61)))


@pytest.mark.parametrize("form", ["A", "B"])
@pytest.mark.parametrize("table", [a_table(a_row(1)), SIXTY], ids=["one page", "sixty invoices"])
@pytest.mark.parametrize("logo", [None, "logo.png"])
def test_a_letter_is_an_archivable_accessible_file(tmp_path, form, table, logo):
    """PDF/A-3a and PDF/UA-1 as ISO 19005-3 and 14289-1 demand: named in XMP, one colour space, own fonts, tags, no scripts, real text."""
    if logo:
        (tmp_path / logo).write_bytes(encode(b"logo").png())
    style = Style(form=form, logo=tmp_path / logo if logo else None)
    pdf = render(a_letter(table, style=style))
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    root = reader.trailer["/Root"]
    meta = root["/Metadata"].get_object().get_data().decode()
    for name, value in (("pdfaid:part", "3"), ("pdfaid:conformance", "A"), ("pdfuaid:part", "1")):
        assert re.search(rf"{name}[>=\"]+{value}", meta)
    assert [one["/S"] for one in root["/OutputIntents"]] == ["/GTS_PDFA1"]
    assert root["/OutputIntents"][0]["/DestOutputProfile"].get_object().get_data()[36:40] == b"acsp"
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/StructTreeRoot"]["/K"]
    assert (root["/Lang"].lower(), reader.metadata.title) == ("de-de", "Zahlungserinnerung")
    assert (len(reader.trailer["/ID"]), reader.is_encrypted) == (2, False)
    every = [one for at in range(1, reader.trailer["/Size"]) if (one := reader.get_object(at)) is not None]
    known = [one for one in every if isinstance(one, dict)]
    assert not any(
        {"/JS", "/JavaScript", "/AA", "/OpenAction", "/Annots", "/EmbeddedFiles"} & set(one) for one in known
    )
    fonts = [one for one in known if one.get("/Type") == "/FontDescriptor"]
    assert fonts
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(one) for one in fonts)
    assert all("/ToUnicode" in one for one in known if one.get("/Type") == "/Font" and "/DescendantFonts" in one)
    text = "".join(page.extract_text() for page in reader.pages).replace("\xa0", " ")
    for word in ("Kunde GmbH", "RE-1", "1.190,00", "Mit freundlichen Grüßen", "DE02 1203 0000 0000 2020 51"):
        assert word in text


def test_a_page_without_logo_is_small():
    """One page without logo is below 60 KB."""
    assert len(render(a_letter(a_table(a_row(1))))) < 60_000


@pytest.mark.parametrize("rows", [14, 20, 26])
def test_no_page_begins_in_the_middle_of_an_invoice(rows):
    """An invoice stands with what belongs to it, and the sums stand together."""
    table = a_table(*(a_row(at, ancillaries=(FEE,), interest_rows=(INTEREST,)) for at in range(1, rows + 1)))
    for text in pages(a_letter(table))[1:]:
        own = text.split("01.09.2026\n", 1)[1]
        own = own.split("offen\n", 1)[-1] if own.startswith("Rechnung") else own
        assert not re.match(r"Mahngebühr|Verzugszinsen|Nebenf|Gesamtb", own)


@pytest.mark.parametrize(("form", "count", "details"), [("B", 27, 0), ("A", 11, 2)])
def test_the_total_never_stands_without_an_invoice(form, count, details):
    """Where the table's last page would have the sums alone, the last invoice stands above them."""
    extra = {"ancillaries": (FEE,) * details}
    filler = SENDER.model_copy(update={"footer": (("Zeile",) * 5,)})
    breaks = 0
    for rows in range(count - 6, count + 3):
        table = a_table(*(a_row(at, **extra) for at in range(1, rows + 1)))
        found = pages(a_letter(table, style=Style(form=form), sender=filler, payment=to_pay(table, reference="x")))
        (last,) = (text for text in found if "Gesamtbetrag" in text)
        assert f"RE-{rows}" in last
        breaks += last is not found[0]
    assert breaks


def test_the_greeting_never_stands_alone():
    """However long the text is, the last page begins with more than the greeting."""
    breaks = 0
    for lines in range(4, 16):
        found = pages(a_letter(text=TEXT.replace("Mit freundlichen", "Zeile.\n\n" * lines + "Mit freundlichen")))
        if len(found) > 1:
            breaks += 1
            assert found[1].split("01.09.2026\n", 1)[1].startswith("Zeile.")
    assert 0 < breaks < 12


def test_one_invoice_with_more_rows_than_a_page_has_is_printed_whole():
    """What cannot stand on one page is broken between its rows; none is lost."""
    texts = pages(a_letter(a_table(a_row(1, interest_rows=(INTEREST,) * 90))))
    assert len(texts) > 1
    assert sum(text.count("Verzugszinsen 16.07.2026") for text in texts) == 90


def test_a_text_that_names_how_to_pay_alone_gets_no_table():
    """A short notice that says in words what is owed ends with its greeting."""
    text = text_of(a_letter(text="Guten Tag,\n\nbitte zahlen Sie 2.000 EUR.\n\n[[payment]]\n\nMit freundlichen Grüßen"))
    assert "IBAN" in text
    assert "Gesamtbetrag" not in text


def test_same_letter_is_the_same_bytes():
    """Rendering the same letter again gives the same file."""
    assert render(a_letter()) == render(a_letter())


def test_foreign_country_is_the_last_line():
    """An address abroad ends with the country in capitals, whichever it is."""
    for code, name in (("AT", "ÖSTERREICH"), ("PL", "POLEN"), ("US", "VEREINIGTE STAATEN")):
        abroad = Address(street="Ring 1", postcode="1010", city="Wien", country=code)
        assert name in text_of(a_letter(address=abroad))


@pytest.mark.parametrize(
    "address",
    [
        Address(),
        Address(street="Weg 1"),
        Address(city="Köln"),
        Address(city="\x00", street="Weg 1"),
        Address(lines=tuple("abcdef"), street="Weg 1", postcode="50667", city="Köln"),
        Address(lines=("x" * 161,), street="Weg 1", postcode="50667", city="Köln"),
    ],
)
def test_undeliverable_address_is_refused(address):
    """No letter is made without street and town, or with more than the window shows."""
    with pytest.raises(Refused):
        render(a_letter(address=address))


def test_a_text_may_have_every_character_that_people_type():
    """Line ends of any kind and tabs are text; the paragraphs stay."""
    assert "eins zwei" in text_of(a_letter(text=TEXT + "\r\n\r\neins\tzwei\r\ndrei"))


def test_day_and_amount_are_those_of_the_notice():
    """The date in the information block is the letter's, the amount to pay the table's."""
    found = spots(a_letter(dated_on=date(2026, 10, 2)))
    assert found["02.10.2026"][0] >= 125
    assert a_table().total == Decimal("2000.00")
