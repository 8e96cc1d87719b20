"""Small things that all readers of sevDesk's records share."""

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.contract import BadRecord, Reject, misfit

CENT = Decimal("0.01")
NOISE = Decimal("0.000001")
"""Amounts that are JSON numbers may carry the dust of binary fractions; more than that is a third decimal place."""

ZERO = Decimal("0.00")
M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


def cents(value: Decimal, field: str) -> Decimal:
    """Return an amount with two places. Raises `BadRecord` where it has more, beyond the dust of binary fractions."""
    try:
        exact = value.quantize(CENT, ROUND_HALF_UP)
    except InvalidOperation as error:
        raise BadRecord("expected an amount such as 238.00", field=field, value=str(value)) from error
    if abs(exact - value) > NOISE:
        raise BadRecord("an amount has at most two decimal places", field=field, value=str(value))
    return exact


def build(model: type[M], fields: Mapping[str, Any]) -> M:
    """Make a record of the model. Raises `BadRecord` naming the first field that does not fit."""
    try:
        return model(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadRecord(misfit(first), field=field, value=first.get("input")) from error


def ident(raw: Any) -> str | None:
    """Return the id of a record as text; sevDesk sends it as text or number."""
    value = raw.get("id") if isinstance(raw, Mapping) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and str(value) else None


def sorted_out(kind: str, raw: Any, read: Callable[[Any], T]) -> T | Reject:
    """Return what `read` makes of a record, or the record set aside with the reason."""
    try:
        return read(raw)
    except BadRecord as error:
        return Reject(
            kind=kind,
            provider_id=ident(raw),
            field=error.field,
            value=error.value,
            reason=error.reason,
            raw=shown(raw),
        )


def shown(raw: Any) -> str:
    """Return the raw record as JSON text, as it is kept for people and for another try."""
    import json  # noqa: PLC0415  only for records that do not fit

    return json.dumps(raw, default=str, ensure_ascii=False, sort_keys=True)
