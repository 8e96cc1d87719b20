"""What a dunning run stores: cases and claims, decisions, notices with their steps, next dates, and the journal's lines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from bridge.dun.left_drafts import LeftDrafts
from bridge.dun.printing import tell_unprintable
from bridge.dun.views import Seen
from bridge.errors import WrongState
from bridge.model import Reason
from bridge.policy import AccountRules, CaseView, ClaimView, Decision, NoticeDraft, Outcome, leftover, words
from bridge.policy.beside import Other
from bridge.policy.build import amount
from bridge.policy.calendar import DAY
from bridge.policy.colleagues import account_owner
from bridge.policy.drafts import TaskDraft
from bridge.policy.holds import outdated_on
from bridge.policy.mentions import why
from bridge.store import Store
from bridge.store.cases import Stamp, Standing
from bridge.store.choices import Target
from bridge.store.evidence import DECIDED, evidence
from bridge.store.outbox import NoticeExists
from bridge.store.records import Beside, NewClaim, NewNotice, NewStep
from bridge.store.tasks import DONE, OPEN, NewTask
from bridge.words import Sentence, both

_UNTOLD = frozenset({Reason.NOT_DUE, Reason.NOT_DUNNABLE, Reason.DRAFT, Reason.NO_DUE_DATE})
"""Reasons that are not stored as long as the invoice is in no case."""

ADDRESS = "address"
"""Kind of the task about a text at the provider that is no e-mail address."""

_ROUTINE = frozenset(
    {
        Reason.LEVEL_AGE,
        Reason.WITHIN_GRACE,
        Reason.DEADLINE_RUNNING,
        Reason.MINIMUM_INTERVAL,
        Reason.NOT_WORKING_DAY,
        Reason.OWN_REMINDER_RUNNING,
        Reason.NOT_DUE,
        Reason.REFUSED,
    }
)
"""Holds that need no line in the journal: the way things go. Where one waits for a person all the same, it has one."""


class Keeper:
    """Stores one account's part of a run, in the caller's transactions; with `asks` every notice waits for an approval.

    `fonts` is the folder of `letters.fonts`.
    """

    def __init__(
        self,
        store: Store,
        rules: AccountRules,
        run_id: int,
        stamp: Stamp,
        *,
        asks: bool = False,
        fonts: Path | None = None,
    ) -> None:
        self._store = store
        self._rules = rules
        self._name = rules.account
        self._run_id = run_id
        self._stamp = stamp
        self._asks = asks
        self._fonts = fonts
        self._next: dict[str, date | None] = {}
        self._marks: dict[int, str] = {}
        self._left_drafts = LeftDrafts(store, rules.account, stamp)

    # -------------------------------------------------------------------------------------------- before composing

    def drop(self, conn: Connection, seen: Seen, claim: ClaimView, reason: Reason, facts: Mapping[str, Any]) -> bool:
        """Drop the notice that runs for `claim`; return False where a call of it is under way, whose outcome comes first."""
        assert claim.running is not None
        text = words.told(reason, facts)
        try:
            self._store.outbox.drop(
                conn,
                claim.running.notice_id,
                reason=reason.value,
                text=text,
                today=self._stamp.on,
                now=self._store.now(),
            )
        except WrongState:
            return False
        standing = seen.standings.get(claim.invoice_id)
        self._note(
            conn,
            "notice_dropped",
            standing.case_id if standing else None,
            invoice_id=claim.invoice_id,
            notice_id=claim.running.notice_id,
            data={"reason": reason.value, "text": text},
        )
        return True

    def enter(self, conn: Connection, seen: Seen, decisions: Iterable[Decision]) -> Seen:
        """Open and reopen cases and claims, adopt reminders made elsewhere; return the debtor with the case they have now."""
        standings = dict(seen.standings)
        case_id, number = seen.case_id, seen.case.case_number
        stamp = self._stamp
        for one in decisions:
            known = standings.get(one.invoice_id)
            if one.outcome is Outcome.CLOSE or not (one.enters or known):
                continue
            if known is None:
                if case_id is None:
                    case_id, number = self._store.cases.open_case(conn, self._name, seen.case.debtor_id, stamp)
                self._store.cases.open_claim(conn, case_id, self._name, one.invoice_id, stamp)
            elif not known.is_open and one.enters:
                self._store.cases.reopen_claim(conn, known, stamp, new_round=one.round > known.round)
                for task in self._store.tasks.about(conn, self._name, one.invoice_id, leftover.KIND):
                    self._store.tasks.end(conn, task, stamp, outcome="done")  # its letters ask for them again
            elif one.adoption is None and not _moves(known, seen):
                continue
            known = self._stand(conn, one.invoice_id)
            if _moves(known, seen):
                self._store.cases.move_claim(conn, known, seen.case.debtor_id, stamp)
                known = self._stand(conn, one.invoice_id)
            if one.adoption is not None and known.is_open:
                self._adopt(conn, known, one, stamp)
            standings[one.invoice_id] = known
            case_id, number = known.case_id, known.case_number
        case = replace(seen.case, case_number=number)
        return replace(seen, case=case, standings=standings, case_id=case_id)

    def _stand(self, conn: Connection, invoice_id: str) -> Standing:
        return self._store.cases.standings(conn, self._name, [invoice_id])[invoice_id]

    def _adopt(self, conn: Connection, known: Standing, one: Decision, stamp: Stamp) -> None:
        assert one.adoption is not None
        rules = self._rules
        plan = rules.plans.get(one.plan) if one.plan else None
        level = one.adoption.level
        name = plan.level(level).name_in(rules.staff_language) if plan and 1 <= level <= len(plan.levels) else ""
        self._store.cases.adopt(conn, known, one.adoption, name=name, stamp=stamp)

    # --------------------------------------------------------------------------------------------- after composing

    def asked(self, conn: Connection, seen: Seen, drafts: Sequence[NoticeDraft]) -> tuple[NoticeDraft, ...]:
        """Return the drafts; one in whose place a person had changed the text waits for a person, who has not seen what it says by now."""
        if seen.case_id is None:
            return tuple(drafts)
        found = (
            one.leaves and self._store.outbox.rewritten(conn, seen.case_id, _known(seen, one), one.level)
            for one in drafts
        )
        return tuple(replace(one, asked=True) if it else one for one, it in zip(drafts, found, strict=True))

    def keep(
        self, conn: Connection, seen: Seen, decisions: Sequence[Decision], drafts: Sequence[NoticeDraft]
    ) -> dict[int, int]:
        """Store decisions, closings and notices; return the notices' ids by their place in `drafts`."""
        self._store_decisions(conn, seen, decisions)
        for one in decisions:
            known = seen.standings.get(one.invoice_id)
            if one.outcome is Outcome.CLOSE and known is not None and known.is_open:
                self._store.cases.close_claim(conn, known, one.reason, self._stamp)
                if one.reason is Reason.PAID:
                    claim = next(its for its in seen.case.claims if its.invoice_id == one.invoice_id)
                    tell_left_over(self._store, conn, seen.case, claim, self._rules, known.case_id, self._stamp)
            self._next[one.invoice_id] = one.next_on
        ids: dict[int, int] = {}
        for number, draft in enumerate(drafts):
            notice_id = self._insert(conn, seen, draft)
            if notice_id is not None:
                ids[number] = notice_id
            else:
                self._next.update({one.invoice_id: self._stamp.on + DAY for one in draft.claims})
            if (draft.needs_approval or self._asks) and draft.deadline is not None:
                again_on = outdated_on(draft.deadline, self._stamp.on, self._stamp.on)
                self._next.update({one.invoice_id: again_on for one in draft.claims})
        for one in decisions:
            if one.outcome is Outcome.ESCALATE:
                self._used(conn, one, seen.case)
        self._left_drafts.follow(conn, seen.case_id, seen.case.claims, decisions)
        if seen.case.unusable and seen.case_id is not None:
            tell_unusable(self._store, conn, seen.case, seen.case_id, self._stamp)
        return ids

    def flush(self, conn: Connection) -> None:
        """Write the next dates of what was decided since the last time, and put the decisions into the journal."""
        self._store.mirror.set_next(conn, self._name, self._next)
        if self._marks:
            self._note(conn, DECIDED, None, data=evidence(self._marks))
        self._next, self._marks = {}, {}

    def _store_decisions(self, conn: Connection, seen: Seen, decisions: Sequence[Decision]) -> None:
        told = [
            one
            for one in decisions
            if one.invoice_id in seen.standings
            or one.enters
            or (one.outcome is Outcome.HOLD and one.reason not in _UNTOLD)
        ]
        if not told:
            return
        before = self._store.runs.decided(conn, self._name, [one.invoice_id for one in told])
        pairs = [(one, before.get(one.invoice_id)) for one in told]
        new, marks = self._store.runs.store(conn, self._run_id, self._name, seen.case.debtor_id, pairs)
        self._marks |= marks
        for one in new:
            if one.outcome is Outcome.HOLD and (one.reason not in _ROUTINE or one.waits):
                text = words.told(one.reason, one.facts)
                standing = seen.standings.get(one.invoice_id)
                case_id = standing.case_id if standing else None
                data = {"reason": one.reason.value, "text": text}
                self._note(conn, "held", case_id, invoice_id=one.invoice_id, data=data)

    def _insert(self, conn: Connection, seen: Seen, draft: NoticeDraft) -> int | None:
        claim_ids = {one.invoice_id: seen.standings[one.invoice_id].claim_id for one in draft.claims}
        assert seen.case_id is not None
        new = new_notice(draft, seen.case_id, self._run_id, claim_ids)
        new = replace(new, needs_approval=new.needs_approval or self._asks)
        try:
            notice_id = self._store.outbox.insert(conn, new, now=self._store.now())
        except NoticeExists:  # the unique key guards; whatever made it, it is already there
            return None
        data: dict[str, Any] = {
            "level": draft.level,
            "level_name": draft.level_name,
            "channel": draft.channel.value,
            "recipient": draft.recipient,
            "total": str(amount(draft.total)),
            "currency": draft.currency,
            "deadline": draft.deadline.isoformat() if draft.deadline else None,
            "invoices": [one.number or one.invoice_id for one in draft.claims],
        }
        kind = "notice_proposed" if new.needs_approval else "notice_queued"
        only = draft.claims[0].invoice_id if len(draft.claims) == 1 else None
        self._note(conn, kind, seen.case_id, invoice_id=only, notice_id=notice_id, data=data)
        if draft.task is not None:
            self._store.tasks.add(conn, new_task(draft, draft.task, seen.case_id, notice_id), self._stamp)
        tell_unprintable(self._store, conn, seen.case, draft, notice_id, seen.case_id, self._fonts, self._stamp)
        return notice_id

    def _used(self, conn: Connection, one: Decision, case: CaseView) -> None:
        """End the choices that this notice used up, and note which levels were passed over and by whom."""
        stamp = self._stamp
        target = Target(account=self._name, invoice_id=one.invoice_id)
        if one.chosen_by:
            self._store.choices.withdraw(conn, target, "next_level", stamp)
        if one.variant is not None:
            self._store.choices.withdraw(conn, target, "next_variant", stamp)
        if one.skipped:
            data = {"skipped": list(one.skipped), "by": one.chosen_by or "plan", "level": one.level}
            self._note(conn, "levels_skipped", None, invoice_id=one.invoice_id, data={**data, "debtor": case.debtor_id})

    # ------------------------------------------------------------------------------------------------------ inside

    def _note(self, conn: Connection, kind: str, case_id: int | None, **more: Any) -> None:
        self._store.journal.note(
            conn,
            kind,
            self._stamp,
            account=self._name,
            case_id=case_id,
            run_id=self._run_id,
            **more,
        )


