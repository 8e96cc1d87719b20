"""Pulling reminders (Mahnungen), whoever made them."""

from collections.abc import Iterator, Sequence
from typing import Any

from bridge.contract import BadRecord, Batch, NotFound, NoticeStatus, ProviderNotice
from connectors.billomat import wire
from connectors.billomat.api import Record
from connectors.billomat.cycle import Cycle
from connectors.billomat.reading import reject


class Reminders:
    """The reminders of a cycle."""

    def __init__(self, cycle: Cycle) -> None:
        self.cycle = cycle

    def batches(self) -> Iterator[Batch]:
        few = self.cycle.state["reminders_total"] <= 2 * self.cycle.settings.page_size
        if self.cycle.state["refresh"] or few or self.cycle.state["page"] is not None:
            yield from self._all_reminders()
            return
        new = self._new_reminders()
        if new is None:
            yield from self._all_reminders()
            return
        self.cycle.state["drafts_seen"] = {}
        drafts = [row for row in self.cycle.api.reminders(status="DRAFT") if wire.text(row, "status") == "DRAFT"]
        yield self._notices(list(wire.distinct([*new, *drafts])), end=True)

    def _all_reminders(self) -> Iterator[Batch]:
        if self.cycle.state["page"] is None:
            self.cycle.state["drafts_seen"] = {}
        for page in self.cycle.api.reminder_pages(self.cycle.state["page"]):
            self.cycle.state["reminders_total"] = page.total
            self.cycle.done(page)
            yield self._notices(page.records, end=page.last)

    def _new_reminders(self) -> list[Record] | None:
        """Return the reminders above the highest id seen, or None where the provider does not sort as asked."""
        found: list[Record] = []
        number = 1
        while records := [wire.without_unset_dates(row) for row in self.cycle.api.newest_reminders(number)]:
            ids = [wire.number(row) for row in records]
            if ids != sorted(ids, reverse=True):
                return None
            found += [row for row in records if wire.number(row) > self.cycle.state["reminders_to"]]
            if ids[-1] <= self.cycle.state["reminders_to"]:
                break
            number += 1
        return found

    def _notices(self, records: Sequence[Record], *, end: bool) -> Batch:
        state, notices, rejects = self.cycle.state, [], []
        seen = dict(state["drafts_seen"])
        for raw in records:
            state["reminders_to"] = max(state["reminders_to"], wire.number(raw))
            try:
                notice = self.cycle.reading.notice(raw)
            except BadRecord as error:
                rejects.append(reject("notice", raw, error))
                continue
            notices.append(notice)
            if notice.status is NoticeStatus.DRAFT:
                seen[notice.id] = [notice.invoice_id, notice.level, notice.marker]
        state["drafts_seen"] = seen
        if end:
            notices += self._former_drafts(seen)
            state.update(drafts=seen, drafts_seen={})
        return self.cycle.batch(notices=tuple(notices), rejects=tuple(rejects))

    def _former_drafts(self, seen: dict[str, Any]) -> list[ProviderNotice]:
        """Return what became of the drafts that are missing: completed, or deleted, which counts as cancelled."""
        found = []
        for key, (invoice_id, level, marker) in self.cycle.state["drafts"].items():
            if key in seen:
                continue
            try:
                found.append(self.cycle.reading.notice(self.cycle.api.reminder(key)))
            except NotFound:
                gone = ProviderNotice(
                    id=key, invoice_id=invoice_id, level=level, status=NoticeStatus.CANCELLED, marker=marker
                )
                found.append(gone)
            except BadRecord:
                continue
        return found
