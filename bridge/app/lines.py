"""From stored rows to the lines that people see."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from bridge.app.claim_statement import ClaimStatement
from bridge.app.party import LABELS, SaidHere, missing
from bridge.app.results import CaseClaim, CaseLine, CaseSums, ClaimLine, Explained, NoticeLine, OtherLine
from bridge.model import Address, ClaimTable, Debtor, Invoice
from bridge.policy import words
from bridge.policy.channel import Via
from bridge.policy.claim_text import Form, claim_lines
from bridge.policy.inhouse import title_of
from bridge.policy.views import notes_from
from bridge.store.notices import euros
from bridge.store.overview import CaseRow, ClaimRow
from bridge.store.records import Beside, Notice
from bridge.words import Sentence, tell

ZERO = Decimal("0.00")


def overdue_days(invoice: Invoice | None, today: date) -> int | None:
    """Return by how many days an invoice is overdue; None where it is not."""
    if invoice is None or invoice.due_on is None or invoice.due_on >= today:
        return None
    return (today - invoice.due_on).days


def notice_line(
    notice: Notice,
    debtor: Debtor | None,
    case: str,
    invoices: Mapping[str, Invoice],
    *,
    today: date,
    language: str,
    said: SaidHere | None = None,
) -> NoticeLine:
    """Return a stored notice for people, with the parts of a bundle in `language`; `said`: of a hand-over, what people said of the customer."""
    claims = []
    bundle = bool(notice.beside) or len(notice.claims) > 1
    for one in notice.claims:
        known = invoices.get(one.invoice_id)
        due = known.due_on if known else None
        claims.append(
            ClaimLine(
                one.invoice_id,
                one.invoice_number or "",
                due,
                overdue_days(known, today),
                one.open,
                one.fee,
                total_of(notice.content.table, one.invoice_id, one.open + one.fee),
                along=not one.level,
                level=one.level,
                level_name=one.level_name or (notice.level_name if one.level else ""),
            )
        )
    return NoticeLine(
        id=notice.id,
        account=notice.account,
        state=notice.state,
        case=case,
        customer=debtor.name if debtor else notice.debtor_id,
        customer_number=(debtor.number or "") if debtor else "",
        level=notice.level,
        level_name=notice.level_name,
        plan=notice.plan,
        channel=notice.channel,
        automation=notice.automation,
        recipient=notice.recipient,
        total=notice.total,
        fee=sum((one.fee for one in notice.claims), ZERO),
        currency=notice.currency,
        deadline=notice.deadline,
        claims=tuple(claims),
        subject=_subject(notice, debtor),
        reason=notice.reason_text or notice.reason or "",
        hash=notice.hash,
        triggers=tuple(one.number or one.invoice for one in claims if bundle and one.level),
        others=tuple(other_line(one, language) for one in notice.beside),
        table=notice.content.table,
        statement=told(notice.content.table, language, notice.content.country),
        notes=(*remarks(notes_from(one.basis) for one in notice.claims), *_missed(notice, debtor, invoices, said)),
    )


def _missed(
    notice: Notice, debtor: Debtor | None, invoices: Mapping[str, Invoice], said: SaidHere | None
) -> tuple[str, ...]:
    """Return what a collection agency will ask for about a hand-over, in a sentence; nothing for other notices."""
    if said is None:
        return ()
    found = missing(debtor, {one.invoice_id: invoices.get(one.invoice_id) for one in notice.claims}, said)
    if not found:
        return ()
    names = [LABELS[one] for one in found]
    return (Sentence("the agency will ask for what nobody told: {missing}; `case facts` tells it", missing=names),)


def _subject(notice: Notice, debtor: Debtor | None) -> str:
    """Return the subject as it goes out, or what people are to do, where they do it."""
    via = Via(notice.channel)
    if via not in (Via.CALL, Via.COLLECTION):
        return notice.content.subject
    return title_of(via, debtor.name if debtor else notice.debtor_id, debtor.number if debtor else None)


def other_line(one: Beside, language: str) -> OtherLine:
    """Return another invoice of the debtor as it was decided, with its part in a stored bundle."""
    text = part_text(one.part, tell(one.text, language), language)
    return OtherLine(one.invoice_id, one.number, one.part, one.why, text, euros(one.demand), one.currency)


def part_text(part: str, why: str, language: str) -> str:
    """Return the part of an invoice in a bundle, and why, in plain words."""
    told = words.plain("bundle", part, language)
    return f"{told}: {why}" if why else told


def total_of(table: ClaimTable | None, invoice_id: str, otherwise: Decimal) -> Decimal:
    """Return what a notice asks for on one invoice."""
    rows = table.rows if table else ()
    return next((row.total for row in rows if row.invoice_id == invoice_id), otherwise)


def told(table: ClaimTable | None, language: str, country: str) -> tuple[str, ...]:
    """Return the table as lines of text, where it says more than the open amounts do."""
    if table is None or not (table.ancillary or table.interest or table.paid):
        return ()
    return tuple(claim_lines(table, Form(language, country, table.currency)).split("\n"))


def remarks(notes: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return the remarks on all claims of a notice, each once."""
    return tuple(dict.fromkeys(text for one in notes for text in one))


