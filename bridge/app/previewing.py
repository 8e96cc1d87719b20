"""Preview of any level for any real invoice, and of each notice as it stands: the very text, page, mail or letter. Nothing is written or sent."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from email.headerregistry import Address as Mailbox
from typing import NamedTuple

from sqlalchemy import Connection

from bridge.app.explaining import Explaining
from bridge.app.letterhead import letter_of
from bridge.app.lines import remarks
from bridge.channels.message import Envelope, build
from bridge.documents.girocode import code
from bridge.documents.letter import render
from bridge.documents.mail import html
from bridge.errors import UsageError, WrongState
from bridge.model import Act, Attachment, Content, Debtor, Reason, WriteBack
from bridge.policy import AccountRules, CaseView, ClaimView, Decision, EscalationPlan, Outcome, compose
from bridge.policy.actions import LETTER
from bridge.policy.assign import assign
from bridge.policy.claim_text import mail_text
from bridge.policy.drafts import NoticeDraft
from bridge.policy.recipients import mail_recipients, postal_address
from bridge.policy.wording import Texts
from bridge.store.mirror import Known

FORMATS = ("text", "html", "pdf", "eml")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a level would say about an invoice, or what a notice says. `document` is the file in the format asked for; `text` its text in any case.

    `notice` and `state` name the notice that was asked for. `held` says why nothing goes out about the invoice today, empty where
    something does; `notes` are remarks for staff, such as what is not asked for and why.
    """

    account: str
    invoice: str
    customer: str
    plan: str
    level: int
    level_name: str
    channel: str
    recipient: str
    language: str
    total: Decimal
    currency: str
    deadline: date | None
    subject: str
    text: str
    girocode: bool
    format: str
    document: bytes
    notice: int | None = None
    state: str = ""
    held: str = ""
    notes: tuple[str, ...] = ()


