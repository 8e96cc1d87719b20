"""A dunning run in which 500 open invoices are due, of 10,000 and of 1,000,000: `python -m tests.bench.due [COUNT ...]`.

What it costs follows what is due, not what is open: rows read and written, decisions made, seconds, and memory above that of the idle
process. Each run is a process of its own over a SQLite file that is filled by plain SQL beforehand. The invoices that are not due are
decided already and wait for a later date, as after a run of the day before. The look ahead is the run without storing anything, as
`status` does it.
"""

import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import event, insert

from bridge.dun import DunAccount, Order, dun, plan
from bridge.model import Act, Debtor, Invoice, InvoiceStatus
from bridge.policy import Abilities, AccountRules, EscalationPlan
from bridge.policy.calendar import Calendar
from bridge.store import Store
from bridge.store.cases import Stamp
from bridge.store.tables import debtor, invoice
from tests.bench.measure import Stopwatch, alone, table

TODAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)
DUE = 500
PER_DEBTOR = 20
"""Invoices of a debtor; one of a debtor's is due at most."""

AT_ONCE = 50_000


def rules():
    """The rules under which all is decided: one plan that sends."""
    texts = {"de": {"subject": "{{ level_name }}", "body": "{{ total }} bis {{ deadline }}"}}
    levels = [
        {
            "name": f"Stufe {n}",
            "trigger": {"after_due": age},
            "automation": "send",
            "channels": ["mail"],
            "texts": texts,
        }
        for n, age in enumerate((3, 14, 28, 42), 1)
    ]
    made = EscalationPlan.model_validate({"name": "four", "levels": levels})
    return AccountRules("a", {made.name: made}, made.name, calendar=Calendar("DE", "NW"))


def fill(path, count):
    """Write `count` open invoices of `count / PER_DEBTOR` debtors, `DUE` of them due today."""
    with Store.open(path) as store:
        with store.begin() as conn:
            store.mirror.accounts.ensure(conn, "a", "bench")
            store.settings.set(conn, "rules:a", rules().version, Stamp(at=NOW, on=TODAY))
        late, later = TODAY - timedelta(days=20), TODAY + timedelta(days=20)
        with store.begin() as conn:
            conn.execute(insert(debtor), [_debtor(number) for number in range(count // PER_DEBTOR)])
        for first in range(0, count, AT_ONCE):
            rows = [
                _invoice(number, late if _is_due(number) else later)
                for number in range(first, min(first + AT_ONCE, count))
            ]
            with store.begin() as conn:
                conn.execute(insert(invoice), rows)


def _is_due(number):
    return number % PER_DEBTOR == 0 and number < DUE * PER_DEBTOR


def _debtor(number):
    one = Debtor(id=f"d{number}", number=f"K{number}", name=f"Kunde {number}", email=f"k{number}@example.com")
    return {
        "account": "a",
        "id": one.id,
        "number": one.number,
        "name": one.name,
        "document": one.model_dump_json(),
        "hash": "x",
    }


_ONE = Invoice(
    id="ID", number="RE-ID", status=InvoiceStatus.OPEN, debtor_id="DEBTOR", issued_on=date(2026, 10, 1),
    due_on=TODAY, gross=Decimal("119.00"), open=Decimal("119.00"), sent=True,
).model_dump_json()  # fmt: skip


def _invoice(number, due):
    debtor_id = f"d{number // PER_DEBTOR}"
    document = _ONE.replace("RE-ID", f"RE-{number}").replace('"ID"', f'"{number}"').replace("DEBTOR", debtor_id)
    return {
        "account": "a", "id": f"{number}", "number": f"RE-{number}", "debtor_id": debtor_id, "kind": "invoice",
        "status": "open", "currency": "EUR", "issued_on": date(2026, 10, 1), "due_on": due, "gross_cents": 11900,
        "paid_cents": 0, "open_cents": 11900, "hash": "x", "next_on": max(due, TODAY),
        "document": document.replace(TODAY.isoformat(), due.isoformat()),
    }  # fmt: skip


class Rows:
    """Counts what a store reads and writes."""

    def __init__(self, store):
        self.read = self.written = 0
        event.listen(store.engine, "after_cursor_execute", self._executed)
        for connection in ("connect", "checkout"):
            event.listen(store.engine, connection, lambda dbapi, *_: setattr(dbapi, "row_factory", self._row))

    def _executed(self, _conn, cursor, statement, parameters, _context, executemany):
        if statement.lstrip()[:6].lower() in ("insert", "update", "delete"):
            self.written += len(parameters) if executemany else max(cursor.rowcount, 0)

    def _row(self, _cursor, row):
        self.read += 1
        return row


def run(path, what):
    """Do a dunning run, or only look ahead as `status` does, and tell what it cost."""
    account = DunAccount(rules(), Abilities(acts=frozenset({Act.NOTE}), channels={Act.MAIL: "smtp"}))
    order = Order(today=TODAY, at=NOW, actor="bench", max_notices=None)
    with Store.open(path) as store:
        store.engine.dispose()
        rows = Rows(store)
        with Stopwatch() as watch:
            report = (dun if what == "run" else plan)(store, [account], order)
        found = {"read": rows.read, "written": rows.written, "decisions": sum(report.reasons.values())}
        watch.tell(found | {"notices": len(report.notices)})


def main(counts):
    """Print the table."""
    lines, first = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        for count in counts:
            path = Path(scratch) / f"{count}.db"
            began = time.perf_counter()
            fill(path, count)
            print(f"{count:,} invoices filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
            for what in ("look ahead", "run"):
                found = alone("tests.bench.due", what, str(path))
                assert found["notices"] == DUE, found
                base = first.setdefault(what, found)
                memory = found["peak_mib"] - found["idle_mib"]
                lines.append(
                    (what, count, found["read"], found["written"], found["decisions"], memory, found["cpu"],
                     found["seconds"], found["seconds"] / base["seconds"])
                )  # fmt: skip
            path.unlink()
    print(f"A run in which {DUE} open invoices are due (goal: less than twice the time, memory flat)")
    table(("", "open", "rows read", "rows written", "decisions", "MiB more", "cpu", "seconds", "ratio"), sorted(lines))


if __name__ == "__main__":
    if len(sys.argv) == 3 and not sys.argv[1].isdigit():
        run(sys.argv[2], sys.argv[1])
    else:
        main([int(argument) for argument in sys.argv[1:]] or [10_000, 1_000_000])
