"""What the status page shows."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """One account on the status page. `blocked_until`: the provider asked us to wait (rate limit)."""

    name: str
    connector: str
    state: str
    text: str
    pulled_at: datetime | None
    stale: bool
    open_count: int
    open_total: dict[str, Decimal]
    overdue_count: int
    overdue_total: dict[str, Decimal]
    compared_on: date | None = (
        None  # the day about a week ago that `overdue_change` compares with; None: nothing known yet
    )
    overdue_change: dict[str, Decimal] = field(default_factory=dict)
    blocked_until: datetime | None = None
    remaining: int | None = None
    held_jump: str = ""
    writing_suspended: str = ""
    capped: int = 0  # invoices beyond max_notices_per_run, which wait for one approval of the run


@dataclass(frozen=True, slots=True)
class Status:
    """Everything on one page. `ready`: invoices ready for their next level; `failures`: all that `failures list` shows, with `rejects`."""

    today: date
    sending: bool
    sending_by: str
    sending_at: datetime | None
    paused: bool
    ready: int
    accounts: tuple[AccountStatus, ...]
    notices: dict[str, int]
    failures: int
    needing: int  # of the failures, those that wait for a person
    rejects: int
    cases_open: int
    last_run: datetime | None = None
    clock_set: bool = False
    paused_by: str = ""
    restored: datetime | None = None  # the instant of the backup that was put back, until a person releases sending
    to_send: int = 0  # letters, and reminders only made at the provider, that wait for somebody to send them
    disk_full: bool = False  # nothing is sent, because it could not be recorded
