"""Weeks of days with both providers: read, decide, deliver over real HTTP, judged from what the sandboxes believe."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.contract import Mapping
from bridge.deliver import AccountPort, Deliverer, Desk
from bridge.dun import DunAccount, Judge, Order, dun
from bridge.http import Http, HttpSettings, TokenAuth
from bridge.policy import Abilities
from bridge.pull import pull
from connectors.billomat.connector import Billomat
from connectors.billomat.sandbox import Sandbox as BillomatSandbox
from connectors.sevdesk.connector import SevDesk
from connectors.sevdesk.sandbox import Sandbox as SevDeskSandbox
from tests.unit.policy.helpers import level, plan, rules

START = date(2026, 11, 2)  # a Monday
ZONE = ZoneInfo("Europe/Berlin")


class SevDeskSide:
    connector = SevDesk

    def __init__(self):
        self.sandbox = SevDeskSandbox(today=START)
        self.auth = TokenAuth(token=self.sandbox.token)

    def invoice(self, number):
        contact = self.sandbox.add_contact(f"Kunde {number} GmbH", email=f"k{number}@example.com")
        return self.sandbox.add_invoice(contact, issued_on=START - timedelta(days=15), days=14)

    def by_hand(self, invoice):
        document = self.sandbox.world.remind(self.sandbox.document(invoice))
        self.sandbox.world.mark_sent(document, "VM")

    def count(self, invoice):
        return len(self.sandbox.ledger.of("mail", invoice))

    def records(self, invoice):
        return len(self.sandbox.reminders(invoice))


class BillomatSide:
    connector = Billomat

    def __init__(self):
        levels = (("Erinnerung", "0"), ("1. Mahnung", "0"), ("2. Mahnung", "0"))
        self.sandbox = BillomatSandbox(today=START, limit=None, levels=levels)
        self.auth = TokenAuth(token=self.sandbox.key, header="X-BillomatApiKey")

    def invoice(self, number):
        client = self.sandbox.add_client(f"Kunde {number} GmbH", email=f"k{number}@example.com")
        return self.sandbox.add_invoice(client, "119.00", due_on=START - timedelta(days=1))

    def by_hand(self, invoice):
        self.sandbox.remind_by_hand(invoice, email="k@example.com")

    def count(self, invoice):
        return len([one for one in self.sandbox.ledger.sendings(invoice) if one.user_id not in (2, None)])

    def records(self, invoice):
        return len(self.sandbox.reminders(invoice))


class Office:
    """One installation with one account, on a clock that the test moves."""

    def __init__(self, store, side, **level_values):
        self.store, self.side = store, side
        self.day = START
        settings = HttpSettings(base_url=side.sandbox.base_url, auth=side.auth, pace=1000)
        http = Http(settings, account="main", rates=store.rates, clock=self.now, technical=store.now)
        made = side.connector
        connector = made("main", made.Settings(), Mapping.load(made.name), http)
        self.port = AccountPort("main", connector, http, zone=ZONE)
        levels = [
            level(number, after_due=day, **({"channels": ["provider_email"], "term_days": 7} | level_values))
            for number, day in enumerate((3, 14, 28), 1)
        ]
        self.rules = rules(plan(*levels))
        with store.begin() as conn:
            store.mirror.accounts.ensure(conn, "main", made.name)
        judge = Judge(store, {"main": self.rules}, {"main": ZONE})
        self.deliverer = Deliverer(Desk(store=store, channels={}, rules=judge), {"main": self.port})

    def now(self):
        return datetime.combine(self.day, time(8), ZONE)

    def live(self, days):
        """Read, decide and deliver once a day."""
        for _ in range(days):
            self.side.sandbox.today = self.day
            pull(self.store, self.port, business_date=self.day)
            self.decide()
            report = self.deliverer.run("main")
            assert (report.parked, report.unclear, report.stopped, report.problems) == (0, 0, None, [])
            self.day += timedelta(days=1)

    def decide(self):
        abilities = Abilities(acts=self.port.connector.check().acts)
        dun(self.store, [DunAccount(self.rules, abilities, ZONE)], Order(today=self.day, at=self.now()))

    def standing(self, invoice):
        with self.store.reading() as conn:
            return self.store.cases.standings(conn, "main", [invoice]).get(invoice)


@pytest.fixture(params=[SevDeskSide, BillomatSide], ids=["sevdesk", "billomat"])
def office(request, sqlite_store):
    side = request.param()
    with side.sandbox:
        yield Office(sqlite_store, side)


@pytest.mark.feature("S-BIL-1")
@pytest.mark.feature("S-AMX-23")
def test_three_levels_go_out_and_a_payment_ends_it(office):
    """Six weeks: the unpaid one gets three reminders on their days, the one that pays after the first gets no second."""
    side = office.side
    pays, stays = side.invoice(1), side.invoice(2)
    office.live(5)
    assert (side.count(pays), side.count(stays)) == (1, 1)
    side.sandbox.pay(pays)
    office.live(37)
    assert (side.count(pays), side.count(stays)) == (1, 3)
    assert (office.standing(pays).is_open, office.standing(pays).close_reason) == (False, "paid")
    assert office.standing(stays).level == 3


@pytest.mark.feature("N-6")
@pytest.mark.feature("P-26")
def test_a_reminder_made_by_hand_between_two_runs_is_not_doubled(office):
    """Made by hand on the day before level 1 would go out: adopted; the next one from here is the second."""
    side = office.side
    invoice = side.invoice(1)
    office.live(2)
    side.by_hand(invoice)
    office.live(8)
    assert (side.count(invoice), side.records(invoice)) == (0, 1)
    assert (office.standing(invoice).level, office.standing(invoice).adopted) == (1, True)
    office.live(9)
    assert (side.count(invoice), side.records(invoice)) == (1, 2)
    assert office.standing(invoice).level == 2


@pytest.mark.feature("N-1")
def test_paid_after_the_decision_and_before_delivery(office):
    """Paid at the provider between run and delivery: nothing leaves, the notice is dropped with its reason."""
    side = office.side
    invoice = side.invoice(1)
    office.day = START + timedelta(days=4)
    side.sandbox.today = office.day
    pull(office.store, office.port, business_date=office.day)
    office.decide()
    side.sandbox.pay(invoice)
    office.deliverer.run("main")
    assert (side.count(invoice), side.records(invoice)) == (0, 0)
    with office.store.reading() as conn:
        assert [one.reason for one in office.store.outbox.listing(conn, states=["dropped"])] == ["paid"]
    office.live(1)
    assert office.standing(invoice).close_reason == "paid"


def test_a_draft_taken_back_holds_nothing(office):
    """A payment in part between draft and sending: the draft is deleted, and the reminder over the rest goes out all the same."""
    side = office.side
    invoice = side.invoice(1)
    office.day = START + timedelta(days=4)
    side.sandbox.today = office.day
    pull(office.store, office.port, business_date=office.day)
    office.decide()
    office.deliverer.run("main", limit=1)
    assert side.records(invoice) == 1
    side.sandbox.pay(invoice, "10.00")
    office.deliverer.run("main")
    assert (side.count(invoice), side.records(invoice)) == (0, 0)
    office.live(2)
    assert (side.count(invoice), office.standing(invoice).level) == (1, 1)


@pytest.mark.feature("S-BIL-14")
def test_complete_makes_the_reminder_final_and_mails_nothing(sqlite_store):
    """Automation `complete`: the reminder stands at the provider, final, with its level and date; no mail; the next level waits for it."""
    side = BillomatSide()
    with side.sandbox:
        office = Office(sqlite_store, side, automation="complete")
        invoice = side.invoice(1)
        office.live(5)
        [reminder] = side.sandbox.reminders(invoice)
        assert (reminder["status"], reminder["date"]) == ("OPEN", START + timedelta(days=3))
        assert reminder["reminder_level"] == 1
        office.live(15)
        assert len(side.sandbox.reminders(invoice)) == 1
        assert side.count(invoice) == 0
        assert office.standing(invoice).level == 0
