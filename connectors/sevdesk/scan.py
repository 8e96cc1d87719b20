"""Reading a whole list page by page while people go on working."""

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
        seen: set[Any] = set()
        skipped, steady = offset, True
        while True:
            data = self._fetch({**self._params, "limit": self._size, "offset": offset, "countAll": "true"})
            found, counted = rows(data, "list"), _total(data)
            steady = steady and (total is None or counted == total)
            total = counted
            fresh = tuple(row for row in found if _new(row, seen))
            offset += len(found)
            if not fresh or (offset >= total if total is not None else len(found) < self._size):
                if fresh:
                    yield Page(fresh, offset, total)
                repeated = bool(found) and not fresh  # it does not page
                return steady and (not repeated if total is None else skipped + len(seen) >= total)
            yield Page(fresh, offset, total)


def _total(data: Any) -> int | None:
    text = str(data.get("total", "")) if isinstance(data, Mapping) else ""
    return int(text) if text.isdigit() else None


def _new(row: Any, seen: set[Any]) -> bool:
    """Tell whether this record did not come before in this round, and remember it."""
    raw = str(row.get("id", "")) if isinstance(row, Mapping) else ""
    key: Any = int(raw) if raw.isdigit() else raw or object()
    if key in seen:
        return False
    seen.add(key)
    return True
