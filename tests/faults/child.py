"""A day's work in a process of its own, which kills itself at a chosen transaction border."""

import os
import signal
from datetime import datetime

from bridge.config import load
from tests.faults.agency import Process
from tests.faults.borders import where
from tests.faults.outside import Clock


def work(path, told):
    """Read, decide and deliver; die with SIGKILL at border `told["number"]`; write the names of the borders that were passed."""
    clock, seen = Clock(), []
    clock.at = datetime.fromisoformat(told["technical"])
    now = datetime.fromisoformat(told["business"])

    def border(_process, *, after):
        if not after:
            seen.append(where())
        if len(seen) == told["number"] and after is told["after"]:
            told["names"].write_text(seen[-1])
            os.kill(os.getpid(), signal.SIGKILL)

    process = Process(load(path, {}), clock=lambda: now, technical=clock, border=border)
    process.bridge.run()
