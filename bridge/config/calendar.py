"""The section `calendar`: when the agency works and sends; and the types for times that other sections use too."""

import re
from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from bridge.errors import Wrong
from bridge.model import Frozen

STATES = {
    "DE": ("BW", "BY", "BE", "BB", "HB", "HH", "HE", "MV", "NI", "NW", "RP", "SL", "SN", "ST", "SH", "TH"),
    "AT": ("1", "2", "3", "4", "5", "6", "7", "8", "9"),
    "CH": (
        "AG",
        "AI",
        "AR",
        "BE",
        "BL",
        "BS",
        "FR",
        "GE",
        "GL",
        "GR",
        "JU",
        "LU",
        "NE",
        "NW",
        "OW",
        "SG",
        "SH",
        "SO",
        "SZ",
        "TG",
        "TI",
        "UR",
        "VD",
        "VS",
        "ZG",
        "ZH",
    ),
}
"""Federal states and cantons by their codes (ISO 3166-2)."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise Wrong("expected the name of a time zone such as Europe/Berlin") from error
    return value


def _clock_time(value: Any) -> Any:
    if isinstance(value, str):
        try:
            hours, minutes = value.strip().split(":")
            return time(int(hours), int(minutes))
        except ValueError as error:
            raise Wrong("expected a time of day such as 07:30") from error
    if isinstance(value, time):
        return value
    raise Wrong("expected a time of day such as 07:30")


def _safe_hour(value: time) -> time:
    if value.hour == 2:
        raise Wrong("between 02:00 and 03:00 the clock change skips or repeats the hour; choose another time")
    return value


TimeZone = Annotated[str, AfterValidator(_zone)]
TimeOfDay = Annotated[
    time,
    BeforeValidator(_clock_time),
    AfterValidator(_safe_hour),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d{2}$"}),
]
"""A local time of day, `HH:MM`, outside the hour that the clock change skips or repeats."""


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
    except ValueError as error:
        raise Wrong("expected a date such as 2026-10-25, or a moment such as 2026-10-25T00:30") from error


Moment = Annotated[datetime | date, BeforeValidator(_moment)]
"""A local date, or a moment: local time without an offset."""


def _day_of_year(value: str) -> str:
    if not re.fullmatch(r"\d{2}-\d{2}", value):
        raise Wrong("expected month and day, such as 12-24")
    try:
        date(2028, int(value[:2]), int(value[3:]))
    except ValueError as error:
        raise Wrong("there is no such day; expected month and day, such as 12-24") from error
    return value


DayOfYear = Annotated[
    str, AfterValidator(_day_of_year), WithJsonSchema({"type": "string", "pattern": r"^\d{2}-\d{2}$"})
]
"""A day of every year, `MM-DD`."""


class Closure(Frozen):
    """Company holidays (Betriebsferien), such as between Christmas and New Year."""

    first: date = Field(description="First day.")
    last: date | None = Field(None, description="Last day; empty: that one day.")
    counts: bool = Field(
        default=True, description="Its days count between two steps of a plan; false: the plan stands still."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last is not None and self.last < self.first:
            raise Wrong("last {last} lies before first {first}", last=self.last, first=self.first)
        return self


class Calendar(Frozen):
    """When notices go out. Public holidays follow from `federal_state` and `country` of the account, and from the debtor's address."""

    weekdays: tuple[Weekday, ...] = Field(
        ("mon", "tue", "wed", "thu", "fri"), min_length=1, description="Days of the week on which notices go out."
    )
    opens: TimeOfDay | None = Field(None, description="Local time of day before which nothing goes out, such as 08:00.")
    closes: TimeOfDay | None = Field(
        None, description="Local time of day from which on nothing goes out any more, such as 18:00."
    )
    quiet_days: tuple[DayOfYear, ...] = Field(
        ("12-24", "12-31"), description="Days of every year on which nothing goes out, as month and day."
    )
    closures: tuple[Closure, ...] = Field((), description="Company holidays: nothing goes out on these days.")
    debtor_holidays: bool = Field(
        default=True, description="Nothing goes out on public holidays at the debtor's place either."
    )

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.opens is not None and self.closes is not None and self.closes <= self.opens:
            raise Wrong(
                "closes {closes} is not later than opens {opens}; nothing could ever go out",
                closes=f"{self.closes:%H:%M}",
                opens=f"{self.opens:%H:%M}",
            )
        return self