def case_line(case: CaseRow, level_name: str, sums: CaseSums, debtor: Debtor | None = None) -> CaseLine:
    """Return a case for a list, with what its open claims add up to."""
    return CaseLine(
        number=case.number,
        account=case.account,
        customer=case.debtor_name or case.debtor_id,
        customer_number=case.debtor_number or "",
        state=case.state,
        level=case.level,
        level_name=level_name,
        invoices=case.open_claims or case.claims,
        principal=sums.principal,
        ancillary=sums.ancillary,
        total=sums.total,
        opened_on=case.opened_on,
        closed_on=case.closed_on,
        close_reason=case.close_reason or "",
        closed_level=case.closed_level,
        next_on=case.next_on,
        contact=contact_text(debtor),
    )


def case_claim(row: ClaimRow, today: date, told: Explained | None, owed: ClaimStatement | None) -> CaseClaim:
    """Return a claim inside its case; `told` says what happens next."""
    late = row.due_on is not None and row.due_on < today and row.status == "open"
    return CaseClaim(
        invoice=row.invoice_id,
        number=row.number or "",
        issued_on=row.issued_on,
        due_on=row.due_on,
        days_overdue=(today - row.due_on).days if late and row.due_on else None,
        principal=owed.asked_principal if owed else ZERO,
        ancillary=owed.asked_ancillary if owed else ZERO,
        total=owed.total if owed else ZERO,
        currency=row.currency,
        status=row.status,
        level=row.level,
        level_name=row.level_name,
        level_on=row.level_on,
        deadline=row.deadline,
        state=row.state,
        close_reason=row.close_reason or "",
        held=told.text if told else "",
        next_on=told.next_on if told else row.next_on,
        days_since_issue=(today - row.issued_on).days if row.issued_on else None,
        parts=owed.parts if owed else {},
        plan=told.plan if told else "",
        upcoming=told.upcoming if told and row.state == "open" else (),
        choices=told.choices if told and row.state == "open" else (),
    )


def address_text(address: Address | None) -> str:
    """Return a postal address in one line."""
    if address is None:
        return ""
    parts = [*address.lines, address.street, f"{address.postcode} {address.city}".strip()]
    return ", ".join(part for part in parts if part)


def emails_of(debtor: Debtor | None) -> tuple[str, ...]:
    """Return the addresses of a customer that notices can go to, that of reminders first."""
    if debtor is None:
        return ()
    found = (debtor.email, *(one.email for one in debtor.contacts))
    return tuple(dict.fromkeys(one for one in found if one))


def contact_text(debtor: Debtor | None) -> str:
    """Return whom reminders go to: the contact whose address is used, else the first one, and the address."""
    if debtor is None:
        return ""
    used = next((one for one in debtor.contacts if one.email and one.email == debtor.email), None)
    contact = used or next(iter(debtor.contacts), None)
    return " ".join(
        part for part in ((contact.name if contact else ""), f"<{debtor.email}>" if debtor.email else "") if part
    )
