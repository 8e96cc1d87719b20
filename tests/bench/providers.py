"""Sandboxes with many invoices, each in a process of its own, and how to speak to them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from bridge.contract import Connector, Mapping
from bridge.http import Http, HttpSettings, TokenAuth

TODAY = date(2026, 11, 16)
PROVIDERS = ("sevdesk", "billomat")
DEBTORS = 20
"""Invoices per debtor: an agency bills the same customers again and again."""


@dataclass(frozen=True)
class Where:
    """A running sandbox."""

    provider: str
    base_url: str
    token: str

    @property
    def header(self) -> str:
        return "Authorization" if self.provider == "sevdesk" else "X-BillomatApiKey"

    @property
    def page_size(self) -> int:
        return connector_class(self.provider).Settings().page_size

    def connector(self, **http: Any) -> Connector:
        """Return the real connector, as the program makes it, but at no pace."""
        made = connector_class(self.provider)
        settings = HttpSettings(base_url=self.base_url, auth=TokenAuth(token=self.token, header=self.header), pace=1000)
        return made("a", made.Settings(), Mapping.load(self.provider), Http(settings, account="a", **http))


def connector_class(provider: str) -> type[Connector]:
    if provider == "sevdesk":
        from connectors.sevdesk.connector import SevDesk  # noqa: PLC0415  only the one that is measured

        return SevDesk
    from connectors.billomat.connector import Billomat  # noqa: PLC0415

    return Billomat


@contextmanager
def running(provider: str, count: int) -> Iterator[Where]:
    """Start a sandbox with `count` open invoices in a process of its own."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.providers", provider, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield Where(**json.loads(server.stdout.readline()))
    finally:
        server.communicate("")


def _sevdesk(count: int) -> Any:
    from connectors.sevdesk.sandbox import Sandbox  # noqa: PLC0415

    sandbox = Sandbox(today=TODAY - timedelta(days=30))
    contacts = [
        sandbox.add_contact(f"Schuldner {n} GmbH", email=f"rechnung{n}@schuldner.example")
        for n in range(max(1, count // DEBTORS))
    ]
    for number in range(count):
        issued = TODAY - timedelta(days=number % 90)
        sandbox.add_invoice(contacts[number % len(contacts)], gross=f"{100 + number % 900}.50", issued_on=issued)
    return sandbox, sandbox.token


def _billomat(count: int) -> Any:
    from connectors.billomat.sandbox import Sandbox  # noqa: PLC0415

    sandbox = Sandbox(today=TODAY - timedelta(days=30), limit=None)
    clients = [
        sandbox.add_client(f"Schuldner {n} GmbH", email=f"rechnung{n}@schuldner.example")
        for n in range(max(1, count // DEBTORS))
    ]
    for number in range(count):
        due = TODAY + timedelta(days=14 - number % 90)
        sandbox.add_invoice(clients[number % len(clients)], f"{100 + number % 900}.50", due_on=due)
    return sandbox, sandbox.key


def serve(provider: str, count: int) -> None:
    """Fill a sandbox, tell where it is, and serve until standard input closes."""
    sandbox, token = {"sevdesk": _sevdesk, "billomat": _billomat}[provider](count)
    sandbox.today = TODAY  # nothing has changed for a month
    with sandbox:
        print(json.dumps({"provider": provider, "base_url": sandbox.base_url, "token": token}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
