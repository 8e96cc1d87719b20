"""What the sandbox does where nobody knows for certain what sevDesk does: each answer can be chosen."""

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass
class Behaviour:
    """The unverified points of sevDesk's behaviour, and the properties of the account."""

    version: str = "2.0"
    """Bookkeeping system version of the account."""

    deadline_days: int = 7
    """The account's default term of a reminder (Mahnfrist)."""

    default_fee: Decimal = Decimal(0)
    """The account's default fee from the second reminder on."""

    fee_in_version_2: bool = False
    """Whether the default fee is charged in a 2.0 account too."""

    level_rises: str = "create"
    """When `dunningLevel` of the invoice rises: `create` or `send`."""

    reminder_bumps_update: bool = True
    """Whether making or sending a reminder changes `update` of its invoice."""

    booking_bumps_update: bool = True
    """Whether booking a payment changes `update` of the invoice."""

    tag_bumps_update: bool = False
    contact_detail_bumps_update: bool = False
    """Whether a changed e-mail address changes `update` of its contact."""

    hides_reminders: bool = False
    """Whether lists without `invoiceType`, `showAll` or `showMa` leave reminders out."""

    cancelled_status: int = 1000
    """Status of a cancelled original: 1000 as measured, or 200 as reported."""

    factory_answers_list: bool = False
    """Whether factories answer `objects` as a list of one."""

    refuses_second_draft: bool = False
    """Whether a reminder is refused while an unsent one exists."""

    deadline_is_ignored: bool = False
    """Whether `PUT /Invoice/{id}` leaves the deadline as it is, and answers as if it had changed it."""

    total_known: bool = True
    """Whether `countAll` is answered."""

    largest_page: int = 1000
    """The largest `limit` that is honoured."""

    ignored_filters: set[str] = field(default_factory=set)
    """Filters that have no effect, beside those that are unknown."""

    forbidden: set[str] = field(default_factory=set)
    """Resources (`TagRelation`, ...) that answer 403, as a lower tariff or a missing right does."""
