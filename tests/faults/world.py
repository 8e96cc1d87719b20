"""A seeded history: the real program against a sandbox over real HTTP, a real mail server and letter folder, one injected clock.

A history is drawn from its seed: invoices, plan, the way reminders go out, and incidents that strike at chosen requests or transactions.
Every round is the program's own: read, dunning run, approval, delivery. It is judged by the provider's ledger, the mailbox and the
letter folder, not by our tables alone.
"""

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import func, select

from bridge.config import load
from bridge.contract import Reason
from bridge.errors import AlreadyRunning
from bridge.store.cases import Stamp
from bridge.store.choices import Target
from bridge.store.tables import notice, step
from bridge.testing.wire import Cut, Response
from tests.faults.agency import Process, configure, where
from tests.faults.history import PROVIDERS, History
from tests.faults.judging import LOST, Judging
from tests.faults.outside import Clock, Killed, MailServer, Post, watch
from tests.faults.providers import BERLIN

_LEASES_OVER = 700
"""Seconds after which no lease of a dead process is left."""


@dataclass
class World(Judging):
    """One run of one history. `database` is the URL of an empty database with all tables, `change` breaks its processes on purpose."""

    history: History
    folder: object
    database: str
    change: object = None
    borders: list = field(default_factory=list)
    looks: int = 0
    days: int = 0
    doomed: bool = False
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
        self.clock = Clock()
        self.provider = PROVIDERS[self.history.provider]()
        self.processes, self.judged, self.read_mails = {}, {}, []

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
        self.provider.start()
        self.post = Post(self)
        self.mail = MailServer(self.post, hostname="127.0.0.1", port=0) if self.history.way == "mail" else None
        if self.mail:
            self.mail.start()
        try:
            self._set_up()
            yield
        finally:
            for process in self.processes.values():
                process.close()
            if self.mail:
                self.mail.stop(no_assert=True)
            self.provider.stop()

    def _set_up(self):
        pairs = zip(self.history.debtors, self.history.amounts, strict=True)
        self.invoices = [self.provider.add(debtor, amount) for debtor, amount in pairs]
        port = self.mail.port if self.mail else None
        path = configure(self.history, self.provider, self.folder, database=self.database, mail_port=port)
        self.loaded, self.calm = load(path, {}), True
        self.work(lambda process: process.bridge.go_live())
        self.calm = False
        self.borders.clear()
        for one in self.history.incidents:
            if one.at not in ("border", "each border", "mail", "look", "day"):
                self._arm(one)

    def finish(self):
        """End all incidents, let calm days pass until nothing is left to do, and judge."""
        self.provider.faults.clear()
        self.calm = True
        for _ in range(3 * self.history.levels + 6):
            self.round()
            if self._settled():
                break
            self.pass_days(11)
        else:
            self.find(LOST, "something is still under way after many calm days")
        self.judge()

    def pass_days(self, days):
        """Let days pass for everybody."""
        self.provider.advance(days)
        self.clock.pass_(days=days)

    def round(self):
        """One day: read, decide, approve, and deliver several times."""
        self.days += 1
        for one in self.history.incidents:
            if one.at == "day" and one.nth == self.days and not self.calm:
                self.struck(one)
                self.happen(one)
        self.work(lambda process: process.bridge.run())
        if self.history.approval:
            self.work(lambda process: process.bridge.approve(process.bridge.proposals()))
        for seconds in (70, 200, 400):
            for number in range(1 if self.calm else self.history.workers):
                self.work(lambda process: process.bridge.deliver(), number)
            self.clock.pass_(seconds=seconds)
            if self.calm and not self._under_way():
                return

    def work(self, act, number=0):
        """Let a process do something; if it dies, a new one does it, which has nothing of the old one but the database."""
        for _ in range(60):
            try:
                if number not in self.processes:
                    self.processes[number] = self.process()
                return act(self.processes[number])
            except Killed:
                self.deaths += 1
                self.doomed = False
                self.processes.pop(number).close()
            except AlreadyRunning:
                if self.depth:
                    return None
            self.clock.pass_(seconds=_LEASES_OVER)
        raise AssertionError("a process cannot be brought to do its work")

    def process(self):
        """Return a new process, which the judge watches."""
        made = Process(self.loaded, clock=self.provider.now, technical=self.clock, border=self.border)
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

    @property
    def store(self):
        return self.processes[0].bridge.store

    # ----------------------------------------------------------------------------------------------------- incidents

    def border(self, process, *, after):
        """A transaction is about to be committed, or just was: some processes die here."""
        if not after:
            self.borders.append(where())
        name, number = self.borders[-1], len(self.borders)
        if self.calm:
            return
        if self.doomed and not self.depth:
            self.killed[name, after] += 1
            process.kill()
        for one in self.history.incidents:
            here = one.at == "border" and one.nth == number and one.after is after
            once = one.at == "each border" and one.after is after and not self.killed[name, after]
            if here or (once and self.borders.count(name) >= one.nth):
                self.struck(one)
                self.killed[name, after] += 1
                process.kill()

    def after_look(self, process):
        """Strike between the provider's answer to a look and the call that it is for."""
        self.looks += 1
        for one in self.history.incidents:
            if one.at == "look" and one.nth == self.looks and not self.calm:
                self.struck(one)
                self.doomed = self.doomed or one.what == "die"
                if one.what != "die":
                    self.happen(one)
        self.mortal(process)

    def mortal(self, process):
        """Die if the incident at the provider said so."""
        if self.doomed and not self.depth:
            process.kill()

    def struck(self, one):
        """Count an incident that came to pass."""
        self.injected[one.what, "after" if one.after else "before", str(one.at)] += 1

    def _arm(self, one):
        method, path = self.provider.paths.get(one.at, ("GET", r"^$"))

        def strike(_server, *answer):
            return self._strike(one, answer[0] if answer else None)

        acts = {"change": strike} if one.after else {"instead": strike}
        self.provider.faults._add(path, method, one.nth, 1, **acts)

    def _strike(self, one, answer):
        self.struck(one)
        if one.what == "die":
            self.doomed = True
            raise Cut
        if one.what in ("cut", "refuse"):
            raise Cut(reset=one.what == "refuse")
        if one.what == "429":
            return answer or Response.json({"error": "slow down"}, 429, {"Retry-After": "30"})
        if one.what == "500":
            return Response.text("oops", 500)
        if one.what == "html":
            return Response(200, b"<html>maintenance</html>", {"Content-Type": "text/html"})
        self.happen(one)
        return answer

    def happen(self, one):
        """Do what an incident says in the world outside."""
        invoice_id = self.invoices[one.target]
        acts = {
            "hang": lambda: self.clock.pass_(seconds=100),
            "hang_long": lambda: self.clock.pass_(seconds=_LEASES_OVER),
            "other": lambda: self._other(0),
            "other_late": lambda: self._other(_LEASES_OVER),
            "pay": lambda: self.provider.pay(invoice_id),
            "part": lambda: self._part(invoice_id),
            "block": lambda: self.provider.block(invoice_id),
            "cancel": lambda: self.provider.cancel(invoice_id),
            "by_hand": lambda: self.provider.by_hand(invoice_id),
            "local_block": lambda: self._block_here(invoice_id),
        }
        acts[one.what]()

    def _part(self, invoice_id):
        left = self.provider.truth(invoice_id).open
        if left > Decimal("7.00"):
            self.provider.pay(invoice_id, Decimal("1.00"))

    def _block_here(self, invoice_id):
        """Let a person block it in a process of their own."""
        now = self.provider.now()
        stamp = Stamp(at=now, on=now.astimezone(BERLIN).date(), actor="erika")
        target = Target(account="a", invoice_id=invoice_id)
        self.depth += 1
        try:
            self.work(lambda process: self._blocked(process.bridge.store, target, stamp), "person")
        finally:
            self.depth -= 1

    def _blocked(self, store, target, stamp):
        with store.begin() as conn:
            store.choices.block(conn, target, Reason.DISPUTE, stamp, note="n")
        self.provider.blocked.add(target.invoice_id)

    def _other(self, late):
        """Let another worker deliver while the first one waits for its answer."""
        if self.depth:
            return
        self.depth += 1
        try:
            self.clock.pass_(seconds=late)
            self.work(lambda process: process.bridge.deliver(), "other")
            if late:
                self.clock.pass_(seconds=400)
                self.work(lambda process: process.bridge.deliver(), "other")
        finally:
            self.depth -= 1

    def count(self, *states):
        """Return how many notices are in these states."""
        with self.store.reading() as conn:
            return conn.scalar(select(func.count()).select_from(notice).where(notice.c.state.in_(states)))
