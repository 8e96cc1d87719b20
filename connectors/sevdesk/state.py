"""What a pull remembers from one time to the next: the inside of its cursor. Only what is small: never one entry per invoice."""

from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bridge.contract import Cursor

VERSION = 1


class Listing(BaseModel):
    """A full reading under way: which step, how far into its list, what it counted, when it began, and whether all is steady."""

    model_config = ConfigDict(extra="forbid")

    step: int = 0
    offset: int = 0
    total: int | None = None
    began: AwareDatetime
    read_at: AwareDatetime
    rows: int = 0
    steady: bool = True
    first: bool = False


class Draft(BaseModel):
    """A reminder draft at sevDesk: people may delete it, and then nothing tells but its absence."""

    model_config = ConfigDict(extra="forbid")

    invoice: str
    level: int


class OnReminder(BaseModel):
    """Money that was booked on a reminder instead of on its invoice."""

    model_config = ConfigDict(extra="forbid")

    invoice: str
    amount: str = Field(pattern=r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$")

    @property
    def value(self) -> Decimal:
        return Decimal(self.amount)


class State(BaseModel):
    """The cursor's data."""

    model_config = ConfigDict(extra="forbid")

    version: int = VERSION
    listing: Listing | None = None
    full_at: AwareDatetime | None = None
    open_rows: int = 0
    read_at: AwareDatetime | None = None  # sevDesk's time when changes were last read
    drafts: dict[str, Draft] = Field(default_factory=dict)
    drafts_before: dict[str, Draft] = Field(default_factory=dict)  # those known when the full reading began
    on_reminders: dict[str, OnReminder] = Field(default_factory=dict)
    credits: list[str] = Field(default_factory=list)  # open credit notes
    marks: dict[str, str] = Field(default_factory=dict)  # invoices with a tag that stops dunning, and how
    blocks: dict[str, str] = Field(default_factory=dict)  # contacts with a sign that stops dunning, and how
    unreadable: str = ""  # sources that could not be read
    bank: str = ""
    payers: dict[str, list[str]] = Field(default_factory=dict)
    log_rows: int | None = None  # None: the payment log cannot be read
    log_last: str = ""

    @classmethod
    def load(cls, cursor: Cursor | None) -> "State":
        """Return the state of a cursor; one that an older program wrote begins anew."""
        if cursor is None:
            return cls()
        try:
            state = cls.model_validate(dict(cursor.data))
        except ValidationError:
            return cls()
        return state if state.version == VERSION else cls()

    def cursor(self) -> Cursor:
        """Return the cursor that continues from here."""
        data: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        return Cursor(data={**data, "version": VERSION})
