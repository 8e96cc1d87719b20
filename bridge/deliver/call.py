"""One call under a hard total deadline. What comes too late is not lost: it is handed to `late`."""

import threading
from collections.abc import Callable
from contextvars import copy_context

from bridge.contract import Proof, Unclear

GRACE_SECONDS = 8.0
"""How long a call may still take once the process was asked to stop."""

_SLICE = 0.2

Result = Proof | BaseException


class _Call:
    """A call in a thread of its own, whose result goes to whoever is still there to take it."""

    def __init__(self, act: Callable[[], Proof], late: Callable[[Result], None]) -> None:
        self._act, self._late = act, late
        self._lock = threading.Lock()
        self._finished = threading.Event()
        self._abandoned = False
        self._result: Result | None = None

    def run(self) -> None:
        try:
            result: Result = self._act()
        except BaseException as error:  # noqa: BLE001  handed to the caller, who decides by its class
            result = error
        with self._lock:
            self._result = result
            self._finished.set()
            late = self._abandoned
        if late:
            self._late(result)

    def wait(self, seconds: float, stop: threading.Event) -> Result | None:
        """Return the result, or None after `seconds`, or sooner once `stop` is set; then it is late for ever."""
        left = seconds
        while left > 0 and not self._finished.is_set():
            if stop.is_set():
                self._finished.wait(min(left, GRACE_SECONDS))
                break
            self._finished.wait(min(_SLICE, left))
            left -= _SLICE
        with self._lock:
            self._abandoned = self._result is None
            return self._result


def within(seconds: float, act: Callable[[], Proof], *, late: Callable[[Result], None], stop: threading.Event) -> Proof:
    """Return what `act` returns, or raise what it raises; after `seconds` raise `Unclear` and give the result to `late`."""
    call = _Call(act, late)
    threading.Thread(target=copy_context().run, args=(call.run,), name="delivery-call", daemon=True).start()
    result = call.wait(seconds, stop)
    if result is None:
        raise Unclear("no answer within {seconds} {seconds|second|seconds}", seconds=f"{seconds:g}", cause="deadline")
    if isinstance(result, BaseException):
        raise result
    return result
