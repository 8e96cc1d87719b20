"""One dunning run (Mahnlauf): what is due is decided, composed and stored. No provider is called.

The run takes up debtors in small transactions: each stores decisions, cases, claims, notices with their steps, and next dates together.
A crash leaves the rest due, and the next run goes on with it. A run in which a debtor could not be decided on counts as failed, so that
it is seen and can be repeated; all others were decided.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.engine import Connection

from bridge.dun.agreements import end_agreements
from bridge.dun.keeping import Keeper
from bridge.dun.refused import Refusals, refusals, without_refused
from bridge.dun.report import DunReport, Line, Planned
from bridge.dun.turns import checked, note_turns
from bridge.dun.views import Seen, Viewer, account_facts, last_contact
from bridge.errors import AlreadyRunning, UsageError
from bridge.http import said_by
from bridge.model import Reason
from bridge.policy import (
    Abilities,
    AccountFacts,
    AccountRules,
    CaseView,
    Decision,
    NoticeDraft,
    Outcome,
    compose,
    unsendable,
)
from bridge.policy.beside import bundles, company, together, waits_to_be_joined
from bridge.policy.decide import decide_claim
from bridge.policy.distance import keep_apart
from bridge.policy.places import calendar_of
from bridge.policy.replanned import withdrawn
from bridge.policy.situation import effective_due
from bridge.store import Store
from bridge.store.accounts import Account
from bridge.store.candidates import candidates, lonely, wake_origins
from bridge.store.cases import Stamp
from bridge.store.engine import DatabaseFault, explained
from bridge.store.journal import SELF
from bridge.store.leases import Held
from bridge.store.upsert import mark_all
from bridge.words import Sentence, quoted

log = structlog.get_logger("bridge.dun")

CHUNK = 200
"""Debtors per transaction."""

_BROKEN_OFF = {Reason.APPROVAL_PENDING.value, Reason.STALE_DATA.value, Reason.WRITING_SUSPENDED.value}
"""Reasons that keep a run from being the turn of a plan with a frequency."""

LEASE_SECONDS = 300
DEFAULT_CAP = 25
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class DunAccount:
    """One account as a dunning run sees it: its rules, what it can do, its time zone, the folder of fonts for its letters."""

    rules: AccountRules
    abilities: Abilities = field(default_factory=Abilities)
    zone: ZoneInfo = BERLIN
    fonts: Path | None = None

    @property
    def name(self) -> str:
        return self.rules.account

    def local(self, order: "Order") -> "Order":
        """Return the order on this account's local date."""
        return replace(order, today=order.at.astimezone(self.zone).date())


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a run is asked to do.

    `today` is the business date of the run, `at` the business instant, which makes the local date of each account.
    `customers` restricts the run to these provider ids. `max_notices` is the cap on notices that no person approves one by one;
    `approved` lifts it and the hold after a jump, once. `everything` decides on all open invoices, not only on those that are due.
    With `asks` whatever it makes waits for a person, also what the plan would send by itself.
    """

    today: date
    at: datetime
    actor: str = SELF
    customers: Collection[str] | None = None
    max_notices: int | None = DEFAULT_CAP
    approved: bool = False
    everything: bool = False
    lines: bool = False
    asks: bool = False


def dun(store: Store, accounts: Sequence[DunAccount], order: Order) -> DunReport:
    """Run over all debtors of `accounts` that have something due, store what was decided, and report it.

    Raises `AlreadyRunning` while another run is under way, `UsageError` where `today` lies before the last run.
    """
    report = DunReport(order.today)
    with store.leases.holding("dun", seconds=LEASE_SECONDS, what=Sentence("the dunning run")) as held:
        with store.begin() as conn:
            report.run_id = store.runs.start(conn, "dun", actor=order.actor, on=order.today, at=order.at)
        try:
            for account in accounts:
                its = account.local(order)
                stamp = Stamp(at=order.at, on=its.today, actor=order.actor)
                with store.begin() as conn:
                    _wake_for_rules(store, conn, account, stamp)
                    wake_origins(conn, account.name, its.today)
                    store.choices.break_promises(conn, account.name, stamp)
                    end_agreements(store, conn, account.rules, stamp)
                work = _Work(store, account, its, report, None)
                for chunk in work.chunks(its.today):
                    work.take_up(chunk, held, stamp)
        except BaseException as error:
            with store.begin() as conn:
                fault = explained(error) or error
                cause = getattr(fault, "cause", type(error).__name__)
                store.runs.end(
                    conn,
                    report.run_id,
                    at=order.at,
                    state="failed",
                    counts=report.counts,
                    cause=cause,
                    error=said_by(fault),
                )
            raise
        report.state = "waiting" if report.waiting_for else "done"
        with store.begin() as conn:
            if order.customers is None and not _BROKEN_OFF & report.reasons.keys():
                stamp = Stamp(at=order.at, on=order.today, actor=order.actor)
                note_turns(store, conn, [account.rules for account in accounts], stamp)
            counts = {**report.counts, "reasons": report.reasons, "waiting_for": sorted(report.waiting_for)}
            undecided = quoted("; ".join(report.undecided)) if report.undecided else None
            state = "failed" if report.undecided else report.state
            store.runs.end(
                conn,
                report.run_id,
                at=order.at,
                state=state,
                counts=counts,
                cause="undecided" if undecided else None,
                error=undecided,
            )
            store.journal.record(
                conn,
                "run_finished",
                at=order.at,
                on=order.today,
                actor=order.actor,
                run_id=report.run_id,
                data={**counts, "state": state, "limits_lifted": order.approved},
            )
    return report


def plan(store: Store, accounts: Sequence[DunAccount], order: Order) -> DunReport:
    """Return what a run would do, with a line for every decision; nothing is stored."""
    report = DunReport(order.today)
    order = replace(order, lines=True)
    for account in accounts:
        with store.reading() as conn:
            everything = order.everything or rules_changed(store, conn, account.name, account.rules)
        its = replace(account.local(order), everything=everything)
        work = _Work(store, account, its, report, None)
        for chunk in work.chunks(None if everything else its.today):
            with store.reading() as conn:
                work.do(conn, chunk)
    report.state = "waiting" if report.waiting_for else "done"
    return report


def _wake_for_rules(store: Store, conn: Connection, account: DunAccount, stamp: Stamp) -> None:
    """Let all open invoices be decided anew where plans, exclusions or limits are others than at the last run: each may come up now."""
    if rules_changed(store, conn, account.name, account.rules):
        store.settings.set(conn, f"rules:{account.name}", account.rules.version, stamp)
        store.history.keep_plans(conn, account.rules.plans.values(), stamp.on)
        mark_all(conn, account.name, stamp.on)


def rules_changed(store: Store, conn: Connection, account: str, rules: AccountRules) -> bool:
    """Return whether plans, exclusions or limits are others than at the account's last run; the next one decides everything anew."""
    return bool(store.settings.get(conn, f"rules:{account}") != rules.version)


