"""Money: default, interest, flat fee, fees and allocation of one claim, by German, Austrian and Swiss law. Pure, in cents."""

from bridge.policy.money.allocation import Debt, Ledger, Paid, Posting, distribute, keep_ledger
from bridge.policy.money.base_rates import RateTable, load_tables, parse_table, shipped_tables
from bridge.policy.money.claims import UNDATED, ClaimAccount, ClaimInputs, MoneyRules, Note, NoteCode, account_of
from bridge.policy.money.default import (
    DefaultStart,
    DueFacts,
    DueSource,
    LegalDunning,
    Sent,
    assumed_receipt,
    default_of,
)
from bridge.policy.money.fees import Ancillary, AncillaryKind, FeeReason, FeeRules, reminder_fee
from bridge.policy.money.flat_fee import FLAT_FEE, FlatFee, FlatFeeReason, flat_fee, flat_fee_reason
from bridge.policy.money.history import NO_HISTORY, Asks, History, Reached, Waived
from bridge.policy.money.interest import DayCount, InterestTerms, Rounding, Segment, Stretch, Window, stretch, terms_for

__all__ = [
    "FLAT_FEE",
    "NO_HISTORY",
    "UNDATED",
    "Ancillary",
    "AncillaryKind",
    "Asks",
    "ClaimAccount",
    "ClaimInputs",
    "DayCount",
    "Debt",
    "DefaultStart",
    "DueFacts",
    "DueSource",
    "FeeReason",
    "FeeRules",
    "FlatFee",
    "FlatFeeReason",
    "History",
    "InterestTerms",
    "Ledger",
    "LegalDunning",
    "MoneyRules",
    "Note",
    "NoteCode",
    "Paid",
    "Posting",
    "RateTable",
    "Reached",
    "Rounding",
    "Segment",
    "Sent",
    "Stretch",
    "Waived",
    "Window",
    "account_of",
    "assumed_receipt",
    "default_of",
    "distribute",
    "flat_fee",
    "flat_fee_reason",
    "keep_ledger",
    "load_tables",
    "parse_table",
    "reminder_fee",
    "shipped_tables",
    "stretch",
    "terms_for",
]
