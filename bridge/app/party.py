"""What a collection agency asks of a debtor beside name and address: what the provider says, and what a person said here instead."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from bridge.app.results import ToldFact
from bridge.documents.handover import unknown
from bridge.model import Debtor, Invoice
from bridge.store import Store
from bridge.store.choices import Said, Target
from bridge.words import Sentence

LABELS: Mapping[str, Sentence] = {
    "legal_form": Sentence("legal form"),
    "representative": Sentence("representative"),
    "salutation": Sentence("salutation"),
    "first_name": Sentence("first name"),
    "last_name": Sentence("last name"),
    "birth_date": Sentence("day of birth"),
    "death_date": Sentence("day of death"),
    "contract_date": Sentence("day of the contract"),
}
"""Every such fact, by the name that the record has for it (`HandOver`); the last one is an invoice's, the others are the debtor's."""

CONTRACT = "contract_date"
DAYS = frozenset({"birth_date", "death_date", CONTRACT})


class SaidHere(NamedTuple):
    """What people said here: of a customer by fact, and of each of their invoices."""

    customer: Mapping[str, Said]
    invoices: Mapping[str, Mapping[str, Said]]


def said_here(store: Store, conn: Connection, account: str, debtor_id: str, invoices: Iterable[str]) -> SaidHere:
    """Return what people said of a customer and of these invoices."""
    return SaidHere(
        store.choices.said(conn, Target(account=account, debtor_id=debtor_id)),
        {one: store.choices.said(conn, Target(account=account, invoice_id=one)) for one in invoices},
    )


def value_of(name: str, text: str) -> str | date:
    """Return a fact as it was said: days as dates."""
    return date.fromisoformat(text) if name in DAYS else text


def person_of(debtor: Debtor | None, said: Mapping[str, Said]) -> dict[str, Any]:
    """Return the facts of a debtor, None where nobody tells them; a person's word stands before the provider's."""
    person = debtor.person if debtor else None
    told: dict[str, Any] = {
        "legal_form": debtor.legal_form if debtor else None,
        "representative": None,
        "salutation": person.salutation if person else None,
        "first_name": person.first_name if person else None,
        "last_name": person.last_name if person else None,
        "birth_date": person.born_on if person else None,
        "death_date": None,
    }
    return told | {name: value_of(name, one.value) for name, one in said.items() if name in told}


def contract_of(invoice: Invoice | None, said: Mapping[str, Said]) -> date | None:
    """Return the day of the contract behind an invoice, None where nobody tells it."""
    one = said.get(CONTRACT)
    if one is not None:
        return date.fromisoformat(one.value)
    return invoice.contract_on if invoice else None


def told_facts(
    debtor: Debtor | None, claims: Iterable[tuple[str, str, Invoice | None]], said: SaidHere
) -> tuple[ToldFact, ...]:
    """Return what is known, and who said it; `claims` are id, number and record of the invoices."""
    found = [
        ToldFact(name, LABELS[name], value, by=said.customer[name].by if name in said.customer else "")
        for name, value in person_of(debtor, said.customer).items()
        if value
    ]
    for one, number, invoice in claims:
        its = said.invoices[one]
        day = contract_of(invoice, its)
        if day is not None:
            by = its[CONTRACT].by if CONTRACT in its else ""
            found.append(ToldFact(CONTRACT, LABELS[CONTRACT], day, number or one, by))
    return tuple(found)


def missing(debtor: Debtor | None, invoices: Mapping[str, Invoice | None], said: SaidHere) -> tuple[str, ...]:
    """Return the names of what the agency will ask for about these invoices and nobody told."""
    contracts = {contract_of(known, said.invoices.get(one, {})) for one, known in invoices.items()}
    return unknown(debtor.kind.value if debtor else "unknown", person_of(debtor, said.customer), contracts)
