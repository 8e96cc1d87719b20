"""The words of a level: what is checked, what a mail or a letter says otherwise, and which country's."""

import pytest
from pydantic import ValidationError

from bridge.policy.wording import Text, Wording, chosen

GIVEN = {"de": Text(subject="D", body="d"), "de-AT": Text(subject="A", body="a")}


@pytest.mark.parametrize(
    ("language", "country", "subject"),
    [("de", "AT", "A"), ("de", "DE", "D"), ("de", "CH", "D"), ("en", "AT", None), ("de", "", "D")],
)
def test_the_text_of_a_country_comes_first(language, country, subject):
    """One written for the creditor's country, else the language's; none where the language has none."""
    found = chosen(GIVEN, language, country)
    assert (found.subject if found else None) == subject


@pytest.mark.parametrize(
    ("mailed", "subject", "body"),
    [(True, "Mail", "both"), (False, "both", "Brief")],
)
def test_a_mail_and_a_letter_say_their_own(mailed, subject, body):
    """What is written for that way takes the place, what is not stays; without anything of its own it is the same text."""
    text = Text(subject="both", body="both", email=Wording(subject="Mail"), post=Wording(body="Brief"))
    found = text.by(mailed=mailed)
    assert (found.subject, found.body, found.email, found.post) == (subject, body, None, None)
    assert GIVEN["de"].by(mailed=mailed) is GIVEN["de"]


@pytest.mark.parametrize("field", ["subject", "body"])
@pytest.mark.parametrize("kind", [Text, Wording])
def test_every_text_is_checked_when_it_is_read(kind, field):
    """A variable that does not exist is refused in a subject and in a body, in what a mail says otherwise too."""
    good = {"subject": "x", "body": "x"}
    assert getattr(kind(**good), field) == "x"
    with pytest.raises(ValidationError, match="there is no variable"):
        kind(**good | {field: "{{ nonsense }}"})


def test_a_subject_is_one_line():
    """Blank space around it is taken off, a line break within refused; a body keeps its lines."""
    text = Text(subject=" x \n", body=" a\nb ")
    assert (text.subject, text.body) == ("x", " a\nb ")
    with pytest.raises(ValidationError, match="a subject is one line"):
        Text(subject="a\nb", body="x")


def test_what_a_mail_leaves_open_stays_open():
    """A mail may have only another subject or only another body; with neither it is refused."""
    assert (Wording(body="x", subject=None).subject, Wording(subject="x", body=None).body) == (None, None)
    with pytest.raises(ValidationError, match="write a subject, a body, or both"):
        Wording(subject=None, body=None)
