"""A believable agency, invented: 40 debtors, 300 invoices, every kind of exclusion, two months of history.

Data only; `stage.py` builds it up in the sandboxes. The same seed gives the same world.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

FIRST_DAY = date(2026, 11, 2)
"""The Monday on which the agency switches the service on."""
DAYS = 26
"""Four weeks, Monday to Friday of the last."""
HISTORY = 62
"""Days of invoices before the first day."""
SEVDESK, BILLOMAT, CSV = "agentur", "projekte", "altbestand"
PER_ACCOUNT = {SEVDESK: (18, 140), BILLOMAT: (15, 120), CSV: (7, 40)}
"""Debtors and invoices per account."""

_NAMES = (
    "Bäckerei Morgenrot GmbH",
    "Tischlerei Hansen & Sohn",
    "Yogastudio Lindenblüte",
    "Autohaus Weststadt GmbH",
    "Praxis Dr. Jana Sommer",
    "Kita Regenbogen e.V.",
    "Müller Metallbau GmbH & Co. KG",
    "Weingut Sonnenhang",
    "Stadtwerke Neuental",
    "Buchhandlung Eselsohr",
    "Fahrradladen Speiche",
    "Café Kontor",
    "Zahnlabor Brillant GmbH",
    "Gärtnerei Grünwald",
    "Hotel Zur Alten Post",
    "Schreinerei Öztürk",
    "Kanzlei Brandt und Partner",
    "Physio am Park",
    "Druckerei Quint GmbH",
    "Elektro Schäfer",
    "Immobilien Hafenblick GmbH",
    "Musikschule Allegro",
    "Optik Klarsicht",
    "Reisebüro Fernweh",
    "Steuerbüro Vogel",
    "Tierarztpraxis Nordwiese",
    "Brauerei Goldähre GmbH",
    "Spedition Rasch GmbH",
    "Dachdecker Firstmann",
    "Feinkost Bellini",
    "Goldschmiede Karat",
    "Hörstudio Resonanz",
    "Imkerei Süßer Stock",
    "Keramik Werkhof",
    "Logopädie Wortreich",
    "Malerbetrieb Bunt GmbH",
    "Nähatelier Saumselig",
    "Orthopädie Trittfest",
    "Pension Seeblick",
    "Radsport Gipfel GmbH",
)
_STREETS = ("Lindenweg", "Hauptstraße", "Am Markt", "Bahnhofstraße", "Gartenweg", "Mühlgasse", "Schulstraße")
_CITIES = (("20095", "Hamburg"), ("80331", "München"), ("50667", "Köln"), ("04109", "Leipzig"), ("90402", "Nürnberg"))


@dataclass(frozen=True, slots=True)
class DemoDebtor:
    """One debtor of the agency; `twist` says what is special about all of their invoices."""

    account: str
    number: str
    name: str
    email: str | None
    street: str
    postcode: str
    city: str
    twist: str = ""


@dataclass(frozen=True, slots=True)
class DemoInvoice:
    """One invoice; `paid_on` is the day on which the money comes, `twist` what is special about it."""

    account: str
    debtor: DemoDebtor
    number: str
    issued_on: date
    term_days: int
    gross: Decimal
    paid_on: date | None
    twist: str = ""

    @property
    def due_on(self) -> date:
        return self.issued_on + timedelta(days=self.term_days)


DEBTOR_TWISTS: dict[str, tuple[str, ...]] = {
    SEVDESK: ("excluded", "direct_debit", "no_email", "reminded_by_hand"),
    BILLOMAT: ("excluded", "direct_debit", "reminded_by_hand"),
    CSV: ("no_email",),
}
INVOICE_TWISTS: dict[str, tuple[str, ...]] = {
    SEVDESK: (
        "draft",
        "not_sent",
        "cancelled",
        "credited",
        "part_paid",
        "tag_block",
        "dispute",
        "prepayment",
        "deferred",
        "payment_unmatched",
        "foreign_currency",
        "below_minimum",
        "before_cutoff",
        "broken_date",
        "paid_after_decision",
    ),
    BILLOMAT: (
        "draft",
        "cancelled",
        "credited",
        "part_paid",
        "tag_block",
        "promise",
        "discount_taken",
        "below_minimum",
        "before_cutoff",
        "answer_lost",
    ),
    CSV: ("below_minimum", "before_cutoff", "contradiction"),
}
"""Twist -> exactly one overdue invoice per account, so that every kind of exclusion is seen at work."""


@dataclass(slots=True)
class World:
    """Everything that happens; events are derived from the invoices' dates."""

    debtors: list[DemoDebtor] = field(default_factory=list)
    invoices: list[DemoInvoice] = field(default_factory=list)

    def of(self, account: str) -> list[DemoInvoice]:
        return [invoice for invoice in self.invoices if invoice.account == account]

    def with_twist(self, twist: str) -> list[DemoInvoice]:
        return [invoice for invoice in self.invoices if twist in (invoice.twist, invoice.debtor.twist)]

    def paid_on(self, day: date) -> list[DemoInvoice]:
        return [invoice for invoice in self.invoices if invoice.paid_on == day]


