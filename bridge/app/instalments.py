"""Payment in instalments (Ratenzahlung): agreed by people, shown with what came in on each rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

from sqlalchemy import Connection

from bridge.app.cases import Cases
from bridge.app.results import Done
from bridge.dun.agreements import rates_of
from bridge.errors import UsageError
from bridge.model import InvoiceStatus
from bridge.policy.build import amount
from bridge.policy.holds import DUNNABLE
from bridge.policy.instalments import Rate, in_months
from bridge.store.agreements import StoredAgreement
from bridge.store.mirror import Known
from bridge.store.rows import cents


@dataclass(frozen=True, slots=True)
class RateLine:
    """One rate: its date, its amount, what came in on it; `state`: paid, open, missed."""

    on: date
    amount: Decimal
    paid: Decimal
    state: str


@dataclass(frozen=True, slots=True)
class InstalmentPlan:
    """One agreement: over which invoices, by whom and when, and how it stands. `ended`: kept, missed, lifted, replaced; or empty."""

    subject: str
    invoices: tuple[str, ...]
    currency: str
    total: Decimal
    paid: Decimal
    rates: tuple[RateLine, ...]
    note: str
    actor: str
    agreed_at: datetime
    ended: str = ""
    ended_at: datetime | None = None


class Instalments(Cases):
    """What people agree on with debtors."""

    def agree(
        self,
        case: str,
        rates: Sequence[tuple[date, Decimal]] = (),
        *,
        months: int | None = None,
        first: date | None = None,
        invoice: str | None = None,
        note: str = "",
    ) -> Done:
        """Agree on instalments over the open invoices of a case, or one of them: these `rates`, or equal ones over so many `months`.

        The invoices are left out of reminders until a rate is missed. Raises `UsageError` where the rates do not reach what is open, lie
        in the past or are not in order.
        """
        with self.store.begin() as conn:
            target, subject, account = self._target(conn, case, invoice)
            known = self._open(conn, account, target.debtor_id, target.invoice_id)
            currencies = {one.invoice.currency for one in known}
            if len(currencies) != 1:
                if not known:
                    raise UsageError("{subject} has no open invoice", subject=subject)
                raise UsageError(
                    "{subject} has open invoices in several currencies; name one with --invoice", subject=subject
                )
            covers = {one.invoice.id: cents(one.invoice.open) for one in known}
            agreed = self._rates(rates, months, first, sum(covers.values()), self.today(account))
            stamp = self.stamp(account)
            debtor_id = known[0].invoice.debtor_id
            self.store.agreements.agree(conn, account, debtor_id, covers, currencies.pop(), agreed, stamp, note)
            notes = self._tell_agency(conn, account, covers)
        return Done("agreed", subject, self.actor, count=len(agreed), until=agreed[-1].on, notes=notes)

    def _rates(
        self,
        rates: Sequence[tuple[date, Decimal]],
        months: int | None,
        first: date | None,
        total: int,
        today: date,
    ) -> tuple[Rate, ...]:
        if bool(rates) == (months is not None) or (months is not None) != (first is not None):
            raise UsageError("write the rates as DATE=AMOUNT, or --months and --first for equal monthly ones")
        if months is not None and first is not None:
            agreed = in_months(total, months, first)
        else:
            agreed = tuple(Rate(on, cents(sum_)) for on, sum_ in rates)
        if any(one.amount <= 0 for one in agreed):
            raise UsageError("a rate of nothing is none; take fewer rates")
        if agreed[0].on < today:
            raise UsageError("the first rate, {on}, lies before today ({today})", on=agreed[0].on, today=today)
        if any(later.on <= sooner.on for sooner, later in pairwise(agreed)):
            raise UsageError("the rates are not in the order of their dates")
        missing = total - sum(one.amount for one in agreed)
        if missing > 0:
            raise UsageError(
                "the rates reach {sum}, but {total} is open: {missing} is missing",
                sum=amount(total - missing),
                total=amount(total),
                missing=amount(missing),
            )
        return agreed

    def _open(self, conn: Connection, account: str, debtor_id: str | None, invoice_id: str | None) -> list[Known]:
        if invoice_id is not None:
            one = self.store.mirror.invoice(conn, account, invoice_id)
            found = [one] if one is not None else []
        else:
            assert debtor_id is not None
            dossiers = self.store.mirror.dossiers(conn, account, [debtor_id], today=self.today(account))
            found = [one for dossier in dossiers for one in dossier.invoices]
        return [
            one
            for one in found
            if one.invoice.kind in DUNNABLE and one.invoice.status is InvoiceStatus.OPEN and one.invoice.open > 0
        ]

    def agreements(self, account: str | None = None) -> tuple[InstalmentPlan, ...]:
        """Return the agreements that have not ended, oldest first, with what came in on each rate."""
        names = self.chosen((account,) if account else ())
        with self.store.reading() as conn:
            return tuple(self._agreement(conn, one) for name in names for one in self.store.agreements.live(conn, name))

    def _agreement(self, conn: Connection, known: StoredAgreement) -> InstalmentPlan:
        today = self.today(known.account)
        numbers = []
        for one in known.covers:
            stored = self.store.mirror.invoice(conn, known.account, one)
            numbers.append((stored and stored.invoice.number) or one)
        debtor = self.store.mirror.debtor(conn, known.account, known.debtor_id) if known.debtor_id else None
        return InstalmentPlan(
            subject=debtor.name if debtor else known.debtor_id or numbers[0],
            invoices=tuple(sorted(numbers)),
            currency=known.currency,
            total=amount(known.terms.total),
            paid=amount(known.terms.paid),
            rates=tuple(
                RateLine(one.rate.on, amount(one.rate.amount), amount(one.paid), one.state(today).value)
                for one in rates_of(self.store, conn, known, self.rules[known.account])
            ),
            note=known.note,
            actor=known.actor,
            agreed_at=known.created_at,
            ended=known.ended_as or "",
            ended_at=known.ended_at,
        )
