"""What a collection agency gets (Inkassoübergabe): a neutral JSON record, a CSV by the agency's columns, and a report for people.

The record holds what agencies ask for and what they must tell a private person at first contact (RDG 13a(1), BRAO 43d(1)). What nobody
told mahnbridge is null, never guessed.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from bridge.errors import Refused
from bridge.model import InterestRow
from bridge.plain import cell
from bridge.policy import texts

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder that reached the debtor. `legal`: a dunning letter in the sense of the law, not a friendly one."""

    level: int
    name: str
    on: date
    channel: str
    legal: bool


@dataclass(frozen=True, slots=True)
class Charge:
    """One ancillary claim: what for, since when, how much."""

    kind: str
    on: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Received:
    """One payment, by its value date; None where the provider says only how much was paid."""

    on: date | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Creditor:
    """Creditor (Gläubiger) as the agency must name them. `deducts_vat`: entitled to deduct input tax; None: not stated."""

    name: str
    street: str
    postcode: str
    city: str
    country: str
    register_entry: str
    vat_id: str
    iban: str
    email: str
    phone: str
    legal_form: str | None = None
    deducts_vat: bool | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """Debtor (Schuldner). `kind`: business, consumer or unknown; `person` acts for a company, or is the debtor.

    Legal form, names, salutation, days of birth and death and the representative are what a person said, else what the provider's record
    says. What nobody tells is null, and `unknown` of the hand-over names it.
    """

    number: str
    kind: str
    name: str
    person: str
    lines: tuple[str, ...]
    street: str
    postcode: str
    city: str
    country: str
    email: str
    phone: str
    iban: str
    address_source: str = "creditor"
    legal_form: str | None = None
    representative: str | None = None
    salutation: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    birth_date: date | None = None
    death_date: date | None = None


@dataclass(frozen=True, slots=True)
class Interest:
    """One period of constant rate and principal (RDG 13a(1) no. 3): both days included, rates in per cent per year.

    `base_rate` is None where the law names a fixed rate; `rate` is it and `points` together.
    """

    first: date
    last: date
    days: int
    base_rate: Decimal | None
    points: Decimal
    rate: Decimal
    principal: Decimal
    amount: Decimal

    @classmethod
    def of(cls, row: InterestRow) -> "Interest":
        """Return a row of the statement as the agency reads it."""
        return cls(row.first, row.last, row.days, row.base, row.points, row.rate, row.principal, row.interest)


@dataclass(frozen=True, slots=True)
class HandedClaim:
    """One claim. `principal` is the invoice's gross amount, `total` what is owed on the day of the hand-over.

    `interest_rows` compute `interest`, by the statute `interest_law`; `higher_rate_reason` says why the rate is above the statutory one
    (RDG 13a(1) no. 4), None where it is not. `contract_date` is None where nobody tells it. `obligation_fulfilled` is what the
    configuration states, None where it does not.
    """

    invoice_number: str
    invoice_date: date | None
    due_date: date | None
    subject_matter: str
    currency: str
    principal: Decimal
    principal_open: Decimal
    interest: Decimal
    charges: tuple[Charge, ...]
    total: Decimal
    default_from: date | None
    reminders: tuple[Reminder, ...]
    payments: tuple[Received, ...]
    documents: tuple[str, ...]
    disputed: bool = False
    contract_date: date | None = None
    obligation_fulfilled: bool | None = None
    interest_rows: tuple[Interest, ...] = ()
    interest_law: str | None = None
    higher_rate_reason: str | None = None

    @property
    def first_dunning_on(self) -> date | None:
        """Return the day of the first dunning letter in the sense of the law; a friendly reminder does not count."""
        return min((one.on for one in self.reminders if one.legal), default=None)

    def charged(self, *kinds: str) -> Decimal:
        """Return the sum of the charges of these kinds."""
        return sum((one.amount for one in self.charges if one.kind in kinds), ZERO)


_PERSON = ("salutation", "first_name", "last_name", "birth_date")
_ASKED = {"business": ("legal_form", "representative"), "consumer": _PERSON}


def unknown(kind: str, known: Mapping[str, Any], contracts: Iterable[date | None]) -> tuple[str, ...]:
    """Return what agencies ask for and nobody told: of the debtor by their kind, and the day of a contract."""
    asked = _ASKED.get(kind, ("legal_form", *_PERSON))
    missing = [name for name in asked if not known.get(name)]
    return (*missing, *(["contract_date"] if None in contracts else []))


