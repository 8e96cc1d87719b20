"""Reading a whole list page by page while people go on working."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sevdesk.envelope import rows

ROUNDS = 3
"""How often a list that changes while it is read is begun anew before it counts as incomplete."""

Fetch = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one page, each once in a round; `offset` is where the next page begins, `total` what sevDesk counts."""

    rows: tuple[Any, ...]
    offset: int
    total: int | None


class Scan:
    """One list as pages. `stable` afterwards tells whether every record was seen for certain.

    sevDesk has no cursor: when the total changes, or fewer different records came than it counts, the list is read again.
    """

    def __init__(
        self, fetch: Fetch, params: Mapping[str, Any], size: int, *, start: int = 0, total: int | None = None
    ) -> None:
        self._fetch = fetch
        self._params = params
        self._size = size
        self._start = start
        self._total = total
        self.stable = False

    def __iter__(self) -> Iterator[Page]:
        start, total = self._start, self._total
        for _ in range(ROUNDS):
            self.stable = yield from self._round(start, total)
            if self.stable:
                return
            start, total = 0, None

    def _round(self, offset: int, total: int | None) -> Generator[Page, None, bool]:
        seen = _Ids()
        skipped, steady = offset, True
        while True:
            data = self._fetch({**self._params, "limit": self._size, "offset": offset, "countAll": "true"})
            found, counted = rows(data, "list"), _total(data)
            steady = steady and (total is None or counted == total)
            total = counted
            fresh = tuple(row for row in found if seen.add(row))
            offset += len(found)
            if not fresh or (offset >= total if total is not None else len(found) < self._size):
                if fresh:
                    yield Page(fresh, offset, total)
                repeated = bool(found) and not fresh  # it does not page
                return steady and (not repeated if total is None else skipped + len(seen) >= total)
            yield Page(fresh, offset, total)


def _total(data: Any) -> int | None:
    text = str(data.get("total", "")) if isinstance(data, Mapping) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


class _Ids:
    """The ids of a round: eight bytes each, as memory must not grow much with the number of records.

    They mostly come in rising order, so that keeping them sorted costs little.
    """

    def __init__(self) -> None:
        self._numbers = array("q")
        self._others: set[Any] = set()

    def __len__(self) -> int:
        return len(self._numbers) + len(self._others)

    def add(self, row: Any) -> bool:
        """Remember a record; return whether it did not come before."""
        raw = str(row.get("id", "")) if isinstance(row, Mapping) else ""
        if not (raw.isascii() and raw.isdigit() and len(raw) < 19):
            before = len(self._others)
            self._others.add(raw or object())
            return len(self._others) > before
        number = int(raw)
        place = bisect_left(self._numbers, number)
        if place < len(self._numbers) and self._numbers[place] == number:
            return False
        self._numbers.insert(place, number)
        return True
