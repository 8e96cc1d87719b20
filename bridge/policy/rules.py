"""The rules of one account: its plans and who gets which, its limits, its calendar. Built once from the configuration."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from typing import Any, NamedTuple

from bridge.model import Attachment, Colleague
from bridge.policy.calendar import Calendar
from bridge.policy.links import Links
from bridge.policy.money import MoneyRules
from bridge.policy.office import Office
from bridge.policy.plan import EscalationPlan
from bridge.policy.timetable import Timetable

NO_PLAN = "none"
"""The plan name that takes a customer or an invoice out of every plan."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which plan for whom. All given conditions must hold; `customers` are provider ids or customer numbers."""

    plan: str
    customers: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    terms_days: frozenset[int] = frozenset()
    countries: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()  # business, consumer, unknown
    gross_from: int | None = None  # cents
    gross_below: int | None = None  # cents
    where: str = field(default="", compare=False)  # file and line


class Assigned(NamedTuple):
    """The plan of a claim and where it comes from: `invoice`, `customer`, `prepayment`, the conditions that hold, `account`, or nothing.

    `where` is file and line of the assignment that gives it, if one does.
    """

    plan: EscalationPlan | None
    name: str | None
    because: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Creditor:
    """Creditor (Gläubiger): who asks for the money, as texts and letters name them."""

    name: str = ""
    lines: tuple[str, ...] = ()
    email: str = ""
    phone: str = ""
    iban: str = ""
    bic: str = ""
    bank: str = ""
    payee: str = ""  # holder of the account
    country: str = "DE"
    particulars: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by language, one line each

    def particulars_in(self, language: str) -> tuple[str, ...]:
        """Return the particulars below a mail in that language: in English where they have none in it."""
        return self.particulars.get(language) or self.particulars.get("en", ())


@dataclass(frozen=True, slots=True)
class Caretaker:
    """One of our own people and whose customers they look after; without customers and tags it is everybody's."""

    colleague: Colleague
    customers: frozenset[str] = frozenset()  # provider ids or customer numbers
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Prepayment:
    """Prepayment and shop orders (Vorkasse): by tag, payment term or payment method (folded). `plan` is theirs; None: not dunned."""

    tags: frozenset[str] = frozenset()
    terms_days: frozenset[int] = frozenset()
    methods: frozenset[str] = frozenset()
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class AccountRules:
    """Everything that the decision about a claim of one account depends on, besides the claim. Amounts in cents.

    `cutoff`: invoices issued before this local date stay untouched (go-live). `payments_limit_days`: bank working days after which
    payment data counts as stale, where there is a bank feed; None: not checked. `minimum_interval_days` holds where a plan says nothing. `include_by_default` False: only customers included by a person.
    """

    account: str
    plans: Mapping[str, EscalationPlan]
    default_plan: str | None
    assignments: tuple[Assignment, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)  # of the agency's place
    office: Office = field(default_factory=Office)
    money: MoneyRules = field(default_factory=MoneyRules)
    creditor: Creditor = field(default_factory=Creditor)
    currencies: frozenset[str] = frozenset({"EUR"})
    language: str = "de"  # of debtors whose own is not known
    staff_language: str = "de"
    cutoff: date | None = None
    minimum: int = 0
    tolerance: int = 0
    minimum_interval_days: int = 7
    payments_limit_days: int | None = None
    letter_without_email: bool = False  # a letter takes the place of a mail that has no address
    include_by_default: bool = True
    excluded_customers: frozenset[str] = frozenset()  # provider ids or customer numbers
    excluded_customer_tags: frozenset[str] = frozenset()
    excluded_invoice_tags: frozenset[str] = frozenset()
    excluded_methods: frozenset[str] = frozenset()
    excluded_terms: frozenset[int] = frozenset()
    prepayment: Prepayment = field(default_factory=Prepayment)
    instalment_grace_days: int = 3
    deferral_days: int = 14
    links: Links | None = field(default=None, compare=False, repr=False)  # of the page on which debtors answer
    caretakers: tuple[Caretaker, ...] = ()
    files: Mapping[str, Attachment] = field(default_factory=dict)  # files that a level may attach, by name
    agency: str = ""  # name of the collection agency
    cases_url: str = ""  # where the pages of cases are; empty: nothing leads to them
    excludes_nobody: bool = field(default=True, init=False, compare=False)  # the configuration itself excludes nothing
    has_one_plan: bool = field(default=True, init=False, compare=False)  # unless a person chose another one
    of_account: Assigned = field(default=Assigned(None, None, "account"), init=False, compare=False, repr=False)
    places: dict[tuple[str, str], Calendar] = field(default_factory=dict, init=False, compare=False, repr=False)
    timetables: dict[tuple[str | None, str, str] | str | None, Timetable] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )  # by plan, country and postal code of the debtor, where they are known
    by_calendar: dict[tuple[str | None, int], Timetable] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        lists = (
            self.excluded_customers,
            self.excluded_customer_tags,
            self.excluded_invoice_tags,
            self.excluded_methods,
            self.excluded_terms,
            self.prepayment.tags,
            self.prepayment.terms_days,
            self.prepayment.methods,
        )
        object.__setattr__(self, "excludes_nobody", self.include_by_default and not any(lists))
        one_plan = self.excludes_nobody and not self.assignments
        object.__setattr__(self, "has_one_plan", one_plan)
        object.__setattr__(self, "of_account", self.assigned(self.default_plan, "account"))

    def assigned(self, name: str | None, because: str, where: str = "") -> Assigned:
        """Return the plan of that name as what a claim has, for the reason given; no plan where the name is `none` or unknown."""
        plan = None if name is None or name == NO_PLAN else self.plans.get(name)
        return Assigned(plan, name, because, where)

    def case_link(self, case_number: str | None) -> str:
        """Return the address of a case's page for staff; nothing where there are no pages, or no case yet."""
        return f"{self.cases_url}/{case_number}" if self.cases_url and case_number else ""

    @property
    def version(self) -> str:
        """Return a short fingerprint of these rules; it changes with every edit that may change a decision."""
        return hashlib.sha256(json.dumps(_plain(self), default=_plain, sort_keys=True).encode()).hexdigest()[:12]


def _plain(value: Any) -> Any:
    if isinstance(value, EscalationPlan):
        return value.version
    if is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in fields(value) if one.compare}
    if isinstance(value, Mapping):
        return dict(value)
    return sorted(map(str, value)) if isinstance(value, frozenset) else str(value)
