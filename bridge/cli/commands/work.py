"""The daily work: pull, plan, run, approve, deliver."""

from decimal import Decimal
from typing import TYPE_CHECKING, TextIO

import click

from bridge.cli.base import Argument, Option, Words, command
from bridge.cli.commands.case import Sum
from bridge.cli.locale import say
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.results import Delivered, Pulled, Ran
    from bridge.cli.out import Out


@command(
    "pull", Argument(["accounts"], nargs=-1), Option(["--full"], is_flag=True, help="option.pull.full"), changes=True
)
def pull(session: Session, accounts: tuple[str, ...], full: bool) -> int:
    """Read what changed at the providers."""
    session.bridge.by_hand("pull", accounts)
    with session.out.progress() as advance:
        result = session.bridge.pull(accounts, full=full, progress=advance)
    session.emit(result, _show_pulled)
    return 0 if all(one.state == "done" for one in result) else 1


def _show_pulled(out: "Out", result: "tuple[Pulled, ...]") -> None:
    for one in result:
        if one.state == "done":
            out.line(
                "pull.done",
                style="ok",
                account=one.account,
                records=one.counts.get("records", 0),
                changed=one.counts.get("changed", 0),
                rejects=one.counts.get("rejects", 0),
            )
        else:
            out.line(f"pull.{one.state}", style="error", account=one.account, error=one.error)


@command(
    "plan",
    Argument(["accounts"], nargs=-1),
    Option(["--customer"], metavar="NUMBER", help="option.customer"),
    Option(["--all", "everything"], is_flag=True, help="option.plan.all"),
    Option(["--days"], type=click.IntRange(1, 366), metavar="DAYS", help="option.plan.days"),
    Option(["--include-not-due/--no-include-not-due", "not_due"], default=None, help="option.plan.not_due"),
)
def plan(
    session: Session,
    *,
    accounts: tuple[str, ...],
    customer: str | None,
    everything: bool,
    days: int | None,
    not_due: bool | None,
) -> int:
    """Show what would go out today and what is held back, or what goes out in the next days; nothing is written."""
    from bridge.cli.show import planned  # noqa: PLC0415
    from bridge.cli.show_plans import forecast  # noqa: PLC0415

    if days is not None:
        session.emit(session.bridge.forecast(accounts, days=days, customer=customer), forecast)
        return 0
    session.emit(
        session.bridge.plan(accounts, customer=customer, not_due=not_due),
        lambda out, result: planned(out, result, everything=everything),
    )
    return 0


@command(
    "run",
    Argument(["accounts"], nargs=-1),
    Option(["--customer"], metavar="NUMBER", help="option.customer"),
    Option(["--approve-limits", "approved"], is_flag=True, help="option.run.approve_limits"),
    Option(["--no-pull"], is_flag=True, help="option.run.no_pull"),
    Option(["--no-deliver"], is_flag=True, help="option.run.no_deliver"),
    changes=True,
)
def run(
    session: Session,
    *,
    accounts: tuple[str, ...],
    customer: str | None,
    approved: bool,
    no_pull: bool,
    no_deliver: bool,
) -> int:
    """Do one complete dunning run: read, decide, deliver."""
    with session.out.progress() as advance:
        result = session.bridge.run(
            accounts,
            customer=customer,
            approved=approved,
            pull=not no_pull,
            deliver=not no_deliver,
            progress=advance,
        )
    session.emit(result, _show_ran)
    waiting = result.planned is not None and result.planned.state == "waiting"
    failed = any(one.state != "done" for one in result.pulled)
    return 1 if waiting or failed or (result.delivered is not None and result.delivered.needs_person) else 0


def _show_ran(out: "Out", result: "Ran") -> None:
    from bridge.cli.show import planned  # noqa: PLC0415

    _show_pulled(out, result.pulled)
    if result.planned is not None:
        planned(out, result.planned)
    if result.delivered is not None:
        _show_delivered(out, result.delivered)


