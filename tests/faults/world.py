"""A seeded history: real store, real HTTP to a sandbox, real mail server and letter folder, one clock that is injected.

A history is drawn from its seed: invoices, the way reminders go out, and incidents that strike at chosen requests or transactions.
It is judged by the provider's ledger, the mailbox and the letter folder, not by our tables alone.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from bridge.channels.letter_outbox import LetterOutbox, LetterSettings
from bridge.channels.smtp import Smtp, SmtpSettings
from bridge.contract import Act, Attachment, Reason, Ref
from bridge.deliver import AccountPort, Deliverer, DeliverySettings, Desk
from bridge.dun import Judge
from bridge.policy import AccountRules
from bridge.store.cases import Stamp
from bridge.store.choices import Target
from bridge.store.tables import step
from bridge.testing.wire import Cut, Response
from tests.faults.deciding import Deciding
from tests.faults.history import PROVIDERS, History
from tests.faults.judging import Judging
from tests.faults.outside import Clock, Killed, MailServer, Post, Watched, WatchedChannel
from tests.faults.providers import BERLIN


@dataclass
class World(Deciding, Judging):
    """One run of one history."""

    history: History
    store: object
    folder: object
    judged: list = field(default_factory=list)
    begins: int = 0
    looks: int = 0
    doomed: bool = False
    deaths: int = 0
    wrong: list = field(default_factory=list)
    acts: tuple | None = None

    def __post_init__(self):
        self.clock = Clock()
        self.provider = PROVIDERS[self.history.provider]()
        self.store.now = self.clock
        self._begin, self.store.begin = self.store.begin, self._begin_watched
        self.depth, self.calm = 0, False
        self.settings = DeliverySettings()
        self.letters = LetterSettings(folder=self.folder / "letters", posted_when_written=True)

    # ------------------------------------------------------------------------------------------------------- running

    def run(self):
        """Live through the history, then through calm days until nothing is under way; what is wrong is in `wrong`."""
        with self.living():
            for _ in range(self.history.levels):
                self._day(passes=3)
            self.finish()

    @contextmanager
    def living(self):
        """Start the world outside, and set up the invoices."""
        self.provider.start()
        self.post = Post(self)
        self.mail = MailServer(self.post, hostname="127.0.0.1", port=0) if self.history.way == "mail" else None
        if self.mail:
            self.mail.start()
        try:
            self._set_up()
            yield
        finally:
            self.store.begin = self._begin
            if self.mail:
                self.mail.stop(no_assert=True)
            self.provider.stop()

    def decide_once(self):
        """Decide, without delivering; the technical clock is the real one from now on."""
        self._decide()
        self.clock.at = datetime.now(UTC)

    def finish(self):
        """End all incidents, let calm days pass until nothing is under way, and judge."""
        self.alive = self.begins
        self.provider.faults.clear()
        self.calm = True
        self._calm_down()
        self._judge()

    def _set_up(self):
        self.invoices, self.claims = [], {}
        at = self.provider.now()
        self.stamp = Stamp(at=at, on=at.astimezone(BERLIN).date())
        for debtor, amount in zip(self.history.debtors, self.history.amounts, strict=True):
            self.invoices.append(self.provider.add(debtor, amount))
        with self._begin() as conn:
            self.store.mirror.accounts.ensure(conn, "a", self.history.provider)
            self.run_id = self.store.runs.start(conn, "dun", actor="t", on=self.stamp.on, at=at)
        connector = self.provider.connector(self.provider.http(self.clock))
        taken = list(connector.look([Ref.invoice(one) for one in self.invoices]))
        with self._begin() as conn:
            self.store.mirror.write_looks(conn, "a", taken, business_date=self.stamp.on, now=self.clock())
            for one in taken:
                debtor_id = one.invoice.debtor_id
                case_id, _ = self.store.cases.open_case(conn, "a", debtor_id, self.stamp)
                claim_id = self.store.cases.open_claim(conn, case_id, "a", one.invoice_id, self.stamp)
                self.claims[one.invoice_id] = (claim_id, case_id, debtor_id)
        for one in self.history.incidents:
            if one.at not in ("begin", "mail", "look"):
                self._arm(one)

    def _day(self, passes):
        self._decide()
        for number in range(passes):
            self._deliver()
            self.clock.pass_(seconds=(70, 200, 400)[number % 3])
        self.provider.advance(days=12)

    def _calm_down(self):
        quiet = 0
        for _ in range(40):
            decided = self._decide()
            self._deliver()
            quiet = quiet + 1 if not self._under_way() and not decided else 0
            if quiet == 2:
                return
            self.clock.pass_(seconds=400)
        self.wrong.append("something is still under way after forty calm passes")

    def _under_way(self):
        """Return whether a step is left that delivery would still do; what waits for a person is not."""
        with self.store.reading() as conn:
            if conn.scalar(select(step.c.id).where(step.c.state.in_(("sending", "unclear"))).limit(1)):
                return True
            return self.store.outbox.steps.next_due(conn, "a", self.clock() + timedelta(days=9)) is not None

    def worker(self):
        """Return a worker as a new process has it: its own connections, nothing in memory."""
        connector = Watched(self, self.provider.connector(http := self.provider.http(self.clock)))
        port = AccountPort("a", connector, http, self.settings)
        channels = {"letter": WatchedChannel(self, LetterOutbox(self.letters, clock=self.provider.now), connector)}
        if self.mail:
            given = {"host": "127.0.0.1", "port": self.mail.port, "security": "none", "sender_address": "a@b.example"}
            smtp = Smtp(SmtpSettings.model_validate(given), clock=self.provider.now)
            channels["mail"] = WatchedChannel(self, smtp, connector)
        rules = Judge(self.store, {"a": AccountRules("a", {}, None)}, {"a": BERLIN})
        desk = Desk(self.store, channels, rules, files=_letter_file)
        return Deliverer(desk, {"a": port})

    def _deliver(self):
        for _ in range(1 if self.calm else self.history.workers):
            self._deliver_once()

    def _deliver_once(self):
        """Let one worker deliver; if it dies, the next one has nothing of it but the database."""
        deliverer = self.worker()
        try:
            deliverer.run("a")
        except Killed:
            self.deaths += 1
            self.doomed = False
        finally:
            deliverer.accounts["a"].http.close()

    # ----------------------------------------------------------------------------------------------------- incidents

    @contextmanager
    def _begin_watched(self):
        """Count the transactions, and die before or after the commit of a chosen one."""
        self.begins += 1
        deaths = [] if self.calm else [
            one for one in self.history.incidents if one.at == "begin" and one.nth == self.begins
        ]  # fmt: skip
        with self._begin() as conn:
            yield conn
            if any(not one.after for one in deaths):
                raise Killed
        if deaths:
            raise Killed

    def after_look(self):
        """Strike between the provider's answer to a look and the call that it is for."""
        self.looks += 1
        for one in self.history.incidents:
            if one.at == "look" and one.nth == self.looks and not self.calm:
                self.doomed = self.doomed or one.what == "die"
                if one.what != "die":
                    self.happen(one)
        self.mortal()

    def mortal(self):
        """Die if the incident at the provider said so."""
        if self.doomed:
            self.doomed = False
            raise Killed

    def _arm(self, one):
        method, path = self.provider.paths.get(one.at, ("GET", r"^$"))

        def strike(_server, *answer):
            return self._strike(one, answer[0] if answer else None)

        acts = {"change": strike} if one.after else {"instead": strike}
        self.provider.faults._add(path, method, one.nth, 1, **acts)

    def _strike(self, one, answer):
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
            "hang_long": lambda: self.clock.pass_(seconds=700),
            "other": lambda: self._other(0),
            "other_late": lambda: self._other(700),
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
        if left > Decimal("2.00"):
            self.provider.pay(invoice_id, Decimal("1.00"))

    def _block_here(self, invoice_id):
        with self._begin() as conn:
            target = Target(account="a", invoice_id=invoice_id)
            self.store.choices.block(conn, target, Reason.DISPUTE, self.stamp, note="n")
        self.provider.blocked.add(invoice_id)

    def _other(self, late):
        """Let another worker deliver while the first one waits for its answer."""
        if self.depth:
            return
        self.depth += 1
        try:
            self.clock.pass_(seconds=late)
            self._deliver_once()
            if late:
                self.clock.pass_(seconds=400)
                self._deliver_once()
        finally:
            self.depth -= 1


def _letter_file(_notice, _step, _snapshots):
    if _step.act is not Act.LETTER:
        return ()
    return [(Attachment(filename="letter.pdf"), b"%PDF-1.7 letter")]
