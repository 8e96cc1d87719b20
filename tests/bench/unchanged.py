"""What a cycle costs in which nothing changed: `python -m tests.bench.unchanged [COUNT ...]`.

Provider calls by path, and rows written by table, of the second and later pulls of an account; the clock moves in between.
"""

import json
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import event

from bridge.pull import Outcome, pull
from bridge.store import Store
from tests.bench.first_pull import Port
from tests.bench.measure import Stopwatch, alone, table
from tests.bench.providers import PROVIDERS, TODAY, Where, running

CYCLES = {"first": timedelta(0), "+1 hour": timedelta(hours=1), "+1 day": timedelta(hours=25)}
MIRROR = ("debtor", "invoice", "payment", "provider_notice", "reject")


def cycles(where, folder):
    """Pull several times and count."""
    at = datetime(TODAY.year, TODAY.month, TODAY.day, 8, tzinfo=UTC)
    calls, written = 0, Counter()

    def counted(*_call):
        nonlocal calls
        calls += 1

    def remember(_conn, _cursor, statement, parameters, _context, executemany):
        words = statement.lower().split()
        if words[0] in ("insert", "update", "delete"):
            name = words[1] if words[0] == "update" else words[2]
            written[name.strip('"')] += len(parameters) if executemany else 1

    found = {}
    with Store.open(folder / "bridge.db") as store:
        event.listen(store.engine, "before_cursor_execute", remember)
        for name, later in CYCLES.items():
            calls = 0
            written.clear()
            now = at + later
            connector = where.connector(clock=lambda now=now: now, observe=counted)
            began = datetime.now(UTC)
            result = pull(store, Port(connector), business_date=now.date())
            assert result.outcome is Outcome.DONE, result.error
            found[name] = {
                "calls": calls,
                "seconds": (datetime.now(UTC) - began).total_seconds(),
                "mirror": sum(written[one] for one in MIRROR),
                "temporary": written["listing_seen"],
                "rest": {
                    name: count for name, count in sorted(written.items()) if name not in (*MIRROR, "listing_seen")
                },
            }
    return {"cycles": found}


def main(counts):
    """Print the table."""
    lines = []
    for provider in PROVIDERS:
        for count in counts:
            with running(provider, count) as where:
                found = alone("tests.bench.unchanged", "cycles", json.dumps(vars(where)))
            for name, cycle in found["cycles"].items():
                rest = " ".join(f"{table_name}:{rows}" for table_name, rows in cycle["rest"].items())
                lines.append(
                    (provider, count, name, cycle["calls"], cycle["mirror"], cycle["temporary"], cycle["seconds"], rest)
                )
    print("Cost of a cycle in which nothing changed (goal: no row of invoices, debtors, payments, reminders written)")
    table(
        ("provider", "invoices", "cycle", "calls", "mirror rows", "temporary", "seconds", "other rows written"), lines
    )


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "cycles":
        place = Where(**json.loads(sys.argv[2]))
        with tempfile.TemporaryDirectory() as scratch:
            with Stopwatch() as watch:
                counted = cycles(place, Path(scratch))
            watch.tell(counted)
    else:
        main([int(argument) for argument in sys.argv[1:]] or [1_000, 100_000])
