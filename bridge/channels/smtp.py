"""Our own mail: from the agency's address, answered to the agency, sent once.

The Message-ID is fixed before the first attempt. With an archive mailbox a lost answer is cleared up by looking for it there; without
one it is parked, because no mail server can be asked whether it accepted a message.
"""

import smtplib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.headerregistry import Address as Mailbox
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from bridge.channels.archived import archived
from bridge.channels.bounces import read
from bridge.channels.imap import ImapFolder
from bridge.channels.login import SMTP, Bearer, OAuthLogin
from bridge.channels.message import Envelope, build, clean, mailbox, message_id
from bridge.channels.transport import Server, session, transact, would_take
from bridge.contract import (
    Act,
    Attachment,
    BridgeError,
    CannotTell,
    Channel,
    ConfigError,
    Finding,
    Health,
    Produced,
    Proof,
    Refused,
    RetryLater,
    Returns,
    Sent,
    Severity,
    TokenStore,
    WriteBack,
)
from bridge.errors import Wrong
from bridge.words import Sentence

Security = Literal["starttls", "implicit", "none"]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(value: str) -> str:
    try:
        return mailbox(value, Sentence("the address"))
    except Refused as error:
        raise Wrong(error.sentence) from error


def _token_log_in(user: str | None, oauth: OAuthLogin) -> None:
    """Refuse what no log-in by token can be made of."""
    if user is None or not user.isascii() or not user.isprintable():
        raise Wrong("oauth needs user, in plain ASCII, and no password")
    if oauth.client_secret is None and oauth.refresh_token is None:
        raise Wrong("oauth needs client_secret, refresh_token, or both")


class _Place(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, description="Name of the server.")
    port: int = Field(ge=1, le=65535)
    security: Security
    ca_file: Path | None = Field(None, description="Own certificate authority (PEM); default: those of the system.")

    @model_validator(mode="after")
    def _no_open_lines(self) -> Self:
        if self.security == "none" and not _is_loopback(self.host):
            raise Wrong("security: none is only for loopback, {host} is not; use starttls or implicit", host=self.host)
        return self


class ImapSettings(_Place):
    """Mailbox to which undeliverable mail is returned (Rückläufer), readable by IMAP."""

    port: int = Field(993, ge=1, le=65535, description="Port of the IMAP server.")
    security: Security = Field(
        "implicit", description="implicit (TLS from the start), starttls, or none (loopback only)."
    )
    user: str = Field(description="User name at the IMAP server.")
    password: SecretStr | None = Field(None, description="Password at the IMAP server; or else oauth.")
    oauth: OAuthLogin | None = Field(
        None,
        description="Log-in by token in place of a password; the same block as that of the mail server shares its tokens.",
    )
    folder: str = Field("INBOX", description="Folder in which the mails arrive.")

    @model_validator(mode="after")
    def _one_log_in(self) -> Self:
        if (self.password is None) == (self.oauth is None):
            raise Wrong("a mailbox needs password or oauth, one of them")
        if self.oauth is not None:
            _token_log_in(self.user, self.oauth)
        return self


class ArchiveSettings(ImapSettings):
    """Mailbox that receives a hidden copy of every mail (Archivpostfach), readable by IMAP."""

    address: str = Field(description="The mailbox's address; every mail goes there too, unseen by the debtor.")

    _check = field_validator("address")(_address)


class SmtpSettings(_Place):
    """How our own mails leave the house (Mailversand)."""

    port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    security: Security = Field(
        "starttls", description="starttls, implicit (TLS from the start), or none (loopback only)."
    )
    user: str | None = Field(None, description="User name at the mail server; empty: no login.")
    password: SecretStr | None = Field(None, description="Password at the mail server.")
    oauth: OAuthLogin | None = Field(
        None, description="Log-in by token in place of a password, for hosters that want it."
    )
    sender_name: str = Field("", description="Name in From, such as the agency's.")
    sender_address: str = Field(description="Address in From and of the envelope.")
    reply_to: str | None = Field(None, description="Where answers go; default: the sender.")
    bcc: tuple[str, ...] = Field((), description="Colleagues who get every mail unseen by the debtor.")
    redirect_to: str | None = Field(None, description="Test mode: every mail goes here instead, marked in its subject.")
    timeout: float = Field(30, gt=0, le=300, description="Seconds that the server may stay silent.")
    largest_megabytes: int = Field(
        25, ge=1, le=150, description="Largest mail with its attachments; larger ones wait for a person."
    )
    deadline: float = Field(
        60,
        gt=0,
        le=600,
        description="Seconds that one mail may take in all; then the line is cut. Shorter than `delivery.settling_seconds`.",
    )
    archive: ArchiveSettings | None = Field(
        None,
        description="Mailbox that gets a hidden copy, in which a lost answer is looked up; without one such a mail is parked.",
    )
    bounces: ImapSettings | None = Field(
        None,
        description="Mailbox of the sender address, in which reports of undeliverable mail are read; it is never changed.",
    )

    _check = field_validator("sender_address")(_address)

    @field_validator("reply_to", "redirect_to")
    @classmethod
    def _optional_address(cls, value: str | None) -> str | None:
        return None if value is None else _address(value)

    @field_validator("bcc")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_address(item) for item in value)

    @field_validator("sender_name")
    @classmethod
    def _name(cls, value: str) -> str:
        try:
            return clean(value, Sentence("the sender's name"))
        except Refused as error:
            raise Wrong(error.sentence) from error

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if self.oauth is not None:
            if self.password is not None:
                raise Wrong("oauth needs user, in plain ASCII, and no password")
            _token_log_in(self.user, self.oauth)
        elif (self.user is None) != (self.password is None):
            raise Wrong("user and password belong together")
        return self


