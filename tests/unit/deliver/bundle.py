"""A bundle from the decision to the last record: real store, real rules and runs, a provider and a mailbox that believe what is written.

The provider keeps one reminder per invoice; the notice is one mail or letter of ours over all of them. Something may happen at any of
its calls; what must hold whatever happens is judged by what the provider and the mailbox hold, not by our tables alone.
"""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import update

from bridge.contract import Act, InvoiceStatus, NoticeStatus, Proof, ProviderNotice, Refused, Snapshot
from bridge.deliver import AccountPort, Deliverer, Desk
from bridge.model.patience import Delivery
from bridge.policy import Abilities
from bridge.policy.build import is_ours
from bridge.store.tables import account
from tests.unit.deliver.scene import Clock, NoHttp, Post, Scripted
from tests.unit.dun.stage import MONDAY, ZONE, Stage, at, debtor, invoice
from tests.unit.policy.helpers import level, plan, rules

DAY = timedelta(days=1)
ITS_OWN_TERM = timedelta(days=14)
"""The payment term that the provider gives each of its reminders, until ours is written to it."""

RECORDS = (Act.CREATE, Act.AMEND, Act.COMPLETE, Act.DISCARD, Act.MARK_SENT)
TEXTS = {
    "de": {
        "subject": "{{ level_name }} {{ invoice_number }}",
        "body": "{% for i in items %}{{ i.number }} {{ i.open }}\n{% endfor %}{{ total }}",
    }
}


class Killed(BaseException):
    """The process dies here."""


def bundling(document="silent", channel="mail", automation="send", **values):
    """Rules under which all due invoices of a debtor go into one mail or letter of ours."""
    common = {"document": document, "channels": [channel], "automation": automation, "term_days": 7, "texts": TEXTS}
    levels = [level(1, after_due=10, **common), level(2, after_due=30, **common)]
    return rules(plan(*levels, bundling={"when": "from_first", **values}))


class Provider(Scripted):
    """One reminder per invoice, found again by its marker; a completed one can no longer be deleted."""

    def __init__(self, today):
        super().__init__()
        self.today, self.debtor, self.made, self.notes = today, debtor(), 0, []
        self.before_look, self.documents = None, []

    def look(self, refs):
        self.calls.append(("look", tuple(ref.id for ref in refs)))
        self.before_look()
        for ref in refs:
            held = tuple(one for one in self.notices.values() if one.invoice_id == ref.id)
            known = self.invoices.get(ref.id)
            yield Snapshot(
                invoice_id=ref.id,
                taken_at=at(self.today()),
                found=known is not None,
                invoice=known,
                debtor=self.debtor,
                notices=held,
            )

    def effect(self, write):
        proof = Proof(key=write.key, at=at(self.today()), provider_id=write.reminder_id)
        if write.act is Act.CREATE:
            self.made += 1
            known = ProviderNotice(
                id=f"r{self.made}", invoice_id=write.invoice.id, level=write.expected_provider_level,
                status=NoticeStatus.DRAFT, dated_on=self.today(), marker=write.marker,
                deadline=self.today() + ITS_OWN_TERM,
            )  # fmt: skip
            self.notices[known.id] = known
            return proof.model_copy(update={"provider_id": known.id, "level": known.level})
        if write.act is Act.NOTE:
            self.notes.append(write.key)
            return proof
        if write.reminder_id not in self.notices:
            raise Refused("there is no such reminder", cause="not_found")
        if write.act is Act.AMEND:
            known = self.notices[write.reminder_id]
            self.notices[known.id] = known.model_copy(update={"deadline": write.content.deadline})
        if write.act is Act.DISCARD:
            if self.notices[write.reminder_id].status is not NoticeStatus.DRAFT:
                raise Refused("it is complete", cause="complete")
            del self.notices[write.reminder_id]
        status = {Act.COMPLETE: NoticeStatus.FINAL, Act.MARK_SENT: NoticeStatus.SENT}.get(write.act)
        if status:
            self.show(write.reminder_id, status)
        return proof

    def show(self, reminder_id, status):
        self.notices[reminder_id] = self.notices[reminder_id].model_copy(update={"status": status})

    def find(self, write):
        self.calls.append(("find", write.act))
        known = self.notices.get(write.reminder_id)
        if write.act is Act.CREATE:
            known = next((one for one in self.notices.values() if one.marker == write.marker), None)
            held = known is not None
        elif write.act is Act.AMEND:
            held = known is not None and known.deadline == write.content.deadline
        elif write.act is Act.NOTE:
            held = write.key in self.notes
        elif write.act is Act.DISCARD:
            held = known is None
        else:
            wanted = {Act.COMPLETE: NoticeStatus.FINAL, Act.MARK_SENT: NoticeStatus.SENT}.get(write.act)
            held = known is not None and known.status is wanted
        proof = Proof(key=write.key, at=at(self.today()), provider_id=known.id if known else write.reminder_id)
        return proof if held else None

    def document(self, ref):
        if self.documents:
            raise self.documents.pop(0)
        return b"%PDF"


