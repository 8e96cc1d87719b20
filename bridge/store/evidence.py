"""Decisions as evidence: what a run stores in one transaction is put into the journal with it, as one event with a mark of each decision.

An event per decision would cost a first run as many events as invoices. One per transaction costs a run over 200 debtors one row, and says
as much: whoever changes, removes or inserts a decision is found, by the number of its row. `next_on` is kept up to date afterwards (it
says when to look again, not what was decided) and is no part of a mark.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, Text, cast, func, select, update

from bridge.store.journal import digest_of_data, hexdigest, json_text
from bridge.store.tables import decision, event, run

DECIDED = "decided"
"""Kind of the event over the decisions of one transaction of a run."""

_MARKED = ("id", "run_id", "account", "invoice_id", "debtor_id", "outcome", "reason", "level")
_DIGITS = 16
_CHUNK = 1000

Ranges = list[list[int]]


def mark(row: Mapping[str, Any] | RowMapping) -> str:
    """Return what stands for one stored decision: everything that it says, without the next date."""
    facts = ["" if row[name] is None else str(row[name]) for name in _MARKED]
    return hexdigest(*facts, json_text(row["detail"]))[:_DIGITS]


def evidence(marks: Mapping[int, str]) -> dict[str, Any]:
    """Return the data of the event over these decisions: how many, their numbers as ranges, and their marks in that order."""
    numbers = sorted(marks)
    return {"count": len(numbers), "rows": _ranges(numbers), "marks": "".join(marks[number] for number in numbers)}


def misfits(conn: Connection, erased: date) -> Iterator[tuple[str, int]]:
    """Yield each decision that is not what the journal says, by number: `decision` changed, `undecided` removed, `foreign` put in.

    Those whose event was erased, dated before `erased`, cannot be compared any more.
    """
    covered: Ranges = []
    for data in _events(conn):
        covered += data["rows"]
        yield from _compared(conn, data)
    before = 0
    for first, last in _joined(covered):
        yield from _foreign(conn, decision.c.id.between(before + 1, first - 1), erased)
        before = last
    yield from _foreign(conn, decision.c.id > before, erased)


def _foreign(conn: Connection, where: ColumnElement[bool], erased: date) -> Iterator[tuple[str, int]]:
    """Yield the decisions between those that events are about, unless theirs may have been erased."""
    says = func.length(cast(decision.c.detail, Text)) > len("{}")
    query = select(decision.c.id, says, run.c.business_date)
    query = query.outerjoin(run, run.c.id == decision.c.run_id).where(where).order_by(decision.c.id)
    for number, told, on in conn.execute(query):
        if told or on is None or on > erased:
            yield "foreign", number


def rows_of(conn: Connection, data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the decisions that one event is about, as they stand now."""
    for first, last in data.get("rows", ()):
        for start in range(first, last + 1, _CHUNK):
            inside = decision.c.id.between(start, min(start + _CHUNK - 1, last))
            yield from read(conn, decision, conn.scalars(select(decision.c.id).where(inside))).values()


def read(conn: Connection, table: Table, ids: Iterable[int]) -> dict[int, Mapping[str, Any]]:
    """Return rows by their number. Of one that holds what no program of ours wrote (SQLite takes any) all but its number is None."""
    query, wanted = select(table).order_by(table.c.id), sorted(ids)
    try:
        return {row["id"]: dict(row) for row in conn.execute(query.where(table.c.id.in_(wanted))).mappings()}
    except ValueError:
        if len(wanted) == 1:
            return {wanted[0]: {**dict.fromkeys(table.c.keys()), "id": wanted[0]}}
    half = len(wanted) // 2
    return {**read(conn, table, wanted[:half]), **read(conn, table, wanted[half:])}


def erase(conn: Connection, events: Iterable[Mapping[str, Any]]) -> None:
    """Empty the decisions that these events (their data) are about of everything that may be personal."""
    for data in events:
        for first, last in data.get("rows", ()):
            conn.execute(update(decision).where(decision.c.id.between(first, last)).values(detail={}))


def _events(conn: Connection) -> Iterator[Mapping[str, Any]]:
    last = 0
    while True:
        query = select(event.c.id).where(event.c.kind == DECIDED, event.c.id > last).order_by(event.c.id).limit(100)
        found = conn.scalars(query).all()
        if not found:
            return
        yield from (one["data"] for one in read(conn, event, found).values() if _whole(one))
        last = found[-1]


def _whole(one: Mapping[str, Any]) -> bool:
    """Return whether an event is as it was written: what is not was erased, or is named as changed."""
    data = one["data"]
    if one["salt"] is None or digest_of_data(data, one["salt"]) != one["data_digest"]:
        return False
    count: int = sum(last - first + 1 for first, last in data["rows"])
    return len(data["marks"]) == count * _DIGITS


def _compared(conn: Connection, data: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    numbers = [number for first, last in data["rows"] for number in range(first, last + 1)]
    marks = [data["marks"][at : at + _DIGITS] for at in range(0, len(data["marks"]), _DIGITS)]
    found = {row["id"]: mark(row) for row in rows_of(conn, data)}
    for number, expected in zip(numbers, marks, strict=True):
        if number not in found:
            yield "undecided", number
        elif found[number] != expected:
            yield "decision", number


def _ranges(numbers: Sequence[int]) -> Ranges:
    found: Ranges = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def _joined(ranges: Ranges) -> Ranges:
    found: Ranges = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1][1] = max(found[-1][1], last)
        else:
            found.append([first, last])
    return found
