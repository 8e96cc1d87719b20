"""Files as a provider, as the simulation sees them: an invoicing tool that exports its list, and the status list that its user reads."""

import resource
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar

from bridge.testing.faults import Faults
from connectors.generic_csv.sandbox import Sandbox
from tests.faults.providers import ISSUED, Provider, Truth, _morning

_ORIGIN = "plain/"
"""The first part of our id of an invoice in a list without a profile of its own."""


@contextmanager
def _room():
    """The invoicing tool writes on a disk of its own, which is not full when ours is."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit[1], limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


class FilesProvider(Provider):
    """An invoicing tool without an interface: whatever changes there is exported at once, and whoever looks reads the newest list."""

    name = "generic_csv"
    paths: ClassVar = {}
    faults = None
    proof = None

    def __init__(self, today):
        super().__init__(today)
        self.exports = 0
        self.faults, self.at, self.sandbox, self.levels = Faults(), _morning(today), None, {}

    def start(self, stage):
        self.sandbox = Sandbox(stage.folder, today=self.at.date())

    def stop(self):
        pass

    def now(self):
        return self.at

    def advance(self, days):
        self.at = _morning(self.at.date() + timedelta(days=days))
        self.sandbox.today = self.at.date()
        self._export()

    def _row(self, invoice):
        return self.sandbox.invoices[invoice.removeprefix(_ORIGIN)]

    def _export(self):
        """Export the list; no two are the same to the byte, as an old one put in again would be."""
        self.exports += 1
        for listed in self.sandbox.invoices.values():
            listed.street = "Weg 2" + " " * self.exports
        with _room():
            self.sandbox.export(self.at)

    def person(self, name, email):
        return name, email

    def invoice(self, person, gross, number, due_on):
        name, email = person
        listed = self.sandbox.add_invoice(
            number, customer_no=name.rpartition(" ")[2], customer=name, gross=Decimal(gross), due_on=due_on,
            issued_on=date.fromordinal(due_on.toordinal() - ISSUED // 3), email=email, street="Weg 2", postcode="20095", city="Hamburg",
        )  # fmt: skip
        self._export()
        return f"{_ORIGIN}{listed.number}"

    def book(self, invoice, amount):
        self.sandbox.pay(invoice.removeprefix(_ORIGIN), amount)
        self._export()

    def take_back(self, invoice, _payments):
        self._row(invoice).paid = Decimal("0.00")
        self._export()

    def readdress(self, debtor, email):
        name, _ = self.hands[debtor]
        self.hands[debtor] = name, email
        for listed in self.sandbox.invoices.values():
            if listed.customer == name:
                listed.email = email
        self._export()

    def meddle(self, _invoice):
        """There are no drafts in a list."""

    def tag(self, invoice):
        self._row(invoice).block = "ja"
        self._export()

    def debit(self, invoice):
        self.debited.add(invoice)
        self._row(invoice).method = "Lastschrift"
        self._export()

    def add_credit(self, invoice, amount):
        """Let the tool write the credit off its invoice."""
        self._row(invoice).paid += amount
        self._export()

    def left(self, _invoice, amount):
        return amount

    def take_out(self, invoice):
        self._row(invoice).spoilt = {"Status": "storniert"}
        self._export()

    def by_hand(self, invoice):
        if not self.truth(invoice).stopped:
            self.levels[invoice] = self.levels.get(invoice, 0) + 1
            self._row(invoice).level = self.levels[invoice]
            self._export()

    def truth(self, invoice):
        listed = self._row(invoice)
        left = listed.gross - listed.paid
        done = "cancelled" if listed.spoilt else "paid" if left <= 0 else ""
        hands = frozenset(map(str, range(self.levels.get(invoice, 0))))
        return Truth(left, done or self.kept_from(invoice), hands, self.emails[self.debtors[invoice]])

    def sent(self):
        return []

    def records(self):
        return []

    def drafts(self):
        return set()
