"""The story: four weeks of the agency, told to the real program, one day at a time."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import requests

from bridge.app import Bridge
from bridge.app.results import Explained, FailureGroup, NoticeLine, Ran, Replayed
from bridge.demo import settings
from bridge.demo.stage import Stage
from bridge.demo.world import BILLOMAT, DAYS, FIRST_DAY, SEVDESK, DemoInvoice, build
from bridge.model import Reason

PERSON = "Erika Beispiel"


@dataclass(slots=True)
class Day:
    """What one day brought, by name of the event."""

    on: date
    counts: Counter[str] = field(default_factory=Counter)
    events: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def tell(self, event: str, **facts: str) -> None:
        self.events.append((event, facts))


@dataclass(slots=True)
class Ledgers:
    """What the providers, the mail server and we believe, per account."""

    account: str
    ours: int
    theirs: int
    twice: int
    paid: int

    @property
    def agree(self) -> bool:
        return self.ours == self.theirs and not self.twice and not self.paid


@dataclass(slots=True)
class Told:
    """Everything that the report shows."""

    days: list[Day] = field(default_factory=list)
    sent: tuple[NoticeLine, ...] = ()
    held: tuple[Explained, ...] = ()
    dropped: tuple[NoticeLine, ...] = ()
    failed: list[tuple[FailureGroup, Replayed]] = field(default_factory=list)
    left: tuple[FailureGroup, ...] = ()
    ledgers: list[Ledgers] = field(default_factory=list)
    today: Explained | None = None
    later: Explained | None = None
    lost: str = ""
    debtors: int = 0
    invoices: int = 0
    open_cases: int = 0
    closed_cases: int = 0


class Story:
    """Plays the four weeks on a stage."""

    def __init__(self, stage: Stage, bridge: Bridge) -> None:
        self._stage, self._bridge = stage, bridge
        self.told = Told(debtors=len(stage.world.debtors), invoices=len(stage.world.invoices))
        self._landed = 0
        self._special: dict[date, Callable[[Day], None]] = {
            FIRST_DAY: self._first_day,
            FIRST_DAY + timedelta(days=2): self._provider_down,
            FIRST_DAY + timedelta(days=3): self._record_mended,
            FIRST_DAY + timedelta(days=7): self._mail_server_busy,
        }

    def play(self) -> Iterator[Day]:
        """Yield each working day when it is over."""
        for number in range(DAYS):
            on = FIRST_DAY + timedelta(days=number)
            self._stage.dawn(on)
            if on.weekday() >= 5:  # nobody works, and nothing goes out
                continue
            day = Day(on)
            self._special.get(on, self._ordinary)(day)
            self._approve(day)
            landed = len(self._bridge.notices("landed"))
            day.counts["landed"], self._landed = landed - self._landed, landed
            self.told.days.append(day)
            yield day
        self._look_back()

    # ---------------------------------------------------------------------------------------------------- single days

    def _ordinary(self, day: Day) -> None:
        """Read, decide and deliver; what the cap of the first day held is approved on the second."""
        self._count(day, self._bridge.run(approved=day.on == FIRST_DAY + timedelta(days=1)))

    def _first_day(self, day: Day) -> None:
        """Connect, look, decide with sending off; people look through it; then go live."""
        self._bridge.connect(BILLOMAT, show=_consent)
        self._bridge.prepare_places()
        self._count(day, self._bridge.run())
        for twist, act in (
            ("dispute", Reason.DISPUTE),
            ("deferred", Reason.DEFERRED),
            ("promise", Reason.PROMISE_TO_PAY),
        ):
            for invoice in self._twist(twist):
                until = None if act is Reason.DISPUTE else day.on + timedelta(days=14)
                self._bridge.block(
                    invoice.number, reason=act.value, until=until, invoice=invoice.number, note="Telefonat"
                )
                day.tell(twist, invoice=invoice.number, customer=invoice.debtor.name)
        for invoice in self._twist("paid_after_decision"):
            self._stage.pay(invoice)
            day.tell("paid_after_decision", invoice=invoice.number, customer=invoice.debtor.name)
        self._stage.billomat.faults.cut_after(r"/reminders", method="POST")
        self._bridge.go_live()
        day.tell("live")
        self._deliver(day)
        self._settle(day)

    def _settle(self, day: Day) -> None:
        """Let the settling time pass, and ask again for the answer that was lost."""
        for hour, minute in ((7, 50), (8, 10), (8, 30), (9, 0)):
            self._stage.at(day.on, hour, minute)
            self._deliver(day)
        if day.counts["found"]:
            day.tell("found")

    def _provider_down(self, day: Day) -> None:
        """Let sevDesk answer nothing but an error page for a while; later somebody replays the failed read."""
        self._stage.sevdesk.faults.html(code=503, times=None)
        self._count(day, self._bridge.run())
        self._stage.sevdesk.faults.clear()
        self._stage.at(day.on, 11)
        for group in self._bridge.failures(account=SEVDESK):
            if group.kind == "run":
                day.tell("outage", cause=group.cause)
                self._replay(day, group)
        self._count(day, self._bridge.run())

    def _record_mended(self, day: Day) -> None:
        """Somebody corrects the invoice with the impossible date, and replays the record that was set aside."""
        self._ordinary(day)
        for invoice in self._twist("broken_date"):
            self._stage.sevdesk.heal(self._stage.ids[invoice.number])
            day.tell("mended", invoice=invoice.number)
        for group in self._bridge.failures(account=SEVDESK):
            if group.kind == "reject":
                self._replay(day, group)
        self._count(day, self._bridge.run())

    def _mail_server_busy(self, day: Day) -> None:
        """Our mail server refuses for an hour; what waited goes out afterwards, once."""
        self._stage.mails.refusing = True
        self._count(day, self._bridge.run())
        self._stage.mails.refusing = False
        self._stage.at(day.on, 10)
        self._deliver(day)
        day.tell("mail_busy")

    # ------------------------------------------------------------------------------------------------------- helpers

    def _approve(self, day: Day) -> None:
        """Release what waits for a person: the third level, as the plan wants it."""
        waiting = self._bridge.proposals()
        if waiting:
            self._bridge.approve(waiting)
            day.counts["approved"] += len(waiting)
            self._deliver(day)

    def _replay(self, day: Day, group: FailureGroup) -> None:
        for done in self._bridge.replay(group.ids):
            self.told.failed.append((group, done))
            day.counts["replayed"] += 1

    def _deliver(self, day: Day) -> None:
        self._add(day, self._bridge.deliver().counts)

    def _count(self, day: Day, ran: Ran) -> None:
        day.counts["changed"] += sum(one.counts.get("changed", 0) for one in ran.pulled)
        day.counts["failed_reads"] += sum(one.state == "failed" for one in ran.pulled)
        if ran.planned:
            day.counts["decided"] += len(ran.planned.notices)
        if ran.delivered:
            self._add(day, ran.delivered.counts)

    @staticmethod
    def _add(day: Day, counts: dict[str, int]) -> None:
        for name in ("dropped", "parked", "unclear", "found"):
            day.counts[name] += counts.get(name, 0)

    def _twist(self, twist: str) -> list[DemoInvoice]:
        return [invoice for invoice in self._stage.world.invoices if invoice.twist == twist]

    # ------------------------------------------------------------------------------------------------------ afterwards

    def _look_back(self) -> None:
        told, bridge = self.told, self._bridge
        told.sent = bridge.notices("landed")
        told.dropped = bridge.notices("dropped")
        told.left = bridge.failures()
        told.open_cases, told.closed_cases = len(bridge.cases("open")), len(bridge.cases("closed"))
        told.held = tuple(
            answer
            for invoice in self._stage.world.invoices
            if invoice.twist or invoice.debtor.twist
            for answer in self._explained(invoice)
            if answer.outcome != "escalate"
        )
        running = [line for line in told.sent if line.level == 2 and line.claims]
        if running:
            number = running[-1].claims[0].number
            told.today = bridge.explain(number)[0]
            told.later = bridge.explain(number, on=told.today.next_on or told.today.on + timedelta(days=30))[0]
        told.ledgers = [self._sevdesk(), self._billomat(), self._own_mail()]

    def _explained(self, invoice: DemoInvoice) -> tuple[Explained, ...]:
        known = self._bridge.search(invoice.number).invoices
        return known[:1]

    def _ours(self, *channels: str) -> list[NoticeLine]:
        return [line for line in self.told.sent if line.channel in channels]

    def _sevdesk(self) -> Ledgers:
        ours = [line for line in self._ours("provider_email") if line.account == SEVDESK]
        mails = self._stage.sevdesk.ledger.of("mail")
        keys = Counter((entry.invoice, entry.record) for entry in mails)
        paid = sum(self._was_paid(entry.invoice, entry.at.date(), SEVDESK) for entry in mails)
        return Ledgers(SEVDESK, len(ours), len(mails), sum(count > 1 for count in keys.values()), paid)

    def _billomat(self) -> Ledgers:
        ours = [line for line in self._ours("provider_email") if line.account == BILLOMAT]
        mails = [mail for mail in self._stage.billomat.ledger.mails if mail.label]
        keys = Counter((mail.invoice_id, mail.level) for mail in mails)
        paid = sum(mail.invoice_open <= 0 for mail in mails)
        return Ledgers(BILLOMAT, len(ours), len(mails), sum(count > 1 for count in keys.values()), paid)

    def _own_mail(self) -> Ledgers:
        ours, mails = self._ours("mail"), self._stage.mails.received
        keys = Counter(str(mail["Message-ID"]) for mail in mails)
        return Ledgers("smtp", len(ours), len(mails), sum(count > 1 for count in keys.values()), 0)

    def _was_paid(self, provider_id: str, on: date, account: str) -> bool:
        """Return whether the money had come on an earlier day than the reminder went out."""
        number = next((number for number, id_ in self._stage.ids.items() if id_ == provider_id), "")
        return any(
            one.paid_on is not None and one.paid_on < on
            for one in self._stage.world.of(account)
            if one.number == number
        )


def _consent(url: str) -> None:
    """Open the consent page as a browser would; the authorization server of the demo says yes by itself."""
    requests.get(url, timeout=30)


def open_bridge(stage: Stage, language: str) -> Bridge:
    """Write the configuration and open the program on it."""
    path = settings.write(stage, FIRST_DAY + timedelta(days=DAYS - 1))
    bridge = Bridge.open(path, actor=PERSON, clock=stage.clock, technical_clock=stage.clock)
    bridge.language = language
    return bridge


def new_stage(folder: Path) -> Stage:
    """Return the stage of the invented agency in `folder`."""
    return Stage(build(), folder / f"demo-{secrets.token_hex(3)}", FIRST_DAY)
