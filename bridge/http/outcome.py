"""What a call's outcome means: from an answer, or the lack of one, to one of the errors of `bridge.errors`.

The one rule for writes: only what proves that nothing was written may be repeated; everything else is `Unclear`.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import requests
import urllib3

from bridge.errors import BadAnswer, BridgeError, ConfigError, NotFound, Refused, RetryLater, Unclear
from bridge.http.redact import KNOWN
from bridge.http.reply import Reply, is_html
from bridge.words import Sentence

_DEFAULT_WAIT = timedelta(minutes=1)
_TOLD = 20_000
"""Bytes of a text in which secrets are looked for before it is shortened: half a secret is not recognised."""

_WORDS = {
    "name_unknown": Sentence("the name of the server is not known to DNS"),
    "connection": Sentence("no connection"),
    "tls": Sentence("no trusted encrypted connection (certificate or TLS)"),
    "proxy": Sentence("the proxy did not connect"),
    "timeout": Sentence("no answer in time"),
    "connection_lost": Sentence("the connection broke"),
    "truncated": Sentence("the answer broke off"),
    "too_large": Sentence("the answer is too large"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong on the wire (`cause` empty: nothing), whether bytes of the request may have left, and a wait asked for."""

    cause: str = ""
    sent: bool = False
    wait: timedelta | None = None


def why(error: BaseException, *, expired: bool) -> str:
    """Return the cause of a failure on the wire. The error's own text is never used: it may contain the address."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "connection"
    inner = error.args[0] if error.args else None
    timeouts = requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError
    if expired or isinstance(error, timeouts) or isinstance(inner, urllib3.exceptions.ReadTimeoutError):
        return "timeout"
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError):
        return "tls"
    if isinstance(error, requests.exceptions.ProxyError):
        return "proxy"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError):
        return "truncated"
    reason = getattr(inner, "reason", None)
    if isinstance(reason, urllib3.exceptions.NameResolutionError):
        return "name_unknown"
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        return "connection"
    return "connection_lost"


def _with_body(error: BridgeError | None, reply: Reply | None) -> BridgeError | None:
    """Attach the content of the answer for the connector's eyes; it is never printed."""
    if error is not None and reply is not None:
        error.body = reply.data if reply.data is not None else reply.content[:2000].decode("utf-8", "replace")
    return error


def of_read(what: str, reply: Reply | None, fault: Fault) -> BridgeError | None:
    """Judge a read that must answer JSON (or nothing)."""
    error = _of_reading(what, reply, fault)
    if error is None and reply is not None and reply.data is None and reply.content.strip() not in (b"", b"null"):
        if is_html(reply.headers, reply.content):
            error = BadAnswer("{what}: the answer is an HTML page", what=what, cause="bad_answer:html")
        else:
            error = BadAnswer("{what}: the answer is no JSON", what=what, cause="bad_answer:json")
    return _with_body(error, reply)


def of_download(what: str, reply: Reply | None, fault: Fault) -> BridgeError | None:
    """Judge the download of a file, which may be anything but a page for people."""
    error = _of_reading(what, reply, fault)
    if error is None and reply is not None and is_html(reply.headers, reply.content):
        error = BadAnswer("{what}: the answer is an HTML page", what=what, cause="bad_answer:html")
    return _with_body(error, reply)


def _of_reading(what: str, reply: Reply | None, fault: Fault) -> BridgeError | None:
    cause = fault.cause
    if reply is None:
        return RetryLater("{what}: {why}", what=what, why=_WORDS.get(cause, cause), cause=cause or "connection")
    status = reply.status
    if status == 404 and is_html(reply.headers, reply.content):
        return BadAnswer(
            "{what}: HTTP 404 with an HTML page, which no record's absence looks like; check base_url and what stands before the provider",
            what=what,
            cause="bad_answer:html",
        )
    if 200 <= status < 300:
        if cause:
            if cause == "timeout":
                return RetryLater("{what}: {why}", what=what, why=_WORDS[cause], cause=cause)
            return BadAnswer("{what}: {why}", what=what, why=_WORDS.get(cause, cause), cause=f"bad_answer:{cause}")
        return None
    if status < 400:
        return BadAnswer("{what}: {why}", what=what, why=_redirected(reply), cause="redirect")
    if status in (408, 425, 429) or status >= 500:
        wait = fault.wait if fault.wait is not None else _DEFAULT_WAIT
        return RetryLater(
            "{what}: HTTP {status}{said}",
            what=what,
            status=status,
            said=_said(reply),
            after=wait,
            cause=f"http_{status}",
        )
    return _of_client_error(what, reply)


