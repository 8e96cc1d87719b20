"""Cases and claims, runs and decisions, the outbox (notices and their steps), tasks, the journal, and kept files."""

from sqlalchemy import JSON, Boolean, Column, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text

from bridge.store.columns import Actor, Cents, Id, Instant, Spoken, Told, table

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
    Column("undelivered", Boolean, nullable=False, server_default=text("false")),  # its last notice came back
    Column("resend", String(16)),  # the channel by which a person sends that once more; null once it landed
    Column("resent", Integer, nullable=False, server_default="0"),  # how many repetitions of the level were that
    Column("handed_over_on", Date),  # local date of the hand-over to collection; null: not there, or called back
    Column("closed_on", Date),
    Column("close_reason", String(32)),
    UniqueConstraint("account", "invoice_id"),
    Index("ix_claim_case", "case_id"),
)

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
    Column("replaced_by", ForeignKey("notice.id")),  # the notice that a person's edit made instead
    Column("created_at", Instant, nullable=False),
    Column("landed_at", Instant),
    Column("undelivered", Boolean, nullable=False, server_default=text("false")),  # it came back
    Column("link", String(32)),  # names the debtor's link in its text
    Column("link_revoked_at", Instant),
    Index("ix_notice_link", "link"),
    Index("ix_notice_state", "state"),
    Index("ix_notice_landed", "landed_at"),
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
    Column(
        "invoices", JSON, nullable=False, server_default=text("'[]'")
    ),  # about several that are not all of these, by id
    Column("kind", String(16), nullable=False),  # call, internal, ...
    Column("state", String(16), nullable=False),  # later (until its notice has landed), open, done, dropped
    Column("title", Spoken, nullable=False),
    Column("note", Spoken, nullable=False, server_default=""),
    Column("owner", Text, nullable=False, server_default=""),  # empty: nobody's yet
    Column("due_days", Integer, nullable=False, server_default="0"),  # of a later one, from the landing on
    Column("due_on", Date),  # local date; null while later
    Column("created_at", Instant, nullable=False),
    Column("outcome", String(32)),
    Column("outcome_note", Spoken),
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
    Column("actor", Actor, nullable=False),
    Column("kind", String(48), nullable=False),
    Column("account", String(64)),
    Column("case_id", Id),
    Column("invoice_id", String(128)),
    Column("run_id", Id),
    Column("notice_id", Id),
    Column("step_id", Id),
    Column("data", JSON, nullable=False),
    Column("salt", String(32)),  # of the digest of `data`; null once the personal data was erased
    Column("data_digest", String(64), nullable=False),  # SHA-256 of salt and data; stays when they are erased
    Column("digest", String(64), nullable=False),  # SHA-256 of everything but data, and of data_digest
    Index("ix_event_case", "case_id"),
    Index("ix_event_invoice", "account", "invoice_id"),
)

seal = table(  # the hash chain over the journal: one row per event, in the order of sealing
    "seal",
    Column("seq", Id, primary_key=True),
    Column("event_id", Id, nullable=False, unique=True),
    Column("digest", String(64), nullable=False),  # of the event, as it was then
    Column("chain", String(64), nullable=False),  # SHA-256 of the chain before and this digest
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
    Column("kind", String(16), nullable=False),  # mail, internal, letter, enclosure, provider, collection
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
