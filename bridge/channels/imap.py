"""Mailboxes that are read over IMAP, and never changed.

In the archive a hidden copy of every mail lies, and its Message-ID proves that the mail went out. Into another one comes what was returned.
"""

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bridge.channels.login import Bearer, answers, offered
from bridge.channels.transport import opened_line, refused_certificate, tls_context
from bridge.contract import ConfigError, RetryLater
from bridge.http.deadline import Deadline

_FAULTS = (OSError, imaplib.IMAP4.error, ValueError, LookupError)
"""What a broken connection ends in, and what its library says of an answer that is none."""

_FOLDED_ID = re.compile(rb"^message-id:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)


DEADLINE = 300.0
"""Seconds that one visit to a mailbox may take in all; then the line is cut."""

LARGEST_PIECE, MOST = 1_000_000, 400_000_000
"""Bytes of one piece that a server gives, of which we ask for less; and of all pieces and lines of one visit."""


class _Connection(imaplib.IMAP4):
    """A connection that is cut at the deadline, greeting and TLS handshake included, and that reads no more than is asked for."""

    def __init__(self, host: str, port: int, timeout: float, implicit: ssl.SSLContext | None) -> None:
        self._implicit, self._left = implicit, MOST
        self._deadline = Deadline(DEADLINE)
        self._deadline.begin()
        try:
            super().__init__(host, port, timeout=timeout)
        except BaseException:
            self._deadline.end()
            raise

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return opened_line((self.host, self.port), timeout, self._implicit, self._deadline)

    def read(self, size: int) -> bytes:
        self._count(size, size > LARGEST_PIECE)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._count(len(line))
        return line

    def _count(self, size: int, too_large: bool = False) -> None:
        self._left -= size
        if too_large or self._left < 0:
            raise self.abort("more than was asked for")

    def release(self) -> None:
        """Say good-bye and close the connection."""
        with suppress(*_FAULTS):
            self.logout()
        self._deadline.end()
        with suppress(OSError):
            self.shutdown()


@dataclass(frozen=True, slots=True)
class ImapFolder:
    """One folder of a mailbox. `security` is implicit, starttls, or none (loopback only); `timeout` in seconds.

    The log-in is by `bearer`, which gives tokens of OAuth 2.0, or else by `password`.
    """

    host: str
    port: int
    security: str
    user: str
    password: str | None = field(repr=False)
    folder: str
    timeout: float
    ca_file: Path | None = None
    bearer: Bearer | None = None

    def probe(self) -> None:
        """Log in and open the folder. Errors as `holds`."""
        with self.opened():
            pass

    def holds(self, message_id: str) -> bool:
        """Return whether the folder has a mail with exactly this Message-ID.

        Raises `ConfigError` (log-in or folder refused), `RetryLater` (no connection, odd answer).
        """
        with self.opened() as connection:
            _, found = connection.search(None, "HEADER", "Message-ID", f'"{message_id}"')
            for number in b" ".join(part for part in found if isinstance(part, bytes)).split():
                _, parts = connection.fetch(
                    number.decode("ascii", "replace"), "(BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
                )
                for part in parts:
                    header = part[1] if isinstance(part, tuple) else b""
                    if message_id.encode() in _FOLDED_ID.findall(header):  # SEARCH finds substrings; we want this one
                        return True
        return False

    @contextmanager
    def opened(self) -> Iterator[imaplib.IMAP4]:
        """Log in and open the folder for reading; errors as `holds`, also of what is asked inside."""
        place = f"IMAP {self.host}:{self.port}"
        if self.bearer is not None:
            self.bearer.token()  # fetched before the line is open, which must not wait for it
        try:
            connection = self._connect()
        except ssl.SSLCertVerificationError as error:
            raise refused_certificate(place, error, cause="imap_tls") from error
        except _FAULTS as error:
            raise RetryLater("{place}: {name}", place=place, name=type(error).__name__, cause="imap_connect") from error
        try:
            self._log_in(connection, place)
            self._open(connection, place)
            yield connection
        except imaplib.IMAP4.abort as error:
            raise RetryLater("{place}: connection lost", place=place, cause="imap_connect") from error
        except _FAULTS as error:
            raise RetryLater("{place}: {name}", place=place, name=type(error).__name__, cause="imap_answer") from error
        finally:
            connection.release()

    def _connect(self) -> _Connection:
        implicit = tls_context(self.ca_file) if self.security == "implicit" else None
        connection = _Connection(self.host, self.port, self.timeout, implicit)
        if self.security == "starttls":
            try:
                connection.starttls(tls_context(self.ca_file))
            except BaseException:
                connection.release()
                raise
        return connection

    def _log_in(self, connection: imaplib.IMAP4, place: str) -> None:
        """Log in; with a token once more with a new one where the server does not take it, as after a revocation."""
        try:
            if self.bearer is None:
                connection.login(self.user, self.password or "")
                return
            mechanism = offered(one.removeprefix("AUTH=") for one in connection.capabilities if one.startswith("AUTH="))
            if mechanism is None:
                raise ConfigError("{place}: no log-in by XOAUTH2 or OAUTHBEARER", place=place, cause="imap_security")
            token = self.bearer.token()
            try:
                self._by_token(connection, mechanism, token)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error:
                self._by_token(connection, mechanism, self.bearer.token(refused=token))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise ConfigError("{place}: log-in refused", place=place, cause="imap_login") from error

    def _by_token(self, connection: imaplib.IMAP4, mechanism: str, token: str) -> None:
        first, last = answers(mechanism, self.user, token, self.host, self.port)
        connection.authenticate(mechanism, lambda challenge: (last if challenge else first).encode())

    def _open(self, connection: imaplib.IMAP4, place: str) -> None:
        answer, _ = connection.select(_quoted(self.folder), readonly=True)
        if answer != "OK":
            raise ConfigError(
                "{place}: there is no folder {folder!r}", place=place, folder=self.folder, cause="imap_folder"
            )


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
