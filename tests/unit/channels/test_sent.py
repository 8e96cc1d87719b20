"""What went out is known again without our own record of it: by the archive mailbox and by the letter outbox."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.channels.letter_outbox import LetterOutbox, LetterSettings
from bridge.channels.smtp import Smtp, SmtpSettings
from bridge.model import Act, Content, Covered, Recipients, WriteBack
from bridge.testing.imap import ImapServer

AT = datetime(2026, 9, 1, 8, 30, tzinfo=UTC)
TOKENS = (
    Covered.of("main", "4711", round_=1, level=2, repetition=0).token,
    Covered.of("main", "4712", round_=2, level=1, repetition=3).token,
)
CONTENT = Content(
    level_name="1. Mahnung", subject="Mahnung", text="Bitte zahlen.", deadline=date(2026, 9, 15), recipients=Recipients(to=("a@b.example",))
)  # fmt: skip


def write(act, **more):
    return WriteBack(key="main/1/1/x", account="main", act=act, content=CONTENT, started_at=AT, covers=TOKENS, **more)


@pytest.fixture
def mailbox():
    with ImapServer() as server:
        yield server


def channel(mailbox=None):
    place = {"host": "127.0.0.1", "security": "none"}
    archive = mailbox and {
        **place, "port": mailbox.port, "user": "archiv", "password": "geheim", "address": "archiv@b.example"
    }  # fmt: skip
    return Smtp(SmtpSettings(**place, port=2525, sender_address="us@b.example", archive=archive), clock=lambda: AT)


def test_a_mail_says_what_it_covers_and_names_nobody():
    """Header: the term and one word for each claim, with neither account nor invoice in it; a mail to colleagues has none."""
    [made] = channel().produced(write(Act.MAIL))
    head = made.data.partition(b"\r\n\r\n")[0].decode()
    assert "X-Mahnbridge-Covers: 2026-09-15 " in head
    assert all(one in head.replace("\r\n ", " ") for one in TOKENS)
    assert "4711" not in head
    assert [Covered.parse(one) for one in TOKENS] == [Covered.parse(one) for one in TOKENS if Covered.parse(one)]


def test_the_archive_mailbox_tells_what_went_out(mailbox):
    """Mails since the backup, with date, term and claims; earlier ones, foreign and odd ones are passed over."""
    [made] = channel().produced(write(Act.MAIL))
    mailbox.append(made.data)
    mailbox.append(b"Subject: hi\r\n\r\n")
    mailbox.append(b"Message-ID: <x@y>\r\nDate: nonsense\r\nX-Mahnbridge-Covers: - a/1/1/1\r\n\r\n")
    [found] = channel(mailbox).sent(AT - timedelta(days=3))
    assert (found.at, found.about, found.deadline) == (AT, TOKENS, date(2026, 9, 15))
    assert channel(mailbox).sent(AT + timedelta(hours=1)) == []


def test_without_an_archive_mailbox_nobody_can_be_asked():
    """None is not an empty list: it says that what went out is not known."""
    assert channel().sent(AT) is None


def test_letters_tell_what_they_cover(tmp_path):
    """Laid out or posted, they are known by the words beside them; a print service that takes them away leaves nothing to ask."""
    clock = [AT]
    outbox = LetterOutbox(LetterSettings(folder=tmp_path), clock=lambda: clock[0])
    letter = write(Act.LETTER)
    outbox.push(letter, [(CONTENT.attachments, b"%PDF-1.7")])
    (tmp_path / "2026-09-01_scan.pdf").write_bytes(b"%PDF-1.7")
    [found] = outbox.sent(AT - timedelta(days=3))
    assert (found.about, found.deadline, found.at.date()) == (TOKENS, date(2026, 9, 15), date(2026, 9, 1))
    clock[0] = AT + timedelta(days=2)
    outbox.mark_posted(letter.marker)
    [found] = outbox.sent(AT - timedelta(days=3))
    assert found.at == AT + timedelta(days=2)
    assert outbox.sent(AT + timedelta(days=9)) == []
    assert LetterOutbox(LetterSettings(folder=tmp_path, posted_when_written=True)).sent(AT) is None


@pytest.mark.parametrize(
    "text", ["", "x/1/1/1", "0123456789abcdef/1/1", "0123456789abcdef/1/1/99999", "é" * 16 + "/1/1/1"]
)
def test_what_is_no_such_word_is_none(text):
    """Words from outside are hostile: what does not fit is nothing."""
    assert Covered.parse(text) is None
