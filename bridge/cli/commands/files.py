"""Files that left the house, dunning runs afterwards, and evidence of a case."""

from datetime import date
from pathlib import Path

import click

from bridge.cli.base import Argument, Option, command
from bridge.cli.commands.look import PERIOD, Day
from bridge.cli.session import Session
from bridge.plain import file_stem

_OUT = Option(["--out"], type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="option.files.out")
_RUN = Argument(["run"], type=click.IntRange(1), metavar="RUN")


@command(
    "files list",
    Option(["--letters"], is_flag=True, help="option.files.letters"),
    Option(["--case"], metavar="CASE", help="option.files.case"),
    Option(["--run"], type=click.IntRange(1), metavar="RUN", help="option.files.run"),
    Option(["--account"], metavar="ACCOUNT", help="option.files.account"),
    Option(["--from", "since"], type=Day(), metavar="DATE", help="option.files.from"),
    Option(["--to", "until"], type=Day(), metavar="DATE", help="option.files.to"),
    PERIOD,
)
def list(  # noqa: A001  the command's name
    session: Session,
    *,
    letters: bool,
    case: str | None,
    run: int | None,
    account: str | None,
    since: date | None,
    until: date | None,
    period: str | None,
) -> int:
    """List the files that left the house."""
    from bridge.cli.show_files import files  # noqa: PLC0415

    when = session.bridge.period(period)
    first, last = since or when.first, until or when.last
    found = session.bridge.files(letters=letters, case=case, run=run, account=account, since=first, until=last)
    session.emit(found, files)
    return 0


@command("files save", Argument(["file"], type=click.IntRange(1), metavar="NUMBER"), _OUT)
def save(session: Session, file: int, out: Path | None) -> int:
    """Write one file as it left the house."""
    from bridge.cli.show_files import saved  # noqa: PLC0415

    session.emit(session.bridge.save_file(file, out), saved)
    return 0


@command("files fetch", Argument(["accounts"], nargs=-1, metavar="[ACCOUNT]..."), changes=True)
def fetch(session: Session, accounts: tuple[str, ...]) -> int:
    """Fetch documents that the provider itself sent and that are not kept here yet."""
    from bridge.cli.show_files import fetched  # noqa: PLC0415

    session.bridge.by_hand("files fetch", accounts)
    result = session.bridge.fetch_documents(accounts)
    session.emit(result, fetched)
    return 1 if result.problems else 0


@command("files check")
def check(session: Session) -> int:
    """Compare every kept file with its hash."""
    from bridge.cli.show_files import checked  # noqa: PLC0415

    return 1 if session.emit(session.bridge.check_files(), checked).damaged else 0


@command("runs list", Option(["--all", "every"], is_flag=True, help="option.runs.all"), PERIOD)
def runs(session: Session, every: bool, period: str | None) -> int:
    """List dunning runs and what became of their notices."""
    from bridge.cli.show_files import runs as show  # noqa: PLC0415

    session.emit(session.bridge.run_summaries(every=every, period=session.bridge.period(period)), show)
    return 0


@command("runs trace", Option(["--failed"], is_flag=True, help="option.runs.failed"))
def trace(session: Session, failed: bool) -> int:
    """List the newest runs of every kind with counts and causes."""
    from bridge.cli.show_files import traces as show  # noqa: PLC0415

    session.emit(session.bridge.traces(failed=failed), show)
    return 0


@command("runs show", _RUN)
def run_show(session: Session, run: int) -> int:
    """Show one run: what became of a dunning run's notices, or what a reading or a delivery counted."""
    from bridge.cli.show_files import run as show  # noqa: PLC0415
    from bridge.cli.show_files import trace as show_trace  # noqa: PLC0415

    one = session.bridge.trace(run)
    if one.kind == "dun":
        session.emit(session.bridge.run_summary(run), show)
    else:
        session.emit(one, show_trace)
    return 0


@command("runs zip", _RUN, _OUT)
def run_zip(session: Session, run: int, out: Path | None) -> int:
    """Pack all files of a dunning run."""
    from bridge.cli.show_files import packed  # noqa: PLC0415

    session.emit(session.bridge.pack_run(run, out or Path("mahnlauf.zip")), packed)
    return 0


@command("runs dismiss", _RUN, changes=True)
def dismiss(session: Session, run: int) -> int:
    """Put the summary of a run away; nothing is deleted."""
    session.done(session.bridge.dismiss_run(run))
    return 0


@command(
    "evidence export",
    Argument(["case"], metavar="CASE"),
    _OUT,
    Option(["--offline"], is_flag=True, help="option.evidence.offline"),
    changes=True,
)
def evidence(session: Session, case: str, out: Path | None, offline: bool) -> int:
    """Write the evidence of a case as one ZIP."""
    from bridge.cli.show_files import evidence as show  # noqa: PLC0415

    path = out or Path(f"{file_stem(case)}.zip")
    return 1 if session.emit(session.bridge.export_case(case, path, provider=not offline), show).missing else 0


@command("evidence verify", Argument(["file"], type=click.Path(exists=True, dir_okay=False, path_type=Path)))
def verify(session: Session, file: Path) -> int:
    """Check a package of evidence."""
    from bridge.cli.show_files import verdict  # noqa: PLC0415

    return 0 if session.emit(session.bridge.verify_package(file), verdict).ok else 1
