"""Real processes, really killed: every piece of work is done by a child that SIGKILL ends at the transaction borders that are wanted."""

import os
import signal
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random

from bridge.contract import Act
from bridge.store import Store
from tests.faults.agency import Process
from tests.faults.borders import where
from tests.faults.history import PROVIDERS, History, Incident
from tests.faults.striking import LEASES_OVER
from tests.faults.world import World

_AT_REQUESTS = (
    "cut", "500", "429", "html", "truncate", "reset", "401", "hang", "hang_long", "pay", "part", "cancel", "credit", "by_hand"
)  # fmt: skip
_AT_READS = ("hang_long", "html", "500", "401", "truncate")
"""What makes a look or a document fail, so that what comes of it dies too."""
_AT_MAILS = ("cut", "451", "550", "hang_long", "pay", "part")
AT_ONCE = 10
"""How many histories are lived through before it is counted which borders lack kills."""


@dataclass(frozen=True)
class Lead:
    """What leads to a border: one of these faults, before its effect, at one of the first requests of a kind, so many `times`."""

    way: str
    at: object
    whats: tuple[str, ...]
    nth: range = range(1, 2)
    times: int = 1


LEADS = {
    "app.provider_files._document_missing": Lead("provider", "document", ("html", "truncate"), times=2),
    "deliver.attempt._give_back": Lead("provider", "read", ("hang_long",), range(13, 27)),
    "deliver.attempt._lose": Lead("provider", Act.CREATE, ("cut", "500", "html", "truncate")),
    "deliver.attempt._release": Lead("provider", Act.CREATE, ("401", "429", "429_bare")),
    "deliver.attempt._stop_account": Lead("provider", Act.CREATE, ("401",)),
    "deliver.landing.park": Lead("mail", "mail", ("550",)),
    "deliver.settle._absent": Lead("provider", Act.CREATE, ("cut", "500")),
    "http.budget._save": Lead("provider", Act.CREATE, ("429", "429_bare")),
    "pull._broken_off": Lead("provider", "read", ("other_run",), range(1, 8)),
    "pull._failed": Lead("provider", "read", ("401",), range(1, 7)),
    "replay.discard": Lead("mail", "mail", ("550",), times=2),
}
"""The borders that a fault leads to, which seldom comes by itself. The fault is over when its border has killed: one side a history."""


@dataclass
class Killed(World):
    """A world whose processes are children of this one. Each border in `wanted` (None: every one) kills one of them, once.

    A child is forked from this warm process, and shares nothing with it but the database, the folder and the providers.
    """

    wanted: frozenset | None = None
    died: Counter = field(default_factory=Counter)
    unwatched: bool = True
    _store: object = None

    def work(self, act, number=0):
        """Let a child do something; if it is killed, another one does it."""
        for _ in range(200):
            told = self._child(act)
            if not self.depth:
                self.reopen()
            if told is None:
                return
            self.clock.pass_(seconds=LEASES_OVER)
        raise AssertionError("a process cannot be brought to do its work")

    def _child(self, act):
        """Return None where a child did it, else why it has to be done again."""
        self._let_go()
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os._exit(self._live_and_die(act, writing))
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            name = told.read().decode()
        status = os.waitpid(pid, 0)[1]
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            border, _, moment = name.rpartition(" ")
            self.deaths += 1
            self.died[border, moment == "after"] += 1
            return name
        return name if os.WEXITSTATUS(status) else None

    def _live_and_die(self, act, writing):
        def border(_process, *, after):
            if not after:
                self.borders.append(where())
            key = self.borders[-1], after
            if not self.died[key] and (self.wanted is None or key in self.wanted):
                os.write(writing, f"{key[0]} {'after' if after else 'before'}".encode())
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            process = Process(self.loaded, clock=self.now, technical=self.clock, border=border)
            act(process)
            process.close()
        except BaseException as error:  # noqa: BLE001  whatever it is, the parent hears of it and tries again
            os.write(writing, repr(error).encode()[:4000])
            return 1
        return 0

    @property
    def store(self):
        if self._store is None:
            self._store = Store.open(self.database, technical_clock=self.clock)
        return self._store

    def _let_go(self):
        """Close our own connections: no child may inherit one."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def judge(self, *, helped=False):
        """Judge with a process of our own, which nothing kills."""
        self.processes[0] = Process(
            self.loaded, clock=self.now, technical=self.clock, border=lambda *_told, **_values: None
        )
        try:
            super().judge()  # helped or not: the kills go on, and what they leave is parked again
        finally:
            self.processes.pop(0).close()


def drawn(seed):
    """Return the history of this seed for real processes: its faults strike at the providers and between two pieces of work."""
    history, rng = History.draw(seed), Random(seed)
    struck = [one for one in history.incidents if one.at in ("day", "approval")]
    if rng.random() < 0.3:
        struck.append(
            Incident(
                "day",
                rng.choice((1, 2)),
                rng.choice(("local_block", "defer", "off")),
                target=rng.randrange(len(history.debtors)),
            )
        )
    kinds, seldom = _kinds(history), rng.random() < 0.5
    for _ in range(rng.choice((1, 2, 3)) if kinds else 0):
        at = "read" if seldom and "read" in kinds else rng.choice(kinds)
        what = rng.choice(_AT_MAILS if at == "mail" else _AT_READS if seldom and at == "read" else _AT_REQUESTS)
        nth = rng.randrange(1, 30 if at == "read" else 3)
        after = rng.random() < 0.5 and what != "401"
        struck.append(Incident(at, nth, what, after, rng.randrange(len(history.debtors))))
    return replace(history, incidents=tuple(struck), helped=True)


def led(seed, border):
    """Return a short history of this seed in which a fault leads to this border, one of `LEADS`."""
    lead, rng = LEADS[border], Random(seed)
    nth, what = rng.choice(lead.nth), rng.choice(lead.whats)
    faults = tuple(Incident(lead.at, number, what) for number in range(nth, nth + lead.times))
    history = replace(History.draw(seed, short=True), provider=rng.choice(("billomat", "sevdesk")), way=lead.way)
    return replace(history, bundle=history.bundle and lead.way != "provider", incidents=faults, helped=True)


def _kinds(history):
    """Return the kinds of requests and mails that come in this history, reading more often than the others."""
    kinds = [key for key in PROVIDERS[history.provider].paths if key is not Act.SEND_EMAIL or history.way == "provider"]
    return kinds + ["read"] * (2 if kinds else 0) + ["mail"] * (2 if history.way == "mail" else 0)


class Hunt:
    """Which history comes next: new ones, and as many in which a fault leads to a border that still lacks kills."""

    def __init__(self, names, times, first):
        self._names, self._times, self._seed, self._turn = names, times, first, 0

    def wanted(self, total):
        """Return the borders, each with its side of the commit, that lack kills."""
        sides = {False: total.before, True: total.after}
        return frozenset(
            (name, after) for name in self._names for after, counts in sides.items() if counts[name] < self._times
        )

    def next(self, wanted):
        """Return the next histories: each with its seed, the border that it is led to, or None, and where it is to be killed."""
        led_to = sorted(one for one in wanted if one[0] in LEADS)
        for number in range(AT_ONCE):
            if led_to and (number % 2 or len(led_to) == len(wanted)):
                self._turn += 1
                border = led_to[self._turn % len(led_to)]
                yield self._seed, border[0], frozenset({border})
            else:
                yield self._seed, None, wanted
            self._seed += 1
