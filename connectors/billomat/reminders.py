"""Pulling reminders (Mahnungen), whoever made them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from bridge.contract import BadRecord, Batch, NotFound, NoticeStatus, ProviderNotice
from connectors.billomat import wire
from connectors.billomat.api import Record
from connectors.billomat.cycle import Cycle
from connectors.billomat.reading import is_live, reject, shows_sending

CHECKS = 50
"""Histories that one batch asks for."""

YOUNG = timedelta(days=30)
"""How long a reminder that was not sent is asked about again."""


class Reminders:
    """The reminders of a cycle."""

    def __init__(self, cycle: Cycle) -> None:
        self.cycle = cycle
        self._checks = 0

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
        self._checks = 0
        for raw in records:
            state["reminders_to"] = max(state["reminders_to"], wire.number(raw))
            try:
                notice = self.cycle.reading.notice(raw)
            except BadRecord as error:
                rejects.append(reject("notice", raw, error))
                continue
            notices.append(self._judged(raw, notice))
            if notice.status is NoticeStatus.DRAFT:
                seen[notice.id] = [notice.invoice_id, notice.level, notice.marker]
        state["drafts_seen"] = seen
        if end:
            notices += self._former_drafts(seen)
            state.update(drafts=seen, drafts_seen={})
        return self.cycle.batch(notices=tuple(notices), rejects=tuple(rejects))

    def _judged(self, raw: Record, notice: ProviderNotice) -> ProviderNotice:
        """Return a reminder of ours as sent where the history of its invoice shows it.

        A reminder itself does not. The history is asked when a reminder is new, and again with each refresh while it is young.
        """
        state, key = self.cycle.state, notice.id
        if not is_live(raw):
            for name in ("sent", "unsent"):
                if key in state[name]:
                    state[name] = [known for known in state[name] if known != key]
            return notice
        if key not in state["sent"] and (key not in state["unsent"] or (state["refresh"] and self._is_young(notice))):
            if self._checks >= CHECKS:
                return notice
            self._checks += 1
            name = "sent" if shows_sending(notice, self.cycle.api.comments(notice.invoice_id)) else "unsent"
            state["unsent"] = [known for known in state["unsent"] if known != key]
            state[name] = [*state[name], key]
        return notice.model_copy(update={"status": NoticeStatus.SENT}) if key in state["sent"] else notice

    def _is_young(self, notice: ProviderNotice) -> bool:
        return notice.dated_on is None or self.cycle.today - notice.dated_on <= YOUNG

    def _former_drafts(self, seen: dict[str, Any]) -> list[ProviderNotice]:
        """Return what became of the drafts that are missing: completed, or deleted, which counts as cancelled."""
        found = []
        for key, (invoice_id, level, marker) in self.cycle.state["drafts"].items():
            if key in seen:
                continue
            try:
                raw = wire.without_unset_dates(self.cycle.api.reminder(key))
                found.append(self._judged(raw, self.cycle.reading.notice(raw)))
            except NotFound:
                gone = ProviderNotice(
                    id=key, invoice_id=invoice_id, level=level, status=NoticeStatus.CANCELLED, marker=marker
                )
                found.append(gone)
            except BadRecord:
                continue
        return found
