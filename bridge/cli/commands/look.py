"""Looking: status, explain, claim, search, cases."""

from datetime import date
from typing import TYPE_CHECKING

import click

from bridge.cli.base import Argument, Option, command
from bridge.cli.locale import say
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.results import Status

VIEWS = ("open", "closed", "all", "run", "collection")


class Day(click.ParamType[date]):
    """A date: 2026-12-24 or 24.12.2026, in years that calendars can count on from."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the date that `value` names."""
        if isinstance(value, date):
            return value
        from bridge.model.base import FIRST_DAY, LAST_DAY  # noqa: PLC0415  only where a day was written

        text = str(value).strip()
        try:
            dotted = len(text) == 10 and text[2] == text[5] == "."
            day = date(int(text[6:]), int(text[3:5]), int(text[:2])) if dotted else date.fromisoformat(text)
        except ValueError:
            self.fail(say("wrong.date", value=text), param, ctx)
        if not FIRST_DAY <= day <= LAST_DAY:
            self.fail(say("wrong.far_day", value=text, first=FIRST_DAY.year, last=LAST_DAY.year), param, ctx)
        return day


PERIOD = Option(["--period"], metavar="PERIOD", help="option.period")
"""The one option by which lists are narrowed to a period; `Bridge.period` reads it."""


@command("status")
def status(session: Session) -> int:
    """Show accounts, what is ready, what waits and what failed."""
    result: Status = session.bridge.status()
    from bridge.cli.show_status import status as show  # noqa: PLC0415

    session.emit(result, show)
    needed = (
        result.needing
        or result.restored
        or result.disk_full
        or any(
            one.state in ("stopped", "reconnect") or one.held_jump or one.capped or one.writing_suspended
            for one in result.accounts
        )
    )
    return 1 if needed else 0


@command(
    "explain",
    Argument(["invoice"]),
    Option(["--on", "on"], type=Day(), metavar="DATE", help="option.explain.on"),
    Option(["--account"], metavar="ACCOUNT", help="option.account"),
)
def explain(session: Session, invoice: str, on: date | None, account: str | None) -> int:
    """Say why an invoice gets a reminder or not, today or on a date."""
    from bridge.cli.show import explained  # noqa: PLC0415

    session.emit(session.bridge.explain(invoice, on=on, account=account), explained)
    return 0


@command(
    "claim",
    Argument(["invoice"]),
    Option(["--on", "on"], type=Day(), metavar="DATE", help="option.claim.on"),
    Option(["--account"], metavar="ACCOUNT", help="option.account"),
)
def claim(session: Session, invoice: str, on: date | None, account: str | None) -> int:
    """Show what is owed on an invoice, with the computation."""
    from bridge.cli.show_claim import claims  # noqa: PLC0415

    session.emit(session.bridge.claim(invoice, on=on, account=account), claims)
    return 0


@command("search", Argument(["number"]))
def search(session: Session, number: str) -> int:
    """Find an invoice: when was which reminder sent to whom, and did it arrive."""
    from bridge.cli.show import found  # noqa: PLC0415

    result = session.emit(session.bridge.search(number), found)
    return 0 if result.invoices else 1


@command("agreements", Option(["--account"], metavar="ACCOUNT", help="option.account"))
def agreements(session: Session, account: str | None) -> int:
    """Show the agreements on instalments with what came in on each rate."""
    from bridge.cli.show_instalments import instalments as show  # noqa: PLC0415

    session.emit(session.bridge.agreements(account), show)
    return 0


@command(
    "cases",
    Option(["--view"], type=click.Choice(VIEWS), default="open", help="option.cases.view"),
    Option(["--account"], metavar="ACCOUNT", help="option.account"),
    Option(["--customer"], metavar="NUMBER", help="option.customer"),
    PERIOD,
)
def cases(session: Session, *, view: str, account: str | None, customer: str | None, period: str | None) -> int:
    """List dunning cases: open, closed, all, in the run, at collection."""
    from bridge.cli.show import cases as show  # noqa: PLC0415

    bridge = session.bridge
    session.emit(bridge.cases(view, account=account, customer=customer, period=bridge.period(period)), show)
    return 0
