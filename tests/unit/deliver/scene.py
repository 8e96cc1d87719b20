"""A scene for delivery: real store, a scripted provider, a clock that the test moves."""

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import insert, select, update

from bridge.contract import (
    Act,
    CannotTell,
    Channel,
    Connector,
    ConnectorSettings,
    Content,
    Health,
    Invoice,
    InvoiceStatus,
    NoticeStatus,
    Proof,
    ProviderNotice,
    Reason,
    Recipients,
    Refused,
    Snapshot,
)
from bridge.deliver import AccountPort, Deliverer, Desk
from bridge.model.patience import Delivery
from bridge.store.records import NewClaim, NewNotice, NewStep
from bridge.store.tables import account, claim, dunning_case, event, invoice, run, step

START = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
AMOUNT = Decimal("119.00")


class Clock:
    """The technical clock; only the test moves it."""

    def __init__(self):
        self.at = START

    def __call__(self):
        return self.at

    def pass_(self, **delta):
        self.at += timedelta(**delta)


class NoHttp:
    """An account without HTTP: prepare may be told to fail."""

    def __init__(self):
        self.prepared = []
        self.fail = None
        self.wrote = False

    def now(self):
        return START

    def prepare(self, calls=1):
        self.prepared.append(calls)
        if self.fail:
            raise self.fail

    @contextmanager
    def delivering(self, *, seconds=None):
        yield


class Scripted(Connector):
    """A provider in memory whose every answer the test may replace; `calls` tells what it was asked."""

    name = "scripted"
    Settings = ConnectorSettings

    def __init__(self):
        self.calls = []
        self.invoices = {}
        self.notices = {}
        self.pushes = []  # errors or callables for the next pushes, in order; then success
        self.finds = []
        self.on_look = lambda: None

    def check(self):
        return Health(ok=True)

    def pull(self, cursor):
        return iter(())

    def look(self, refs):
        self.calls.append(("look", tuple(ref.id for ref in refs)))
        self.on_look()
        for ref in refs:
            held = tuple(n for n in self.notices.values() if n.invoice_id == ref.id)
            yield Snapshot(invoice_id=ref.id, taken_at=START, invoice=self.invoices.get(ref.id), notices=held)

    def push(self, write):
        self.calls.append((write.act, write.invoice.id if write.invoice else None))
        self.last = write
        answer = self.pushes.pop(0) if self.pushes else None
        if isinstance(answer, BaseException):
            raise answer
        return answer(write) if answer else self.effect(write)

    def effect(self, write):
        """Believe what was written, and prove it."""
        proof = Proof(key=write.key, at=START, provider_id=f"r{len(self.calls)}")
        if write.act is Act.CREATE:
            level = write.expected_provider_level or 1
            self.notices[proof.provider_id] = ProviderNotice(
                id=proof.provider_id, invoice_id=write.invoice.id, level=level, status=NoticeStatus.DRAFT
            )
            proof = proof.model_copy(update={"level": level})
        if write.act is Act.DISCARD:
            self.notices.pop(write.reminder_id)
        return proof

    def find(self, write):
        self.calls.append(("find", write.act))
        answer = self.finds.pop(0) if self.finds else CannotTell("no trace")
        if isinstance(answer, BaseException):
            raise answer
        return Proof(key=write.key, at=START, provider_id=answer) if answer else None

    def did(self, act):
        return [one for one in self.calls if one[0] == act]