@dataclass(frozen=True, slots=True)
class _Chunk:
    debtors: list[str]
    alone: list[str]

    def split(self) -> list["_Chunk"]:
        """Return its debtors and lone invoices one by one."""
        return [_Chunk([one], []) for one in self.debtors] + [_Chunk([], [one]) for one in self.alone]


@dataclass(slots=True)
class _Work:
    """One account within one run. Without a keeper nothing is stored."""

    store: Store
    account: DunAccount
    order: Order
    report: DunReport
    keeper: Keeper | None
    waiting: frozenset[str] = frozenset()
    """Invoices that the cap of an earlier run holds: they go on waiting until a person approves, whatever room this run has."""

    def chunks(self, due_by: date | None) -> Iterator[_Chunk]:
        """Yield the debtors to look at, in chunks of one transaction each."""
        with self.store.reading() as conn:
            debtors, alone = candidates(conn, self.account.name, due_by)
            if self.order.max_notices is not None and not self.order.approved:
                self.waiting = self.store.questions.capped(conn, self.account.name)
        if self.order.customers is not None:
            debtors = [one for one in debtors if one in self.order.customers]
            alone = [one for one in alone if f"invoice:{one}"[:128] in self.order.customers]
        for start in range(0, len(debtors), CHUNK):
            yield _Chunk(debtors[start : start + CHUNK], [])
        for start in range(0, len(alone), CHUNK):
            yield _Chunk([], alone[start : start + CHUNK])

    def take_up(self, chunk: _Chunk, held: Held, stamp: Stamp) -> None:
        """Decide on one chunk and store it. A debtor over whom the rules stumble is left due and told; the others are decided."""
        try:
            self.report.add(self.store.deciding(partial(self.keep, chunk, held, stamp)))
        except (AlreadyRunning, DatabaseFault):
            raise
        except Exception as error:
            parts = chunk.split()
            if len(parts) > 1:
                for one in parts:
                    self.take_up(one, held, stamp)
                return
            [name] = chunk.debtors or chunk.alone
            log.exception("undecided", account=self.account.name, customer=name)
            self.report.count("undecided")
            self.report.undecided.append(f"{self.account.name}, {name}: {said_by(error, named=True)}"[:300])

    def keep(self, chunk: _Chunk, held: Held, stamp: Stamp, conn: Connection) -> DunReport:
        """Decide on one chunk and store it; return its part of the report. Leaves no trace here: it may have to be done again."""
        assert self.report.run_id is not None
        held.renew(conn)
        rules, asks, fonts = self.account.rules, self.order.asks, self.account.fonts
        keeper = Keeper(self.store, rules, self.report.run_id, stamp, asks=asks, fonts=fonts)
        part = DunReport(self.order.today, automatic=self.report.automatic)
        replace(self, report=part, keeper=keeper).do(conn, chunk)
        return part

    def do(self, conn: Connection, chunk: _Chunk) -> None:
        """Decide on one chunk, and store it."""
        name, today, mirror = self.account.name, self.order.today, self.store.mirror
        dossiers = (
            mirror.dossiers(conn, name, chunk.debtors, today=today)
            if chunk.debtors
            else lonely(conn, mirror, name, chunk.alone)
        )
        dossiers = tuple(one for one in dossiers if one.invoices)
        facts = account_facts(_account(self.store, conn, name), self.account.zone, approved=self.order.approved)
        facts = replace(facts, checked=checked(self.store, conn, name))
        viewer = Viewer(self.store, self.account.zone)
        refused = refusals(self.store, conn, name, [its.invoice.id for one in dossiers for its in one.invoices])
        for seen in viewer.see(conn, name, dossiers, today, everything=self.order.everything):
            self._debtor(conn, seen, facts, refused)
        if self.keeper is not None:
            self.keeper.flush(conn)

    def _debtor(self, conn: Connection, seen: Seen, facts: AccountFacts, refused: Refusals) -> None:
        seen = self._withdraw(conn, seen, facts)
        seen, decisions = self._joined(conn, seen, self._decide(seen, facts), facts)
        if self.keeper is not None:
            seen = self.keeper.enter(conn, seen, decisions)
        drafts = compose(seen.case, decisions, self.account.rules, self.account.abilities, self.order.today)
        if self.keeper is not None:
            drafts = self.keeper.asked(conn, seen, drafts)
        decisions, drafts = without_refused(decisions, drafts, refused, self.account.rules.plans, self.order.today)
        decisions, drafts = self._capped(decisions, drafts)
        for decision in decisions:
            self.report.tell(decision)
            if decision.reason is Reason.APPROVAL_PENDING:
                self.report.waiting_for.add("cap" if "cap" in decision.facts else "jump")
        ids = self.keeper.keep(conn, seen, decisions, drafts) if self.keeper is not None else {}
        self._tell(seen, decisions, drafts, ids)

    def _decide(self, seen: Seen, facts: AccountFacts) -> tuple[Decision, ...]:
        rules, order = self.account.rules, self.order
        found = tuple(
            decide_claim(seen.case, claim, rules, order.today, facts=facts)
            for claim in seen.case.claims
            if claim.invoice_id in seen.due
        )
        found += company(seen.case, found, rules, order.today, facts=facts)
        held = unsendable(seen.case, found, rules, self.account.abilities, order.today)
        again = order.today + timedelta(days=1)  # a channel may be set up meanwhile
        possible = tuple(
            one._replace(outcome=Outcome.HOLD, reason=why.reason, facts=why.facts, next_on=again)
            if (why := held.get(one.invoice_id))
            else one
            for one in found
        )
        return keep_apart(seen.case, possible, rules, order.today)

    def _joined(
        self, conn: Connection, seen: Seen, decisions: tuple[Decision, ...], facts: AccountFacts
    ) -> tuple[Seen, tuple[Decision, ...]]:
        """Take a bundle that still waits for approval back where another invoice of the debtor comes up for it: one notice, not two."""
        rules, claims = self.account.rules, {claim.invoice_id: claim for claim in seen.case.claims}
        coming = [
            claims[one.invoice_id]
            for one in decisions
            if one.outcome is Outcome.ESCALATE and bundles(seen.case, claims[one.invoice_id], one, rules)
        ]
        dropped: set[int] = set()
        for claim in seen.case.claims:
            running = claim.running
            if running is None or running.notice_id in dropped or not waits_to_be_joined(seen.case, claim, rules):
                continue
            if any(together(seen.case, claim, one) for one in coming) and (
                self.keeper is None or self.keeper.drop(conn, seen, claim, Reason.CHANGED, {"what": "bundle"})
            ):
                dropped.add(running.notice_id)
        if not dropped:
            return seen, decisions
        seen = self._without(conn, seen, dropped)
        return seen, self._decide(seen, facts)

    def _withdraw(self, conn: Connection, seen: Seen, facts: AccountFacts) -> Seen:
        """Drop notices that must not go out any more, or say something else by now; return the debtor without them."""
        dropped: set[int] = set()
        for claim in seen.case.claims:
            running = claim.running
            if running is None or claim.invoice_id not in seen.due or running.notice_id in dropped:
                continue
            found = withdrawn(seen.case, claim, self.account.rules, self.order.today, facts=facts)
            if found is not None and (self.keeper is None or self.keeper.drop(conn, seen, claim, *found)):
                dropped.add(running.notice_id)
        return self._without(conn, seen, dropped) if dropped else seen

    def _without(self, conn: Connection, seen: Seen, dropped: Collection[int]) -> Seen:
        """Return the debtor without these notices, whose invoices are decided anew."""
        freed = {one.invoice_id for one in seen.case.claims if one.running and one.running.notice_id in dropped}
        claims = tuple(
            replace(claim, running=None) if claim.invoice_id in freed else claim for claim in seen.case.claims
        )
        debtor = seen.case.debtor_id  # what was dropped did not reach them, and keeps nothing away
        known = self.store.cases.last_contacts(conn, self.account.name, [debtor], without=dropped).get(debtor)
        last = last_contact(known, claims)
        return replace(seen, case=replace(seen.case, claims=claims, last_contact_on=last), due=seen.due | freed)

    def _capped(
        self, decisions: tuple[Decision, ...], drafts: tuple[NoticeDraft, ...]
    ) -> tuple[tuple[Decision, ...], tuple[NoticeDraft, ...]]:
        """Hold what goes beyond the cap until a person approves the run; proposals do not count, each is approved by itself."""
        counted = [draft for draft in drafts if draft.leaves and not self.order.asks]
        cap = None if self.order.approved else self.order.max_notices
        asked = any(claim.invoice_id in self.waiting for draft in counted for claim in draft.claims)
        if cap is None or (self.report.automatic + len(counted) <= cap and not asked):
            self.report.automatic += len(counted)
            return decisions, drafts
        beyond = {claim.invoice_id for draft in counted for claim in draft.claims}
        waiting = tuple(
            one._replace(
                outcome=Outcome.HOLD,
                reason=Reason.APPROVAL_PENDING,
                next_on=self.order.today,
                facts={"cap": cap, "note": f"max_notices_per_run = {cap}"},
            )
            if one.invoice_id in beyond
            else one
            for one in decisions
        )
        return waiting, tuple(one for one in drafts if beyond.isdisjoint(claim.invoice_id for claim in one.claims))

    def _tell(
        self,
        seen: Seen,
        decisions: Iterable[Decision],
        drafts: Iterable[NoticeDraft],
        ids: Mapping[int, int],
    ) -> None:
        claims = {claim.invoice_id: claim for claim in seen.case.claims}
        for number, draft in enumerate(drafts):
            over = tuple(claims[one.invoice_id] for one in draft.claims)
            self.report.notices.append(Planned(draft, seen.case, over, ids.get(number), seen.case.case_number))
            self.report.count("notices")
        if not self.order.lines:
            return
        case: CaseView = seen.case
        for decision in decisions:
            claim = claims[decision.invoice_id]
            self.report.lines.append(
                Line(
                    account=case.account,
                    debtor_id=case.debtor_id,
                    debtor_name=case.name,
                    debtor_number=case.number,
                    invoice_id=claim.invoice_id,
                    number=claim.number,
                    currency=claim.currency,
                    demand=claim.demand,
                    due_on=effective_due(claim, calendar_of(case, claim, self.account.rules)),
                    decision=decision,
                )
            )


def _account(store: Store, conn: Connection, name: str) -> Account | None:
    try:
        return store.mirror.accounts.get(conn, name)
    except UsageError:
        return None
