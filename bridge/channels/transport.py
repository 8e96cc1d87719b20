"""One SMTP transaction, with an answer for every way in which it can end (RFC 5321).

Nothing is sent unless every recipient was accepted. Up to the final dot nothing can have been delivered; after it, a lost answer is
`Unclear`. The connection is cut at the hard deadline, so that a server that trickles its answers cannot hold it open.
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, NoReturn

from bridge.channels.login import Bearer, answers, offered
from bridge.contract import ConfigError, Refused, RetryLater, Unclear, redact
from bridge.http.deadline import Deadline
from bridge.words import Sentence

_SENDER_IS_OURS = frozenset({530, 535, 538, 550, 551, 553, 554})
"""Permanent answers to MAIL FROM that concern our account, not this one mail."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how to hand over mail. `security` is starttls, implicit, or none (loopback only). Times in seconds."""

    host: str
    port: int
    security: str
    user: str | None
    password: str | None = field(repr=False)
    timeout: float
    deadline: float
    hello: str
    ca_file: Path | None = None
    bearer: Bearer | None = None

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that verifies name and chain, against `ca_file` where a house has its own authority."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or str(error)  # the path is not said twice
        raise ConfigError("ca_file {ca_file}: {error}", ca_file=str(ca_file), error=why, cause="tls_ca") from error


def refused_certificate(place: str, error: ssl.SSLCertVerificationError, *, cause: str) -> ConfigError:
    """Return what people are told of a server whose certificate is not what it should be."""
    return ConfigError(
        "{place}: certificate refused: {verify_message}", place=place, verify_message=error.verify_message, cause=cause
    )


def opened_line(
    place: tuple[str, int], timeout: float | None, implicit: ssl.SSLContext | None, deadline: Deadline
) -> socket.socket:
    """Return a connection that is cut at the deadline, with TLS on it where it begins at once; `timeout` between two bytes, in seconds."""
    raw = socket.create_connection(place, timeout)
    try:
        deadline.follow(raw)
        return raw if implicit is None else implicit.wrap_socket(raw, server_hostname=place[0])
    except BaseException:
        raw.close()
        raise


LARGEST_ANSWERS = 1_000_000
"""Bytes of all that a server says on one line."""


