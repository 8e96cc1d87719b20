"""Dunning: what would go out, and the run itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from bridge.app.configured import note_changes
from bridge.app.lines import part_text, remarks, told
from bridge.app.reading import Progress
from bridge.app.results import ClaimLine, GoLive, Held, NoticeLine, OtherLine, Planned, Ran, ReturnsRead
from bridge.app.returning import Returning
from bridge.contract import Connector
from bridge.dun import DunAccount, DunReport, Order, dun, plan
from bridge.dun import Planned as Drafted
from bridge.dun.report import Line
from bridge.dun.turns import checked
from bridge.dun.views import account_facts
from bridge.errors import BridgeError, UsageError
from bridge.model import Act, Health, Reason
from bridge.policy import Abilities, AccountFacts, AccountRules, Decision, Outcome, words
from bridge.policy.beside import Other
from bridge.policy.build import amount
from bridge.policy.mentions import why

_PLACES = {"note": Act.NOTE, "tag": Act.TAG, "customer_note": Act.CUSTOMER_NOTE}


class Dunning(Returning):
    """What decides."""

    # ------------------------------------------------------------------------------------------------------ abilities

    def abilities(self, account: str, health: Health | None = None) -> Abilities:
        """Return what an account can do: what its last check found, our own channels, less the write-backs switched off."""
        port, config = self.port(account), self.config.accounts[account]
        # a check that saw nothing says nothing of what can be done
        if health is not None and (health.ok or health.acts):
            self.healths[account] = health
        known = self.healths.get(account)
        places = config.write_back or self.config.write_back
        off = {act for name, act in _PLACES.items() if not getattr(places, name)}
        return Abilities(
            acts=(known.acts if known else type(port.connector).acts) - off,
            channels={channel.act: name for name, channel in self.channels.items()},
            provider_fees=not (known and any(one.code.endswith("_no_fees") for one in known.findings)),
            bank_feed=bool(known and known.has_bank_feed),
            documents=type(port.connector).document is not Connector.document,
            provider_levels=known.provider_levels if known else None,
        )

    def _ask(self, accounts: Iterable[str]) -> None:
        """Ask the providers what the accounts can do, once per process that finds all well; else the next round asks again.

        Where one does not answer, or lets nothing be seen, what it said before or the connector's word counts.
        """
        for name in accounts:
            if name not in self.healths or not self.healths[name].ok:
                try:
                    self.abilities(name, self.port(name).connector.check())
                except BridgeError:
                    continue

    def _dun_accounts(self, accounts: Iterable[str]) -> list[DunAccount]:
        return [self._dun_account(name) for name in accounts]

    def _dun_account(self, name: str, rules: AccountRules | None = None) -> DunAccount:
        zone, fonts = self.accounts[name].zone, self.config.letters.fonts
        return DunAccount(rules or self.rules[name], self.abilities(name), zone, fonts)

    def _order(self, accounts: Sequence[str], customer: str | None) -> Order:
        first = accounts[0] if accounts else None
        limit = self.config.dunning.max_notices_per_run
        order = Order(today=self.today(first), at=self.clock(), actor=self.actor, max_notices=limit)
        return order if customer is None else replace(order, customers=self._customers(accounts, customer))

    def _customers(self, accounts: Sequence[str], customer: str) -> frozenset[str]:
        with self.store.reading() as conn:
            found = {one for name in accounts for one in self.store.questions.debtors(conn, name, customer)}
        if not found:
            raise UsageError("there is no customer {customer!r}", customer=customer)
        return frozenset(found)

    # ----------------------------------------------------------------------------------------------------- plan, run

    def ready(self) -> int:
        """Return how many invoices a run now would write about. It looks at what is due only, and asks no provider."""
        names = self.chosen()
        report = plan(self.store, self._dun_accounts(names), self._order(names, None))
        return sum(bool(claim.level) for one in report.notices for claim in one.draft.claims)

    def plan(
        self,
        accounts: Sequence[str] = (),
        *,
        customer: str | None = None,
        not_due: bool | None = None,
        offline: bool = False,
    ) -> Planned:
        """Return what a run would do now, every open invoice that is held with its reason, and what waits to go out; nothing is written.

        `not_due` says whether people see those not yet due (default: dunning.show_not_due). `offline` asks no provider what it can do.
        """
        names = self.chosen(accounts)
        if not offline:
            self._ask(names)
        order = replace(self._order(names, customer), everything=True)
        shown = self.config.dunning.show_not_due if not_due is None else not_due
        found = self._planned(plan(self.store, self._dun_accounts(names), order))
        with self.store.reading() as conn:
            waiting = self.store.outbox.listing(conn, states=["proposed", "approved", "queued"], limit=100_000)
            its = (
                one for one in waiting if one.account in names and one.debtor_id in (order.customers or {one.debtor_id})
            )
            pending = self.lines(conn, sorted(its, key=lambda one: one.id))
            return replace(found, shows_not_due=shown, paused=self.paused(conn), pending=pending)

    def facts(self, conn: Connection, account: str) -> AccountFacts:
        """Return what is true of the whole account today, as a run finds it."""
        known = account_facts(self.store.mirror.accounts.get(conn, account), self.accounts[account].zone)
        return replace(known, checked=checked(self.store, conn, account))

    def turned_down(
        self, conn: Connection, account: str, *, debtor: str | None = None, rules: AccountRules | None = None
    ) -> Mapping[str, Decision]:
        """Return, by invoice, what a run today would hold because a person refused the same; under other `rules` than those in use."""
        debtors = self.store.questions.debtors_with_refusals(conn, account)
        wanted = debtors if debtor is None else debtors & {debtor}
        if not wanted:
            return {}
        order = replace(self._order([account], None), customers=wanted, everything=True)
        its = self._dun_account(account, rules)
        decisions = (one.decision for one in plan(self.store, [its], order).lines)
        return {one.invoice_id: one for one in decisions if one.reason is Reason.REFUSED}

    def run(
        self,
        accounts: Sequence[str] = (),
        *,
        customer: str | None = None,
        approved: bool = False,
        asks: bool = False,
        pull: bool = True,
        deliver: bool = True,
        progress: Progress | None = None,
    ) -> Ran:
        """Do one complete round: read the providers and what came back, dunning run (Mahnlauf), delivery.

        `approved` lifts the cap and the hold after a jump, this once; with `asks` all that it makes waits for a person. Accounts whose data
        is older than their freshness limit are not dunned. Raises `AlreadyRunning` while another run is under way.
        """
        names = self.chosen(accounts)
        returned = self.read_returns() if pull else ReturnsRead()
        pulled = self.pull(names, progress=progress) if pull else ()
        fresh, stale = self._by_freshness(names)
        self._ask(fresh)
        order = replace(self._order(fresh, customer), approved=approved, asks=asks, lines=True)
        report = dun(self.store, self._dun_accounts(fresh), order)
        self._note_run(fresh, report)
        result = replace(self._planned(report), stale=stale)
        return Ran(pulled, result, self.deliver(names, progress=progress) if deliver else None, returned)

    def _by_freshness(self, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        with self.store.reading() as conn:
            pulled = {one.name: one.pulled_at for one in self.store.mirror.accounts.all(conn)}
        stale = tuple(name for name in names if self.stale(name, pulled.get(name)))
        return tuple(name for name in names if name not in stale), stale

    def stale(self, account: str, pulled_at: datetime | None) -> bool:
        """Return whether the data of an account is older than its freshness limit; it then is not dunned."""
        if pulled_at is None:
            return False  # nothing was read, so there is nothing to dun
        return (self.store.now() - pulled_at).total_seconds() > 3600 * self.config.accounts[account].freshness_hours

    def _note_run(self, accounts: Iterable[str], report: DunReport) -> None:
        with self.store.begin() as conn:
            for name in accounts:
                data = {"state": report.state, "at": self.store.now().isoformat()}
                self.record(conn, "account_run", account=name, run_id=report.run_id, data=data)
            note_changes(self.store, conn, self.config, self.stamp())

    def _planned(self, report: DunReport) -> Planned:
        held = [one for one in report.lines if one.decision.outcome is Outcome.HOLD]
        return Planned(
            today=report.today,
            notices=tuple(self._drafted(one) for one in report.notices),
            held=tuple(self._held(one) for one in held),
            state=report.state,
            reason=", ".join(sorted(report.waiting_for)),
            run_ids=(report.run_id,) if report.run_id is not None else (),
            counts=dict(report.counts),
            reasons=dict(report.reasons),
        )

    def _drafted(self, one: Drafted) -> NoticeLine:
        draft, today = one.draft, self.today(one.draft.account)
        due = {claim.invoice_id: claim.due_on for claim in one.claims}
        claims = []
        for claim in draft.claims:
            on = due.get(claim.invoice_id)
            days = (today - on).days if on is not None and on < today else None
            claims.append(
                ClaimLine(
                    claim.invoice_id,
                    claim.number or "",
                    on,
                    days,
                    amount(claim.demand),
                    amount(claim.fee),
                    amount(claim.total),
                    along=not claim.level,
                    level=claim.level,
                    level_name=claim.level_name,
                )
            )
        return NoticeLine(
            id=one.notice_id,
            account=draft.account,
            state="planned" if one.notice_id is None else "proposed" if draft.needs_approval else "queued",
            case=one.case_number or "",
            customer=one.case.name or draft.debtor_id,
            customer_number=one.case.number or "",
            level=draft.level,
            level_name=draft.level_name,
            plan=draft.plan,
            channel=draft.channel.value,
            automation=draft.automation.value,
            recipient=draft.recipient,
            total=amount(draft.total),
            fee=sum((claim.fee for claim in claims), Decimal("0.00")),
            currency=draft.currency,
            deadline=draft.deadline,
            claims=tuple(claims),
            subject=draft.content.subject,
            triggers=tuple(one.number or one.invoice_id for one in draft.claims if one.invoice_id in draft.triggers),
            others=tuple(_other(other, self.language) for other in draft.others),
            table=draft.content.table,
            statement=told(draft.content.table, self.language, draft.content.country),
            notes=remarks(claim.basis.notes for claim in draft.claims),
        )

    def _held(self, one: Line) -> Held:
        decision = one.decision
        return Held(
            account=one.account,
            invoice=one.invoice_id,
            number=one.number or "",
            customer=one.debtor_name or one.debtor_id,
            reason=decision.reason.value,
            text=words.reason(decision.reason, self.language, decision.facts),
            open=amount(one.demand),
            currency=one.currency,
            next_on=decision.next_on,
            due_on=one.due_on,
            set_by=decision.facts.get("by", ""),
            set_on=decision.facts.get("since"),
            until=decision.facts.get("until"),
        )

    def preview(self) -> GoLive:
        """Return what would go out once sending is on: what waits already, and what a run now would add."""
        with self.store.reading() as conn:
            sending = self.sending(conn)
        return GoLive(self.plan(), sending)


def _other(other: Other, language: str) -> OtherLine:
    """Return another invoice of the debtor with its part in a bundle, in plain words."""
    claim, part = other.claim, other.part.value
    text = part_text(part, why(other, language), language)
    number = claim.number or claim.invoice_id
    return OtherLine(claim.invoice_id, number, part, other.why, text, amount(claim.demand), claim.currency)