class Post(Channel):
    """A mail or letter channel in memory."""

    name = "post"

    def __init__(self, act=Act.MAIL):
        self.act = act
        self.sent = []
        self.pushes = []
        self.finds = []
        self.posted = None
        self.withdrawn = []

    def check(self):
        return Health(ok=True)

    def push(self, write, files=()):
        answer = self.pushes.pop(0) if self.pushes else None
        if isinstance(answer, BaseException):
            raise answer
        if answer:
            return answer(write)
        return self.effect(write)

    def effect(self, write):
        self.sent.append(write)
        return Proof(key=write.key, at=START, provider_id=f"m{len(self.sent)}", facts={"state": "outbox"})

    def find(self, write):
        answer = self.finds.pop(0) if self.finds else CannotTell("no archive")
        if isinstance(answer, BaseException):
            raise answer
        return Proof(key=write.key, at=START, provider_id=answer)

    def posted_at(self, marker):
        return self.posted

    def mark_posted(self, marker):
        self.posted = self.posted or START
        return self.posted

    def take_back(self, marker):
        if self.posted:
            raise Refused("it was posted")
        self.withdrawn.append(marker)


@dataclass(frozen=True)
class Stop:
    reason: Reason
    text: str


class SnapshotRules:
    """The shortest rules that can stop a call: judged by the snapshot alone, and by three switches."""

    def __init__(self):
        self.gated = self.opening = None
        self.blocked = set()

    def opens(self, conn, notice, now):
        return self.opening

    def gate(self, conn, account):
        return self.gated

    def recheck(self, conn, notice, claim, snapshot, today):
        known = snapshot.invoice
        if snapshot.found and known is None:
            return Stop(Reason.UNREADABLE, "cannot be read")
        if known is None or known.status is not InvoiceStatus.OPEN:
            return Stop(Reason.PAID, "paid meanwhile")
        if claim.invoice_id in self.blocked:
            return Stop(Reason.DISPUTE, "blocked meanwhile")
        if known.open != claim.open:
            return Stop(Reason.CHANGED, f"open {known.open} instead of {claim.open}")
        if any(n.id != claim.reminder_id for n in snapshot.notices):
            return Stop(Reason.FOREIGN_REMINDER_RUNNING, "a reminder that is not ours")
        return None


MAIL = (Act.MAIL,)
OWN_LETTER = (Act.CREATE, Act.AMEND, Act.LETTER, Act.COMPLETE, Act.MARK_SENT, Act.NOTE)
BY_PROVIDER = (Act.CREATE, Act.COMPLETE, Act.SEND_EMAIL, Act.NOTE)
_OURS = {Act.MAIL: "mail", Act.LETTER: "letter"}


