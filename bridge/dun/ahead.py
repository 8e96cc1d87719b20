"""Every case of an account as a run would see it, one after the other: for forecasts and rehearsals. Nothing is written."""

from collections.abc import Collection, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from bridge.dun.views import Viewer
from bridge.policy import CaseView
from bridge.store import Store
from bridge.store.candidates import candidates, lonely

CHUNK = 200
"""Debtors per read."""


def cases(
    store: Store, account: str, zone: ZoneInfo, today: date, customers: Collection[str] | None = None
) -> Iterator[CaseView]:
    """Yield the cases with open invoices; `customers` restricts them to these provider ids."""
    with store.reading() as conn:
        debtors, alone = candidates(conn, account, None)
    if customers is not None:
        debtors, alone = [one for one in debtors if one in customers], []
    parts = [(debtors[at : at + CHUNK], True) for at in range(0, len(debtors), CHUNK)]
    parts += [(alone[at : at + CHUNK], False) for at in range(0, len(alone), CHUNK)]
    for ids, named in parts:
        with store.reading() as conn:
            mirror = store.mirror
            found = mirror.dossiers(conn, account, ids, today=today) if named else lonely(conn, mirror, account, ids)
            dossiers = tuple(one for one in found if one.invoices)
            seen = Viewer(store, zone).see(conn, account, dossiers, today, everything=True)
        yield from (one.case for one in seen)
