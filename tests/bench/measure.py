"""Running one piece of work in a process of its own, so that its peak memory is its own."""

import json
import resource
import subprocess
import sys
import time
from typing import Any, Self


def alone(module: str, *arguments: str) -> dict[str, Any]:
    """Run `python -m module arguments` and return the JSON object that it prints last."""
    answer = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        sys.exit(f"{module} {' '.join(arguments)} failed:\n{answer.stderr}")
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found


class Stopwatch:
    """Measures the block: seconds, processor seconds, and the peak memory of the process before it and at its end."""

    def __enter__(self) -> Self:
        self._idle = peak()
        self._began, self._used = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self._seconds = time.perf_counter() - self._began
        self._cpu = time.process_time() - self._used

    def tell(self, result: dict[str, Any]) -> None:
        """Print what was measured together with `result`, for `alone`."""
        measured = {"seconds": self._seconds, "cpu": self._cpu, "idle_mib": self._idle, "peak_mib": peak()}
        print(json.dumps(result | measured))


def peak() -> float:
    """Return the largest resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def table(head: tuple[str, ...], lines: list[tuple[Any, ...]]) -> None:
    """Print a table for people."""
    cells = [head, *([_shown(cell) for cell in line] for line in lines)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    for line in cells:
        print(
            "  ".join(
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            )
        )
    print()


def _shown(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:.2f}" if cell < 100 else f"{cell:.0f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
