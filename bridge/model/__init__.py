"""The shared model: what every invoicing system is translated into. Frozen, exact, without behaviour that decides.

Amounts are `Decimal` with at most two places in the document's currency. Instants are aware; dates are the account's local dates.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, Field

from bridge.model.base import LARGEST as LARGEST
from bridge.model.base import Amount as Amount
from bridge.model.base import Currency as Currency
from bridge.model.base import Day as Day
from bridge.model.base import Frozen as Frozen
from bridge.model.base import Line, printed
from bridge.model.base import Term as Term
from bridge.model.claimed import AncillaryRow as AncillaryRow
from bridge.model.claimed import ClaimedInvoice as ClaimedInvoice
from bridge.model.claimed import ClaimTable as ClaimTable
from bridge.model.claimed import CreditRow as CreditRow
from bridge.model.claimed import InterestRow as InterestRow
from bridge.model.claimed import Mentioned as Mentioned
from bridge.model.claimed import PaymentDetails as PaymentDetails
from bridge.model.claimed import PaymentRow as PaymentRow
from bridge.model.colleague import Colleague as Colleague
from bridge.model.covered import Covered as Covered
from bridge.model.kinds import REACHES_DEBTOR as REACHES_DEBTOR
from bridge.model.kinds import Act as Act
from bridge.model.kinds import DebtorKind as DebtorKind
from bridge.model.kinds import InvoiceKind as InvoiceKind
from bridge.model.kinds import InvoiceStatus as InvoiceStatus
from bridge.model.kinds import NoticeStatus as NoticeStatus
from bridge.model.kinds import PaymentKind as PaymentKind
from bridge.model.kinds import Reason as Reason
from bridge.model.kinds import RefKind as RefKind
from bridge.model.kinds import Relation as Relation
from bridge.words import Said, Sentence

# ----------------------------------------------------------------------------------------------------- what we read


class Ref(Frozen):
    """A record at one provider: its id there, and its number where people and filters need one."""

    kind: RefKind
    id: str
    number: str | None = None

    @classmethod
    def invoice(cls, id: str, number: str | None = None) -> Self:  # noqa: A002
        return cls(kind=RefKind.INVOICE, id=id, number=number)

    @classmethod
    def reminder(cls, id: str, number: str | None = None) -> Self:  # noqa: A002
        return cls(kind=RefKind.REMINDER, id=id, number=number)


class Flag(Frozen):
    """Something at the provider that speaks against dunning: which reason, where it was read, until when (local date, inclusive)."""

    reason: Reason
    source: Said
    until: date | None = None


class Address(Frozen):
    """A postal address; `lines` are name and additions above the street."""

    lines: tuple[Line, ...] = ()
    street: Line = ""
    postcode: Line = ""
    city: Line = ""
    country: str = "DE"


class Contact(Frozen):
    """A person or mailbox at the debtor. `role` is the provider's, normalised: invoicing, main, work, private, other."""

    name: Line = ""
    role: str = "other"
    email: str | None = None
    phone: str | None = None


class Person(Frozen):
    """The private person, or the one who stands for a company, as the provider names them; None where it does not say."""

    salutation: Line | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    born_on: Day | None = None


class Debtor(Frozen):
    """Debtor (Schuldner) as one provider knows them. `email` is the address that reminders go to; None means: ask a person.

    `legal_form` and `person` are what the provider says of them, for a hand-over to collection. `colleagues` are our own people whom the provider names for this customer. `unusable` is what stands there in place of an e-mail
    address and is none, cut short and without control characters: nobody writes to it, people are told.
    """

    id: str
    number: str | None = None
    name: Line
    kind: DebtorKind = DebtorKind.UNKNOWN
    email: str | None = None
    contacts: tuple[Contact, ...] = ()
    address: Address | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    payment_term_days: int | None = None
    iban: str | None = None
    has_mandate: bool = False
    colleagues: tuple[Colleague, ...] = ()
    unusable: tuple[Annotated[str, AfterValidator(printed)], ...] = ()
    legal_form: Line | None = None
    person: Person | None = None
    updated_at: AwareDatetime | None = None


