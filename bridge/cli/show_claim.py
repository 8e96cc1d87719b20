"""How the account of a claim looks to people."""

from collections.abc import Sequence

from bridge.app.claim_statement import ClaimStatement
from bridge.cli.locale import say
from bridge.cli.out import Money, Out, money, shown


def claims(out: Out, results: Sequence[ClaimStatement]) -> None:
    """Print what is owed on an invoice, with the computation."""
    for one in results:
        out.title("claim.title", number=one.number or one.invoice, day=shown(one.on))
        out.facts(
            [
                ("customer", one.customer),
                ("account", one.account),
                ("debtor_kind", say(f"kind.{one.kind}")),
                ("default", one.default_text),
                ("gross", money(one.gross, one.currency)),
                ("flat_fee", one.flat_fee),
            ]
        )
        _interest(out, one)
        _ancillaries(out, one)
        _payments(out, one)
        _sum(out, one)
        for text in one.notes:
            out.text(text, "warning")


def _interest(out: Out, one: ClaimStatement) -> None:
    if not one.interest_rows:
        return
    out.title("claim.interest", law=one.law)
    rows = [
        (row.first, row.last, row.days, row.formula, Money(row.interest, one.currency)) for row in one.interest_rows
    ]
    out.table(("first", "last", "days", "what", "interest"), rows)
    out.line("claim.interest_sum", total=money(one.interest, one.currency))


def _ancillaries(out: Out, one: ClaimStatement) -> None:
    if not one.ancillaries:
        return
    out.title("claim.ancillaries")
    out.table(
        ("day", "what", "amount"), [(row.on, row.text, Money(row.amount, one.currency)) for row in one.ancillaries]
    )


def _payments(out: Out, one: ClaimStatement) -> None:
    if not one.payments:
        return
    out.title("claim.payments")
    names = ("amount", "costs", "interest", "principal")
    rows = [(row.on, *(Money(getattr(row, name), one.currency) for name in names)) for row in one.payments]
    out.table(("day", *names), rows)


def _sum(out: Out, one: ClaimStatement) -> None:
    out.title("claim.sum")
    facts = [
        ("principal", money(one.principal_open, one.currency)),
        ("ancillary", money(one.ancillary_open, one.currency)),
    ]
    if one.credits:
        facts.append(("credits", money(-one.credits, one.currency)))
    if one.waived:
        facts.append(("waived", money(-one.waived, one.currency)))
    out.facts([*facts, ("total", money(one.total, one.currency))])
    out.line("claim.provider", total=money(one.open_at_provider, one.currency), style="dim")
