"""What people enter at the command line: periods, days, amounts, rates, ids, the answers of `init`; and what the store says back."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from random import Random
from typing import Any

import click

from bridge.app.setup import Answers, _cutoff, _urls
from bridge.cli.commands.case import Instalment, Sum
from bridge.cli.commands.look import Day
from bridge.cli.out import shown
from bridge.errors import UsageError, Wrong
from bridge.model.period import period
from bridge.policy.recipients import address_of, email_of
from bridge.replay.stopped import parse_id
from bridge.words import Sentence
from tests.fuzz.mutate import mutated, mutated_json
from tests.fuzz.target import Target

TODAY = date(2026, 11, 16)

_PERIODS = [
    b"last-month",
    b"2026-10",
    b"2026-10-01..2026-10-15",
    b"01.10.2026..",
    b"..2026",
    b"10.2026",
    b"this-week",
    b"0001..9999",
    b"0001-01-01",
]
_DAYS = [b"2026-12-24", b"24.12.2026", b"20261224", b"2026-W52-4"]
_SUMS = [b"15", b"15.00", b"1500,00", b"999999999.99"]
_ADDRESSES = [
    b"Muster GmbH, Weg 1, 10115 Berlin",
    b"Anna Muster\nWeg 1\n10115 Berlin\nAT",
    b"a.b@c.example",
    b"Anna <a@b.example>",
]

_TYPED = (UsageError, Wrong, click.BadParameter)


def _entered(random: Random) -> None:
    """Read one value as any of the things that a person enters."""
    seeds, read = random.choice(_ENTRIES)
    found = read(mutated(random, seeds).decode("utf-8", random.choice(("replace", "surrogateescape"))))
    if isinstance(found, date):
        assert 1 <= found.year <= 9999


def _answers(name: str) -> Callable[[str], object]:
    def read(text: str) -> object:
        answers: Any = Answers.__new__(Answers)
        object.__setattr__(answers, "cutoff", text if name == "cutoff" else "")
        object.__setattr__(answers, "base_urls", (text,))
        return _cutoff(answers) if name == "cutoff" else _urls(answers, {"main": "sevdesk"})

    return read


_ENTRIES: list[tuple[list[bytes], Callable[[str], object]]] = [
    (_PERIODS, lambda text: period(text, TODAY)),
    (_PERIODS, lambda text: period(text, date.min)),
    (_PERIODS, lambda text: period(text, date.max)),
    (_DAYS, lambda text: Day().convert(text, None, None)),
    (_SUMS, lambda text: Sum().convert(text, None, None)),
    ([b"2026-10-01=100.00", b"01.10.2026=100,00"], lambda text: Instalment().convert(text, None, None)),
    ([b"step-12", b"reject-5", b"run-3"], parse_id),
    (_ADDRESSES, address_of),
    (_ADDRESSES, email_of),
    (_DAYS, _answers("cutoff")),
    ([b"main=https://x.example/api"], _answers("url")),
]

_SENTENCES = [
    Sentence("{field} = {value}: {reason}", field="x", value="y", reason=Sentence("no date")).to_store(),
    Sentence("{on} {at!r} {number}", on=TODAY, at="x", number=3).to_store(),
]


def _sentence(random: Random) -> None:
    """Tell a stored sentence in both languages, and as a terminal shows it."""
    text = mutated_json(random, random.choice(_SENTENCES))
    if random.random() < 0.5 and not text.startswith('{"words": '):
        text = '{"words": ' + text[1:]
    found = Sentence.stored(text)
    for language in ("de", "en"):
        assert isinstance(found.told(language), str)
    assert all(sign.isprintable() or sign == "\n" for sign in shown(found))
    json.dumps(found.to_store())


def targets() -> Iterator[Target]:
    """Yield what reads words of people, and of ourselves."""
    yield Target("entered", 90, _entered, _TYPED)
    yield Target("sentence", 60, _sentence)
