"""What the parts of one pull share: the account, what the cursor carries, and the day."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from bridge.contract import Batch, Cursor, Mapping, PaymentKind
from connectors.billomat.api import OPEN_STATES, Api, Page
from connectors.billomat.reading import Reading
from connectors.billomat.settings import Settings

OPEN = ",".join(OPEN_STATES)
State = dict[str, Any]


def fresh_state() -> State:
    """Return the cursor of an account that was never read."""
    return {
        "stage": None,  # the stage to resume at, None between two cycles
        "page": None,
        "refresh": True,  # this cycle reads clients, contacts and all reminders again
        "refreshed": None,
        "levels": {},
        "clients_to": 0,  # all clients up to this id are known, and `clients` besides
        "clients": [],
        "contacts": {},  # e-mail addresses of the contacts of invoices that are due or soon will be
        "tagged_invoices": {},
        "tagged_clients": {},
        "reminders_total": 0,
        "reminders_to": 0,
        "drafts": {},
        "drafts_seen": {},
        "sent": [],  # our live reminders whose sending the history shows
        "unsent": [],  # those whose history was asked and does not
        "payments": {},
        "payments_seen": [],
        "updated": None,
    }


def _aware(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("no offset")
    return text


_Count = Annotated[int, Field(strict=True, ge=0)]
_Instant = Annotated[str, AfterValidator(_aware)]
_Day = Annotated[str, AfterValidator(date.fromisoformat)]


class _Kept(BaseModel):
    """What of a cursor must be what it was, so that reading can go on from there."""

    stage: Literal["clients", "reminders", "payments", "credit_notes", "invoices"] | None
    page: _Count | None
    refreshed: _Instant | None
    levels: dict[str, _Count]
    clients_to: _Count
    clients: list[_Count]
    contacts: dict[str, str | None]
    tagged_invoices: dict[str, list[str]]
    tagged_clients: dict[str, list[str]]
    reminders_total: _Count
    reminders_to: _Count
    drafts: dict[str, tuple[str, _Count, str | None]]
    drafts_seen: dict[str, tuple[str, _Count, str | None]]
    sent: list[str]
    unsent: list[str]
    payments: dict[str, tuple[str, Decimal, _Day, PaymentKind, str]]
    payments_seen: list[str]
    updated: _Instant | None


def kept_state(cursor: Cursor | None) -> State:
    """Return the state of a cursor; one that nobody can go on from begins anew."""
    state: State = {**fresh_state(), **(dict(cursor.data) if cursor else {})}
    try:
        _Kept.model_validate(state)
    except ValidationError:
        return fresh_state()
    return state


class Cycle:
    """One reading of an account. `state` is what the cursor carries; every batch holds a copy of it."""

    def __init__(self, api: Api, settings: Settings, mapping: Mapping, now: datetime, cursor: Cursor | None) -> None:
        self.api = api
        self.settings = settings
        self.reading = Reading(settings, mapping)
        self.now = now
        self.today: date = now.astimezone(self.reading.zone).date()
        self.contacts_until = self.today + timedelta(days=settings.contacts_ahead_days)
        self.state = kept_state(cursor)

    @property
    def full(self) -> bool:
        """Whether this cycle lists all open invoices."""
        return self.settings.changes == "full" or bool(self.state["refresh"])

    def batch(self, **parts: Any) -> Batch:
        """Return a batch with the cursor as it stands."""
        return Batch(cursor=Cursor(data={**self.state, "contacts": dict(self.state["contacts"])}), **parts)

    def done(self, page: Page) -> None:
        """Note that `page` is done, so that a crash goes on with the one before it."""
        self.state["page"] = None if page.last else page.number - 1