def tell_left_over(  # noqa: PLR0917  two call sites
    store: Store, conn: Connection, case: CaseView, claim: ClaimView, rules: AccountRules, case_id: int, stamp: Stamp
) -> None:
    """Give a person the ancillary claims that stay open beside a paid principal: no reminder asks for them alone."""
    left = leftover.left_over(case, claim, rules, stamp.on)
    if left is None:
        return
    owner = account_owner(case, rules)
    title, note = leftover.task_text(left)
    new = NewTask(
        account=case.account,
        case_id=case_id,
        kind=leftover.KIND,
        title=title,
        note=note,
        owner=owner.email if owner else "",
        invoice_id=claim.invoice_id,
    )
    store.tasks.add(conn, new, stamp)


def tell_unusable(store: Store, conn: Connection, case: CaseView, case_id: int, stamp: Stamp) -> None:
    """Let a person correct what stands at the provider in place of an e-mail address: one task for each such text."""
    note = ", ".join(case.unusable)
    known = store.tasks.listing(conn, states=(OPEN, DONE), case_id=case_id)
    if any(one.kind == ADDRESS and one.note == note for one in known):
        return
    task = NewTask(
        account=case.account,
        case_id=case_id,
        kind=ADDRESS,
        title=Sentence("Correct the e-mail address at the provider: {customer}", customer=case.name),
        note=note,
        due_on=stamp.on,
    )
    store.tasks.add(conn, task, stamp)


