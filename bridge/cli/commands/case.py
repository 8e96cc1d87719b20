"""What people do with a case: look, block, unblock, defer, close, choose a level."""

import re
from datetime import date
from decimal import Decimal

import click

from bridge.cli.base import Argument, Option, Words, command
from bridge.cli.commands.look import Day
from bridge.cli.locale import say
from bridge.cli.session import Session

BLOCKS = (
    "dispute",
    "promise_to_pay",
    "says_paid",
    "payment_plan",
    "insolvency",
    "customer_excluded",
    "invoice_excluded",
    "collection",
    "parked",
    "address_unknown",
    "prepayment",
)

CHARGES = ("return_charge", "cost")

FACTS = (
    "legal_form",
    "representative",
    "salutation",
    "first_name",
    "last_name",
    "birth_date",
    "death_date",
    "contract_date",
)

_CASE = Argument(["case"], metavar="CASE")
_INVOICE = Option(["--invoice"], metavar="NUMBER", help="option.case.invoice")
_NOTE = Option(["--note"], type=Words(), metavar="TEXT", default="", help="option.case.note")


@command("case show", _CASE, Option(["--invoice"], metavar="NUMBER", multiple=True, help="option.case.chosen"))
def show(session: Session, case: str, invoice: tuple[str, ...]) -> int:
    """Show one case: claims, notices, blocks and timeline."""
    from bridge.cli.show import case as show_case  # noqa: PLC0415

    session.emit(session.bridge.case(case, chosen=invoice), show_case)
    return 0


@command(
    "case block",
    _CASE,
    Option(["--reason"], type=click.Choice(BLOCKS), required=True, help="option.case.reason"),
    Option(["--until"], type=Day(), metavar="DATE", help="option.case.until"),
    _INVOICE,
    _NOTE,
    changes=True,
)
def block(session: Session, *, case: str, reason: str, until: date | None, invoice: str | None, note: str) -> int:
    """Stop reminders to a customer or for one invoice, with a reason."""
    session.done(session.bridge.block(case, reason=reason, until=until, invoice=invoice, note=note))
    return 0


@command("case unblock", _CASE, _INVOICE, changes=True)
def unblock(session: Session, case: str, invoice: str | None) -> int:
    """Lift the blocks of a case or of one invoice."""
    session.done(session.bridge.unblock(case, invoice=invoice))
    return 0


@command(
    "case defer",
    _CASE,
    Option(["--days"], type=click.IntRange(1, 365), help="option.case.days"),
    Option(["--until"], type=Day(), metavar="DATE", help="option.case.until"),
    _INVOICE,
    _NOTE,
    changes=True,
)
def defer(session: Session, *, case: str, days: int | None, until: date | None, invoice: str | None, note: str) -> int:
    """Grant a deferral; afterwards dunning goes on at the same level."""
    if days is None and until is None and session.interactive:
        proposed = session.bridge.deferral_proposed(case).strftime("%d.%m.%Y")
        until = click.prompt(say("defer.until"), type=Day(), default=proposed)
    session.done(session.bridge.defer(case, days=days, until=until, invoice=invoice, note=note))
    return 0


class Sum(click.ParamType[Decimal]):
    """An amount: 15, 15.00 or 15,00."""

    name = "amount"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Return the amount that `value` names."""
        text = str(value).strip()
        if not re.fullmatch(r"\d{1,9}([.,]\d{1,2})?", text):
            self.fail(say("wrong.amount", value=text), param, ctx)
        return Decimal(text.replace(",", "."))


class Instalment(click.ParamType[tuple[date, Decimal]]):
    """One rate: 2026-10-01=100.00 or 01.10.2026=100,00."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[date, Decimal]:
        """Return date and amount of the rate that `value` names."""
        on, equals, amount = str(value).partition("=")
        if not equals:
            self.fail(say("wrong.rate", value=str(value)), param, ctx)
        return Day().convert(on, param, ctx), Sum().convert(amount, param, ctx)