class Scene:
    """One account with invoices, cases and notices; `worker()` gives further workers on the same store."""

    def __init__(self, store, clock):
        self.store, self.clock = store, clock
        store.now = clock
        self.provider, self.http, self.rules = Scripted(), NoHttp(), SnapshotRules()
        self.mail, self.letter = Post(), Post(Act.LETTER)
        self.settings = Delivery()
        with store.begin() as conn:
            conn.execute(insert(account).values(name="a", connector="scripted"))
            self.run_id = conn.execute(
                insert(run)
                .values(kind="dun", actor="t", business_date=TODAY, started_at=START, state="done", counts={})
                .returning(run.c.id)
            ).scalar_one()
        self.deliverer = self.worker()

    def worker(self, **changes):
        port = AccountPort("a", self.provider, self.http, self.settings)
        channels = {"mail": self.mail, "letter": self.letter}
        return Deliverer(Desk(self.store, channels, self.rules, **changes), {"a": port})

    def claim(self, invoice_id="1", *, case_id=None):
        """Make an open invoice with its claim, here and at the provider; return claim and case id."""
        self.provider.invoices[invoice_id] = Invoice(
            id=invoice_id, number=f"RE-{invoice_id}", status="open", debtor_id="d1", gross=AMOUNT, open=AMOUNT
        )
        with self.store.begin() as conn:
            known = self.provider.invoices[invoice_id]
            conn.execute(
                insert(invoice).values(
                    account="a", id=invoice_id, number=f"RE-{invoice_id}", debtor_id="d1", kind="invoice",
                    status="open", currency="EUR", gross_cents=11900, paid_cents=0, open_cents=11900,
                    document=known.model_dump_json(), hash="x",
                )
            )  # fmt: skip
            if case_id is None:
                case_id = conn.execute(
                    insert(dunning_case)
                    .values(
                        number=f"MA-{invoice_id}",
                        account="a",
                        debtor_id=f"d{invoice_id}",
                        state="open",
                        opened_on=TODAY,
                    )
                    .returning(dunning_case.c.id)
                ).scalar_one()
            claim_id = conn.execute(
                insert(claim)
                .values(case_id=case_id, account="a", invoice_id=invoice_id, state="open")
                .returning(claim.c.id)
            ).scalar_one()
        return claim_id, case_id

    def compose(self, acts=MAIL, *, claims=None, **values):
        """Return a notice over `claims` (pairs of invoice id and claim id), by default over a new invoice 1."""
        case_id = values.pop("case_id", None)
        if claims is None:
            claim_id, case_id = self.claim()
            claims = [("1", claim_id)]
        content = Content(
            level_name="Mahnung", principal=AMOUNT, total=AMOUNT, recipients=Recipients(to=("a@b.example",))
        )
        steps = []
        for act in acts:
            whole = act in _OURS
            for _, claim_id in [(None, None)] if whole else claims:
                steps.append(NewStep(act=act, content=content, claim_id=claim_id, channel=_OURS.get(act)))
        given = {
            "account": "a", "case_id": case_id, "run_id": self.run_id, "plan": "p", "level": 1, "level_name": "Mahnung",
            "channel": "mail", "automation": "send", "debtor_id": "d1", "currency": "EUR", "total": AMOUNT,
            "deadline": date(2026, 3, 12), "recipient": "a@b.example", "content": content,
            "claims": tuple(
                NewClaim(claim_id=cid, invoice_id=iid, round=1, level=1, open=AMOUNT, fee=Decimal("5.00"))
                for iid, cid in claims
            ),
            "steps": tuple(steps), "needs_approval": False,
        }  # fmt: skip
        return NewNotice(**(given | values))

    def insert(self, new):
        with self.store.begin() as conn:
            return self.store.outbox.insert(conn, new, now=self.clock())

    def notice(self, acts=MAIL, **values):
        return self.insert(self.compose(acts, **values))

    def pair(self, acts=OWN_LETTER):
        """Make one notice over two claims of one debtor."""
        first, case_id = self.claim("1")
        second, _ = self.claim("2", case_id=case_id)
        return self.notice(acts, claims=[("1", first), ("2", second)], case_id=case_id)

    def deliver(self, **values):
        return self.deliverer.run("a", **values)

    def settle(self):
        """Let all settling times pass, delivering in between; return the reports."""
        reports = []
        for _ in range(self.settings.finds + 1):
            self.clock.pass_(seconds=self.settings.settling_seconds + 1)
            reports.append(self.deliver())
        return reports

    def states(self, notice_id):
        with self.store.reading() as conn:
            return [one.state for one in self.store.outbox.steps.of_notice(conn, notice_id)]

    def steps(self, notice_id):
        with self.store.reading() as conn:
            return self.store.outbox.steps.of_notice(conn, notice_id)

    def get(self, notice_id):
        with self.store.reading() as conn:
            return self.store.outbox.get(conn, notice_id)

    def levels(self):
        with self.store.reading() as conn:
            return {row.invoice_id: row.level for row in conn.execute(select(claim.c.invoice_id, claim.c.level))}

    def row(self, table, **where):
        with self.store.reading() as conn:
            query = select(table).where(*(table.c[name] == value for name, value in where.items()))
            return conn.execute(query).mappings().first()

    def events(self, kind):
        with self.store.reading() as conn:
            query = select(event).where(event.c.kind == kind).order_by(event.c.id)
            return [dict(row) for row in conn.execute(query).mappings()]

    def force(self, step_id, **values):
        """Put a step into a state as a test needs it, around the state machine."""
        with self.store.begin() as conn:
            conn.execute(update(step).where(step.c.id == step_id).values(**values))
