"""One reading of an account: the lists that sevDesk only offers as a whole, read once, and records judged in their light."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract import ConfigError, Debtor, Flag, Invoice, InvoiceStatus, Payment, Reason, Refused, Sentence
from connectors.sevdesk.api import Api
from connectors.sevdesk.bank import Bank, BankReader, Incoming, from_paid_amount, unmatched
from connectors.sevdesk.contacts import ContactReader, Reach
from connectors.sevdesk.invoices import InvoiceReader
from connectors.sevdesk.records import ZERO, ident
from connectors.sevdesk.reminders import ReminderReader
from connectors.sevdesk.settings import SevDeskSettings
from connectors.sevdesk.signs import SignReader, Signs

GERMANY = {"1": "DE"}
FEW = 20
"""Up to so many contacts their ways and addresses are read one by one, beyond that as whole lists."""


@dataclass
class Circumstances:
    """What judges an invoice beside its own row."""

    signs: Signs
    bank: Bank
    payers: dict[str, list[str]] = field(default_factory=dict)
    """Unbooked payments (ids) by the contact who paid them."""
    paid_on_reminders: dict[str, Decimal] = field(default_factory=dict)

    @property
    def unreadable(self) -> str:
        """Return which sources of blocks could not be read, as one text to compare."""
        signs = self.signs
        return (
            f"{signs.tags_unreadable}/{signs.block_unreadable}/{signs.methods_unreadable}/{self.bank.unreadable}".strip(
                "/"
            )
        )

    def incoming_of(self, contact: str | None) -> list[Incoming]:
        wanted = set(self.payers.get(contact or "", ()))
        return [item for item in self.bank.incoming if item.id in wanted]


class Reader:
    """Reads and judges; made anew for each pull or look."""

    def __init__(self, api: Api, settings: SevDeskSettings, mapping: Any, now: datetime) -> None:
        self.api = api
        self.settings = settings
        self.now = now
        self.zone = ZoneInfo(settings.time_zone)
        self.signs = SignReader(api, settings, mapping)
        self.bank = BankReader(api, settings, mapping)
        countries = _Countries(api)
        self.contacts = ContactReader(mapping, settings, countries)
        self.invoices = InvoiceReader(mapping, settings, countries)
        self.reminders = ReminderReader(mapping, self.zone)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def read_at(self) -> datetime:
        """Return sevDesk's own time at the begin of this reading, or ours where that is earlier: a clock ahead must skip no change."""
        return min(self.api.server_time or self.now, self.now).astimezone(UTC)

    def moment(self, value: Any) -> datetime | None:
        """Return the instant of a time as sevDesk writes it; None for what is none."""
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def circumstances(self) -> Circumstances:
        """Read what is only offered as a whole: tags, block field, payment methods, unbooked payments."""
        return Circumstances(self.signs.read(), self.bank.read(self.now))

    def invoice(self, raw: Any, around: Circumstances) -> Invoice | None:
        """Return the invoice of a row with everything that speaks against dunning it. Raises `BadRecord`."""
        id_ = ident(raw) or ""
        method = ident(raw.get("paymentMethod")) if isinstance(raw, Mapping) else None
        invoice = self.invoices.invoice(
            raw,
            tags=around.signs.invoice_tags.get(id_, ()),
            flags=self.signs.on_invoice(around.signs, id_),
            method=around.signs.method(method or ""),
            paid_on_reminders=around.paid_on_reminders.get(id_, ZERO),
        )
        if invoice is None or invoice.status is not InvoiceStatus.OPEN:
            return invoice
        flags = _bank_flags(invoice, around)
        return invoice.model_copy(update={"flags": invoice.flags + flags}) if flags else invoice

    def debtor(self, raw: Any, reach: Mapping[str, Reach], around: Circumstances) -> Debtor:
        """Return the debtor of a contact row. Raises `BadRecord`."""
        id_ = ident(raw) or ""
        parent = self.contacts.parent_of(raw)
        return self.contacts.debtor(
            raw,
            reach.get(id_, Reach()),
            reach.get(parent) if parent else None,
            tags=around.signs.contact_tags.get(id_, ()),
            flags=self.signs.on_contact(around.signs, id_),
        )

    def reach(self, contacts: Iterable[str]) -> dict[str, Reach]:
        """Read how these contacts are reached: one by one if they are few, else all at once."""
        wanted = sorted(set(contacts))
        if len(wanted) > FEW:
            return self.contacts.reach(self.api.communication_ways(), self.api.addresses())
        found: dict[str, Reach] = {}
        for id_ in wanted:
            part = self.contacts.reach(self.api.communication_ways(id_), self.api.addresses(id_))
            if id_ in part:
                found[id_] = part[id_]
        return found

    def payment_of(self, invoice: Invoice, raw: Any) -> Payment:
        """Return the payment that stands for all money on an invoice, where the log cannot be read."""
        facts = self.invoices.paid_on(raw)
        return from_paid_amount(invoice, facts or invoice.issued_on or self.today)


def _bank_flags(invoice: Invoice, around: Circumstances) -> tuple[Flag, ...]:
    if around.bank.unreadable:
        source = Sentence("sevDesk: bank transactions unreadable ({why})", why=around.bank.unreadable)
        return (Flag(reason=Reason.PAYMENT_UNMATCHED, source=source),)
    if not around.bank.incoming:
        return ()
    return unmatched(invoice, [*around.bank.naming(invoice), *around.incoming_of(invoice.debtor_id)])


class _Countries(Mapping[str, str]):
    """Codes of sevDesk's countries; Germany is known, the list is read when another one turns up first."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._codes: dict[str, str] | None = None

    def __getitem__(self, id_: str) -> str:
        if id_ in GERMANY:
            return GERMANY[id_]
        if self._codes is None:
            self._codes = self._read()
        return self._codes[id_]

    def _read(self) -> dict[str, str]:
        try:
            rows = self._api.countries()
        except (Refused, ConfigError):
            return {}
        codes = {ident(row): str(row.get("code") or "").upper() for row in rows if isinstance(row, Mapping)}
        return {id_: code for id_, code in codes.items() if id_ and len(code) == 2}

    def __iter__(self) -> Any:
        return iter({**GERMANY, **(self._codes or {})})

    def __len__(self) -> int:
        return len({**GERMANY, **(self._codes or {})})
