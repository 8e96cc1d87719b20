"""Reports of mail that did not arrive (Rückläufer), read from an IMAP mailbox: RFC 3464, and what older servers send.

The mailbox is open for reading only, and everything in it is hostile: of each mail a bounded part is taken, and it counts only as a
report that names a message of ours. Whatever else lies there is passed over.
"""

import imaplib
import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr

from bridge.channels.imap import ImapFolder
from bridge.contract import Returned, Returns, redact

MOST_MAILS = 1000
"""Mails looked at in one go; what is left comes the next time."""

LARGEST_PART = 256 * 1024
"""Bytes taken of one mail: reports stand at its beginning, what they return comes last."""

FIRST_LOOK = timedelta(days=14)
"""How far back the first look goes."""

_MOST_PARTS = 60
_HEADERS = "BODY.PEEK[HEADER.FIELDS (FROM RETURN-PATH CONTENT-TYPE X-FAILED-RECIPIENTS)]"
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_NAME = re.compile(r"<[^<>\s]{3,250}>")
_ADDRESS = re.compile(r"[^\s@;<>]{1,64}@[^\s@;<>]{1,253}")
_MACHINES = ("mailer-daemon", "postmaster", "mail-daemon")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read(folder: ImapFolder, since: str | None, today: date) -> Returns:
    """Return the reports that arrived since the last look. Raises as `ImapFolder.opened`."""
    with folder.opened() as connection:
        validity = _number(connection.response("UIDVALIDITY")[1])
        last = _last(since, validity)
        uids = [uid for uid in _search(connection, last, today) if uid > last][:MOST_MAILS]
        suspects = [uid for uid in uids if _may_report(fetched(connection, uid, f"{_HEADERS}<0.8192>"))]
        mails = ((uid, fetched(connection, uid, f"BODY.PEEK[]<0.{LARGEST_PART}>")) for uid in suspects)
        reports = [one for uid, mail in mails if (one := report_in(mail, f"{validity}:{uid}")) is not None]
    return Returns(tuple(reports), f"{validity}:{max(uids, default=last)}")


def report_in(mail: bytes, fallback: str) -> Returned | None:
    """Return what this mail reports as undelivered for good, or None where it is no such report. `fallback` names one without id."""
    message = message_from_bytes(mail)
    parts = [part for _, part in zip(range(_MOST_PARTS), message.walk(), strict=False)]
    status = [one for part in parts if part.get_content_type() == "message/delivery-status" for one in _blocks(part)]
    failed = [one for one in status if line(one.get("Action")).lower() == "failed"]
    if any(one.get("Action") for one in status) and not failed:
        return None  # delayed, delivered, relayed: nothing has failed
    names = frozenset(_names(message, parts))
    if not names:
        return None
    own = _NAME.search(line(message.get("Message-ID")))
    recipients = [_address(line(one.get(name))) for one in failed for name in ("Original-Recipient", "Final-Recipient")]
    recipients += _ADDRESS.findall(line(message.get("X-Failed-Recipients")))
    return Returned(
        report=own.group() if own else fallback,
        names=names,
        recipients=tuple(dict.fromkeys(filter(None, recipients))),
        reason=_reason(failed) or redact(line(message.get("Subject"))),
    )


def _may_report(header: bytes) -> bool:
    """Return whether these headers are those of a report: a machine's, sent from nobody, or of the type for it."""
    message = message_from_bytes(header)
    sender = _sender(line(message.get("From"))).partition("@")[0]
    nobody = line(message.get("Return-Path")) == "<>"
    return (
        message.get_content_type() == "multipart/report"
        or nobody
        or sender in _MACHINES
        or message.get("X-Failed-Recipients") is not None
    )


def _sender(header: str) -> str:
    """Return the address of a sender in small letters, nothing where it is none: comments within comments never end."""
    try:
        return parseaddr(header)[1].lower()
    except RecursionError:
        return ""


def _blocks(part: Message) -> Iterator[Message]:
    """Yield the groups of fields of a delivery report: one about the message, one for each recipient."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))


def _names(message: Message, parts: Iterable[Message]) -> Iterator[str]:
    """Yield what names the message that came back, in the part that returns it or, where nothing is returned, in the thread."""
    for part in parts:
        if part is not message:
            yield from _named(part)
        if part.get_content_type() in ("text/rfc822-headers", "text/plain"):
            text = part.get_payload(decode=True)
            yield from _named(message_from_bytes(_headers_in(text if isinstance(text, bytes) else b"")))
    for name in ("In-Reply-To", "References"):
        yield from _NAME.findall(line(message.get(name)))


def _headers_in(text: bytes) -> bytes:
    """Return the headers of the message that older servers copy into their text, from the first that is ours to know."""
    found = re.search(rb"^(x-mahnbridge-marker|message-id):", text, re.IGNORECASE | re.MULTILINE)
    return text[found.start() :] if found else b""


def _named(one: Message) -> Iterator[str]:
    marker = line(one.get("X-Mahnbridge-Marker"))
    if re.fullmatch(r"mb:[0-9a-f]{12}", marker):
        yield marker
    found = _NAME.search(line(one.get("Message-ID")))
    if found:
        yield found.group()


def _reason(failed: Iterable[Message]) -> str:
    told = [line(one.get("Diagnostic-Code")) or line(one.get("Status")) for one in failed]
    said = "; ".join(dict.fromkeys(re.sub(r"^[\w-]+;\s*", "", one) for one in told if one))
    return str(redact(said))[:300]


def _address(value: str) -> str:
    found = _ADDRESS.search(value.partition(";")[2] or value)
    return found.group() if found else ""


def line(value: object, most: int = 2000) -> str:
    """Return a header as one line of printable text, cut short."""
    text = "".join(sign if sign.isprintable() else " " for sign in str(value or ""))
    return " ".join(text.split())[:most]


def _last(since: str | None, validity: int) -> int:
    """Return the last UID looked at; 0 at the first look, and where the server numbers anew (RFC 3501 section 2.3.1.1)."""
    before, _, uid = (since or "").partition(":")
    return int(uid) if uid.isdigit() and before == str(validity) else 0


def _search(connection: imaplib.IMAP4, last: int, today: date) -> list[int]:
    if not last:
        return found_since(connection, today - FIRST_LOOK)
    return _numbers(connection.uid("SEARCH", "UID", f"{last + 1}:*")[1])


def found_since(connection: imaplib.IMAP4, first: date) -> list[int]:
    """Return the mails that arrived on that day or later, by their UID."""
    return _numbers(connection.uid("SEARCH", "SINCE", f"{first.day}-{_MONTHS[first.month - 1]}-{first.year}")[1])


def _numbers(found: Iterable[bytes | None]) -> list[int]:
    numbers = b" ".join(one for one in found if isinstance(one, bytes)).split()
    return sorted(int(one) for one in numbers if one.isdigit())


def fetched(connection: imaplib.IMAP4, uid: int, what: str) -> bytes:
    """Return a bounded part of one mail, nothing where the server does not give it."""
    _, parts = connection.uid("FETCH", str(uid), f"({what})")
    for part in parts:
        if isinstance(part, tuple) and (asked := _UID.search(part[0])) and int(asked.group(1)) == uid:
            return bytes(part[1][:LARGEST_PART])
    return b""


def _number(found: Iterable[bytes | None] | None) -> int:
    text = next((one for one in found or () if one), b"0")
    return int(text) if text.isdigit() else 0