@dataclass(frozen=True, slots=True)
class HandOver:
    """One hand-over: a case, its debtor and the claims that go to the agency."""

    reference: str
    handed_over_on: date
    agency: str
    client_number: str
    route: str
    creditor: Creditor
    debtor: Party
    claims: tuple[HandedClaim, ...]

    @property
    def total(self) -> Decimal:
        return sum((one.total for one in self.claims), ZERO)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the fields that the agency will ask for; in the record they are null."""
        return unknown(self.debtor.kind, asdict(self.debtor), {one.contract_date for one in self.claims})


FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "agency": "name of the agency",
        "client_number": "our number there",
        "reference": "case number",
        "handed_over_on": "day of the hand-over",
        "creditor_name": "creditor",
        "creditor_legal_form": "its legal form",
        "creditor_register": "its entry in the commercial register",
        "creditor_deducts_vat": "whether it deducts input tax: ja, nein, or empty",
        "creditor_iban": "bank account that debtors pay to",
        "debtor_number": "customer number",
        "debtor_kind": "business, consumer or unknown",
        "debtor_name": "name of the debtor",
        "debtor_person": "person at the debtor",
        "debtor_legal_form": "legal form of the debtor",
        "debtor_representative": "who represents the debtor",
        "debtor_salutation": "salutation of the person",
        "debtor_first_name": "first name of the person",
        "debtor_last_name": "last name of the person",
        "debtor_birth_date": "day of birth of the person",
        "debtor_death_date": "day of death of the person",
        "debtor_street": "street and house number",
        "debtor_postcode": "postal code",
        "debtor_city": "town",
        "debtor_country": "country code",
        "debtor_email": "e-mail address",
        "debtor_phone": "telephone number",
        "route": "extrajudicial or judicial",
        "subject_matter": "what the claim is for",
        "obligation_fulfilled": "whether what was owed in return was rendered: ja, nein, or empty",
        "invoice_number": "invoice",
        "invoice_date": "its date",
        "contract_date": "day of the contract",
        "due_date": "its due date",
        "first_dunning_on": "first dunning letter in the sense of the law",
        "last_reminder_on": "last reminder",
        "reminders": "all reminders with their days",
        "default_from": "first day of default",
        "currency": "currency",
        "principal": "gross amount of the invoice",
        "principal_open": "what is left of it",
        "fees": "reminder fees",
        "return_charges": "charges for returned direct debits",
        "flat_fee": "flat fee of 40 EUR",
        "costs": "other recovery costs",
        "interest": "default interest until the hand-over",
        "interest_computation": "its periods: days, rate, principal, amount",
        "interest_law": "statute of the rate",
        "higher_rate_reason": "why the rate is above the statutory one",
        "paid": "payments so far",
        "total": "what is owed on the day of the hand-over",
        "documents": "names of the files that come with it",
    }
)
"""Every field that a column may show, and what it is."""

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "Mandantennummer": "client_number",
        "Aktenzeichen": "reference",
        "Kundennummer": "debtor_number",
        "Schuldnerart": "debtor_kind",
        "Name": "debtor_name",
        "Rechtsform": "debtor_legal_form",
        "Vertreten durch": "debtor_representative",
        "Ansprechpartner": "debtor_person",
        "Anrede": "debtor_salutation",
        "Vorname": "debtor_first_name",
        "Nachname": "debtor_last_name",
        "Geburtsdatum": "debtor_birth_date",
        "Straße": "debtor_street",
        "PLZ": "debtor_postcode",
        "Ort": "debtor_city",
        "Land": "debtor_country",
        "E-Mail": "debtor_email",
        "Telefon": "debtor_phone",
        "Rechnungsnummer": "invoice_number",
        "Rechnungsdatum": "invoice_date",
        "Vertragsdatum": "contract_date",
        "Fälligkeit": "due_date",
        "Erste Mahnung": "first_dunning_on",
        "Letzte Mahnung": "last_reminder_on",
        "Mahnungen": "reminders",
        "Verzug ab": "default_from",
        "Währung": "currency",
        "Rechnungsbetrag": "principal",
        "Offene Hauptforderung": "principal_open",
        "Mahngebühren": "fees",
        "Rücklastschriftgebühren": "return_charges",
        "Verzugspauschale": "flat_fee",
        "Zinsen": "interest",
        "Gezahlt": "paid",
        "Gesamtforderung": "total",
        "Anlagen": "documents",
    }
)
"""Columns where the configuration names none: title and field."""


@dataclass(frozen=True, slots=True)
class Format:
    """How the CSV is written."""

    columns: Mapping[str, str] = field(default_factory=lambda: COLUMNS)
    delimiter: str = ";"
    encoding: str = "utf-8-sig"
    decimal: str = ","
    iso_dates: bool = False


def record(one: HandOver) -> dict[str, Any]:
    """Return the neutral record as JSON values: amounts and dates as text."""
    values = asdict(one)
    values |= {"total": one.total, "unknown": one.unknown}
    for claim, told in zip(one.claims, values["claims"], strict=True):
        told["first_dunning_on"] = claim.first_dunning_on
    plain: dict[str, Any] = _plain(values)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def table(handed: Iterable[HandOver], how: Format) -> bytes:
    """Return the CSV, one row per claim. Raises `Refused` where a cell cannot be written in that encoding."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=how.delimiter, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow([cell(title) for title in how.columns])
    for one in handed:
        for claim in one.claims:
            values = _values(one, claim, how)
            row = [_cell(values[name], how) for name in how.columns.values()]
            for name, value in zip(how.columns.values(), row, strict=True):
                _encodable(value, how.encoding, f"{one.reference}, {name}")
            writer.writerow(row)
    return text.getvalue().encode(how.encoding)


