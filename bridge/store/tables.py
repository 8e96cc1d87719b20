"""The tables. Amounts are integer cents, instants aware UTC, dates the account's local dates, documents JSON text.

Migrations in `migrations/` lead to exactly these tables; a test compares the two.
"""

from sqlalchemy import JSON, Boolean, Column, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text

from bridge.store.columns import Cents, Id, Instant, Told, metadata, table

__all__ = ["Instant", "metadata"]


# ---------------------------------------------------------------------------- the mirror: what the providers told us

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

# -------------------------------------------------------------------------------------------------- cases and claims

dunning_case = table(
    "dunning_case",
    Column("id", Id, primary_key=True),
    Column("number", String(32), nullable=False, unique=True),  # MA-000001
    Column("account", String(64), nullable=False),
    Column("debtor_id", String(128), nullable=False),
    Column("state", String(16), nullable=False),  # open, closed, collection
    Column("opened_on", Date, nullable=False),
    Column("closed_on", Date),
    Column("close_reason", String(32)),
    Column("closed_level", Integer),
    Index(
        "uq_open_case",
        "account",
        "debtor_id",
        unique=True,
        sqlite_where=text("state <> 'closed'"),
        postgresql_where=text("state <> 'closed'"),
    ),
)

claim = table(
    "claim",
    Column("id", Id, primary_key=True),
    Column("case_id", ForeignKey("dunning_case.id"), nullable=False),
    Column("account", String(64), nullable=False),
    Column("invoice_id", String(128), nullable=False),
    Column("state", String(16), nullable=False),  # open, closed
    Column("round", Integer, nullable=False, server_default="1"),
    Column("round_on", Date),  # local date on which a later round began; older reminders do not count in it
    Column(
        "returned", Boolean, nullable=False, server_default=text("false")
    ),  # that round began because a payment was taken back
    Column("level", Integer, nullable=False, server_default="0"),  # number of the last landed level
    Column("level_name", Text, nullable=False, server_default=""),
    Column("repetition", Integer, nullable=False, server_default="0"),
    Column("level_on", Date),  # local date of the landing (or of the adopted notice)
    Column("deadline", Date),  # the term that the last landed notice set
    Column("adopted", Boolean, nullable=False, server_default=text("false")),  # the level came from a foreign notice
    Column("undelivered", Boolean, nullable=False, server_default=text("false")),
    Column("handed_over_on", Date),  # local date of the hand-over to collection; null: not there, or called back
    Column("closed_on", Date),
    Column("close_reason", String(32)),
    UniqueConstraint("account", "invoice_id"),
    Index("ix_claim_case", "case_id"),
)

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
    Column("note", Text, nullable=False),
    Column("actor", Text, nullable=False),
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
    Column("setting", String(32), nullable=False),  # plan, include, next_level, next_variant
    Column("value", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),  # of a next_level that a notice has used up
    Index("ix_override_debtor", "account", "debtor_id"),
    Index("ix_override_invoice", "account", "invoice_id"),
)

# ------------------------------------------------------------------------------------------- runs, decisions, outbox

