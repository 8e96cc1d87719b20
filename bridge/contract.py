"""The connector contract, and every name that a connector may import from mahnbridge.

A connector speaks one invoicing system in its own language. It reads and writes; it never decides. `bridge.testing.conformance`
checks any connector against what is promised here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from bridge.errors import (
    BadAnswer,
    BadRecord,
    BridgeError,
    CannotTell,
    ConfigError,
    NotFound,
    NotSupported,
    Refused,
    RetryLater,
    Unclear,
    Wrong,
)
from bridge.files import replace, sync
from bridge.http import Http, Reply
from bridge.http.ports import TokenStore
from bridge.http.redact import redact
from bridge.mapping import Mapping, Table
from bridge.model import (
    REACHES_DEBTOR,
    Act,
    Address,
    Attachment,
    Batch,
    Colleague,
    Contact,
    Content,
    Cursor,
    Debtor,
    DebtorKind,
    Finding,
    Flag,
    Health,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    NoticeStatus,
    Payment,
    PaymentKind,
    Person,
    Proof,
    ProviderNotice,
    Reason,
    Recipients,
    Ref,
    RefKind,
    Reject,
    Relation,
    Severity,
    Snapshot,
    WriteBack,
)
from bridge.plain import cell, of_dos, too_deep, too_many
from bridge.words import NOTHING, Sentence, listed, quoted, sentence_of
from bridge.words.misfits import misfit

__all__ = [
    "NOTHING",
    "REACHES_DEBTOR",
    "Act",
    "Address",
    "Attachment",
    "BadAnswer",
    "BadRecord",
    "Batch",
    "BridgeError",
    "CannotTell",
    "Channel",
    "Colleague",
    "ConfigError",
    "Connector",
    "ConnectorSettings",
    "Contact",
    "Content",
    "Cursor",
    "Debtor",
    "DebtorKind",
    "Finding",
    "Flag",
    "Health",
    "Http",
    "Invoice",
    "InvoiceKind",
    "InvoiceStatus",
    "Mapping",
    "NotFound",
    "NotSupported",
    "NoticeStatus",
    "Payment",
    "PaymentKind",
    "Person",
    "Produced",
    "Proof",
    "ProviderNotice",
    "Reason",
    "Recipients",
    "Ref",
    "RefKind",
    "Refused",
    "Reject",
    "Relation",
    "Reply",
    "RetryLater",
    "Returned",
    "Returns",
    "SecretStr",
    "Sent",
    "Sentence",
    "Severity",
    "Snapshot",
    "Table",
    "TokenStore",
    "Unclear",
    "WriteBack",
    "Wrong",
    "cell",
    "listed",
    "misfit",
    "of_dos",
    "quoted",
    "redact",
    "replace",
    "sentence_of",
    "sync",
    "too_deep",
    "too_many",
]


class ConnectorSettings(BaseModel):
    """What every account can set; a connector's own `Settings` adds to it. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_zone: str = Field("Europe/Berlin", description="Time zone whose dates the provider prints on its documents.")
    page_size: int = Field(100, ge=1, le=1000, description="Records per page when lists are read.")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise Wrong("{value!r} is no time zone; write a name such as Europe/Berlin", value=value) from error
        return value


