"""DATEV booking batches (EXTF, Buchungsstapel): open items computed from the bookings on debtor accounts.

Line 1 is the header (31 fields), line 2 the column names; dates are DDMM, their year follows from the header's period. Per (debtor
account, Belegfeld 1) the open amount is the sum of debits less the sum of credits.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from bridge.contract import BadRecord, Flag, Invoice, InvoiceKind, InvoiceStatus, Payment, Reason, Sentence, sentence_of
from connectors.generic_csv.cells import Decimals, day, fold, read_amount
from connectors.generic_csv.effective import BOOKED, ZERO
from connectors.generic_csv.lines import Fault, Record, records

BOOKINGS = "21"
SIDE_CLAIMS = frozenset({"31", "40"})
"""Sachverhalt: default interest and reminder fees; they are no part of the claim that interest is computed on."""

LONGEST_NUMBER = 36
"""Characters of Belegfeld 1."""

_DEBTORS = (10_000, 69_999)
"""Debtor accounts at general ledger accounts of four digits; each further digit adds one to theirs."""

_COLUMNS = {
    "amount": ("Umsatz (ohne Soll/Haben-Kz)", "Umsatz"),
    "side": ("Soll/Haben-Kennzeichen", "S/H"),
    "currency": ("WKZ Umsatz", "WKZ"),
    "account": ("Konto", "Kontonummer"),
    "contra": ("Gegenkonto (ohne BU-Schlüssel)", "Gegenkonto"),
    "day": ("Belegdatum",),
    "number": ("Belegfeld 1",),
    "second": ("Belegfeld 2",),
    "text": ("Buchungstext",),
    "block": ("Postensperre",),
    "matter": ("Sachverhalt",),
    "mandate": ("SEPA-Mandatsreferenz",),
    "blocked_until": ("Postensperre bis", "Gesperrt bis"),
    "due": ("Fälligkeit",),
    "reversal": ("Generalumkehr (GU)", "Generalumkehr"),
}


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of an EXTF file. `batch` names what a newer export of the same batch replaces."""

    created: datetime | None
    batch: str
    account_length: int
    starts: date
    ends: date
    currency: str


@dataclass(frozen=True, slots=True)
class Booking:
    """One booking on a debtor account; positive is a debit (the debtor owes more)."""

    account: str
    number: str
    line: int
    on: date
    amount: Decimal
    currency: str
    text: str = ""
    due_on: date | None = None
    blocked: bool = False
    blocked_until: date | None = None
    mandate: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            name: str(value) if isinstance(value, date | Decimal) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the booking that `as_json` wrote."""
        days = {name: date.fromisoformat(data[name]) if data[name] else None for name in ("due_on", "blocked_until")}
        return cls(**data | days | {"on": date.fromisoformat(data["on"]), "amount": Decimal(data["amount"])})


def is_extf(path: Path) -> bool:
    """Return whether the first line is an EXTF header."""
    with path.open("rb") as file:
        return file.read(20).lstrip(b"\xef\xbb\xbf").startswith((b'"EXTF"', b"EXTF;", b'"DTVF"'))


def read_header(path: Path, encoding: str, zone: ZoneInfo) -> Header:
    """Read line 1. Raises `BadRecord` naming the field's number where the batch cannot be dated."""
    first = next(records(path, encoding, ";"), None)
    if not isinstance(first, Record) or len(first.cells) < 17:
        raise BadRecord("an EXTF file starts with a header of 31 fields")
    cells = [cell.strip() for cell in first.cells]
    if cells[2] != BOOKINGS:
        raise _misfit(cells, 2, Sentence("only booking batches (category 21) can be imported"))
    starts, ends = (_header_day(cells, at) for at in (14, 15))
    length = cells[13] or "4"
    if length not in {"4", "5", "6", "7", "8"}:
        raise _misfit(cells, 13, Sentence("expected an account length from 4 to 8"))
    if ends < starts or (ends - starts).days > 366:
        raise _misfit(cells, 15, Sentence("expected a period of at most one year"))
    batch = "/".join((cells[10], cells[11], cells[12], cells[14], cells[15], cells[16]))
    return Header(
        created=_created(cells[5], zone),
        batch=sha256(batch.encode()).hexdigest()[:16],
        account_length=int(length),
        starts=starts,
        ends=ends,
        currency=(cells[21] if len(cells) > 21 else "") or "EUR",
    )


