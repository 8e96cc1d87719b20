"""The debtor's link: signed, expiring, the same for the same notice, and believed from nobody else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import date

import pytest

from bridge.policy.links import TOKEN_LENGTH, Links, Token, with_link

TODAY = date(2026, 10, 5)
OLD, NEW = b"o" * 32, b"n" * 32
MADE = Links("https://m.example.com/", [NEW, OLD], days=30)


def token(link):
    return link.url.rpartition("/")[2]


def test_a_link_leads_back_to_its_notice():
    """It names the notice and its last day, and is the same whenever it is made for the same notice and day."""
    link = MADE.of("a:1:1:1:0:mail", TODAY)
    assert link.url == f"https://m.example.com/{token(link)}"
    assert len(token(link)) == TOKEN_LENGTH
    assert link.until == date(2026, 11, 4)
    assert MADE.read(token(link)) == Token(link.ref, link.until)
    assert MADE.of("a:1:1:1:0:mail", TODAY) == link
    assert len(link.ref) == 32


def test_another_notice_day_or_secret_makes_another_link():
    """And neither notice nor day can be guessed from another link."""
    link = MADE.of("a:1:1:1:0:mail", TODAY)
    others = [
        MADE.of("a:1:1:1:0:letter", TODAY),
        Links("https://m.example.com", [OLD], days=30).of("a:1:1:1:0:mail", TODAY),
    ]
    assert len({one.ref for one in (link, *others)}) == 3
    later = MADE.of("a:1:1:1:0:mail", date(2026, 10, 6))
    assert (later.ref, later.url == link.url) == (link.ref, False)


def test_a_secret_that_was_replaced_is_still_believed():
    """The newest signs, all of them are read; one that is not known any more is not."""
    before = token(Links("https://m.example.com", [OLD], days=30).of("k", TODAY))
    assert MADE.read(before) is not None
    assert Links("https://m.example.com", [NEW], days=30).read(before) is None
    assert Links("https://m.example.com", [OLD], days=30).read(token(MADE.of("k", TODAY))) is None


@pytest.mark.parametrize("at", [0, 15, 16, 19, 20, 35])
def test_a_changed_link_is_none(at):
    """Whichever of its bytes was changed: of the name, of the day, of the signature."""
    raw = bytearray(urlsafe_b64decode(token(MADE.of("k", TODAY))))
    raw[at] ^= 1
    assert MADE.read(urlsafe_b64encode(bytes(raw)).decode()) is None


@pytest.mark.parametrize("wrong", ["", "A" * 47, "A" * 49, "A" * 48, "!" * 48, "ä" * 48, "_" * 48, "A" * 44 + "===="])
def test_what_is_no_link_is_none(wrong):
    """Too short, too long, other characters, a day that does not exist: nobody's, and no error."""
    assert MADE.read(wrong) is None


def test_the_sentence_with_the_link():
    """Below the text in its language, unless there is no link or the text names it where it wants."""
    assert with_link("x", "Text", "", "de") == "Text"
    assert with_link("see {{ debtor_link }}", "Text", "https://x", "de") == "Text"
    for language, word in (("de", "Schon bezahlt"), ("en", "Already paid")):
        told = with_link("x", "Text", "https://x", language)
        assert told.startswith(f"Text\n\n{word}")
        assert told.endswith(":\nhttps://x")