class _Bounded:
    """What a server says, as far as anybody needs it: an answer without end would fill the memory before the deadline cuts it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._left = file, LARGEST_ANSWERS

    def readline(self, most: int = -1) -> bytes:
        line = self._file.readline(most)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("the server does not end its answer")
        return line

    def close(self) -> None:
        self._file.close()


class _Connection(smtplib.SMTP):
    """A connection that is cut at the deadline, greeting and TLS handshake included."""

    def __init__(self, server: Server, context: ssl.SSLContext | None) -> None:
        self._implicit = context if server.security == "implicit" else None
        self._deadline = Deadline(server.deadline)
        self._deadline.begin()
        try:
            super().__init__(server.host, server.port, local_hostname=server.hello, timeout=server.timeout)
        except BaseException:
            self.release()
            raise

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return opened_line((host, port), timeout, self._implicit, self._deadline)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = _Bounded(self.sock.makefile("rb"))  # type: ignore[union-attr]
        return super().getreply()

    def release(self) -> None:
        """Close the connection."""
        self._deadline.end()
        with suppress(OSError, smtplib.SMTPException):
            self.close()


@contextmanager
def session(server: Server) -> Iterator[smtplib.SMTP]:
    """Connect, secure and log in. Raises `ConfigError` where a person must act, `RetryLater` where the server does not answer."""
    context = tls_context(server.ca_file) if server.security != "none" else None
    if server.bearer is not None:
        server.bearer.token()  # fetched before the line is open, which must not wait for it
    connection = _connect(server, context)
    try:
        _introduce(connection, server, context)
        yield connection
        with suppress(smtplib.SMTPException, OSError, ValueError):
            connection.quit()
    finally:
        connection.release()


def _connect(server: Server, context: ssl.SSLContext | None) -> _Connection:
    try:
        return _Connection(server, context)
    except ssl.SSLCertVerificationError as error:
        raise refused_certificate(f"SMTP {server.place}", error, cause="smtp_tls") from error
    except (OSError, smtplib.SMTPException) as error:
        raise RetryLater(
            "SMTP {place}: {error}", place=server.place, error=_what(error), cause="smtp_connect"
        ) from error


def _introduce(connection: smtplib.SMTP, server: Server, context: ssl.SSLContext | None) -> None:
    try:
        connection.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            connection.starttls(context=context)
            connection.ehlo()
        if server.user is not None and server.bearer is not None:
            _log_in(connection, server, server.user, server.bearer)
        elif server.user is not None:
            connection.login(server.user, server.password or "")
    except ssl.SSLCertVerificationError as error:
        raise refused_certificate(f"SMTP {server.place}", error, cause="smtp_tls") from error
    except smtplib.SMTPNotSupportedError as error:
        raise ConfigError(
            "SMTP {place}: {error}; check security and user", place=server.place, error=error, cause="smtp_security"
        ) from error
    except smtplib.SMTPAuthenticationError as error:
        if 400 <= error.smtp_code < 500:
            raise RetryLater(
                "SMTP {place}: log-in deferred ({smtp_code})",
                place=server.place,
                smtp_code=error.smtp_code,
                cause="smtp_login",
            ) from error
        raise ConfigError(
            "SMTP {place}: log-in refused ({smtp_code})",
            place=server.place,
            smtp_code=error.smtp_code,
            cause="smtp_login",
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise RetryLater(
            "SMTP {place}: {error}", place=server.place, error=_what(error), cause="smtp_connect"
        ) from error


def _log_in(connection: smtplib.SMTP, server: Server, user: str, bearer: Bearer) -> None:
    """Log in with a token, and once more with a new one where the server does not take it, as after a revocation."""
    mechanism = offered(connection.esmtp_features.get("auth", "").split())
    if mechanism is None:
        raise smtplib.SMTPNotSupportedError("no log-in by XOAUTH2 or OAUTHBEARER")

    def attempt(token: str) -> None:
        first, last = answers(mechanism, user, token, server.host, server.port)
        connection.auth(mechanism, lambda challenge=None: first if challenge is None else last)

    token = bearer.token()
    try:
        attempt(token)
    except smtplib.SMTPAuthenticationError as error:
        if error.smtp_code < 500:
            raise
        attempt(bearer.token(refused=token))


def transact(server: Server, sender: str, recipients: Sequence[str], archive: str | None, mail: bytes) -> str:
    """Hand over `mail` to all `recipients` (and the `archive` address), or to nobody; return the server's last answer."""
    with session(server) as connection:
        _check_size(connection, len(mail))
        try:
            _envelope(connection, sender, recipients, archive)
            _begin_data(connection)
            connection.send(_dotted(mail))
        except (OSError, smtplib.SMTPException) as error:
            raise RetryLater(
                "SMTP: {error} before the message was complete", error=_what(error), cause="smtp_connect"
            ) from error
        return _finish(connection)


def would_take(connection: smtplib.SMTP, sender: str) -> None:
    """Ask whether the server takes a mail of `sender`, to itself; it is broken off before there is a mail.

    Raises `ConfigError` where the sender is refused, `Refused` where it is as recipient, `RetryLater` where it may pass.
    """
    try:
        _envelope(connection, sender, (sender,), None)
    except (OSError, smtplib.SMTPException) as error:
        raise RetryLater(
            "SMTP: {error} before the message was complete", error=_what(error), cause="smtp_connect"
        ) from error
    _reset(connection)


