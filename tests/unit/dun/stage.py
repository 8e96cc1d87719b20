"""A real store with one account, on which days are played: what the provider says, runs, landings."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bridge.dun import DunAccount, Judge, Order, dun, plan
from bridge.model import Act, Batch, Cursor, Debtor, Invoice, InvoiceStatus, NoticeStatus, ProviderNotice, Snapshot
from bridge.policy import Abilities
from bridge.store.cases import Stamp
from bridge.store.choices import Target
from tests.unit.policy.helpers import days, rules

ZONE = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 10, 5)
ABILITIES = Abilities(
    acts=frozenset({Act.CREATE, Act.AMEND, Act.SEND_EMAIL, Act.MARK_SENT, Act.NOTE}),
    channels={Act.MAIL: "smtp", Act.LETTER: "letter_outbox"},
)


def days_after(number):
    return MONDAY + timedelta(days=number)


def at(day):
    return datetime.combine(day, time(8), ZONE)


def invoice(number=1, **values):
    base = {
        "id": str(number),
        "number": f"RE-{number}",
        "status": InvoiceStatus.OPEN,
        "debtor_id": "d1",
        "issued_on": date(2026, 9, 1),
        "due_on": date(2026, 9, 15),
        "gross": Decimal("100.00"),
        "open": Decimal("100.00"),
        "sent": True,
    }
    return Invoice(**{**base, **values})


def debtor(number=1, **values):
    base = {"id": f"d{number}", "number": f"1000{number}", "name": f"Kunde {number}", "email": f"k{number}@example.com"}
    return Debtor(**{**base, **values})


def reminder(number, invoice_id="1", level=1, status=NoticeStatus.SENT, **values):
    return ProviderNotice(id=f"m{number}", invoice_id=invoice_id, level=level, status=status, **values)


class Stage:
    """One account `main` under a plan of 3, 14 and 28 days that sends, on a real database."""

    def __init__(self, store, its_rules=None, abilities=ABILITIES):
        self.store = store
        self.rules = its_rules or rules(days(3, 14, 28))
        self.abilities = abilities
        self.serial = 0
        with store.begin() as conn:
            store.mirror.accounts.ensure(conn, "main", "test")

    @property
    def account(self):
        return DunAccount(self.rules, self.abilities, ZONE)

    def tell(self, today, *records):
        """Let the provider say something, as a pull would write it."""
        kinds = {Debtor: "debtors", Invoice: "invoices", ProviderNotice: "notices"}
        parts = {name: [] for name in (*kinds.values(), "payments")}
        for record in records:
            parts[kinds.get(type(record), "payments")].append(record)
        self.serial += 1
        batch = Batch(**{name: tuple(found) for name, found in parts.items()}, cursor=Cursor(data={"n": self.serial}))
        with self.store.begin() as conn:
            self.store.mirror.write(conn, "main", batch, business_date=today, now=at(today))

    def run(self, today, **more):
        return dun(self.store, [self.account], Order(today=today, at=at(today), actor="test", **more))

    def plan(self, today, **more):
        return plan(self.store, [self.account], Order(today=today, at=at(today), actor="test", **more))

    def notices(self, *states):
        with self.store.reading() as conn:
            return list(reversed(self.store.outbox.listing(conn, states=states)))

    def land(self, today):
        """Approve, queue and land whatever has not landed; return the levels that landed."""
        landed = []
        with self.store.begin() as conn:
            for one in reversed(self.store.outbox.listing(conn, states=["proposed", "queued"])):
                if one.state == "proposed":
                    self.store.outbox.approve(conn, one.id, shown_hash=one.hash, actor="anna", now=at(today))
                    self.store.outbox.queue_approved(conn, "main", now=at(today))
                self.store.outbox.land(conn, one.id, on=today, at=at(today), now=at(today))
                landed.append(one.level)
        return landed

    def standing(self, invoice_id="1"):
        with self.store.reading() as conn:
            return self.store.cases.standings(conn, "main", [invoice_id]).get(invoice_id)

    def next_on(self, invoice_id="1"):
        with self.store.reading() as conn:
            return self.store.mirror.invoice(conn, "main", invoice_id).next_on

    def reason(self, invoice_id="1"):
        with self.store.reading() as conn:
            found = self.store.runs.decided(conn, "main", [invoice_id]).get(invoice_id)
        return found.reason if found else None

    def stamp(self, today, actor="anna"):
        return Stamp(at=at(today), on=today, actor=actor)

    def judge(self):
        return Judge(self.store, {"main": self.rules}, {"main": ZONE})

    def recheck(self, snapshot, today):
        with self.store.reading() as conn:
            one = self.store.outbox.listing(conn)[0]
            return self.judge().recheck(conn, one, one.claims[0], snapshot, today)


def about(invoice_id="1"):
    return Target(account="main", invoice_id=invoice_id)


def customer(debtor_id="d1"):
    return Target(account="main", debtor_id=debtor_id)


def snapshot(one, today, *, its_debtor=None, **more):
    return Snapshot(invoice_id=one.id, taken_at=at(today), invoice=one, debtor=its_debtor or debtor(), **more)
