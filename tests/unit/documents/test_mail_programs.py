"""The page of a mail uses nothing that mail programs are known to drop or to show wrongly.

Seen with eyes in a browser alone; what Outlook for Windows (which sets pages with Word), Outlook on the web, Gmail and Apple Mail do with
a construction is taken from what they document and from the tables of caniemail.com.
"""

import re
from html.parser import HTMLParser

import pytest

from bridge.documents.mail import html
from bridge.model import Content
from tests.unit.documents.samples import FEE, INTEREST, NOT_DUE, TEXT, a_row, a_table, to_pay

TAGS = {
    "script": "is taken out everywhere",
    "style": "Gmail drops it in forwarded mails, for other accounts and where it does not understand one rule of it",
    "link": "is taken out, and would fetch something",
    "base": "changes links; is taken out by Outlook on the web",
    "iframe": "is taken out everywhere",
    "object": "is taken out everywhere",
    "form": "is warned of or taken out",
    "input": "is taken out or cannot be used",
    "button": "is taken out by Gmail",
    "svg": "is taken out by Gmail and Outlook",
    "video": "is known to Apple Mail alone",
    "picture": "is not known to Outlook",
    "font": "cannot be read by programs that read aloud as what it is, and is obsolete",
}
ATTRIBUTES = {
    "class": "names a rule in a style sheet that does not arrive",
    "id": "is renamed or taken out",
    "background": "fetches a picture",
    "srcset": "is not known to Outlook, and fetches pictures",
}
DECLARATIONS = {
    r"display:\s*(flex|grid|inline-flex|none)": "Outlook for Windows shows what is hidden and puts everything below each other",
    r"position:": "is taken out by Gmail and Outlook: things would lie over each other or be gone",
    r"float:": "is ignored by Outlook for Windows",
    r"(var|calc|clamp|min|max)\(": "the declaration is dropped by Outlook for Windows and Gmail",
    r"url\(": "Gmail drops the whole style; it would fetch something",
    r"!important": "the declaration is dropped by Outlook for Windows",
    r"\d(rem|vh|vw|ch)\b": "are no units for Outlook for Windows",
    r"(rgba?|hsla?)\(": "is no colour for Outlook for Windows",
    r"#[0-9a-f]{3}\b(?![0-9a-f])": "short names of colours are read wrongly by old programs",
    r"margin[a-z-]*:[^;]*-\d": "Outlook on the web drops margins below nothing",
    r"(background|background-color):": "would be turned round by dark modes that do not turn the text",
    r"opacity|transform|box-shadow|animation|transition": "is ignored by Outlook for Windows",
    r"(^|;)font:": "is set back by Outlook for Windows when a part of it is not understood",
}
BOXES = r"padding|border|width"
LARGEST = 102_000
"""Bytes after which Gmail cuts a mail off and says that there is more."""

DETAILED = {"ancillaries": (FEE,), "interest_rows": (INTEREST, INTEREST)}


def content(rows, **changes):
    table = a_table(*(a_row(number, **DETAILED) for number in range(rows)), law="BGB 288(2)", mentions=(NOT_DUE,))
    facts = {
        "subject": "1. Mahnung",
        "text": TEXT + "\n\nAntworten Sie hier:\nhttps://mahnung.example.com/AAAA",
        "table": table,
        "payment": to_pay(table),
        "total": table.total,
        "footer": ("Muster Agentur GmbH · Hafenweg 3 · 20457 Hamburg", "Amtsgericht Hamburg HRB 12345"),
    }
    return Content(**facts | changes)


class Parts(HTMLParser):
    """Every element with its attributes, and the elements that it stands in."""

    def __init__(self, page):
        super().__init__()
        self.found, self.around = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), tuple(self.around)))
        if tag not in ("img", "br", "meta"):
            self.around.append(tag)

    def handle_endtag(self, tag):
        assert self.around.pop() == tag


PAGES = {
    "german": content(2),
    "english": content(2, language="en"),
    "without account": content(1, payment=None, footer=()),
    "long names": content(1, text="X" * 500 + "\n\n[[claims]]", footer=("Y" * 300,)),
}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_in_a_mail_is_dropped_by_a_mail_program(name):
    """No element, attribute or declaration that programs take out or misread; the reasons stand in the lists above."""
    wrong = []
    for tag, attributes, _ in Parts(html(PAGES[name], giro_cid="code@agentur.example")).found:
        style = attributes.get("style", "")
        wrong += [f"<{tag}>: {TAGS[tag]}"] if tag in TAGS else []
        wrong += [f"{one}= in <{tag}>: {ATTRIBUTES[one]}" for one in attributes if one in ATTRIBUTES]
        wrong += [f"on… in <{tag}>: is taken out everywhere" for one in attributes if one.startswith("on")]
        wrong += [f"{rule} in <{tag}>: {why}" for rule, why in DECLARATIONS.items() if re.search(rule, style)]
        if tag not in ("td", "th", "table", "img") and re.search(rf"(^|;)({BOXES})", style):
            wrong.append(f"{style} in <{tag}>: Outlook for Windows keeps padding, border and width in cells alone")
    assert wrong == []


@pytest.mark.parametrize("name", PAGES)
def test_a_mail_stands_where_only_tables_and_their_attributes_are_known(name):
    """Text stands in cells with a font of their own, edges are attributes as well, pictures have size and words, links are ours or in the mail."""
    found = Parts(html(PAGES[name], giro_cid="code@agentur.example")).found
    for tag, attributes, around in found:
        if tag == "p":
            assert "td" in around
        if tag == "table":
            assert {"cellspacing", "cellpadding"} <= set(attributes)
            assert "font-family" in attributes.get("style", "") or attributes.get("role") == "presentation"
        if tag in ("td", "th"):
            assert "align" in attributes
        if tag == "img":
            assert {"width", "height", "alt"} <= set(attributes)
            assert attributes["src"].startswith("cid:")
        if tag == "a":
            assert attributes["href"].startswith("https://")
    outer = next(attributes for tag, attributes, _ in found if tag == "table")
    assert (outer["role"], outer["width"]) == ("presentation", "100%")
    assert outer["lang"], "Gmail takes the language of the page away"


def test_words_and_amounts_stay_apart_where_elements_are_taken_out():
    """Previews of mails, and programs without pages, drop what is between angle brackets and put nothing in its place."""
    told = " ".join(re.sub(r"<[^>]+>", "", html(PAGES["german"])).split())
    for needed in (
        "Rechnung offen RE-0 vom",
        "Betrag 1.190,00, bezahlt 190,00 1.000,00",
        "IBAN DE02 1203",
        "Gesamtbetrag 2.060,32&nbsp;EUR",
    ):
        assert needed in told


def test_a_mail_with_sixty_invoices_is_not_cut_off():
    """Sixty invoices, each with a fee and two periods of interest, are shown whole by Gmail, the greeting and the particulars too."""
    assert len(html(content(60), giro_cid="code@agentur.example").encode()) < LARGEST