def new_task(draft: NoticeDraft, task: TaskDraft, case_id: int, notice_id: int) -> NewTask:
    """Return the task of a notice as the store takes it."""
    return NewTask(
        account=draft.account,
        case_id=case_id,
        notice_id=notice_id,
        kind=task.kind.value,
        title=task.title,
        note=task.note,
        owner=task.owner,
        due_on=task.due_on,
        due_days=task.due_days,
        later=task.later,
    )


def _beside(other: Other) -> Beside:
    claim = other.claim
    return Beside(
        invoice_id=claim.invoice_id,
        number=claim.number or claim.invoice_id,
        part=other.part.value,
        why=other.why,
        text=both(why(other, "de"), why(other, "en")),
        demand=claim.demand,
        credits=claim.shared_credits,
        currency=claim.currency,
    )


def _moves(known: Standing, seen: Seen) -> bool:
    """Return whether the provider names another customer than the case that the claim is in."""
    return known.is_open and known.debtor_id != seen.case.debtor_id


def _known(seen: Seen, draft: NoticeDraft) -> list[int]:
    return [known.claim_id for one in draft.claims if (known := seen.standings.get(one.invoice_id)) is not None]


def new_notice(draft: NoticeDraft, case_id: int, run_id: int, claim_ids: Mapping[str, int]) -> NewNotice:
    """Return a composed notice as the outbox takes it."""
    claims = tuple(
        NewClaim(
            claim_id=claim_ids[one.invoice_id],
            invoice_id=one.invoice_id,
            round=one.round,
            level=one.level,
            repetition=one.repetition,
            open=amount(one.demand),
            fee=amount(one.fee),
            level_name=one.level_name,
            basis=one.basis.to_json(),
        )
        for one in draft.claims
    )
    steps = tuple(
        NewStep(
            act=one.act,
            content=one.content,
            claim_id=claim_ids[one.invoice_id] if one.invoice_id is not None else None,
            channel=one.channel,
        )
        for one in draft.steps
    )
    return NewNotice(
        account=draft.account,
        case_id=case_id,
        run_id=run_id,
        plan=draft.plan,
        level=draft.level,
        level_name=draft.level_name,
        channel=draft.channel.value,
        automation=draft.automation.value,
        debtor_id=draft.debtor_id,
        currency=draft.currency,
        total=amount(draft.total),
        deadline=draft.deadline,
        recipient=draft.recipient,
        content=draft.content,
        claims=claims,
        steps=steps,
        beside=tuple(_beside(one) for one in draft.others),
        needs_approval=draft.needs_approval,
        plan_version=draft.plan_version,
        link=draft.link,
    )
