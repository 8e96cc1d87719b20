"""How results look to people: runs, notices, status, explanations."""

from collections import Counter
from collections.abc import Sequence

from bridge.app.results import (
    CaseClaim,
    CaseDetail,
    CaseLine,
    Delivered,
    Explained,
    Failure,
    FailureGroup,
    Found,
    Held,
    NoticeLine,
    Planned,
)
from bridge.cli import show_next
from bridge.cli.locale import say
from bridge.cli.naming import level, reason, word
from bridge.cli.out import Money, Out, money, shown, totals
from bridge.model import Reason


def planned(out: Out, result: Planned, *, everything: bool = False) -> None:
    """Print what goes out and what is held back."""
    out.title("plan.title", day=shown(result.today), count=len(result.notices))
    if result.notices:
        proposals(out, result.notices)
    if result.paused:
        out.text(result.paused, "warning")
    if result.state == "waiting":
        out.line("plan.waiting", reason=result.reason, style="warning")
    for account in result.stale:
        out.line("plan.stale", account=account, style="warning")
    early = [one for one in result.held if one.reason == Reason.NOT_DUE]
    kept_back = [one for one in result.held if one.reason != Reason.NOT_DUE]
    if kept_back:
        out.title("plan.held", count=len(kept_back))
    if everything or 0 < len(kept_back) <= 15:
        held(out, kept_back)
    elif kept_back:
        counts = Counter(one.reason for one in kept_back)
        out.table(("reason", "count"), [(reason(code), number) for code, number in counts.most_common()])
        out.line("plan.more", style="dim")
    if early:
        _not_due(out, early, listed=everything or result.shows_not_due)
    if result.pending:
        out.title("plan.pending", count=len(result.pending))
        notices(out, result.pending)


def _not_due(out: Out, rows: Sequence[Held], *, listed: bool) -> None:
    """Print how many invoices are not due yet, and on request each of them, greyed out, with its date."""
    if not listed:
        out.line("plan.not_due", count=len(rows), style="dim")
        return
    out.title("plan.early", count=len(rows))
    table = [
        (one.number or one.invoice, one.customer, Money(one.open, one.currency), one.due_on)
        for one in sorted(rows, key=lambda one: (one.due_on is None, one.due_on, one.number))
    ]
    out.table(("invoice", "customer", "open", "due_on"), table, style="dim")


def proposals(out: Out, rows: Sequence[NoticeLine]) -> None:
    """Print letters and mails that are to go out, and of each bundle its parts."""
    notices(out, rows)
    for one in rows:
        _parts(out, one)
        for came in one.overtaken:
            out.line("approve.overtaken", style="warning", notice=one.id, invoice=came.invoice, reason=came.text)
    if any(one.overtaken for one in rows):
        out.line("approve.taken_back", style="dim")


def _parts(out: Out, one: NoticeLine) -> None:
    """Print which invoices trigger a bundle, each with its own level, and what becomes of the customer's others."""
    if not one.triggers:
        return
    out.line("plan.bundle", customer=one.customer, invoices=", ".join(one.triggers))
    for claim in one.claims:
        if claim.level:
            out.line(
                "plan.other",
                number=claim.number or claim.invoice,
                open=shown(Money(claim.open, one.currency)),
                text=say("plan.level", level=level(claim.level, claim.level_name)),
                style="dim",
            )
    for other in one.others:
        out.line(
            "plan.other",
            number=other.number,
            open=shown(Money(other.open, other.currency)),
            text=other.text,
            style="dim",
        )


def held(out: Out, rows: Sequence[Held]) -> None:
    """Print open invoices that get nothing today, and why."""
    out.table(
        ("invoice", "customer", "open", "text", "next_on"),
        [
            (
                one.number or one.invoice,
                one.customer,
                Money(one.open, one.currency),
                one.text or reason(one.reason),
                one.next_on,
            )
            for one in rows
        ],
    )


def notices(out: Out, rows: Sequence[NoticeLine]) -> None:
    """Print letters and mails, planned or stored."""
    if not rows:
        out.line("notices.none")
        return
    stored = any(one.id for one in rows)
    columns = ("id", "customer", "invoices", "level", "channel", "recipient", "total", "deadline", "state")
    table = [
        (
            one.id,
            one.customer,
            ", ".join(claim.number or claim.invoice for claim in one.claims),
            level(one.level, one.level_name),
            word("channel", one.channel),
            one.recipient,
            Money(one.total, one.currency),
            one.deadline,
            word("state", one.state),
        )
        for one in rows
    ]
    if not stored:
        columns, table = columns[1:-1], [row[1:-1] for row in table]  # type: ignore[misc, assignment]
    out.table(columns, table, drop=("channel", "state", "deadline", "invoices"))
    for one in rows:
        if one.statement or one.notes:
            out.line(
                "notices.about", customer=one.customer, invoices=", ".join(c.number or c.invoice for c in one.claims)
            )
        statement(out, one)
        if one.replaced_by:
            out.line("notices.replaced_by", notice=one.id, by=one.replaced_by, style="dim")
        elif one.replaces:
            out.line("notices.replaces", notice=one.id, earlier=", ".join(map(str, one.replaces)), style="dim")
        if one.rewritten:
            out.line("notices.rewritten", notice=one.id, earlier=one.rewritten, style="warning")