@command("deliver", Argument(["accounts"], nargs=-1), changes=True)
def deliver(session: Session, accounts: tuple[str, ...]) -> int:
    """Deliver what is approved, and take up what is unclear."""
    session.bridge.by_hand("deliver", accounts)
    with session.out.progress() as advance:
        result = session.bridge.deliver(accounts, progress=advance)
    session.emit(result, _show_delivered)
    return 1 if result.needs_person else 0


def _show_delivered(out: "Out", result: "Delivered") -> None:
    from bridge.cli.show import delivered  # noqa: PLC0415

    delivered(out, result)


@command(
    "approve",
    Argument(["notices"], nargs=-1, type=int, metavar="[NOTICE]..."),
    Option(["--all", "everything"], is_flag=True, help="option.approve.all"),
    Option(["--limits", "limits"], metavar="ACCOUNT", multiple=True, help="option.approve.limits"),
    Option(["--refuse"], type=Words(needed=True), metavar="REASON", help="option.approve.refuse"),
    Option(["--yes", "-y", "yes"], is_flag=True, help="option.yes"),
    changes=True,
)
def approve(
    session: Session,
    *,
    notices: tuple[int, ...],
    everything: bool,
    limits: tuple[str, ...],
    refuse: str | None,
    yes: bool,
) -> int:
    """Show proposals and approve or refuse them."""
    from bridge.cli.show import proposals as show_proposals  # noqa: PLC0415

    bridge = session.bridge
    for account in limits:
        session.done(bridge.approve_jump(account))
    if limits and not (notices or everything):
        return 0
    proposals = bridge.proposals(notices)
    if not notices and not everything:
        session.emit(proposals, show_proposals)
        if proposals and not session.as_json:
            session.out.line("approve.how")
        return 0
    if not session.as_json:
        session.out.line("approve.chosen", style="bold", count=len(proposals))
        show_proposals(session.out, proposals)
        session.out.line("approve.chosen", style="bold", count=len(proposals))
    if (
        session.interactive
        and not yes
        and not click.confirm(say("approve.confirm", count=len(proposals)), default=False)
    ):
        return 1
    done = bridge.refuse(proposals, refuse) if refuse else bridge.approve(proposals)
    session.done(done)
    if refuse or not done.text:
        return 0
    if not session.as_json:
        session.out.line("approve.left", style="warning", text=done.text)
    return 1


@command(
    "edit",
    Argument(["notice"], type=click.IntRange(1), metavar="NOTICE"),
    Option(["--subject"], metavar="TEXT", help="option.edit.subject"),
    Option(["--text-file", "text"], type=click.File(encoding="utf-8"), metavar="FILE", help="option.edit.text"),
    Option(["--to", "emails"], metavar="ADDRESS", multiple=True, help="option.edit.to"),
    Option(["--unknown"], is_flag=True, help="option.edit.unknown"),
    Option(["--level"], type=click.IntRange(1, 99), metavar="NUMBER", help="option.edit.level"),
    Option(["--fee"], type=Sum(), metavar="AMOUNT", help="option.edit.fee"),
    changes=True,
)
def edit(
    session: Session,
    *,
    notice: int,
    subject: str | None,
    text: TextIO | None,
    emails: tuple[str, ...],
    unknown: bool,
    level: int | None,
    fee: Decimal | None,
) -> int:
    """Change a notice before it begins to go out."""
    from bridge.cli.show import proposals as show_proposals  # noqa: PLC0415

    changed = session.bridge.edit(
        notice,
        subject=subject,
        text=_read(text) if text else None,
        emails=emails,
        unknown=unknown,
        level=level,
        fee=fee,
    )
    session.emit(changed, show_proposals)
    return 0


def _read(file: TextIO) -> str:
    from bridge.errors import UsageError  # noqa: PLC0415

    try:
        return file.read()
    except ValueError as error:
        raise UsageError("{file} is no text in UTF-8", file=file.name) from error


@command("forewarn", Option(["--send"], is_flag=True, help="option.forewarn.send"), changes=True)
def forewarn(session: Session, send: bool) -> int:
    """Show what goes out on the next day of sending."""
    from bridge.cli.show_plans import forewarned  # noqa: PLC0415

    session.emit(session.bridge.forewarn() if send else session.bridge.forewarning(), forewarned)
    return 0
