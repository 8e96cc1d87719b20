"""What planning answers: forecasts, plans as people read them, rehearsals, weaknesses."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Ahead:
    """One notice that will go out, if nothing is paid and every proposal is approved."""

    on: date
    account: str
    customer: str
    customer_number: str
    invoices: tuple[str, ...]
    plan: str
    level: int
    level_name: str
    repetition: int
    channel: str
    automation: str
    total: Decimal
    currency: str
    deadline: date | None
    subject: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What goes out from today on, by day and debtor."""

    today: date
    until: date
    notices: tuple[Ahead, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One notice that a changed plan would add, drop, move or change. `was` is as in force, `now` as in the new file."""

    change: str  # added, dropped, moved, changed
    was: Ahead | None
    now: Ahead | None
    what: tuple[str, ...] = ()  # fields that differ

    @property
    def notice(self) -> Ahead:
        """Return the notice as it would be, or as it was where it falls away."""
        found = self.now or self.was
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many notices go out on a day: with the plan in force, and with the new one."""

    on: date
    was: int
    now: int


@dataclass(frozen=True, slots=True)
class LevelDay:
    """A level whose days a changed plan writes differently: as written, and the day from the due date on which it comes at the earliest."""

    level: int
    name: str
    written_was: int
    written_now: int
    was: int | None
    now: int | None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a changed file would send to whom and when, against what is in force. Nothing was sent or stored.

    `levels` are those of a plan whose days are written differently.
    """

    file: str
    plan: str  # of a plan file; empty for a whole configuration
    instead_of: str  # the plan whose place a new one takes here; empty where it has the same name
    today: date
    until: date
    was: int
    now: int
    days: tuple[DayCount, ...]
    differences: tuple[Difference, ...]
    levels: tuple[LevelDay, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelShown:
    """One level with all key details. `earliest` is the day counted from the due date on which it goes out at the earliest."""

    position: int
    name: str
    start: str
    days: int
    grace_days: int
    earliest: int | None
    time: str
    until: str
    weekdays: tuple[str, ...]  # its own; empty: those of the office
    automation: str
    channels: tuple[str, ...]
    variants: tuple[str, ...]
    document: str
    term_days: int
    fee: Decimal
    interest: str  # always, where_possible, never
    flat_fee: str
    type: str
    is_legal_dunning: bool
    repeat_every: int | None
    repeat_limit: int | None
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanShown:
    """One plan with its levels; `accounts` use it by the configuration, the others by a person's choice; `version` is its fingerprint."""

    name: str
    title: str
    description: str
    version: str
    shipped: bool
    default: bool
    accounts: tuple[str, ...]
    customers_by_hand: int
    invoices_by_hand: int
    minimum_interval_days: int
    skip_levels: bool
    bundling: str
    levels: tuple[LevelShown, ...]


@dataclass(frozen=True, slots=True)
class PlanMade:
    """A plan file that was written. `listed`: it stands in the configuration, so that the plan can be used; else a person adds it."""

    name: str
    source: str
    path: str
    config: str
    listed: bool


@dataclass(frozen=True, slots=True)
class VersionShown:
    """One version of a plan that was in use: its fingerprint, since when, its levels by name, and whether it is in force now."""

    name: str
    version: str
    first_on: date
    levels: tuple[str, ...]
    in_force: bool


@dataclass(frozen=True, slots=True)
class WeaknessShown:
    """One finding about a plan."""

    plan: str
    severity: str
    code: str
    levels: tuple[int, ...]
    facts: tuple[tuple[str, str | int], ...] = ()
    text: str = ""