def statement(out: Out, one: NoticeLine | Explained) -> None:
    """Print every amount of a total, and the remarks on them."""
    for text in one.statement:
        out.text(f"  {text}", "dim")
    for text in one.notes:
        out.text(f"  {shown(text)}", "warning")


def delivered(out: Out, result: Delivered) -> None:
    """Print what a delivery did."""
    parts = [f"{word('outcome', name)}: {number}" for name, number in result.counts.items() if number]
    out.line(
        "deliver.done",
        style="warning" if result.needs_person else "ok",
        text=", ".join(parts) or say("deliver.waits" if result.problems or result.reasons else "deliver.nothing"),
    )
    for text in dict.fromkeys(map(shown, result.problems)):
        out.text(f"  {text}", "warning")
    if not result.sending:
        why = "restored" if result.restored else "paused" if result.paused else "off"
        out.line(f"deliver.{why}", style="warning")
    if Reason.DISK_FULL in result.reasons:
        out.line("deliver.disk_full", style="error")
    if result.later:
        out.line("deliver.later", count=result.later, at=shown(result.opens_at), style="warning")
    if result.stopped:
        out.line("deliver.stopped", count=result.stopped, style="warning")
    if result.parked:
        out.line("deliver.parked", count=result.parked, style="warning")
    if result.unclear:
        key = "deliver.unclear" if result.waiting_until else "deliver.unclear_next"
        out.line(key, count=result.unclear, until=shown(result.waiting_until), style="warning")


def explained(out: Out, results: Sequence[Explained]) -> None:
    """Print why an invoice gets a reminder or not."""
    for one in results:
        out.title("explain.title", number=one.number or one.invoice, day=shown(one.on))
        out.facts(
            [
                ("customer", one.customer),
                ("account", one.account),
                ("case", one.case),
                ("open", money(one.open, one.currency)),
                ("due_on", one.due_on),
                ("state", word("invoice", one.state)),
                ("plan", show_next.plan(one.plan, one.plan_by, one.plan_at)),
                ("decision", word("outcome", one.outcome)),
                ("why", f"{one.text or reason(one.reason)}  [{one.reason}]"),
                ("paused", one.paused),
                ("rule", one.rule),
                ("level", level(one.level, one.level_name) if one.level else ""),
                ("channel", channel(one)),
                ("next_on", one.next_on or ("" if one.upcoming or one.ahead else say("next.nothing"))),
                ("change", one.change),
                *show_next.upcoming(one.upcoming),
            ]
        )
        statement(out, one)
        for one_ahead in (*one.before, *one.ahead)[:6]:
            out.line(
                "explain.ahead",
                day=shown(one_ahead.on),
                level=level(one_ahead.level, one_ahead.level_name),
                style="dim",
            )


def channel(one: Explained) -> str:
    """Return how the next level goes out, and why it is our own way."""
    told = ", ".join(word("channel", name) for name in one.channels)
    return f"{told} ({one.channel_text})" if told and one.channel_text else told or one.channel_text


def found(out: Out, result: Found) -> None:
    """Print when which reminder of an invoice went to whom."""
    if not result.invoices:
        out.line("search.none", query=result.query, style="warning")
        return
    for one in result.invoices:
        out.title("search.title", number=one.number or one.invoice, customer=one.customer)
        out.facts(
            [
                ("open", money(one.open, one.currency)),
                ("due_on", one.due_on),
                ("state", word("invoice", one.state)),
                ("why", one.text),
            ]
        )
    if not result.sent:
        out.line("search.never")
        return
    out.table(
        ("at", "level", "channel", "recipient", "state", "text", "case"),
        [
            (
                one.at,
                level(one.level, one.level_name),
                word("channel", one.channel),
                one.recipient,
                word("state", one.state),
                one.result,
                one.case,
            )
            for one in result.sent
        ],
        drop=("case", "channel", "text"),
    )


def cases(out: Out, rows: Sequence[CaseLine]) -> None:
    """Print a list of cases."""
    if not rows:
        out.line("cases.none")
        return
    closed = any(one.closed_on for one in rows)
    columns = [
        "case",
        "customer",
        "customer_number",
        "contact",
        "state",
        "level",
        "invoices",
        "overdue",
        "ancillary",
        "next_on",
    ]
    if closed:
        columns[-1:] = ["closed_on", "text"]
    table = []
    for one in rows:
        row = [
            one.number, one.customer, one.customer_number, one.contact, word("case", one.state),
            level(one.closed_level if one.closed_on else one.level, one.level_name), one.invoices,
            totals(one.principal), totals(one.ancillary),
        ]  # fmt: skip
        row += [one.closed_on, reason(one.close_reason) if one.close_reason else ""] if closed else [one.next_on]
        table.append(row)
    out.table(columns, table, drop=("customer_number", "contact", "invoices", "ancillary", "state"))


