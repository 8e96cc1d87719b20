"""How Billomat writes JSON: every scalar as text, one element without its list, nothing as `""`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bridge.testing.server import Response

BERLIN = ZoneInfo("Europe/Berlin")


def scalar(value: Any) -> Any:
    """Return one value as Billomat writes it; nested lists and objects likewise."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Decimal):
        plain = format(value, "f")
        return (plain.rstrip("0").rstrip(".") or "0") if "." in plain else plain
    if isinstance(value, datetime):
        return value.astimezone(BERLIN).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: scalar(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scalar(item) for item in value]
    return str(value)


def record(item: str, row: Mapping[str, Any], status: int = 200) -> Response:
    """Answer one record."""
    return Response.json({item: visible(row)}, status)


def visible(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a row that the API shows; those with a leading underscore are the sandbox's own."""
    return {key: scalar(value) for key, value in row.items() if not key.startswith("_")}


def listing(
    container: str,
    item: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    page: int,
    per_page: int,
    total: int,
    array: bool = False,
) -> Response:
    """Answer one page of a list; `array` writes a single element as a list, which happens now and then."""
    box: dict[str, Any] = {"@page": str(page), "@per_page": str(per_page), "@total": str(total)}
    shown = [visible(row) for row in rows]
    if len(shown) == 1 and not array:
        box[item] = shown[0]
    elif shown:
        box[item] = shown
    return Response.json({container: box}, headers={"X-Total-Count": str(total)})


def unpaged(container: str, item: str, rows: Sequence[Mapping[str, Any]]) -> Response:
    """Answer a list that is not paged: no counts, and an empty one is `[]`."""
    shown = [visible(row) for row in rows]
    box: Any = [] if not shown else {item: shown[0] if len(shown) == 1 else shown}
    return Response.json({container: box}, headers={"X-Total-Count": str(len(shown))})


def failure(status: int, *texts: str) -> Response:
    """Answer an error; several texts become a list."""
    return Response.json({"errors": {"error": texts[0] if len(texts) == 1 else list(texts)}}, status)
