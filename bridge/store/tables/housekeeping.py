"""Settings, totals by day, tokens, rate budgets and leases."""

from sqlalchemy import JSON, Column, Date, Integer, String, Text

from bridge.store.columns import Cents, Instant, table

setting = table(
    "setting",
    Column("name", String(64), primary_key=True),  # sending, pause
    Column("value", JSON, nullable=False),
    Column("actor", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

daily_total = table(  # what was open and overdue at the end of each day, for the trend
    "daily_total",
    Column("account", String(64), primary_key=True),
    Column("on", Date, primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("open_count", Integer, nullable=False),
    Column("open_cents", Cents, nullable=False),
    Column("overdue_count", Integer, nullable=False),
    Column("overdue_cents", Cents, nullable=False),
)

token = table(
    "token",
    Column("account", String(64), primary_key=True),
    Column("sealed", Text, nullable=False),  # encrypted OAuth token
    Column("version", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

rate = table(
    "rate",
    Column("account", String(64), primary_key=True),
    Column("remaining", Integer),
    Column("limit", Integer),
    Column("reset_at", Instant),
    Column("blocked_until", Instant),
    Column("next_at", Instant),  # the pace: earliest next call
    Column("updated_at", Instant, nullable=False),
)

lease = table(
    "lease",
    Column("name", String(128), primary_key=True),  # scheduler, pull:ACCOUNT, dun, token:ACCOUNT
    Column("owner", String(64), nullable=False),
    Column("until", Instant, nullable=False),  # technical clock
)