class Previewing(Explaining):
    """What shows a notice before it exists."""

    def show_level(
        self,
        invoice: str,
        *,
        level: int | None = None,
        variant: str | None = None,
        form: str = "text",
        account: str | None = None,
    ) -> Shown:
        """Return what `level` of its plan, by default the next one, would say about this invoice (number or id) today.

        Raises `UsageError` on an unknown account, invoice, level or variant, or one that no plan covers; `Refused` where it cannot be printed.
        """
        if account is not None:
            self.chosen((account,))
        with self.store.reading() as conn:
            found = [one for one in self.store.mirror.by_number(conn, invoice, account) if one.account in self.accounts]
        if not found:
            raise UsageError("there is no invoice {invoice!r}; `mahnbridge pull` reads what is new", invoice=invoice)
        if len(found) > 1 and account is None:
            raise UsageError(
                "invoice {invoice!r} exists in more than one account; name it with --account", invoice=invoice
            )
        self._ask([found[0].account])
        with self.store.reading() as conn:
            return self._show(conn, found[0], level, variant, form)

    def _show(self, conn: Connection, known: Known, level: int | None, variant: str | None, form: str) -> Shown:
        name, today = known.account, self.today(known.account)
        case, claim = self.seen(conn, known, today)
        plan, position = self._level_of(case, claim, level)
        draft = self._drafted_level(case, claim, plan, position, variant, today, form)
        debtor = self.store.mirror.debtor(conn, name, known.invoice.debtor_id) if known.invoice.debtor_id else None
        content = _complete(draft, case, claim, plan, self.rules[name], form)
        today_said = self._explain(conn, known, None)
        return Shown(
            account=name,
            invoice=known.invoice.number or known.invoice.id,
            customer=case.name or case.debtor_id,
            plan=plan.name,
            level=position,
            level_name=draft.level_name,
            channel=draft.channel.value,
            recipient=draft.recipient,
            language=content.language,
            total=content.total,
            currency=content.currency,
            deadline=draft.deadline,
            subject=content.subject,
            text=mail_text(content),
            girocode=content.payment is not None and code(content.payment) is not None,
            format=form,
            document=self._document(form, _Written.drafted(draft, content), debtor, case.case_number or "", today),
            held="" if today_said.outcome == Outcome.ESCALATE else today_said.text,
            notes=remarks(one.basis.notes for one in draft.claims),
        )

    def show_notice(self, notice: int, *, form: str = "text") -> Shown:
        """Return what a notice says, whether it waits, is approved, refused or out: with all that people changed in it.

        Raises `UsageError` where there is no such notice, or one that writes nothing to the debtor; `Refused` where it cannot be printed.
        """
        with self.store.reading() as conn:
            try:
                known = self.level_names.notice(conn, self.store.outbox.get(conn, notice))
            except WrongState as error:
                raise UsageError(error.sentence) from error
            steps = self.store.outbox.steps.of_notice(conn, notice)
            step = next((one for one in steps if one.reaches_debtor), None)
            step = step or next((one for one in steps if one.content.text), None)
            if step is None:
                raise UsageError("notice {notice} writes nothing to the debtor", notice=notice)
            (line,) = self.lines(conn, [known])
            debtor = self.store.mirror.debtor(conn, known.account, known.debtor_id)
        written = _Written(known.account, known.debtor_id, step.key, step.content, step.content.attachments)
        today = self.today(known.account)
        return Shown(
            account=known.account,
            invoice=", ".join(one.number or one.invoice for one in line.claims),
            customer=line.customer,
            plan=known.plan,
            level=known.level,
            level_name=known.level_name,
            channel=known.channel,
            recipient=known.recipient,
            language=step.content.language,
            total=known.total,
            currency=known.currency,
            deadline=known.deadline,
            subject=step.content.subject,
            text=mail_text(step.content),
            girocode=step.content.payment is not None and code(step.content.payment) is not None,
            format=form,
            document=self._document(form, written, debtor, line.case, today),
            notice=notice,
            state=known.state,
            notes=line.notes,
        )

    def _level_of(self, case: CaseView, claim: ClaimView, level: int | None) -> tuple[EscalationPlan, int]:
        rules = self.rules[case.account]
        plan = assign(case, claim, rules).plan
        if plan is None:
            raise UsageError(
                "invoice {number!r} has no plan, so there is nothing to show", number=claim.number or claim.invoice_id
            )
        position = level or min(claim.level + 1, len(plan.levels))
        if not 1 <= position <= len(plan.levels):
            raise UsageError(
                "plan {plan} has levels 1 to {levels}, not {position}",
                plan=plan.name,
                levels=len(plan.levels),
                position=position,
            )
        if not plan.level(position).writes:
            raise UsageError(
                "level {position} of plan {plan} writes nothing to the debtor", position=position, plan=plan.name
            )
        return plan, position

    def _drafted_level(  # noqa: PLR0917  one call site
        self,
        case: CaseView,
        claim: ClaimView,
        plan: EscalationPlan,
        position: int,
        variant: str | None,
        today: date,
        form: str,
    ) -> NoticeDraft:
        names = [one.name for one in plan.level(position).variants]
        if variant is not None and variant not in names:
            raise UsageError(
                "level {position} has no variant {variant!r}; there are {names}",
                position=position,
                variant=variant,
                names=", ".join(names),
            )
        decision = Decision(
            claim.invoice_id,
            Outcome.ESCALATE,
            Reason.LEVEL_DUE,
            level=position,
            repetition=1,
            round=claim.round,
            plan=plan.name,
            variant=variant,
        )
        rules, abilities = self.rules[case.account], self.abilities(case.account)
        if form == "pdf":
            rules = replace(rules, plans={**rules.plans, plan.name: _printed(plan, position)})
        anything = replace(abilities, channels={Act.MAIL: "", Act.LETTER: "", **abilities.channels})
        drafts = compose(case, (decision,), rules, abilities, today) or compose(
            case, (decision,), rules, anything, today
        )
        drafts = tuple(one for one in drafts if not one.channel.in_house)
        if not drafts:
            raise UsageError(
                "no channel can say level {position} of invoice {number!r}",
                position=position,
                number=claim.number or claim.invoice_id,
            )
        wanted = [one for one in drafts if one.channel.mailed is (form != "pdf")]
        return (wanted or list(drafts))[0]

    def _document(self, form: str, written: "_Written", debtor: Debtor | None, case: str, today: date) -> bytes:
        content = written.content

        def letter() -> bytes:
            own = self.config
            return render(letter_of(content, own.creditor, own.letters, debtor, case=case, today=today))

        if form == "pdf":
            return letter()
        if form == "html":
            return html(content).encode()
        return self._mail(written, letter) if form == "eml" else f"{content.subject}\n\n{mail_text(content)}\n".encode()

    def _mail(self, written: "_Written", letter: Callable[[], bytes]) -> bytes:
        """Return the mail with its attachments, as our mail server would get it; what does not exist yet is left out."""
        settings, own, content = self.config.channels.get("smtp"), self.config.creditor, written.content
        address = getattr(settings, "sender_address", None) or own.email or "preview@localhost"
        sender = Mailbox(getattr(settings, "sender_name", "") or own.name, addr_spec=address)
        account, debtor_id = written.account, written.debtor_id
        write = WriteBack(key=written.key, account=account, act=Act.MAIL, debtor_id=debtor_id, content=content)
        there = [one.model_copy(update={"optional": True}) for one in written.attachments]
        files = list(self.enclosures.enclosed(account, there, letter, {}))
        envelope = Envelope(content.recipients.to or (address,), content.recipients.cc)
        reply_to = getattr(settings, "reply_to", None)
        return build(write, files, envelope, sender=sender, reply_to=reply_to, dated=self.clock()).as_bytes()


class _Written(NamedTuple):
    """What goes to a debtor, drafted or stored, with the files that go along."""

    account: str
    debtor_id: str
    key: str
    content: Content
    attachments: tuple[Attachment, ...] = ()

    @classmethod
    def drafted(cls, draft: NoticeDraft, content: Content) -> "_Written":
        files = next((one.content.attachments for one in draft.steps if one.content.attachments), ())
        return cls(draft.account, draft.debtor_id, f"preview:{draft.claims[0].key}", content, files)


def _printed(plan: EscalationPlan, position: int) -> EscalationPlan:
    """Return the plan in which that level says by mail, too, what it says in a letter, unless its letter goes along with the mail."""
    level = plan.level(position)
    if LETTER in (one.name for one in level.attachments or ()):
        return plan
    variants = tuple(one.model_copy(update={"texts": _as_letters(one.texts)}) for one in level.variants)
    printed = level.model_copy(update={"texts": _as_letters(level.texts), "variants": variants})
    return plan.model_copy(update={"levels": (*plan.levels[: position - 1], printed, *plan.levels[position:])})


def _as_letters(given: Texts) -> Texts:
    return {language: text.by(mailed=False) for language, text in given.items()}


def _complete(  # noqa: PLR0917  one call site
    draft: NoticeDraft, case: CaseView, claim: ClaimView, plan: EscalationPlan, rules: AccountRules, form: str
) -> Content:
    """Return the content with the address that the format needs, whichever channel the level takes."""
    content, level = draft.content, plan.level(draft.level)
    if form == "pdf" and content.address is None:
        return content.model_copy(update={"address": postal_address(case, claim)})
    if form == "eml" and not content.recipients.to:
        return content.model_copy(update={"recipients": mail_recipients(case, claim, level, rules)})
    return content
