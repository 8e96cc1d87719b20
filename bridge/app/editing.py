"""Editing a notice before it begins to go out, and contacts that people had with a customer themselves."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from bridge.app.choosing import Choosing, check_level
from bridge.app.results import Done, NoticeLine
from bridge.errors import UsageError, WrongState
from bridge.model import Act, Content
from bridge.policy import Via
from bridge.policy.claim_text import mail_text, plain
from bridge.policy.texts import CLAIMS, PAYMENT
from bridge.store.choices import Target
from bridge.store.notices import EDITED
from bridge.store.outbox import CHANGEABLE
from bridge.store.records import NewNotice, NewStep, Notice, Step
from bridge.store.rows import cents
from bridge.words import Sentence

MOST_FEE = Decimal(1000)
"""More than this is a slip of the keyboard."""

OLDEST_CONTACT = timedelta(days=365)
_PLACE = re.compile(r"(?m)^[ \t]*\{\{\s*(?P<name>claims|payment)\s*\}\}[ \t]*$|\{\{[^{}]*\}\}|\{%.*?%\}")


class Editing(Choosing):
    """What people change in a notice. Every change asks for approval anew, and is recorded with the person."""

    def edit(
        self,
        notice: int,
        *,
        subject: str | None = None,
        text: str | None = None,
        emails: Sequence[str] = (),
        unknown: bool = False,
        level: int | None = None,
        fee: Decimal | None = None,
    ) -> tuple[NoticeLine, ...]:
        """Change subject, text, recipients, level or fee of what has not begun to go out; return what waits for approval instead.

        What was approved, or goes out by itself, asks for approval again. Another level, recipient or fee lets the notice be composed
        anew, on what is known now; subject and text are changed last, in what that gives. Raises `UsageError` where a value cannot be
        or its delivery has begun, `WrongState` where that begins meanwhile, `AlreadyRunning` while a run is under way: then the choice
        stands, and the next run proposes accordingly.
        """
        if not (emails or level is not None or fee is not None or subject is not None or text is not None):
            raise UsageError("nothing to change was named: subject, text, recipient, level or fee")
        line = self._changeable(notice)
        if Via(line.channel).in_house and (emails or fee is not None or subject is not None or text is not None):
            raise UsageError("notice {notice} writes nothing to the debtor", notice=notice)
        if subject is not None or text is not None:
            _checked(subject, text)
        if text is not None:
            text = _PLACE.sub(_placed, text)
        if fee is not None and not Decimal(0) <= fee <= MOST_FEE:
            raise UsageError("{fee}: a fee is at least 0 and at most {most}", fee=fee, most=MOST_FEE)
        if emails or level is not None or fee is not None:
            found = self._composed_anew(line, emails=emails, unknown=unknown, level=level, fee=fee)
        else:
            found = (line,)
        if subject is None and text is None:
            return found
        ids = [one.id for one in found if one.id is not None]
        with self.store.begin() as conn:
            for one in ids:
                self._rewrite(conn, one, subject, text)
        return self.proposals(ids)

    def _changeable(self, notice: int) -> NoticeLine:
        with self.store.reading() as conn:
            try:
                known = self.store.outbox.changeable(conn, notice)
            except WrongState as error:
                raise UsageError(error.sentence) from error
            return self.lines(conn, [known])[0]

    def _composed_anew(
        self, line: NoticeLine, *, emails: Sequence[str], unknown: bool, level: int | None, fee: Decimal | None
    ) -> tuple[NoticeLine, ...]:
        before = self._waiting(line)
        own = [one for one in line.claims if not one.along]
        wanted = level or line.level
        with self.store.reading() as conn:
            self._emails(conn, line.case, emails, unknown)  # before anything is chosen, which drops what waits
            if level is not None:
                for one in own:
                    self._check_forward(conn, line, one.invoice, level)
        for one in own:
            chosen = wanted > self._stands_at(line.case, one.invoice) + 1  # by a person before; composing used it up
            if chosen or wanted != line.level:
                self.choose_level(line.case, wanted, invoice=one.invoice)
        if emails:
            self.choose_recipient(
                line.case, emails, level=wanted, invoice=own[0].invoice if len(own) == 1 else None, unknown=unknown
            )
        if fee is not None:
            self._choose_fee(line, [one.invoice for one in own], wanted, fee)
        assert line.id is not None
        with self.store.reading() as conn:
            debtor_id = self.store.outbox.get(conn, line.id).debtor_id
        self.run((line.account,), customer=debtor_id, pull=False, deliver=False, asks=True)
        invoices = {one.invoice for one in own}
        found = tuple(one for one in self.proposals() if invoices & {claim.invoice for claim in one.claims})
        if not found:
            told = "; ".join(text.text for one in invoices for text in self.explain(one, account=line.account))
            raise UsageError("nothing is proposed after this change: {told}", told=told)
        self._note_replaced(before)
        return self.proposals([one.id for one in found if one.id is not None])

    def _waiting(self, line: NoticeLine) -> list[Notice]:
        """Return what waits for the customer of a notice."""
        with self.store.reading() as conn:
            case_id = self.store.cases.by_number(conn, line.case)["id"]
            return self.store.outbox.listing(conn, states=CHANGEABLE, case_id=case_id, limit=None)

    def _note_replaced(self, before: Sequence[Notice]) -> None:
        """Note which notices took the place of those that the edit ended: those over the same invoices."""
        with self.store.begin() as conn:
            for old in before:
                if self.store.outbox.get(conn, old.id).state in CHANGEABLE:
                    continue
                invoices = {one.invoice_id for one in old.claims if one.level}
                waiting = self.store.outbox.listing(conn, states=CHANGEABLE, case_id=old.case_id, limit=None)
                made = [one for one in waiting if invoices & {its.invoice_id for its in one.claims if its.level}]
                if not made:
                    continue
                self.store.outbox.replaced(conn, old.id, made[0].id)
                data = {"replaces": old.id, "notice": made[0].id}
                self.record(
                    conn, "notice_replaced", account=old.account, case_id=old.case_id, notice_id=made[0].id, data=data
                )

    def _stands_at(self, case: str, invoice: str) -> int:
        with self.store.reading() as conn:
            return next(one.level for one in self._open_claims(conn, case, invoice))

    def _check_forward(self, conn: Connection, line: NoticeLine, invoice: str, level: int) -> None:
        """Refuse a level that this claim's plan does not have, or that lies behind where it stands."""
        [one] = self._open_claims(conn, line.case, invoice)
        check_level(self._plan_of(conn, line.account, one), level, None, chosen=True)
        if level <= one.level:
            raise UsageError(
                "this claim stands at level {stands_at} already; a level never goes back, choose a higher one",
                stands_at=one.level,
            )

    def _choose_fee(self, line: NoticeLine, invoices: Sequence[str], level: int, fee: Decimal) -> None:
        with self.store.begin() as conn:
            stamp = self.stamp(line.account)
            for invoice in invoices:
                target = Target(account=line.account, invoice_id=invoice)
                self.store.choices.choose(conn, target, f"fee:{level}", str(cents(fee)), stamp)
                self.store.choices.wake(conn, target, stamp)
                self._replace(conn, line.account, target, level)

    def _rewrite(self, conn: Connection, notice_id: int, subject: str | None, text: str | None) -> None:
        notice = self.store.outbox.get(conn, notice_id)
        steps = self.store.outbox.steps.of_notice(conn, notice_id)
        new = rewritten(notice, steps, subject, text)
        version = self.store.outbox.edit(conn, notice_id, new, now=self.store.now())
        data = {
            "version": version,
            "level": notice.level,
            "level_name": notice.level_name,
            "subject": new.content.subject,
        }
        self.record(conn, EDITED, account=notice.account, case_id=notice.case_id, notice_id=notice_id, data=data)

    def note_contact(self, case: str, *, on: date | None = None, note: str = "") -> Done:
        """Note that a person wrote to or spoke with a customer: reminders keep their minimum interval from that day.

        Raises `UsageError` where the day lies ahead, or more than a year back.
        """
        with self.store.begin() as conn:
            target, subject, account = self._customer_of(conn, case)
            stamp = self.stamp(account)
            day = on or stamp.on
            if not stamp.on - OLDEST_CONTACT <= day <= stamp.on:
                raise UsageError("{day}: a contact lies in the past, at most a year back", day=day)
            self.store.choices.choose(conn, target, "contact", day.isoformat(), stamp)
            if note:
                self.record(conn, "contact_noted", account=account, data={"note": note, "debtor": target.debtor_id})
        return Done("contact_noted", subject, self.actor, until=day)

    def add_note(self, case: str, text: str, *, invoice: str | None = None) -> Done:
        """Write a note into a case, or about one of its invoices; it changes nothing about what comes next.

        Raises `UsageError` where the text is empty, too long or has control characters.
        """
        if not text.strip():
            raise UsageError("a note needs a text")
        _checked(None, text)
        with self.store.begin() as conn:
            row = self._row(conn, case)
            about = None
            if self._invoice_meant(conn, case, invoice):
                target, _, _ = self._target(conn, case, invoice)
                about = target.invoice_id
            self.record(
                conn, "note_added", account=row.account, case_id=row.id, invoice_id=about, data={"note": text.strip()}
            )
        return Done("noted", row.number, self.actor)


