"""A seeded history: real store, real HTTP to a sandbox, real mail server and letter folder, one clock that is injected.

A history is drawn from its seed: invoices, the way reminders go out, and incidents that strike at chosen requests or transactions.
It is judged by the provider's ledger, the mailbox and the letter folder, not by our tables alone.
"""

import json
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from random import Random

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from sqlalchemy import event, select

from bridge.channels.letter_outbox import LetterOutbox, LetterSettings
from bridge.channels.smtp import Smtp, SmtpSettings
from bridge.contract import Act, Attachment, Content, Reason, Recipients, Ref, WriteBack
from bridge.deliver import AccountPort, Deliverer, DeliverySettings, Desk
from bridge.dun import Judge
from bridge.policy import AccountRules, Basis
from bridge.store.cases import Stamp
from bridge.store.choices import Target
from bridge.store.records import NewClaim, NewNotice, NewStep
from bridge.store.tables import step
from bridge.testing.faults import Fault
from bridge.testing.wire import Cut, Response
from tests.faults.providers import BERLIN, BillomatProvider, Sent, SevDeskProvider

PROVIDERS = {"billomat": BillomatProvider, "sevdesk": SevDeskProvider}
WAYS = ("provider", "provider", "letter", "mail")
LEVELS = 2


class Killed(BaseException):
    """The process dies here: nothing catches it, nothing is cleaned up but what the database does by itself."""


class Clock:
    """The technical clock of all workers."""

    def __init__(self):
        self.at = datetime(2026, 3, 2, 8, tzinfo=UTC)

    def __call__(self):
        return self.at

    def pass_(self, **delta):
        self.at += timedelta(**delta)


@dataclass(frozen=True)
class Incident:
    """Something that happens at the `nth` request of a kind, or at the `nth` transaction (`at` is "begin")."""

    at: object
    nth: int
    what: str
    after: bool = False
    target: int = 0


@dataclass(frozen=True)
class History:
    """Everything that a run needs to be repeated."""

    seed: int
    provider: str
    way: str
    debtors: tuple[int, ...]  # of each invoice
    amounts: tuple[str, ...]
    incidents: tuple[Incident, ...] = ()
    workers: int = 1
    levels: int = LEVELS

    @classmethod
    def draw(cls, seed):
        rng = Random(seed)
        provider, way = rng.choice(sorted(PROVIDERS)), rng.choice(WAYS)
        count = rng.choice((1, 1, 2, 2, 3, 5))
        debtors = tuple(rng.randrange(1 + count // 2) for _ in range(count))
        amounts = tuple(f"{rng.randrange(10, 900)}.{rng.randrange(100):02d}" for _ in range(count))
        kinds = [key for key in PROVIDERS[provider].paths if key != "read"] + ["read", "look", "look", "begin", "begin"]
        if way == "mail":
            kinds = ["mail", "mail", "read", "look", "begin"]
        incidents = tuple(_incident(rng, rng.choice(kinds), count) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))))
        return cls(seed, provider, way, debtors, amounts, incidents, rng.choice((1, 1, 2)))


FAULTS = ("cut", "429", "500", "html", "refuse", "hang", "hang_long", "die", "other", "other_late")
EVENTS = ("pay", "part", "block", "cancel", "by_hand", "local_block")


def _incident(rng, at, count):
    after, target = rng.random() < 0.5, rng.randrange(count)
    if at == "begin":
        return Incident(at, rng.randrange(1, 60), "die", after)
    if at == "read":
        what = rng.choice((*EVENTS, *EVENTS, "500", "html", "hang_long", "other", "die"))
        return Incident(at, rng.randrange(1, 60), what, after, target)
    if at == "look":
        return Incident(
            at,
            rng.randrange(1, 8),
            rng.choice((*EVENTS, "hang", "hang_long", "other", "other_late", "die")),
            after,
            target,
        )
    if at == "mail":
        what = rng.choice(("cut", "451", "550", "die", "hang_long", *EVENTS))
        return Incident(at, rng.randrange(1, 4), what, after, target)
    return Incident(at, rng.randrange(1, 4), rng.choice(FAULTS + EVENTS), after, target)


