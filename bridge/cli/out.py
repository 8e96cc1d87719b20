"""Tables and lines for people, through Rich; narrow terminals lose the less important columns, never the amounts."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bridge.cli.locale import language, say, told, zone
from bridge.plain import on_screen

if TYPE_CHECKING:
    from bridge.app.results import Done

STYLES = {"error": "bold red", "warning": "yellow", "ok": "green", "info": "cyan", "dim": "dim"}


_WRAPPED = frozenset({"text", "meaning", "levels", "what", "recipient", "reason", "invoices", "error"})
"""Columns whose words may go on in the next line."""

_SUMS = frozenset({"open_total", "overdue_total", "overdue", "ancillary"})


class Out:
    """Prints for people."""

    def __init__(self) -> None:
        width = int(os.environ.get("COLUMNS") or 0) or shutil.get_terminal_size((100, 24)).columns
        self.console = Console(highlight=False, soft_wrap=False, width=max(60, width), file=sys.stdout)

    @property
    def width(self) -> int:
        """Return the number of columns."""
        return self.console.width

    def line(self, key: str = "", /, style: str = "", **values: Any) -> None:
        """Print the text of a catalogue key; values are shown literally, whatever they contain."""
        self.text(say(key, **values) if key else "", style)

    def text(self, text: str, style: str = "") -> None:
        """Print plain text."""
        self.console.print(escape(on_screen(told(text))), style=STYLES.get(style, style) or None)

    def title(self, key: str, /, **values: Any) -> None:
        """Print a headline."""
        self.console.print()
        self.console.print(escape(on_screen(say(key, **values))), style="bold")

    def done(self, change: "Done") -> None:
        """Print a change that was recorded: the text `done.WHAT`, or `done.WHAT_until` where it lasts until a day."""
        self.line(
            f"done.{change.what}" + ("_until" if change.until else ""),
            style="ok",
            subject=change.subject,
            actor=change.actor,
            count=change.count,
            until=shown(change.until),
            text=change.text,
        )
        for note in change.notes:
            self.text(f"  {shown(note)}", "warning")

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, drop: Sequence[str] = (), style: str = ""
    ) -> None:
        """Print rows under the headlines `column.NAME`; amounts to the right.

        Where the terminal is too narrow, names are shortened and the columns in `drop` are left out, the first one first. Amounts,
        numbers and dates stay whole.
        """
        texts = {name: [shown(row[place]) for row in rows] for place, name in enumerate(columns)}
        kept = list(columns)
        for name in (*(name for name in drop if name in columns), None):
            limits = {"customer": 28 if self._room(kept, texts, 28) >= 0 else 16}
            if self._room(kept, texts, limits["customer"]) >= 0 or name is None:
                break
            kept.remove(name)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", expand=False, padding=(0, 1))
        table.row_styles = [STYLES[style]] if style else []
        for name in kept:
            right = any(isinstance(row[columns.index(name)], int | Decimal | Money) for row in rows) or name in _SUMS
            table.add_column(
                say(f"column.{name}"),
                justify="right" if right else "left",
                no_wrap=name not in _WRAPPED,
                overflow="fold",
            )
        for number in range(len(rows)):
            table.add_row(*[escape(_short(texts[name][number], limits.get(name))) for name in kept])
        self.console.print(table)

    def _room(self, columns: Sequence[str], texts: Mapping[str, Sequence[str]], customer: int) -> int:
        """Return how many signs are left of the terminal's width; texts that wrap need little."""
        needed = 0
        for name in columns:
            widest = max((len(line) for text in texts[name] for line in text.split("\n")), default=0)
            most = customer if name == "customer" else 26 if name == "recipient" else 18 if name in _WRAPPED else widest
            needed += 3 + max(len(say(f"column.{name}")), min(widest, most))
        return self.width - needed

    def facts(self, pairs: Sequence[tuple[str, Any]]) -> None:
        """Print names and values below each other; empty values are left out."""
        kept = [(say(f"fact.{name}"), shown(value)) for name, value in pairs if value not in (None, "", (), [])]
        width = max((len(name) for name, _ in kept), default=0)
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
        table.add_column(style="dim", min_width=width, no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in kept:
            table.add_row(escape(name), escape(value))
        self.console.print(table)

    @contextmanager
    def progress(self, total: int | None = None) -> Iterator[Any]:
        """Show a bar on a terminal; elsewhere nothing. Gives `advance(name, done, total)`."""
        if not sys.stderr.isatty():
            yield lambda *_: None
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            tasks: dict[str, Any] = {}

            def advance(name: str, done: int | None, of: int | None) -> None:
                if name not in tasks:
                    tasks[name] = bar.add_task(name, total=of or total)
                bar.update(tasks[name], completed=done or 0, total=of)

            yield advance


def _short(text: str, length: int | None) -> str:
    return text if length is None or len(text) <= length else text[: length - 1].rstrip() + "…"


class Money:
    """An amount with its currency, written as people write it."""

    __slots__ = ("amount", "currency")

    def __init__(self, amount: Decimal, currency: str) -> None:
        self.amount, self.currency = amount, currency


def totals(sums: Mapping[str, Decimal]) -> str:
    """Return sums per currency, never added across currencies."""
    return " + ".join(money(amount, currency) for currency, amount in sorted(sums.items())) or money(Decimal(0), "EUR")


def money(amount: Decimal, currency: str) -> str:
    """Return `1.190,00 €` in German, `€1,190.00` in English."""
    from babel.numbers import format_currency  # noqa: PLC0415  Babel is slow to import

    return format_currency(amount, currency, locale=language()).replace("\u00a0", " ")


def day(value: date) -> str:
    """Return a date as people write it: 01.09.2026, or 1 Sep 2026 in English."""
    return f"{value:%d.%m.%Y}" if language() == "de" else f"{value.day} {value:%b %Y}"


def shown(value: Any) -> str:
    """Return any value as text for people, safe for a terminal: control characters of hostile content are taken out."""
    if value is None:
        return ""
    if isinstance(value, str):
        value = told(value)
    if isinstance(value, Money):
        return money(value.amount, value.currency)
    if isinstance(value, bool):
        return say("yes" if value else "no")
    if isinstance(value, datetime):
        local = value.astimezone(zone())
        return f"{day(local.date())} {local:%H:%M}"
    if isinstance(value, date):
        return day(value)
    return on_screen(str(value))
