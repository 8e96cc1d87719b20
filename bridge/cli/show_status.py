"""How the status page looks to people."""

from decimal import Decimal

from bridge.app.results import Status
from bridge.cli.locale import say
from bridge.cli.naming import word
from bridge.cli.out import Out, money, shown, totals


def status(out: Out, result: Status) -> None:
    """Print everything on one page."""
    out.title("status.title", day=shown(result.today))
    if result.clock_set:
        out.line("status.clock", style="warning")
    if result.restored:
        out.line("status.restored", since=shown(result.restored), style="error")
    if result.paused:
        out.line("status.paused", by=result.paused_by, style="error")
    elif result.sending:
        out.line("status.sending_on", by=result.sending_by, at=shown(result.sending_at), style="ok")
    elif not result.restored:
        out.line("status.sending_off", style="warning")
    if result.disk_full:
        out.line("status.disk_full", style="error")
    if result.ready:
        out.line("status.ready", count=result.ready, style="info")
    rows = [
        (
            one.name,
            word("account", one.state),
            one.pulled_at,
            one.open_count,
            totals(one.open_total),
            one.overdue_count,
            totals(one.overdue_total),
        )
        for one in result.accounts
    ]
    out.table(
        ("account", "state", "pulled_at", "open_count", "open_total", "overdue_count", "overdue_total"),
        rows,
        drop=("pulled_at", "open_count", "state"),
    )
    trend(out, result)
    for one in result.accounts:
        if one.text:
            said = shown(one.text).removeprefix(f"{one.name}: ")
            out.text(f"{one.name}: {said}", "error" if one.state != "ok" else "")
        if one.stale:
            out.line("status.stale", account=one.name, at=shown(one.pulled_at) or say("never"), style="warning")
        if one.blocked_until:
            out.line("status.blocked", account=one.name, until=shown(one.blocked_until), style="warning")
        if one.held_jump:
            out.line("status.jump", account=one.name, text=one.held_jump, style="warning")
        if one.capped:
            out.line("status.capped", account=one.name, count=one.capped, style="warning")
        if one.writing_suspended:
            out.line("status.suspended", account=one.name, text=one.writing_suspended, style="warning")
    if result.notices:
        out.line(
            "status.notices", text=", ".join(f"{word('state', name)} {count}" for name, count in result.notices.items())
        )
    if result.notices.get("proposed"):
        out.line("status.proposed", count=result.notices["proposed"], style="info")
    if result.to_send:
        out.line("status.to_send", count=result.to_send, style="info")
    out.line("status.cases", count=result.cases_open)
    if result.failures:
        out.line("status.failures", count=result.failures, style="error")
        if result.rejects:
            out.line("status.rejects", count=result.rejects)
        if result.needing != result.failures:
            out.line("status.needed" if result.needing else "status.needed_none", count=result.needing)


def trend(out: Out, result: Status) -> None:
    """Print how much is overdue, and its change since a week ago."""
    sums: dict[str, Decimal] = {}
    changes: dict[str, Decimal] = {}
    for one in result.accounts:
        for currency, total in one.overdue_total.items():
            sums[currency] = sums.get(currency, Decimal(0)) + total
        for currency, change in one.overdue_change.items():
            changes[currency] = changes.get(currency, Decimal(0)) + change
    compared = [one.compared_on for one in result.accounts if one.compared_on]
    now = totals(sums) or money(Decimal(0), "EUR")
    if not compared:
        out.line("status.overdue", total=now, style="info")
        return
    told = ", ".join(
        f"{'+' if change > 0 else ''}{money(change, currency)}" for currency, change in changes.items() if change
    )
    out.line(
        "status.trend", total=now, change=told or say("status.unchanged"), since=shown(min(compared)), style="info"
    )
