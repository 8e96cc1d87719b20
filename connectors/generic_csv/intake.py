"""What every kind of import does with a record: keep it in the state, or set it aside with its reason."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from bridge.contract import BadRecord, Debtor, Invoice, NoticeStatus, ProviderNotice, Reject, Sentence
from connectors.generic_csv.cells import fold
from connectors.generic_csv.effective import effective
from connectors.generic_csv.lines import Fault
from connectors.generic_csv.state import State, cents

MOST_REJECTS = 1000
"""Rejected rows that are told one by one; more are summed up in one."""


@dataclass
class Report:
    """What became of one file."""

    name: str
    as_of: datetime
    origin: str = ""
    rows: int = 0
    rejected: int = 0
    unnamed: int = 0  # rejected rows of which not even the invoice is known
    failed: bool = False
    keys: set[str] = field(default_factory=set)


class Intake:
    """Takes the records of one account's files."""

    def __init__(self, state: State, zone: ZoneInfo) -> None:
        self.state, self.zone = state, zone

    def debtor(self, debtor: Debtor) -> None:
        self.state.put_debtor(debtor, fold(debtor.name), fold(debtor.number or ""))

    def put(self, invoice: Invoice, origin: str, number: str, report: Report, line: int) -> None:
        changed = self.state.put_invoice(invoice, origin, number, report.as_of, f"{report.name}:{line}")
        if invoice.id not in report.keys:
            self.state.run("delete from reject where json_extract(doc, '$.provider_id') = ?", (invoice.id,))
        if changed and self.state.payments(invoice.id):
            standing = effective(self.state, invoice.id, self.zone)
            rest = standing.invoice.open if standing else invoice.open
            self.state.run("update invoice set open_cents = ? where id = ?", (cents(rest), invoice.id))

    def level(self, identity: str, level: int, as_of: datetime) -> None:
        dated_on = as_of.astimezone(self.zone).date()
        self.state.put_notice(
            ProviderNotice(
                id=f"{identity}/level-{level}",
                invoice_id=identity,
                level=level,
                status=NoticeStatus.SENT,
                dated_on=dated_on,
            )
        )

    def fault(self, report: Report, fault: Fault) -> None:
        error = BadRecord(
            "line {line}: {why}; it begins with {beginning!r}",
            line=fault.line,
            why=fault.reason,
            beginning=fault.raw[:80],
        )
        self.reject(report, "row", None, error, line=fault.line, raw=fault.raw)

    def reject(
        self,
        report: Report,
        kind: str,
        identity: str | None,
        error: BadRecord,
        *,
        raw: str,
        line: int = 0,
        place: str = "",
    ) -> None:
        """Set a record aside; what is known of its invoice is not acted on until a good row comes."""
        report.rejected += 1
        if identity is None:
            report.unnamed += 1
        else:
            report.keys.add(identity)
            self.state.doubt(identity, Sentence("{file}:{line}: {why}", file=report.name, line=line, why=error.reason))
        if report.rejected > MOST_REJECTS:
            return
        where = place or f"{report.name}:{line}"
        last = report.rejected == MOST_REJECTS
        reason = (
            Sentence("{reason}; further rows of this file are not listed", reason=error.reason)
            if last
            else error.reason
        )
        reject = Reject(
            kind=kind,
            provider_id=identity,
            field=error.field,
            value=error.value,
            reason=reason,
            source=where,
            raw=raw[:2000],
        )
        key = sha256(f"{kind}|{identity or where}|{line if identity is None else ''}|{raw}".encode()).hexdigest()[:24]
        self.state.put_reject(reject, key)
