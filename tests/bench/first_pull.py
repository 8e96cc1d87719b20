"""First full pull into SQLite, against a minimal loop on the same sandbox: `python -m tests.bench.first_pull [COUNT ...]`.

The minimal loop is what one would write in an afternoon: requests, one list of customers and one of invoices, page by page, into two
tables by `executemany`, one commit per page. Both pay for the sandbox's answers; `cpu` is each one's own processor time per invoice.
Opening the database and reading the mapping are not in it.
"""

import json
import sqlite3
import sys
import tempfile
from pathlib import Path

import requests

from bridge.pull import Outcome, pull
from bridge.store import Store
from tests.bench.measure import Stopwatch, alone, table
from tests.bench.providers import PROVIDERS, TODAY, Where, running

COLUMNS = {
    "sevdesk": ("invoiceNumber", "status", "sumGross", "invoiceDate", "timeToPay"),
    "billomat": ("invoice_number", "status", "open_amount", "date", "due_date"),
}


class Port:
    """One account."""

    def __init__(self, connector):
        self.name = "a"
        self.connector = connector


def bridge(where, folder, watch):
    """Pull everything with the program's own parts."""
    calls = []
    with Store.open(folder / "bridge.db") as store:
        connector = where.connector(rates=store.rates, observe=lambda *call: calls.append(call))
        with watch:
            result = pull(store, Port(connector), business_date=TODAY)
    assert result.outcome is Outcome.DONE, result.error
    return {"invoices": sum(count for count, _ in result.open.values()), "calls": len(calls)}


def minimal(where, folder, watch):
    """Do the least that could be called a pull."""
    session = requests.Session()
    session.headers[where.header] = where.token
    database = sqlite3.connect(folder / "minimal.db")
    database.execute("create table customer (id text primary key, raw text)")
    database.execute("create table invoice (id text primary key, number, status, amount, date, due, raw text)")
    calls = 0
    with watch:
        for kind in ("customer", "invoice"):
            columns = COLUMNS[where.provider] if kind == "invoice" else ()
            insert = f"insert into {kind} values (?, ?{', ?' * len(columns)})"
            for rows in (_sevdesk if where.provider == "sevdesk" else _billomat)(session, where, kind):
                calls += 1
                values = [(row["id"], *(row[name] for name in columns), json.dumps(row)) for row in rows]
                database.executemany(insert, values)
                database.commit()
    return {"invoices": database.execute("select count(*) from invoice").fetchone()[0], "calls": calls}


def _sevdesk(session, where, kind):
    path = {"customer": "/Contact?depth=1", "invoice": "/Invoice?status=200"}[kind]
    offset = 0
    while True:
        answer = session.get(f"{where.base_url}{path}&limit={where.page_size}&offset={offset}", timeout=60)
        answer.raise_for_status()
        rows = answer.json()["objects"]
        if rows:
            yield rows
        if len(rows) < where.page_size:
            return
        offset += len(rows)


def _billomat(session, where, kind):
    path, names = {
        "customer": ("/clients?", ("clients", "client")),
        "invoice": ("/invoices?status=OPEN,OVERDUE&", ("invoices", "invoice")),
    }[kind]
    page = 1
    while True:
        answer = session.get(f"{where.base_url}{path}format=json&per_page={where.page_size}&page={page}", timeout=60)
        answer.raise_for_status()
        rows = answer.json()[names[0]].get(names[1], [])
        if rows:
            yield rows
        if len(rows) < where.page_size:
            return
        page += 1


def main(counts):
    """Print the table."""
    lines = []
    for provider in PROVIDERS:
        for count in counts:
            with running(provider, count) as where:
                told = json.dumps(vars(where))
                plain = alone("tests.bench.first_pull", "minimal", told)
                ours = alone("tests.bench.first_pull", "bridge", told)
            assert plain["invoices"] == ours["invoices"] == count
            lines.append(
                (
                    provider,
                    count,
                    int(count / ours["seconds"]),
                    ours["seconds"] / plain["seconds"],
                    ours["cpu"] / count * 1e6,
                    plain["cpu"] / count * 1e6,
                    ours["calls"],
                    plain["calls"],
                    int(ours["idle_mib"]),
                    int(ours["peak_mib"]),
                    int(plain["peak_mib"]),
                )
            )
    print(
        "First full pull into SQLite, against requests + executemany on the same sandbox (goal: time at most 3x, memory flat)"
    )
    head = (
        "provider",
        "invoices",
        "inv/s",
        "time ratio",
        "cpu us/inv",
        "min. cpu",
        "calls",
        "min. calls",
        "idle MiB",
        "peak MiB",
        "min. peak",
    )
    table(head, lines)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in ("bridge", "minimal"):
        place = Where(**json.loads(sys.argv[2]))
        with tempfile.TemporaryDirectory() as scratch:
            watch = Stopwatch()
            watch.tell({"bridge": bridge, "minimal": minimal}[sys.argv[1]](place, Path(scratch), watch))
    else:
        main([int(argument) for argument in sys.argv[1:]] or [10_000, 100_000])
