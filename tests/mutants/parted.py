"""Work done in processes of their own, ended when they take too long."""

import contextlib
import os
import resource
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path

_MEMORY = 6 * 1024**3
_IDLE, _LEAST = 30.0, 0.3
"""A process that computes less than so many of so many seconds is taken to wait for ever; what waits in slices computes a little."""


def parted(work: Callable[[], int], seconds: float) -> int | None:
    """Do `work` in a silent process of its own; return its exit code, None where it takes too long.

    That is: more than `seconds` of computing, or thirty times as long altogether, as others may be at work beside; or it computes
    next to nothing for half a minute, where the system tells that.
    """
    child = os.fork()
    if child == 0:
        os._exit(_begun(work, seconds))
    until, wait = time.monotonic() + 30 * seconds, 0.001
    last, since = _computed(child), time.monotonic()
    try:
        while time.monotonic() < until:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                child = 0
                return None if code in (-signal.SIGXCPU, -signal.SIGKILL) else code
            time.sleep(wait)
            wait = min(0.02, wait * 1.5)
            if time.monotonic() - since > _IDLE:
                now = _computed(child)
                if now is not None and last is not None and now - last < _LEAST:
                    return None
                last, since = now, time.monotonic()
    finally:
        if child:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
    return None


def _computed(pid: int) -> float | None:
    """Return how many seconds a process has computed; None where nothing tells it."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return None
    return sum(map(int, told.rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def _begun(work: Callable[[], int], seconds: float) -> int:
    os.setsid()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, signal.SIG_DFL)
    _silent()
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds) + 1, int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        return int(work())
    except BaseException:  # noqa: BLE001  a mistake may raise anything
        return 1


def _silent() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)


def lanes(count: int, work: Callable[[int], object], *, silent: bool = False) -> None:
    """Do `work(0)`, `work(1)` ... side by side, each in a process of its own; wait for all. What ends us ends them."""
    started = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            try:
                if silent:
                    _silent()
                work(number)
            except BaseException as error:  # noqa: BLE001  nothing may return into the caller from here
                if not isinstance(error, KeyboardInterrupt):
                    os.write(2, traceback.format_exc().encode())
            os._exit(0)
        started.append(child)
    try:
        for child in started:
            os.waitpid(child, 0)
    except KeyboardInterrupt:
        for child in started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)
        raise
