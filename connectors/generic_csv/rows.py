"""One row of a list of invoices, as our model's invoice and debtor."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from bridge.contract import (
    Address,
    BadRecord,
    Debtor,
    Flag,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Person,
    Reason,
    Relation,
    misfit,
)
from connectors.generic_csv.cells import Amount, PaidAs, day, fold, read_amount, read_day, term_days
from connectors.generic_csv.lines import Record
from connectors.generic_csv.profiles import Words
from connectors.generic_csv.sheet import Sheet

ZERO = Decimal("0.00")
LONGEST_NUMBER = 40
"""Characters of an invoice or customer number; the ids made of them must fit the store."""

_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+")
_COUNTRIES = {
    "": "DE",
    "deutschland": "DE",
    "germany": "DE",
    "d": "DE",
    "de": "DE",
    "oesterreich": "AT",
    "austria": "AT",
    "a": "AT",
}
_COUNTRIES |= {"schweiz": "CH", "switzerland": "CH", "ch": "CH", "at": "AT"}


@dataclass(frozen=True, slots=True)
class Read:
    """What one row says. `paid_on` is the day on which the list says that the invoice was paid."""

    invoice: Invoice
    debtor: Debtor | None
    customer_no: str = ""
    paid_on: date | None = None


@dataclass(frozen=True, slots=True)
class _Money:
    gross: Decimal
    paid: Decimal
    open: Decimal
    currency: str
    clear: bool
    settled: bool | None
    paid_on: date | None = None


class RowReader:
    """Reads the rows of one sheet. `currency` is taken where the file names none."""

    def __init__(self, sheet: Sheet, words: Words, zone: ZoneInfo, currency: str) -> None:
        self._sheet, self._words, self._zone, self._currency = sheet, words, zone, currency
        self._origin = sheet.profile.origin

    def invoice_id(self, record: Record) -> str | None:
        """Return the id that this row's invoice has, None where a part of its key cannot be read."""
        parts = [self._sheet.cell(record, name) for name in self._sheet.profile.key]
        return invoice_id(self._origin, parts) if all(_is_number(part) for part in parts) else None

    def read(self, record: Record) -> Read:
        """Return what the row says. Raises `BadRecord` naming header, value and what would be right."""
        sheet = self._sheet
        if len(record.cells) > len(sheet.header) and any(cell.strip() for cell in record.cells[len(sheet.header) :]):
            raise BadRecord(
                "the row has {cells} {cells|cell|cells}, the header {header}; a text with the delimiter needs quotes",
                cells=len(record.cells),
                header=len(sheet.header),
                field="row",
                value=sheet.delimiter.join(record.cells)[:200],
            )
        number = self._number(record, "invoice_no")
        if number is None:
            raise BadRecord("a row needs its invoice number", field=sheet.title("invoice_no"), value="")
        customer = self._number(record, "customer_no") or ""
        if not customer and "customer_no" in sheet.profile.key:
            raise BadRecord("a row needs its customer account", field=sheet.title("customer_no"), value="")
        debtor = self._debtor(record, customer)
        money = self._money(record)
        kind = self._kind(record, money)
        status = self._status(record, money, kind)
        due_on, days = self._due(record)
        try:
            invoice = Invoice(
                id=invoice_id(
                    self._origin, [{"invoice_no": number, "customer_no": customer}[part] for part in sheet.profile.key]
                ),
                number=number,
                kind=kind,
                status=status,
                debtor_id=debtor.id if debtor else None,
                issued_on=self._date(record, "invoice_date"),
                contract_on=self._told_day(record, "contract_date"),
                due_on=due_on,
                payment_term_days=days,
                currency=money.currency,
                amounts_clear=money.clear,
                flags=self._flags(record),
                payment_method=sheet.cell(record, "method")[:100] or None,
                provider_level=self._level(record),
                email=debtor.email if debtor else None,
                address=debtor.address if debtor else None,
                **self._signed(money, kind, status),
                **self._origin_of(record, kind),
            )
        except ValidationError as error:
            problem = error.errors()[0]
            raise BadRecord(
                misfit(problem), field=".".join(map(str, problem["loc"])), value=str(problem["input"])[:200]
            ) from error
        return Read(invoice, debtor, customer, money.paid_on)

    @staticmethod
    def _signed(money: _Money, kind: InvoiceKind, status: InvoiceStatus) -> dict[str, Decimal]:
        """Return the amounts: those of credit notes positive, nothing open where the list says paid or cancelled."""
        gross, paid, rest = money.gross, money.paid, money.open
        if kind in (InvoiceKind.CREDIT_NOTE, InvoiceKind.CANCELLATION):
            gross, paid, rest = abs(gross), abs(paid), abs(rest)
        if status in (InvoiceStatus.PAID, InvoiceStatus.CANCELLED):
            rest, paid = ZERO, gross if status is InvoiceStatus.PAID else paid
        return {"gross": gross, "paid": paid, "open": rest}

    def _origin_of(self, record: Record, kind: InvoiceKind) -> dict[str, str | Relation]:
        other = self._sheet.cell(record, "cancels")
        if kind is not InvoiceKind.CANCELLATION or not _is_number(other) or self._sheet.profile.key != ("invoice_no",):
            return {}
        return {"origin_id": invoice_id(self._origin, [other]), "relation": Relation.CANCELS}

    def _number(self, record: Record, name: str) -> str | None:
        text = self._sheet.cell(record, name).removeprefix("'").strip()
        if text and not _is_number(text):
            raise BadRecord(
                "expected a number of at most {longest_number} printable characters",
                longest_number=LONGEST_NUMBER,
                field=self._sheet.title(name),
                value=text[:200],
            )
        return text or None

    def _date(self, record: Record, name: str) -> date | None:
        text = self._sheet.cell(record, name)
        return read_day(text, self._sheet.seen[name], self._sheet.title(name), self._zone) if text else None

    def _due(self, record: Record) -> tuple[date | None, int | None]:
        """Return due date and term; `Zahlungsziel` may be either, and a column named due date may hold days."""
        due, days = None, None
        for name in ("due_date", "term"):
            text = self._sheet.cell(record, name)
            if not text:
                continue
            if (found := term_days(text)) is not None and not _looks_like_date(text, self._zone):
                days = found
            else:
                due = due or self._date(record, name)
        issued = self._date(record, "invoice_date")
        if due is None and days is not None and issued is not None:
            due = issued + timedelta(days=days)
        return due, days

    def _amount(self, record: Record, name: str) -> Amount | None:
        text = self._sheet.cell(record, name)
        return read_amount(text, self._sheet.decimals(name), self._sheet.title(name)) if text else None

    def _money(self, record: Record) -> _Money:
        gross, rest = self._amount(record, "gross"), self._amount(record, "open")
        paid, settled, paid_on = self._paid(record)
        named = {item.currency for item in (gross, rest, paid) if item and item.currency}
        own = self._sheet.cell(record, "currency")
        if own:
            named.add(_currency(own, self._sheet.title("currency")))
        if len(named) > 1:
            raise BadRecord(
                "amounts in more than one currency", field=self._sheet.title("gross"), value="/".join(sorted(named))
            )
        sign = self._sign(record)
        partly = fold(self._sheet.cell(record, "status")) in self._words.partly and paid is None and rest is None
        whole, part, left = self._third(
            record, *(item.value if item else None for item in (gross, paid, rest)), settled=settled
        )
        currency = named.pop() if named else self._currency
        contradicts = abs(left) > abs(whole - part)  # more is open than was not paid: nobody is asked for that unseen
        return _Money(sign * whole, sign * part, sign * left, currency, not (partly or contradicts), settled, paid_on)

    def _third(
        self, record: Record, gross: Decimal | None, paid: Decimal | None, rest: Decimal | None, *, settled: bool | None
    ) -> tuple[Decimal, Decimal, Decimal]:
        """Compute the missing one of gross, paid and open. Raises `BadRecord` where two are missing and nothing tells."""
        if gross is not None and rest is not None:
            return gross, paid if paid is not None else gross - rest, rest
        if gross is not None and paid is not None:
            return gross, paid, gross - paid
        if rest is not None:
            return rest + (paid or ZERO), paid or ZERO, rest
        if gross is None:
            raise BadRecord("a row needs an amount", field=self._sheet.title("gross"), value="")
        if settled is None:
            settled = self._state(record) in (InvoiceStatus.PAID, InvoiceStatus.CANCELLED)
            if not settled and self._state(record) is None and not self._sheet.profile.open_by_default:
                raise BadRecord(
                    "nothing tells whether the invoice is open", field=self._sheet.title("gross"), value=str(gross)
                )
        return (gross, gross, ZERO) if settled else (gross, ZERO, gross)

    def _paid(self, record: Record) -> tuple[Amount | None, bool | None, date | None]:
        """Return amount, yes or no, and day of payment; which of them the column holds was decided by all its cells."""
        column, text = self._sheet.seen.get("paid"), self._sheet.cell(record, "paid")
        if column is None or (not text and column.paid_as() is PaidAs.AMOUNT):
            return None, None, None
        if column.paid_as() is PaidAs.AMOUNT:
            return self._amount(record, "paid"), None, None
        if not text or text in self._words.no or fold(text) in self._words.no:
            return None, False, None
        if fold(text) in self._words.yes:
            return None, True, None
        if column.paid_as() is PaidAs.DATE:
            return None, True, self._date(record, "paid")
        raise BadRecord("expected yes or no, a date, or an amount", field=self._sheet.title("paid"), value=text[:200])

    def _sign(self, record: Record) -> int:
        side = fold(self._sheet.cell(record, "side"))
        if side in ("", "s", "soll", "d", "debit"):
            return 1
        if side in ("h", "haben", "c", "credit"):
            return -1
        raise BadRecord("expected S or H", field=self._sheet.title("side"), value=side)

    def _state(self, record: Record) -> InvoiceStatus | None:
        text = fold(self._sheet.cell(record, "status"))
        if text in self._words.collects:
            return InvoiceStatus.OPEN
        return InvoiceStatus(self._words.status.get(text, "unknown")) if text else None

    def _status(self, record: Record, money: _Money, kind: InvoiceKind) -> InvoiceStatus:
        if self._yes(record, "cancelled"):
            return InvoiceStatus.CANCELLED
        if self._yes(record, "draft"):
            return InvoiceStatus.DRAFT
        said = self._state(record)
        if said in (InvoiceStatus.CANCELLED, InvoiceStatus.DRAFT, InvoiceStatus.UNKNOWN, InvoiceStatus.PAID):
            return said
        credit = kind in (InvoiceKind.CREDIT_NOTE, InvoiceKind.CANCELLATION)
        settled = money.settled or (money.open == 0 if credit else money.open <= 0)
        return InvoiceStatus.PAID if settled else InvoiceStatus.OPEN

    def _yes(self, record: Record, name: str) -> bool:
        text = self._sheet.cell(record, name)
        if not text or text in self._words.no or fold(text) in self._words.no:
            return False
        if fold(text) in self._words.yes:
            return True
        raise BadRecord("expected yes or no", field=self._sheet.title(name), value=text[:200])

    def _kind(self, record: Record, money: _Money) -> InvoiceKind:
        text = fold(self._sheet.cell(record, "kind"))
        kind = InvoiceKind(self._words.kinds.get(text, "other")) if text else InvoiceKind.INVOICE
        negative = money.gross < 0 and kind in (InvoiceKind.INVOICE, InvoiceKind.PARTIAL, InvoiceKind.FINAL)
        return InvoiceKind.CREDIT_NOTE if negative else kind

    def _level(self, record: Record) -> int:
        text = self._sheet.cell(record, "level")
        digits = re.search(r"\d{1,2}", text)
        return int(digits[0]) if digits else 0

    def _flags(self, record: Record) -> tuple[Flag, ...]:
        flags: list[Flag] = []
        block = self._sheet.cell(record, "block")
        if block and block not in self._words.no and fold(block) not in self._words.no:
            until = None
            if fold(block) not in self._words.yes and _looks_like_date(block, self._zone):
                until = self._date(record, "block")
            flags.append(Flag(reason=Reason.INVOICE_EXCLUDED, source=self._sheet.title("block"), until=until))
        for name in ("method", "status"):
            if fold(self._sheet.cell(record, name)) in self._words.collects:
                flags.append(Flag(reason=Reason.DIRECT_DEBIT_PENDING, source=self._sheet.title(name)))
                break
        return tuple(flags)

    def _debtor(self, record: Record, customer: str) -> Debtor | None:
        sheet = self._sheet
        name = " ".join(sheet.cell(record, "name")[:200].split())
        if not customer and not fold(name):
            return None
        key = customer or "name-" + sha256(fold(name).encode()).hexdigest()[:16]
        email = sheet.cell(record, "email")
        good = len(email) <= 254 and _EMAIL.fullmatch(email) is not None
        return Debtor(
            id=f"{self._origin}/{key}",
            number=customer or None,
            name=name or customer,
            email=email if good else None,
            unusable=(email,) if email and not good else (),
            address=self._address(record, name),
            iban="".join(sheet.cell(record, "iban").split())[:34] or None,
            has_mandate=bool(sheet.cell(record, "mandate")),
            legal_form=sheet.cell(record, "legal_form")[:60] or None,
            person=self._person(record),
        )

    def _told_day(self, record: Record, name: str) -> date | None:
        """Return a day that only a collection agency asks for; one that cannot be read holds no invoice up."""
        try:
            return self._date(record, name)
        except BadRecord:
            return None

    def _person(self, record: Record) -> Person | None:
        named = {
            part: self._sheet.cell(record, part)[:120] or None for part in ("salutation", "first_name", "last_name")
        }
        born_on = self._told_day(record, "born_on")
        return Person(**named, born_on=born_on) if any(named.values()) or born_on else None

    def _address(self, record: Record, name: str) -> Address | None:
        street, postcode, city = (self._sheet.cell(record, part)[:200] for part in ("street", "postcode", "city"))
        if not street and not city:
            return None
        country = self._sheet.cell(record, "country")
        code = _COUNTRIES.get(fold(country), country.upper() if re.fullmatch("[A-Za-z]{2}", country) else country[:60])
        return Address(lines=(name,) if name else (), street=street, postcode=postcode, city=city, country=code)


def invoice_id(origin: str, parts: list[str]) -> str:
    """Return our id of an invoice: where it comes from and its key."""
    return "/".join([origin, *(" ".join(part.removeprefix("'").split()) for part in parts)])


def _is_number(text: str) -> bool:
    return 0 < len(text) <= LONGEST_NUMBER and text.isprintable()


def _looks_like_date(text: str, zone: ZoneInfo) -> bool:
    try:
        day(text, zone)
    except ValueError:
        return False
    return True


def _currency(text: str, header: str) -> str:
    code = {"€": "EUR", "EURO": "EUR"}.get(text.strip().upper(), text.strip().upper())
    if not re.fullmatch("[A-Z]{3}", code):
        raise BadRecord("expected a currency such as EUR", field=header, value=text[:200])
    return code
