"""`python -m tests.faults`: live through many seeded histories and print what came of them. Exit code 1 where one went wrong."""

import argparse
import os
import sys
from datetime import datetime
from pathlib import Path

from tests.faults.history import History
from tests.faults.killing import LEADS
from tests.faults.simulate import kill_lines, lines, run, run_kills, shrunk


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--count", type=int, default=10_000, help="number of histories")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--story", action="store_true", help="shrink what goes wrong to a short story")
    parser.add_argument(
        "--parts", type=Path, help="folder that keeps every hundred histories; a run goes on where one ended"
    )
    parser.add_argument(
        "--kills", type=int, help="real SIGKILLs at every border; default 20 from 10,000 histories on, else none"
    )
    told = parser.parse_args()
    if told.parts:
        told.parts.mkdir(parents=True, exist_ok=True)

    def progress(total):
        wrong, kills = sum(total.wrong.values()), total.deaths
        text = (
            f"{total.histories} of {told.count} histories, {kills} kills, {total.overtaken} overtaken, {wrong} findings"
        )
        print(f"{datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)

    total, seconds = run(told.first, told.count, told.processes, parts=told.parts, progress=progress)
    for line in lines(total, seconds, told.processes):
        print(line)
    times = told.kills if told.kills is not None else 20 * (told.count >= 10_000)
    if times:
        names = sorted({*total.passed, *LEADS})
        killed, seconds = run_kills(names, times, told.processes, progress=progress)
        for line in kill_lines(killed, names, seconds, told.processes):
            print(line)
        total.wrong += killed.wrong
    for seed in sorted(map(int, total.failed)) if told.story else ():
        print(f"seed {seed}, as short as it gets: {shrunk(History.draw(seed))}")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
