"""Billomat's JSON as it really comes, made regular.

Everything is a string, a list with one element is an object, an empty list has no item key and its container may be `[]` or `{}`,
"nothing" is `""`, `{}` or null, and an unset date may be of the year 0001.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from bridge.contract import BadAnswer, BadRecord, redact

DATES = ("date", "due_date", "created", "updated")
LARGEST = 15
"""Digits before the point beyond which a number is no amount; computing with it could take for ever."""

_ID = re.compile(r"[0-9]{1,18}")


def rows(data: Any, container: str, item: str) -> list[dict[str, Any]]:
    """Return the records of a list answer; raises `BadAnswer` where it is no list of `container`."""
    if not isinstance(data, dict) or container not in data:
        raise BadAnswer("the answer has no {container!r}", container=container, cause="bad_answer")
    return items(data[container], item)


def items(box: Any, item: str) -> list[dict[str, Any]]:
    """Return the records inside `box`: a list, one object, or nothing. Raises `BadAnswer` for anything else."""
    found = box.get(item) if isinstance(box, dict) else None
    if found is None or found in ("", [], {}):
        return []
    records = found if isinstance(found, list) else [found]
    if not all(isinstance(row, dict) for row in records):
        raise BadAnswer("the answer's {item!r} are no records", item=item, cause="bad_answer")
    return records


def total(data: Any, container: str) -> int | None:
    """Return the number of records of all pages, or None where the answer does not say."""
    box = data.get(container) if isinstance(data, dict) else None
    text = box.get("@total") if isinstance(box, dict) else None
    return _count(text)


def _count(value: Any) -> int | None:
    return int(value) if isinstance(value, str | int) and _ID.fullmatch(str(value)) else None


def one(data: Any, item: str) -> dict[str, Any]:
    """Return the single record of an answer; raises `BadAnswer` where there is none."""
    record = data.get(item) if isinstance(data, dict) else None
    if not isinstance(record, dict) or not record:
        raise BadAnswer("the answer has no {item!r}", item=item, cause="bad_answer")
    return record


def failure(data: Any) -> str | None:
    """Return the text of an `errors` body, whatever its status, on one line and without secrets; None where it is no failure."""
    if not isinstance(data, dict) or "errors" not in data:
        return None
    box = data["errors"]
    found = box.get("error") if isinstance(box, dict) else box
    texts = found if isinstance(found, list) else [found]
    said = str(redact("; ".join(str(entry) for entry in texts)))
    return re.sub(r"[^\x20-\x7e\xa0-\uffff]+", " ", said).strip()[:300] or "error without text"


def text(record: dict[str, Any], field: str) -> str | None:
    """Return a field as text without surrounding space; `""`, `{}`, `[]` and null are None."""
    value = record.get(field)
    if type(value) is str:
        return value.strip() or None
    if value is None or isinstance(value, (dict, list)):
        return None
    return str(value).strip() or None


def flag(record: dict[str, Any], field: str, *, default: bool = False) -> bool:
    """Return a `1`/`0` field."""
    value = text(record, field)
    return default if value is None else value.lower() in ("1", "true")


def amount(record: dict[str, Any], field: str) -> Decimal | None:
    """Return an amount as sent; raises `BadRecord` where it is none."""
    value = text(record, field)
    if value is None:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise BadRecord("expected an amount such as 119.50", field=field, value=value) from error
    if not number.is_finite() or number.adjusted() > LARGEST:
        raise BadRecord("expected an amount such as 119.50", field=field, value=value)
    return number


def record_id(record: dict[str, Any], field: str = "id") -> str:
    """Return a record's id: digits only, for it becomes part of paths. Raises `BadRecord`."""
    value = text(record, field)
    if value is None or not _ID.fullmatch(value):
        raise BadRecord("expected a number", field=field, value=record.get(field))
    return value


def reference(record: dict[str, Any], field: str) -> str | None:
    """Return the id of another record; `""` and `0` mean that there is none. Raises `BadRecord`."""
    value = text(record, field)
    return None if value is None or value.strip("0") == "" else record_id(record, field)


def number(record: dict[str, Any], field: str = "id") -> int:
    """Return an id as a number for comparisons, 0 where it is none."""
    value = text(record, field)
    return int(value) if value is not None and _ID.fullmatch(value) else 0


def without_unset_dates(record: dict[str, Any]) -> dict[str, Any]:
    """Return `record` with dates of the years 0000 and 0001 left empty."""
    unset = [field for field in DATES if isinstance(record.get(field), str) and record[field][:4] in ("0000", "0001")]
    return {**record, **dict.fromkeys(unset, "")} if unset else record


def instant(value: str | None) -> datetime | None:
    """Return an instant with offset in UTC, None where the text is none."""
    try:
        moment = datetime.fromisoformat(value or "")
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def words(value: str | None) -> tuple[str, ...]:
    """Return the words of a field with commas."""
    return tuple(word.strip() for word in (value or "").split(",") if word.strip())


def raw(record: Any) -> str:
    """Return a record as JSON text for a reject."""
    return json.dumps(record, ensure_ascii=False, default=str, sort_keys=True)


def distinct(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each record once by id; offset paging may repeat one."""
    seen: set[str | None] = set()
    for record in records:
        key = text(record, "id")
        if key is None or key not in seen:
            seen.add(key)
            yield record