@command(
    "case instalments",
    _CASE,
    Argument(["rates"], nargs=-1, type=Instalment(), metavar="[DATE=AMOUNT]..."),
    Option(["--months"], type=click.IntRange(1, 120), metavar="COUNT", help="option.case.months"),
    Option(["--first"], type=Day(), metavar="DATE", help="option.case.first"),
    _INVOICE,
    _NOTE,
    changes=True,
)
def instalments(
    session: Session,
    *,
    case: str,
    rates: tuple[tuple[date, Decimal], ...],
    months: int | None,
    first: date | None,
    invoice: str | None,
    note: str,
) -> int:
    """Agree on payment in instalments: no reminders until a rate is missed."""
    done = session.bridge.agree(case, rates, months=months, first=first, invoice=invoice, note=note)
    session.done(done)
    return 0


@command(
    "case charge",
    _CASE,
    Argument(["amount"], type=Sum(), metavar="AMOUNT"),
    Option(["--kind"], type=click.Choice(CHARGES), default="return_charge", help="option.case.charge"),
    Option(["--on"], type=Day(), metavar="DATE", help="option.case.charged_on"),
    Option(["--take-back"], is_flag=True, help="option.case.take_back"),
    _INVOICE,
    Option(["--note"], type=Words(), metavar="TEXT", default="", help="option.case.charge_note"),
    changes=True,
)
def charge(
    session: Session,
    *,
    case: str,
    amount: Decimal,
    kind: str,
    on: date | None,
    take_back: bool,
    invoice: str | None,
    note: str,
) -> int:
    """Add a charge to an invoice, or take it back."""
    done = session.bridge.charge(case, kind=kind, sum_=amount, on=on, invoice=invoice, note=note, take_back=take_back)
    session.done(done)
    return 0


@command(
    "case waive",
    _CASE,
    Option(["--take-back"], is_flag=True, help="option.case.waiver_back"),
    _INVOICE,
    _NOTE,
    changes=True,
)
def waive(session: Session, *, case: str, take_back: bool, invoice: str | None, note: str) -> int:
    """Waive interest, fees and flat fee of an invoice or a case, or take that back."""
    session.done(session.bridge.waive(case, invoice=invoice, note=note, take_back=take_back))
    return 0


@command("case close", _CASE, _NOTE, changes=True)
def close(session: Session, case: str, note: str) -> int:
    """Close a case by hand; no payment is booked and nothing restarts by itself."""
    session.done(session.bridge.close_case(case, note=note))
    return 0


@command(
    "case contact",
    _CASE,
    Option(["--on"], type=Day(), metavar="DATE", help="option.case.contact_on"),
    _NOTE,
    changes=True,
)
def contact(session: Session, case: str, on: date | None, note: str) -> int:
    """Note that a person wrote to a customer or spoke with them."""
    session.done(session.bridge.note_contact(case, on=on, note=note))
    return 0


@command("case note", _CASE, Argument(["text"], metavar="TEXT"), _INVOICE, changes=True)
def note(session: Session, case: str, text: str, *, invoice: str | None) -> int:
    """Write a note into a case; it changes nothing about what comes next."""
    session.done(session.bridge.add_note(case, text, invoice=invoice))
    return 0


@command("case reopen", _CASE, _NOTE, changes=True)
def reopen(session: Session, case: str, note: str) -> int:
    """Open a case again that was closed by hand."""
    session.done(session.bridge.reopen_case(case, note=note))
    return 0


@command(
    "case level",
    _CASE,
    Argument(["level"], type=click.IntRange(1, 100), required=False),
    Option(["--variant"], metavar="NAME", help="option.case.variant"),
    _INVOICE,
    Option(["--default"], is_flag=True, help="option.case.level_default"),
    changes=True,
)
def level(
    session: Session, *, case: str, level: int | None, variant: str | None, invoice: str | None, default: bool
) -> int:
    """Choose the next level of a case by hand, and the way it takes."""
    if default == bool(level or variant):
        raise click.UsageError(say("wrong.level"))
    session.done(session.bridge.choose_level(case, level, variant=variant, invoice=invoice))
    return 0


@command(
    "case recipient",
    _CASE,
    Argument(["address"], nargs=-1),
    Option(["--post"], metavar="ADDRESS", help="option.case.post"),
    Option(["--level"], type=click.IntRange(1, 100), help="option.case.of_level"),
    Option(["--unknown"], is_flag=True, help="option.case.unknown"),
    _INVOICE,
    Option(["--default"], is_flag=True, help="option.case.recipient_default"),
    changes=True,
)
def recipient(
    session: Session,
    *,
    case: str,
    address: tuple[str, ...],
    post: str | None,
    level: int | None,
    unknown: bool,
    invoice: str | None,
    default: bool,
) -> int:
    """Choose whom notices of a case go to, for one level or all."""
    if default == bool(address or post):
        raise click.UsageError(say("wrong.recipient"))
    done = session.bridge.choose_recipient(case, address, post=post, level=level, invoice=invoice, unknown=unknown)
    session.done(done)
    return 0


