"""What people say of a customer for a hand-over to collection (Angaben zur Übergabe), where no provider does."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from bridge.app.choosing import Choosing
from bridge.app.party import CONTRACT, DAYS, LABELS, missing, said_here, told_facts
from bridge.app.results import Facts, ToldFact
from bridge.errors import UsageError
from bridge.store.choices import Target

LONGEST: Mapping[str, int] = {
    "legal_form": 60, "representative": 250, "salutation": 30, "first_name": 120, "last_name": 120,
}  # fmt: skip
"""Characters of each fact that is text."""

_FIRST_YEAR = 1900


class Telling(Choosing):
    """What tells the agency more than the provider's record does. It changes nothing about what comes next."""

    def handover_facts(
        self,
        case: str,
        told: Mapping[str, str | date] | None = None,
        *,
        take_back: Sequence[str] = (),
        invoice: str | None = None,
    ) -> Facts:
        """Return what is known of the customer of a case for a hand-over and what is missing, after saying `told` or taking something back.

        A day of the contract is of one invoice, or of all open ones of the case; everything else is the customer's. Raises `UsageError` where a
        fact is no such text or day, or one to be taken back was not said here.
        """
        changes = bool(told or take_back)
        with self.store.begin() if changes else self.store.reading() as conn:
            customer, _, account = self._customer_of(conn, case)
            row = self._row(conn, case)
            if changes:
                about = {
                    name: self._facts_about(conn, case, invoice, customer, name) for name in (*(told or {}), *take_back)
                }
                stamp = self.stamp(account)
                for name in take_back:
                    taken = [self.store.choices.take_back(conn, one, f"fact:{name}", stamp) for one in about[name]]
                    if not any(taken):
                        raise UsageError("nobody said here: {fact}", fact=LABELS[name])
                for name, value in (told or {}).items():
                    text = _day(name, value, stamp.on) if isinstance(value, date) else _text(name, value)
                    for one in about[name]:
                        self.store.choices.choose(conn, one, f"fact:{name}", text, stamp)
            found, lacking = self._facts_known(conn, account, row.id, customer.debtor_id or "")
        return Facts(row.number, found, tuple(LABELS[name] for name in lacking), self.actor if changes else "")

    def _facts_about(
        self, conn: Connection, case: str, invoice: str | None, customer: Target, name: str
    ) -> list[Target]:
        if name != CONTRACT:
            return [customer]
        claims = self._open_claims(conn, case, invoice)
        return [Target(account=customer.account, invoice_id=one.invoice_id) for one in claims]

    def _facts_known(
        self, conn: Connection, account: str, case_id: int, debtor_id: str
    ) -> tuple[tuple[ToldFact, ...], tuple[str, ...]]:
        claims = [one for one in self.store.overview.claims(conn, case_id) if one.state == "open"]
        mirrored = {one.invoice_id: self.store.mirror.invoice(conn, account, one.invoice_id) for one in claims}
        invoices = {one: known.invoice if known else None for one, known in mirrored.items()}
        debtor = self.store.mirror.debtor(conn, account, debtor_id)
        said = said_here(self.store, conn, account, debtor_id, invoices)
        named = [(one.invoice_id, one.number or "", invoices[one.invoice_id]) for one in claims]
        return told_facts(debtor, named, said), missing(debtor, invoices, said)


def _text(name: str, value: str) -> str:
    text, most = value.strip(), LONGEST.get(name, 0)
    if name in DAYS:
        raise UsageError("{fact}: {value!r} is no day", fact=LABELS[name], value=value)
    if not text or not text.isprintable() or len(text) > most:
        raise UsageError(
            "{fact}: write 1 to {most} characters on one line, not {value!r}", fact=LABELS[name], most=most, value=value
        )
    return text


def _day(name: str, value: date, today: date) -> str:
    if name not in DAYS:
        raise UsageError("{fact}: {value} is a day, and no text", fact=LABELS[name], value=value)
    if not value.year >= _FIRST_YEAR or value > today:
        raise UsageError(
            "{fact}: {day} does not lie between {first} and today", fact=LABELS[name], day=value, first=_FIRST_YEAR
        )
    return value.isoformat()
