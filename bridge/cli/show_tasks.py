"""How tasks, hand-overs to collection and the people of a customer look."""

from collections.abc import Sequence
from textwrap import shorten

from bridge.app.caring import Colleagues
from bridge.app.collection import Exported
from bridge.app.results import Done, Facts, NoticeLine, ToldFact
from bridge.app.tasks import TaskDetail, TaskLine
from bridge.cli.locale import say
from bridge.cli.naming import level, word
from bridge.cli.out import Money, Out, shown
from bridge.cli.show import notices


def tasks(out: Out, rows: Sequence[TaskLine]) -> None:
    """Print tasks, those that are overdue marked."""
    if not rows:
        out.line("tasks.none")
        return
    ended = any(one.outcome for one in rows)
    columns = ("id", "due_on", "task", "customer", "phone", "invoices", "open", "owner")
    table = [
        (
            one.id,
            f"{shown(one.due_on)} !" if one.overdue else one.due_on,
            shorten(shown(one.title), 60, placeholder=" …") if one.kind == "answer" else word("task", one.kind),
            one.customer,
            one.phone,
            ", ".join(one.invoices),
            Money(one.open, one.currency) if one.open is not None else "",
            one.owner,
            *((word("result", one.outcome), one.ended_by) if ended else ()),
        )
        for one in rows
    ]
    more = ("result", "actor") if ended else ()
    out.table((*columns, *more), table, drop=("owner", "phone", "invoices"))


def task(out: Out, one: TaskDetail) -> None:
    """Print one task with everything that a caller needs."""
    line = one.line
    out.title("task.title", id=line.id, title=line.title)
    facts = [
        ("customer", f"{line.customer} {line.customer_number}".strip()),
        ("phone", line.phone or say("task.no_phone")),
        ("email", one.email),
        ("contacts", "; ".join(one.contacts)),
        ("case", line.case),
        ("open", Money(line.open, line.currency) if line.open is not None else ""),
        ("due_on", line.due_on),
        ("owner", line.owner or say("task.nobody")),
        ("note", one.note),
        ("promise", one.promise),
        ("result", word("result", line.outcome) if line.outcome else ""),
    ]
    out.facts([(name, value) for name, value in facts if value])
    if one.claims:
        out.table(
            ("invoice", "due_on", "days", "open", "fees", "total", "level"),
            [
                (
                    its.number or its.invoice,
                    its.due_on,
                    its.days_overdue,
                    Money(its.open, its.currency),
                    Money(its.fees, its.currency),
                    Money(its.total, its.currency),
                    level(its.level, its.level_name),
                )
                for its in one.claims
            ],
        )
    if one.history:
        out.title("task.history")
        out.table(("date", "actor", "what"), [(its.on, its.actor, its.text) for its in one.history])


def ended(out: Out, done: Done) -> None:
    """Print that a task ended."""
    out.line("done.task_done", style="ok", subject=done.subject, text=word("result", done.text), actor=done.actor)


def assigned(out: Out, done: Done) -> None:
    """Print whose a task is now, and until when."""
    owner = done.text or say("task.nobody")
    out.line(
        "done.task_assigned", style="ok", subject=done.subject, text=owner, until=shown(done.until), actor=done.actor
    )


def handovers(out: Out, rows: Sequence[NoticeLine]) -> None:
    """Print hand-overs that wait."""
    if not rows:
        out.line("collection.none")
        return
    notices(out, rows)
    out.line("collection.how", style="dim")


def exported(out: Out, result: Exported) -> None:
    """Print what went to the agency, where the files are, and what stayed here."""
    if result.handed:
        out.title("collection.title", count=len(result.handed))
        out.table(
            ("case", "customer", "invoices", "total"),
            [
                (one.case, one.customer, ", ".join(one.invoices), Money(one.total, one.currency))
                for one in result.handed
            ],
        )
        out.line("collection.files", folder=result.folder, files=", ".join(result.files))
    for problem in result.problems:
        out.line("collection.problem", style="warning", text=problem)


def colleagues(out: Out, result: Colleagues) -> None:
    """Print who looks after a customer."""
    if not result.people:
        out.line("colleagues.none", subject=result.subject)
        return
    out.title("colleagues.title", subject=result.subject)
    out.table(
        ("name", "email", "role"),
        [(one.name, one.email, say("role.sales_rep" if one.sales_rep else "role.colleague")) for one in result.people],
    )


def facts(out: Out, result: Facts) -> None:
    """Print what is known of a customer for a hand-over, who said it, and what is missing."""
    out.title("facts.title", case=result.case)
    told_facts(out, result.facts)
    if result.missing:
        out.line("facts.missing", style="warning", names=", ".join(shown(one) for one in result.missing))


def told_facts(out: Out, rows: Sequence[ToldFact]) -> None:
    """Print facts, each with who said it."""
    if rows:
        table = [(one.label, one.value, one.invoice, one.by or say("facts.provider")) for one in rows]
        out.table(("fact", "value", "invoice", "actor"), table)
