"""What delivery asks for: accounts, channels, the rules, clocks; and what it reports."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.contract import Attachment, Channel, ConfigError, Connector, Http, Produced, Reason, Snapshot, WriteBack
from bridge.model.patience import Delivery
from bridge.store import Store
from bridge.store.accounts import STOPPED
from bridge.store.records import Beside, Notice, NoticeClaim, Step
from bridge.store.stopping import change_state
from bridge.words import Sentence

DEFAULTS = Delivery()
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class AccountPort:
    """One account as delivery sees it."""

    name: str
    connector: Connector
    http: Http
    settings: Delivery = DEFAULTS
    zone: ZoneInfo = BERLIN

    def now(self) -> datetime:
        """Return the business instant."""
        return self.http.now()

    def today(self) -> date:
        """Return the account's local business date."""
        return self.now().astimezone(self.zone).date()


def stop_account(store: Store, conn: Connection, port: AccountPort, error: ConfigError, step_id: int) -> None:
    """Stop an account, because delivering this step showed that a person must act."""
    now, on = port.now(), port.today()
    change_state(store, conn, port.name, STOPPED, error.sentence, at=now, on=on, step_id=step_id)


class HoldLike(Protocol):
    """A reason not to send, with its plain words."""

    @property
    def reason(self) -> Reason: ...
    @property
    def text(self) -> Sentence: ...


class Rules(Protocol):
    """The rules as delivery asks them, inside the transaction that begins the call."""

    def gate(self, conn: Connection, account: str) -> Reason | None:
        """Return why nothing may be written to `account` now (sending off, pause, writing suspended), or None."""

    def opens(self, conn: Connection, notice: Notice, now: datetime) -> datetime | None:
        """Return the instant at which this notice may leave, where the account's days and hours of sending say not now; else None."""

    def recheck(
        self, conn: Connection, notice: Notice, claim: NoticeClaim, snapshot: Snapshot, today: date
    ) -> HoldLike | None:
        """Return why this claim must not be reminded of, judged by `snapshot` and by what is known here, or None."""

    def recheck_mention(self, notice: Notice, mention: Beside, snapshot: Snapshot, today: date) -> HoldLike | None:
        """Return why an invoice that is listed without being asked for can not be listed like that any more, or None."""


@runtime_checkable
class PostedLetters(Protocol):
    """A letter channel that knows whether a letter went to the post."""

    def posted_at(self, marker: str) -> datetime | None: ...
    def mark_posted(self, marker: str) -> datetime: ...


@runtime_checkable
class TakesBack(Protocol):
    """A letter channel that can put a written letter out of reach of whoever empties the outbox."""

    def take_back(self, marker: str) -> None:
        """Take the letter back; harmless to repeat. Raises `Refused` where it was posted."""


Files = Callable[[Notice, Step, Mapping[str, Snapshot]], Sequence[tuple[Attachment, bytes]]]
"""Makes what goes with a mail or letter, from the notice and the fresh snapshots by invoice id. Errors as `Connector.look`."""


def no_files(_notice: Notice, _step: Step, _snapshots: Mapping[str, Snapshot]) -> Sequence[tuple[Attachment, bytes]]:
    """Return nothing: for accounts whose provider makes and sends the documents."""
    return ()


Keep = Callable[[Step, WriteBack, Sequence[Produced]], None]
"""Keeps what is about to be handed over by this call of a step. Raises `OSError` where the disk refuses it."""


def keep_nothing(_step: Step, _write: WriteBack, _produced: Sequence[Produced]) -> None:
    """Keep nothing: for tests of delivery alone."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that all steps share. `ticks` are seconds that pass whatever is done to the clock: no look grows young by setting it back."""

    store: Store
    channels: Mapping[str, Channel]
    rules: Rules
    files: Files = no_files
    keep: Keep = keep_nothing
    stop: threading.Event = field(default_factory=threading.Event)
    ticks: Callable[[], float] = time.monotonic


WAITING = frozenset({"wait", "released"})
"""Outcomes of an attempt after which nothing was written, and which is made again by itself."""

FAILED = frozenset({"parked", "unclear", "stopped"}) | WAITING
"""Outcomes of an attempt that somebody may want to look into."""


@dataclass(slots=True)
class Report:
    """What one delivery of one account did. `held` says why nothing was written, `wait_until` (technical clock) when to come again."""

    account: str
    done: int = 0
    landed: int = 0
    dropped: int = 0
    parked: int = 0
    unclear: int = 0
    found: int = 0
    again: int = 0
    alarms: int = 0
    later: int = 0  # steps that wait for the next day or hour of sending
    opens_at: datetime | None = None  # business clock, the earliest of them
    held: Reason | None = None
    stopped: Sentence | None = None
    wait_until: datetime | None = None
    problems: list[Sentence] = field(default_factory=list)
    run: int | None = None  # id of the run; none where there was nothing to do
    steps: list[tuple[int, str, str]] = field(default_factory=list)  # steps tried: id, outcome, cause

    @property
    def cause(self) -> str | None:
        """Return the cause of the first step that did not go through as it should, or None."""
        return next((cause for _, _, cause in self._failed), None)

    @property
    def only_waits(self) -> bool:
        """Return whether what did not go through has to wait and nothing more."""
        return bool(self._failed) and all(outcome in WAITING for _, outcome, _ in self._failed)

    @property
    def waits(self) -> tuple[str, ...]:
        """Return the steps that have to wait, each with its cause."""
        return tuple(f"step-{number}:{cause}" for number, outcome, cause in self._failed if outcome in WAITING)

    @property
    def _failed(self) -> list[tuple[int, str, str]]:
        return [one for one in self.steps if one[2] and one[1] in FAILED]