class Invoice(Frozen):
    """Invoice or a document that changes one. `open` is the provider's word where it has one, never gross minus paid by habit.

    Amounts of credit notes and cancellations are positive, whatever sign the provider writes; `kind` says which way they go.
    `due_on` is the printed due date (not moved to a working day); `sent` is None where the provider cannot tell.
    `contract_on` is the day of the contract behind it, where the provider tells it.
    `origin_id` and `relation` say which other document this one cancels, credits or covers.
    `amounts_clear` is False where the provider does not say in which currency an amount is.
    """

    id: str
    number: str | None = None
    kind: InvoiceKind = InvoiceKind.INVOICE
    status: InvoiceStatus
    debtor_id: str | None = None
    issued_on: Day | None = None
    due_on: Day | None = None
    payment_term_days: Term | None = None
    currency: Currency = "EUR"
    gross: Amount
    paid: Amount = Decimal("0.00")
    open: Amount
    amounts_clear: bool = True
    sent: bool | None = None
    payment_method: str | None = None
    origin_id: str | None = None
    relation: Relation | None = None
    contract_on: Day | None = None
    provider_level: int = 0
    tags: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()
    email: str | None = None
    address: Address | None = None
    language: str | None = None
    updated_at: AwareDatetime | None = None


class Payment(Frozen):
    """Money booked on an invoice; a negative amount took money back (returned debit, correction)."""

    id: str
    invoice_id: str
    amount: Amount
    currency: Currency = "EUR"
    value_on: Day
    kind: PaymentKind = PaymentKind.OTHER
    text: str = ""


class ProviderNotice(Frozen):
    """A reminder (Mahnung) that the provider holds, whoever made it. `marker` is what our write-back put there, if anything."""

    id: str
    invoice_id: str
    level: int
    status: NoticeStatus
    created_at: AwareDatetime | None = None
    dated_on: Day | None = None
    deadline: Day | None = None
    principal: Amount | None = None
    fee: Amount = Decimal("0.00")
    total: Amount | None = None
    marker: str | None = None
    superseded: bool = False


class Reject(Frozen):
    """A record that did not fit: kept raw, explained, replayable. `source` names file and line where there is one."""

    kind: str
    provider_id: str | None = None
    field: str = ""
    value: str = ""
    reason: Sentence
    source: str = ""
    raw: str


class Cursor(Frozen):
    """Where to go on reading. Opaque to everyone but the connector that wrote it; JSON values only."""

    data: Mapping[str, Any]


