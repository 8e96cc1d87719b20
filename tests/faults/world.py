"""A seeded history: the real program against a sandbox over real HTTP, a real mail server and letter folder, one injected clock.

A history is drawn from its seed: invoices, plan, the way reminders go out, and incidents that strike at chosen requests or transactions.
Every round is the program's own: read, dunning run, approval, delivery. It is judged by the provider's ledger, the mailbox and the
letter folder, not by our tables alone.
"""

from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from bridge.contract import Act
from bridge.deliver import attempt, call
from bridge.errors import AlreadyRunning, BridgeError, UsageError, WrongState
from bridge.store.tables import notice, step
from tests.faults.agency import Process, configure, plan
from tests.faults.history import PROVIDERS, History
from tests.faults.judging import LOST, Judging
from tests.faults.outside import Clock, Killed, watch, within
from tests.faults.stage import load_once
from tests.faults.striking import LEASES_OVER, Striking


@dataclass
class World(Striking, Judging):
    """One run of one history. `database` is the URL of an empty database with all tables, `change` breaks its processes on purpose."""

    history: History
    stage: object
    database: str
    change: object = None
    borders: list = field(default_factory=list)
    looks: int = 0
    begins: int = 0
    days: int = 0
    doomed: bool = False  # the process at work dies at the next moment
    late: bool = False  # the answer to the call under way comes after its deadline
    full: bool = False  # the disk is
    off: bool = False  # sending is switched off
    failed: int = 0  # works that the database or the disk ended
    deaths: int = 0
    calm: bool = False
    depth: int = 0
    wrong: list = field(default_factory=list)
    injected: Counter = field(default_factory=Counter)
    killed: Counter = field(default_factory=Counter)
    parked: Counter = field(default_factory=Counter)
    overtaken: int = 0
    unwatched: bool = False  # processes of their own made calls that the judge did not see

    def __post_init__(self):
        self.folder = self.stage.folder
        self.clock = Clock(self.history.begins)
        self.provider = PROVIDERS[self.history.provider](self.history.begins)
        self.processes, self.judged, self.read_mails = {}, {}, []
        self.levels, self.days_between = self.history.levels, 8
        self.over, self.revoked, self.closed, self.lates = set(), [], None, []
        self.deferred, self.answers, self.chosen = {}, {}, {}
        self.skew, self.jumped, self.stale_until, self.longest = timedelta(0), timedelta(0), self.clock(), 0

    # ------------------------------------------------------------------------------------------------------- running

    def run(self):
        """Live through the history, then through calm days until nothing is left to do; what is wrong is in `wrong`."""
        with self.living():
            for gap in self.history.gaps:
                self.round()
                self.pass_days(gap)
            self.finish()

    @contextmanager
    def living(self):
        """Start the world outside, with its overdue invoices, and a configured agency that sends."""
        self.provider.start(self.stage)
        self.post, port = self.stage.post(self) if self.history.way == "mail" else (None, None)
        if hasattr(self.provider.sandbox, "server"):
            self.provider.sandbox.server.after(self.lagging)
        try:
            attempt.within = within(self)
            self._set_up(port)
            yield
        finally:
            attempt.within = call.within
            self.reopen()
            for process in self.processes.values():
                process.close()
            self.provider.stop()

    def _set_up(self, port):
        pairs = zip(self.history.debtors, self.history.amounts, strict=True)
        self.invoices = [self.provider.add(debtor, amount) for debtor, amount in pairs]
        self.path = configure(self.history, self.provider, self.folder, database=self.database, mail_port=port)
        self.load()
        self.calm = True
        self.work(lambda process: process.bridge.go_live())
        self.calm = False
        self.borders.clear()
        self.begins = 0
        self.arm()

    def load(self):
        """Read the configuration with its plan, as it is now."""
        plan(self.history, self.folder, levels=self.levels, days=self.days_between)
        self.loaded = load_once(self.path, {})

    def finish(self):
        """End all incidents, let calm days pass until nothing is left to do, and judge."""
        self.provider.faults.clear()
        self.revoked, self.calm, self.late = [], True, False
        self._calm_days()
        self.judge()
        if self.history.helped and self.parked and not self.wrong:
            for number in range(
                3
            ):  # what is tried again may end at a person again: a draft that was finished meanwhile
                self.help(again=number > 0)
                self._calm_days()
            self.judge(helped=True)

    def _calm_days(self):
        """Let days pass on which nothing goes wrong, until nothing is left to do."""
        for _ in range(3 * self.levels + 8):
            self.round()
            if self._settled():
                break
            self.pass_days(11)
        else:
            self.find(LOST, "something is still under way after many calm days")

    def pass_days(self, days):
        """Let days pass for everybody."""
        self.provider.advance(days)
        self.clock.pass_(days=days)

    def round(self):
        """One day: read, decide, approve, and deliver several times."""
        self.days += 1
        self.mend()
        self.answer_late()
        self.between("day", self.days)
        self.work(lambda process: process.bridge.run())
        if self.history.approval:
            self.between("approval", 2 * self.days - 1)
            self.work(lambda process: process.bridge.approve(process.bridge.proposals()))
            self.between("approval", 2 * self.days)
        for seconds in (70, 200, 400):
            if not (self.history.approval and seconds == 70) and not self._under_way():
                break  # what was approved is queued by the first delivery
            for number in range(1 if self.calm else self.history.workers):
                self.work(lambda process: process.bridge.deliver(), number)
            self.clock.pass_(seconds=seconds)
        self.work(lambda process: process.bridge.seal())

    def work(self, act, number=0):
        """Let a process do something; if it dies, a new one does it, which has nothing of the old one but the database.

        Where the database or the disk fails, the same process does it again a little later.
        """
        for _ in range(60):
            try:
                if number not in self.processes:
                    self.processes[number] = self.process()
                return act(self.processes[number])
            except Killed:
                self.deaths += 1
                self.doomed = False
                self.lates.clear()
                self.processes.pop(number).close()
            except AlreadyRunning:
                if self.depth:
                    return None
            except UsageError:
                raise  # nobody may be told to do it otherwise
            except (DBAPIError, OSError, BridgeError):
                self.failed += 1
            finally:
                if not self.depth:
                    self.reopen()
                    if self.history.seed % 2 or self.calm:
                        self.answer_late()
            self.clock.pass_(seconds=LEASES_OVER)
        raise AssertionError("a process cannot be brought to do its work")

    def answer_late(self):
        """Let the answers come for which nobody waits any more."""
        while self.lates:
            late, result = self.lates.pop()
            with suppress(Killed):
                late(result)

    def now(self):
        """Return the business instant as the machine has it."""
        return self.provider.now() + self.skew

    def ticks(self):
        """Return the seconds that have passed, whatever was done to the clock."""
        return (self.clock() - self.jumped).timestamp()

    def process(self):
        """Return a new process, which the judge watches."""
        made = Process(self.loaded, clock=self.now, technical=self.clock, border=self.border, begun=self.begun)
        made.bridge.desk = replace(made.bridge.desk, ticks=self.ticks)
        watch(self, made)
        if self.change is not None:
            self.change(made)
        return made

    def _under_way(self):
        """Return whether a step is left that delivery would still do; what waits for a person is not."""
        with self.store.reading() as conn:
            if conn.scalar(select(step.c.id).where(step.c.state.in_(("sending", "unclear"))).limit(1)):
                return True
            return self.store.outbox.steps.next_due(conn, "a", self.clock() + timedelta(days=9)) is not None

    def _settled(self):
        """Return whether nothing is under way and nothing more is to come for any invoice."""
        return not self._under_way() and all(self.outcome(one) for one in self.invoices)

    def help(self, *, again=False):
        """Let a person settle what is parked, by what the ledgers say; a record that fails `again` is given up."""
        with self.store.reading() as conn:
            notices = self.store.outbox.listing(conn, limit=None)
            steps = [one for known in notices for one in self.store.outbox.steps.of_notice(conn, known.id)]
        keys = self._keys(steps)
        went = {keys.get(sent.ident.rpartition(" ")[2]) for sent in self.sendings()}
        for one in steps:
            if one.state != "parked":
                continue
            out = one.reaches_debtor and one.notice_id in went
            over = (again and not out) or (not one.reaches_debtor and (one.proof is not None or one.act is Act.DISCARD))
            self.work(lambda process, one=one, out=out, over=over: _settle(process, one, out=out, over=over))

    @property
    def store(self):
        return self.processes[0].bridge.store

    def count(self, *states):
        """Return how many notices are in these states."""
        with self.store.reading() as conn:
            return conn.scalar(select(func.count()).select_from(notice).where(notice.c.state.in_(states)))


def _settle(process, step, *, out, over):
    """Settle one step as a person does, who may find that one before them did it and died."""
    with suppress(WrongState):
        if over:
            process.bridge.discard([f"step-{step.id}"], reason="looked at it", not_sent=step.reaches_debtor)
        else:
            outcome = "went-out" if out else "not-sent"
            process.bridge.replay([f"step-{step.id}"], outcome=outcome, evidence="the ledger")
