"""What is wrong and waits for a person, and what replaying it does."""

from dataclasses import dataclass
from datetime import datetime

from bridge.words import NOTHING, Sentence


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Equal failures under one cause: what it means, and the next sensible thing to do."""

    kind: str
    what: Sentence
    cause: str
    count: int
    account: str
    example: Sentence
    ids: tuple[str, ...]
    means: Sentence = NOTHING
    next: Sentence = NOTHING


@dataclass(frozen=True, slots=True)
class Failure:
    """One parked step, rejected record or failed run, with everything needed to decide.

    `run` is the one to make a bundle of, if any; `raw` a record as the provider or a file gave it.
    """

    id: str
    kind: str
    account: str
    state: str
    cause: str
    error: Sentence
    subject: Sentence
    at: datetime | None
    plan: str
    replay: Sentence
    means: Sentence = NOTHING
    next: Sentence = NOTHING
    run: int | None = None
    source: str = ""
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What replaying one failure does (`dry_run`) or did."""

    id: str
    outcome: str
    text: Sentence
    dry_run: bool
