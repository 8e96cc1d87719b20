"""The mirror: what the providers told us."""

from sqlalchemy import JSON, Boolean, Column, Date, Index, Integer, String, Text, UniqueConstraint, text

from bridge.store.columns import Cents, Id, Instant, Told, table

account = table(
    "account",
    Column("name", String(64), primary_key=True),
    Column("connector", String(64), nullable=False),
    Column("cursor", JSON(none_as_null=True)),
    Column("state", String(16), nullable=False, server_default="ok"),  # ok, unreachable, reconnect, stopped
    Column("state_text", Told, nullable=False, server_default=""),
    Column("pulled_at", Instant),  # end of the last successful pull
    Column("full_at", Instant),  # end of the last full listing
    Column("payments_as_of", Instant),
    Column("writing_suspended", Text),  # why, while foreign reminders keep appearing
    Column("held_jump", JSON(none_as_null=True)),  # the jump between two pulls that waits for approval
    Column("open_totals", JSON(none_as_null=True)),  # at the last pull that was no jump: {currency: [count, cents]}
)

listing = table(  # ids seen by the full listing under way: one row per batch, gone when the listing has been judged
    "listing",
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("ids", Text, nullable=False),  # JSON
    Column("complete", Boolean, nullable=False),  # the last batch: all open invoices were listed
    Index("ix_listing_account", "account"),
)

debtor = table(
    "debtor",
    Column("account", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),  # the provider's
    Column("number", String(128)),
    Column("name", Text, nullable=False),
    Column("document", Text, nullable=False),  # JSON of model.Debtor; read and written by store.mirror
    Column("hash", String(32), nullable=False),
    Index("ix_debtor_number", "account", "number"),
)

invoice = table(
    "invoice",
    Column("account", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),  # the provider's
    Column("number", String(128)),
    Column("debtor_id", String(128)),
    Column("kind", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("origin_id", String(128)),
    Column("issued_on", Date),
    Column("due_on", Date),
    Column("currency", String(3), nullable=False),
    Column("gross_cents", Cents, nullable=False),
    Column("paid_cents", Cents, nullable=False),
    Column("open_cents", Cents, nullable=False),
    Column("document", Text, nullable=False),  # JSON of model.Invoice; read and written by store.mirror
    Column("hash", String(32), nullable=False),
    Column("next_on", Date),  # next local date on which something can happen; null: nothing, until the record changes
    Index("ix_invoice_next", "account", "next_on"),
    Index("ix_invoice_number", "account", "number"),
    Index("ix_invoice_debtor", "account", "debtor_id"),
    Index(
        "ix_invoice_origin",  # of few; with all others in it a database that counts would take it for useless
        "account",
        "origin_id",
        sqlite_where=text("origin_id is not null"),
        postgresql_where=text("origin_id is not null"),
    ),
    Index("ix_invoice_status", "account", "status"),
)

payment = table(
    "payment",
    Column("account", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("invoice_id", String(128), nullable=False),
    Column("cents", Cents, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("value_on", Date, nullable=False),
    Column("document", Text, nullable=False),  # JSON of model.Payment; read and written by store.mirror
    Column("hash", String(32), nullable=False),
    Index("ix_payment_invoice", "account", "invoice_id"),
)

provider_notice = table(
    "provider_notice",
    Column("account", String(64), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("invoice_id", String(128), nullable=False),
    Column("level", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("ours", Boolean, nullable=False, server_default=text("false")),  # made by a write-back of ours
    Column("document", Text, nullable=False),  # JSON of model.ProviderNotice; read and written by store.mirror
    Column("hash", String(32), nullable=False),
    Column("first_seen", Instant, nullable=False),
    Index("ix_provider_notice_invoice", "account", "invoice_id"),
)

reject = table(
    "reject",
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("provider_id", String(128)),
    Column("field", String(128), nullable=False),
    Column("value", Text, nullable=False),
    Column("reason", Told, nullable=False),
    Column("source", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("hash", String(32), nullable=False),  # of kind, id or raw: the same bad record is one row
    Column("state", String(16), nullable=False, server_default="open"),  # open, resolved, discarded
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    UniqueConstraint("account", "hash"),
)
