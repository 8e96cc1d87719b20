"""Many seeded histories on several processes: what was done to them, what came of it, and the short story of each that went wrong."""

import json
import multiprocessing
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from functools import cache
from pathlib import Path

from tests.faults.history import BEGINNINGS, History
from tests.faults.judging import APART, DOUBLE, LOST, WINDOW, WRONG
from tests.faults.killing import Hunt, Killed, drawn, led
from tests.faults.outside import Killed as Death
from tests.faults.stage import Stage, fast_folder, prepare
from tests.faults.world import World

KILLS_FROM = 1_000_000
"""First seed of the histories whose processes really die."""

PART = 100
"""Histories that are kept together."""


@dataclass
class Tally:
    """What came of one history, or of many."""

    histories: int = 0
    rounds: int = 0
    sent: int = 0
    deaths: int = 0
    broken: int = 0
    overtaken: int = 0
    longest: float = 0.0
    seconds: float = 0.0
    wrong: Counter = field(default_factory=Counter)
    injected: Counter = field(default_factory=Counter)
    passed: Counter = field(default_factory=Counter)
    before: Counter = field(default_factory=Counter)
    after: Counter = field(default_factory=Counter)
    parked: Counter = field(default_factory=Counter)
    failed: dict = field(default_factory=dict)  # seed -> what was wrong

    def add(self, other):
        """Take another one in."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, dict):
                mine.update(theirs)
            else:
                setattr(self, one.name, max(mine, theirs) if one.name == "longest" else mine + theirs)

    def save(self, path):
        """Keep it in a file, whole or not at all."""
        part = path.with_suffix(".part")
        part.write_text(json.dumps({one.name: getattr(self, one.name) for one in fields(self)}), "utf-8")
        part.replace(path)

    @classmethod
    def load(cls, path):
        """Return what was kept in a file."""
        told = json.loads(path.read_text("utf-8"))
        counts = {one.name for one in fields(cls) if one.default_factory is Counter}
        return cls(**{name: Counter(value) if name in counts else value for name, value in told.items()})


def _pool(processes, folder, tasks):
    """Return a pool of warm processes, each with a folder of its own in `folder`, which outlives none of them."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.simulate"])
    return context.Pool(processes, _settle, (folder,), maxtasksperchild=tasks)


_given = []
"""The folder that a process of the pool was given."""


def _settle(folder):
    tempfile.tempdir = folder
    _given.append(folder)


@cache
def _stage():
    prepare()
    return Stage(Path(tempfile.mkdtemp())) if _given else Stage()


def live(history):
    """Live through one history; return its world."""
    stage = _stage()
    world = World(history, stage, stage.clear())
    world.run()
    world.sent = len(world.judged)
    return world


def tally(seed):
    """Return what came of the history of this seed."""
    told, began = Tally(histories=1), time.process_time()
    try:
        world = live(History.draw(seed))
    except (Exception, Death) as error:  # noqa: BLE001  a crash is a finding like any other
        told.wrong["crashes"] += 1
        told.failed[str(seed)] = [f"{type(error).__name__}: {error}"]
        return told
    told.rounds, told.sent, told.deaths, told.overtaken = world.days, world.sent, world.deaths, world.overtaken
    told.broken, told.longest, told.parked = world.failed, world.longest, world.parked
    for (what, _, _), number in world.injected.items():
        told.injected[what] += number
    for (name, after), number in world.killed.items():
        (told.after if after else told.before)[name] += number
    told.passed = Counter(world.borders)
    told.wrong = Counter(one.kind for one in world.wrong)
    if world.wrong:
        told.failed[str(seed)] = [one.text for one in world.wrong]
    told.seconds = time.process_time() - began
    return told


def kill(told):
    """Return what came of a history whose processes really die, each once at every border that is wanted, and where they did."""
    seed, border, wanted = told
    stage = _stage()
    history = led(seed, border) if border else drawn(seed)
    world = Killed(history, stage, stage.clear(), wanted=wanted)
    made, name = Tally(histories=1), f"{seed} to {border}" if border else str(seed)
    try:
        world.run()
    except Exception as error:  # noqa: BLE001  a crash is a finding like any other
        made.wrong["crashes"] += 1
        made.failed[name] = [f"{type(error).__name__}: {error}"]
    made.wrong += Counter(one.kind for one in world.wrong)
    if world.wrong:
        made.failed[name] = [one.text for one in world.wrong]
    made.deaths = world.deaths
    for (name, after), number in world.died.items():
        (made.after if after else made.before)[name] += number
    return made


