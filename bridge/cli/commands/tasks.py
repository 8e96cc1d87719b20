"""Tasks: calls and other work for people."""

from datetime import date

import click

from bridge.cli.base import Argument, Option, Words, command
from bridge.cli.commands.look import PERIOD, Day
from bridge.cli.session import Session

OUTCOMES = ("reached", "not_reached", "wrong_number", "promise", "dispute", "done")

_TASK = Argument(["task"], type=int, metavar="TASK")


@command(
    "tasks list",
    Option(["--owner"], metavar="NAME", help="option.tasks.owner"),
    Option(["--account"], metavar="ACCOUNT", help="option.account"),
    Option(["--due"], type=Day(), metavar="DATE", help="option.tasks.due_by"),
    Option(["--done", "ended"], is_flag=True, help="option.tasks.done"),
    PERIOD,
)
def list(  # noqa: A001  the command's name
    session: Session, *, owner: str | None, account: str | None, due: date | None, ended: bool, period: str | None
) -> int:
    """List open tasks by due day."""
    from bridge.cli.show_tasks import tasks  # noqa: PLC0415

    bridge, when = session.bridge, session.bridge.period(period)
    session.emit(bridge.tasks(owner=owner, account=account, done=ended, due_by=due, period=when), tasks)
    return 0


@command("tasks show", _TASK)
def show(session: Session, task: int) -> int:
    """Show one task with what is needed for it."""
    from bridge.cli.show_tasks import task as show_task  # noqa: PLC0415

    session.emit(session.bridge.task(task), show_task)
    return 0


@command(
    "tasks done",
    _TASK,
    Option(["--outcome"], type=click.Choice(OUTCOMES), required=True, help="option.tasks.outcome"),
    Option(["--until"], type=Day(), metavar="DATE", help="option.tasks.until"),
    Option(["--invoice"], metavar="NUMBER", help="option.tasks.invoice"),
    Option(["--note"], type=Words(), metavar="TEXT", default="", help="option.case.note"),
    changes=True,
)
def done(session: Session, *, task: int, outcome: str, until: date | None, invoice: str | None, note: str) -> int:
    """End a task with its outcome."""
    from bridge.cli.show_tasks import ended  # noqa: PLC0415

    session.emit(session.bridge.end_task(task, outcome=outcome, note=note, until=until, invoice=invoice), ended)
    return 0


@command(
    "tasks assign",
    _TASK,
    Option(["--to", "owner"], metavar="NAME", help="option.tasks.to"),
    Option(["--due"], type=Day(), metavar="DATE", help="option.tasks.due"),
    changes=True,
)
def assign(session: Session, task: int, owner: str | None, due: date | None) -> int:
    """Give a task to somebody, or another due day."""
    from bridge.cli.show_tasks import assigned  # noqa: PLC0415

    session.emit(session.bridge.assign_task(task, owner=owner, due_on=due), assigned)
    return 0