def _header_day(cells: list[str], at: int) -> date:
    text = cells[at] if re.fullmatch("[0-9]{8}", cells[at]) else "00000000"
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError as error:
        raise _misfit(cells, at, Sentence("expected a day such as 20260901")) from error


def _misfit(cells: list[str], at: int, why: Sentence) -> BadRecord:
    """Return what is wrong with one field of line 1."""
    return BadRecord("line 1, field {position} is {found!r}: {why}", position=at + 1, found=cells[at][:80], why=why)


def _created(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=zone)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Unfit:
    """A row on a debtor account that does not fit, with as much of its key as could be read."""

    line: int
    error: BadRecord
    raw: str
    account: str
    number: str


def bookings(path: Path, encoding: str, header: Header, zone: ZoneInfo) -> Iterator[Booking | Unfit | Fault]:
    """Yield the bookings on debtor accounts, and the rows and lines that do not fit."""
    columns: dict[str, int] | None = None
    names: tuple[str, ...] = ()
    for record in records(path, encoding, ";", 2):
        if isinstance(record, Fault):
            yield record
        elif columns is None:
            columns, names = _locate(record), record.cells
        elif any(cell.strip() for cell in record.cells):
            row = _Row(record, columns, names, header, zone)
            try:
                booking = row.booking()
            except BadRecord as error:
                account, number = row.key()
                yield Unfit(record.line, error, ";".join(record.cells)[:2000], account, number)
                continue
            if booking is not None:
                yield booking


def _locate(record: Record) -> dict[str, int]:
    folded = [fold(cell) for cell in record.cells]
    columns: dict[str, int] = {}
    for name, titles in _COLUMNS.items():
        at = next((folded.index(fold(title)) for title in titles if fold(title) in folded), None)
        if at is not None:
            columns[name] = at
    missing = [
        _COLUMNS[name][0] for name in ("amount", "side", "account", "contra", "day", "number") if name not in columns
    ]
    if missing:
        raise BadRecord("the column names in line 2 lack {missing}", missing=", ".join(missing))
    return columns


