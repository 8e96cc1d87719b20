"""The bank side: unbooked incoming payments that may belong to a claim, how fresh the bank data is, and booked payments."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract import (
    BadRecord,
    ConfigError,
    Debtor,
    Flag,
    Invoice,
    Payment,
    PaymentKind,
    Reason,
    Refused,
    Sentence,
)
from connectors.sevdesk.api import Api, unix
from connectors.sevdesk.records import build, cents
from connectors.sevdesk.settings import SevDeskSettings

UNBOOKED = ("100", "200", "350")
"""Created, linked, and booked by sevDesk without a person's confirmation."""

FEED_DAYS = (10, 90)
"""How far back the newest entry of the bank feeds is looked for, step by step; beyond the longest limit of freshness in the end."""

LIVE = timedelta(days=1)
"""A feed that imported within this time is live, whether there was anything to import or not."""

SHORT = 5
"""A number with fewer digits says little by itself: years and postcodes look alike."""

LEGAL_FORMS = frozenset(
    [
        "gmbh",
        "ag",
        "ug",
        "kg",
        "ohg",
        "gbr",
        "mbh",
        "co",
        "und",
        "and",
        "se",
        "ev",
        "eg",
        "ek",
        "haftungsbeschraenkt",
        "haftungsbeschränkt",
        "inc",
        "ltd",
    ]
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """An incoming payment that is not finally booked: it may already have paid a claim."""

    id: str
    amount: Decimal
    value_on: date | None
    purpose: str
    payer: frozenset[str]
    iban: str


@dataclass(frozen=True, slots=True)
class Bank:
    """What the bank accounts at sevDesk show right now."""

    has_feed: bool
    as_of: datetime | None
    incoming: tuple[Incoming, ...]
    digits: str = ""
    """All purposes with nothing but digits and line ends: most invoice numbers are ruled out by one look at it."""
    unreadable: str = ""

    @property
    def digest(self) -> str:
        """Return a short form of the set of unbooked payments, to see whether it has changed."""
        text = ",".join(sorted(f"{item.id}:{item.amount}" for item in self.incoming))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def from_payer(self, debtor: Debtor) -> tuple[Incoming, ...]:
        """Return the payments whose payer is this debtor: by IBAN, or by name without legal form."""
        iban, name = iban_key(debtor.iban or ""), name_key(debtor.name)
        return tuple(
            item for item in self.incoming if (iban and item.iban == iban) or (name and _same_payer(name, item.payer))
        )

    def naming(self, invoice: Invoice) -> Iterator[Incoming]:
        """Yield the payments whose purpose names this invoice."""
        if invoice.number and any(group in self.digits for group in re.findall(r"\d+", invoice.number)):
            for item in self.incoming:
                if names(item.purpose, invoice.number, exact=item.amount == invoice.open):
                    yield item


def iban_key(text: str) -> str:
    """Return an IBAN as it compares; an old account number compares as digits."""
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def name_key(text: str) -> frozenset[str]:
    """Return the words of a name that tell people and firms apart."""
    return frozenset(re.findall(r"[^\W_]+", text.casefold())) - LEGAL_FORMS


def _same_payer(name: frozenset[str], payer: frozenset[str]) -> bool:
    """Tell whether a payer's name is the debtor's: the same words, or two and more of them with additions."""
    return name == payer or (len(name) > 1 and any(len(word) > 3 for word in name) and name <= payer)


def names(purpose: str, number: str, *, exact: bool = False) -> bool:
    """Tell whether a purpose names an invoice number, at the borders of words.

    Separators inside the number may be missing or differ (`RE-2041`, `RE 2041`, `RE2041`); line breaks inside a long number are
    bridged. The digits alone count from five digits on, or when the amount is `exact` too.
    """
    groups = re.findall(r"[^\W\d_]+|\d+", number.casefold())
    digits = [group for group in groups if group.isdigit()]
    if not digits:
        return False
    longest, all_digits, text = max(digits, key=len), "".join(digits), purpose.casefold()
    whole = re.compile(r"(?<![^\W_])" + r"[\W_]*".join(map(re.escape, groups)) + r"(?![^\W_])")
    if (len(groups) > 1 and len(all_digits) >= 3) or len(all_digits) >= SHORT or exact:
        if whole.search(text):
            return True
        if len(all_digits) >= SHORT and _bridged(groups, text):
            return True
    if len(longest) >= SHORT or (exact and len(longest) >= 2):
        return re.search(rf"(?<!\d){longest}(?!\d)", text) is not None
    return False


def _bridged(groups: Sequence[str], text: str) -> bool:
    """Look for the number in a purpose that the bank has broken into lines of 27 or 35 characters."""
    packed = re.sub(r"[\W_]+", "", text)
    return re.search(rf"(?<!\d){re.escape(''.join(groups))}(?!\d)", packed) is not None


def unmatched(invoice: Invoice, found: Iterable[Incoming]) -> tuple[Flag, ...]:
    """Return the flag that holds an open invoice for unbooked payments; those from before it was issued do not count."""
    for item in found:
        early = item.value_on is not None and invoice.issued_on is not None and item.value_on < invoice.issued_on
        if not early:
            on = Sentence(" of {day}", day=item.value_on) if item.value_on else ""
            source = Sentence("sevDesk: unbooked payment {payment}{on}", payment=item.id, on=on)
            return (Flag(reason=Reason.PAYMENT_UNMATCHED, source=source),)
    return ()


class BankReader:
    """Reads accounts, transactions and the payment log."""

    def __init__(self, api: Api, settings: SevDeskSettings, mapping: Any) -> None:
        self._api = api
        self._settings = settings
        self._tables = mapping
        self._zone = ZoneInfo(settings.time_zone)

    def read(self, now: datetime) -> Bank:
        """Read the unbooked incoming payments, and how fresh the bank feeds are."""
        if not self._settings.bank_transactions:
            return Bank(False, None, ())
        try:
            return self._read(now)
        except Refused as error:
            return Bank(False, None, (), unreadable=error.cause)
        except ConfigError as error:
            if error.cause == "http_401":
                raise
            return Bank(False, None, (), unreadable=error.cause)

    def _read(self, now: datetime) -> Bank:
        feeds = {str(row.get("id")): self._imported_at(row) for row in self._api.check_accounts() if _is_feed(row)}
        since = now - timedelta(days=self._settings.unmatched_days)
        incoming: dict[str, Incoming] = {}
        for status in UNBOOKED:
            for row in self._rows({"status": status, "startDate": unix(since)}):
                item = self._incoming(row, since)
                if item is not None:
                    incoming[item.id] = item
        digits = "\n".join(re.sub(r"\D", "", item.purpose) for item in incoming.values())
        return Bank(bool(feeds), self._newest(feeds, now) if feeds else None, tuple(incoming.values()), digits)

    def _rows(self, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for raw in self._api.transactions(params):
            fields = self._transaction(raw)
            if fields and "id" in fields and "amount" in fields:
                yield fields

    def _transaction(self, raw: Any) -> dict[str, Any] | None:
        """Return the fields of a row. Without an amount it matches nothing; without its dates it still may be somebody's payment."""
        try:
            fields: dict[str, Any] | None = self._tables["transaction"].read(raw, self._zone)
        except BadRecord as error:
            if error.field not in ("valueDate", "entryDate"):
                return None
            return self._transaction({**raw, error.field: None})
        return fields

    def _imported_at(self, account: Any) -> datetime | None:
        """Return when the feed of an account last imported payments; accounts fed by files do not say."""
        try:
            fields = self._tables["bank_account"].read(account, self._zone) or {}
        except BadRecord:
            return None
        moment: datetime | None = fields.get("imported_at")
        return moment

    def _incoming(self, fields: Mapping[str, Any], since: datetime) -> Incoming | None:
        """Return the payment of a row that the filters really meant: sevDesk ignores filters that it does not know."""
        if fields.get("status") not in UNBOOKED or fields["amount"] <= 0:
            return None
        entry = fields.get("entry_at")
        if entry is not None and entry < since - timedelta(days=1):
            return None
        try:
            amount = cents(fields["amount"], "amount")
        except BadRecord:
            amount = Decimal(0)
        return Incoming(
            fields["id"],
            amount,
            fields.get("value_on"),
            fields["purpose"],
            name_key(fields["payer"]),
            iban_key(fields["iban"]),
        )

    def _newest(self, feeds: Mapping[str, datetime | None], now: datetime) -> datetime:
        """Return up to when the feeds have seen the bank: their last import, else the newest entry, else a time long past.

        An entry alone cannot tell a quiet account from a broken feed; the import can, where sevDesk says when it was.
        """
        seen = [min(moment, now) for moment in feeds.values() if moment is not None]
        if seen and now - max(seen) < LIVE:
            return max(seen)
        for days in FEED_DAYS:
            begin = now - timedelta(days=days)
            seen += (
                fields["entry_at"]
                for fields in self._rows({"startDate": unix(begin)})
                if fields.get("account_id") in feeds and fields.get("entry_at") is not None
            )
            if seen and max(seen) >= begin:
                break
        return max(seen, default=begin)

    def payment(self, raw: Any, reminders: Mapping[str, str]) -> Payment | None:
        """Return the payment of a log entry; None where it is for another kind of document. Raises `BadRecord`.

        `reminders` leads from a reminder to its invoice: money booked there counts for the invoice.
        """
        fields = self._tables["payment"].read(raw, self._zone) or {}
        if fields.pop("object", None) != "Invoice" or "invoice_id" not in fields or "id" not in fields:
            return None
        for needed, source in (("amount", "amountPaid"), ("value_on", "bookingDate")):
            if needed not in fields:
                raise BadRecord("a payment needs it", field=source, value=raw.get(source))
        from_bank = fields.pop("transaction_id", None) is not None
        fields |= {
            "id": f"log:{fields['id']}",
            "invoice_id": reminders.get(fields["invoice_id"], fields["invoice_id"]),
            "amount": cents(fields["amount"], "amountPaid"),
            "currency": self._settings.home_currency,
            "kind": PaymentKind.TRANSFER if from_bank else PaymentKind.OTHER,
        }
        return build(Payment, fields)


def _is_feed(row: Any) -> bool:
    return isinstance(row, Mapping) and row.get("type") == "online" and str(row.get("status", "100")) != "0"


def from_paid_amount(invoice: Invoice, on: date) -> Payment:
    """Return the one payment that stands for all money on an invoice where the log cannot be read."""
    return Payment(
        id=f"paid:{invoice.id}", invoice_id=invoice.id, amount=invoice.paid, currency=invoice.currency, value_on=on
    )
