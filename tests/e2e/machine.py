"""The command line on a machine whose clock can be set: it begins at the instant of the first argument, later ones come by its input."""

import sys
import threading
from datetime import datetime

import time_machine

from bridge import cli
from bridge.schedule import service

started = []


class Noticed(service.Service):
    def _plan(self):
        super()._plan()
        started.append(self._scheduler)


def main(begins, *words):
    service.Service = Noticed
    with time_machine.travel(datetime.fromisoformat(begins), tick=True) as machine:

        def listen():
            for line in sys.stdin:
                machine.move_to(datetime.fromisoformat(line.strip()))
                for scheduler in started:
                    scheduler.wakeup()  # a machine's clock that is set does not end a wait

        threading.Thread(target=listen, daemon=True).start()
        cli.main(list(words))


if __name__ == "__main__":
    main(*sys.argv[1:])
