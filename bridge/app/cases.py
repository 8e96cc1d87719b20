"""Cases (Mahnakten): looked at, blocked, deferred, closed, sent to another level."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from bridge.app.claim_statement import ClaimStatement
from bridge.app.lines import address_text, case_claim, case_line, contact_text, emails_of
from bridge.app.party import said_here, told_facts
from bridge.app.results import BlockLine, CaseClaim, CaseDetail, CaseLine, CaseSums, Done, Entry
from bridge.app.subjects import Subjects
from bridge.app.timeline import entry_text
from bridge.dun.keeping import tell_left_over
from bridge.errors import UsageError
from bridge.model import Debtor, Reason
from bridge.model.period import ALWAYS, Period
from bridge.policy import leftover, texts, words
from bridge.policy.rules import NO_PLAN
from bridge.store.cases import Stamp
from bridge.store.choices import Target
from bridge.store.overview import CaseRow
from bridge.store.rows import cents
from bridge.words import Sentence, quoted

ENTRIES = 500
"""Entries of a timeline that people are shown; evidence has all of them."""

LARGEST_CHARGE = Decimal(100_000)
"""More than this is a slip of the keyboard."""


class Cases(Subjects):
    """What people do with cases."""

    def cases(
        self,
        view: str = "open",
        *,
        account: str | None = None,
        customer: str | None = None,
        period: Period = ALWAYS,
    ) -> tuple[CaseLine, ...]:
        """Return cases, newest first. `view`: open, closed, all, run (with a notice under way), collection.

        `period`: opened in it, closed in it or handed over in it, as the view is about.
        """
        if account is not None:
            self.chosen((account,))
        with self.store.reading() as conn:
            rows = self.store.overview.cases(
                conn, "all" if view == "run" else view, account=account, period=period, limit=100_000
            )
            if view == "run":
                pending = self.store.questions.cases_in_run(conn)
                rows = [row for row in rows if row.id in pending]
            if customer is not None:
                rows = [row for row in rows if customer in (row.debtor_number, row.debtor_id)]
            named = [(row, self._level_name(conn, row)) for row in rows]
            debtors = self._debtors(conn, rows)
        sums = {name: self.case_sums(name) for name in {row.account for row in rows if row.open_claims}}
        return tuple(
            case_line(
                row,
                level_name,
                sums.get(row.account, {}).get(row.debtor_id, CaseSums()) if row.open_claims else CaseSums(),
                debtors.get((row.account, row.debtor_id)),
            )
            for row, level_name in named
        )

    def _debtors(self, conn: Connection, rows: Iterable[CaseRow]) -> dict[tuple[str, str], Debtor]:
        wanted: dict[str, list[str]] = {}
        for row in rows:
            wanted.setdefault(row.account, []).append(row.debtor_id)
        return {
            (account, number): one
            for account, ids in wanted.items()
            for number, one in self.store.mirror.debtors(conn, account, ids).items()
        }

    def _level_name(self, conn: Connection, row: CaseRow) -> str:
        level = row.closed_level if row.closed_on else row.level
        names = (one.level_name for one in self.level_names.claims(conn, row.id) if one.level == level)
        return next(names, "")

    def case(self, name: str, *, chosen: Sequence[str] = (), whole: bool = False) -> CaseDetail:
        """Return one case with claims, notices, blocks and timeline (its newest `ENTRIES`, or the `whole`), and the sum of the invoices `chosen`.

        Raises `UsageError` where the case has no such invoice.
        """
        with self.store.reading() as conn:
            row = self._row(conn, name)
            today = self.today(row.account)
            claims = self.level_names.claims(conn, row.id)
            debtor = self.store.mirror.debtor(conn, row.account, row.debtor_id)
            ids = [one.invoice_id for one in claims]
            blocks = self.store.choices.blocks(
                conn, row.account, debtor_ids=[row.debtor_id], invoice_ids=ids, active_on=today
            )
            notices = [self.store.outbox.get(conn, one) for one in self.store.questions.notices_of_case(conn, row.id)]
            numbers = {one.invoice_id: one.number or one.invoice_id for one in claims}
            events = self.store.overview.timeline(conn, row.id, limit=None if whole else ENTRIES + 1)
            shortened = not whole and len(events) > ENTRIES
            timeline = self.entries(conn, events[-ENTRIES:] if shortened else events, numbers)
            said = said_here(self.store, conn, row.account, row.debtor_id, ids)
            owed = {one: self._owed(conn, row.account, one) for one in ids}
            lines, level_name = self.lines(conn, notices), self._level_name(conn, row)
        if self._leaves_channel_open(row.account):
            self._ask((row.account,))
        with self.store.reading() as conn:
            told = self.explain_all(conn, row.account, ids)
        shown = tuple(case_claim(one, today, told.get(one.invoice_id), owed[one.invoice_id]) for one in claims)
        sums = CaseSums()
        for its in shown:
            if its.state == "open":
                sums.add(its.currency, its.principal, its.ancillary)
        wanted = _chosen(shown, chosen, row.number)
        return CaseDetail(
            line=case_line(row, level_name, sums, debtor),
            contact=contact_text(debtor),
            address=address_text(debtor.address if debtor else None),
            claims=shown,
            notices=lines,
            blocks=tuple(
                BlockLine(
                    one.id, numbers.get(one.invoice_id or "", ""), one.reason.value, one.note, one.actor, one.until
                )
                for one in blocks
            ),
            timeline=timeline,
            shortened=shortened,
            overdue=_total(one for one in shown if one.state == "open" and one.days_overdue),
            chosen=tuple(one.number or one.invoice for one in wanted),
            chosen_total=_total(wanted),
            emails=emails_of(debtor),
            facts=tuple(one for one in told_facts(debtor, [(one, numbers[one], None) for one in ids], said) if one.by),
        )

    def entries(
        self, conn: Connection, events: Sequence[Mapping[Any, Any]], numbers: Mapping[str, str]
    ) -> tuple[Entry, ...]:
        """Return events of the journal in plain words; `numbers` are those of the invoices that are in the case by now, by id."""
        numbers = dict(numbers)
        for one in events:
            about = one["invoice_id"]
            if about is not None and about not in numbers:
                gone = self.store.mirror.invoice(conn, one["account"], about)
                numbers[about] = (gone and gone.invoice.number) or about
        return tuple(
            Entry(
                one["at"],
                one["business_date"],
                one["actor"],
                one["kind"],
                entry_text(
                    one["kind"],
                    self.level_names.event(conn, one),
                    numbers.get(one["invoice_id"] or "", ""),
                    self.language,
                ),
            )
            for one in events
        )

    def _owed(self, conn: Connection, account: str, invoice_id: str) -> ClaimStatement | None:
        known = self.store.mirror.invoice(conn, account, invoice_id)
        return self.claimed(conn, known) if known is not None else None

    # --------------------------------------------------------------------------------------------------------- acting

    def block(
        self, case: str, *, reason: str, until: date | None = None, invoice: str | None = None, note: str = ""
    ) -> Done:
        """Block the customer of a case, or one invoice of it; until a date (inclusive) or until lifted.

        The last word counts: a block of the same customer or invoice with the same reason ends with it.
        Raises `UsageError` for an insolvency of one invoice, as it stops everything of the customer, and for a promise to pay without its day.
        """
        if reason == Reason.PROMISE_TO_PAY.value and until is None:
            raise UsageError("a promise to pay needs --until DATE, the day by which it will be paid")
        with self.store.begin() as conn:
            target, subject, account = self._target(conn, case, invoice)
            if reason == Reason.INSOLVENCY.value and target.invoice_id is not None:
                raise UsageError(
                    "an insolvency stops everything of the customer; name {whole} instead of an invoice",
                    whole=self._whole_of(conn, account, target.invoice_id),
                )
            told = self._block_anew(conn, target, Reason(reason), note, until)
        text = words.reason(Reason(reason), self.language)
        return Done("blocked", subject, self.actor, until=until, text=text, notes=told)

    def _block_anew(
        self, conn: Connection, target: Target, reason: Reason, note: str, until: date | None
    ) -> tuple[Sentence, ...]:
        """Block, in the place of what blocks with the same reason; return how many that were, where there were any."""
        stamp = self.stamp(target.account)
        count = self.store.choices.block_anew(conn, target, reason, stamp, note=note, until=until)
        if not count:
            return ()
        return (
            Sentence("with it {count|ends|end} {count} earlier {count|block|blocks} with the same reason", count=count),
        )

    def deferral_proposed(self, case: str) -> date:
        """Return the day until which a deferral is proposed: today and the days of the configuration (dunning.deferral_days)."""
        with self.store.reading() as conn:
            account, _, _ = self._customer(conn, case)
        return self._deferred_for(account, self.config.dunning.deferral_days)

    def _deferred_for(self, account: str, days: int) -> date:
        return self.today(account) + timedelta(days=days)

    def defer(
        self,
        case: str,
        *,
        days: int | None = None,
        until: date | None = None,
        invoice: str | None = None,
        note: str = "",
    ) -> Done:
        """Grant a deferral (Zahlungsaufschub) for some days or until a date (inclusive); afterwards the same level goes on."""
        if days is not None and until is not None:
            raise UsageError("write either --days or --until")
        with self.store.begin() as conn:
            target, subject, account = self._target(conn, case, invoice)
            last = until or self._deferred_for(account, days or self.config.dunning.deferral_days)
            told = self._block_anew(conn, target, Reason.DEFERRED, note, last)
        return Done("deferred", subject, self.actor, until=last, notes=told)

    def unblock(self, case: str, *, invoice: str | None = None) -> Done:
        """Lift all blocks of the customer of a case, without any those of its invoices, or those of one invoice; tell what still blocks.

        What a hand-over to collection blocks is ended by `call_back` alone. Raises `UsageError` where there is nothing to lift.
        """
        with self.store.begin() as conn:
            target, subject, account = self._target(conn, case, invoice)
            lifted = self._lift(conn, target)
            if not lifted and target.invoice_id is not None:
                whole = self._whole_of(conn, account, target.invoice_id)
                self._not_there(conn, account, [target.invoice_id], whole)
                raise UsageError(
                    "invoice {subject} has no block of its own; those of the customer are lifted by `mahnbridge case unblock {whole}`",
                    subject=subject,
                    whole=whole,
                )
            if not lifted:
                row = self._row(conn, case)
                ids = [one.invoice_id for one in self.store.overview.claims(conn, row.id)]
                lifted = sum(self._lift(conn, Target(account=account, invoice_id=one)) for one in ids)
                if not lifted:
                    self._not_there(conn, account, ids, row.number)
            if not lifted:
                raise UsageError("{subject} has no block", subject=subject)
            notes = self._still_blocked(conn, account, target)
        return Done("unblocked", subject, self.actor, count=lifted, notes=notes)

    def _lift(self, conn: Connection, target: Target) -> int:
        own = [target.invoice_id] if target.invoice_id is not None else []
        there = self.store.handovers.among(conn, target.account, own)
        stamp = self.stamp(target.account)
        return self.store.choices.unblock(conn, target, stamp, but=Reason.COLLECTION if there else None)

    def _not_there(self, conn: Connection, account: str, invoices: Sequence[str], case: str) -> None:
        """Raise `UsageError` where some of these invoices are with the agency: it is called back, not unblocked."""
        if self.store.handovers.among(conn, account, invoices):
            raise UsageError(
                "this is with the collection agency; `mahnbridge collection recall {case}` takes it back", case=case
            )

    def _still_blocked(self, conn: Connection, account: str, target: Target) -> tuple[Sentence, ...]:
        """Return what blocks the same claims all the same: the customer's blocks for an invoice, those of single invoices for a customer."""
        blocks, today, debtor_id = self.store.choices.blocks, self.today(account), target.debtor_id
        if target.invoice_id is not None:
            known = self.store.mirror.invoice(conn, account, target.invoice_id)
            theirs = [known.invoice.debtor_id] if known is not None and known.invoice.debtor_id else []
            whole = self._whole_of(conn, account, target.invoice_id)
            return tuple(
                Sentence(
                    "the customer is still blocked: {why}; `mahnbridge case unblock {whole}` lifts that",
                    why=words.told(one.reason), whole=whole,
                )
                for one in blocks(conn, account, debtor_ids=theirs, active_on=today)
            )  # fmt: skip
        ids = self.store.questions.invoices_in_cases(conn, account, debtor_id or "")
        found = {one.invoice_id or "": one.reason for one in blocks(conn, account, invoice_ids=ids, active_on=today)}
        known_by = {one: self.store.mirror.invoice(conn, account, one) for one in found}
        numbers = {one: (known and known.invoice.number) or one for one, known in known_by.items()}
        return tuple(
            Sentence("{number} is still blocked by itself: {why}", number=numbers[one], why=words.told(why))
            for one, why in found.items()
        )

    def include(self, case: str, value: str, *, invoice: str | None = None) -> Done:
        """Include a customer or one invoice against exclusions, exclude it, or (default) leave it to the configuration."""
        with self.store.begin() as conn:
            target, subject, account = self._target(conn, case, invoice)
            self.store.choices.choose(conn, target, "include", value, self.stamp(account))
        return Done(f"chosen_{value}", subject, self.actor)

    def choose_plan(self, case: str, plan: str | None, *, invoice: str | None = None) -> Done:
        """Give a customer or one invoice a plan of its own; `none` takes it out of every plan, None leaves it to the configuration again.

        What was sent stays in its history. Raises `UsageError` where there is no such plan, or nothing to leave to the configuration.
        """
        with self.store.begin() as conn:
            target, subject, account = self._target(conn, case, invoice)
            if plan is None:
                if not self.store.choices.take_back(conn, target, "plan", self.stamp(account)):
                    raise UsageError("nobody chose a plan for {subject}", subject=subject)
                return Done("chosen_default", subject, self.actor)
            known = self.rules[account].plans
            if plan != NO_PLAN and plan not in known:
                raise UsageError(
                    "there is no plan {plan!r}; there are {known}, {no_plan}",
                    plan=plan,
                    known=", ".join(sorted(known)),
                    no_plan=NO_PLAN,
                )
            self.store.choices.choose(conn, target, "plan", plan, self.stamp(account))
        return Done("chosen_plan_none" if plan == NO_PLAN else "chosen_plan", subject, self.actor, text=plan)

    def close_case(self, case: str, *, note: str = "") -> Done:
        """Close a case by hand: no payment is booked, dunning does not restart by itself; what waits is dropped."""
        with self.store.begin() as conn:
            row = self._whole(conn, case)
            notes = self._tell_agency(
                conn, row.account, [one.invoice_id for one in self.store.overview.claims(conn, row.id)]
            )
            invoices = self.store.cases.close_by_hand(conn, row.number, note, self.stamp(row.account))
            for one in invoices:
                own = Target(account=row.account, invoice_id=one)
                self.store.choices.withdraw(conn, own, "hand_over", self.stamp(row.account))
            for notice in self._pending(conn, row.account, invoices):
                self.store.outbox.drop(
                    conn, notice, reason=Reason.CLOSED_BY_HAND.value, text=quoted(f"{self.actor}: {note}"),
                    today=self.today(row.account), now=self.store.now(),
                )  # fmt: skip
        return Done("closed", row.number, self.actor, count=len(invoices), notes=notes)

    def reopen_case(self, case: str, *, note: str = "") -> Done:
        """Open again what a person closed in this case, in it or in the one that the customer has open by now.

        It starts before level 1, in a new round.
        """
        with self.store.begin() as conn:
            row = self._whole(conn, case)
            invoices = self.store.cases.reopen_by_hand(conn, row.number, note, self.stamp(row.account))
            there = self.store.questions.case_of(conn, row.account, invoices[0])
        if there is not None and there != row.number:
            return Done("reopened_elsewhere", row.number, self.actor, count=len(invoices), text=there)
        return Done("reopened", row.number, self.actor, count=len(invoices))

    def charge(
        self,
        case: str,
        *,
        kind: str,
        sum_: Decimal,
        on: date | None = None,
        invoice: str | None = None,
        note: str = "",
        take_back: bool = False,
    ) -> Done:
        """Add an ancillary claim (Nebenforderung) to an invoice of a case, or take it back; it is in the total and the next letter.

        `kind` is `return_charge`, what the bank took for a returned debit, or `cost`, documented recovery costs.

        Raises `UsageError` where the amount is none, or no single invoice is named.
        """
        if not Decimal(0) < sum_ <= LARGEST_CHARGE:
            raise UsageError(
                "{amount}: a charge is more than 0 and at most {largest}", amount=sum_, largest=LARGEST_CHARGE
            )
        with self.store.begin() as conn:
            target, subject, account = self._target(conn, case, invoice or self._only_invoice(conn, case))
            assert target.invoice_id is not None
            charges, stamp, size = self.store.charges, self.stamp(account), cents(sum_)
            if take_back:
                charges.take_back(conn, account, target.invoice_id, stamp, kind=kind, cents=size, note=note)
            else:
                day = on or stamp.on
                charges.add(conn, account, target.invoice_id, stamp, kind=kind, cents=size, on=day, note=note)
            known = self.store.mirror.invoice(conn, account, target.invoice_id)
            told = texts.money(size, known.invoice.currency if known else "", self.language)
            notes = self._tell_agency(conn, account, [target.invoice_id])
        return Done("charge_taken_back" if take_back else "charged", subject, self.actor, text=told, notes=notes)

    def waive(self, case: str, *, invoice: str | None = None, note: str = "", take_back: bool = False) -> Done:
        """Waive the ancillary claims (Verzicht auf Nebenforderungen) of one invoice, or of all in a case that are open; or take that back.

        Interest, fees, flat fee and charges are no longer asked for, those to come neither, and the task about what is left of a paid
        invoice is done; taken back, it is open again. A notice that waits is made anew.

        Raises `UsageError` where no reason is given, or there is nothing to waive or to take back.
        """
        if not note and not take_back:
            raise UsageError("say why with --note; the reason is kept in the journal")
        with self.store.begin() as conn:
            if invoice is not None or not case.upper().startswith("MA-"):
                target, subject, account = self._target(conn, case, invoice or self._only_invoice(conn, case))
                ids = [target.invoice_id or ""]
            else:
                row = self._row(conn, case)
                subject, account = row.number, row.account
                ids = [one.invoice_id for one in self.store.overview.claims(conn, row.id) if one.state == "open"]
            charges, stamp = self.store.charges, self.stamp(account)
            turn = charges.take_back_waiver if take_back else charges.waive
            turned = [one for one in ids if turn(conn, account, one, stamp, note)]
            if not turned and take_back:
                raise UsageError("{subject}: nothing is waived that could be taken back", subject=subject)
            if not turned:
                raise UsageError(
                    "{subject}: nothing is left to waive; a paid invoice is named with --invoice", subject=subject
                )
            for one in turned:
                if take_back:
                    self._left_over(conn, account, one, stamp)
                    continue
                for task in self.store.tasks.about(conn, account, one, leftover.KIND):
                    self.store.tasks.end(conn, task, stamp, outcome="done", note=note)
            notes, what = self._tell_agency(conn, account, turned), "waiver_taken_back" if take_back else "waived"
        return Done(what, subject, self.actor, count=len(turned), text=note, notes=notes)

    def _left_over(self, conn: Connection, account: str, invoice_id: str, stamp: Stamp) -> None:
        """Give the rest of a paid invoice back to a person; no run looks at its claim any more."""
        known = self.store.mirror.invoice(conn, account, invoice_id)
        standing = self.store.cases.standings(conn, account, [invoice_id]).get(invoice_id)
        if known is not None and standing is not None and standing.close_reason == Reason.PAID:
            seen, claim = self.seen(conn, known, stamp.on)
            tell_left_over(self.store, conn, seen, claim, self.rules[account], standing.case_id, stamp)

    def _pending(self, conn: Connection, account: str, invoices: Sequence[str]) -> list[int]:
        live = (one for invoice in invoices for one in self.store.outbox.live_for(conn, account, invoice))
        return sorted({one.id for one in live})


def _chosen(claims: Sequence[CaseClaim], chosen: Sequence[str], case: str) -> list[CaseClaim]:
    found = [one for name in dict.fromkeys(chosen) for one in claims if name in (one.number, one.invoice)]
    for name in chosen:
        if all(name not in (one.number, one.invoice) for one in found):
            raise UsageError("case {number} has no invoice {invoice!r}", number=case, invoice=name)
    return found


def _total(claims: Iterable[CaseClaim]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for one in claims:
        sums[one.currency] = sums.get(one.currency, Decimal("0.00")) + one.total
    return sums
