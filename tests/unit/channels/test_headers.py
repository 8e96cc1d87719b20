"""Subjects and names of senders, as programs decode them that are not ours: word by word, after RFC 2047."""

import base64
import quopri
import re
from email import message_from_string, policy
from email.headerregistry import Address
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.channels.headers import POLICY

WORD = re.compile(r"=\?utf-8\?([bq])\?([^? ]*)\?=")
WORDS = [
    "RÄ-2026/0817,",
    "Zahlungserinnerung",
    "zu",
    "Größe",
    "&",
    "Söhne",
    "x,",
    "€",
    "王小明",
    "Übergrößenträgergesellschaft",
]


def decoded(header):
    """Return what a header says. Every encoded word is at most 75 characters, and whole in itself."""

    def one(found):
        assert len(found[0]) <= 75
        data = base64.b64decode(found[2]) if found[1] == "b" else quopri.decodestring(found[2], header=True)
        return data.decode("utf-8")

    return WORD.sub(one, re.sub(r"\?= =\?", "?==?", header))


def written(name, value):
    mail = EmailMessage(policy=POLICY)
    mail[name] = value
    raw = mail.as_bytes()
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    head, empty, rest = raw.partition(b"\r\n\r\n")
    assert (empty, rest) == (b"\r\n\r\n", b"")
    assert not re.search(rb"\r\n(?! )|\r(?!\n)|(?<!\r)\n|\r\n +(\r|$)", head)
    return head.decode("ascii").replace("\r\n", "").removeprefix(f"{name}: ")


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=14).map(" ".join))
def test_no_space_and_no_sign_of_a_subject_or_name_is_lost(text):
    """Each word arrives, wherever the lines are broken and in whatever script."""
    assert decoded(written("Subject", text)) == text
    shown = decoded(written("From", Address(text, addr_spec="buch@agentur.example")))
    name, _, address = shown.rpartition(" ")
    assert (name.strip('"'), address) == (text, "<buch@agentur.example>")


@pytest.mark.parametrize(
    "text",
    ["Zahlungserinnerung zu den Rechnungen RÄ-2026/0817, RÄ-2026/0818, RE-2026-0819", "x" * 300, "a  b", "Ä" * 200, "=?utf-8?q?=0D=0ABcc:_x?="],
)  # fmt: skip
def test_a_subject_is_what_was_given(text):
    """Long words, two spaces and what looks encoded already arrive as they are."""
    raw = written("Subject", text)
    assert decoded(raw) == text
    assert message_from_string(f"Subject: {raw}\n\n", policy=policy.default)["Subject"] == text


def test_a_word_stays_whole():
    """Some programs show a space where two encoded words meet: it is where a space was."""
    name = "Müller & Söhne Werbeagentur GmbH, Buchhaltung und Mahnwesen, Jürgen Größ"
    words = WORD.findall(written("From", Address(name, addr_spec="buch@agentur.example")))
    assert [quopri.decodestring(data, header=True).decode()[-1] for _, data in words] == [" "] * (len(words) - 1) + [
        "ß"
    ]


def test_a_plain_subject_stays_readable():
    """What is ASCII is not encoded."""
    assert written("Subject", "Payment reminder for invoice RE-1") == "Payment reminder for invoice RE-1"


def test_the_thread_stands_beside_its_name():
    """A long reference is not pushed to a second line."""
    thread = f"<case-{'0' * 32}@{'a' * 60}.example>"
    mail = EmailMessage(policy=POLICY)
    mail["References"] = thread
    assert mail.as_bytes() == f"References: {thread}\r\n\r\n".encode()
