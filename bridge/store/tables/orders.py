"""What people ordered: instalments agreed on, blocks, and settings for one customer or invoice."""

from sqlalchemy import JSON, Column, Date, ForeignKey, Index, String, Text

from bridge.store.columns import Actor, Id, Instant, Spoken, table

agreement = table(  # payment in instalments; blocks that point to it hold the invoices it covers
    "agreement",
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False, index=True),
    Column("debtor_id", String(128)),
    Column("currency", String(3), nullable=False),
    Column("rates", JSON, nullable=False),  # [[local date, cents], ...] in their order
    Column("covers", JSON, nullable=False),  # {invoice id: cents open on it when it was made}
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", Text),
    Column("ended_as", String(16)),  # kept, missed, lifted, replaced
)

block = table(
    "block",
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("debtor_id", String(128)),  # a block on a customer
    Column("invoice_id", String(128)),  # or on one invoice
    Column("reason", String(32), nullable=False),
    Column("note", Spoken, nullable=False),
    Column("actor", Actor, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("until", Date),  # local date, inclusive; null: until lifted
    Column("lifted_at", Instant),
    Column("lifted_by", Text),
    Column("agreement_id", ForeignKey("agreement.id")),
    Index("ix_block_debtor", "account", "debtor_id"),
    Index("ix_block_invoice", "account", "invoice_id"),
)

override = table(
    "override",
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("debtor_id", String(128)),
    Column("invoice_id", String(128)),
    Column("setting", String(32), nullable=False),  # one of `choices.SETTINGS`
    Column("value", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),  # of a next_level that a notice has used up
    Index("ix_override_debtor", "account", "debtor_id"),
    Index("ix_override_invoice", "account", "invoice_id"),
)