def build(seed: int = 7) -> World:
    """Return the world; the same for the same seed."""
    chance = random.Random(seed)  # noqa: S311  a story, not a secret
    world, names = World(), list(_NAMES)
    for account, (debtors, invoices) in PER_ACCOUNT.items():
        twists = DEBTOR_TWISTS[account]
        own = [
            _debtor(chance, account, position, names.pop(0), twists[position] if position < len(twists) else "")
            for position in range(debtors)
        ]
        world.debtors += own
        world.invoices += _invoices(chance, account, own, invoices)
    return world


def _debtor(chance: random.Random, account: str, position: int, name: str, twist: str) -> DemoDebtor:
    plain = "".join(letter for letter in name.lower().split()[0] if letter.isascii() and letter.isalpha()) or "kunde"
    postcode, city = chance.choice(_CITIES)
    return DemoDebtor(
        account=account,
        number=f"{10000 + 100 * list(PER_ACCOUNT).index(account) + position}",
        name=name,
        email=None if twist == "no_email" else f"buchhaltung@{plain}{position}.example",
        street=f"{chance.choice(_STREETS)} {chance.randint(1, 90)}",
        postcode=postcode,
        city=city,
        twist=twist,
    )


def _invoices(chance: random.Random, account: str, debtors: list[DemoDebtor], count: int) -> list[DemoInvoice]:
    """Spread `count` invoices over the history; each special debtor has one overdue invoice, each twist an ordinary debtor."""
    plain = [debtor for debtor in debtors if not debtor.twist]
    special = [(debtor, "") for debtor in debtors if debtor.twist]
    special += [(chance.choice(plain), twist) for twist in INVOICE_TWISTS[account]]
    prefix = {SEVDESK: "RE-", BILLOMAT: "PR-", CSV: "AB-"}[account]
    result: list[DemoInvoice] = []
    for position in range(count):
        number = f"{prefix}{1001 + position}"
        gross = Decimal(chance.randint(120, 4800)) + Decimal(chance.choice(("0.00", "0.50", "0.90", "0.19")))
        if position < len(special):
            debtor, twist = special[position]
            result.append(_special(chance, debtor, number, gross, twist))
            continue
        issued = FIRST_DAY - timedelta(days=chance.randint(1, HISTORY))
        due = issued + timedelta(days=14)
        # Nine in ten pay before or soon after they are due; the rest is what dunning is for.
        late = chance.random() > 0.82
        paid = due + timedelta(days=chance.randint(8, 60) if late else chance.randint(-12, 2))
        result.append(DemoInvoice(account, chance.choice(plain), number, issued, 14, gross, paid))
    return result


def _special(chance: random.Random, debtor: DemoDebtor, number: str, gross: Decimal, twist: str) -> DemoInvoice:
    issued = FIRST_DAY - timedelta(days=chance.randint(19, 26))
    if twist == "before_cutoff":
        issued = FIRST_DAY - timedelta(days=240)
    if twist == "below_minimum":
        gross = Decimal("3.90")
    return DemoInvoice(debtor.account, debtor, number, issued, 14, gross, None, twist)
