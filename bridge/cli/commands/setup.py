"""Setting up: init, check, connect, go-live."""

from typing import TYPE_CHECKING, Any

import click

from bridge.cli.base import Argument, Option, Words, command
from bridge.cli.locale import say, told
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.results import Check, GoLive, Made
    from bridge.cli.out import Out


@command(
    "init",
    Option(["--account", "accounts"], multiple=True, metavar="NAME:CONNECTOR", help="option.init.account"),
    Option(["--base-url", "base_urls"], multiple=True, metavar="NAME=URL", help="option.init.base_url"),
    Option(["--company"], metavar="NAME", help="option.init.company"),
    Option(["--cutoff"], metavar="DATE", help="option.init.cutoff"),
    Option(["--smtp"], metavar="HOST:PORT", help="option.init.smtp"),
    Option(["--sender"], metavar="ADDRESS", help="option.init.sender"),
    Option(["--places/--no-places", "places"], default=None, help="option.init.places"),
    Option(["--yes", "-y", "yes"], is_flag=True, help="option.yes"),
    Option(["--force"], is_flag=True, help="option.init.force"),
    changes=True,
)
def init(session: Session, accounts: tuple[str, ...], **options: Any) -> int:
    """Write a commented configuration in which nothing is sent."""
    from bridge.app.setup import Answers, connectors, write  # noqa: PLC0415  heavy
    from bridge.cli.locale import language  # noqa: PLC0415

    if options["places"] and session.path.exists() and not options["force"]:
        return _prepare_places(session)
    company, ask = options["company"], session.interactive and not options["yes"]
    if ask and not company:
        company = click.prompt(say("ask.company"), default="", show_default=False)
    if ask and not accounts:
        known = connectors()
        chosen = click.prompt(
            say("ask.connector", known=", ".join(known)), type=click.Choice(list(known)), show_choices=False
        )
        accounts = (f"{click.prompt(say('ask.account'), default=chosen)}:{chosen}",)
    smtp, sender = options["smtp"], options["sender"]
    if ask and not smtp:
        smtp = click.prompt(say("ask.smtp"), default="", show_default=False)
        sender = click.prompt(say("ask.sender")) if smtp else ""
    answers = Answers(
        smtp=smtp or "",
        sender=sender or "",
        company=company or "",
        accounts=accounts,
        base_urls=options["base_urls"],
        cutoff=options["cutoff"],
        language=language(),
    )
    session.emit(write(session.path, answers, force=options["force"]), _show_made)
    consent = options["places"]
    if consent is None and ask:
        consent = click.confirm(say("ask.places"), default=False)
    return _prepare_places(session, fresh=True) if consent else 0


def _prepare_places(session: Session, *, fresh: bool = False) -> int:
    """Prepare the places for our line; a `fresh` configuration may still lack its secrets, then say how it goes on."""
    from bridge.config.problems import BadConfig  # noqa: PLC0415  heavy

    try:
        bridge = session.bridge
    except BadConfig as error:
        if not (fresh and error.only_unset):
            raise
        click.echo(say("init.places_later"), err=session.as_json)
        return 0
    return 0 if session.emit(bridge.prepare_places(), _show_check).ok else 1


def _show_made(out: "Out", made: "Made") -> None:
    from bridge.cli.out import shown  # noqa: PLC0415  heavy

    out.line("init.wrote", path=made.path, style="ok")
    out.line("init.harmless", cutoff=shown(made.cutoff))
    out.line("init.next", path=made.path)


@command("check", Argument(["accounts"], nargs=-1), Option(["--offline"], is_flag=True, help="option.check.offline"))
def check(session: Session, accounts: tuple[str, ...], offline: bool) -> int:
    """Check configuration, credentials, rights, plans and clock."""
    result = session.emit(session.bridge.check(accounts, offline=offline), _show_check)
    return 0 if result.ok else 1


def _show_check(out: "Out", result: "Check") -> None:
    styles = {"error": "error", "warning": "warning", "info": "info"}
    for remark in result.remarks:
        sign = {"error": "✗", "warning": "!", "info": "·"}[remark.severity.value]
        subject = f"{remark.subject}: " if remark.subject else ""
        out.text(
            f"{sign} {subject}{told(remark.text).removeprefix(subject)}  [{remark.code}]",
            style=styles[remark.severity.value],
        )
    out.line("check.ok" if result.ok else "check.bad", style="ok" if result.ok else "error")


@command(
    "connect",
    Argument(["account"]),
    Option(["--no-browser"], is_flag=True, help="option.connect.no_browser"),
    Option(["--paste"], is_flag=True, help="option.connect.paste"),
    changes=True,
)
def connect(session: Session, account: str, no_browser: bool, paste: bool) -> int:
    """Get a token with a person's consent (OAuth 2.0)."""

    def show(url: str) -> None:
        click.echo(say("connect.open") + "\n\n  " + url + "\n", err=session.as_json)
        if not no_browser and not paste:
            import webbrowser  # noqa: PLC0415

            webbrowser.open(url)

    def pasted() -> str:
        return str(click.prompt(say("connect.paste"), err=session.as_json))

    done = session.bridge.connect(account, show=show, paste=pasted if paste else None)
    session.emit(done, lambda out, result: out.line("connect.done", account=result.subject, style="ok"))
    return 0


@command(
    "go-live",
    Option(["--yes", "-y", "yes"], is_flag=True, help="option.yes"),
    Option(["--off"], is_flag=True, help="option.go_live.off"),
    changes=True,
)
def go_live(session: Session, yes: bool, off: bool) -> int:
    """Show what would go out, then switch sending on."""
    if off:
        session.emit(session.bridge.stop_sending(), lambda out, _: out.line("go_live.off", style="ok"))
        return 0
    preview = session.bridge.preview()
    if not session.as_json:
        _show_preview(session.out, preview)
    if preview.sending:
        session.emit(preview, lambda out, _: out.line("go_live.already", style="ok"))
        return 0
    if not yes and not (session.interactive and click.confirm(say("go_live.confirm"), default=False)):
        session.emit(preview, lambda out, _: out.line("go_live.not", style="warning"))
        return 1
    session.emit(session.bridge.go_live(), lambda out, done: out.line("go_live.on", actor=done.actor, style="ok"))
    return 0


@command("pause", Option(["--off"], is_flag=True, help="option.pause.off"), changes=True)
def pause(session: Session, off: bool) -> int:
    """Hold all sending, or let it go on; reading and deciding go on."""
    done = session.bridge.end_pause() if off else session.bridge.pause()
    session.done(done)
    return 0


@command(
    "release",
    Argument(["account"]),
    Option(["--note"], type=Words(), metavar="TEXT", default="", help="option.case.note"),
    changes=True,
)
def release(session: Session, account: str, note: str) -> int:
    """Let an account be written to again after reminders made elsewhere suspended it."""
    session.done(session.bridge.release(account, note=note))
    return 0


def _show_preview(out: "Out", preview: "GoLive") -> None:
    from bridge.cli.show import planned  # noqa: PLC0415

    planned(out, preview.preview)