def _check_size(connection: smtplib.SMTP, size: int) -> None:
    """Refuse a mail that is larger than the server says it takes (RFC 1870), before anything is handed over."""
    said = connection.esmtp_features.get("size", "")
    if said.isdecimal() and 0 < int(said) < size:
        raise Refused(
            "the mail has {size} bytes, at most {largest} can be sent", size=size, largest=said, cause="mail_size"
        )


def _envelope(connection: smtplib.SMTP, sender: str, recipients: Sequence[str], archive: str | None) -> None:
    code, text = connection.mail(sender)
    if code >= 500:
        kind = ConfigError if code in _SENDER_IS_OURS else Refused
        said = Sentence("SMTP: the sender {sender} was refused: {answer}", sender=sender, answer=_answer(code, text))
        raise kind(said, cause=f"smtp_{code}")
    if code != 250:
        raise RetryLater("SMTP: MAIL FROM: {answer}", answer=_answer(code, text), cause=f"smtp_{code}")
    replies = [(address, *connection.rcpt(address)) for address in recipients]
    bad = [reply for reply in replies if reply[1] >= 500]
    later = [reply for reply in replies if reply[1] not in (250, 251, 252)]
    for address, code, text in (*bad, *later):
        _reset(connection)
        said = Sentence(
            "SMTP: recipient {address}: {answer}; nothing was sent to anybody",
            address=address,
            answer=_answer(code, text),
        )
        if code >= 500:
            raise Refused(said, cause=f"smtp_{code}")
        raise RetryLater(said, after=timedelta(minutes=10), cause=f"smtp_{code}")
    if archive is not None:
        code, text = connection.rcpt(archive)
        if code not in (250, 251, 252):
            _reset(connection)
            said = Sentence(
                "SMTP: the archive address {archive}: {answer}; nothing was sent",
                archive=archive,
                answer=_answer(code, text),
            )
            raise ConfigError(said, cause="smtp_archive") if code >= 500 else RetryLater(said, cause="smtp_archive")


def _begin_data(connection: smtplib.SMTP) -> None:
    code, text = connection.docmd("DATA")
    if code != 354:
        _raise_for(code, text)


def _finish(connection: smtplib.SMTP) -> str:
    """Send the final dot; from here on a missing answer leaves open whether the mail was accepted."""
    try:
        connection.send(b".\r\n")
        code, text = connection.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise Unclear(
            "SMTP: {error} after the message was complete", error=_what(error), cause="smtp_answer_lost"
        ) from error
    if code != 250:
        _raise_for(code, text)
    return _answer(code, text)


def _raise_for(code: int, text: bytes) -> NoReturn:
    if 400 <= code < 500:
        raise RetryLater(
            "SMTP: {answer}", answer=_answer(code, text), after=timedelta(minutes=10), cause=f"smtp_{code}"
        )
    if code >= 500:
        raise Refused("SMTP: {answer}", answer=_answer(code, text), cause=f"smtp_{code}")
    raise Unclear("SMTP: unexpected answer {answer}", answer=_answer(code, text), cause="smtp_answer")


def _reset(connection: smtplib.SMTP) -> None:
    with suppress(OSError, smtplib.SMTPException):
        connection.rset()


def _dotted(mail: bytes) -> bytes:
    """Escape leading dots and make every line end CRLF (RFC 5321 section 4.5.2)."""
    lines = mail.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").split(b"\n")
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines)


def _answer(code: int, text: bytes) -> str:
    shown = redact(text.decode("utf-8", "replace"))
    return f"{code} {''.join(char if char.isprintable() else ' ' for char in shown)[:300]}".strip()


def _what(error: BaseException) -> Sentence | str:
    if isinstance(error, smtplib.SMTPResponseException):
        raw = error.smtp_error
        return _answer(error.smtp_code, raw if isinstance(raw, bytes) else str(raw).encode())
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    name = type(error).__name__
    return Sentence("{name}: {said}", name=name, said=redact(str(error))) if str(error) else name
