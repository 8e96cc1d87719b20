"""Explaining: why an invoice gets a reminder or not, on any date, and what comes next, as people read it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from bridge.app import summary
from bridge.app.dunning import Dunning
from bridge.app.lines import told
from bridge.app.opening import one_of
from bridge.app.results import Ahead, Explained, RuleAsked, Upcoming
from bridge.dun.refused import asleep_until
from bridge.dun.views import Viewer
from bridge.errors import UsageError
from bridge.model import ClaimTable, Debtor, Reason
from bridge.policy import Abilities, AccountRules, CaseView, ClaimView, Decision, Outcome, coexistence, texts, words
from bridge.policy.assign import reachable
from bridge.policy.compose import intended
from bridge.policy.explain import HORIZON, Event, Explanation, explain
from bridge.policy.forecast import Coming, coming
from bridge.policy.money import NoteCode
from bridge.policy.money import words as money_words
from bridge.policy.recipients import told_unusable
from bridge.policy.replanned import without_outdated
from bridge.policy.statement import table_of
from bridge.policy.ways import Blocked, Way
from bridge.store.candidates import lonely
from bridge.store.mirror import Known
from bridge.words import tell

SHOWN = 12
"""Levels ahead that are told."""

_ALWAYS_TOLD = (NoteCode.WAIVED_BY, NoteCode.NOT_CARRIED)
"""Remarks that are told also while the level is held."""


class Explaining(Dunning):
    """What explains. Nothing here is written or sent."""

    def explain(self, invoice: str, *, on: date | None = None, account: str | None = None) -> tuple[Explained, ...]:
        """Return why this invoice (number or id) gets a reminder or not, today or on date `on`; one answer per account that has it.

        Raises `UsageError` where no account has it, or the date lies in the past.
        """
        if account is not None:
            self.chosen((account,))
        with self.store.reading() as conn:
            known = self.store.mirror.by_number(conn, invoice, account)
        if not known:
            raise UsageError("there is no invoice {invoice!r}; `mahnbridge pull` reads what is new", invoice=invoice)
        here = [one for one in known if one.account in self.accounts]
        self._ask({one.account for one in here if self._leaves_channel_open(one.account)})
        with self.store.reading() as conn:
            return tuple(self._explain(conn, one, on) for one in here)

    def _leaves_channel_open(self, account: str) -> bool:
        """Return whether some plan of this account lets the provider's abilities decide who sends."""
        rules = self.rules[account]
        by_hand = {plan for of, plan in self.plans_by_hand() if of == account}
        plans = [rules.plans[name] for name in reachable(rules) | by_hand if name in rules.plans]
        return any(via.automatic for one in plans for level in one.levels for via in level.standard.channels)

    def _explain(self, conn: Connection, known: Known, on: date | None) -> Explained:
        today = self.today(known.account)
        if on is not None and on < today:
            raise UsageError(
                "{on} lies in the past; today is {today}. What happened stands in the case", on=on, today=today
            )
        case, claim = self.seen(conn, known, today)
        refused = self.turned_down(conn, known.account, debtor=case.debtor_id)
        return self._answer(conn, known, case, claim, refused, on=on)

    def explain_all(self, conn: Connection, account: str, invoices: Sequence[str]) -> dict[str, Explained]:
        """Return what is to be said today about invoices of one debtor; what lies ahead of their case is worked out once."""
        known = [one for one in (self.store.mirror.invoice(conn, account, id_) for id_ in invoices) if one is not None]
        found: dict[str, Explained] = {}
        seen: dict[str | None, tuple[CaseView, tuple[Coming, ...], Mapping[str, Decision]]] = {}
        for one in known:
            debtor, today = one.invoice.debtor_id, self.today(account)
            if debtor not in seen or debtor is None:
                case, _ = self.seen(conn, one, today)
                facts, refused = self.facts(conn, account), self.turned_down(conn, account, debtor=case.debtor_id)
                rules, abilities, horizon = self.rules[account], self.abilities(account), today + HORIZON
                asleep = asleep_until(refused)
                ahead = coming(case, rules, abilities, today, horizon, facts=facts, asleep=asleep)
                seen[debtor] = case, ahead, refused
            case, ahead, refused = seen[debtor]
            claim = next((its for its in case.claims if its.invoice_id == one.invoice.id), None)
            if claim is None:
                found |= {one.invoice.id: self._explain(conn, one, None)}
                continue
            found[one.invoice.id] = self._answer(conn, one, case, claim, refused, ahead=ahead)
        return found

    def _answer(
        self,
        conn: Connection,
        known: Known,
        case: CaseView,
        claim: ClaimView,
        refused: Mapping[str, Decision],
        *,
        on: date | None = None,
        ahead: tuple[Coming, ...] | None = None,
    ) -> Explained:
        name, mirror, debtor_id = known.account, self.store.mirror, known.invoice.debtor_id
        rules, abilities, today = self.rules[name], self.abilities(name), self.today(name)
        asleep = asleep_until(refused)
        claim = without_outdated(case, claim, rules, today)
        facts = self.facts(conn, name)
        found = explain(case, claim, rules, today, on=on, facts=facts, abilities=abilities, ahead=ahead, asleep=asleep)
        debtor = mirror.debtor(conn, name, debtor_id) if debtor_id else None
        waiting: tuple[Upcoming, ...] = ()
        if claim.running is not None and found.on == today:
            notice = self.level_names.notice(conn, self.store.outbox.get(conn, claim.running.notice_id))
            steps = self.store.outbox.steps.of_notice(conn, notice.id)
            waiting = (summary.stored(notice, steps, claim.running.since or today),)
        found = self._signed(conn, known, _unrefused(found, refused.get(known.invoice.id)))
        told = explained(found, known, debtor, rules, abilities, self.language, waiting)
        number = self.store.questions.case_of(conn, name, known.invoice.id) or ""
        return replace(told, case=number, paused=self.paused(conn) if found.on == today else "")

    def _signed(self, conn: Connection, known: Known, found: Explanation) -> Explanation:
        """Return `found` with who holds it and since when, where the rules know of no person: a case closed, a plan taken away."""
        name, invoice = known.account, known.invoice
        signed: tuple[str, date] | None = None
        if found.decision.reason is Reason.CLOSED_BY_HAND:
            signed = self.store.questions.closed_by(conn, name, invoice.id)
        elif found.decision.reason is Reason.NO_PLAN:
            choice = self.store.choices.given_by(conn, name, "plan", debtor_id=invoice.debtor_id, invoice_id=invoice.id)
            signed = choice and (choice[0], choice[1].astimezone(self.accounts[name].zone).date())
        if signed is None:
            return found
        facts = {**found.decision.facts, "by": signed[0], "since": signed[1]}
        return replace(found, decision=found.decision._replace(facts=facts))

    def seen(self, conn: Connection, known: Known, today: date) -> tuple[CaseView, ClaimView]:
        """Return an invoice as the rules see it, and the case around it."""
        name, invoice, mirror = known.account, known.invoice, self.store.mirror
        dossiers = mirror.dossiers(conn, name, [invoice.debtor_id], today=today) if invoice.debtor_id else ()
        if not any(one.invoice.id == invoice.id for dossier in dossiers for one in dossier.invoices):
            dossiers = lonely(conn, mirror, name, [invoice.id])
            debtor = mirror.debtor(conn, name, invoice.debtor_id) if invoice.debtor_id else None
            dossiers = tuple(replace(one, debtor_id=invoice.debtor_id, debtor=debtor) for one in dossiers)
        seen = Viewer(self.store, self.accounts[name].zone).see(conn, name, dossiers, today, everything=True)[0]
        return seen.case, one_of([one for one in seen.case.claims if one.invoice_id == invoice.id], invoice.id)


