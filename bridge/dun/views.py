"""From the mirror and our own memory to what the rules see."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from bridge.dun.histories import Histories
from bridge.model import Invoice, InvoiceKind, InvoiceStatus, Reason
from bridge.policy.build import case_view, cents, claim_view, notice_view
from bridge.policy.holds import DUNNABLE
from bridge.policy.money import History
from bridge.policy.situation import contacts
from bridge.policy.views import AccountFacts, Block, CaseView, ClaimView
from bridge.store import Store
from bridge.store.accounts import Account
from bridge.store.cases import Standing
from bridge.store.choices import Chosen, StoredBlock
from bridge.store.jumps import jump_text
from bridge.store.mirror import Dossier, Known

NOTHING_CHOSEN = Chosen()


@dataclass(frozen=True, slots=True)
class Seen:
    """One debtor as the rules see them, with what the run needs to store afterwards. `due`: invoices to decide on."""

    case: CaseView
    due: frozenset[str]
    standings: Mapping[str, Standing]
    case_id: int | None


def debtor_key(dossier: Dossier) -> str:
    """Return the debtor's id; an invoice without debtor stands for itself."""
    if dossier.debtor_id is not None:
        return dossier.debtor_id
    return f"invoice:{dossier.invoices[0].invoice.id}"[:128]


def account_facts(account: Account | None, zone: ZoneInfo, *, approved: bool = False) -> AccountFacts:
    """Return what is true of the whole account, with instants as local dates."""
    if account is None:
        return AccountFacts(approved=approved)
    seen = account.payments_as_of
    return AccountFacts(
        payments_as_of=seen.astimezone(zone).date() if seen else None,
        writing_suspended=account.writing_suspended,
        held_jump=_jump(account.held_jump),
        approved=approved,
    )


def _jump(jump: Mapping[str, Any] | None) -> dict[str, str] | None:
    return {language: jump_text(jump).told(language) for language in ("de", "en")} if jump is not None else None


class Viewer:
    """Reads what is known here about many debtors at once, and puts it beside what the provider says."""

    def __init__(self, store: Store, zone: ZoneInfo) -> None:
        self._store = store
        self._zone = zone

    def see(
        self, conn: Connection, account: str, dossiers: Sequence[Dossier], today: date, *, everything: bool = False
    ) -> list[Seen]:
        """Return these debtors as the rules see them; with `everything` all their invoices are decided on, else those due."""
        keys = [debtor_key(one) for one in dossiers]
        ids = [known.invoice.id for one in dossiers for known in one.invoices]
        standings = self._store.cases.standings(conn, account, ids)
        ever = self._store.choices.blocks(conn, account, debtor_ids=keys, invoice_ids=ids)
        blocks = [one for one in ever if one.active_on(today)]
        by_debtor = _grouped((one.debtor_id, one.view(self._zone)) for one in blocks)
        by_invoice = _grouped((one.invoice_id, one.view(self._zone)) for one in blocks)
        money = Histories(self._store, conn, account, self._zone, list(standings))
        customers, invoices = self._store.choices.chosen(conn, account, debtor_ids=keys, invoice_ids=ids)
        known_contacts = self._store.cases.last_contacts(conn, account, keys)
        cases = self._store.cases.open_cases(conn, account, keys)
        found = []
        for key, dossier in zip(keys, dossiers, strict=True):
            chosen = customers.get(key, NOTHING_CHOSEN)
            case_id, number = cases.get(key, (None, None))
            own = {one.invoice.id: standings[one.invoice.id] for one in dossier.invoices if one.invoice.id in standings}
            histories = _histories(money, key, dossier, ever)
            claims = self._claims(dossier, own, by_invoice, invoices, chosen, histories)
            case = case_view(
                account,
                dossier.debtor,
                key,
                blocks=by_debtor.get(key, ()) + _of_the_debtor(claims),
                claims=claims,
                plan=chosen.plan,
                include=chosen.include,
                colleagues=chosen.colleagues + (dossier.debtor.colleagues if dossier.debtor else ()),
                include_by=chosen.include_by,
                include_on=self._day(chosen.include_at) if chosen.include_at else None,
                last_contact_on=last_contact(known_contacts.get(key), claims),
                case_number=number,
                has_record=dossier.debtor_id is not None,
            )
            found.append(Seen(case, _to_decide(dossier, today, everything=everything), own, case_id))
        return found

    def _claims(  # noqa: PLR0917  one call site
        self,
        dossier: Dossier,
        standings: Mapping[str, Standing],
        blocks: Mapping[str, tuple[Block, ...]],
        chosen: Mapping[str, Chosen],
        customer: Chosen,
        histories: Mapping[str, History],
    ) -> tuple[ClaimView, ...]:
        shares = shared_credits([known.invoice for known in dossier.invoices], dossier.related)
        claims = []
        for known in dossier.invoices:
            invoice = known.invoice
            held = dossier.notices.get(invoice.id, ())
            notices = (
                notice_view(
                    one.notice,
                    ours=one.ours,
                    astray=one.astray,
                    leaving=one.leaving,
                    first_seen=self._day(one.first_seen),
                    local=self._day,
                )
                for one in held
            )
            its = chosen.get(invoice.id, NOTHING_CHOSEN)
            state = _state(standings.get(invoice.id), its, invoice) | {"send_to": its.send_to + customer.send_to}
            if its.include_at is not None:
                state |= {"include_by": its.include_by, "include_on": self._day(its.include_at)}
            claims.append(
                claim_view(
                    invoice,
                    related=dossier.related.get(invoice.id, ()),
                    payments=dossier.payments.get(invoice.id, ()),
                    notices=notices,
                    blocks=blocks.get(invoice.id, ()),
                    shared_notes=shares.get(invoice.id, ()),
                    history=histories[invoice.id],
                    **state,
                )
            )
        return tuple(claims)

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self._zone).date()


