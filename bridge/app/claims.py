"""What is owed on an invoice on a day, with the computation (Forderungsaufstellung)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.app.claim_statement import ClaimStatement, statement
from bridge.app.explaining import Explaining
from bridge.errors import UsageError
from bridge.model import Debtor, DebtorKind, Finding, Payment, PaymentKind, Reason
from bridge.policy import ClaimView, Via
from bridge.policy.holds import DUNNABLE
from bridge.policy.money import (
    Ancillary,
    AncillaryKind,
    ClaimInputs,
    DayCount,
    DueFacts,
    DueSource,
    LegalDunning,
    MoneyRules,
    Paid,
    RateTable,
    Rounding,
    Sent,
    Window,
    account_of,
    assumed_receipt,
    load_tables,
)
from bridge.store.choices import StoredBlock
from bridge.store.mirror import Known
from bridge.store.records import Notice, NoticeClaim
from bridge.store.rows import cents

_REDUCING = frozenset({PaymentKind.CREDIT_NOTE, PaymentKind.DISCOUNT})
"""What providers book like a payment though no money came: it makes the claim smaller from the beginning."""


class Landed(NamedTuple):
    """A notice that reached the debtor, its part about this invoice, and the day."""

    notice: Notice
    claim: NoticeClaim
    on: date


class Claims(Explaining):
    """What computes claims."""

    @cached_property
    def rate_tables(self) -> Mapping[str, RateTable]:
        """Return the tables of base rates, by country. Raises `ConfigError` where an own file is wrong."""
        return load_tables(self.config.claims.base_rates)

    def rate_findings(self) -> tuple[Finding, ...]:
        """Return a warning where the base rate of today's half-year is not known."""
        table = self.rate_tables.get(self.config.creditor.country)
        found = table.finding(self.today()) if table and self.config.claims.interest else None
        return (found,) if found else ()

    def money_rules(self, account: str) -> MoneyRules:
        """Return how claims of an account are computed."""
        own = self.config.claims
        return MoneyRules(
            country=self.config.creditor.country,
            calendar=self.rules[account].calendar,
            tables=self.rate_tables,
            interest=own.interest,
            points=own.points,
            day_count=DayCount(own.day_count),
            rounding=Rounding(own.rounding),
            interest_minimum=cents(own.interest_minimum),
            keep_ancillaries=own.keep_ancillaries,
        )

    def claim(self, invoice: str, *, on: date | None = None, account: str | None = None) -> tuple[ClaimStatement, ...]:
        """Return what is owed on this invoice (number or id) today, or on date `on` if nothing more is paid; one answer per account.

        Raises `UsageError` where no account has it.
        """
        if account is not None:
            self.chosen((account,))
        with self.store.reading() as conn:
            known = [one for one in self.store.mirror.by_number(conn, invoice, account) if one.account in self.accounts]
            if not known:
                raise UsageError(f"there is no invoice {invoice!r}; `mahnbridge pull` reads what is new")
            claims = [one for one in known if one.invoice.kind in DUNNABLE]
            if not claims:
                raise UsageError(f"{invoice!r} is no invoice but a {known[0].invoice.kind.value}")
            return tuple(self._claim(conn, one, on or self.today(one.account)) for one in claims)

    def _claim(self, conn: Connection, known: Known, on: date) -> ClaimStatement:
        name, invoice = known.account, known.invoice
        debtor = self.store.mirror.debtor(conn, name, invoice.debtor_id) if invoice.debtor_id else None
        payments = self.store.mirror.payments(conn, name, [invoice.id]).get(invoice.id, ())
        ids = self.store.questions.notices_of(conn, name, invoice.id)
        notices = [self.store.outbox.get(conn, one) for one in ids]
        debtors = [invoice.debtor_id] if invoice.debtor_id else []
        blocks = self.store.choices.blocks(conn, name, debtor_ids=debtors, invoice_ids=[invoice.id])
        _, view = self.seen(conn, known, self.today(name))
        inputs = self._inputs(
            known,
            view,
            debtor,
            payments=payments,
            notices=notices,
            ancillaries=self.ancillaries(conn, name, invoice.id),
            blocks=blocks,
        )
        return statement(known, debtor, inputs, account_of(inputs, on, self.money_rules(name)), self.language)

    def _inputs(
        self,
        known: Known,
        view: ClaimView,
        debtor: Debtor | None,
        *,
        payments: Sequence[Payment],
        notices: Sequence[Notice],
        ancillaries: tuple[Ancillary, ...],
        blocks: Sequence[StoredBlock],
    ) -> ClaimInputs:
        invoice = known.invoice
        zone = self.accounts[known.account].zone
        landed = [*_landed(notices, invoice.id)]
        suspended, interest_until = _pauses(blocks, zone)
        reducing = [one for one in payments if one.kind in _REDUCING]
        return ClaimInputs(
            principal=cents(invoice.gross),
            due=self._due(known, self._kind(debtor), landed),
            number=invoice.number or invoice.id,
            currency=invoice.currency,
            reductions=sum(cents(one.amount) for one in reducing),
            credits=view.linked_credits + view.shared_credits,
            payments=tuple(Paid(cents(one.amount), one.value_on, one.id) for one in payments if one not in reducing),
            ancillaries=ancillaries,
            flat_fee_on=self._flat_fee_on(view, landed),
            open_at_provider=cents(invoice.open),
            suspended=suspended,
            interest_until=interest_until,
        )

    def ancillaries(self, conn: Connection, account: str, invoice_id: str) -> tuple[Ancillary, ...]:
        """Return the fees of notices that reached the debtor, and the charges that people entered, oldest first."""
        ids = self.store.questions.notices_of(conn, account, invoice_id)
        landed = _landed([self.store.outbox.get(conn, one) for one in ids], invoice_id)
        charges = (
            Ancillary(AncillaryKind(one.kind), one.cents, one.on, one.note)
            for one in self.store.charges.of(conn, account, invoice_id)
        )
        return tuple(sorted((*_fees(landed), *charges), key=lambda one: one.on))

    def _kind(self, debtor: Debtor | None) -> DebtorKind:
        kind = debtor.kind if debtor else DebtorKind.UNKNOWN
        assumed = self.config.claims.unknown_kind
        return DebtorKind.BUSINESS if kind is DebtorKind.UNKNOWN and assumed == "business" else kind

    def _due(self, known: Known, kind: DebtorKind, landed: Sequence[Landed]) -> DueFacts:
        invoice, own, calendar = known.invoice, self.config.claims, self.rules[known.account].calendar
        issued = invoice.issued_on
        received = assumed_receipt(issued, Sent.MAIL, kind, calendar) if issued and invoice.sent is not False else None
        return DueFacts(
            kind=kind,
            country=self.config.creditor.country,
            due_source=DueSource(own.due_source),
            due_on=invoice.due_on,
            issued_on=issued,
            invoice_received_on=received,
            consumer_notice=own.consumer_notice,
            dunned=tuple(
                LegalDunning(assumed_receipt(one.on, _how(one.notice), kind, calendar), one.notice.deadline)
                for one in landed
                if self._is_legal(one)
            ),
        )

    def _is_legal(self, landed: Landed) -> bool:
        """Return whether a notice was a dunning letter in the sense of the law; one of a level that is gone counts as none."""
        plan, level = self.plans.get(landed.notice.plan), landed.claim.level
        return plan is not None and level <= len(plan.levels) and plan.level(level).is_legal_dunning

    def _flat_fee_on(self, view: ClaimView, landed: Sequence[Landed]) -> date | None:
        """Return the day on which the level was reached from which the flat fee is asked for."""
        start = self.config.claims.flat_fee_from_level
        if start is None:
            return None
        days = [one.on for one in landed if one.claim.level >= start]
        if not days and view.level >= start and view.level_on is not None:
            days = [view.level_on]
        return min(days, default=None)


def _landed(notices: Sequence[Notice], invoice_id: str) -> Iterator[Landed]:
    for notice in notices:
        for claim in notice.claims:
            if claim.invoice_id == invoice_id and claim.landed_on is not None:
                yield Landed(notice, claim, claim.landed_on)


def _how(notice: Notice) -> Sent:
    return Sent.LETTER if notice.channel in (Via.LETTER.value, Via.PROVIDER_POST.value) else Sent.MAIL


def _fees(landed: Iterable[Landed]) -> Iterator[Ancillary]:
    for one in landed:
        if one.claim.fee:
            text = one.claim.level_name or one.notice.level_name
            yield Ancillary(AncillaryKind.REMINDER_FEE, cents(one.claim.fee), one.on, text)


def _pauses(blocks: Sequence[StoredBlock], zone: ZoneInfo) -> tuple[tuple[Window, ...], date | None]:
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
