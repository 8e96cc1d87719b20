"""Agreements on instalments at the beginning of a run: one whose rate failed to come is over, one that was kept too."""

from datetime import date

from sqlalchemy.engine import Connection

from bridge.policy import AccountRules
from bridge.policy.instalments import Allotted, RateState, allot, first_open
from bridge.policy.places import calendar_at
from bridge.store import Store
from bridge.store.agreements import StoredAgreement
from bridge.store.cases import Stamp


def rates_of(store: Store, conn: Connection, known: StoredAgreement, rules: AccountRules) -> tuple[Allotted, ...]:
    """Return the rates of an agreement with what came in on each, by the holidays at the debtor's place."""
    debtor = store.mirror.debtor(conn, known.account, known.debtor_id) if known.debtor_id else None
    place = calendar_at(debtor.address if debtor else None, rules)
    return allot(known.terms, place, rules.instalment_grace_days)


def end_agreements(store: Store, conn: Connection, rules: AccountRules, stamp: Stamp) -> None:
    """End the agreements that were kept, and those of which a rate was missed: their invoices are dunned again, and the case says so."""
    for known in store.agreements.live(conn, rules.account):
        missing = first_open(rates_of(store, conn, known, rules))
        if missing is None:
            store.agreements.end(conn, known, "kept", stamp)
        elif missing.state(stamp.on) is RateState.MISSED:
            store.agreements.end(conn, known, "missed", stamp, _missed(missing, known.currency))


def _missed(missing: Allotted, currency: str) -> dict[str, str]:
    on: date = missing.rate.on
    return {"on": on.isoformat(), "amount": f"{(missing.due - missing.paid) / 100:.2f}", "currency": currency}
