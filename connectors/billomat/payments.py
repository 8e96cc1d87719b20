"""Pulling payments (Zahlungen), and noticing those that were deleted at the provider."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bridge.contract import BadRecord, Batch, NotFound, Payment
from connectors.billomat import wire
from connectors.billomat.cycle import Cycle
from connectors.billomat.reading import reject


class Payments:
    """The payments of a cycle."""

    def __init__(self, cycle: Cycle) -> None:
        self.cycle = cycle

    def batches(self) -> Iterator[Batch]:
        state = self.cycle.state
        overlap = self.cycle.today - timedelta(days=self.cycle.settings.payments_overlap_days)
        first = state["refreshed"] is None
        since = self.cycle.today - timedelta(days=self.cycle.settings.payments_first_days) if first else overlap
        if state["page"] is None:
            state["payments_seen"] = []
        for page in self.cycle.api.payment_pages(state["page"], **{"from": since.isoformat()}):
            payments, rejects = [], []
            known, seen = dict(state["payments"]), set(state["payments_seen"])
            for raw in page.records:
                seen.add(str(wire.number(raw)))
                try:
                    payment = self.cycle.reading.payment(raw)
                except BadRecord as error:
                    rejects.append(reject("payment", raw, error))
                    continue
                payments.append(payment)
                if payment.value_on >= overlap:
                    known[payment.id] = [
                        payment.invoice_id,
                        str(payment.amount),
                        payment.value_on.isoformat(),
                        payment.kind.value,
                        payment.currency,
                    ]
            if page.last:
                payments += self._taken_back(known, seen, overlap)
                state.update(payments={key: row for key, row in known.items() if key in seen}, payments_seen=[])
            else:
                state.update(payments=known, payments_seen=sorted(seen))
            self.cycle.done(page)
            yield self.cycle.batch(payments=tuple(payments), rejects=tuple(rejects))

    def _taken_back(self, known: dict[str, Any], seen: set[str], overlap: date) -> list[Payment]:
        """Return a counter-payment for every payment of the overlap that was deleted at the provider."""
        found = []
        for key, (invoice_id, amount, day, kind, currency) in known.items():
            if key in seen or date.fromisoformat(day) < overlap or self._payment_exists(key):
                continue
            found.append(
                Payment(
                    id=f"{key}-deleted",
                    invoice_id=invoice_id,
                    amount=-Decimal(amount),
                    currency=currency,
                    value_on=self.cycle.today,
                    kind=kind,
                    text=f"payment {key} was deleted",
                )
            )
        return found

    def _payment_exists(self, key: str) -> bool:
        try:
            self.cycle.api.payment(key)
        except NotFound:
            return False
        return True
