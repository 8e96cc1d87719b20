"""What mail servers say, and the mails in mailboxes: reports of what did not arrive, our own copies, SMTP and IMAP line by line."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from random import Random
from unittest.mock import patch

from bridge.channels import archived, bounces, imap, transport
from bridge.channels.imap import ImapFolder
from bridge.channels.message import COVERS
from bridge.model import Covered
from tests.fuzz.mutate import mutated
from tests.fuzz.target import Target

TODAY = date(2026, 11, 16)

_REPORT = (
    "From: MAILER-DAEMON@mx.example\r\nMessage-ID: <1@mx.example>\r\nMIME-Version: 1.0\r\nX-Failed-Recipients: a@b.example\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nnot delivered\r\n'
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n"
    "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    "Message-ID: <mb.0123456789ab.1@lichtblick.example>\r\nX-Mahnbridge-Marker: mb:0123456789ab\r\n\r\n--b--\r\n"
)
_OLD_REPORT = (
    "From: postmaster@old.example\r\nSubject: =?utf-8?q?Unzustellbar=3A_Mahnung?=\r\nIn-Reply-To: <mb.1@lichtblick.example>\r\n"
    "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "TWVzc2FnZS1JRDogPG1iLjFAbGljaHRibGljay5leGFtcGxlPg0KWC1NYWhuYnJpZGdlLU1hcmtlcjogbWI6MDEyMzQ1Njc4OWFiDQo=\r\n"
)
_OURS = f"Message-ID: <mb.1@lichtblick.example>\r\nDate: Mon, 02 Nov 2026 09:00:00 +0100\r\n{COVERS}: 2026-11-16 0123456789abcdef/1/1/0 fedcba9876543210/1/2/0\r\n\r\n"


def _mail(random: Random) -> None:
    """Read a mail as a report, and its headers as those of one."""
    mail = mutated(random, [_REPORT.encode(), _OLD_REPORT.encode()])
    bounces._may_report(mail)
    found = bounces.report_in(mail, "1:1")
    if found is not None:
        assert all(sign.isprintable() for sign in found.reason)


def _copy(random: Random) -> None:
    """Read the headers of a mail of ours from the archive, as the restore compares it."""
    found = archived._sent(archived.message_from_bytes(mutated(random, [_OURS.encode()])))
    if found is not None:
        assert found.at.tzinfo is not None
        assert isinstance(found.at >= datetime(2026, 10, 1, tzinfo=UTC), bool)
        for word in found.about:
            Covered.parse(word)


class _Never:
    """A deadline that never comes: nothing here waits for anybody, and a thread for each input would."""

    def __init__(self, *_: object) -> None: ...

    def begin(self) -> None:
        """Begin to wait."""

    def end(self) -> None:
        """Wait no more."""


class _Line:
    """The other end of a connection: it answers each line that it is sent from what it was told to say."""

    def __init__(self, answer: Callable[[bytes], bytes], greeting: bytes) -> None:
        self._answer, self._said = answer, io.BytesIO(greeting)

    def sendall(self, data: bytes, *_: object) -> None:
        place = self._said.tell()
        self._said.seek(0, io.SEEK_END)
        self._said.write(self._answer(data))
        self._said.seek(place)

    send = sendall

    def makefile(self, *_: object, **__: object) -> io.BytesIO:
        return self._said

    def close(self) -> None:
        pass

    def shutdown(self, _how: int) -> None:
        pass

    def settimeout(self, _seconds: float) -> None:
        pass


_IMAP = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK done\r\n",
    b"LOGIN": b"TAG OK logged in\r\n",
    b"EXAMINE": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] from 1\r\nTAG OK [READ-ONLY] done\r\n",
    b"SEARCH": b"* SEARCH 1 2 3\r\nTAG OK done\r\n",
    b"FETCH": b"* 1 FETCH (UID 1 BODY[HEADER.FIELDS (MESSAGE-ID)] {33}\r\nMessage-ID: <mb.1@l.example>\r\n\r\n)\r\nTAG OK done\r\n",
    b"UID SEARCH": b"* SEARCH 1 2\r\nTAG OK done\r\n",
    b"UID FETCH": b"* 1 FETCH (UID 1 BODY[]<0> {LENGTH}\r\nMAIL)\r\nTAG OK done\r\n",
    b"LOGOUT": b"* BYE\r\nTAG OK done\r\n",
}


@contextmanager
def imap_server(said: dict[bytes, bytes]) -> Iterator[ImapFolder]:
    """Within, the folder's server says what it is told to: first what stands under nothing, then an answer for each command."""
    mail = _REPORT.encode()

    def answer(asked: bytes) -> bytes:
        tag, _, rest = asked.partition(b" ")
        words = rest.upper().split()
        verb = b" ".join(words[:2]) if words[:1] == [b"UID"] else (words or [b""])[0]
        told = said.get(verb, b"TAG OK done\r\n").replace(b"TAG", tag)
        return told.replace(b"LENGTH", str(len(mail)).encode()).replace(b"MAIL", mail)

    line = _Line(answer, said[b""])
    with patch.object(imap._Connection, "_create_socket", lambda *_: line), patch.object(imap, "Deadline", _Never):
        yield ImapFolder("mx.example", 143, "none", "u", "p", "INBOX", 5.0)


