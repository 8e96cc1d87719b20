"""The mail of a notice: headers that cannot be injected into, plain text and HTML, attachments. Pure.

Everything that comes from a debtor's record is hostile: names, numbers and file names with control characters are refused, and
addresses are ASCII after IDNA encoding of the domain (RFC 5321 section 4.1.2, RFC 5890).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256

from bridge.channels.headers import POLICY
from bridge.contract import Attachment, Content, Refused, WriteBack
from bridge.documents.mail import giro_png, html
from bridge.policy.claim_text import mail_text
from bridge.words import Sentence

LARGEST_MAIL = 25_000_000
"""Bytes of a whole mail as it goes over the wire; most receiving servers refuse larger ones."""

COVERS = "X-Mahnbridge-Covers"
"""Header that says which claims and levels a mail is about: its term, then words of `Covered.token`."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,120}@[A-Za-z0-9.-]{1,120}>")


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who gets the mail: header recipients, hidden ones, and the text that marks a redirect in test mode."""

    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    redirected_from: tuple[str, ...] = ()

    @property
    def recipients(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.to, *self.cc, *self.bcc)))


def clean(value: str, field: Sentence) -> str:
    """Return `value` if it may stand in a header, else raise `Refused` naming the field."""
    for char in value:
        if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}:
            raise Refused(
                "{field} contains the control character {char}: {value!r}",
                field=field,
                char=f"U+{ord(char):04X}",
                value=value,
                cause="mail_header",
            )
    return value


def mailbox(address: str, field: Sentence) -> str:
    """Return the address as it goes over the wire; raise `Refused` where it is none. Nothing is guessed or repaired."""
    clean(address, field)
    local, at, domain = address.strip().rpartition("@")
    try:
        wire = domain.encode("idna").decode("ascii") if domain else ""
    except UnicodeError:
        wire = ""
    good = at and len(local) <= 64 and _LOCAL.fullmatch(local) and 0 < len(wire) <= 253
    if not good or not all(_LABEL.fullmatch(label) for label in wire.split(".")):
        raise Refused(
            "{field} {address!r} is no e-mail address; right would be name@example.org",
            field=field,
            address=address,
            cause="mail_address",
        )
    return f"{local}@{wire.lower()}"


def message_id(write: WriteBack, sender: str) -> str:
    """Return the Message-ID fixed for this write-back: the planned one, else one that follows from its key alone."""
    planned = write.content.message_id
    if planned is None:
        return f"<{sha256(write.key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"
    if not _MESSAGE_ID.fullmatch(planned):
        raise Refused("Message-ID {planned!r} is not of the form <id@domain>", planned=planned, cause="mail_header")
    return planned


def build(
    write: WriteBack,
    files: Sequence[tuple[Attachment, bytes]],
    envelope: Envelope,
    *,
    sender: Mailbox,
    reply_to: str | None,
    dated: datetime,
    largest: int = LARGEST_MAIL,
) -> EmailMessage:
    """Compose the mail of `write`. Raises `Refused` on content that may not go into a header or is too large."""
    content = write.content
    mail = EmailMessage(policy=POLICY)
    subject = clean(content.subject, Sentence("the subject")).strip()
    if not subject or not content.text.strip():
        raise Refused("the mail has no subject or no text", cause="mail_empty")
    if envelope.redirected_from:
        to = "an" if content.language == "de" else "to"
        subject = f"[TEST {to} {', '.join(envelope.redirected_from)}] {subject}"
    mail["Message-ID"] = message_id(write, sender.addr_spec)
    mail["Date"] = format_datetime(dated)
    mail["From"] = sender
    mail["To"] = _mailboxes(envelope.to)
    if envelope.cc:
        mail["Cc"] = _mailboxes(envelope.cc)
    if reply_to:
        mail["Reply-To"] = _mailboxes((reply_to,))
    mail["Subject"] = subject
    mail["X-Mahnbridge-Marker"] = write.marker
    if write.covers:
        mail[COVERS] = " ".join((str(content.deadline or "-"), *write.covers))
    thread = _thread(write, sender.addr_spec)
    mail["In-Reply-To"] = thread
    mail["References"] = thread
    mail.set_content(_body(mail_text(content)))
    _add_html(mail, content, sender.addr_spec)
    _attach(mail, files)
    # last, for whoever adds content clears what was said of it
    mail["Content-Language"] = clean(content.language, Sentence("the language"))
    _bound(mail, write)
    size = len(mail.as_bytes())
    if size > largest:
        raise Refused(
            "the mail has {size} bytes, at most {largest} can be sent", size=size, largest=largest, cause="mail_size"
        )
    return mail


def _bound(mail: EmailMessage, write: WriteBack) -> None:
    """Fix the boundaries, so that the same notice is the same bytes; they depend on the content, which so cannot contain them."""
    seed = sha256(f"{write.key}\n{write.content.model_dump_json()}".encode()).hexdigest()[:40]
    for number, part in enumerate(one for one in mail.walk() if one.is_multipart()):
        part.set_boundary(f"={seed}={number}")


def _thread(write: WriteBack, sender: str) -> str:
    """Return the root of the conversation with this debtor: mail programs show all notices of a case together."""
    case = sha256(f"{write.account}:{write.debtor_id or write.key}".encode()).hexdigest()[:32]
    return f"<case-{case}@{sender.rpartition('@')[2]}>"


def _add_html(mail: EmailMessage, content: Content, sender: str) -> None:
    """Add the HTML part, with the GiroCode as a picture inside it where there is one."""
    if content.html is not None:
        mail.add_alternative(_body(content.html), subtype="html")
        return
    picture = giro_png(content)
    cid = f"girocode@{sender.rpartition('@')[2]}" if picture else None
    mail.add_alternative(_body(html(content, giro_cid=cid)), subtype="html")
    if picture:
        part = list(mail.iter_parts())[-1]
        assert isinstance(part, EmailMessage)
        part.add_related(picture, "image", "png", cid=f"<{cid}>", filename="girocode.png", disposition="inline")
        part.set_param("type", "text/html")  # RFC 2387, section 3.1: which part is the page


def _mailboxes(addresses: Sequence[str]) -> tuple[Mailbox, ...]:
    return tuple(Mailbox(addr_spec=address) for address in addresses)


def _body(text: str) -> str:
    """Normalise line ends and refuse what no mail reader shows: NUL and lone surrogates."""
    for char in text:
        if char == "\0" or unicodedata.category(char) == "Cs":
            raise Refused(
                "the text contains the character {char}, which no mail may carry",
                char=f"U+{ord(char):04X}",
                cause="mail_text",
            )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _attach(mail: EmailMessage, files: Sequence[tuple[Attachment, bytes]]) -> None:
    for attachment, data in files:
        name = clean(attachment.filename, Sentence("the file name")).replace("/", "_").replace("\\", "_")
        main, slash, sub = clean(attachment.mimetype, Sentence("the file type")).partition("/")
        if not slash or not main.isalnum() or not re.fullmatch(r"[A-Za-z0-9.+-]+", sub):
            raise Refused(
                "the type {mimetype!r} of {name!r} is no MIME type",
                mimetype=attachment.mimetype,
                name=name,
                cause="mail_header",
            )
        mail.add_attachment(data, maintype=main, subtype=sub, filename=name)
