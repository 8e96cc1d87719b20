"""What debtors answer through the link in a reminder: it pauses what they answer about, and becomes a task for a person.

Nothing that a debtor says changes an amount, books a payment or ends a case; that is for people.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from bridge.app.results import Done
from bridge.app.subjects import Subjects
from bridge.errors import UsageError
from bridge.model import Reason
from bridge.policy.calendar import DAY
from bridge.store.answers import StoredLink
from bridge.store.cases import Stamp
from bridge.store.choices import Target
from bridge.store.columns import by_link
from bridge.store.records import Notice
from bridge.store.tasks import NewTask
from bridge.words import Sentence, quoted

LONGEST_REASON = 1000
"""Characters of what a debtor may write."""

MOST_ANSWERS = 10
"""Answers to one notice; more are no conversation but a machine."""

PAID_BACK = timedelta(days=365)
"""How far back a payment that a debtor reports may lie."""


class Kind(StrEnum):
    """What a debtor can answer."""

    PAID = "paid"  # already paid on a day
    PROMISE = "promise"  # will pay on a day
    DISPUTE = "dispute"  # objects to some or all invoices
    COPY = "copy"  # wants the invoice once more
    CONTACT = "contact"  # is the wrong person


class BadAnswerGiven(UsageError):
    """A debtor's answer that cannot be taken as it is. `field`: day, reason, invoices or answer; `earliest` and `latest` bound a day."""

    def __init__(
        self, message: str, *, field: str, problem: str, earliest: date | None = None, latest: date | None = None
    ) -> None:
        super().__init__(message, cause="debtor_answer")
        self.field = field
        self.problem = problem
        self.earliest = earliest
        self.latest = latest


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page may show of a notice: no names, no amounts. `days`: between which dates each answer's day may lie."""

    notice_id: int
    language: str
    sent_on: date
    invoices: tuple[tuple[str, str], ...]  # id, number
    days: Mapping[Kind, tuple[date, date]]
    given: tuple[Kind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One answer. `invoices`: ids, all where none is named; `day` for paid and promise, `reason` for dispute and contact."""

    kind: Kind
    day: date | None = None
    reason: str = ""
    invoices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkLine:
    """The link of one notice, for staff. `out`: the notice went out, or may have; `sent_on` None: not yet, or with `over` never."""

    notice: int
    sent_on: date | None
    out: bool
    over: bool
    revoked: bool
    answers: tuple[str, ...]


class Answering(Subjects):
    """The debtor's link. A link that is forged, expired, revoked or of a notice that never went out is no link."""

    def asked(self, token: str) -> Asked | None:
        """Return what the page shows for this link, or None where it is no link that can be used."""
        with self.store.reading() as conn:
            link = self._link(conn, token)
            if link is None:
                return None
            notice = self.store.outbox.get(conn, link.notice_id)
            given = tuple(Kind(one["answer"]) for one in self.store.answers.given(conn, link))
        today = self.today(link.account)
        return Asked(
            notice_id=notice.id,
            language=notice.content.language,
            sent_on=link.sent_at.astimezone(self.port(link.account).zone).date(),
            invoices=tuple((one.invoice_id, one.invoice_number or one.invoice_id) for one in notice.claims),
            days=self._bounds(today),
            given=given,
        )

    def answer(self, token: str, given: Given) -> bool:
        """Take an answer: pause, task and journal in one transaction. Return False where it is no link that can be used.

        The last answer of its kind once more is one with it, until a person has done its task. Raises `BadAnswerGiven` where it cannot be taken as it is.
        """
        with self.store.begin() as conn:
            link = self._link(conn, token, lock=True)
            if link is None:
                return False
            notice = self.store.outbox.get(conn, link.notice_id)
            stamp = Stamp(at=self.clock(), on=self.today(link.account), actor=by_link(notice.id))
            known = tuple(one.invoice_id for one in notice.claims)
            checked = self._checked(given, known, self._bounds(stamp.on))
            before = self.store.answers.given(conn, link)
            data = _told(checked)
            last = next((one for one in reversed(before) if one["answer"] == checked.kind.value), None)
            if last is not None and last["digest"] == data["digest"] and self._waits(conn, last):
                return True
            if len(before) >= MOST_ANSWERS:
                raise BadAnswerGiven(
                    f"notice {notice.id} was answered {len(before)} times", field="answer", problem="many"
                )
            self._quiet(conn, link, notice, checked, stamp)
            task = self.store.tasks.add(conn, self._task(conn, link, checked, notice, stamp.on), stamp)
            self.store.answers.note(conn, link, {**data, "task": task}, stamp)
        return True

    def _waits(self, conn: Connection, answer: Mapping[str, Any]) -> bool:
        """Return whether nobody has done the task of an answer yet."""
        return self.store.tasks.get(conn, answer["task"]).is_open

    def links_of(self, case: str) -> tuple[LinkLine, ...]:
        """Return the links in the notices of a case, which may be named by its customer or an invoice, newest first."""
        with self.store.reading() as conn:
            case_id = self._row(conn, case).id
            return tuple(
                LinkLine(
                    one.notice_id,
                    one.sent_at.astimezone(self.port(one.account).zone).date() if one.out else None,
                    one.out,
                    one.state in ("dropped", "refused"),
                    one.revoked_at is not None,
                    tuple(str(given["answer"]) for given in self.store.answers.given(conn, one)),
                )
                for one in self.store.answers.of_case(conn, case_id)
            )

    def revoke_links(self, case: str) -> Done:
        """Revoke all links in the notices of a case, which may be named by its customer or an invoice, for ever; new notices get new ones."""
        with self.store.begin() as conn:
            row = self._row(conn, case)
            links = self.store.answers.of_case(conn, row.id)
            revoked = self.store.answers.revoke(conn, links, self.stamp(row.account))
        return Done("links_revoked", row.number, self.actor, count=revoked)

    # ------------------------------------------------------------------------------------------------------- the link

    def _link(self, conn: Connection, token: str, *, lock: bool = False) -> StoredLink | None:
        read = self.links.read(token) if self.links else None
        if read is None:
            return None
        link = self.store.answers.link(conn, read.ref, lock=lock)
        if link is None or link.account not in self.accounts or not link.out or link.revoked_at is not None:
            return None
        return link if self.today(link.account) <= read.until else None

    # ----------------------------------------------------------------------------------------------------- the answer

    def checked_answer(self, asked: Asked, given: Given) -> None:
        """Refuse an answer that could not be taken, before the debtor confirms it. Raises `BadAnswerGiven`."""
        self._checked(given, tuple(one for one, _ in asked.invoices), asked.days)

    def _bounds(self, today: date) -> Mapping[Kind, tuple[date, date]]:
        latest = today + timedelta(days=self.config.debtor_page.promise_days)
        return {Kind.PAID: (today - PAID_BACK, today), Kind.PROMISE: (today, latest)}

    def _checked(self, given: Given, known: Sequence[str], days: Mapping[Kind, tuple[date, date]]) -> Given:
        all_of_it = len(known) == 1 or given.kind is Kind.CONTACT
        if not all_of_it and not given.invoices:
            raise BadAnswerGiven("none of several invoices chosen", field="invoices", problem="missing")
        chosen = tuple(sorted(known if all_of_it and not given.invoices else set(given.invoices)))
        if not set(chosen) <= set(known):
            raise BadAnswerGiven("invoices that are not in this notice", field="invoices", problem="unknown")
        reason = "".join(sign if sign.isprintable() else " " for sign in given.reason).strip()
        if len(reason) > LONGEST_REASON:
            raise BadAnswerGiven(f"a reason of {len(reason)} characters", field="reason", problem="long")
        if given.kind is Kind.DISPUTE and not reason:
            raise BadAnswerGiven("a dispute without a reason", field="reason", problem="missing")
        bounds = days.get(given.kind)
        if bounds is None:
            return Given(kind=given.kind, reason=reason, invoices=chosen)
        if given.day is None or not bounds[0] <= given.day <= bounds[1]:
            problem = "missing" if given.day is None else "outside"
            raise BadAnswerGiven(
                f"the day {given.day}; it lies between {bounds[0]} and {bounds[1]}",
                field="day", problem=problem, earliest=bounds[0], latest=bounds[1],
            )  # fmt: skip
        return Given(kind=given.kind, day=given.day, reason=reason, invoices=chosen)

    def _quiet(self, conn: Connection, link: StoredLink, notice: Notice, given: Given, stamp: Stamp) -> None:
        """Pause what the answer is about, with the reason and the end that fit it."""
        page, choices = self.config.debtor_page, self.store.choices
        note = _words(given)
        if given.kind is Kind.CONTACT:
            customer = Target(account=link.account, debtor_id=notice.debtor_id)
            choices.block(conn, customer, Reason.ADDRESS_UNKNOWN, stamp, note=note)
            return
        reason, until = {
            Kind.PAID: (Reason.SAYS_PAID, self._bank_days(link.account, stamp.on, page.paid_wait_days)),
            Kind.PROMISE: (Reason.PROMISE_TO_PAY, given.day),
            Kind.DISPUTE: (Reason.DISPUTE, None),
            Kind.COPY: (Reason.INVOICE_EXCLUDED, stamp.on + timedelta(days=page.copy_wait_days)),
        }[given.kind]
        block = choices.block_anew if given.kind is Kind.PROMISE else choices.block  # another day breaks no promise
        for invoice_id in given.invoices:
            block(conn, Target(account=link.account, invoice_id=invoice_id), reason, stamp, note=note, until=until)

    def _bank_days(self, account: str, today: date, days: int) -> date:
        calendar, until = self.rules[account].calendar, today
        while calendar.bank_days_between(today, until) < days:
            until += DAY
        return until

    def _task(self, conn: Connection, link: StoredLink, given: Given, notice: Notice, today: date) -> NewTask:
        numbers = {one.invoice_id: one.invoice_number or one.invoice_id for one in notice.claims}
        named = ", ".join(numbers[one] for one in given.invoices)
        title = Sentence("{said} ({invoices})", said=_words(given), invoices=named)
        if self.store.handovers.among(conn, link.account, given.invoices):
            title = Sentence("{answer}; the collection agency must hear of it", answer=title)
        return NewTask(
            account=link.account,
            case_id=link.case_id,
            kind="answer",
            title=title,
            note=given.reason,
            due_on=today,
            invoice_id=given.invoices[0] if len(given.invoices) == 1 else None,
            invoices=given.invoices if len(given.invoices) > 1 and given.kind is not Kind.CONTACT else (),
        )


def _words(given: Given) -> Sentence:
    """Return what was answered, for staff; a reason is the debtor's own words."""
    match given.kind:
        case Kind.PAID:
            return Sentence("the customer answered: paid on {day}", day=given.day)
        case Kind.PROMISE:
            return Sentence("the customer answered: will pay on {day}", day=given.day)
        case Kind.DISPUTE:
            return Sentence("the customer answered: objection: {reason}", reason=quoted(given.reason))
        case Kind.COPY:
            return Sentence("the customer answered: please send the invoice again")
        case Kind.CONTACT:
            return Sentence("the customer answered: wrong contact")


def _told(given: Given) -> dict[str, object]:
    day = given.day.isoformat() if given.day else None
    plain = "\n".join([given.kind.value, day or "", given.reason, *given.invoices])
    return {
        "answer": given.kind.value,
        "until": day,
        "note": given.reason,
        "invoices": list(given.invoices),
        "digest": hashlib.sha256(plain.encode()).hexdigest()[:16],
    }
