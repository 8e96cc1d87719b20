"""Triggers (Auslöser): on which day a level becomes possible."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from bridge.errors import Wrong
from bridge.model import Frozen

Days = Annotated[int, Field(ge=0, le=3650)]


class Start(StrEnum):
    """From where a trigger counts."""

    AFTER_DUE = "after_due"
    BEFORE_DUE = "before_due"
    AFTER_ISSUE = "after_issue"
    AFTER_PREVIOUS = "after_previous"


class Trigger(Frozen):
    """Trigger (Auslöser) of a level: exactly one of the four, in days. `before_due` is a friendly notice ahead of the due date."""

    after_due: Days | None = Field(None, description="days after the due date, moved to a working day")
    before_due: Annotated[int, Field(ge=1, le=365)] | None = Field(None, description="days before the printed due date")
    after_issue: Days | None = Field(None, description="days after the date of the invoice")
    after_previous: Annotated[int, Field(ge=1, le=3650)] | None = Field(
        None, description="days after the previous level"
    )

    @model_validator(mode="before")
    @classmethod
    def _no_day_before_issue(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "before_issue" in data:
            raise Wrong(
                "a notice cannot go out before the invoice exists; 'before' works with the due date only: write before_due"
            )
        return data

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [start.value for start in Start if getattr(self, start.value) is not None]
        if len(given) != 1:
            raise Wrong(
                "needs exactly one of after_due, before_due, after_issue, after_previous; found {given}",
                given=", ".join(given) or "none",
            )
        return self

    @cached_property
    def start(self) -> Start:
        """Return from where the days count."""
        return next(start for start in Start if getattr(self, start.value) is not None)

    @cached_property
    def days(self) -> int:
        """Return the number of days."""
        return int(getattr(self, self.start.value))