@command(
    "case colleagues",
    _CASE,
    Option(["--add"], multiple=True, metavar="PERSON", help="option.colleagues.add"),
    Option(["--remove"], multiple=True, metavar="ADDRESS", help="option.colleagues.remove"),
    changes=True,
)
def colleagues(session: Session, case: str, add: tuple[str, ...], remove: tuple[str, ...]) -> int:
    """Show and choose who of us looks after a customer."""
    from bridge.cli.show_tasks import colleagues as show_colleagues  # noqa: PLC0415

    session.emit(session.bridge.colleagues(case, add=add, remove=remove), show_colleagues)
    return 0


@command(
    "case facts",
    _CASE,
    Option(["--legal-form"], metavar="TEXT", help="option.facts.legal_form"),
    Option(["--representative"], metavar="NAME", multiple=True, help="option.facts.representative"),
    Option(["--salutation"], metavar="TEXT", help="option.facts.salutation"),
    Option(["--first-name"], metavar="NAME", help="option.facts.first_name"),
    Option(["--last-name"], metavar="NAME", help="option.facts.last_name"),
    Option(["--birth-date"], type=Day(), metavar="DATE", help="option.facts.birth_date"),
    Option(["--death-date"], type=Day(), metavar="DATE", help="option.facts.death_date"),
    Option(["--contract-date"], type=Day(), metavar="DATE", help="option.facts.contract_date"),
    _INVOICE,
    Option(["--take-back"], type=click.Choice(FACTS), multiple=True, help="option.facts.take_back"),
    changes=True,
)
def facts(
    session: Session,
    *,
    case: str,
    representative: tuple[str, ...],
    invoice: str | None,
    take_back: tuple[str, ...],
    **said: str | date | None,
) -> int:
    """Show and say what a collection agency asks for and no record tells."""
    from bridge.cli.show_tasks import facts as show_facts  # noqa: PLC0415

    told = {name: value for name, value in said.items() if value is not None}
    if representative:
        told["representative"] = ", ".join(representative)
    session.emit(session.bridge.handover_facts(case, told, take_back=take_back, invoice=invoice), show_facts)
    return 0


@command(
    "case handover",
    _CASE,
    _INVOICE,
    Option(["--early"], is_flag=True, help="option.case.early"),
    Option(["--default"], is_flag=True, help="option.case.handover_default"),
    changes=True,
)
def handover(session: Session, case: str, *, invoice: str | None, early: bool, default: bool) -> int:
    """Decide that a case or an invoice goes to collection; the next run proposes it, a person approves it."""
    if default and early:
        raise click.UsageError(say("wrong.handover"))
    bridge = session.bridge
    changed = (
        bridge.keep_here(case, invoice=invoice) if default else bridge.hand_over(case, invoice=invoice, early=early)
    )
    session.done(changed)
    return 0


@command("case include", _CASE, _INVOICE, Option(["--default"], is_flag=True, help="option.case.default"), changes=True)
def include(session: Session, case: str, invoice: str | None, default: bool) -> int:
    """Dun a customer or an invoice against the exclusions of the configuration, or leave it to them again."""
    session.done(session.bridge.include(case, "default" if default else "include", invoice=invoice))
    return 0


@command("case exclude", _CASE, _INVOICE, changes=True)
def exclude(session: Session, case: str, invoice: str | None) -> int:
    """Take a customer or an invoice out of dunning."""
    session.done(session.bridge.include(case, "exclude", invoice=invoice))
    return 0


@command(
    "case plan",
    _CASE,
    Argument(["plan"], required=False),
    _INVOICE,
    Option(["--default"], is_flag=True, help="option.case.default"),
    changes=True,
)
def plan(session: Session, case: str, *, plan: str | None, invoice: str | None, default: bool) -> int:
    """Give a customer or an invoice a plan of its own, or none, or leave it to the configuration again."""
    if default == bool(plan):
        raise click.UsageError(say("wrong.plan"))
    session.done(session.bridge.choose_plan(case, plan, invoice=invoice))
    return 0
