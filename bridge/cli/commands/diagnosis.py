"""Diagnosis and retention: what is wrong, and what is over."""

from typing import TYPE_CHECKING

from bridge.cli.base import Option, command
from bridge.cli.locale import told
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.doctor import Diagnosis
    from bridge.app.retention import Over
    from bridge.cli.out import Out

_SIGNS = {"error": "✗", "warning": "!", "info": "·"}


@command("doctor", Option(["--offline"], is_flag=True, help="option.check.offline"))
def doctor(session: Session, offline: bool) -> int:
    """Find out why nothing goes out, or soon will not."""
    from bridge.app.doctor import diagnose, not_opened  # noqa: PLC0415  heavy
    from bridge.errors import BridgeError, UsageError  # noqa: PLC0415
    from bridge.store.engine import explained  # noqa: PLC0415

    try:
        found = diagnose(session.bridge, offline=offline)
    except UsageError:
        raise
    except BridgeError as error:
        found = not_opened(error)
    except Exception as error:
        fault = explained(error)
        if fault is None:
            raise
        found = not_opened(fault)
    return 0 if session.emit(found, _diagnosis).ok else 1


@command("retention", Option(["--apply"], is_flag=True, help="option.retention.apply"), changes=True)
def retention(session: Session, apply: bool) -> int:
    """Show what may be erased by now, or erase it."""
    session.emit(session.bridge.erase_over() if apply else session.bridge.over(), _over)
    return 0


def _diagnosis(out: "Out", found: "Diagnosis") -> None:
    for one in found.ailments:
        subject = f"{one.subject}: " if one.subject else ""
        text = told(one.text)
        out.text(
            f"{_SIGNS[one.severity.value]} {subject}{text.removeprefix(subject)}  [{one.code}]",
            style=one.severity.value,
        )
        if one.next:
            out.text(f"  → {told(one.next)}")
    out.line("doctor.ok" if found.ok else "doctor.bad", style="ok" if found.ok else "error")


def _over(out: "Out", found: "Over") -> None:
    for name, count in found.counts.items():
        out.line(f"retention.{name}", count=count, style="info" if count else "dim")
    out.line("retention.erased" if found.erased else "retention.preview", style="ok")
