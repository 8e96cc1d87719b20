import re
from datetime import UTC, datetime
from email.headerregistry import Address as Mailbox
from html.parser import HTMLParser

import pytest

from bridge.channels.message import Envelope, build
from bridge.documents.mail import html
from bridge.errors import Refused
from bridge.model import Act, Attachment, Content, WriteBack
from tests.unit.documents.samples import FEE, INTEREST, NOT_DUE, TEXT, a_row, a_table, to_pay
from tests.unit.documents.scanner import pixels, scan

TABLE = a_table(
    a_row(1, ancillaries=(FEE,), interest_rows=(INTEREST,)), a_row(2), law="BGB 288(2)", mentions=(NOT_DUE,)
)
CONTENT = Content(
    subject="1. Mahnung zu 2 Rechnungen",
    text=TEXT,
    table=TABLE,
    payment=to_pay(TABLE),
    total=TABLE.total,
    footer=("Muster Agentur GmbH · Hafenweg 3 · 20457 Hamburg", "Amtsgericht Hamburg HRB 12345"),
)
WRITE = WriteBack(key="k", account="a", act=Act.MAIL, debtor_id="17", content=CONTENT)


def built(content=CONTENT, files=(), **more):
    write = WRITE.model_copy(update={"content": content})
    facts = {"sender": Mailbox("Muster", addr_spec="mahnung@agentur.example"), "reply_to": None}
    return build(write, files, Envelope(("a@kunde.example",)), **facts, dated=datetime(2026, 9, 1, tzinfo=UTC), **more)


