"""What is wrong in a configuration, in words that name file, line, key, value and what would be right."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from bridge.errors import ConfigError
from bridge.words import NOTHING, Sentence, listed


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written. `line` is None for the environment and for files that could not be read."""

    file: str
    line: int | None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake. `value` is what was written (never a secret); `hint` says what would be right."""

    place: Place
    key: str
    text: Sentence
    value: Any = None
    hint: Sentence = NOTHING
    unset: bool = False
    """Nothing but an environment variable without a value."""

    @property
    def sentence(self) -> Sentence:
        """Return all of it in one line."""
        said = ""
        if self.value is not None:
            shown = repr(self.value)
            said = f" = {shown if len(shown) <= 80 else shown[:77] + '...'}"
        subject = f" {self.key}{said}:" if self.key else ""
        hint = Sentence(" ({hint})", hint=self.hint) if self.hint else ""
        line = "" if self.place.line is None else f":{self.place.line}"
        return Sentence(
            "{file}{line}:{subject} {text}{hint}",
            file=self.place.file, line=line, subject=subject, text=self.text, hint=hint,
        )  # fmt: skip

    def __str__(self) -> str:
        return self.sentence


class BadConfig(ConfigError):
    """The configuration is wrong; `problems` has every mistake that was found, in the order of the file."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda one: (one.place.file, one.place.line or 0)))
        super().__init__(listed(self.problems, "\n"))

    @property
    def only_unset(self) -> bool:
        """Return whether nothing is wrong but environment variables that are not set yet."""
        return all(problem.unset for problem in self.problems)


def suggestion(word: str, known: list[str]) -> Sentence:
    """Return "did you mean X?", or the list of what is known where nothing is near."""
    near = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    if near:
        return Sentence("did you mean {word}?", word=near[0])
    if not known:
        return Sentence("")
    more = " …" if len(known) > 12 else ""
    return Sentence("there are {known}{more}", known=known[:12], more=more)
