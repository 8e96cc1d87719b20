"""Reading what changed (Abgleich): clients, reminders, payments, credit notes and the open invoices, page by page.

Billomat has no `updated since` filter. A cycle therefore lists what is open and lets the caller look at what is missing; the rest is
read as cheaply as is safe. In the order of reading, and why each is safe:

- clients: all, or those of the open invoices, whichever takes fewer calls; again after `refresh_hours`, and the clients of invoices
  that are not known yet at once. Each look reads the client anew.
- reminders: all while they fit into two pages. Beyond that what is new, from the newest down to the highest id seen, and all drafts,
  whose completion or deletion shows by their absence; all of them again after `refresh_hours`. A completed reminder that is
  cancelled in between is seen late, so the case stays too high for a day, never too low, and each look reads reminders anew.
- payments: those dated within the overlap. One that is missing and that Billomat no longer knows becomes a payment taken back.
- credit notes and invoices: all open ones. Reminders, payments and clients come first, so that no invoice is ever judged without them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bridge.contract import Batch, Cursor, Mapping
from connectors.billomat.api import Api
from connectors.billomat.clients import Clients
from connectors.billomat.cycle import Cycle
from connectors.billomat.invoices import CreditNotes, Invoices
from connectors.billomat.levels import read_levels
from connectors.billomat.payments import Payments
from connectors.billomat.reminders import Reminders
from connectors.billomat.settings import Settings

Stage = type[Clients] | type[Reminders] | type[Payments] | type[CreditNotes] | type[Invoices]
STAGES: dict[str, Stage] = {
    "clients": Clients,
    "reminders": Reminders,
    "payments": Payments,
    "credit_notes": CreditNotes,
    "invoices": Invoices,
}


def pull(api: Api, settings: Settings, mapping: Mapping, now: datetime, cursor: Cursor | None) -> Iterator[Batch]:
    """Yield the batches of a cycle, or of the rest of one that was cut short."""
    cycle = Cycle(api, settings, mapping, now, cursor)
    _begin(cycle)
    names = list(STAGES)
    for name in names[names.index(cycle.state["stage"]) :]:
        if cycle.state["stage"] != name:
            cycle.state.update(stage=name, page=None)
        yield from STAGES[name](cycle).batches()


def _begin(cycle: Cycle) -> None:
    state = cycle.state
    if state["stage"] is None:
        since = state["refreshed"]
        hours = timedelta(hours=cycle.settings.refresh_hours)
        due = since is None or cycle.now - datetime.fromisoformat(since) >= hours
        state.update(stage=next(iter(STAGES)), page=None, refresh=due)
        if due:
            cycle.reading.set_levels(read_levels(cycle.api))
            state.update(levels=cycle.reading.level_positions, contacts={}, clients_to=0, clients=[])
    cycle.reading.level_positions = dict(state["levels"])
