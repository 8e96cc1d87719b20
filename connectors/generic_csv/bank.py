"""Movements of a bank account (Umsätze), from CSV lists; pending ones are left out."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any, Self
from zoneinfo import ZoneInfo

from bridge.contract import BadRecord
from connectors.generic_csv.cells import fold, read_amount, read_day
from connectors.generic_csv.lines import Record
from connectors.generic_csv.profiles import Words
from connectors.generic_csv.sheet import Sheet

_RETURNS = ("rueckla", "ruecklast", "retoure", "rueckgabe", "rlastschrift", "ruecklauf", "return")


@dataclass(frozen=True, slots=True)
class Entry:
    """One booked movement; positive is money that came in. `returned`: a direct debit came back."""

    account: str
    booked_on: date
    value_on: date
    amount: Decimal
    currency: str
    text: str
    reference: str = ""
    end_to_end: str = ""
    name: str = ""
    iban: str = ""
    returned: bool = False
    original: Decimal | None = None
    bank_id: str = ""
    place: str = ""

    @property
    def twin(self) -> str:
        """Return what the same movement has in common in two formats."""
        return f"{self.account}|{self.booked_on.isoformat()}|{self.amount}|{self.currency}"

    def identity(self, occurrence: int) -> str:
        """Return the id that this movement has in every file that lists it: the bank's own, else its content."""
        content = (
            self.bank_id,
            self.text,
            self.reference,
            self.end_to_end,
            self.name,
            self.iban,
            self.value_on.isoformat(),
        )
        return sha256("\n".join((self.twin, *content, str(occurrence))).encode()).hexdigest()[:24]

    def as_json(self) -> dict[str, Any]:
        return {
            name: str(value) if isinstance(value, date | Decimal) else value for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the entry that `as_json` wrote."""
        original = data["original"]
        return cls(
            **data
            | {
                "booked_on": date.fromisoformat(data["booked_on"]),
                "value_on": date.fromisoformat(data["value_on"]),
                "amount": Decimal(data["amount"]),
                "original": Decimal(original) if original is not None else None,
            }
        )


class Occurrences:
    """Numbers movements that are alike in every respect within one file, so that two equal ones stay two."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def identity(self, entry: Entry) -> str:
        first = entry.identity(0)
        self._seen[first] += 1
        return entry.identity(self._seen[first] - 1)


class BankReader:
    """Reads the rows of one bank list."""

    def __init__(self, sheet: Sheet, words: Words, zone: ZoneInfo, currency: str) -> None:
        self._sheet, self._words, self._zone, self._currency = sheet, words, zone, currency

    def read(self, record: Record, place: str) -> Entry | None:
        """Return the movement of a row, None where it is only announced. Raises `BadRecord`."""
        sheet = self._sheet
        info = fold(sheet.cell(record, "info"))
        if any(word in info for word in self._words.pending):
            return None
        text = sheet.cell(record, "booked_on")
        if not text:
            raise BadRecord("a movement needs its booking day", field=sheet.title("booked_on"), value="")
        booked_on = read_day(text, sheet.seen["booked_on"], sheet.title("booked_on"), self._zone)
        value = sheet.cell(record, "value_on")
        value_on = read_day(value, sheet.seen["value_on"], sheet.title("value_on"), self._zone) if value else booked_on
        amount = self._amount(record, "amount")
        if amount is None:
            raise BadRecord("a movement needs its amount", field=sheet.title("amount"), value="")
        words = fold(f"{sheet.cell(record, 'booking_text')} {sheet.cell(record, 'info')}")
        original = self._amount(record, "original")
        return Entry(
            account="".join(sheet.cell(record, "account").split())[:40],
            booked_on=booked_on,
            value_on=value_on,
            amount=amount,
            currency=sheet.cell(record, "currency").upper()[:3] or self._currency,
            text=_text(sheet.cell(record, "text")),
            end_to_end=_text(sheet.cell(record, "end_to_end"))[:100],
            name=_text(sheet.cell(record, "name"))[:140],
            iban="".join(sheet.cell(record, "iban").split())[:40],
            returned=amount < 0 and any(word in words for word in _RETURNS),
            original=abs(original) if original else None,
            place=place,
        )

    def _amount(self, record: Record, name: str) -> Decimal | None:
        text = self._sheet.cell(record, name)
        return read_amount(text, self._sheet.decimals(name), self._sheet.title(name)).value if text else None


def _text(text: str) -> str:
    """Return one line of text; banks break theirs anywhere."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[:2000]).split())