def _encodable(cell: str, encoding: str, where: str) -> None:
    try:
        cell.encode(encoding)
    except UnicodeEncodeError as error:
        raise Refused(
            "{where} = {cell!r} cannot be written as {encoding}; set collection.encoding to utf-8",
            where=where,
            cell=cell,
            encoding=encoding,
            cause="collection_encoding",
        ) from error


def _values(one: HandOver, claim: HandedClaim, how: Format) -> dict[str, str | date | Decimal | None]:
    debtor, last = one.debtor, max((its.on for its in claim.reminders), default=None)
    return {
        "agency": one.agency,
        "client_number": one.client_number,
        "reference": one.reference,
        "handed_over_on": one.handed_over_on,
        "creditor_name": one.creditor.name,
        "creditor_legal_form": one.creditor.legal_form,
        "creditor_register": one.creditor.register_entry,
        "creditor_deducts_vat": _yes_or_no(one.creditor.deducts_vat),
        "creditor_iban": one.creditor.iban,
        "debtor_number": debtor.number,
        "debtor_kind": debtor.kind,
        "debtor_name": debtor.name,
        "debtor_person": debtor.person,
        "debtor_legal_form": debtor.legal_form,
        "debtor_representative": debtor.representative,
        "debtor_salutation": debtor.salutation,
        "debtor_first_name": debtor.first_name,
        "debtor_last_name": debtor.last_name,
        "debtor_birth_date": debtor.birth_date,
        "debtor_death_date": debtor.death_date,
        "debtor_street": debtor.street,
        "debtor_postcode": debtor.postcode,
        "debtor_city": debtor.city,
        "debtor_country": debtor.country,
        "debtor_email": debtor.email,
        "debtor_phone": debtor.phone,
        "route": one.route,
        "subject_matter": claim.subject_matter,
        "obligation_fulfilled": _yes_or_no(claim.obligation_fulfilled),
        "invoice_number": claim.invoice_number,
        "invoice_date": claim.invoice_date,
        "contract_date": claim.contract_date,
        "due_date": claim.due_date,
        "first_dunning_on": claim.first_dunning_on,
        "last_reminder_on": last,
        "reminders": ", ".join(f"{its.name} {_cell(its.on, how)}" for its in claim.reminders),
        "default_from": claim.default_from,
        "currency": claim.currency,
        "principal": claim.principal,
        "principal_open": claim.principal_open,
        "fees": claim.charged("reminder_fee"),
        "return_charges": claim.charged("return_charge"),
        "flat_fee": claim.charged("flat_fee"),
        "costs": claim.charged("cost"),
        "interest": claim.interest,
        "interest_computation": "; ".join(_period(its, how) for its in claim.interest_rows),
        "interest_law": claim.interest_law,
        "higher_rate_reason": claim.higher_rate_reason,
        "paid": sum((its.amount for its in claim.payments), ZERO),
        "total": claim.total,
        "documents": ", ".join(claim.documents),
    }


def _yes_or_no(value: bool | None) -> str:
    return "" if value is None else "ja" if value else "nein"


def _period(one: Interest, how: Format) -> str:
    first, last, principal, amount = (_cell(value, how) for value in (one.first, one.last, one.principal, one.amount))
    return f"{first}-{last}: {one.days} x {str(one.rate).replace('.', how.decimal)} % x {principal} = {amount}"


def _cell(value: str | date | Decimal | None, how: Format) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:.2f}".replace(".", how.decimal)
    if isinstance(value, date):
        return value.isoformat() if how.iso_dates else f"{value:%d.%m.%Y}"
    return cell(value.strip(), telephone=True)


def report(handed: Sequence[HandOver], language: str) -> str:
    """Return what was handed over as a text for people, German or English."""
    de = language == "de"
    lines: list[str] = []
    for one in handed:
        agency = one.agency or ("Inkasso" if de else "collection")
        lines += [
            f"{one.reference}  {one.debtor.name} ({one.debtor.number})",
            f"{'Übergeben am' if de else 'Handed over on'} {texts.day(one.handed_over_on, language)}: {agency}",
        ]
        for claim in one.claims:
            told = ", ".join(f"{its.name} {texts.day(its.on, language)}" for its in claim.reminders)
            lines.append(f"  {claim.invoice_number}: {_sum(claim.total, claim.currency, language)}  ({told})")
        lines += [f"  {'Zusammen' if de else 'In all'}: {_sum(one.total, one.claims[0].currency, language)}", ""]
    return "\n".join(lines)


def _sum(amount: Decimal, currency: str, language: str) -> str:
    return texts.money(int(amount.scaleb(2)), currency, language)
