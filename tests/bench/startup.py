"""Start-up of `mahnbridge --help` against `python -c "import click"`: `python -m tests.bench.startup`. Best of several, alternating."""

import os
import subprocess
import sys
import time

from tests.bench.measure import table

RUNS = 15
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "mahnbridge --help": [
        sys.executable,
        "-c",
        "import sys; sys.argv = ['mahnbridge', '--help']; from bridge.cli import main; main()",
    ],
}


def main():
    """Print the table."""
    best = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env={**os.environ, "COLUMNS": "80"})
            best[name] = min(best[name], time.perf_counter() - began)
    click = best["python -c 'import click'"]
    print(f"Start-up, best of {RUNS} (goal: at most 2x import click)")
    table(
        ("command", "milliseconds", "ratio"),
        [(name, seconds * 1000, seconds / click) for name, seconds in best.items()],
    )


if __name__ == "__main__":
    main()
