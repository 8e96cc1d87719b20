"""Letters (Briefe) as PDF: DIN 5008 form B, set by typst from data alone; nothing in the data can become markup.

The files are PDF/A-3 and PDF/UA-1 and, for the same letter, the same bytes on every machine: no clock, no fonts of the system.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import Any

import typst
from babel.dates import format_date
from babel.numbers import format_currency
from pydantic import BaseModel, ConfigDict

from bridge.errors import Refused
from bridge.model import Address, Amount, Currency

ADDRESS_LINES = 6
"""Lines that fit into the address field of DIN 5008 (27.3 mm)."""

LABELS: dict[str, dict[str, Any]] = {
    "de": {
        "columns": ["Rechnung", "vom", "fällig am", "Betrag", "bezahlt", "offen"],
        "total": "Gesamtbetrag",
        "pay_by": "Bitte zahlen Sie {amount} bis zum {date}.",
        "page": "Seite {n} von {of}",
        "date": "Datum",
        "payee": "Empfänger",
        "bank": "Bank",
        "reference": "Verwendungszweck",
    },
    "en": {
        "columns": ["Invoice", "dated", "due on", "amount", "paid", "open"],
        "total": "Total",
        "pay_by": "Please pay {amount} by {date}.",
        "page": "Page {n} of {of}",
        "date": "Date",
        "payee": "Payee",
        "bank": "Bank",
        "reference": "Reference",
    },
}

_COUNTRIES = {"AT": "ÖSTERREICH", "CH": "SCHWEIZ", "LI": "LIECHTENSTEIN", "FR": "FRANCE", "NL": "NIEDERLANDE"}
_LOCALES = {"de": "de_DE", "en": "en_GB"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sender(_Part):
    """Who writes (Absender, the creditor). `footer` holds the particulars that business letters must carry (GmbHG 35a, HGB 37a)."""

    name: str
    address: Address
    iban: str | None = None
    bic: str | None = None
    bank: str | None = None
    footer: tuple[str, ...] = ()


class ClaimRow(_Part):
    """One invoice in the letter's table. A credit note has negative amounts."""

    number: str
    issued_on: date | None = None
    due_on: date | None = None
    gross: Amount
    paid: Amount = Decimal("0.00")
    open: Amount


class Letter(_Part):
    """One letter over one or more claims. `text` stands above the table, `closing` below it; paragraphs are parted by empty lines.

    `info` are lines of the information block beside the address, `extras` ancillary claims such as a fee, both label first.
    """

    language: str = "de"
    dated_on: date
    sender: Sender
    name: str
    address: Address
    subject: str
    text: str = ""
    closing: str = ""
    info: tuple[tuple[str, str], ...] = ()
    claims: tuple[ClaimRow, ...] = ()
    extras: tuple[tuple[str, Amount], ...] = ()
    total: Amount
    currency: Currency = "EUR"
    deadline: date | None = None
    reference: str = ""


def render(letter: Letter) -> bytes:
    """Return the letter as PDF. Raises `Refused` where the address cannot be delivered to or does not fit the window."""
    data = json.dumps(_data(letter), ensure_ascii=False)
    dated = datetime(letter.dated_on.year, letter.dated_on.month, letter.dated_on.day, tzinfo=UTC)
    with _LOCK:
        pdf = _compiler().compile(
            sys_inputs={"data": data}, format="pdf", pdf_standards=["a-3a", "ua-1"], timestamp=dated
        )
    assert isinstance(pdf, bytes)
    return pdf


_LOCK = Lock()


@cache
def _compiler() -> typst.Compiler:
    source = resources.files("bridge.documents") / "letter.typ"
    assert isinstance(source, Path)
    return typst.Compiler(str(source), ignore_system_fonts=True)


def address_lines(name: str, address: Address) -> tuple[str, ...]:
    """Return the lines of the address field. Raises `Refused` where street or town is missing or there are more than six."""
    upper = address.lines or (name,)
    town = f"{address.postcode} {address.city}".strip()
    lines = [" ".join(line.split()) for line in (*upper, address.street, town) if line.strip()]
    if not address.city.strip() or not (address.street.strip() or len(upper) > 1):
        raise Refused(f"the address of {name} is not complete: street and town are needed", cause="letter_address")
    if address.country not in ("", "DE"):
        lines.append(_COUNTRIES.get(address.country, address.country))
    if len(lines) > ADDRESS_LINES:
        raise Refused(
            f"the address of {name} has {len(lines)} lines, the window {ADDRESS_LINES}", cause="letter_address"
        )
    return tuple(lines)


def _data(letter: Letter) -> dict[str, Any]:
    language = letter.language if letter.language in LABELS else "de"
    labels = LABELS[language]

    def day(value: date | None) -> str:
        return (
            ""
            if value is None
            else format_date(value, "dd.MM.yyyy" if language == "de" else "d MMM yyyy", locale=_LOCALES[language])
        )

    def money(value: Decimal) -> str:
        return format_currency(value, letter.currency, locale=_LOCALES[language])

    return {
        "labels": labels,
        "language": language,
        "subject": _plain(letter.subject),
        "sender": _sender(letter.sender),
        "reference": letter.reference,
        "address": address_lines(letter.name, letter.address),
        "info": [*letter.info, (labels["date"], day(letter.dated_on))],
        "before": _paragraphs(letter.text),
        "after": _paragraphs(letter.closing),
        "rows": [
            (
                _plain(row.number),
                day(row.issued_on),
                day(row.due_on),
                money(row.gross),
                money(row.paid),
                money(row.open),
            )
            for row in letter.claims
        ],
        "extras": [(label, money(amount)) for label, amount in letter.extras],
        "total": money(letter.total),
        "deadline": day(letter.deadline),
        "bank": _bank(letter, labels),
    }


def _sender(sender: Sender) -> dict[str, Any]:
    own = sender.address
    line = " · ".join(part for part in (sender.name, own.street, f"{own.postcode} {own.city}".strip()) if part)
    return {"name": sender.name, "return_line": line, "footer": sender.footer}


def _bank(letter: Letter, labels: Mapping[str, Any]) -> list[tuple[str, str]]:
    sender = letter.sender
    if sender.iban is None:
        return []
    plain = "".join(sender.iban.split())
    grouped = " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))
    pairs = [(labels["payee"], sender.name), ("IBAN", grouped), ("BIC", sender.bic), (labels["bank"], sender.bank)]
    return [(label, value) for label, value in (*pairs, (labels["reference"], letter.reference)) if value]


def _paragraphs(text: str) -> list[str]:
    parts = text.replace("\r\n", "\n").split("\n\n")
    return ["\n".join(_plain(line) for line in part.strip().split("\n")) for part in parts if part.strip()]


def _plain(text: str) -> str:
    """Return one line of text without control characters, which have no glyph."""
    return "".join(char if char.isprintable() else " " for char in text).strip()