class Batch(Frozen):
    """One step of a pull; after it was stored, `cursor` is the point to resume from.

    `complete` on the last batch of a full listing says that all open invoices were listed, so that a stored open one which was
    missing is looked at one by one. `payments_as_of` is the newest moment up to which the provider has seen the bank account.
    """

    debtors: tuple[Debtor, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    payments: tuple[Payment, ...] = ()
    notices: tuple[ProviderNotice, ...] = ()
    rejects: tuple[Reject, ...] = ()
    cursor: Cursor
    complete: bool = False
    full: bool = False  # this batch belongs to a full listing of open invoices
    payments_as_of: AwareDatetime | None = None
    done: int | None = None
    total: int | None = None


class Snapshot(Frozen):
    """One invoice with everything that can stop its reminder, as the provider answered at `taken_at`.

    `found` False means that the provider no longer knows it; `invoice` None beside `found` that its record cannot be read as an
    invoice, which holds whatever was to be written. `related` are cancellations and credit notes with this origin.
    `history_head` is the newest entry of the provider's history of this invoice, where it has one.
    """

    invoice_id: str
    taken_at: AwareDatetime
    found: bool = True
    invoice: Invoice | None = None
    debtor: Debtor | None = None
    notices: tuple[ProviderNotice, ...] = ()
    related: tuple[Invoice, ...] = ()
    payments: tuple[Payment, ...] = ()
    payments_as_of: AwareDatetime | None = None
    history_head: str | None = None


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(Frozen):
    """One sentence of `check`, with a stable code for documentation and scripts."""

    severity: Severity
    code: str
    text: Sentence


class Health(Frozen):
    """What `Connector.check` found: whether the account works, what it can do there, and what a person should know.

    `provider_levels` names the provider's own dunning levels in their order, None where it has none of its own.
    """

    ok: bool
    acts: frozenset[Act] = frozenset()
    provider_levels: tuple[str, ...] | None = None
    findings: tuple[Finding, ...] = ()
    clock_skew_seconds: int | None = None
    has_bank_feed: bool = False


# ---------------------------------------------------------------------------------------------------- what we write


class Recipients(Frozen):
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()


class Attachment(Frozen):
    """A file that goes with a mail: our own by its name in the configuration (`path`), or a document fetched from the provider.

    Where an `optional` one cannot be had, the mail goes out without it.
    """

    filename: str
    mimetype: str = "application/pdf"
    document: Ref | None = None
    path: str | None = None
    optional: bool = False


class Content(Frozen):
    """What one step says; every act uses its part. Amounts are in `currency`; `deadline` is a local date."""

    level_name: str = ""
    language: str = "de"
    currency: Currency = "EUR"
    principal: Amount = Decimal("0.00")
    fee: Amount = Decimal("0.00")
    total: Amount = Decimal("0.00")
    deadline: date | None = None
    subject: str = ""
    text: str = ""
    html: str | None = None
    recipients: Recipients = Recipients()
    address: Address | None = None
    attachments: tuple[Attachment, ...] = ()
    message_id: str | None = None
    sent_by: str | None = None  # for MARK_SENT and NOTE: "mail" or "post"
    line: str = ""  # for NOTE and CUSTOMER_NOTE: date, level, channel, term, template and language
    link: str = ""  # beside the line: the case's page for staff
    tag: str | None = None
    payment: PaymentDetails | None = None  # None where no account is known
    country: str = "DE"  # of the creditor: how amounts are written there
    footer: tuple[str, ...] = ()  # the creditor's particulars below a mail (GmbHG 35a, HGB 37a)
    table: ClaimTable | None = None  # of what reaches the debtor: every amount in `total`, invoice by invoice

    @property
    def linked_line(self) -> str:
        """Return the line with the link to the case, for places that have room for it."""
        return f"{self.line} {self.link}".rstrip()


class WriteBack(Frozen):
    """One write-back (Rückschreiben): one act on one record, done exactly once or parked.

    `key` is unique for ever; `marker` is its short form, put where the provider gives it back on reading. `invoice` is None only
    for a mail or letter over several claims. `reminder_id` is the provider's record that an earlier step of the same notice made.
    `expected_provider_level` is the provider's own counter: highest one in the baseline plus one.
    `baseline` is the snapshot taken right before the call; `started_at` the instant of that call, for `find`. `covers` says of a
    message which claims and levels it is about (`Covered.token`), so that it is known again after a backup was restored.
    """

    key: str
    account: str
    act: Act
    invoice: Ref | None = None
    debtor_id: str | None = None
    reminder_id: str | None = None
    expected_provider_level: int | None = None
    content: Content = Content()
    baseline: Snapshot | None = None
    started_at: AwareDatetime | None = None
    covers: tuple[str, ...] = ()

    @property
    def marker(self) -> str:
        """Return the short form of the key for provider fields with little room: `mb:` and 12 hex digits."""
        import hashlib  # noqa: PLC0415  needed only when something is written

        return "mb:" + hashlib.sha256(self.key.encode()).hexdigest()[:12]


class Proof(Frozen):
    """What the provider answered to a write-back: its id of the record, its level, and the facts that were read back."""

    key: str
    at: AwareDatetime
    provider_id: str | None = None
    level: int | None = None
    deadline: date | None = None
    principal: Amount | None = None
    fee: Amount | None = None
    found_later: bool = False
    facts: Mapping[str, str] = Field(default_factory=dict)