class Post:
    """aiosmtpd handler: keeps what it accepted, and lets incidents strike before or after that."""

    def __init__(self, world):
        self.world, self.accepted, self.seen = world, [], 0

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.seen += 1
        struck = [one for one in self.world.history.incidents if one.at == "mail" and one.nth == self.seen]
        answer = "250 OK"
        for one in struck:
            if not one.after:
                answer = self._strike(one, server) or answer
        if answer.startswith("250"):
            self.accepted.append(envelope)
        for one in struck:
            if one.after:
                answer = self._strike(one, server) or answer
        return answer

    def _strike(self, one, server):
        if one.what in ("451", "550"):
            return None if one.after else f"{one.what} no"
        if one.what in ("cut", "die"):
            self.world.doomed = one.what == "die"
            server.transport.abort()
            return "421 cut" if not one.after else None
        self.world.happen(one)
        return None


class MailServer(Controller):
    def factory(self):
        return SMTP(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Watched:
    """The connector of one worker: tells the judge what was looked at and what was called for it."""

    def __init__(self, world, real):
        self.world, self.real, self.looked = world, real, {}

    def look(self, refs):
        truths = {ref.id: self.world.provider.truth(ref.id) for ref in refs}
        snapshots = list(self.real.look(refs))
        self.looked |= truths
        self.world.after_look()
        return iter(snapshots)

    def push(self, write):
        before = self.world.sendings()
        try:
            return self.real.push(write)
        finally:
            self.judge(before, write)
            self.world.mortal()

    def find(self, write):
        return self.real.find(write)

    def document(self, ref):
        return self.real.document(ref)

    def judge(self, before, write):
        """Note what this call sent, with what the last look before it had shown."""
        for sent in self.world.sendings():
            if sent in before:
                continue
            if write.reminder_id is None or sent.reminder == write.reminder_id:
                self.world.judged.append((sent, dict(self.looked)))


class WatchedChannel:
    """The same for a channel of ours."""

    def __init__(self, world, real, connector):
        self.world, self.real, self.connector = world, real, connector
        for name in ("posted_at", "mark_posted"):
            if hasattr(real, name):
                setattr(self, name, getattr(real, name))

    def push(self, write, files=()):
        before = self.world.sendings()
        try:
            return self.real.push(write, files)
        finally:
            self.connector.judge(before, write)
            self.world.mortal()

    def find(self, write):
        return self.real.find(write)


@dataclass
class World:
    """One run of one history. `change` may break the protocol on purpose."""

    history: History
    store: object
    folder: object
    change: object = None
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
        if self.store.engine.dialect.name == "sqlite":
            event.listen(self.store.engine, "connect", lambda dbapi, _: dbapi.execute("pragma synchronous=off"))
            self.store.engine.dispose()  # speed; power is not cut here
        self._begin, self.store.begin = self.store.begin, self._begin_watched
        self.local, self.depth, self.calm = threading.local(), 0, False
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
        assert isinstance(self.provider.faults._faults[-1], Fault)

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
            self._deliver_beside()
            if late:
                self.clock.pass_(seconds=400)
                self._deliver_beside()
        finally:
            self.depth -= 1

    def _deliver_beside(self):
        deliverer = self.worker()
        try:
            deliverer.run("a")
        except Killed:
            self.deaths += 1
            self.doomed = False
        finally:
            deliverer.accounts["a"].http.close()

    # ------------------------------------------------------------------------------------------------------ deciding

    def _decide(self):
        """Stand in for the dunning run: one level per day for what the provider shows as open, bundled per debtor for letters."""
        http = self.provider.http(self.clock)
        connector = self.provider.connector(http)
        today = http.now().astimezone(BERLIN).date()
        wanted = {}
        with self.store.reading() as conn:
            standings = self.store.cases.standings(conn, "a", self.invoices)
        free = [one for one in self.invoices if self._may(standings[one], today)]
        if free:
            for taken in connector.look([Ref.invoice(one) for one in free]):
                truth = self.provider.truth(taken.invoice_id)
                if truth.stopped or truth.by_hand or taken.invoice is None:
                    continue
                key = self.claims[taken.invoice_id][1] if self.history.way == "letter" else taken.invoice_id
                wanted.setdefault(key, []).append((taken, standings[taken.invoice_id]))
        for group in wanted.values():
            level = min(standing.level for _, standing in group)
            self._insert([one for one in group if one[1].level == level], today)
        http.close()
        return len(wanted)

    def _may(self, standing, today):
        rests = standing.level_on is None or (today - standing.level_on).days >= 10
        return (
            standing.running is None
            and standing.level < self.history.levels
            and rests
            and not (self.calm and standing.level > 0)
        )

    def _insert(self, group, today):
        deadline, [first, *_] = today + timedelta(days=40), [taken.debtor for taken, _ in group]
        total = sum((taken.invoice.open for taken, _ in group), Decimal("0.00"))
        email = first.email
        content = Content(
            level_name="Mahnung", principal=total, total=total, deadline=deadline, subject="Mahnung", text="Bitte zahlen.",
            recipients=Recipients(to=(email,)), address=first.address, line="Mahnung",
        )  # fmt: skip
        claims, steps = [], []
        acts = {
            "provider": self.provider.acts if self.acts is None else self.acts,
            "letter": self.provider.letter_acts,
            "mail": (Act.MAIL,),
        }
        via = {"provider": "provider_email", "letter": "letter", "mail": "mail"}[self.history.way]
        for act in acts[self.history.way]:
            whole = act in (Act.MAIL, Act.LETTER)
            for taken, standing in group[:1] if whole else group:
                own = content if whole else content.model_copy(
                    update={"principal": taken.invoice.open, "total": taken.invoice.open, "sent_by": "post"}
                )  # fmt: skip
                claim_id = None if whole else standing.claim_id
                channel = {Act.MAIL: "mail", Act.LETTER: "letter"}.get(act)
                steps.append(NewStep(act=act, content=own, claim_id=claim_id, channel=channel))
        for taken, standing in group:
            basis = Basis(
                invoice_id=taken.invoice_id, currency="EUR", demand=int(taken.invoice.open.scaleb(2)), credits=0,
                round=1, from_level=standing.level, level=standing.level + 1, decided_on=today, via=via,
                main="" if via == "letter" else email, recipient="" if via == "letter" else email, deadline=deadline,
                known_reminders=frozenset(one.id for one in taken.notices),
            )  # fmt: skip
            claims.append(
                NewClaim(
                    claim_id=standing.claim_id, invoice_id=taken.invoice_id, round=1, level=standing.level + 1,
                    open=taken.invoice.open, basis=basis.to_json(),
                )
            )  # fmt: skip
        new = NewNotice(
            account="a", case_id=group[0][1].case_id, run_id=self.run_id, plan="p", level=claims[0].level,
            level_name="Mahnung", channel=via, automation="send", debtor_id=first.id, currency="EUR", total=total,
            deadline=deadline, recipient=email, content=content, claims=tuple(claims), steps=tuple(steps),
            needs_approval=False,
        )  # fmt: skip
        with self._begin() as conn:
            self.store.outbox.insert(conn, new, now=self.clock())

    # ------------------------------------------------------------------------------------------------------- judging

    def sendings(self):
        """Return everything that has reached a debtor, by the ledgers: provider, mailbox, letter folder."""
        if self.history.way == "provider":
            return self.provider.sent()
        with self.store.reading() as conn:
            keys = {row.key: row for row in conn.execute(select(step.c.key, step.c.notice_id))}
        found = []
        for key, to, demanded in self._mails() if self.history.way == "mail" else self._letters():
            found.append(Sent(f"notice-{keys[key].notice_id}", "", to, demanded))
        return found

    def _mails(self):
        with self.store.reading() as conn:
            keys = list(conn.scalars(select(step.c.key).where(step.c.act == "mail")))
        markers = {WriteBack(key=key, account="a", act=Act.MAIL).marker: key for key in keys}
        for envelope in self.post.accepted:
            message = message_from_bytes(envelope.content)
            text = str(message["Message-ID"]) + str(message)
            [key] = [key for marker, key in markers.items() if marker.removeprefix("mb:") in text]
            yield key, tuple(envelope.rcpt_tos), None

    def _letters(self):
        for path in sorted(self.letters.folder.rglob("*.json")):
            told = json.loads(path.read_text())
            yield told["key"], (), Decimal(told["total"])

    def _judge(self):
        with self.store.reading() as conn:
            notices = self.store.outbox.listing(conn)
            steps = [one for known in notices for one in self.store.outbox.steps.of_notice(conn, known.id)]
            standings = self.store.cases.standings(conn, "a", self.invoices)
        self._judge_sendings(notices)
        self._judge_looks()
        self._judge_lost(notices, steps, standings)
        self._judge_drafts(notices, steps)

    def _levels_of(self, sent, notices):
        """Return (invoice, level) of everything that this sending reminded of, as our tables know it."""
        for known in notices:
            for claim in known.claims:
                if sent.invoice == f"notice-{known.id}" or (sent.reminder and sent.reminder == claim.reminder_id):
                    yield claim.invoice_id, claim.level, known

    def _judge_sendings(self, notices):
        count = Counter()
        for sent in self.sendings():
            of = list(self._levels_of(sent, notices))
            if not of:
                self.wrong.append(f"the provider sent {sent}, of which we know nothing")
            for invoice_id, level, known in of:
                count[invoice_id, level] += 1
                claim = next(one for one in known.claims if one.invoice_id == invoice_id)
                parked = known.state == "parked"
                if claim.landed_on is None and not parked:
                    self.wrong.append(f"level {level} of {invoice_id} went out, but we do not show it as landed")
                if sent.to and sent.to != (known.recipient,):
                    self.wrong.append(f"{sent} went to the wrong people")
        self.wrong += [
            f"level {level} of invoice {one} went out {n} times" for (one, level), n in count.items() if n > 1
        ]
        for known in notices:
            for claim in known.claims:
                if claim.landed_on is not None and not count[claim.invoice_id, claim.level]:
                    self.wrong.append(
                        f"level {claim.level} of {claim.invoice_id} is shown as landed, but never went out"
                    )

    def _judge_looks(self):
        """No reminder to somebody who had paid, was blocked or cancelled when the last look before the call began."""
        for sent, looked in self.judged:
            with self.store.reading() as conn:
                notices = self.store.outbox.listing(conn)
            for invoice_id, _, known in self._levels_of(sent, notices):
                truth = looked.get(invoice_id)
                if truth is None:
                    self.wrong.append(f"{invoice_id} was reminded of without a look")
                    continue
                if truth.stopped:
                    self.wrong.append(f"{invoice_id} was reminded of although it was {truth.stopped}")
                if len(known.claims) == 1 and sent.demanded not in (None, truth.open):
                    self.wrong.append(f"{invoice_id}: {sent.demanded} was asked for, {truth.open} was open")

    def _judge_lost(self, notices, steps, standings):
        """Every invoice that should be reminded of was, or waits visibly for a person."""
        parked = {one.notice_id for one in steps if one.state in ("parked", "unclear")}
        for invoice_id in self.invoices:
            truth = self.provider.truth(invoice_id)
            if truth.stopped or truth.by_hand or standings[invoice_id].level >= 1:
                continue
            mine = [known for known in notices if any(one.invoice_id == invoice_id for one in known.claims)]
            if not any(known.id in parked or known.state == "parked" for known in mine):
                self.wrong.append(
                    f"{invoice_id} was neither reminded of nor parked: {[(one.state, one.reason, one.reason_text) for one in mine]}"
                )
        for one in steps:
            if one.state == "parked" and not one.cause:
                self.wrong.append(f"step {one.id} is parked without a reason")

    def _judge_drafts(self, notices, steps):
        """Every draft of ours at the provider belongs to a notice that waits for a person."""
        parked = {one.notice_id for one in steps if one.state == "parked"}
        known = {
            claim.reminder_id: notice for notice in notices for claim in notice.claims if claim.reminder_id is not None
        }
        for reminder in self.provider.drafts():
            notice = known.get(reminder)
            if notice is None:
                if not any(one.act is Act.CREATE and one.state == "parked" for one in steps):
                    self.wrong.append(f"draft {reminder} at the provider is ours, and we do not know it")
            elif notice.id not in parked and notice.state not in ("landed", "waiting"):
                self.wrong.append(f"draft {reminder} was left over by notice {notice.id}, which is {notice.state}")


def _letter_file(_notice, _step, _snapshots):
    if _step.act is not Act.LETTER:
        return ()
    return [(Attachment(filename="letter.pdf"), b"%PDF-1.7 letter")]
