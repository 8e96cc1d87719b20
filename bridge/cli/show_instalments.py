"""How agreements on payment in instalments look to people."""

from collections.abc import Sequence

from bridge.app.instalments import InstalmentPlan
from bridge.cli.locale import say
from bridge.cli.out import Money, Out, money, shown


def instalments(out: Out, found: Sequence[InstalmentPlan]) -> None:
    """Print each agreement with its rates."""
    if not found:
        out.line("instalments.none")
        return
    for one in found:
        paid, total = money(one.paid, one.currency), money(one.total, one.currency)
        out.title("instalments.title", subject=one.subject, invoices=", ".join(one.invoices), paid=paid, total=total)
        out.line("instalments.by", actor=one.actor, at=shown(one.agreed_at), note=one.note, style="dim")
        rows = [
            (rate.on, Money(rate.amount, one.currency), Money(rate.paid, one.currency), say(f"rate.{rate.state}"))
            for rate in one.rates
        ]
        out.table(("rate_on", "rate", "paid", "state"), rows)