def run_kills(names, times, processes, *, most=4000, first=KILLS_FROM, progress=lambda _total: None):
    """Kill real processes with SIGKILL until each of these borders has killed `times` of them before its commit and after it.

    Seed after seed, and for a border that seldom comes histories in which a fault leads to it. At most `most` histories; return the
    tally and the seconds that it took.
    """
    began, total, hunt = time.monotonic(), Tally(), Hunt(frozenset(names), times, first)
    with fast_folder() as folder, _pool(processes, folder, 50) as pool:
        while total.histories < most and (wanted := hunt.wanted(total)):
            for one in pool.imap(kill, hunt.next(wanted), chunksize=1):
                total.add(one)
            progress(total)
    return total, time.monotonic() - began


def kill_lines(total, names, seconds, processes):
    """Return what came of the real kills as lines for people."""
    yield f"real SIGKILLs          {total.deaths} in {total.histories} more histories, {seconds:.0f} s on {processes} processes"
    for kind in (DOUBLE, WRONG, LOST, APART, "crashes"):
        yield f"{kind:22} {total.wrong[kind]}"
    yield "real SIGKILLs by border: before the commit, after it"
    for name in sorted(set(names) | set(total.before) | set(total.after)):
        yield f"  {name:40} {total.before[name]:6} {total.after[name]:6}"
    for seed, texts in sorted(total.failed.items()):
        yield f"seed {seed} went wrong under real kills: {'; '.join(texts)}"


def _goes_wrong(history):
    try:
        return bool(live(history).wrong)
    except Exception:  # noqa: BLE001  it crashes: that is wrong
        return True


def shrunk(history):
    """Return the shortest story that still goes wrong: without incidents, invoices, levels and workers that it does not need."""
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
    for name, plain in (
        ("workers", 1),
        ("approval", False),
        ("notes", False),
        ("helped", False),
        ("begins", BEGINNINGS[0]),
    ):
        if getattr(history, name) != plain:
            yield replace(history, **{name: plain})


def run(first, count, processes, *, parts=None, progress=lambda _total: None):
    """Live through `count` histories from seed `first` on; return the tally and the seconds that it took.

    With a folder `parts` every hundred histories are kept there, and those that are there already are not lived through again.
    """
    began, total = time.monotonic(), Tally()
    with fast_folder() as folder, _pool(processes, folder, 200) as pool:
        for start in range(first, first + count, PART):
            seeds = range(start, min(start + PART, first + count))
            kept = None if parts is None else parts / f"{seeds[0]:06}-{seeds[-1]:06}.json"
            if kept is not None and kept.exists():
                part = Tally.load(kept)
            else:
                part = Tally()
                for one in pool.imap(tally, seeds, chunksize=1):
                    part.add(one)
                if kept is not None:
                    part.save(kept)
            total.add(part)
            progress(total)
    return total, time.monotonic() - began


def lines(total, seconds, processes):
    """Return the figures as lines for people."""
    yield f"histories              {total.histories} in {seconds:.0f} s on {processes} processes ({total.seconds:.0f} s of work)"
    yield f"rounds, reminders sent {total.rounds}, {total.sent}"
    for kind in (DOUBLE, WRONG, LOST, APART, "crashes"):
        yield f"{kind:22} {total.wrong[kind]}"
    yield (
        f"overtaken              {total.overtaken}  (paid, blocked, cancelled ... between the answer to the last look and the end of the "
        f"call; look and call lay at most {total.longest:.0f} s apart, allowed are {WINDOW} s)"
    )
    yield f"left to a person       {total.parked.total()}, by cause"
    yield from _table(total.parked)
    yield "faults and events, by kind"
    yield from _table(total.injected)
    yield f"works broken off by database or disk {total.broken}"
    yield f"kills                  {total.deaths}"
    yield "kills by border: before the commit, after it, and how often it was passed"
    for name in sorted(total.passed):
        yield f"  {name:40} {total.before[name]:6} {total.after[name]:6} {total.passed[name]:8}"
    for seed, texts in sorted(total.failed.items(), key=lambda one: int(one[0])):
        yield f"seed {seed} went wrong: {'; '.join(texts)}"
        yield f"  replay: python -m tests.faults --first {seed} --count 1 --story"


def _table(counts):
    for name, number in counts.most_common():
        yield f"  {name:40} {number:6}"
    if not counts:
        yield "  none"