def _imap(random: Random) -> None:
    """Look for a mail, read reports, and read our copies, from a server that says odd things."""
    said = {b"": b"* OK ready\r\n", **_IMAP}
    for verb in random.sample(list(said), random.choice((1, 1, 2))):
        said[verb] = mutated(random, [said[verb]])
    with imap_server(said) as box:
        what = random.randrange(3)
        if what == 0:
            box.holds("<mb.1@l.example>")
        elif what == 1:
            bounces.read(box, random.choice((None, "7:1", "x", "7:" + "9" * 30)), TODAY)
        else:
            archived.archived(box, datetime(2026, 11, 1, tzinfo=UTC))


_SMTP = {
    b"": b"220 mx.example ready\r\n",
    b"EHLO": b"250-mx.example\r\n250-SIZE 1000000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
    b"AUTH": b"235 2.7.0 ok\r\n",
    b"MAIL": b"250 ok\r\n",
    b"RCPT": b"250 ok\r\n",
    b"DATA": b"354 go on\r\n",
    b".": b"250 2.0.0 queued as 12345\r\n",
    b"QUIT": b"221 bye\r\n",
    b"RSET": b"250 ok\r\n",
}
_HOST = transport.Server("mx.example", 25, "none", "u", "p", 5.0, 20.0, "here.example")
_LETTER = b"Subject: x\r\n\r\nBitte zahlen Sie.\r\n"


def _smtp(random: Random) -> None:
    """Hand over a mail to a server that says odd things."""
    said = dict(_SMTP)
    for verb in random.sample(list(said), random.choice((1, 1, 2))):
        said[verb] = mutated(random, [said[verb], b"550 5.1.1 no such user\r\n", b"421 4.3.2 later\r\n"])

    def answer(asked: bytes) -> bytes:
        if asked == _LETTER:
            return b""
        return said.get(asked.strip()[:4].upper().split(b" ")[0], b"250 ok\r\n")

    line = _Line(answer, said[b""])
    with (
        patch.object(transport._Connection, "_get_socket", lambda *_: line),
        patch.object(transport, "Deadline", _Never),
    ):
        told = transport.transact(
            _HOST, "a@b.example", ["c@d.example"], random.choice((None, "archiv@b.example")), _LETTER
        )
    assert all(sign.isprintable() for sign in told)


def targets() -> Iterator[Target]:
    """Yield what reads mails and mail servers."""
    yield Target("bounce", 90, _mail)
    yield Target("mail_copy", 60, _copy)
    yield Target("imap", 50, _imap)
    yield Target("smtp", 60, _smtp)
