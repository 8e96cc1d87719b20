"""Which open invoice a bank movement pays (Zahlungsabgleich). Nothing is guessed.

Order: exact creditor reference (ISO 11649); invoice numbers and the amount; customer number and the amount; known account and the
amount; the sum of all open invoices of the payer. What fits more than one way, or only in part, holds every invoice that it may mean.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

from bridge.contract import NOTHING, Payment, PaymentKind, Sentence
from connectors.generic_csv.bank import Entry
from connectors.generic_csv.cells import fold
from connectors.generic_csv.effective import effective
from connectors.generic_csv.state import State, cents

LONGEST_TRACE = timedelta(days=400)
"""Older unmatched movements are no longer compared."""

AMOUNT_ALONE_HOLDS = timedelta(days=14)
"""How long an equal amount without any other sign holds an invoice, counted from the booking day."""

_MOST_JOINED = 6
_SHORTEST_SIGN = 4
_MOST_CANDIDATES = 5000
_WORD = re.compile(r"[^\W_]+")
_REFERENCE = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}")


@dataclass(frozen=True, slots=True)
class Open:
    """An invoice as a candidate. `known`: what the list itself, made on `listed_on`, says was paid."""

    id: str
    debtor_id: str | None
    open: Decimal
    currency: str
    known: Decimal
    listed_on: date


@dataclass(frozen=True, slots=True)
class Verdict:
    """`pays`: amounts per invoice. `suspects`: invoices that it may mean, with why and until when that holds them."""

    pays: tuple[tuple[str, Decimal], ...] = ()
    suspects: tuple[str, ...] = ()
    why: Sentence = NOTHING
    until: date | None = None


def creditor_references(text: str) -> list[str]:
    """Return the invoice parts of all valid creditor references (ISO 11649) in a text, folded; written in one or in groups."""
    words = re.findall(r"[A-Z0-9]+", text.upper())[:120]
    found: list[str] = []
    for at, word in enumerate(words):
        if not re.match("RF[0-9]{2}", word):
            continue
        for end in range(at + 1, min(at + 7, len(words)) + 1):
            joined = "".join(words[at:end])
            if _REFERENCE.fullmatch(joined) and _check(joined):
                found.append(fold(joined[4:]))
    return found


def _check(reference: str) -> bool:
    digits = "".join(str(int(char, 36)) for char in reference[4:] + reference[:4])
    return int(digits) % 97 == 1


def numbers_in(text: str) -> dict[str, tuple[int, int]]:
    """Return every run of up to six neighbouring words, joined and folded, with its place: `RE 2026-0042` holds re20260042."""
    words = [fold(word) for word in _WORD.findall(text)][:120]
    runs: dict[str, tuple[int, int]] = {}
    for start in range(len(words)):
        for end in range(start + 1, min(start + _MOST_JOINED, len(words)) + 1):
            joined = "".join(words[start:end])
            if 0 < len(joined) <= 60:
                runs.setdefault(joined, (start, end))
    return runs


class Matcher:
    """Compares movements that are not yet matched with the invoices that are open now."""

    def __init__(self, state: State, zone: ZoneInfo, today: date) -> None:
        self._state, self._zone, self._today = state, zone, today

    def run(self) -> None:
        """Match what can be matched; only within one `change()`. Invoices whose standing changes are delivered again."""
        since = (self._today - LONGEST_TRACE).isoformat()
        waiting = self._state.run(
            "select id, doc from entry where state = 'unmatched' and booked_on >= ? order by booked_on, id", (since,)
        ).fetchall()
        for identity, doc in waiting:
            entry = Entry.from_json(json.loads(doc))
            if self._handled(identity, entry):
                continue
            verdict = self._returned(entry) if entry.amount < 0 else self._received(entry)
            self._settle(identity, entry, verdict)

    def _handled(self, identity: str, entry: Entry) -> bool:
        """Return whether newer lists have taken exactly this movement off the invoices that it held; then it holds no more."""
        held = self._state.run("select invoice_id, open_cents from suspect where entry_id = ?", (identity,)).fetchall()
        drop = 0
        for invoice_id, then in held:
            item = self._open(invoice_id)
            if item is not None and item.listed_on > entry.booked_on:
                drop += max(then - cents(item.open), 0)
        if not held or drop != cents(entry.amount):
            return False
        self._state.run("delete from suspect where entry_id = ?", (identity,))
        self._state.run("update entry set state = 'handled' where id = ?", (identity,))
        self._state.touch(invoice_id for invoice_id, _ in held)
        return True

    def _settle(self, identity: str, entry: Entry, verdict: Verdict) -> None:
        state = self._state
        before = {row[0] for row in state.run("select invoice_id from suspect where entry_id = ?", (identity,))}
        state.run("delete from suspect where entry_id = ?", (identity,))
        if verdict.pays:
            for invoice_id, amount in verdict.pays:
                kind = PaymentKind.DIRECT_DEBIT if entry.returned else PaymentKind.TRANSFER
                payment = Payment(
                    id=f"bank:{sha256(f'{identity}/{invoice_id}'.encode()).hexdigest()[:32]}",
                    invoice_id=invoice_id,
                    amount=amount,
                    currency=entry.currency,
                    value_on=entry.value_on,
                    kind=kind,
                    text=entry.text[:140],
                )
                state.run(
                    "insert or replace into payment values (?, ?, ?, ?, ?, ?, ?)",
                    (
                        payment.id,
                        identity,
                        invoice_id,
                        cents(amount),
                        entry.booked_on.isoformat(),
                        payment.model_dump_json(),
                        state.next_seq(),
                    ),
                )
            state.run("update entry set state = 'matched' where id = ?", (identity,))
            self._open_again([invoice_id for invoice_id, _ in verdict.pays])
        until = verdict.until.isoformat() if verdict.until else None
        for invoice_id in verdict.suspects:
            item = self._open(invoice_id)
            state.run(
                "insert into suspect values (?, ?, ?, ?, ?)",
                (
                    identity,
                    invoice_id,
                    until,
                    Sentence("{place}: {why}", place=entry.place, why=verdict.why).to_store(),
                    cents(item.open) if item else 0,
                ),
            )
        state.touch((before ^ set(verdict.suspects)) | {invoice_id for invoice_id, _ in verdict.pays})

    def _open_again(self, invoice_ids: Iterable[str]) -> None:
        """Keep the column by which candidates are found in step with the payments."""
        for invoice_id in invoice_ids:
            standing = effective(self._state, invoice_id, self._zone)
            if standing:
                self._state.run(
                    "update invoice set open_cents = ? where id = ?", (cents(standing.invoice.open), invoice_id)
                )

    # ------------------------------------------------------------------------------------------------ money that came

    def _received(self, entry: Entry) -> Verdict:
        text = f"{entry.reference} {entry.end_to_end} {entry.text}"
        for part in creditor_references(text):
            found = self._by_numbers([part])
            if len(found) == 1 and found[0].currency == entry.currency and found[0].open > 0:
                return Verdict(pays=((found[0].id, entry.amount),))
            if found:
                return Verdict(
                    suspects=_ids(found), why=Sentence("reference of more than one invoice, or of one that is not open")
                )
        named = self._named(text)
        if named:
            known = [item for item in named if item.known == entry.amount and item.listed_on >= entry.booked_on]
            if len(known) == 1 and (len(named) == 1 or known[0].open == 0):
                return Verdict(pays=((known[0].id, entry.amount),))  # the list knows this payment already
            return self._by_named(entry, [item for item in named if item.open > 0], text)
        debtors = self._customers(text) or self._payers(entry)
        if debtors:
            return self._by_debtors(entry, debtors)
        return self._by_hints(entry)

    def _by_named(self, entry: Entry, named: Sequence[Open], text: str) -> Verdict:
        """Numbers were named: they are paid if their sum is the amount; else they are held."""
        same = [item for item in named if item.currency == entry.currency]
        if same and sum((item.open for item in same), Decimal(0)) == entry.amount and _one_debtor(same):
            return Verdict(pays=tuple((item.id, item.open) for item in same))
        exact = [item for item in same if item.open == entry.amount]
        if len(same) > 1 and len(exact) == 1 and not _one_debtor(same):
            return Verdict(pays=((exact[0].id, entry.amount),))
        strong = [item for item in named if item.open == entry.amount or self._is_strong(item, text)]
        if strong:
            return Verdict(suspects=_ids(strong), why=Sentence("names the invoice, but the amount differs"))
        return self._by_hints(entry)

    def _is_strong(self, item: Open, text: str) -> bool:
        row = self._state.run("select number_key from invoice where id = ?", (item.id,)).fetchone()
        return len(row[0]) >= _SHORTEST_SIGN and row[0] in numbers_in(text)

    def _by_debtors(self, entry: Entry, debtors: Sequence[str]) -> Verdict:
        """Judge money of a known payer: exactly one open invoice of that amount, or all of them together, is paid."""
        opened = [item for debtor in debtors for item in self._open_of(debtor)]
        exact = [item for item in opened if item.open == entry.amount and item.currency == entry.currency]
        if len(exact) == 1:
            return Verdict(pays=((exact[0].id, entry.amount),))
        one = len(debtors) == 1 and all(item.currency == entry.currency for item in opened)
        if not exact and one and opened and sum(item.open for item in opened) == entry.amount:
            return Verdict(pays=tuple((item.id, item.open) for item in opened))
        return Verdict(
            suspects=_ids(exact or opened), why=Sentence("comes from this payer, but may mean more than one invoice")
        )

    def _by_hints(self, entry: Entry) -> Verdict:
        """Nothing names an invoice: the payer's name, else an equal amount, holds what it may mean for a while."""
        name = fold(entry.name)
        rows = self._state.run("select id from debtor where name_key = ?", (name,)).fetchall() if name else []
        opened = [item for row in rows for item in self._open_of(row[0])]
        if opened:
            exact = [item for item in opened if item.open == entry.amount]
            return Verdict(suspects=_ids(exact or opened), why=Sentence("the payer's name is the debtor's"))
        until = entry.booked_on + AMOUNT_ALONE_HOLDS
        if until < self._today:
            return Verdict()
        rows = self._state.run(
            "select id from invoice where live = 1 and open_cents = ? order by id limit ?",
            (cents(entry.amount), _MOST_CANDIDATES),
        ).fetchall()
        return Verdict(
            suspects=tuple(row[0] for row in rows), why=Sentence("an unknown payer paid this amount"), until=until
        )

    # ------------------------------------------------------------------------------------------------ money that left

    def _returned(self, entry: Entry) -> Verdict:
        """Take the payment back where a returned direct debit names its invoice; other money that left is not ours to judge."""
        if not entry.returned:
            return Verdict()
        text = f"{entry.reference} {entry.end_to_end} {entry.text}"
        back = entry.original or -entry.amount
        named = [*self._by_numbers(creditor_references(text)), *self._named(text)]
        for item in {item.id: item for item in named}.values():
            paid = self._state.run(
                "select coalesce(sum(cents), 0) from payment where invoice_id = ?", (item.id,)
            ).fetchone()[0]
            if paid >= cents(back):
                return Verdict(pays=((item.id, -back),))
        return Verdict()

    # -------------------------------------------------------------------------------------------------- candidates

    def _named(self, text: str) -> list[Open]:
        """Return the invoices whose number stands in the text between word borders; the longest wins where two overlap."""
        runs = numbers_in(text)
        found = [(runs[key], item) for key, item in self._keyed(runs)]
        kept = [
            item
            for place, item in found
            if not any(other != place and other[0] <= place[0] and place[1] <= other[1] for other, _ in found)
        ]
        return list({item.id: item for item in kept}.values())

    def _by_numbers(self, keys: Sequence[str]) -> list[Open]:
        return [item for _, item in self._keyed(keys)]

    def _keyed(self, keys: Iterable[str]) -> list[tuple[str, Open]]:
        rows = self._state.run(
            "select number_key, id from invoice where number_key in (select value from json_each(?)) order by id",
            (json.dumps(list(keys)),),
        )
        return [(row[0], item) for row in rows.fetchall() if (item := self._open(row[1]))]

    def _customers(self, text: str) -> list[str]:
        keys = [key for key in numbers_in(text) if len(key) >= _SHORTEST_SIGN]
        rows = self._state.run(
            "select id from debtor where number_key in (select value from json_each(?)) order by id",
            (json.dumps(keys),),
        )
        return [row[0] for row in rows.fetchall()]

    def _payers(self, entry: Entry) -> list[str]:
        """Return the debtors known by this account: from their record, else from earlier payments."""
        if not entry.iban:
            return []
        rows = self._state.run("select id from debtor where iban = ? order by id", (entry.iban,)).fetchall()
        if not rows:
            rows = self._state.run(
                "select distinct i.debtor_id from entry e join payment p on p.entry_id = e.id join invoice i on i.id = p.invoice_id"
                " where json_extract(e.doc, '$.iban') = ? and e.state = 'matched' and i.debtor_id is not null order by 1",
                (entry.iban,),
            ).fetchall()
        return [row[0] for row in rows]

    def _open_of(self, debtor_id: str) -> list[Open]:
        rows = self._state.run(
            "select id from invoice where debtor_id = ? and live = 1 and open_cents > 0 order by id limit ?",
            (debtor_id, _MOST_CANDIDATES),
        )
        return [item for row in rows.fetchall() if (item := self._open(row[0])) and item.open > 0]

    def _open(self, invoice_id: str) -> Open | None:
        standing = effective(self._state, invoice_id, self._zone)
        if standing is None:
            return None
        row = self._state.row(invoice_id)
        invoice, listed = standing.invoice, row[0] if row else standing.invoice
        listed_on = standing.as_of.astimezone(self._zone).date()
        return Open(
            invoice.id, invoice.debtor_id, invoice.open, invoice.currency, listed.gross - listed.open, listed_on
        )


def _ids(items: Sequence[Open]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.id for item in items))


def _one_debtor(items: Sequence[Open]) -> bool:
    return len({item.debtor_id for item in items}) == 1