def last_contact(known: date | None, claims: Iterable[ClaimView]) -> date | None:
    """Return the newest contact: ours, or a reminder made elsewhere, also one that no run has adopted yet."""
    elsewhere = [on for claim in claims for on in contacts(claim)]
    return max(elsewhere if known is None else [known, *elsewhere], default=None)


def _of_the_debtor(claims: Iterable[ClaimView]) -> tuple[Block, ...]:
    """Return what an invoice says about its debtor as a whole: an insolvency stops everything."""
    return tuple(block for claim in claims for block in claim.blocks if block.reason is Reason.INSOLVENCY)


def _histories(money: Histories, debtor: str, dossier: Dossier, blocks: Iterable[StoredBlock]) -> Mapping[str, History]:
    """Return the money side of each claim of one debtor."""
    about = [one for one in blocks if one.debtor_id == debtor or one.invoice_id is not None]
    found = {}
    for known in dossier.invoices:
        own = known.invoice.id
        mine = [one for one in about if one.invoice_id in (None, own)]
        found[own] = money.of(own, dossier.payments.get(own, ()), mine)
    return found


def _to_decide(dossier: Dossier, today: date, *, everything: bool) -> frozenset[str]:
    """Return the invoices to decide on; a credit note, cancellation or final invoice that changed concerns all of the debtor's."""
    due = [known for known in dossier.invoices if everything or _is_due(known, today)]
    if any(known.invoice.kind not in DUNNABLE for known in due):
        due = list(dossier.invoices)
    return frozenset(known.invoice.id for known in due)


def _is_due(known: Known, today: date) -> bool:
    return known.next_on is not None and known.next_on <= today


def _grouped(pairs: Iterable[tuple[str | None, Block]]) -> dict[str, tuple[Block, ...]]:
    found: dict[str, tuple[Block, ...]] = {}
    for key, block in pairs:
        if key is not None:
            found[key] = (*found.get(key, ()), block)
    return found


def _state(standing: Standing | None, chosen: Chosen, invoice: Invoice) -> dict[str, Any]:
    """Return what is known here about the claim; one that was paid and is open again stands before a new round."""
    state: dict[str, Any] = {
        "plan": chosen.plan,
        "include": chosen.include,
        "next_level": chosen.next_level,
        "next_level_by": chosen.next_level_by,
        "next_variant": chosen.next_variant,
        "hand_over": chosen.hand_over,
        "hand_over_by": chosen.hand_over_by,
        "fees_chosen": chosen.fees,
    }
    if standing is None:
        return state
    closed = Reason(standing.close_reason) if standing.close_reason and not standing.is_open else None
    state |= {
        "claim_id": standing.claim_id,
        "closed": closed,
        "running": standing.running,
        "round": standing.round,
        "round_on": standing.round_on,
    }
    if standing.returned:
        state["returned"] = True
    if taken_back(standing, invoice):
        return state | {"round": standing.round + 1, "returned": True}
    return state | {
        "level": standing.level,
        "level_name": standing.level_name,
        "repetition": standing.repetition,
        "level_on": standing.level_on,
        "deadline": standing.deadline,
        "undelivered": standing.undelivered,
        "resend": standing.resend,
        "resent": standing.resent,
    }


def taken_back(standing: Standing, invoice: Invoice) -> bool:
    """Return whether the payment that closed this claim was taken back (Rücklastschrift): it begins a new round."""
    paid = not standing.is_open and standing.close_reason == Reason.PAID.value
    return paid and invoice.status is InvoiceStatus.OPEN and invoice.open > 0


def shared_credits(
    invoices: Collection[Invoice], related: Mapping[str, Sequence[Invoice]]
) -> dict[str, tuple[tuple[str, int], ...]]:
    """Return, by invoice, its part of the debtor's free credit notes, their numbers and cents: oldest due date first, never across currencies.

    Free is an open credit note that names none of these invoices as its origin.
    """
    open_ids = {one.id for one in invoices if one.kind in DUNNABLE}
    free: dict[str, list[tuple[str, int]]] = {}
    for one in sorted(invoices, key=lambda one: (one.issued_on or date.max, one.id)):
        if one.kind is InvoiceKind.CREDIT_NOTE and one.status is InvoiceStatus.OPEN and one.origin_id not in open_ids:
            free.setdefault(one.currency, []).append((one.number or "", abs(cents(one.open))))
    if not free:
        return {}
    shares: dict[str, tuple[tuple[str, int], ...]] = {}
    for one in sorted(invoices, key=lambda one: (one.due_on or date.max, one.id)):
        left = free.get(one.currency)
        if not left or one.kind not in DUNNABLE or one.status is not InvoiceStatus.OPEN:
            continue
        linked = sum(abs(cents(doc.open)) for doc in related.get(one.id, ()) if doc.status is InvoiceStatus.OPEN)
        taken = _taken(left, max(0, cents(one.open) - linked))
        if taken:
            shares[one.id] = taken
    return shares


def _taken(left: list[tuple[str, int]], wanted: int) -> tuple[tuple[str, int], ...]:
    """Take up to `wanted` cents off the credit notes in `left`, the first ones first; return what was taken of which."""
    taken = []
    while left and wanted:
        number, there = left.pop(0)
        part = min(there, wanted)
        wanted -= part
        if part:
            taken.append((number, part))
        if there > part:
            left.insert(0, (number, there - part))
    return tuple(taken)
