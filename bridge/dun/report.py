"""What a dunning run returns, planned or done."""

from dataclasses import dataclass, field
from datetime import date

from bridge.policy import CaseView, ClaimView, Decision, NoticeDraft


@dataclass(frozen=True, slots=True)
class Line:
    """One decision about one invoice, with what people want to read beside it. `due` is the due date moved to a working day."""

    account: str
    debtor_id: str
    debtor_name: str
    debtor_number: str | None
    invoice_id: str
    number: str | None
    currency: str
    demand: int  # cents
    due_on: date | None
    decision: Decision


@dataclass(frozen=True, slots=True)
class Planned:
    """One notice of a run with its case. `notice_id` is None in a dry run."""

    draft: NoticeDraft
    case: CaseView
    claims: tuple[ClaimView, ...]
    notice_id: int | None = None
    case_number: str | None = None


@dataclass(slots=True)
class DunReport:
    """What one dunning run (Mahnlauf) did, or would do.

    `state`: done, or waiting where one approval is asked for (`waiting_for` says why: cap, jump). `counts` are by outcome, `reasons`
    by reason code. `lines` are filled in a dry run, and on demand.
    """

    today: date
    run_id: int | None = None
    state: str = "done"
    waiting_for: set[str] = field(default_factory=set)
    automatic: int = 0  # notices that no person approves one by one
    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    notices: list[Planned] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)  # debtors over whom the rules stumbled, and why

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count."""
        self.counts[name] = self.counts.get(name, 0) + number

    def add(self, part: "DunReport") -> None:
        """Add what one part of the run did; `automatic` goes on counting from part to part."""
        self.automatic = part.automatic
        self.waiting_for |= part.waiting_for
        for name, number in part.counts.items():
            self.count(name, number)
        for name, number in part.reasons.items():
            self.reasons[name] = self.reasons.get(name, 0) + number
        self.notices += part.notices
        self.lines += part.lines

    def tell(self, decision: Decision) -> None:
        """Count one decision."""
        self.count(decision.outcome.value)
        self.reasons[decision.reason.value] = self.reasons.get(decision.reason.value, 0) + 1