class Mailbox(Post):
    """What reached the debtor, with what was true at the provider then; `archive`: sent mails can be looked up."""

    def __init__(self, provider, act=Act.MAIL):
        super().__init__(act)
        self.provider, self.archive, self.truth = provider, True, []

    def effect(self, write):
        self.truth.append(dict(self.provider.invoices))
        return super().effect(write)

    def find(self, write):
        held = next((one for one in self.sent if one.key == write.key), None)
        if self.archive and held is not None:
            return Proof(key=write.key, at=at(self.provider.today()), provider_id="m", facts={"state": "outbox"})
        return super().find(write)


class Bundle(Stage):
    """Two invoices whose level is due and a third that goes along; `happen(n, what)` strikes at the n-th call of delivery."""

    def __init__(self, store, its_rules=None, *, act=Act.MAIL):
        acts = frozenset({Act.CREATE, Act.AMEND, Act.COMPLETE, Act.MARK_SENT, Act.NOTE, Act.DISCARD})
        channels = {Act.MAIL: "mail", Act.LETTER: "letter"}
        super().__init__(store, its_rules or bundling(), Abilities(acts=acts, channels=channels, documents=True))
        self.clock, self.http, self.day = Clock(), NoHttp(), MONDAY
        self.http.now = lambda: at(self.day)
        store.now = self.clock
        self.provider = Provider(lambda: self.day)
        self.box = Mailbox(self.provider, act)
        self.settings = Delivery(finds=1)
        self.strikes, self.number, self.wrong = {}, 0, []
        self.provider.before_look = self._looked
        self.gone = None
        home = {"street": "Weg 1", "postcode": "50667", "city": "Köln", "lines": ["Kunde"]}
        self.provider.debtor = debtor(address=home)
        for number, late in ((1, 20), (2, 15), (3, 5)):
            one = invoice(number, due_on=MONDAY - late * DAY, gross=Decimal(100 * number), open=Decimal(100 * number))
            self.provider.invoices[one.id] = one

    # ------------------------------------------------------------------------------------------------------- running

    def worker(self):
        port = AccountPort("main", self.provider, self.http, self.settings, ZONE)
        desk = Desk(self.store, {"mail": self.box, "letter": self.box}, self.judge(), files=self._files)
        return Deliverer(desk, {"main": port})

    def _files(self, _notice, step, _snapshots):
        return [(one, self.provider.document(one.document)) for one in step.content.attachments]

    def decide(self):
        """Read what the provider holds, and decide."""
        held = self.provider.invoices.values()
        self.tell(self.day, self.provider.debtor, *held, *self.provider.notices.values())
        with self.store.begin() as conn:
            gone = [
                Snapshot(invoice_id=one, taken_at=at(self.day), found=False)
                for one in "123"
                if one not in self.provider.invoices and self.store.mirror.invoice(conn, "main", one)
            ]
            self.store.mirror.write_looks(conn, "main", gone, business_date=self.day, now=at(self.day))
        return self.run(self.day)

    def deliver(self):
        """Deliver once; a process that dies leaves its database and nothing else."""
        push, mail = type(self.provider).push, type(self.box).push
        self.provider.push = lambda write: self._call(write, lambda: push(self.provider, write))
        self.box.push = lambda write, files=(): self._call(write, lambda: mail(self.box, write, files))
        try:
            return self.worker().run("main")
        except Killed:
            return None

    def calm(self):
        """Let everything settle on the same day, deciding anew in between, until nothing is under way."""
        for _ in range(10):
            self.clock.pass_(seconds=self.settings.settling_seconds + self.settings.lease_seconds + 1)
            self.deliver()
            if not self.under_way():
                self.decide()
                if not self.under_way():
                    return
        self.wrong.append("something is still under way")

    def under_way(self):
        return [one.act for one in self.all_steps() if one.state in ("queued", "sending", "unclear")]

    def reconnect(self):
        """Let a person put the credentials right."""
        with self.store.begin() as conn:
            conn.execute(update(account).values(state="ok", state_text=""))

    # ----------------------------------------------------------------------------------------------------- incidents

    def happen(self, number, what, when="instead"):
        """Let `what` be raised or done at call `number` (from 1): `instead` of it, `after` its effect, or right before the `look` for it is answered."""
        self.strikes[number, when] = what

    def _looked(self):
        self._strike(self.number + 1, "look")

    def _call(self, write, act):
        self.number += 1
        self._strike(self.number, "instead")
        proof = act()
        self._strike(self.number, "after")
        return proof

    def _strike(self, number, when):
        what = self.strikes.pop((number, when), None)
        if isinstance(what, type | BaseException):
            raise what
        if what:
            what(self)

    def pay(self, invoice_id, paid=None):
        """Let the debtor pay all or a part of an invoice."""
        known = self.provider.invoices[invoice_id]
        left = Decimal("0.00") if paid is None else known.open - paid
        status = InvoiceStatus.OPEN if left else InvoiceStatus.PAID
        self.provider.invoices[invoice_id] = known.model_copy(update={"open": left, "status": status})

    # ------------------------------------------------------------------------------------------------------- judging

    def all_steps(self):
        with self.store.reading() as conn:
            found = [self.store.outbox.steps.of_notice(conn, one.id) for one in self.store.outbox.listing(conn)]
        return [one for steps in found for one in steps]

    def waits(self):
        """Return what waits visibly for a person: acts of parked steps."""
        return [one.act for one in self.all_steps() if one.state == "parked"]

    def levels(self):
        return [known.level if (known := self.standing(one)) else 0 for one in "123"]

    def asked(self):
        """Return the invoices that each mail or letter asked for."""
        return [[one.invoice_number for one in self._of(write).claims] for write in self.box.sent]

    def _of(self, write):
        [step] = [one for one in self.all_steps() if one.key == write.key]
        with self.store.reading() as conn:
            return self.store.outbox.get(conn, step.notice_id)

    def judge_all(self):
        """Raise where a promise is broken, whatever happened before."""
        wrong = [*self.wrong, *self._twice(), *self._amounts(), *self._records(), *self._risen()]
        assert not wrong, "; ".join(wrong)

    def _twice(self):
        seen = set()
        for write in self.box.sent:
            for one in self._of(write).claims:
                key = one.invoice_id, one.round, one.level or f"along {write.key}"
                if key in seen:
                    yield f"{key} went out twice"
                seen.add(key)

    def _amounts(self):
        for write, truth in zip(self.box.sent, self.box.truth, strict=True):
            claims = self._of(write).claims
            stopped = [one.invoice_id for one in claims if truth[one.invoice_id].status is not InvoiceStatus.OPEN]
            if stopped:
                yield f"{stopped} was asked for although it is not open"
            right = sum(truth[one.invoice_id].open for one in claims if one.invoice_id in truth)
            if write.content.total != right:
                yield f"{write.content.total} was asked for where {right} is open"

    def _records(self):
        """Every reminder of ours at the provider belongs to a mail that went out, or a person is told of it."""
        mailed = {one.reminder_id for write in self.box.sent for one in self._of(write).claims}
        with self.store.reading() as conn:
            notices = self.store.outbox.listing(conn)
        told = {one.notice_id for one in self.all_steps() if one.state in ("parked", "unclear", "sending")}
        known = {claim.reminder_id: one for one in notices for claim in one.claims if claim.reminder_id}
        for one in self.provider.notices.values():
            if not is_ours(one, ()):
                continue
            notice = known.get(one.id)
            if notice is not None and one.status is NoticeStatus.SENT and one.deadline != notice.deadline:
                yield f"{one.id} names the term {one.deadline} at the provider, the mail {notice.deadline}"
            if one.id in mailed:
                continue
            if notice is None:
                if not told:
                    yield f"{one.id} ({one.status}) is ours, and nobody knows it"
            elif notice.id not in told and notice.state not in ("queued", "proposed", "approved", "waiting", "parked"):
                yield f"{one.id} ({one.status}) was left over by notice {notice.id}, which is {notice.state}"

    def _risen(self):
        reached = {one.invoice_id for write in self.box.sent for one in self._of(write).claims if one.level}
        for invoice_id, level_now in zip("123", self.levels(), strict=True):
            by_hand = [one for one in self.provider.notices.values() if one.invoice_id == invoice_id and not one.marker]
            if level_now and invoice_id not in reached and not by_hand:
                yield f"{invoice_id} rose without a mail"
            unknown = any(one.act is self.box.act for one in self.all_steps() if one.state != "done")
            if invoice_id in reached and not level_now and not unknown and self.box.act is Act.MAIL:
                yield f"{invoice_id} was reminded of and did not rise"
