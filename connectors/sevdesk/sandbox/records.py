"""The records that the sandbox keeps, and how they look on the wire."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from bridge.testing.wire import BERLIN

CLIENT = {"id": "99001", "objectName": "SevClient"}
USER = {"id": "7001", "objectName": "SevUser"}
RULE = {"id": "1", "objectName": "TaxRule"}
TAX = Decimal("1.19")


def moment(value: datetime | None) -> str | None:
    """Return an instant as sevDesk writes it: with Berlin's offset, to the second."""
    return None if value is None else value.astimezone(BERLIN).replace(microsecond=0).isoformat()


def midnight(value: date | None) -> str | None:
    """Return a date as sevDesk writes it: midnight in Berlin."""
    return None if value is None else datetime(value.year, value.month, value.day, tzinfo=BERLIN).isoformat()


def money(value: Decimal) -> str:
    """Return an amount as sevDesk writes it: text without a fixed number of places."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: Decimal) -> int | Decimal:
    """Return an amount as a JSON number, an integer where it is one."""
    return int(value) if value == value.to_integral_value() else value.normalize()


def ref(id_: int | None, name: str) -> dict[str, str] | None:
    return None if id_ is None else {"id": str(id_), "objectName": name}


def omit_missing(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """Leave out references that are null, as sevDesk does."""
    for name in names:
        if row[name] is None:
            del row[name]
    return row


@dataclass(slots=True)
class Document:
    """A row of `/Invoice`: invoice, cancellation or reminder. `spoilt` replaces fields on the wire."""

    id: int
    type: str
    status: int
    contact: int | None
    issued_on: date
    created: datetime
    updated: datetime
    number: str | None = None
    days: int | None = 14
    gross: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    paid_on: date | None = None
    currency: str = "EUR"
    level: int | None = None
    origin: int | None = None
    origin_model: str = "Invoice"
    debit: Decimal | None = None
    charge: Decimal = Decimal(0)
    deadline: date | None = None
    sent_at: datetime | None = None
    send_type: str = "0"
    header: str = ""
    note: str | None = None
    method: int | None = None
    mandate: str | None = None
    payer_iban: str | None = None
    has_time: bool = False
    address: tuple[str, str, str, str] | None = None
    spoilt: dict[str, Any] | None = None

    @property
    def open(self) -> Decimal:
        return self.gross - self.paid

    def row(self) -> dict[str, Any]:
        """Return the record as sevDesk answers it."""
        net = (self.gross / TAX).quantize(Decimal("0.01"))
        name, street, zip_, city = self.address or (None, None, None, None)
        row: dict[str, Any] = {
            "id": str(self.id),
            "objectName": "Invoice",
            "invoiceNumber": self.number,
            "contact": ref(self.contact, "Contact"),
            "create": moment(self.created),
            "update": moment(self.updated),
            "sevClient": CLIENT,
            "invoiceDate": moment(self.created) if self.has_time else midnight(self.issued_on),
            "header": self.header or f"Rechnung NR. {self.number or ''}".strip(),
            "headText": None,
            "footText": None,
            "timeToPay": None if self.days is None else str(self.days),
            "discountTime": None,
            "discount": "0",
            "payDate": midnight(self.paid_on),
            "createUser": USER,
            "deliveryDate": midnight(self.issued_on),
            "deliveryDateUntil": None,
            "status": str(self.status),
            "smallSettlement": "0",
            "contactPerson": USER,
            "taxRate": "0",
            "taxRule": RULE,
            "taxText": "Umsatzsteuer 19%",
            "dunningLevel": None if self.level is None else str(self.level),
            "taxType": "default",
            "sendDate": moment(self.sent_at),
            "invoiceType": self.type,
            "reminderTotal": None if self.debit is None else money(self.debit + self.charge),
            "reminderDebit": None if self.debit is None else money(self.debit),
            "reminderDeadline": midnight(self.deadline),
            "reminderCharge": money(self.charge),
            "addressName": name,
            "addressStreet": street,
            "addressZip": zip_,
            "addressCity": city,
            "currency": self.currency,
            "sumNet": money(net),
            "sumTax": money(self.gross - net),
            "sumGross": money(self.gross),
            "sumDiscounts": "0",
            "sumNetForeignCurrency": "0",
            "sumTaxForeignCurrency": "0",
            "sumGrossForeignCurrency": "0",
            "sumDiscountsForeignCurrency": "0",
            "sumNetAccounting": money(net),
            "sumTaxAccounting": money(self.gross - net),
            "sumGrossAccounting": money(self.gross),
            "paidAmount": number(self.paid),
            "customerInternalNote": self.note,
            "showNet": "1",
            "enshrined": moment(self.sent_at),
            "sendType": self.send_type,
            "sendPaymentReceivedNotificationDate": None,
            "einvoiceReference": None,
            "sepaMandateReference": self.mandate,
            "sepaCreditorId": None,
            "sepaPayerIban": self.payer_iban,
            "origin": ref(self.origin, self.origin_model),
            "paymentMethod": ref(self.method, "PaymentMethod"),
        }
        omit_missing(row, "contact", "origin", "paymentMethod")
        return row if self.spoilt is None else {**row, **self.spoilt}


@dataclass(slots=True)
class Person:
    """A row of `/Contact`: an organisation (`name`) or a person (`first`, `last`)."""

    id: int
    created: datetime
    updated: datetime
    name: str | None = None
    first: str | None = None
    last: str | None = None
    number: str | None = None
    parent: int | None = None
    iban: str | None = None
    vat_number: str | None = None
    mandate: str | None = None
    category: int = 3
    spoilt: dict[str, Any] | None = None

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": str(self.id),
            "objectName": "Contact",
            "create": moment(self.created),
            "update": moment(self.updated),
            "name": self.name,
            "status": "1000",
            "customerNumber": self.number,
            "surename": self.first,
            "familyname": self.last,
            "titel": None,
            "category": ref(self.category, "Category"),
            "description": None,
            "academicTitle": None,
            "gender": None,
            "sevClient": CLIENT,
            "name2": None,
            "birthday": None,
            "vatNumber": self.vat_number,
            "bankAccount": self.iban,
            "bankNumber": None,
            "defaultCashbackTime": None,
            "defaultCashbackPercent": None,
            "defaultTimeToPay": None,
            "taxNumber": None,
            "taxOffice": None,
            "exemptVat": "0",
            "defaultDiscountAmount": None,
            "defaultDiscountPercentage": "0",
            "buyerReference": None,
            "governmentAgency": "0",
            "mandateReference": self.mandate,
            "parent": ref(self.parent, "Contact"),
        }
        omit_missing(row, "parent")
        return row if self.spoilt is None else {**row, **self.spoilt}


@dataclass(slots=True)
class CreditNote:
    """A row of `/CreditNote`; its amount is positive."""

    id: int
    status: int
    contact: int | None
    issued_on: date
    gross: Decimal
    created: datetime
    updated: datetime
    number: str | None = None
    reduces: int | None = None
    category: str = "UNDERACHIEVEMENT"

    def row(self) -> dict[str, Any]:
        net = (self.gross / TAX).quantize(Decimal("0.01"))
        row: dict[str, Any] = {
            "id": str(self.id),
            "objectName": "CreditNote",
            "create": moment(self.created),
            "update": moment(self.updated),
            "creditNoteNumber": self.number,
            "contact": ref(self.contact, "Contact"),
            "creditNoteDate": moment(self.created),
            "status": str(self.status),
            "header": f"Gutschrift NR. {self.number}",
            "createUser": USER,
            "sevClient": CLIENT,
            "deliveryDate": midnight(self.issued_on),
            "smallSettlement": "0",
            "contactPerson": USER,
            "taxRate": "0",
            "taxRule": RULE,
            "taxType": "default",
            "creditNoteType": "CN",
            "sendDate": None,
            "currency": "EUR",
            "sumNet": money(net),
            "sumTax": money(self.gross - net),
            "sumGross": money(self.gross),
            "sumDiscounts": "0",
            "sumNetForeignCurrency": "0",
            "sumTaxForeignCurrency": "0",
            "sumGrossForeignCurrency": "0",
            "sumDiscountsForeignCurrency": "0",
            "customerInternalNote": None,
            "showNet": "1",
            "sendType": None,
            "bookingCategory": self.category,
            "refSrcInvoice": ref(self.reduces, "Invoice"),
        }
        return omit_missing(row, "contact", "refSrcInvoice")


@dataclass(slots=True)
class Transaction:
    """A row of `/CheckAccountTransaction`."""

    id: int
    account: int
    amount: Decimal
    value_on: date
    entered: datetime
    status: int = 100
    purpose: str | None = None
    payer: str | None = None
    iban: str | None = None

    def row(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "objectName": "CheckAccountTransaction",
            "create": moment(self.entered),
            "update": moment(self.entered),
            "sevClient": CLIENT,
            "valueDate": midnight(self.value_on),
            "entryDate": moment(self.entered),
            "amount": money(self.amount),
            "paymtPurpose": self.purpose,
            "payeePayerName": self.payer,
            "payeePayerAcctNo": self.iban,
            "payeePayerBankCode": None,
            "gvCode": "166" if self.amount > 0 else None,
            "entryText": None,
            "primaNotaNo": None,
            "checkAccount": ref(self.account, "CheckAccount"),
            "status": str(self.status),
            "enshrined": None,
            "feeAmount": None,
            "externalId": None,
            "deletedAt": None,
        }


@dataclass(slots=True)
class Plain:
    """A small record whose row is written out where it is made."""

    id: int
    data: dict[str, Any]
    created: datetime = field(default_factory=lambda: datetime.now(UTC))

    def row(self) -> dict[str, Any]:
        return {"id": str(self.id), **self.data}
