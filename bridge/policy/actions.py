"""What a level may ask for and of whom: ancillary claims, a call, colleagues told, a hand-over; and which files go with a mail."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from bridge.errors import Wrong
from bridge.model import Frozen

INVOICE, LETTER = "invoice", "letter"
"""Names of the attachments that are the original invoice, and our letter of the same content as PDF."""

WHERE_POSSIBLE = "where_possible"
_TRUTH = TypeAdapter(bool)


def _wanted(value: Any) -> Any:
    if value == WHERE_POSSIBLE:
        return value
    try:
        return _TRUTH.validate_python(value)
    except ValidationError:
        raise Wrong("expected true, false or where_possible") from None


Wanted = Annotated[bool | Literal["where_possible"], BeforeValidator(_wanted)]
"""Whether a level asks for an ancillary claim; `where_possible`: only where the way that it takes can tell it, else it goes out without."""

Note = Annotated[str, Field(max_length=2000)]
DueDays = Annotated[int, Field(ge=0, le=90)]


class CallTask(Frozen):
    """Call task (Anrufaufgabe): somebody of ours calls the debtor. The level counts from the day on which the outcome is noted."""

    owner: str | None = Field(None, max_length=200, description="who calls; default: the customer's account owner")
    due_days: DueDays = Field(0, description="days until the call is due, moved to a working day")
    note: Note = Field("", description="what the caller should know or say")


class InternalNotice(Frozen):
    """Internal notice (interne Meldung): a mail and a task for the colleagues of that customer once the level went out."""

    owner: str | None = Field(
        None, max_length=200, description="whose task it is; default: the customer's account owner"
    )
    due_days: DueDays = Field(2, description="days until the task is due, from the day on which the level went out")
    note: Note = Field("", description="what the colleagues should know or do")


class Enclosed(Frozen):
    """One file that goes with a mail or letter: the original invoice, our letter, or a file of the configuration (`attachments`)."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="`invoice`, or the name of a file of the configuration"
    )
    optional: bool = Field(default=False, description="the notice goes out without it where it cannot be had")

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, data: Any) -> Any:
        return {"name": data} if isinstance(data, str) else data


def _switch(value: Any) -> Any:
    """Accept `true` for a task with its defaults, and `false` for none."""
    if value is True:
        return {}
    return None if value is False else value


CallTaskOrNot = Annotated[CallTask | None, BeforeValidator(_switch)]
InternalNoticeOrNot = Annotated[InternalNotice | None, BeforeValidator(_switch)]


def _copy(value: Any) -> Any:
    """Accept `true` for an open copy, and `false` for none."""
    if value is True:
        return "cc"
    return None if value is False else value


Copy = Annotated[Literal["cc", "bcc"] | None, BeforeValidator(_copy)]
"""A copy of the mail: cc, seen by the debtor; bcc, unseen."""