@dataclass(frozen=True, slots=True)
class _Row:
    record: Record
    columns: dict[str, int]
    names: tuple[str, ...]
    header: Header
    zone: ZoneInfo

    def cell(self, name: str) -> str:
        at = self.columns.get(name)
        return self.record.cells[at].strip() if at is not None and at < len(self.record.cells) else ""

    def key(self) -> tuple[str, str]:
        """Return debtor account and open-item number, each empty where it is not clear."""
        debtors = [self.cell(name) for name in ("account", "contra") if self._is_debtor(self.cell(name))]
        number = self.cell("number")
        good = 0 < len(number) <= LONGEST_NUMBER and number.isprintable()
        return debtors[0] if len(debtors) == 1 else "", number if good else ""

    def booking(self) -> Booking | None:
        """Return the booking seen from its debtor, None where no debtor is in it or it is a side claim."""
        debtors = [name for name in ("account", "contra") if self._is_debtor(self.cell(name))]
        if not debtors or self.cell("matter") in SIDE_CLAIMS:
            return None
        if len(debtors) == 2:
            raise BadRecord(
                "a booking between two debtors cannot be told apart", field="Konto", value=self.cell("account")
            )
        _, number = self.key()
        if not number:
            raise BadRecord(
                "a booking on a debtor needs its open-item number", field="Belegfeld 1", value=self.cell("number")
            )
        amount = read_amount(self.cell("amount"), Decimals.COMMA, "Umsatz").value
        side = self.cell("side").upper()
        if side not in ("S", "H"):
            raise BadRecord("expected S or H", field="Soll/Haben-Kennzeichen", value=side)
        turned = (side == "H") ^ (debtors[0] == "contra") ^ (self.cell("reversal").upper() in ("1", "G"))
        currency = self.cell("currency").upper() or self.header.currency
        if not re.fullmatch("[A-Z]{3}", currency):
            raise BadRecord("expected a currency such as EUR", field="WKZ Umsatz", value=currency)
        return Booking(
            account=self.cell(debtors[0]),
            number=number,
            line=self.record.line,
            on=self._day(),
            amount=-amount if turned else amount,
            currency=currency,
            text=self.cell("text")[:100],
            due_on=self._due(),
            blocked=self.cell("block") == "1",
            blocked_until=self._date("blocked_until"),
            mandate=bool(self.cell("mandate")),
        )

    def _is_debtor(self, account: str) -> bool:
        if not account.isascii() or not account.isdigit() or len(account) != self.header.account_length + 1:
            return False
        return _DEBTORS[0] <= int(account[:5]) <= _DEBTORS[1]

    def _day(self) -> date:
        """Read DDMM (a leading zero may be missing) in the header's period; the year is the one that puts it there."""
        text = self.cell("day")
        if re.fullmatch("[0-9]{3,4}", text):
            text = text.zfill(4)
            for year in range(self.header.starts.year, self.header.ends.year + 1):
                try:
                    found = date(year, int(text[2:]), int(text[:2]))
                except ValueError:
                    continue
                if self.header.starts <= found <= self.header.ends:
                    return found
        raise BadRecord("expected DDMM within the period of line 1", field="Belegdatum", value=text)

    def _due(self) -> date | None:
        """Return the due date: the column for it, else Belegfeld 2 where that is a date (DDMMYY)."""
        if found := self._date("due"):
            return found
        second = self.cell("second")
        if not re.fullmatch("[0-9]{6}", second):
            return None
        try:
            return day(f"{second[:2]}.{second[2:4]}.{second[4:]}", self.zone)
        except ValueError:
            return None

    def _date(self, name: str) -> date | None:
        text = self.cell(name)
        if not text or set(text) == {"0"}:
            return None
        try:
            return day(text, self.zone)
        except ValueError as error:
            raise BadRecord(sentence_of(error), field=self.names[self.columns[name]], value=text) from error


def open_item(invoice_id: str, debtor_id: str, booked: list[Booking]) -> Invoice:
    """Return the open item that a key's bookings add up to: debits are the claim, credits its payments. Raises `BadRecord`."""
    if len({booking.currency for booking in booked}) > 1:
        raise BadRecord("bookings of one open item in more than one currency", field="WKZ Umsatz", value=invoice_id)
    ordered = sorted(booked, key=lambda booking: (booking.on, booking.line))
    first = next((booking for booking in ordered if booking.amount > 0), ordered[0])
    debit = sum((booking.amount for booking in ordered if booking.amount > 0), ZERO)
    total = sum((booking.amount for booking in ordered), ZERO)
    credit_only = debit == 0
    flags = [
        Flag(reason=Reason.INVOICE_EXCLUDED, source="Postensperre", until=booking.blocked_until)
        for booking in ordered
        if booking.blocked
    ]
    if any(booking.mandate for booking in ordered):
        flags.append(Flag(reason=Reason.DIRECT_DEBIT_PENDING, source="SEPA-Mandatsreferenz"))
    gross = abs(total) if credit_only else debit
    rest = abs(total) if credit_only else max(total, ZERO)
    return Invoice(
        id=invoice_id,
        number=first.number,
        kind=InvoiceKind.CREDIT_NOTE if credit_only else InvoiceKind.INVOICE,
        status=InvoiceStatus.OPEN if rest else InvoiceStatus.PAID,
        debtor_id=debtor_id,
        issued_on=first.on,
        due_on=next((booking.due_on for booking in ordered if booking.due_on), None),
        currency=first.currency,
        gross=gross,
        paid=gross - rest,
        open=rest,
        flags=tuple(dict.fromkeys(flags)),
    )


def payments_of(invoice_id: str, batch: str, booked: list[Booking]) -> Iterator[Payment]:
    """Yield the credits of an open item; they are in its open amount already."""
    for booking in booked:
        if booking.amount < 0:
            yield Payment(
                id=f"{BOOKED}{batch}:{booking.line}",
                invoice_id=invoice_id,
                amount=-booking.amount,
                currency=booking.currency,
                value_on=booking.on,
                text=booking.text,
            )