run = table(
    "run",
    Column("id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),  # pull, dun, deliver
    Column("account", String(64)),
    Column("actor", Text, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("state", String(16), nullable=False),  # running, done, failed, waiting (for an approval)
    Column("counts", JSON, nullable=False),
    Column("cause", String(64)),
    Column("error", Told),
    Index("ix_run_started", "started_at"),
)

decision = table(
    "decision",
    Column("id", Id, primary_key=True),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("account", String(64), nullable=False),
    Column("invoice_id", String(128), nullable=False),
    Column("debtor_id", String(128)),
    Column("outcome", String(16), nullable=False),  # escalate, hold, close
    Column("reason", String(32), nullable=False),
    Column("level", Integer),
    Column("next_on", Date),
    Column("detail", JSON, nullable=False),
    Index("ix_decision_invoice", "account", "invoice_id"),
    Index("ix_decision_run", "run_id"),
)

plan_version = table(  # every version of a plan that a decision used; never changed, never deleted
    "plan_version",
    Column("name", String(64), primary_key=True),
    Column("version", String(12), primary_key=True),
    Column("document", Text, nullable=False),  # JSON of policy.EscalationPlan
    Column("first_on", Date, nullable=False),  # local date of the first decision
)

notice = table(
    "notice",
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("case_id", ForeignKey("dunning_case.id"), nullable=False),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column(
        "state", String(16), nullable=False
    ),  # proposed, approved, queued, landed, waiting, dropped, refused, parked
    Column("version", Integer, nullable=False, server_default="1"),
    Column("plan", String(64), nullable=False),
    Column("plan_version", String(12), nullable=False, server_default=""),  # what that plan said then: plan_version
    Column("level", Integer, nullable=False),
    Column("level_name", Text, nullable=False),
    Column("channel", String(32), nullable=False),
    Column("automation", String(16), nullable=False),  # propose, create, complete, send
    Column("debtor_id", String(128), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total_cents", Cents, nullable=False),
    Column("deadline", Date),
    Column("recipient", Text, nullable=False, server_default=""),
    Column("content", JSON, nullable=False),  # model.Content
    Column("beside", JSON, nullable=False, server_default=text("'[]'")),  # records.Beside of a bundle
    Column("hash", String(64), nullable=False),  # of content, claims, recipients: what an approval binds to
    Column("approved_hash", String(64)),
    Column("approved_by", Text),
    Column("approved_at", Instant),
    Column("reason", String(32)),  # of a drop or refusal
    Column("reason_text", Told),
    Column("created_at", Instant, nullable=False),
    Column("landed_at", Instant),
    Column("undelivered", Boolean, nullable=False, server_default=text("false")),
    Column("link", String(32)),  # names the debtor's link in its text
    Column("link_revoked_at", Instant),
    Index("ix_notice_link", "link"),
    Index("ix_notice_state", "state"),
    Index("ix_notice_case", "case_id"),
)

notice_claim = table(
    "notice_claim",
    Column("notice_id", ForeignKey("notice.id"), primary_key=True),
    Column("claim_id", ForeignKey("claim.id"), primary_key=True),
    Column("invoice_id", String(128), nullable=False),
    Column("round", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("repetition", Integer, nullable=False),
    Column("channel", String(32), nullable=False),
    Column("live", Boolean, nullable=False),  # false once dropped, refused or discarded: the key is free again
    Column("open_cents", Cents, nullable=False),  # what the decision was based on
    Column("fee_cents", Cents, nullable=False),
    Column("level_name", Text, nullable=False, server_default=""),  # empty: the notice's
    Column("reminder_id", String(128)),  # the provider's record made for it
    Column("landed_on", Date),  # local date on which this claim rose
    Column("basis", JSON, nullable=False, server_default=text("'{}'")),  # policy.Basis.to_json(), for the re-check
    Index("ix_notice_claim_invoice", "invoice_id"),
    Index(
        "uq_notice_key",
        "claim_id",
        "round",
        "level",
        "repetition",
        "channel",
        unique=True,
        sqlite_where=text("live = 1"),  # as queries write it, so that it finds claims too
        postgresql_where=text("live"),
    ),
)

step = table(
    "step",
    Column("id", Id, primary_key=True),
    Column("notice_id", ForeignKey("notice.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("account", String(64), nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("act", String(16), nullable=False),
    Column("channel", String(64)),  # own channel that does it; null: the account's connector
    Column("claim_id", ForeignKey("claim.id")),  # null: the mail or letter over all claims
    Column("state", String(16), nullable=False),  # waiting, queued, sending, unclear, done, parked, dropped, discarded
    Column("content", JSON, nullable=False),  # model.Content
    Column("lease_owner", String(64)),
    Column("lease_until", Instant),  # technical clock
    Column("not_before", Instant),  # technical clock
    Column("started_at", Instant),  # technical clock, of the one call; null: certainly nothing was written
    Column("acted_at", Instant),  # business clock, of the same call; what `find` compares with the provider's times
    Column("attempts", Integer, nullable=False, server_default="0"),  # calls started
    Column("looks", Integer, nullable=False, server_default="0"),  # how often find was asked
    Column("baseline", JSON),  # model.Snapshot
    Column("proof", JSON),  # model.Proof
    Column("proved_at", Instant),
    Column("cause", String(64)),
    Column("error", Told),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("notice_id", "seq"),
    Index("ix_step_state", "account", "state"),
)

task = table(
    "task",
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("case_id", ForeignKey("dunning_case.id"), nullable=False),
    Column("notice_id", ForeignKey("notice.id")),  # null: not from a level of a plan
    Column("invoice_id", String(128)),  # about one invoice; null: about those of its notice, or the whole case
    Column("kind", String(16), nullable=False),  # call, internal, ...
    Column("state", String(16), nullable=False),  # later (until its notice has landed), open, done, dropped
    Column("title", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("owner", Text, nullable=False, server_default=""),  # empty: nobody's yet
    Column("due_days", Integer, nullable=False, server_default="0"),  # of a later one, from the landing on
    Column("due_on", Date),  # local date; null while later
    Column("created_at", Instant, nullable=False),
    Column("outcome", String(32)),
    Column("outcome_note", Text),
    Column("ended_at", Instant),
    Column("ended_by", Text),
    Index("ix_task_state", "state", "due_on"),
    Index("ix_task_case", "case_id"),
    Index("ix_task_notice", "notice_id"),
)

event = table(
    "event",
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("actor", Text, nullable=False),  # a person's name, or "mahnbridge"
    Column("kind", String(48), nullable=False),
    Column("account", String(64)),
    Column("case_id", Id),
    Column("invoice_id", String(128)),
    Column("run_id", Id),
    Column("notice_id", Id),
    Column("step_id", Id),
    Column("data", JSON, nullable=False),
    Index("ix_event_case", "case_id"),
    Index("ix_event_invoice", "account", "invoice_id"),
)

kept_file = table(  # every file that left the house, or was about to: never changed; the bytes lie in the archive under their hash
    "kept_file",
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("case_id", ForeignKey("dunning_case.id"), nullable=False),
    Column("run_id", ForeignKey("run.id")),
    Column("notice_id", ForeignKey("notice.id")),
    Column("step_id", ForeignKey("step.id")),
    Column("acted_at", Instant),  # of the call of that step; only the one that was proven counts as gone out
    Column("kind", String(16), nullable=False),  # mail, internal, letter, enclosure, collection
    Column("name", Text, nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("kept_at", Instant, nullable=False),
    Column("business_date", Date, nullable=False),
    Column("keep_until", Date, nullable=False),  # last day of its retention
    Index("ix_kept_file_case", "case_id"),
    Index("ix_kept_file_run", "run_id"),
    Index("ix_kept_file_step", "step_id"),
    Index("ix_kept_file_date", "business_date"),
)

# ------------------------------------------------------------------------------------------------------ housekeeping

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