class Connector(ABC):
    """One invoicing system, spoken to in its own language. It reads and writes; it never decides."""

    name: ClassVar[str]
    """Entry point in group `mahnbridge.connectors`, and name of the mapping file."""

    Settings: ClassVar[type[ConnectorSettings]]
    """Its block in the configuration; secrets are `SecretStr`."""

    starter: ClassVar[str] = ""
    """Commented YAML (keys `http` and `settings`) that `init` writes below a new account; ACCOUNT stands for its name in capitals."""

    hosts: ClassVar[tuple[str, ...]] = ()
    """The provider's real hosts (suffixes); against them the program's date can not be set from outside."""

    german: ClassVar[dict[str, str]] = {}
    """German of its sentences, by their English templates; a sentence without it is told in English, marked as such."""

    acts: ClassVar[frozenset[Act]] = frozenset()
    """The most that `push` can do; empty means read-only."""

    def __init__(self, account: str, settings: ConnectorSettings, mapping: Mapping, http: Http) -> None:
        self.account = account
        self.settings = settings
        self.mapping = mapping
        self.http = http

    @property
    def words(self) -> Iterable[str]:
        """Return the words by which it decides, besides those of its source: a support bundle replaces none of them."""
        return self.mapping.words

    @classmethod
    def on_files(cls, settings: dict[str, Any], folder: Path) -> dict[str, Any]:  # noqa: ARG003  for those that read files
        """Return these settings (JSON values, without paths) so that the files in `folder` are read: a support bundle run again.

        Tables by which they are read lie in `folder / "tables"`. A connector that speaks to a server needs no other settings.
        """
        return settings

    def forget(self) -> None:  # noqa: B027  most remember nothing
        """Ask anew what was remembered of the account. Each run begins so: its recording then holds all that it was told."""

    @abstractmethod
    def check(self) -> Health:
        """Return whether credentials, rights and quota are right, the acts usable on this account, and warnings.

        Raises `ConfigError` only where nothing else could be found out; `RetryLater` when the provider does not answer.
        """

    @abstractmethod
    def pull(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Yield what changed since `cursor`, or everything when it is None.

        Repeats are fine, gaps are not: a crash between two batches continues from the last stored cursor. A record that does not
        fit becomes a `Reject` in its batch and never stops the rest.
        """

    @abstractmethod
    def look(self, invoices: Sequence[Ref]) -> Iterator[Snapshot]:
        """Yield one snapshot for each of `invoices`, in order, read from the provider now.

        Lists that a provider only offers as a whole are read once per call, not once per invoice.
        """

    def push(self, write: WriteBack) -> Proof:
        """Do one act, with at most one provider call that is not harmless to repeat; never wait, never retry.

        Raises `Refused` (the provider wrote nothing), `RetryLater` (nothing was written), `Unclear` (it may have been written),
        `ConfigError` (the account stops), `NotSupported`.
        """
        raise NotSupported("{name} cannot {act}", name=self.name, act=write.act)

    def find(self, write: WriteBack) -> Proof | None:
        """Return the proof of a write whose answer was lost, None only if it is certainly absent, else raise `CannotTell`.

        For acts in `REACHES_DEBTOR` the result is the proof or `CannotTell`, never None.
        """
        raise CannotTell("{name} cannot tell whether {key} happened", name=self.name, key=write.key)

    def document(self, ref: Ref) -> bytes:
        """Return the original invoice or reminder as PDF, without any effect on it at the provider."""
        raise NotSupported("{name} has no documents", name=self.name)

    def prepare_places(self) -> tuple[Finding, ...]:
        """Create, on a person's consent, the harmless places for our line (custom field, property); harmless to repeat."""
        return ()


class Produced(NamedTuple):
    """A file as it leaves the house: its name for people, its media type, its bytes."""

    filename: str
    media_type: str
    data: bytes


class Returned(NamedTuple):
    """One report that a message of ours did not arrive, as hostile as any mail.

    `report` is its own id, `names` what it says of the message: markers of write-backs and the ids under which they went out.
    `recipients` are the addresses that failed, where it names them; `reason` is one line of what the other side said.
    """

    report: str
    names: frozenset[str]
    recipients: tuple[str, ...] = ()
    reason: str = ""


class Returns(NamedTuple):
    """What came back since the last look, and the place to go on from: handed in as `since` the next time."""

    reports: tuple[Returned, ...]
    since: str


class Sent(NamedTuple):
    """One message that this way handed over, as hostile as what it is read from: known without our own record of it.

    `about` are words of `Covered.token`; `at` is when it went out (aware), `deadline` the term that it set.
    """

    identity: str
    at: datetime
    about: tuple[str, ...]
    deadline: date | None = None


class Channel(ABC):
    """One of our own ways to the debtor, with the same push and find as a connector."""

    name: ClassVar[str]
    """Entry point in group `mahnbridge.channels`."""

    Settings: ClassVar[type[BaseModel]]
    act: ClassVar[Act]

    german: ClassVar[dict[str, str]] = {}
    """As `Connector.german`."""

    def __init__(self, settings: BaseModel, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Keep the settings; `clock` is the business clock (aware), from which dates on letters and mails come."""
        self.settings = settings
        self.clock = clock

    def keep_tokens(self, tokens: TokenStore) -> None:
        """Take the place in which tokens of a log-in are kept, sealed, between processes; a channel without such a log-in needs none."""
        return

    @abstractmethod
    def check(self) -> Health:
        """Return whether the channel works as configured; nothing is sent."""

    @abstractmethod
    def push(self, write: WriteBack, files: Sequence[tuple[Attachment, bytes]] = ()) -> Proof:
        """Send once. Errors as `Connector.push`; a failure before the message was handed over is `RetryLater`."""

    def produced(self, write: WriteBack, files: Sequence[tuple[Attachment, bytes]] = ()) -> Sequence[Produced]:
        """Return exactly what `push` will hand over, for the archive; nothing is sent. Errors as `push` before its call."""
        return [Produced(one.filename, _media_type(data), data) for one, data in files]

    @abstractmethod
    def find(self, write: WriteBack) -> Proof:
        """Return the proof that the message went out, or raise `CannotTell`; absence is never provable."""

    def returns(self, since: str | None) -> Returns | None:
        """Return what came back since that place (None: the first look), or None where nothing can be heard of that. Errors as `find`."""
        return None

    def sent(self, since: datetime) -> Sequence[Sent] | None:
        """Return what was handed over since that instant, or None where nobody can be asked. Errors as `find`."""
        return None


def _media_type(data: bytes) -> str:
    return "application/pdf" if data.startswith(b"%PDF-") else "application/octet-stream"
