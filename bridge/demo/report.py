"""What a person wants to see afterwards: what went out, what was held and why, and whether the ledgers agree."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Literal

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from bridge.demo.story import Day, Told
from bridge.demo.words import say
from bridge.words import tell

WIDE = frozenset({"example", "what", "outcome", "reason", "customer"})
"""Columns that take what room there is."""


class Report:
    """Prints for people, in German or English."""

    def __init__(self, language: str, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.language = language
        self.say = partial(say, language=language)

    def opening(self, told: Told) -> None:
        self.console.rule(f"[bold]{self.say('title')}")
        self.console.print(escape(self.say("intro", debtors=told.debtors, invoices=told.invoices)))
        self._head("days")

    def day(self, day: Day) -> None:
        """Print one line for a day as it passes, and one for each event."""
        counts = day.counts
        facts = f"{day.on:%d.%m.%Y}  {self.say('changed')} {counts['changed']:>3}  {self.say('landed')} {counts['landed']:>2}"
        if counts["dropped"]:
            facts += f"  {self.say('dropped')} {counts['dropped']}"
        if counts["approved"]:
            facts += f"  ({self.say('approved', count=counts['approved'])})"
        self.console.print(escape(facts))
        for event, values in day.events:
            self.console.print(Padding(f"[cyan]{escape(self.say(event, **values))}", (0, 0, 0, 12)))

    def closing(self, told: Told, *, seconds: float, folder: str, command: str) -> None:
        """Print everything else."""
        self._sent(told)
        self._held(told)
        self._failed(told)
        self._explained(told)
        self._ledgers(told)
        self.console.print(self.say("cases", open=told.open_cases, closed=told.closed_cases))
        agree = all(one.agree for one in told.ledgers)
        self.console.print(f"[bold {'green' if agree else 'red'}]{self.say('agree' if agree else 'disagree')}", end=" ")
        self.console.print(self.say("took", seconds=f"{seconds:.0f}"))
        self.console.print(escape(self.say("data", folder=folder, command=command)), soft_wrap=True)

    def _sent(self, told: Told) -> None:
        groups: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
        for line in told.sent:
            groups[line.account, line.level_name, line.channel].append(line)
        rows = []
        for (account, level, channel), lines in sorted(groups.items()):
            one = lines[-1]
            late = one.claims[0].days_overdue if one.claims else None
            because = f", {self.say('because', days=late)}" if late else ""
            example = f"{', '.join(claim.number for claim in one.claims)} {one.customer}{because}"
            rows.append((account, level, channel, len(lines), example))
        self._head("sent")
        self._table(("account", "level", "channel", "count", "example"), rows)

    def _held(self, told: Told) -> None:
        rows = [(answer.account, answer.text, answer.number, answer.customer) for answer in told.held]
        rows += [
            (line.account, line.reason, ", ".join(claim.number for claim in line.claims), line.customer)
            for line in told.dropped
        ]
        self._head("held")
        self._table(("account", "reason", "invoice", "customer"), sorted(set(rows)))

    def _failed(self, told: Told) -> None:
        self._head("failed")
        rows = [(group.account, group.cause, group.example, done.text) for group, done in told.failed]
        self._table(("account", "cause", "what", "outcome"), rows)
        self._head("left")
        self._table(
            ("account", "cause", "count", "example"),
            [(one.account, one.cause, one.count, one.example) for one in told.left],
        )

    def _explained(self, told: Told) -> None:
        if told.today is None:
            return
        self._head("explain", number=told.today.number)
        for answer in (told.today, told.later):
            if answer is not None:
                self.console.print(escape(self.say("on", on=f"{answer.on:%d.%m.%Y}", text=answer.text)))

    def _ledgers(self, told: Told) -> None:
        self._head("ledgers")
        rows = [
            (self.say("smtp") if one.account == "smtp" else one.account, one.ours, one.theirs, one.twice, one.paid)
            for one in told.ledgers
        ]
        self._table(("account", "ours", "theirs", "twice", "paid"), rows)

    def _head(self, key: str, **values: Any) -> None:
        self.console.print()
        self.console.print(f"[bold]{escape(self.say(key, **values))}")

    def _table(self, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        rows = list(rows)
        if not rows:
            self.console.print(f"  {self.say('nothing')}")
            return
        expand = any(name in WIDE for name in columns)
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim", expand=expand)
        for position, name in enumerate(columns):
            number = isinstance(rows[0][position], int)
            wide = 1 if name in WIDE else None
            justify: Literal["left", "right"] = "right" if number else "left"
            table.add_column(self.say(name), justify=justify, no_wrap=not wide, overflow="fold", ratio=wide)
        for row in rows:
            table.add_row(*(escape(tell(str(cell), self.language)) for cell in row))
        self.console.print(table)
