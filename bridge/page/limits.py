"""How often one address may ask: a fixed window per address, and a narrower one for links that do not exist."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

WINDOW_SECONDS = 60.0
REQUESTS = 60
MISSES = 10
"""Within a window, from one address: requests, and links that do not exist."""

REMEMBERED = 10_000
"""Addresses remembered; the ones that were quiet for longest are forgotten first."""


class Limiter:
    """Counts requests and misses by address. Thread-safe; `ticks` are monotonic seconds."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._lock = Lock()
        self._seen: OrderedDict[str, tuple[float, int, int]] = OrderedDict()

    def admits(self, address: str) -> bool:
        """Count a request; return False where this address has asked too often."""
        with self._lock:
            start, requests, misses = self._window(address)
            self._put(address, (start, requests + 1, misses))
            return requests < REQUESTS and misses < MISSES

    def missed(self, address: str) -> None:
        """Count a link that does not exist."""
        with self._lock:
            start, requests, misses = self._window(address)
            self._put(address, (start, requests, misses + 1))

    def _window(self, address: str) -> tuple[float, int, int]:
        now = self._ticks()
        known = self._seen.get(address)
        return known if known is not None and now - known[0] < WINDOW_SECONDS else (now, 0, 0)

    def _put(self, address: str, window: tuple[float, int, int]) -> None:
        self._seen[address] = window
        self._seen.move_to_end(address)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
