"""What is stopped, and what a replay would do with it, as people see it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Connection

from bridge.contract import Proof, Reject
from bridge.errors import UsageError
from bridge.store.rejects import KnownReject
from bridge.words import Sentence

_BETWEEN = re.compile(r"[\"\t;,|]")
"""What stands between the values of a record, JSON or a line of a file."""


class Kind(StrEnum):
    STEP = "step"
    REJECT = "reject"
    RUN = "run"


class Plan(StrEnum):
    """What a replay would do with an item."""

    NOTHING = "nothing"  # it is no longer stopped
    AGAIN = "again"  # it certainly did not happen: it is done again, after a fresh look
    FOUND = "found"  # the provider holds it: it is done
    ASK = "ask"  # nobody can tell: a person must say whether it went out
    WAIT = "wait"  # it may still turn up: the settling time is not over, or the provider does not answer
    READ = "read"  # the record is read again
    RUN = "run"  # the run is repeated
    GIVEN_UP = "given_up"  # a person gave it up for good


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One stopped thing, for people. `id` is what commands take: `step-12`, `reject-5`, `run-3`."""

    kind: Kind
    number: int
    account: str
    what: str
    state: str
    cause: str
    text: Sentence
    since: datetime | None = None
    invoices: tuple[str, ...] = ()
    source: str = ""  # of a record: the file and line, or the list, that it came with
    raw: str = ""  # of a record: as it came
    notice_id: int | None = None

    @property
    def id(self) -> str:
        return f"{self.kind.value}-{self.number}"

    def about(self, record: str) -> bool:
        """Return whether this is about an invoice or record: by its id, or by a value of the record as it came, such as its number."""
        return record in self.invoices or record in map(str.strip, _BETWEEN.split(self.raw))


@dataclass(frozen=True, slots=True)
class Group:
    """Failures with the same cause."""

    account: str
    what: str
    cause: str
    items: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a replay of one item would do, and why; or what it did."""

    id: str
    plan: Plan
    text: Sentence
    proof: Proof | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What somebody replayed before, on that local date, as it is now."""

    failure: Failure
    by: str
    on: date


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run that ended in an error, as the run store tells it."""

    id: int
    kind: str
    account: str | None
    cause: str
    text: Sentence
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Again:
    """The acts of other rooms that a replay may ask for: a full read of an account, and runs."""

    failed_runs: Callable[[Connection, str | None], Sequence[FailedRun]] = lambda _conn, _account: ()
    rerun: Callable[[FailedRun, str, str], None] | None = None
    pull: Callable[[str, str], None] | None = None


def parse_id(text: str) -> tuple[Kind, int]:
    """Read `step-12`. Raises `UsageError`."""
    kind, _, number = text.partition("-")
    if kind not in list(Kind) or not number.isdecimal():
        raise UsageError(
            "{text!r} is no failure; write an id as the list shows it, such as step-12 or reject-5", text=text
        )
    return Kind(kind), int(number)


def of_reject(known: KnownReject) -> Failure:
    told = known.reject
    return Failure(
        kind=Kind.REJECT,
        number=known.id,
        account=known.account,
        what=told.kind,
        state=known.state,
        cause=f"bad_record:{told.field}" if told.field else "bad_record",
        text=_told(told),
        since=known.first_seen,
        invoices=(told.provider_id,) if told.provider_id else (),
        source=told.source,
        raw=told.raw,
    )


def _told(reject: Reject) -> Sentence:
    if not reject.provider_id and reject.source:  # nothing else says which record it is
        return Sentence("{source}: {told}", source=reject.source, told=_misfit(reject))
    return _misfit(reject)


def _misfit(reject: Reject) -> Sentence:
    if not reject.field:
        return reject.reason
    return Sentence("{field} = {value}: {reason}", field=reject.field, value=reject.value, reason=reject.reason)


def of_run(found: FailedRun) -> Failure:
    return Failure(
        kind=Kind.RUN,
        number=found.id,
        account=found.account or "",
        what=found.kind,
        state="failed",
        cause=found.cause,
        text=found.text,
        since=found.started_at,
    )
