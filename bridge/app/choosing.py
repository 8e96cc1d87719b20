"""Choosing by hand: the next level of a case, the way it takes, and whom it goes to."""

from collections.abc import Sequence

from sqlalchemy import Connection

from bridge.app.cases import Cases
from bridge.app.lines import emails_of
from bridge.app.results import Done
from bridge.errors import UsageError
from bridge.model import Reason
from bridge.policy import EscalationPlan
from bridge.policy.assign import assign
from bridge.policy.recipients import address_of, email_of
from bridge.store.choices import Target
from bridge.store.outbox import CHANGEABLE
from bridge.store.overview import ClaimRow
from bridge.store.records import Notice
from bridge.words import Sentence, quoted, sentence_of


class Choosing(Cases):
    """What people choose for the next notice."""

    def choose_level(
        self, case: str, level: int | None = None, *, variant: str | None = None, invoice: str | None = None
    ) -> Done:
        """Choose the next level of a case or of one invoice, or the variant that it takes; neither: leave both to the plan.

        Skipped levels are recorded with the person's name; what is proposed or queued is dropped, and the next run proposes anew. Raises `UsageError` where the plan has no such level or variant, or the
        level is not above the last one or hands over to collection, which `hand_over` decides on.
        """
        with self.store.begin() as conn:
            row = self._row(conn, case)
            stamp = self.stamp(row.account)
            wanted = self._open_claims(conn, case, invoice)
            for one in wanted:
                target = Target(account=row.account, invoice_id=one.invoice_id)
                if level is None and variant is None:
                    self.store.choices.take_back(conn, target, "next_level", stamp)
                    self.store.choices.take_back(conn, target, "next_variant", stamp)
                    self.store.choices.wake(conn, target, stamp)
                    self._replace(conn, row.account, target, None)
                    continue
                plan = self._plan_of(conn, row.account, one)
                position = level or one.level + 1
                check_level(plan, position, variant, chosen=level is not None)
                if level is not None:
                    self.store.choices.choose(conn, target, "next_level", str(level), stamp)
                if variant is not None:
                    self.store.choices.choose(conn, target, "next_variant", variant, stamp)
                self._replace(conn, row.account, target, None)
        if level is None and variant is not None:
            return Done("level_variant", row.number, self.actor, count=len(wanted), text=variant)
        text = f"{level} ({variant})" if variant else str(level or "")
        return Done("level" if text else "level_default", row.number, self.actor, count=len(wanted), text=text)

    def choose_recipient(  # the ways in which an address is given
        self,
        case: str,
        emails: Sequence[str] = (),
        *,
        post: str | None = None,
        level: int | None = None,
        invoice: str | None = None,
        unknown: bool = False,
    ) -> Done:
        """Let the notices of a customer or of one invoice go to these mail addresses or to the postal address `post`.

        `level` restricts it to one level; neither address: leave it to the plan again, without `level` at every level. `unknown` allows addresses that the customer's
        record does not have. What is proposed or queued for another recipient is dropped and proposed anew by the next run.
        Raises `UsageError` on what is no address, or is not known, and where no plan that could be followed has that level.
        """
        suffix = f":{level}" if level else ""
        with self.store.begin() as conn:
            target, subject, account = self._target(conn, case, invoice)
            stamp = self.stamp(account)
            if level and (emails or post is not None):
                self._check_reaches(conn, target, level)
            for setting, value in (("mail_to", self._emails(conn, case, emails, unknown)), ("post_to", _post(post))):
                if value:
                    self.store.choices.choose(conn, target, setting + suffix, value, stamp)
                elif not emails and post is None:
                    whole = [setting + suffix] if level else self.store.choices.levels_of(conn, target, setting)
                    for one in whole:
                        self.store.choices.take_back(conn, target, one, stamp)
            self.store.choices.wake(conn, target, stamp)
            self._replace(conn, account, target, level)
        told = ", ".join(filter(None, (*emails, post)))
        return Done("recipient" if told else "recipient_default", subject, self.actor, text=told)

    def _open_claims(self, conn: Connection, case: str, invoice: str | None) -> list[ClaimRow]:
        row = self._row(conn, case)
        invoice = self._invoice_meant(conn, case, invoice)
        claims = [one for one in self.store.overview.claims(conn, row.id) if one.state == "open"]
        wanted = [one for one in claims if invoice in (None, one.number, one.invoice_id)]
        if not wanted:
            if invoice:
                raise UsageError("case {case} has no open invoice {invoice!r}", case=row.number, invoice=invoice)
            raise UsageError("case {case} has no open invoice", case=row.number)
        return wanted

    def _plan_of(self, conn: Connection, account: str, one: ClaimRow) -> EscalationPlan:
        known = self.store.mirror.invoice(conn, account, one.invoice_id)
        assert known is not None
        found = assign(*self.seen(conn, known, self.today(account)), self.rules[account])
        if found.plan is None:
            raise UsageError(
                "{number} has no plan; `mahnbridge case plan` gives it one", number=one.number or one.invoice_id
            )
        return found.plan

    def _check_reaches(self, conn: Connection, target: Target, level: int) -> None:
        """Refuse a level that no open invoice's plan has; where none is open, one that no plan has."""
        today, rules = self.today(target.account), self.rules[target.account]
        if target.invoice_id is not None:
            one = self.store.mirror.invoice(conn, target.account, target.invoice_id)
            known = [one] if one is not None else []
        else:
            theirs = self.store.mirror.dossiers(conn, target.account, [target.debtor_id or ""], today=today)
            known = [one for dossier in theirs for one in dossier.invoices if one.invoice.open > 0]
        plans = [plan for one in known if (plan := assign(*self.seen(conn, one, today), rules).plan) is not None]
        plans = plans or list(rules.plans.values())
        longest = max(plans, key=lambda plan: len(plan.levels))
        if all(level > len(plan.levels) for plan in plans):
            check_level(longest, level, None, chosen=False)

    def _emails(self, conn: Connection, case: str, emails: Sequence[str], unknown: bool) -> str:
        account, debtor_id, subject = self._customer(conn, case)
        known = emails_of(self.store.mirror.debtor(conn, account, debtor_id) if debtor_id else None)
        for one in emails:
            try:
                email_of(one)
            except ValueError as error:
                raise UsageError(sentence_of(error)) from error
            if one.lower() not in {address.lower() for address in known} and not unknown:
                there = list(known) or Sentence("none")
                raise UsageError(
                    "{one} is no address of {subject} (there: {there}); --unknown takes it all the same",
                    one=one,
                    subject=subject,
                    there=there,
                )
        return ", ".join(emails)

    def _replace(self, conn: Connection, account: str, target: Target, level: int | None) -> list[Notice]:
        """Drop what waits with another level or recipient, and return it; the next run decides anew."""
        dropped = []
        if target.invoice_id is not None:
            invoices = [target.invoice_id]
        else:
            assert target.debtor_id is not None
            invoices = self.store.questions.invoices_in_cases(conn, account, target.debtor_id)
        for number in self._pending(conn, account, invoices):
            notice = self.store.outbox.get(conn, number)
            if notice.state in CHANGEABLE and level in (None, notice.level):
                self.store.outbox.drop(
                    conn, number, reason=Reason.CHANGED.value, text=quoted(self.actor),
                    today=self.today(account), now=self.store.now(),
                )  # fmt: skip
                data = {"reason": Reason.CHANGED.value}
                self.record(
                    conn, "notice_dropped", account=account, case_id=notice.case_id, notice_id=number, data=data
                )
                dropped.append(notice)
        return dropped


def check_level(plan: EscalationPlan, position: int, variant: str | None, *, chosen: bool) -> None:
    if not 1 <= position <= len(plan.levels):
        levels = [f"{number} {one.name_in(plan.language)}" for number, one in enumerate(plan.levels, start=1)]
        raise UsageError(
            "plan {plan} has no level {position}; it has {there}", plan=plan.name, position=position, there=levels
        )
    if chosen and plan.level(position).collection:
        raise UsageError(
            "level {position} of plan {plan} is the hand-over to collection; `mahnbridge case handover` decides on it",
            position=position,
            plan=plan.name,
        )
    names = [one.name for one in plan.level(position).variants]
    if variant is not None and variant not in names:
        there = list(names) or Sentence("none")
        raise UsageError(
            "level {position} of plan {plan} has no variant {variant!r}; it has {there}",
            position=position,
            plan=plan.name,
            variant=variant,
            there=there,
        )


def _post(text: str | None) -> str:
    if text is None:
        return ""
    try:
        address_of(text)
    except ValueError as error:
        raise UsageError(sentence_of(error)) from error
    return text
