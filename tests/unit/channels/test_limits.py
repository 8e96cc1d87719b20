"""Mail servers and mailboxes that never end: what they say is read up to a limit, and the line is cut at the deadline."""

import socket
import threading

import pytest

from bridge.channels import imap as mailbox
from bridge.channels.bounces import fetched
from bridge.channels.imap import ImapFolder
from bridge.channels.smtp import Smtp
from bridge.errors import RetryLater
from bridge.http.deadline import Deadline

FLOOD = 50_000_000
PATIENCE = 10.0
"""Seconds after which a server of these tests gives up on a client that does not hang up."""


class Hostile:
    """One connection on loopback that does what a test says; `sent` bytes left it, `left`: the client hung up first."""

    def __init__(self, behave, mailbox=False):
        self.sent, self.left, self.mailbox = 0, False, mailbox
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, args=(behave,), daemon=True)
        self._thread.start()

    def _serve(self, behave):
        line, _ = self._listening.accept()
        line.settimeout(PATIENCE)
        with line:
            try:
                behave(self, line)
                while line.recv(65536):
                    pass
                self.left = True
            except TimeoutError:
                pass
            except OSError:
                self.left = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._thread.join(2 * PATIENCE)
        self._listening.close()


def silent(server, line):
    """Say nothing at all, not even in a TLS handshake."""


def trickling(first):
    def behave(server, line):
        line.sendall(first)
        while True:
            line.sendall(b"x")
            server.sent += 1
            threading.Event().wait(0.05)

    return behave


def trickling_tls(server, line):
    """Agree to begin TLS, and trickle what could be the beginning of an answer in it."""
    greeting, asks = (b"* OK hello\r\n", 2) if server.mailbox else (b"220 hello\r\n", 2)
    line.sendall(greeting)
    for _ in range(asks):
        asked = line.recv(65536)
        tag = asked.partition(b" ")[0]
        if b"STARTTLS" in asked:
            break
        line.sendall(
            b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK\r\n"
            if server.mailbox
            else b"250-hi\r\n250 STARTTLS\r\n"
        )
    line.sendall(tag + b" OK begin\r\n" if server.mailbox else b"220 begin\r\n")
    line.recv(65536)  # the client's first word in TLS
    line.sendall(b"\x16\x03\x03\x40\x00")  # a record of sixteen thousand bytes, one by one
    for _ in range(60):  # then it waits for the client to hang up
        line.sendall(b"x")
        threading.Event().wait(0.05)


def flooding(first, piece, replies=()):
    """Answer each line by `replies`, then send the same piece over and over."""

    def behave(server, line):
        line.sendall(first)
        for reply in replies:
            tag = line.recv(65536).partition(b" ")[0]
            line.sendall(reply.replace(b"TAG", tag))
        many = piece * (65536 // len(piece) + 1)
        while server.sent < FLOOD:
            line.sendall(many)
            server.sent += len(many)

    return behave


LOGGED_IN = (b"* CAPABILITY IMAP4rev1\r\nTAG OK\r\n", b"TAG OK\r\n", b"* OK [UIDVALIDITY 1] .\r\nTAG OK\r\n")


def folder(port, security="none"):
    return ImapFolder("127.0.0.1", port, security, "u", "p", "INBOX", timeout=PATIENCE * 5)


@pytest.mark.parametrize(
    ("behave", "security"), [(trickling(b"* OK "), "none"), (silent, "implicit"), (silent, "none")]
)
def test_a_mailbox_that_holds_the_line_is_left(monkeypatch, behave, security):
    """A server that trickles its greeting, or never ends the handshake of TLS, holds nobody beyond the deadline."""
    monkeypatch.setattr(mailbox, "DEADLINE", 0.3)
    with Hostile(behave) as server, pytest.raises(RetryLater):
        folder(server.port, security).probe()
    assert server.left


def test_a_mailbox_that_never_stops_talking_is_left(monkeypatch):
    """Lines without end are read up to a limit, not into the memory of this machine."""
    monkeypatch.setattr(mailbox, "MOST", 1_000_000)
    with Hostile(flooding(b"* OK hello\r\n", b"* OK " + b"x" * 5000 + b"\r\n")) as server, pytest.raises(RetryLater):
        folder(server.port).probe()
    assert server.left
    assert server.sent < FLOOD


def test_a_mailbox_that_gives_more_than_was_asked_for_is_left():
    """A piece of a gigabyte in place of one of 256 KiB is not read at all."""
    answer = b"* 1 FETCH (UID 1 BODY[]<0> {1000000000}\r\n"
    with (
        Hostile(flooding(b"* OK hello\r\n", b"x", (*LOGGED_IN, answer))) as server,
        pytest.raises(RetryLater),
        folder(server.port).opened() as connection,
    ):
        fetched(connection, 1, "BODY.PEEK[]<0.262144>")
    assert server.left
    assert server.sent < FLOOD


def test_a_mail_server_that_never_ends_its_answer_is_left(settings, write):
    """An answer of lines without end is read up to a limit; nothing was sent."""
    with Hostile(flooding(b"220-hello\r\n", b"220-and on\r\n")) as server, pytest.raises(RetryLater):
        Smtp(settings(port=server.port, timeout=PATIENCE * 5, deadline=PATIENCE * 6)).push(write())
    assert server.left
    assert server.sent < FLOOD


def test_a_mail_server_that_never_ends_the_handshake_is_left(settings, write):
    """The deadline holds from the first byte, the handshake of TLS included."""
    with Hostile(silent) as server, pytest.raises(RetryLater):
        Smtp(settings(port=server.port, security="implicit", timeout=PATIENCE * 5, deadline=0.3)).push(write())
    assert server.left


def test_a_handshake_that_trickles_after_starttls_is_cut(monkeypatch, settings, write):
    """Also the handshake that begins on a line which stands already: at a mail server and at a mailbox."""
    monkeypatch.setattr(mailbox, "DEADLINE", 0.4)
    with Hostile(trickling_tls) as server, pytest.raises(RetryLater):
        Smtp(settings(port=server.port, security="starttls", timeout=PATIENCE * 5, deadline=0.4)).push(write())
    assert server.left
    with Hostile(trickling_tls, mailbox=True) as server, pytest.raises(RetryLater):
        folder(server.port, "starttls").probe()
    assert server.left


def test_a_line_that_stands_only_after_the_deadline_is_not_used():
    """The time runs from the beginning, not from the first byte."""
    deadline = Deadline(60)
    deadline.expired = True
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(TimeoutError):
        deadline.follow(ours)
