"""No open invoice is ever forgotten: whatever happens to it, it has a next date, a notice on its way, or a reason that only a change ends."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.errors import UsageError, WrongState
from bridge.model import InvoiceStatus, NoticeStatus, Payment, PaymentKind, Reason
from bridge.policy import Automation
from tests.unit.dun.stage import MONDAY, Stage, about, at, customer, debtor, invoice, reminder
from tests.unit.policy.helpers import level, plan, rules

UNTIL_CHANGED = frozenset(
    {
        Reason.DISPUTE,
        Reason.PLAN_COMPLETE,
        Reason.CLOSED_BY_HAND,
        Reason.BALANCE_NOT_POSITIVE,
        Reason.BELOW_MINIMUM,
        Reason.NOT_SENT,
        Reason.NO_RECIPIENT,
        Reason.UNDELIVERED,
        Reason.FOREIGN_REMINDER_RUNNING,
    }
)
"""Reasons that wait for the provider or a person; each such change sets the next date itself."""

IDS = ("1", "2", "3")


class Life:
    """Three invoices of two customers, and everything that can happen to them, by chance."""

    def __init__(self, stage, seed):
        self.stage, self.chance = stage, random.Random(seed)
        self.today = MONDAY
        self.serial = 0
        degrees = [self.chance.choice((Automation.SEND, Automation.PROPOSE)) for _ in range(3)]
        stage.rules = rules(
            plan(
                *(level(n, after_due=d, automation=a) for n, d, a in zip((1, 2, 3), (3, 14, 28), degrees, strict=True))
            ),
            minimum=500,
        )
        self.known = {one: invoice(one, debtor_id="d2" if one == "3" else "d1") for one in IDS}
        stage.tell(self.today, debtor(1), debtor(2), *self.known.values())

    def one(self):
        return self.chance.choice(IDS)

    def say(self, invoice_id, *more, **values):
        self.known[invoice_id] = self.known[invoice_id].model_copy(update=values)
        self.stage.tell(self.today, self.known[invoice_id], *more)

    def run(self):
        self.stage.run(self.today, max_notices=self.chance.choice((0, 1, 25)))

    def wait(self):
        self.today += timedelta(days=self.chance.choice((1, 3, 8)))

    def land(self):
        self.stage.land(self.today)

    def drop(self):
        for one in self.stage.notices("proposed", "approved", "queued")[:1]:
            with self.stage.store.begin() as conn:
                self.stage.store.outbox.drop(
                    conn, one.id, reason="changed", text="", today=self.today, now=at(self.today)
                )

    def refuse(self):
        for one in self.stage.notices("proposed")[:1]:
            with self.stage.store.begin() as conn:
                self.stage.store.outbox.refuse(conn, one.id, text="anna", now=at(self.today))

    def pay(self):
        self.say(self.one(), status=InvoiceStatus.PAID, open=Decimal("0.00"))

    def pay_in_part(self):
        self.say(self.one(), open=Decimal(self.chance.choice(("90.00", "3.00"))))

    def reopen(self):
        one = self.one()
        self.serial += 1
        back = Payment(
            id=f"p{self.serial}", invoice_id=one, amount=Decimal("-100.00"), value_on=self.today,
            kind=PaymentKind.DIRECT_DEBIT,
        )  # fmt: skip
        self.say(one, back, status=InvoiceStatus.OPEN, open=Decimal("100.00"))

    def target(self):
        return self.chance.choice((about(self.one()), customer(self.chance.choice(("d1", "d2")))))

    def block(self):
        until = self.chance.choice((None, self.today + timedelta(days=4)))
        reason = Reason.DEFERRED if until else Reason.DISPUTE
        with self.stage.store.begin() as conn:
            self.stage.store.choices.block(conn, self.target(), reason, self.stage.stamp(self.today), until=until)

    def unblock(self):
        with self.stage.store.begin() as conn:
            self.stage.store.choices.unblock(conn, self.target(), self.stage.stamp(self.today))

    def by_hand(self):
        self.serial += 1
        status = self.chance.choice((NoticeStatus.DRAFT, NoticeStatus.SENT, NoticeStatus.CANCELLED))
        one = self.one()
        number = self.chance.choice((one, f"{one}{self.serial}"))
        self.stage.tell(self.today, reminder(number, one, status=status, dated_on=self.today))

    def moves(self):
        self.say(self.one(), debtor_id=self.chance.choice(("d1", "d2")))

    def case(self):
        standing = self.stage.standing(self.one())
        act = self.chance.choice(("close_by_hand", "reopen_by_hand"))
        if standing is not None:
            with self.stage.store.begin() as conn:
                getattr(self.stage.store.cases, act)(conn, standing.case_number, "", self.stage.stamp(self.today))

    def live(self, acts):
        said = ("run", "run", "run", "wait", "wait", "land", "land", "drop", "refuse", "pay", "pay_in_part", "reopen",
                "block", "unblock", "by_hand", "moves", "case")  # fmt: skip
        for _ in range(acts):
            act = self.chance.choice(said)
            try:
                getattr(self, act)()
            except (WrongState, UsageError):
                continue
            yield act

    def forgotten(self):
        """Return the open invoices that nothing would ever bring up again."""
        found = []
        for one in IDS:
            standing = self.stage.standing(one)
            if self.known[one].status is not InvoiceStatus.OPEN or self.stage.next_on(one) is not None:
                continue
            if standing is not None and standing.running is not None:
                continue
            if self.stage.reason(one) not in UNTIL_CHANGED:
                found.append((one, self.stage.reason(one), standing))
        return found


@pytest.mark.parametrize("seed", range(8))
def test_no_open_invoice_is_forgotten(sqlite_store, seed):
    """Forty things happen by chance; after each of them every open invoice is still bound to come up."""
    life = Life(Stage(sqlite_store), seed)
    told = []
    for act in life.live(40):
        told.append((life.today.isoformat(), act))
        assert life.forgotten() == [], told


@pytest.mark.parametrize("seed", range(8))
def test_no_level_lands_twice_in_a_round(sqlite_store, seed):
    """Whatever happens, each claim's round has each level at most once, and its level never goes back within it."""
    life = Life(Stage(sqlite_store), 1000 + seed)
    at_level: dict[str, tuple[int, int]] = {}
    for act in life.live(40):
        for one in IDS:
            standing = life.stage.standing(one)
            if standing is not None:
                now = (standing.round, standing.level)
                assert now >= at_level.get(one, (0, 0)), act
                at_level[one] = now
    landed = [
        (claim.claim_id, claim.round, claim.level, claim.repetition)
        for notice in life.stage.notices()
        for claim in notice.claims
        if claim.landed_on
    ]
    assert len(landed) == len(set(landed))
