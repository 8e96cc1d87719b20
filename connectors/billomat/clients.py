"""Pulling clients (Kunden): all of them, or those of the open invoices, whichever takes fewer calls."""

from collections.abc import Iterator, Sequence

from bridge.contract import BadRecord, Batch, Debtor, NotFound, Reject
from connectors.billomat import tags, wire
from connectors.billomat.api import Record
from connectors.billomat.cycle import OPEN, Cycle
from connectors.billomat.reading import reject


class Clients:
    """The clients of a cycle."""

    def __init__(self, cycle: Cycle) -> None:
        self.cycle = cycle

    def batches(self) -> Iterator[Batch]:
        state = self.cycle.state
        before = state["tagged_clients"]
        state["tagged_clients"] = tags.tagged(self.cycle.api, "client", self.cycle.settings.client_tags, before)
        changed = {
            key
            for key in before.keys() | state["tagged_clients"].keys()
            if before.get(key) != state["tagged_clients"].get(key)
        }
        if state["refresh"] and self._listing_is_cheaper():
            for page in self.cycle.api.client_pages(state["page"]):
                state["clients_to"] = max([state["clients_to"], *map(wire.number, page.records)])
                debtors, rejects = self._debtors(page.records)
                self.cycle.done(page)
                yield self.cycle.batch(debtors=debtors, rejects=rejects)
        elif changed and not state["refresh"]:
            debtors, rejects = self._debtors(self._still_there(sorted(changed)))
            yield self.cycle.batch(debtors=debtors, rejects=rejects)

    def _listing_is_cheaper(self) -> bool:
        if self.cycle.state["page"] is not None:
            return True
        clients, invoices = self.cycle.api.count("/clients"), self.cycle.api.count("/invoices", status=OPEN)
        if clients is None or invoices is None:
            return True
        return -(-clients // self.cycle.settings.page_size) <= max(1, -(-invoices // self.cycle.settings.client_chunk))

    def _still_there(self, client_ids: Sequence[str]) -> list[Record]:
        found = []
        for client_id in client_ids:
            try:
                found.append(self.cycle.api.client(client_id))
            except NotFound:
                continue
        return found

    def _debtors(self, records: Sequence[Record]) -> tuple[tuple[Debtor, ...], tuple[Reject, ...]]:
        debtors, rejects = [], []
        for raw in records:
            try:
                debtors.append(
                    self.cycle.reading.debtor(
                        raw, tags=tuple(self.cycle.state["tagged_clients"].get(str(wire.number(raw)), ()))
                    )
                )
            except BadRecord as error:
                rejects.append(reject("debtor", raw, error))
        return tuple(debtors), tuple(rejects)

    def of(self, records: Sequence[Record]) -> tuple[tuple[Debtor, ...], tuple[Reject, ...]]:
        """Read the clients of these invoices that are not known yet, many in one call."""
        state = self.cycle.state
        wanted = self._wanted(records)
        invoice_ids = list(wanted.values())
        found: dict[int, Record] = {}
        for start in range(0, len(invoice_ids), self.cycle.settings.client_chunk):
            for raw in self.cycle.api.clients_of(invoice_ids[start : start + self.cycle.settings.client_chunk]):
                if wire.number(raw) in wanted:
                    found[wire.number(raw)] = raw
        for missing in self._still_there([str(client) for client in wanted if client not in found]):
            found[wire.number(missing)] = missing
        state["clients"] = sorted({*state["clients"], *found})
        return self._debtors(list(found.values()))

    def unknown(self, records: Sequence[Record]) -> int:
        """Return how many clients of these invoices are not known yet."""
        return len(self._wanted(records))

    def _wanted(self, records: Sequence[Record]) -> dict[int, str]:
        """Return the clients that are not known yet, each with one of its invoices."""
        known = set(self.cycle.state["clients"])
        wanted: dict[int, str] = {}
        for raw in records:
            client = wire.number(raw, "client_id")
            if client > self.cycle.state["clients_to"] and client not in known:
                wanted.setdefault(client, str(wire.number(raw)))
        return wanted
