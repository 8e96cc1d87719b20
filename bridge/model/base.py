"""What all nouns are made of: exact amounts, dates, frozen values."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bridge.errors import Wrong

CENT = Decimal("0.01")
LARGEST = Decimal("99999999999.99")


def _no_float(value: Any) -> Any:
    if isinstance(value, float):
        raise Wrong("amounts are decimal text or Decimal, never float")
    return value


def exact_cents(value: Decimal) -> Decimal:
    """Return `value` with exactly two places; raise `ValueError` where that would change it or it is out of range."""
    try:
        exact = value.quantize(CENT)
    except InvalidOperation as error:
        raise Wrong("{value} is no amount of money", value=value) from error
    if exact != value:
        raise Wrong("{value} has more than two decimal places", value=value)
    if abs(exact) > LARGEST:
        raise Wrong("{value} is larger than {largest}", value=value, largest=LARGEST)
    return exact


Amount = Annotated[Decimal, BeforeValidator(_no_float), AfterValidator(exact_cents)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
Day = Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
"""A local date that a document can bear; beyond it lie typing mistakes, and dates that no calendar can count on from."""

Term = Annotated[int, Field(ge=-36_500, le=36_500)]
"""Days from the issue date to the due date."""


def one_line(text: str) -> str:
    """Return what somebody wrote as one line: a space for control characters, which could make up lines of their own where it is shown."""
    return (
        text if text.isprintable() else " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    )


def printed(text: str) -> str:
    """Return what somebody wrote as one short line that is safe to show: a space for each control character."""
    return " ".join(one_line(text).split())[:120]


Line = Annotated[str, AfterValidator(one_line)]
"""A name or a line of an address."""


class Frozen(BaseModel):
    """A value: compared by content, never changed; unknown fields are a mistake of ours and refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with `update`; what was worked out from the original is worked out anew."""
        made = super().model_copy(update=update, deep=deep)
        for name in made.__dict__.keys() - type(made).model_fields.keys():
            del made.__dict__[name]
        return made