def _unrefused(found: Explanation, refused: Decision | None) -> Explanation:
    """Return `found`, held where what would go out on its day is what a person refused."""
    if refused is None or found.decision.outcome is not Outcome.ESCALATE or found.on >= (refused.next_on or date.max):
        return found
    held = found.decision._replace(
        outcome=refused.outcome, reason=refused.reason, next_on=refused.next_on, facts=refused.facts
    )
    return replace(found, decision=held, rule="refused")


def explained(  # noqa: PLR0917  one call site
    found: Explanation,
    known: Known,
    debtor: Debtor | None,
    rules: AccountRules,
    abilities: Abilities,
    language: str,
    waiting: tuple[Upcoming, ...] = (),
) -> Explained:
    """Return `found` in plain words of `language`. `waiting` is the notice that is stored already and not yet out."""
    invoice, decision = known.invoice, found.decision
    plan = rules.plans.get(found.plan) if found.plan else None
    level = decision.level
    name, why = "", ""
    channels: tuple[str, ...] = ()
    table: ClaimTable | None = None
    notes: tuple[str, ...] = ()
    if plan and level and level <= plan.hand_over_at:
        name = plan.level(level).name_in(language)
        ways, asked = intended(found.case, found.claim, decision, rules, abilities=abilities, today=found.on)
        channels, why = _way(ways, language)
        if decision.outcome is Outcome.ESCALATE:
            table = table_of([asked], (), found.on, texts.tag(language, rules.creditor.country), invoice.currency)
        told_of = [one for one in asked.owed.notes if table or one.code in _ALWAYS_TOLD]
        notes = tuple(money_words.note(one, invoice.currency, language) for one in told_of)
        for way in () if isinstance(ways, Blocked) else ways:
            notes = tuple(dict.fromkeys((*notes, *(tell(one, language) for one in told_unusable(found.case, way.via)))))
    if decision.adoption is not None:
        notes = (coexistence.told(decision.adoption, language), *notes)
    return Explained(
        account=known.account,
        invoice=invoice.id,
        number=invoice.number or "",
        customer=debtor.name if debtor else (invoice.debtor_id or ""),
        on=found.on,
        outcome=decision.outcome.value,
        reason=decision.reason.value,
        text=found.text(language),
        level=level,
        level_name=name,
        next_on=found.next_on,
        open=invoice.open,
        currency=invoice.currency,
        due_on=invoice.due_on,
        state=invoice.status.value,
        change=found.remedy(language),
        plan=found.plan or "",
        plan_by=found.assigned_by,
        current_level=found.level,
        rule=found.rule,
        asked=tuple(RuleAsked(one.rule, one.passes_where, one.passed) for one in found.asked),
        before=tuple(_ahead(one, rules, language) for one in found.before),
        ahead=tuple(_ahead(one, rules, language) for one in found.ahead[:SHOWN]),
        channels=channels,
        channel_text=why,
        set_by=decision.facts.get("by", ""),
        set_on=decision.facts.get("since"),
        until=decision.facts.get("until"),
        plan_at=found.assigned_at,
        upcoming=waiting or summary.planned(found.upcoming, rules),
        choices=summary.choices(plan, found.claim, language),
        table=table,
        statement=told(table, language, rules.creditor.country),
        notes=notes,
    )


def _way(found: tuple[Way, ...] | Blocked, language: str) -> tuple[tuple[str, ...], str]:
    """Return the channels by which this level would really go out, and why they are ours, or why there is none."""
    if isinstance(found, Blocked):
        return (), words.reason(found.reason, language, found.facts)
    reasons = dict.fromkeys(words.because(one.because, language) for one in found if one.because)
    return tuple(one.via.value for one in found), "; ".join(reasons)


def _ahead(event: Event, rules: AccountRules, language: str) -> Ahead:
    name = rules.plans[event.plan].level(event.level).name_in(language)
    return Ahead(event.on, event.level, name, event.repetition)
