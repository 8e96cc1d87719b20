"""The service: serve, health, demo."""

import click

from bridge.cli.base import Option, command
from bridge.cli.locale import language
from bridge.cli.session import Session


@command("serve", changes=True)
def serve(session: Session) -> int:
    """Work by the clock until stopped."""
    from bridge.schedule import serve as run  # noqa: PLC0415

    return int(run(session.bridge))


@command(
    "health",
    Option(["--url"], metavar="URL", help="option.health.url"),
    Option(["--timeout"], type=click.FloatRange(0.1, 60), default=5.0, help="option.health.timeout"),
)
def health(session: Session, url: str | None, timeout: float) -> int:
    """Ask the running service whether it is well (for containers)."""
    import http.client  # noqa: PLC0415
    from urllib.parse import urlsplit  # noqa: PLC0415

    from bridge.http.deadline import Deadline  # noqa: PLC0415

    if url is None:
        from bridge.config import load  # noqa: PLC0415

        monitor = load(session.path).config.monitor
        host = "127.0.0.1" if monitor.host in ("0.0.0.0", "::", "") else monitor.host  # noqa: S104  compared, not bound
        url = f"http://{host}:{monitor.port}/healthz"
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=timeout)
    deadline = Deadline(timeout)
    deadline.begin()
    try:
        connection.connect()
        deadline.follow(connection.sock)
        connection.request("GET", parts.path or "/healthz")
        answer = connection.getresponse()
        text = answer.read(10_000).decode("utf-8", "replace").strip()
        fine = answer.status == 200 and not deadline.expired
    except (OSError, http.client.HTTPException) as error:
        text, fine = f"{type(error).__name__}: {error}", False
    finally:
        deadline.end()
        connection.close()
    session.emit({"ok": fine, "text": text}, lambda out, _: out.line("health.ok" if fine else "health.bad", text=text))
    return 0 if fine else 1


@command("demo")
def demo(_session: Session) -> int:
    """Show the main job end to end against bundled sandboxes."""
    from bridge.demo import main  # noqa: PLC0415

    return main(language())
