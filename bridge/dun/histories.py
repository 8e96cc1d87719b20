"""What is known here about the money of claims: payments, fees of notices that arrived, charges, deferrals. Read for many at once."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from bridge.model import Payment, PaymentKind, Reason
from bridge.policy.build import cents
from bridge.policy.money import Ancillary, AncillaryKind, History, Paid, Reached, Window
from bridge.policy.owed import sent_how
from bridge.policy.views import asks_from
from bridge.store import Store
from bridge.store.charges import NOTHING_ENTERED, Charge
from bridge.store.choices import StoredBlock
from bridge.store.questions import Landed

_REDUCING = frozenset({PaymentKind.CREDIT_NOTE, PaymentKind.DISCOUNT})
"""What providers book like a payment though no money came: it makes the claim smaller from the beginning."""

Key = tuple[int, int, int]
"""Round, level and repetition of a notice on one claim."""


class Histories:
    """The money side of the claims of one account. `landed` and `charges` are of all the invoices asked for."""

    def __init__(
        self, store: Store, conn: Connection, account: str, zone: ZoneInfo, invoice_ids: Sequence[str]
    ) -> None:
        self._zone = zone
        self._landed = store.questions.landed(conn, account, invoice_ids)
        self._charges = store.charges.of_all(conn, account, invoice_ids)

    def of(
        self,
        invoice_id: str,
        payments: Iterable[Payment],
        blocks: Iterable[StoredBlock],
        *,
        without: Key | None = None,
    ) -> History:
        """Return the history of one claim, given all blocks ever set on it and its customer; `without` leaves a notice out."""
        payments, landed = tuple(payments), self._landed.get(invoice_id, [])
        landed = [one for one in landed if _key(one) != without]
        entered = self._charges.get(invoice_id, NOTHING_ENTERED)
        pauses, interest_until = _pauses(blocks, self._zone)
        return History(
            payments=tuple(
                Paid(cents(one.amount), one.value_on, one.id) for one in payments if one.kind not in _REDUCING
            ),
            reductions=sum(cents(one.amount) for one in payments if one.kind in _REDUCING),
            ancillaries=(*_fees(landed), *map(_charge, entered.charges)),
            reached=tuple(_reached(one) for one in landed),
            pauses=pauses,
            interest_until=interest_until,
            waived=entered.waived,
        )


def _key(one: Landed) -> Key:
    return one.round, one.level, one.repetition


def _fees(landed: Iterable[Landed]) -> Iterator[Ancillary]:
    """Yield the fee of each level once, by however many channels it went out."""
    seen: set[Key] = set()
    for one in landed:
        if one.fee and _key(one) not in seen:
            seen.add(_key(one))
            yield Ancillary(AncillaryKind.REMINDER_FEE, one.fee, one.on, one.level_name)


def _charge(one: Charge) -> Ancillary:
    return Ancillary(AncillaryKind(one.kind), one.cents, one.on, one.note)


def _reached(one: Landed) -> Reached:
    legal, flat_fee = bool(one.basis.get("legal")), bool(one.basis.get("flat_fee"))
    interest = asks_from(one.basis).interest
    return Reached(one.on, sent_how(one.channel), one.deadline, legal, flat_fee, interest)


def _pauses(blocks: Iterable[StoredBlock], zone: ZoneInfo) -> tuple[tuple[Window, ...], date | None]:
    """Return the days of deferrals, which bear no interest, and the last day before insolvency, after which there is none."""
    windows, ends = [], []
    for one in blocks:
        start = one.created_at.astimezone(zone).date()
        if one.reason is Reason.DEFERRED:
            last = one.until if one.lifted_at is None else one.lifted_at.astimezone(zone).date()
            windows.append(Window(start, last))
        elif one.reason is Reason.INSOLVENCY and one.lifted_at is None:
            ends.append(start - timedelta(days=1))
    return tuple(windows), min(ends, default=None)
