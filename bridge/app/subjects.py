"""Subjects: what a person names is the case, the customer or the invoice that they mean, or refused with what would be right."""

from collections.abc import Collection

from sqlalchemy import Connection

from bridge.app.claims import Claims
from bridge.errors import UsageError
from bridge.store.choices import Target
from bridge.store.overview import CaseRow
from bridge.words import Sentence

_NAMED = 8
"""Cases that are named where several could be meant."""


class Subjects(Claims):
    """Finds what a command is about. A case or a customer means all that is theirs, an invoice that invoice alone."""

    def _row(self, conn: Connection, name: str) -> CaseRow:
        number = name if name.upper().startswith("MA-") else self._case_meant(conn, name)
        found = self.store.overview.case(conn, self.store.cases.by_number(conn, number)["id"])
        assert found is not None
        return found

    def _case_meant(self, conn: Connection, name: str) -> str:
        """Return the case of an invoice or of a customer; of several of a customer's, the one that is not closed.

        Raises `UsageError` where there is none, or naming all that could be meant.
        """
        invoices = (
            self.store.questions.case_of(conn, one.account, one.invoice.id)
            for one in self.store.mirror.by_number(conn, name)
        )
        of_invoices = list(dict.fromkeys(filter(None, invoices)))
        customers = [
            (account, one) for account in self.accounts for one in self.store.questions.debtors(conn, account, name)
        ]
        if of_invoices:  # an id inside the provider that happens to be a number of an invoice is nobody's word
            customers = [one for one in customers if self._number_of(conn, *one) == name]
        theirs = [one for customer in customers for one in self.store.questions.cases_of(conn, *customer)]
        going = [number for number, state in theirs if state != "closed"]
        of_customers = going if len(going) == 1 and len(customers) == 1 else [number for number, _ in theirs]
        found = list(dict.fromkeys((*of_invoices, *of_customers)))
        if len(found) == 1:
            return found[0]
        if not found:
            raise UsageError(
                "there is no case {case!r}, and no invoice or customer of this number in a case", case=name
            )
        raise UsageError(
            "{case!r} could mean several cases: {cases}; name one of them",
            case=name,
            cases=[self._candidate(conn, number) for number in found[:_NAMED]],
        )

    def _number_of(self, conn: Connection, account: str, debtor_id: str) -> str | None:
        debtor = self.store.mirror.debtor(conn, account, debtor_id)
        return debtor.number if debtor else None

    def _candidate(self, conn: Connection, number: str) -> Sentence:
        """Return a case as people tell it from others: by its customer, and since when."""
        row = self.store.overview.case(conn, self.store.cases.by_number(conn, number)["id"])
        assert row is not None
        facts = {"number": row.number, "customer": row.debtor_name or row.debtor_id}
        if row.closed_on is not None:
            return Sentence("{number} ({customer}, closed {day})", **facts, day=row.closed_on)
        return Sentence("{number} ({customer}, since {day})", **facts, day=row.opened_on)

    def _only_invoice(self, conn: Connection, case: str) -> str:
        claims = self.store.overview.claims(conn, self._row(conn, case).id)
        named = [one for one in claims if case in (one.number, one.invoice_id)] or claims
        if len(named) != 1:
            raise UsageError("case {case} has {named} invoices; name one with --invoice", case=case, named=len(named))
        return named[0].invoice_id

    def _target(self, conn: Connection, case: str, invoice: str | None) -> tuple[Target, str, str]:
        """Return what a choice is about: the customer, or one of their invoices, whether it is in a case yet or not."""
        account, debtor_id, subject = self._customer(conn, case)
        invoice = self._invoice_meant(conn, case, invoice)
        if invoice is None:
            if debtor_id is None:
                raise UsageError("invoice {case!r} has no customer at the provider; name it with --invoice", case=case)
            return Target(account=account, debtor_id=debtor_id), subject, account
        found = [
            one for one in self.store.mirror.by_number(conn, invoice, account) if one.invoice.debtor_id == debtor_id
        ]
        if not found:
            known = self.store.mirror.invoice(conn, account, invoice)
            found = [known] if known is not None and known.invoice.debtor_id == debtor_id else []
        if len(found) != 1:
            raise UsageError("{subject} has no invoice {invoice!r}", subject=subject, invoice=invoice)
        one = found[0].invoice
        return Target(account=account, invoice_id=one.id), one.number or one.id, account

    def _tell_agency(self, conn: Connection, account: str, invoices: Collection[str]) -> tuple[Sentence, ...]:
        """Return that the agency must hear of a change too, where some of these invoices are with it."""
        there = []
        for one in self.store.handovers.among(conn, account, invoices):
            known = self.store.mirror.invoice(conn, account, one)
            there.append((known and known.invoice.number) or one)
        if not there:
            return ()
        return (
            Sentence(
                "with the collection agency: {invoices}; tell the agency too, it claims what was handed over to it",
                invoices=there,
            ),
        )

    def _invoice_meant(self, conn: Connection, case: str, invoice: str | None) -> str | None:
        """Return the one invoice that is meant: named beside a case, or in its place; None for a case or a customer as a whole."""
        if invoice is not None or case.upper().startswith("MA-"):
            return invoice
        return case if self.store.mirror.by_number(conn, case) else None

    def _whole_of(self, conn: Connection, account: str, invoice_id: str) -> str:
        """Return what names the customer of an invoice with all that is theirs: the case, else the customer's number."""
        known = self.store.mirror.invoice(conn, account, invoice_id)
        debtor_id = known.invoice.debtor_id if known else None
        debtor = self.store.mirror.debtor(conn, account, debtor_id) if debtor_id else None
        return self.store.questions.case_of(conn, account, invoice_id) or (debtor and debtor.number) or debtor_id or ""

    def _whole(self, conn: Connection, case: str) -> CaseRow:
        """Return a case that is named by its number. Raises `UsageError` where an invoice stands there that is not all of it."""
        row = self._row(conn, case)
        if self._invoice_meant(conn, case, None) and len(self.store.overview.claims(conn, row.id)) > 1:
            raise UsageError(
                "{case} is one of several invoices; {whole} names the whole case", case=case, whole=row.number
            )
        return row

    def _customer(self, conn: Connection, name: str) -> tuple[str, str | None, str]:
        """Return account, customer and name of a case, of an invoice (in a case or not), or of a customer number."""
        known = self.store.mirror.by_number(conn, name)
        if name.upper().startswith("MA-") or any(
            self.store.questions.case_of(conn, one.account, one.invoice.id) for one in known
        ):
            row = self._row(conn, name)
            return row.account, row.debtor_id, row.number
        if len(known) == 1:
            account, debtor_id = known[0].account, known[0].invoice.debtor_id
            debtor = self.store.mirror.debtor(conn, account, debtor_id) if debtor_id else None
            return account, debtor_id, debtor.name if debtor and debtor.name else name
        customers = [
            (account, one) for account in self.accounts for one in self.store.questions.debtors(conn, account, name)
        ]
        if len(known) > 1 or len(customers) != 1:
            raise UsageError("there is no single case, invoice or customer {name!r}", name=name)
        return customers[0][0], customers[0][1], name

    def _customer_of(self, conn: Connection, name: str) -> tuple[Target, str, str]:
        """Return the customer of a case or an invoice, for what there is for customers only."""
        account, debtor_id, subject = self._customer(conn, name)
        if debtor_id is None:
            raise UsageError("invoice {case!r} has no customer at the provider", case=name)
        return Target(account=account, debtor_id=debtor_id), subject, account