def of_write(what: str, reply: Reply | None, fault: Fault, unclear_on: frozenset[int]) -> BridgeError | None:
    """Judge a write."""
    error = _of_writing(what, reply, fault, unclear_on)
    return _with_body(error, reply)


def _of_writing(what: str, reply: Reply | None, fault: Fault, unclear_on: frozenset[int]) -> BridgeError | None:
    cause = fault.cause
    if reply is None:
        text = Sentence("{what}: {why}", what=what, why=_WORDS.get(cause, cause))
        if fault.sent:
            return Unclear(text, cause=cause or "connection_lost")
        return RetryLater(text, cause=cause)
    status = reply.status
    if status == 429 and status not in unclear_on:
        wait = fault.wait if fault.wait is not None else _DEFAULT_WAIT
        return RetryLater(
            "{what}: HTTP {status}{said}", what=what, status=429, said=_said(reply), after=wait, cause="http_429"
        )
    if 200 <= status < 300:
        if cause:
            return Unclear("{what}: {why}", what=what, why=_WORDS.get(cause, cause), cause=cause)
        if reply.data is None and reply.content.strip() not in (b"", b"null"):
            return Unclear("{what}: the answer is no JSON", what=what, cause="bad_answer")
        return None
    if status in unclear_on or status < 400 or status == 408 or status >= 500:
        if status < 400:
            cause = "redirect" if status >= 300 else f"http_{status}"
            return Unclear("{what}: {why}", what=what, why=_redirected(reply), cause=cause)
        return Unclear(
            "{what}: HTTP {status}{said}", what=what, status=status, said=_said(reply), cause=f"http_{status}"
        )
    return _of_client_error(what, reply)


def _of_client_error(what: str, reply: Reply) -> BridgeError:
    status = reply.status
    text = Sentence("{what}: HTTP {status}{said}", what=what, status=status, said=_said(reply))
    cause = f"http_{status}"
    if status in (401, 403, 407):
        return ConfigError(text, cause=cause)
    if status == 404:
        return NotFound(text, cause=cause)
    return Refused(text, cause=cause)


def _redirected(reply: Reply) -> Sentence:
    try:
        host = urlsplit(reply.headers.get("Location", "")).hostname or "?"
    except ValueError:  # no address at all
        host = "?"
    return Sentence(
        "HTTP {status}, redirected to {host!r}, which is not followed; check base_url",
        status=reply.status,
        host=KNOWN.text(host)[:100],
    )


def _said(reply: Reply) -> Sentence:
    """Return the provider's own words for people, short, on one line, without secrets; nothing of an HTML page."""
    if is_html(reply.headers, reply.content):
        return Sentence(" (an HTML page)")
    words = [word for word in _texts(reply.data) if word]
    text = "; ".join(words) if reply.data is not None else reply.content[:_TOLD].decode("utf-8", "replace")
    text = re.sub(r"[^\x20-\x7e\xa0-\uffff]+", " ", KNOWN.text(text)).strip()
    return Sentence(" ({text})", text=text[:200]) if text else Sentence("")


def _texts(data: object, depth: int = 0) -> list[str]:
    """Return the texts under telling names in an error answer."""
    if isinstance(data, str):
        return [data] if depth else []
    if isinstance(data, list):
        return [text for item in data[:5] for text in _texts(item, depth)]
    if isinstance(data, dict) and depth < 4:
        names = ("error", "errors", "message", "error_description", "detail", "title")
        return [text for name in names if name in data for text in _texts(data[name], depth + 1)]
    return []