def case(out: Out, detail: CaseDetail) -> None:
    """Print one case with everything in it."""
    line = detail.line
    out.title("case.title", number=line.number, customer=line.customer)
    out.facts(
        [
            ("customer_number", line.customer_number),
            ("account", line.account),
            ("state", word("case", line.state) + (f" ({reason(line.close_reason)})" if line.close_reason else "")),
            ("closed_on", line.closed_on),
            ("contact", detail.contact),
            ("address", detail.address),
            ("emails", ", ".join(detail.emails) if len(detail.emails) > 1 else ""),
            ("opened_on", line.opened_on),
            ("overdue_sum", totals(detail.overdue)),
            (
                "chosen_sum",
                f"{totals(detail.chosen_total)} ({', '.join(detail.chosen)})" if detail.chosen else "",
            ),
        ]
    )
    for claim in detail.claims:
        days = say("case.days", count=claim.days_since_issue) if claim.days_since_issue is not None else ""
        out.title("case.claim", number=claim.number or claim.invoice)
        out.facts(
            [
                ("principal", f"{money(claim.principal, claim.currency)} {days}".strip()),
                ("ancillary", _with_parts(claim)),
                ("total", money(claim.total, claim.currency)),
                ("due_on", claim.due_on),
                ("overdue", say("case.overdue", count=claim.days_overdue) if claim.days_overdue else ""),
                (
                    "state",
                    word("invoice", claim.status) + (f", {reason(claim.close_reason)}" if claim.close_reason else ""),
                ),
                (
                    "level",
                    f"{level(claim.level, claim.level_name)}"
                    + (f" ({shown(claim.level_on)})" if claim.level_on else ""),
                ),
                ("deadline", claim.deadline),
                ("why", claim.held),
                ("next_on", claim.next_on),
                ("plan", claim.plan),
                *show_next.upcoming(claim.upcoming),
                ("choices", show_next.choices(claim.choices)),
            ]
        )
    out.text(say("case.sum", total=totals(line.total)), "bold")
    if detail.notices:
        out.title("case.notices")
        notices(out, detail.notices)
        for its in detail.notices:
            if its.stopped:
                error = shown(its.stopped_by)
                out.line("case.stopped", style="warning", notice=its.id, error=error, failure=its.stopped)
    for one in detail.blocks:
        out.line(
            "case.block",
            about=f"{reason(one.reason)} {one.invoice}".strip(),
            until=say("case.until", day=shown(one.until)) if one.until else say("case.until_lifted"),
            actor=one.actor,
            note=one.note,
            style="warning",
        )
    if detail.facts:
        from bridge.cli.show_tasks import told_facts  # noqa: PLC0415  imports this module

        out.title("facts.title", case=line.number)
        told_facts(out, detail.facts)
    out.title("case.timeline")
    if detail.shortened:
        out.line("case.shortened", case=line.number, style="warning")
    out.table(("at", "actor", "what"), [(one.at, one.actor, one.text) for one in detail.timeline])


def _with_parts(claim: CaseClaim) -> str:
    total = money(claim.ancillary, claim.currency)
    parts = "; ".join(f"{name} {money(part, claim.currency)}" for name, part in claim.parts.items())
    return f"{total} ({parts})" if parts else total


def failures(out: Out, groups: Sequence[FailureGroup]) -> None:
    """Print failures by cause."""
    if not groups:
        out.line("failures.none", style="ok")
        return
    for one in groups:
        head = f"{one.count} x {word('failure', one.kind)}  {one.account}  {shown(one.what)}  [{one.cause}]"
        out.text(head, "error")
        out.text(f"   {shown(one.example)}")
        if one.means:
            out.line("failures.means", text=shown(one.means))
        if one.next:
            out.line("failures.next", text=shown(one.next))
        out.text(f"   {', '.join(one.ids[:8])}{' …' if len(one.ids) > 8 else ''}", "dim")
    out.line("failures.how", style="dim")


def failure(out: Out, one: Failure) -> None:
    """Print one failure."""
    out.title("failures.title", id=one.id)
    out.facts(
        [
            ("kind", word("failure", one.kind)),
            ("account", one.account),
            ("subject", one.subject),
            ("source", one.source),
            ("state", word("step", one.state)),
            ("cause", one.cause),
            ("error", one.error),
            ("means", one.means),
            ("to_do", one.next),
            ("at", one.at),
            ("raw", one.raw),
        ]
    )
    out.line("failures.replay", style="dim", id=one.id, text=say(f"replay.{one.plan}", text=one.replay))
    if one.run is not None:
        out.line("failures.bundle", style="dim", run=one.run)


def letters(out: Out, rows: Sequence[NoticeLine]) -> None:
    """Print letters that wait for the post."""
    notices(out, rows)
    for one in rows:
        for came in one.overtaken:
            out.line("letters.overtaken", style="warning", notice=one.id, invoice=came.invoice, reason=came.text)
    if any(one.overtaken for one in rows):
        out.line("letters.withdraw", style="dim")
    if rows:
        out.line("letters.how", style="dim")
