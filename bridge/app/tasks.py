"""Tasks (Aufgaben): what waits for people, with everything they need for it, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection

from bridge.app.cases import Cases
from bridge.app.claim_statement import ClaimStatement
from bridge.app.results import Done, Entry
from bridge.deliver import Landing
from bridge.errors import UsageError
from bridge.model import Reason
from bridge.model.period import ALWAYS, Period
from bridge.policy import ClaimView, Via
from bridge.policy.build import amount
from bridge.policy.inhouse import phone_of
from bridge.store.choices import Target
from bridge.store.tasks import DONE, OPEN, Task

CALL_OUTCOMES = ("reached", "not_reached", "wrong_number")
OUTCOMES = (*CALL_OUTCOMES, "promise", "dispute", "done")
"""How a task can end; the first three are those of a call, which is never just done."""

_HOLDS = {"promise": Reason.PROMISE_TO_PAY, "dispute": Reason.DISPUTE}
"""What an outcome holds the invoices for."""

HISTORY = 12
"""Lines of the case's timeline beside a task."""


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task. `open` is what the invoices it is about are owed now, with fees; None: more than one currency, or nothing."""

    id: int
    account: str
    kind: str
    state: str
    title: str
    case: str
    customer: str
    customer_number: str
    phone: str
    invoices: tuple[str, ...]
    open: Decimal | None
    currency: str
    owner: str
    due_on: date | None
    overdue: bool
    outcome: str = ""
    outcome_note: str = ""
    ended_at: datetime | None = None
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class TaskClaim:
    """One invoice that a task is about, as it stands now. `total` is what is open with fees."""

    invoice: str
    number: str
    due_on: date | None
    days_overdue: int | None
    open: Decimal
    fees: Decimal
    total: Decimal
    currency: str
    level: int
    level_name: str
    level_on: date | None


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """One task with what a caller needs: numbers, invoices, what was said and sent before, the last promise to pay."""

    line: TaskLine
    note: str
    email: str
    contacts: tuple[str, ...]
    claims: tuple[TaskClaim, ...]
    promise: str
    history: tuple[Entry, ...]


class Tasks(Cases):
    """What people do with tasks."""

    def tasks(
        self,
        *,
        owner: str | None = None,
        account: str | None = None,
        done: bool = False,
        due_by: date | None = None,
        period: Period = ALWAYS,
    ) -> tuple[TaskLine, ...]:
        """Return the open tasks, the one that is due first at the head; or with `done` those that were ended.

        `period`: due in it, or with `done` ended in it.
        """
        if account is not None:
            self.chosen((account,))
        with self.store.reading() as conn:
            found = self.store.tasks.listing(
                conn, states=[DONE if done else OPEN], owner=owner, account=account, due_by=due_by
            )
            return tuple(
                self._line(conn, one, self._claims_of(conn, one))
                for one in found
                if period.holds(self._day_of(one) if done else one.due_on)
            )

    def _day_of(self, one: Task) -> date | None:
        return one.ended_at.astimezone(self.port(one.account).zone).date() if one.ended_at else None

    def task(self, task_id: int) -> TaskDetail:
        """Return one task with everything that is needed for it. Raises `UsageError` where there is none."""
        with self.store.reading() as conn:
            found = self.store.tasks.get(conn, task_id)
            claims = self._claims_of(conn, found)
            today = self.today(found.account)
            row = self.store.overview.case(conn, found.case_id)
            assert row is not None
            debtor = self.store.mirror.debtor(conn, found.account, row.debtor_id)
            events = self.store.overview.timeline(conn, found.case_id)
            numbers = {one.invoice_id: one.number or one.invoice_id for one, _ in claims}
            entries = self.entries(conn, events, numbers)
            levels = {one.invoice_id: one.level_name for one in self.level_names.claims(conn, found.case_id)}
        promises = [
            entry.text
            for entry, one in zip(entries, events, strict=True)
            if one["kind"] == "promise_broken" or one["data"].get("reason") == Reason.PROMISE_TO_PAY.value
        ]
        with self.store.reading() as conn:
            line = self._line(conn, found, claims)
        return TaskDetail(
            line=line,
            note=found.note,
            email=(debtor.email or "") if debtor else "",
            contacts=tuple(
                " ".join(filter(None, (one.name, one.phone, one.email))) for one in (debtor.contacts if debtor else ())
            ),
            claims=tuple(_claim(one, told, today, levels.get(one.invoice_id, one.level_name)) for one, told in claims),
            promise=next(reversed(promises), ""),
            history=entries[-HISTORY:],
        )

    def _claims_of(self, conn: Connection, one: Task) -> list[tuple[ClaimView, ClaimStatement]]:
        """Return the claims that a task is about with what is owed on them now: its invoices, its notice's, or all open ones of the case."""
        if one.invoice_id is not None:
            ids: Sequence[str] = [one.invoice_id]
        elif one.invoices:
            ids = one.invoices
        elif one.notice_id is not None:
            ids = [claim.invoice_id for claim in self.store.outbox.get(conn, one.notice_id).claims]
        else:
            ids = [row.invoice_id for row in self.store.overview.claims(conn, one.case_id) if row.state == "open"]
        known = [self.store.mirror.invoice(conn, one.account, invoice_id) for invoice_id in ids]
        today = self.today(one.account)
        return [(self.seen(conn, its, today)[1], self.claimed(conn, its)) for its in known if its is not None]

    def _line(self, conn: Connection, one: Task, claims: Sequence[tuple[ClaimView, ClaimStatement]]) -> TaskLine:
        row = self.store.overview.case(conn, one.case_id)
        assert row is not None
        debtor = self.store.mirror.debtor(conn, one.account, row.debtor_id)
        currencies = {claim.currency for claim, _ in claims}
        total = sum((told.total for _, told in claims), amount(0))
        return TaskLine(
            id=one.id,
            account=one.account,
            kind=one.kind,
            state=one.state,
            title=one.title,
            case=row.number,
            customer=row.debtor_name or row.debtor_id,
            customer_number=row.debtor_number or "",
            phone=phone_of(debtor.contacts, debtor.email) if debtor else "",
            invoices=tuple(claim.number or claim.invoice_id for claim, _ in claims),
            open=total if len(currencies) == 1 else None,
            currency=next(iter(currencies), ""),
            owner=one.owner,
            due_on=one.due_on,
            overdue=one.is_open and one.due_on is not None and one.due_on < self.today(one.account),
            outcome=one.outcome or "",
            outcome_note=one.outcome_note or "",
            ended_at=one.ended_at,
            ended_by=one.ended_by or "",
        )

    # --------------------------------------------------------------------------------------------------------- acting

    def end_task(
        self, task_id: int, *, outcome: str, note: str = "", until: date | None = None, invoice: str | None = None
    ) -> Done:
        """End a task with its outcome. A call has then happened: its level counts from today, whatever it brought.

        A promise holds its invoices `until` that day (inclusive), a dispute until it is settled; `invoice` names one of several.
        Raises `UsageError` where the outcome does not fit, `WrongState` where the task is not open any more.
        """
        with self.store.begin() as conn:
            found = self.store.tasks.get(conn, task_id)
            _check_outcome(found, outcome, note, until)
            ids = self._about(conn, found, invoice)
            stamp = self.stamp(found.account)
            notice = self.store.outbox.get(conn, found.notice_id, lock=True) if found.notice_id else None
            self.store.tasks.end(conn, task_id, stamp, outcome=outcome, note=note)
            if notice is not None and found.kind == Via.CALL.value and notice.state == "waiting":
                landing = Landing(self.desk, self.port(found.account))
                landing.land(conn, notice, on=stamp.on, at=stamp.at, actor=self.actor)
            reason = _HOLDS.get(outcome)
            if reason is not None:
                for one in ids:
                    target = Target(account=found.account, invoice_id=one)
                    self.store.choices.block_anew(conn, target, reason, stamp, note=note, until=until)
        return Done("task_done", str(task_id), self.actor, until=until, text=outcome)

    def _about(self, conn: Connection, one: Task, invoice: str | None) -> list[str]:
        claims = self._claims_of(conn, one)
        found = [its.invoice_id for its, _ in claims if invoice in (None, its.number, its.invoice_id)]
        if invoice is not None and not found:
            raise UsageError("task {task} is not about invoice {invoice!r}", task=one.id, invoice=invoice)
        return found

    def assign_task(self, task_id: int, *, owner: str | None = None, due_on: date | None = None) -> Done:
        """Give a task to somebody, or another due day. Raises `UsageError` where neither is given."""
        if owner is None and due_on is None:
            raise UsageError("write --to NAME or --due DATE")
        with self.store.begin() as conn:
            stamp = self.stamp(self.store.tasks.get(conn, task_id).account)
            now = self.store.tasks.assign(conn, task_id, stamp, owner=owner, due_on=due_on)
        return Done("task_assigned", str(task_id), self.actor, until=now.due_on, text=now.owner)


def _check_outcome(one: Task, outcome: str, note: str, until: date | None) -> None:
    call = one.kind == Via.CALL.value
    fitting = tuple(name for name in OUTCOMES if (name != "done" if call else name not in CALL_OUTCOMES))
    if outcome not in fitting:
        raise UsageError(
            "{outcome!r} is no outcome of this task; there are {fitting}", outcome=outcome, fitting=", ".join(fitting)
        )
    if (outcome == "promise") is not (until is not None):
        raise UsageError("a promise needs --until DATE, the day by which it will be paid; no other outcome has one")
    if outcome == "dispute" and not note:
        raise UsageError("a dispute needs --note TEXT: what is disputed, and why")


def _claim(one: ClaimView, told: ClaimStatement, today: date, level_name: str) -> TaskClaim:
    late = one.due_on is not None and one.due_on < today
    return TaskClaim(
        invoice=one.invoice_id,
        number=one.number or "",
        due_on=one.due_on,
        days_overdue=(today - one.due_on).days if late and one.due_on else None,
        open=told.asked_principal,
        fees=told.asked_ancillary,
        total=told.total,
        currency=one.currency,
        level=one.level,
        level_name=level_name,
        level_on=one.level_on,
    )
