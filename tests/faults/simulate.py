"""Many seeded histories on several processes: what was done to them, what came of it, and the short story of each that went wrong."""

import logging
import multiprocessing
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path

import structlog

from bridge.store import Store
from bridge.store import engine as engines
from tests.faults.history import History
from tests.faults.judging import APART, DOUBLE, LOST, WRONG
from tests.faults.world import World
from tests.sharing import sharing


@dataclass
class Tally:
    """What came of one history, or of many."""

    histories: int = 0
    rounds: int = 0
    sent: int = 0
    deaths: int = 0
    overtaken: int = 0
    wrong: Counter = field(default_factory=Counter)
    injected: Counter = field(default_factory=Counter)
    borders: Counter = field(default_factory=Counter)
    killed: Counter = field(default_factory=Counter)
    parked: Counter = field(default_factory=Counter)
    failed: dict = field(default_factory=dict)  # seed -> what was wrong

    def add(self, other):
        """Take another one in."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, dict):
                mine.update(theirs)
            else:
                setattr(self, one.name, mine + theirs)


@cache
def _template():
    folder = Path(tempfile.mkdtemp(prefix="mahnbridge-"))
    Store.open(folder / "empty.db").close()
    return folder / "empty.db"


def _quiet():
    """Prepare a process that lives through histories: no log, statements compiled once."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if not hasattr(engines.create_engine, "shares"):
        engines.create_engine = sharing(engines.create_engine)
        engines.create_engine.shares = True


def live(history):
    """Live through one history in a folder of its own; return its world."""
    with tempfile.TemporaryDirectory(prefix="mahnbridge-") as name:
        folder = Path(name)
        shutil.copyfile(_template(), folder / "bridge.db")
        world = World(history, folder, f"sqlite:///{folder / 'bridge.db'}")
        world.run()
        world.sent = len(world.judged)
        return world


def tally(seed):
    """Return what came of the history of this seed."""
    _quiet()
    told = Tally(histories=1)
    try:
        world = live(History.draw(seed))
    except Exception as error:  # noqa: BLE001  a crash is a finding like any other
        told.wrong["crashes"] += 1
        told.failed[seed] = [f"{type(error).__name__}: {error}"]
        return told
    told.rounds, told.sent, told.deaths, told.overtaken = world.days, world.sent, world.deaths, world.overtaken
    told.injected, told.killed, told.parked = world.injected, world.killed, world.parked
    told.borders = Counter(world.borders)
    told.wrong = Counter(one.kind for one in world.wrong)
    if world.wrong:
        told.failed[seed] = [one.text for one in world.wrong]
    return told


def _goes_wrong(history):
    try:
        return bool(live(history).wrong)
    except Exception:  # noqa: BLE001  it crashes: that is wrong
        return True


def shrunk(history):
    """Return the shortest story that still goes wrong: without incidents, invoices, levels and workers that it does not need."""
    _quiet()
    shorter = True
    while shorter:
        shorter = False
        for one in _shorter(history):
            if _goes_wrong(one):
                history, shorter = one, True
                break
    return history


def _shorter(history):
    for number in range(len(history.incidents)):
        yield replace(history, incidents=history.incidents[:number] + history.incidents[number + 1 :])
    if len(history.debtors) > 1:
        incidents = tuple(replace(one, target=min(one.target, len(history.debtors) - 2)) for one in history.incidents)
        yield replace(history, debtors=history.debtors[:-1], amounts=history.amounts[:-1], incidents=incidents)
    if history.levels > 1:
        yield replace(history, levels=history.levels - 1)
    for name, plain in (("workers", 1), ("approval", False), ("notes", False)):
        if getattr(history, name) != plain:
            yield replace(history, **{name: plain})


def run(first, count, processes, *, progress=lambda _done: None):
    """Live through `count` histories from seed `first` on; return the tally and the seconds that it took."""
    began, total = time.monotonic(), Tally()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.simulate"])
    with context.Pool(processes, maxtasksperchild=200) as pool:
        for done, one in enumerate(pool.imap_unordered(tally, range(first, first + count), chunksize=5), 1):
            total.add(one)
            progress(done)
    return total, time.monotonic() - began


def lines(total, seconds, processes):
    """Return the figures as lines for people."""
    yield f"histories              {total.histories} in {seconds:.0f} s on {processes} processes"
    yield f"rounds, reminders sent {total.rounds}, {total.sent}"
    for kind in (DOUBLE, WRONG, LOST, APART, "crashes"):
        yield f"{kind:22} {total.wrong[kind]}"
    yield f"overtaken by payment   {total.overtaken}  (paid, blocked or cancelled between the answer to the last look and the call)"
    yield "left to a person, by cause"
    yield from _table(total.parked)
    yield "faults and events, by kind"
    by_kind = Counter()
    for (what, _, _), number in total.injected.items():
        by_kind[what] += number
    yield from _table(by_kind)
    yield f"kills                  {total.deaths}"
    yield "kills by border: before the commit, after it"
    for name in sorted(total.borders):
        yield f"  {name:40} {total.killed[name, False]:6} {total.killed[name, True]:6}"
    for seed, texts in sorted(total.failed.items()):
        yield f"seed {seed} went wrong: {'; '.join(texts)}"
        yield f"  replay: python -m tests.faults --first {seed} --count 1 --story"


def _table(counts):
    for name, number in counts.most_common():
        yield f"  {name:40} {number:6}"
    if not counts:
        yield "  none"
