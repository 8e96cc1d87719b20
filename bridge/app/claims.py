"""What is owed on an invoice on a day, with the computation (Forderungsaufstellung)."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import Connection

from bridge.app.claim_statement import ClaimStatement, statement
from bridge.app.explaining import Explaining
from bridge.app.results import CaseSums
from bridge.dun.ahead import cases
from bridge.errors import UsageError
from bridge.model import Finding
from bridge.policy.build import amount
from bridge.policy.holds import DUNNABLE
from bridge.policy.owed import EVERYTHING, owed
from bridge.store.mirror import Known


class Claims(Explaining):
    """What computes claims."""

    def rate_findings(self) -> tuple[Finding, ...]:
        """Return a warning where the base rate of today's half-year is not known."""
        found = []
        for name, rules in self.rules.items():
            table = rules.money.tables.get(rules.money.country) if rules.money.interest else None
            found.append(table.finding(self.today(name)) if table else None)
        return tuple(dict.fromkeys(one for one in found if one))

    def claim(self, invoice: str, *, on: date | None = None, account: str | None = None) -> tuple[ClaimStatement, ...]:
        """Return what is owed on this invoice (number or id) today, or on date `on` if nothing more is paid; one answer per account.

        Raises `UsageError` where no account has it.
        """
        if account is not None:
            self.chosen((account,))
        with self.store.reading() as conn:
            known = [one for one in self.store.mirror.by_number(conn, invoice, account) if one.account in self.accounts]
            if not known:
                raise UsageError(
                    "there is no invoice {invoice!r}; `mahnbridge pull` reads what is new", invoice=invoice
                )
            claims = [one for one in known if one.invoice.kind in DUNNABLE]
            if not claims:
                raise UsageError(
                    "{invoice!r} is no invoice but a {kind}", invoice=invoice, kind=known[0].invoice.kind.value
                )
            return tuple(self.claimed(conn, one, on) for one in claims)

    def case_sums(self, account: str, customers: Collection[str] | None = None) -> dict[str, CaseSums]:
        """Return, by customer, what the open claims of the case add up to today; `customers` restricts them to these provider ids."""
        if account not in self.accounts:  # its rules went with it
            return {}
        rules, today, zone = self.rules[account], self.today(account), self.accounts[account].zone
        found: dict[str, CaseSums] = {}
        for case in cases(self.store, account, zone, today, customers):
            for claim in case.claims:
                if claim.claim_id is None or claim.closed is not None:
                    continue
                its = owed(case, claim, rules, today, EVERYTHING, gaps=True).account
                sums = found.setdefault(case.debtor_id, CaseSums())
                sums.add(claim.currency, amount(its.left), amount(its.more))
        return found

    def claimed(self, conn: Connection, known: Known, on: date | None = None) -> ClaimStatement:
        """Return what is owed on one invoice today, or on date `on`."""
        name, today = known.account, self.today(known.account)
        case, claim = self.seen(conn, known, today)
        found = owed(case, claim, self.rules[name], on or today, EVERYTHING, today=today, gaps=True)
        return statement(known, case, self.rules[name], found.account, self.language)
