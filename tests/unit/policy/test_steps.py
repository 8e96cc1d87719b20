"""The files that go with a mail or a letter, and a line that is short enough for a tag."""

import pytest

from bridge.model import Content
from bridge.policy.actions import Enclosed
from bridge.policy.channel import Document, Via
from bridge.policy.plan import Automation
from bridge.policy.steps import Frame, steps_of
from tests.unit.policy.helpers import claim
from tests.unit.policy.together import FULL, A

BARE = FULL.__class__(acts=FULL.acts, channels=FULL.channels, documents=False)
INVOICE, LETTER = Enclosed(name="invoice"), Enclosed(name="letter", optional=True)
MAYBE, TERMS = Enclosed(name="invoice", optional=True), Enclosed(name="terms")


def files(via, document, abilities, enclosed, level_name="Mahnung", number="RE-1"):
    frame = Frame(Via(via), Document(document), Automation.SEND, None, Content(level_name="Ganz", text="x"), abilities)
    steps = steps_of(frame._replace(enclosed=enclosed), [(claim(number=number), 0, level_name)])
    (sent,) = [one for one in steps if one.act in (A.MAIL, A.LETTER, A.SEND_EMAIL)]
    return [(one.filename, one.optional) for one in sent.content.attachments]


@pytest.mark.parametrize(
    ("via", "document", "abilities", "enclosed", "expected"),
    [
        ("mail", "none", FULL, None, [("RE-1.pdf", False)]),
        ("letter", "none", FULL, None, [("RE-1.pdf", False)]),
        ("mail", "none", BARE, None, []),
        ("mail", "none", FULL, (), []),
        ("mail", "provider", FULL, None, [("Mahnung-RE-1.pdf", False), ("RE-1.pdf", False)]),
        ("mail", "provider", FULL, (), [("Mahnung-RE-1.pdf", False)]),
        ("mail", "provider", BARE, None, []),
        ("mail", "silent", FULL, None, [("RE-1.pdf", False)]),
        ("mail", "none", BARE, (MAYBE,), [("RE-1.pdf", True)]),
        ("mail", "none", FULL, (TERMS, INVOICE), [("RE-1.pdf", False), ("terms", False)]),
        ("mail", "none", FULL, (TERMS,), [("terms", False)]),
        ("mail", "none", FULL, (MAYBE, LETTER), [("Mahnung-RE-1.pdf", True), ("RE-1.pdf", True)]),
        ("letter", "none", FULL, (INVOICE, LETTER), [("RE-1.pdf", False)]),
        ("provider_email", "provider", FULL, (INVOICE, TERMS), []),
    ],
)
def test_what_goes_with_a_mail_or_letter(via, document, abilities, enclosed, expected):
    """The provider's reminder where that is the document, the invoice where it can be had, our files as the level lists them."""
    assert files(via, document, abilities, enclosed) == expected


@pytest.mark.parametrize(
    ("level_name", "number", "name"),
    [("Mahnung", "RE-1", "Mahnung-RE-1.pdf"), ("", "RE-1", "Ganz-RE-1.pdf"), ("Mahnung", None, "Mahnung-1.pdf")],
)
def test_our_letter_as_a_file_is_named_by_level_and_invoice(level_name, number, name):
    """By the claim's own level, else that of the notice; by its number, else its id."""
    assert files("mail", "none", FULL, (LETTER,), level_name, number) == [(name, True)]


@pytest.mark.parametrize(
    ("line", "tag"),
    [
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 60),
        ("x" * 20 + ", " + "y" * 38, "x" * 20 + ", " + "y" * 38),
        ("x" * 20 + ", " + "y" * 39, "x" * 20),
        ("x" * 59 + ", y", "x" * 59),
        ("x" * 60 + ", y", "x" * 60),
        ("x" * 61 + ", y", "x" * 60),
        ("x; y", "x"),
    ],
)
def test_a_tag_has_sixty_signs(line, tag):
    """Whole parts of the line as far as they fit, and the template never."""
    abilities = FULL.__class__(acts=frozenset({A.TAG}), channels=FULL.channels)
    frame = Frame(Via.MAIL, Document.NONE, Automation.SEND, None, Content(line=line), abilities)
    assert [one.content.tag for one in steps_of(frame, [(claim(), 0, "S")]) if one.act is A.TAG] == [tag]
