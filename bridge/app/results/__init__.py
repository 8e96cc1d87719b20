"""What the use cases return: plain facts for the command line, for scripts (`--json`) and for the console.

Amounts are `Decimal` in `currency`, instants aware UTC, dates local dates of the account.
"""

from bridge.app.results.cases import BlockLine, CaseClaim, CaseDetail, CaseLine, CaseSums, Done, Entry, Facts, ToldFact
from bridge.app.results.explaining import Ahead, Explained, Found, LevelChoice, RuleAsked, Sent, Upcoming
from bridge.app.results.failures import Failure, FailureGroup, Replayed
from bridge.app.results.installing import Check, Made, Remark
from bridge.app.results.running import (
    ClaimLine,
    Delivered,
    GoLive,
    Held,
    NoticeLine,
    OtherLine,
    Overtaken,
    Planned,
    Pulled,
    Ran,
    ReturnsRead,
)
from bridge.app.results.status import AccountStatus, Status

__all__ = [
    "AccountStatus",
    "Ahead",
    "BlockLine",
    "CaseClaim",
    "CaseDetail",
    "CaseLine",
    "CaseSums",
    "Check",
    "ClaimLine",
    "Delivered",
    "Done",
    "Entry",
    "Explained",
    "Facts",
    "Failure",
    "FailureGroup",
    "Found",
    "GoLive",
    "Held",
    "LevelChoice",
    "Made",
    "NoticeLine",
    "OtherLine",
    "Overtaken",
    "Planned",
    "Pulled",
    "Ran",
    "Remark",
    "Replayed",
    "ReturnsRead",
    "RuleAsked",
    "Sent",
    "Status",
    "ToldFact",
    "Upcoming",
]
