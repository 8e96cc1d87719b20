"""The tables. Amounts are integer cents, instants aware UTC, dates the account's local dates, documents JSON text.

Migrations in `migrations/` lead to exactly these tables; a test compares the two.
"""

from bridge.store.columns import Instant, metadata
from bridge.store.tables.dunning import (
    claim,
    decision,
    dunning_case,
    event,
    kept_file,
    notice,
    notice_claim,
    plan_version,
    run,
    seal,
    step,
    task,
)
from bridge.store.tables.housekeeping import daily_total, lease, rate, setting, token
from bridge.store.tables.mirror import account, debtor, invoice, listing, payment, provider_notice, reject
from bridge.store.tables.orders import agreement, block, override

__all__ = [
    "Instant",
    "account",
    "agreement",
    "block",
    "claim",
    "daily_total",
    "debtor",
    "decision",
    "dunning_case",
    "event",
    "invoice",
    "kept_file",
    "lease",
    "listing",
    "metadata",
    "notice",
    "notice_claim",
    "override",
    "payment",
    "plan_version",
    "provider_notice",
    "rate",
    "reject",
    "run",
    "seal",
    "setting",
    "step",
    "task",
    "token",
]