class Page(HTMLParser):
    """Collects texts, cells and addresses, and counts what is not closed."""

    def __init__(self, source):
        super().__init__()
        self.words, self.links, self.stack = [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.links += [value for name, value in attrs if name in ("src", "href", "background", "action")]
        if tag not in ("img", "br", "meta"):
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        self.words.append(data.replace("\xa0", " "))


def test_the_page_says_everything_without_pictures():
    """The HTML part has the table, sums, computation, account and particulars as text; nothing is fetched, nothing runs."""
    page = Page(html(CONTENT))
    text = " ".join(page.words)
    for needed in (
        "RE-1",
        "01.07.2026",
        "1.190,00",
        "Mahngebühr",
        "48/365",
        "13,83",
        "Hauptforderung",
        "2.016,33 EUR",
        "§ 288 Abs. 2 BGB",
        "RE-99",
        "11.09.2026",
        "DE02 1203 0000 0000 2020 51",
        "RE-1 RE-2 KD-10017",
        "HRB 12345",
    ):
        assert needed in text
    assert page.links == []
    assert page.stack == []
    assert "[[" not in text
    assert not re.search(r"<(script|style|link|iframe|form)", html(CONTENT))


def test_the_page_fits_a_telephone_and_a_dark_screen():
    """Tables have two columns, the code may stand below what it says, and no colour is fixed but a grey that is read on white and black."""
    page = html(CONTENT, giro_cid="x")
    assert {
        row.count("<td") + row.count("<th") for row in re.findall(r"<tr valign=\"top\">.*?</tr>", page, re.DOTALL)
    } == {2}
    assert "vom 01.07.2026, fällig am 15.07.2026 · Betrag 1.190,00, bezahlt 190,00" in page
    assert page.count("display:inline-block") == 2
    assert '<meta name="color-scheme" content="light dark">' in page
    assert set(re.findall(r"[;\"]color:(#\w+)", page)) == {"#767676"}
    assert "background" not in page


def test_plain_text_says_the_same():
    """The text part has every invoice, amount and computation, how to pay and the particulars, after each other."""
    text = built().get_body(("plain",)).get_content().replace("\xa0", " ")
    order = [
        "RE-1 vom 01.07.2026, fällig am 15.07.2026, 1.190,00 EUR, bezahlt 190,00 EUR, offen 1.000,00 EUR",
        "  Mahngebühr (ohne Umsatzsteuer): 2,50 EUR",
        "48/365: 13,83 EUR",
        "Gesamtbetrag: 2.016,33 EUR",
        "RE-99, fällig am 20.09.2026, offen 300,00 EUR (noch nicht fällig)",
        "Zahlbar bis: 11.09.2026",
        "IBAN: DE02 1203 0000 0000 2020 51",
        "Mit freundlichen Grüßen",
        "-- ",
        "Amtsgericht Hamburg HRB 12345",
    ]
    assert [text.index(one) for one in order] == sorted(text.index(one) for one in order)
    assert "[[" not in text


@pytest.mark.feature("N-11")
def test_a_scanner_reads_the_mail():
    """The GiroCode goes with the page as its only picture, named by Content-ID; scanned, it has IBAN, exact total and reference."""
    mail = built()
    (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    page = Page(mail.get_body(("html",)).get_content())
    assert page.links == [f"cid:{picture['Content-ID'].strip('<>')}"]
    lines = scan(pixels(picture.get_content())).decode().split("\n")
    assert (lines[6], lines[7], lines[10]) == ("DE02120300000000202051", "EUR2016.33", "RE-1 RE-2 KD-10017")


def test_no_code_without_an_account_or_in_another_currency():
    """Without an account, or in francs, there is no picture; the rest stays."""
    for content in (
        CONTENT.model_copy(update={"payment": None}),
        CONTENT.model_copy(update={"payment": to_pay(TABLE, currency="CHF")}),
    ):
        mail = built(content)
        assert all(part.get_content_type() != "image/png" for part in mail.walk())
        assert "Gesamtbetrag" in mail.get_body(("html",)).get_content()


def test_the_code_comes_also_where_the_text_does_not_name_it():
    """A plan's text without the payment's place still gets account and code at its end."""
    mail = built(CONTENT.model_copy(update={"text": "Guten Tag,\n\nbitte zahlen Sie."}))
    assert "cid:" in mail.get_body(("html",)).get_content()


def test_hostile_content_stays_text():
    """Tags, quotes and addresses from outside are shown, never run or followed."""
    evil = "<img src=x onerror=alert(1)>\" ' & https://boese.example/x"
    table = a_table(a_row(1, number=evil))
    content = CONTENT.model_copy(
        update={"text": f"{evil}\n\n[[claims]]", "table": table, "subject": evil, "footer": (evil,)}
    )
    page = Page(html(content))
    assert page.links == []
    assert " ".join(page.words).count("<img src=x") == 4


def test_an_address_of_ours_can_be_followed():
    """The debtor's link, on a line of its own, is a link."""
    page = Page(html(CONTENT.model_copy(update={"text": "Antworten Sie hier:\nhttps://mahnung.example.com/AAAA"})))
    assert page.links == ["https://mahnung.example.com/AAAA"]


def test_notices_of_a_case_are_one_conversation():
    """Every mail to one debtor refers to the same root, mails to others to another; the Message-ID stays its own."""
    first, other = (
        built(),
        build(
            WRITE.model_copy(update={"key": "k2", "debtor_id": "18"}),
            (),
            Envelope(("a@kunde.example",)),
            sender=Mailbox(addr_spec="mahnung@agentur.example"),
            reply_to=None,
            dated=datetime(2026, 9, 1, tzinfo=UTC),
        ),
    )
    assert first["References"] == first["In-Reply-To"] == built()["References"]
    assert first["References"] not in (other["References"], first["Message-ID"])


def test_the_whole_mail_counts_for_the_limit():
    """What counts is the mail as it goes over the wire, the attachments a third larger than their files."""
    files = [(Attachment(filename="a.pdf"), b"x" * 90_000)]
    assert len(built(files=files).as_bytes()) > 120_000
    with pytest.raises(Refused, match="at most 110000"):
        built(files=files, largest=110_000)


def test_parts_are_where_mail_programs_look_for_them():
    """Mixed over alternative over related: text, page with its picture, then the attachments."""
    mail = built(files=[(Attachment(filename="a.pdf"), b"%PDF-")])
    assert mail.get_content_type() == "multipart/mixed"
    body, attachment = mail.iter_parts()
    assert (body.get_content_type(), attachment.get_filename()) == ("multipart/alternative", "a.pdf")
    assert [part.get_content_type() for part in body.iter_parts()] == ["text/plain", "multipart/related"]
    assert [part.get_param("type") for part in body.iter_parts()] == [None, "text/html"]