class Smtp(Channel):
    """Mail by our own server (eigener Mailversand)."""

    name: ClassVar[str] = "smtp"
    Settings: ClassVar[type[BaseModel]] = SmtpSettings
    act: ClassVar[Act] = Act.MAIL

    def __init__(self, settings: SmtpSettings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(settings, clock=clock)
        self._settings = settings
        self._bearers = self._log_ins(None)

    def keep_tokens(self, tokens: TokenStore) -> None:
        self._bearers = self._log_ins(tokens)

    def _log_ins(self, tokens: TokenStore | None) -> dict[str, Bearer]:
        """Return the log-ins by token by their place; equal ones are one, whose refresh token changes with each renewal."""
        own = self._settings
        blocks = {SMTP: own, f"{SMTP}.archive": own.archive, f"{SMTP}.bounces": own.bounces}
        found: list[tuple[OAuthLogin, Bearer]] = []
        made: dict[str, Bearer] = {}
        for place, block in blocks.items():
            oauth = block.oauth if block else None
            if oauth is None:
                continue
            bearer = next((its for known, its in found if known == oauth), None) or Bearer(oauth, tokens, place)
            found.append((oauth, bearer))
            made[place] = bearer
        return made

    def check(self) -> Health:
        """Log in to the mail server, ask whether it takes mail of our sender, and open the folders that are read; nothing is sent."""
        findings = [*self._foreign()]
        try:
            with session(self._server()) as connection:
                connection.noop()
                findings += self._taken(connection)
        except BridgeError as error:
            findings.append(Finding(severity=Severity.ERROR, code=error.cause, text=error.sentence))
        archive, bounces = self._archive(), self._bounces()
        if archive is None:
            text = Sentence("no archive mailbox: a mail whose acceptance is not answered will be parked for a person")
            findings.append(Finding(severity=Severity.WARNING, code="smtp_no_archive", text=text))
        if archive is None and bounces is None:
            text = Sentence(
                "neither an archive mailbox nor the mailbox for bounces is read: a mail that the server accepts and loses stays unseen"
            )
            findings.append(Finding(severity=Severity.WARNING, code="smtp_unseen", text=text))
        for folder in filter(None, (archive, bounces)):
            try:
                folder.probe()
            except BridgeError as error:
                findings.append(Finding(severity=Severity.ERROR, code=error.cause, text=error.sentence))
        if self._settings.redirect_to:
            text = Sentence(
                "test mode: every mail goes to {redirect_to} instead of the debtor",
                redirect_to=self._settings.redirect_to,
            )
            findings.append(Finding(severity=Severity.WARNING, code="smtp_redirect", text=text))
        ok = all(finding.severity is not Severity.ERROR for finding in findings)
        return Health(ok=ok, acts=frozenset({Act.MAIL}), findings=tuple(findings))

    def _foreign(self) -> Iterator[Finding]:
        """Find a sender of another domain than the log-in's: many servers refuse that, or the receivers' do (SPF, DMARC)."""
        user, sender = self._settings.user or "", self._settings.sender_address
        ours, theirs = (one.rpartition("@")[2].lower() for one in (user, sender))
        if (
            "@" in user
            and ours != theirs
            and not f".{theirs}".endswith(f".{ours}")
            and not f".{ours}".endswith(f".{theirs}")
        ):
            text = Sentence(
                "mails say that they are of {sender}, the log-in is of {ours}; receivers may take them for forged",
                sender=sender,
                ours=ours,
            )
            yield Finding(severity=Severity.WARNING, code="smtp_foreign_domain", text=text)

    def _taken(self, connection: smtplib.SMTP) -> Iterator[Finding]:
        try:
            would_take(connection, self._settings.sender_address)
        except ConfigError as error:
            yield Finding(severity=Severity.ERROR, code=error.cause, text=error.sentence)
        except Refused as error:  # an address that takes no mail may still send
            yield Finding(severity=Severity.WARNING, code=error.cause, text=error.sentence)
        except RetryLater:
            return

    def push(self, write: WriteBack, files: Sequence[tuple[Attachment, bytes]] = ()) -> Proof:
        """Send one mail in one SMTP transaction, to all recipients or to nobody.

        Raises `Refused` (content, addresses, permanent answers), `RetryLater` (temporary answers, no connection), `ConfigError`
        (log-in, TLS, our own sender), `Unclear` (the answer to the complete message was lost).
        """
        settings = self._settings
        envelope = self._envelope(write)
        mail = self._mail(write, files, envelope)
        archive = settings.archive.address if settings.archive else None
        if archive in envelope.recipients:
            archive = None
        answer = transact(self._server(), settings.sender_address, envelope.recipients, archive, mail)
        return self._proof(write, envelope, smtp=answer)

    def produced(self, write: WriteBack, files: Sequence[tuple[Attachment, bytes]] = ()) -> Sequence[Produced]:
        """Return the mail as `push` sends it, byte by byte."""
        return [Produced("mail.eml", "message/rfc822", self._mail(write, files, self._envelope(write)))]

    def _mail(self, write: WriteBack, files: Sequence[tuple[Attachment, bytes]], envelope: Envelope) -> bytes:
        settings = self._settings
        sender = Mailbox(settings.sender_name, addr_spec=settings.sender_address)
        dated = write.started_at or self.clock()
        largest = settings.largest_megabytes * 1_000_000
        mail = build(write, files, envelope, sender=sender, reply_to=settings.reply_to, dated=dated, largest=largest)
        return mail.as_bytes()

    def find(self, write: WriteBack) -> Proof:
        """Return the proof that the archive holds the mail. Raises `CannotTell`, `RetryLater` (archive not reachable)."""
        archive = self._archive()
        if archive is None:
            raise CannotTell("{key}: there is no archive mailbox to look in", key=write.key, cause="smtp_no_archive")
        if not archive.holds(message_id(write, self._settings.sender_address)):
            raise CannotTell(
                "{key}: the archive mailbox does not hold the mail", key=write.key, cause="smtp_not_archived"
            )
        return self._proof(write, self._envelope(write), archive=f"{archive.host}/{archive.folder}", found=True)

    def _envelope(self, write: WriteBack) -> Envelope:
        named = write.content.recipients
        to, cc = (tuple(mailbox(item, Sentence("the recipient")) for item in group) for group in (named.to, named.cc))
        bcc = tuple(mailbox(item, Sentence("the recipient")) for item in (*named.bcc, *self._settings.bcc))
        if not to:
            raise Refused("the mail has no recipient", cause="mail_address")
        if self._settings.redirect_to:
            return Envelope((self._settings.redirect_to,), redirected_from=(*to, *cc))
        return Envelope(to, cc, bcc)

    def _proof(self, write: WriteBack, envelope: Envelope, *, found: bool = False, **facts: str) -> Proof:
        identity = message_id(write, self._settings.sender_address)
        facts |= {"message_id": identity, "to": ", ".join((*envelope.to, *envelope.cc))}
        if envelope.redirected_from:
            facts["redirected_from"] = ", ".join(envelope.redirected_from)
        return Proof(key=write.key, at=self.clock(), provider_id=identity, found_later=found, facts=facts)

    def _server(self) -> Server:
        own = self._settings
        password = own.password.get_secret_value() if own.password else None
        return Server(
            own.host,
            own.port,
            own.security,
            own.user,
            password,
            own.timeout,
            own.deadline,
            own.sender_address.rpartition("@")[2],
            own.ca_file,
            self._bearers.get(SMTP),
        )

    def returns(self, since: str | None) -> Returns | None:
        """Read what came back to the mailbox `bounces`. Raises `ConfigError` (log-in, folder), `RetryLater` (not reachable)."""
        folder = self._bounces()
        return None if folder is None else read(folder, since, self.clock().date())

    def sent(self, since: datetime) -> Sequence[Sent] | None:
        """Return the mails that the archive mailbox holds since then; None without one. Raises as `returns`."""
        archive = self._archive()
        return None if archive is None else archived(archive, since)

    def _archive(self) -> ImapFolder | None:
        return self._folder(self._settings.archive, self._bearers.get(f"{SMTP}.archive"))

    def _bounces(self) -> ImapFolder | None:
        return self._folder(self._settings.bounces, self._bearers.get(f"{SMTP}.bounces"))

    def _folder(self, own: ImapSettings | None, bearer: Bearer | None) -> ImapFolder | None:
        if own is None:
            return None
        secret = own.password.get_secret_value() if own.password else None
        return ImapFolder(
            own.host,
            own.port,
            own.security,
            own.user,
            secret,
            own.folder,
            self._settings.timeout,
            own.ca_file,
            bearer,
        )
