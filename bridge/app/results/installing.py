"""What setting up and checking an installation return."""

from dataclasses import dataclass
from datetime import date

from bridge.model import Severity
from bridge.words import Sentence


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding of `check`: about an account, a channel, or the installation (`subject` empty)."""

    severity: Severity
    code: str
    text: Sentence
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Whether everything that is needed works. `ok` is False where a person must act before notices can go out."""

    ok: bool
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What `init` wrote, and what comes next."""

    path: str
    folder: str
    accounts: tuple[str, ...]
    cutoff: date
