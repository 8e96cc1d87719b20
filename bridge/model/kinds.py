"""The words of the model: kinds, states, acts and reasons, each a closed list."""

from collections.abc import Mapping
from enum import StrEnum

from bridge.words import Sentence


class RefKind(StrEnum):
    INVOICE = "invoice"
    DEBTOR = "debtor"
    REMINDER = "reminder"


class InvoiceKind(StrEnum):
    """What a document is. Only `INVOICE`, `PARTIAL` and `FINAL` are ever dunned."""

    INVOICE = "invoice"
    PARTIAL = "partial"
    FINAL = "final"
    CREDIT_NOTE = "credit_note"
    CANCELLATION = "cancellation"
    OTHER = "other"


class InvoiceStatus(StrEnum):
    """`UNKNOWN` is a value the provider sent that we do not know; it is held, never dunned."""

    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Relation(StrEnum):
    """What a document does to its `origin_id`: cancel it, reduce it (credit note), or contain it (final invoice)."""

    CANCELS = "cancels"
    CREDITS = "credits"
    COVERS = "covers"


class DebtorKind(StrEnum):
    BUSINESS = "business"
    CONSUMER = "consumer"
    UNKNOWN = "unknown"


class PaymentKind(StrEnum):
    TRANSFER = "transfer"
    DIRECT_DEBIT = "direct_debit"
    CREDIT_NOTE = "credit_note"
    DISCOUNT = "discount"
    OTHER = "other"


class NoticeStatus(StrEnum):
    """State of a reminder at the provider. `FINAL` is completed there but not shown as sent."""

    DRAFT = "draft"
    FINAL = "final"
    SENT = "sent"
    CANCELLED = "cancelled"


class Act(StrEnum):
    """What a write-back does. The first group is done by a connector, the second by a channel of ours."""

    CREATE = "create"  # make the provider's reminder draft
    AMEND = "amend"  # set deadline, fee and texts on our draft and compare what is read back; harmless to repeat
    COMPLETE = "complete"  # finalise the draft; nothing is sent
    SEND_EMAIL = "send_email"  # the provider sends its reminder by e-mail
    SEND_POST = "send_post"  # the provider's post service sends it
    MARK_SENT = "mark_sent"  # record at the provider that our own letter or mail went out
    DISCARD = "discard"  # delete our own draft
    NOTE = "note"  # the line on the invoice
    TAG = "tag"  # status tag on the invoice
    CUSTOMER_NOTE = "customer_note"  # the same line in the customer's record

    MAIL = "mail"  # our own SMTP
    LETTER = "letter"  # our own letter outbox
    TELL = "tell"  # a mail by our own SMTP to colleagues, never to the debtor

    @property
    def sentence(self) -> Sentence:
        """What it does, in words that follow "cannot"."""
        return _DOES[self]


_DOES: Mapping[Act, Sentence] = {
    Act.CREATE: Sentence("create a reminder"),
    Act.AMEND: Sentence("amend a reminder"),
    Act.COMPLETE: Sentence("complete a reminder"),
    Act.SEND_EMAIL: Sentence("send a reminder by e-mail"),
    Act.SEND_POST: Sentence("send a reminder by post"),
    Act.MARK_SENT: Sentence("mark a reminder as sent"),
    Act.DISCARD: Sentence("delete a draft"),
    Act.NOTE: Sentence("write a line on the invoice"),
    Act.TAG: Sentence("set a tag on the invoice"),
    Act.CUSTOMER_NOTE: Sentence("write a line in the customer's record"),
    Act.MAIL: Sentence("send a mail"),
    Act.LETTER: Sentence("write a letter"),
    Act.TELL: Sentence("tell colleagues"),
}


REACHES_DEBTOR: frozenset[Act] = frozenset({Act.SEND_EMAIL, Act.SEND_POST, Act.MAIL, Act.LETTER})
"""Acts whose effect cannot be taken back. Their absence is never provable: `find` returns the proof or raises `CannotTell`."""


class Reason(StrEnum):
    """Reason code of a decision, a hold or a drop. Each has plain words in German and English in the message catalogue."""

    LEVEL_DUE = "level_due"
    NOT_DUE = "not_due"
    NO_DUE_DATE = "no_due_date"
    WITHIN_GRACE = "within_grace"
    LEVEL_AGE = "level_age"  # the next level's day has not come
    DEADLINE_RUNNING = "deadline_running"  # the term set by the last notice has not passed
    MINIMUM_INTERVAL = "minimum_interval"
    NOT_WORKING_DAY = "not_working_day"
    OUTSIDE_HOURS = "outside_hours"
    GROUP_WAITING = "group_waiting"  # a plan for bundles is checked again only later
    PLAN_COMPLETE = "plan_complete"
    COLLECTION_NOT_READY = "collection_not_ready"  # something is missing before a hand-over to collection
    NO_PLAN = "no_plan"

    PAID = "paid"
    CANCELLED = "cancelled"
    CREDITED = "credited"
    COVERED = "covered"  # contained in a final invoice
    DRAFT = "draft"
    NOT_SENT = "not_sent"
    NOT_DUNNABLE = "not_dunnable"  # credit note, cancellation, template
    UNKNOWN_STATUS = "unknown_status"
    GONE = "gone"  # the provider no longer knows the invoice
    UNREADABLE = "unreadable"  # the provider knows it, but its answer cannot be read
    BALANCE_NOT_POSITIVE = "balance_not_positive"
    BELOW_MINIMUM = "below_minimum"
    FOREIGN_CURRENCY = "foreign_currency"
    AMOUNT_UNCLEAR = "amount_unclear"
    BEFORE_CUTOFF = "before_cutoff"

    CUSTOMER_EXCLUDED = "customer_excluded"
    INVOICE_EXCLUDED = "invoice_excluded"
    DEFERRED = "deferred"
    DISPUTE = "dispute"
    PROMISE_TO_PAY = "promise_to_pay"
    SAYS_PAID = "says_paid"  # the debtor says so; the bank gets some days to show it
    PAYMENT_PLAN = "payment_plan"
    DIRECT_DEBIT_PENDING = "direct_debit_pending"
    PREPAYMENT = "prepayment"
    INSOLVENCY = "insolvency"
    COLLECTION = "collection"
    PARKED = "parked"
    ADDRESS_UNKNOWN = "address_unknown"  # the debtor says that we write to the wrong person
    CLOSED_BY_HAND = "closed_by_hand"

    PAYMENT_UNMATCHED = "payment_unmatched"
    STALE_DATA = "stale_data"
    OWN_REMINDER_RUNNING = "own_reminder_running"
    OWN_DRAFT_LEFT = "own_draft_left"  # a draft of ours at the provider that nothing here goes on from
    FOREIGN_REMINDER_RUNNING = "foreign_reminder_running"
    NO_RECIPIENT = "no_recipient"
    NO_CHANNEL = "no_channel"
    WRITING_SUSPENDED = "writing_suspended"
    GLOBAL_PAUSE = "global_pause"
    SENDING_OFF = "sending_off"
    DISK_FULL = "disk_full"  # what goes out could not be recorded
    CHANGED = "changed"  # amount, recipient or level differ from what was decided or approved
    UNDELIVERED = "undelivered"
    APPROVAL_PENDING = "approval_pending"
    REFUSED = "refused"  # a person refused the same proposal