def _checked(subject: str | None, text: str | None) -> None:
    for name, value, most in ((Sentence("subject"), subject, 200), (Sentence("text"), text, 20_000)):
        if value is None:
            continue
        if not value.strip() or len(value) > most:
            raise UsageError(
                "the {name} has {count} {count|character|characters}; write 1 to {most}",
                name=name,
                count=len(value),
                most=most,
            )
        allowed = "\n\t" if name == "text" else ""
        odd = next((sign for sign in value if not sign.isprintable() and sign not in allowed), None)
        if odd is not None:
            raise UsageError("the {name} contains the control character {odd!r}", name=name, odd=odd)


def _placed(found: re.Match[str]) -> str:
    """Return the place of a table. Raises `UsageError` for anything else: this text is filled in no more."""
    if found.group("name") is None:
        raise UsageError(
            "{found} would go out as it is written; of variables, this text takes {places} on lines of their own",
            found=found.group(0),
            places="{{ claims }}, {{ payment }}",
        )
    return {"claims": CLAIMS, "payment": PAYMENT}[found.group("name")]


def rewritten(notice: Notice, steps: Sequence[Step], subject: str | None, text: str | None) -> NewNotice:
    """Return the notice with another subject and text, in itself and in every step that carries them."""
    told = {"subject": subject.strip()} if subject is not None else {}
    if text is not None:
        told["text"] = text.strip()
    whole = notice.content.model_copy(update=told)

    def changed(one: Step) -> Content:
        """Return what a step says, which names subject and text or neither; providers know plain text alone."""
        new = told
        if text is not None and one.act not in (Act.MAIL, Act.LETTER):
            new = told | {"text": mail_text(whole) if one.act is Act.SEND_EMAIL else plain(whole)}
        return one.content.model_copy(update={name: said for name, said in new.items() if getattr(one.content, name)})

    return NewNotice(
        account=notice.account,
        case_id=notice.case_id,
        run_id=notice.run_id,
        plan=notice.plan,
        level=notice.level,
        level_name=notice.level_name,
        channel=notice.channel,
        automation=notice.automation,
        debtor_id=notice.debtor_id,
        currency=notice.currency,
        total=notice.total,
        deadline=notice.deadline,
        recipient=notice.recipient,
        content=whole,
        claims=(),
        steps=tuple(
            NewStep(act=one.act, content=changed(one), claim_id=one.claim_id, channel=one.channel) for one in steps
        ),
        plan_version=notice.plan_version,
        beside=notice.beside,
    )
