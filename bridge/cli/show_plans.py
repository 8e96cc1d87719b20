"""How plans, forecasts and rehearsals look to people."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from bridge.app.foresight import (
    Ahead,
    Difference,
    LevelShown,
    Outlook,
    PlanMade,
    PlanShown,
    Rehearsal,
    VersionShown,
    WeaknessShown,
)
from bridge.app.forewarning import Forewarned
from bridge.cli.locale import say
from bridge.cli.naming import level, word
from bridge.cli.out import Money, Out, money, shown

_DROP = ("channel", "invoices", "account")
_SIGNS = {"added": "+", "dropped": "-", "moved": "→", "changed": "~"}


def forecast(out: Out, result: Outlook) -> None:
    """Print what goes out when, by day and debtor."""
    out.title("forecast.title", start=shown(result.today), end=shown(result.until), count=len(result.notices))
    out.line("forecast.assuming", style="dim")
    if not result.notices:
        return
    rows, last = [], None
    for one in result.notices:
        on = shown(one.on) if one.on != last else ""
        rows.append(
            (
                on,
                one.customer,
                ", ".join(one.invoices),
                _level(one),
                word("channel", one.channel),
                Money(one.total, one.currency),
            )
        )
        last = one.on
    out.table(("on", "customer", "invoices", "level", "channel", "total"), rows, drop=_DROP)
    customers = len({(one.account, one.customer_number or one.customer) for one in result.notices})
    out.line("forecast.sum", count=len({one.on for one in result.notices}), customers=customers, style="dim")


def _level(one: Ahead) -> str:
    again = say("forecast.again", count=one.repetition) if one.repetition else ""
    return f"{level(one.level, one.level_name)} {again}".strip()


def plans(out: Out, rows: Sequence[PlanShown]) -> None:
    """Print one line for each plan."""
    out.table(
        ("plan", "title", "levels", "days", "automation", "used_by"),
        [
            (
                one.name,
                one.title,
                len(one.levels),
                ", ".join(_short_start(its) for its in one.levels),
                ", ".join(dict.fromkeys(word("automation", its.automation) for its in one.levels)),
                _used_by(one) or "-",
            )
            for one in rows
        ],
        drop=("title", "automation"),
    )
    out.line("plans.how", style="dim")


def _short_start(one: LevelShown) -> str:
    days = one.days + one.grace_days
    return {"before_due": f"-{days}", "after_due": f"+{days}"}.get(one.start) or say(f"short.{one.start}", days=days)


def _used_by(one: PlanShown) -> str:
    by_hand = [
        say(f"plans.by_hand.{name}", count=count)
        for name, count in (("customers", one.customers_by_hand), ("invoices", one.invoices_by_hand))
        if count
    ]
    return ", ".join((*one.accounts, *by_hand))


def plan(out: Out, one: PlanShown) -> None:
    """Draw one plan as a timeline."""
    out.line()
    out.text(f"{one.title}  [{one.name}]", "bold")
    if one.description:
        out.text(one.description)
    out.facts(
        [
            ("used_by", _used_by(one) or say("plans.nobody")),
            ("interval", say("plans.days", count=one.minimum_interval_days)),
            ("bundling", say(f"bundling.{one.bundling}")),
            ("skipping", say("plans.skips") if one.skip_levels else ""),
            ("version", one.version),
        ]
    )
    out.line()
    drawn = False
    for its in one.levels:
        if not drawn and its.start != "before_due":
            _point(out, say("plans.day", day=0), say("plans.due"), "dim")
            drawn = True
        _drawn(out, its, last=its is one.levels[-1])
    out.line("plans.counted", style="dim")


def _drawn(out: Out, one: LevelShown, *, last: bool) -> None:
    day = say("plans.day", day=one.earliest) if one.earliest is not None else say("plans.never")
    kind = say("plans.last") if one.type == "last" else say("plans.legal") if one.is_legal_dunning else ""
    _point(out, day, f"{level(one.position, one.name)}{f'  ({kind})' if kind else ''}", "bold")
    parts = [_start(one)]
    if one.grace_days:
        parts.append(say("plans.grace", count=one.grace_days))
    if one.time:
        parts.append(say("plans.time", time=one.time))
    if one.until:
        parts.append(say("plans.until", time=one.until))
    if one.weekdays:
        parts.append(", ".join(say(f"weekday.{name}") for name in one.weekdays))
    ways = " + ".join(word("channel", name) for name in one.channels)
    if one.variants:
        ways += " " + say("plans.variants", names=", ".join(one.variants))
    fee = money(one.fee, "EUR") if one.fee else say("plans.no_fee")
    bar = " " if last else "│"
    lines = [
        ", ".join(parts),
        f"{word('automation', one.automation)} · {ways}",
        *([say("plans.term", count=one.term_days) + " · " + say("plans.fee", fee=fee)] if one.languages else []),
        *_ancillaries(one),
    ]
    if one.start == "after_due" and one.earliest is not None and one.earliest > one.days + one.grace_days:
        lines.insert(1, say("plans.later"))
    if one.repeat_every:
        lines.append(say("plans.repeat", days=one.repeat_every, count=one.repeat_limit))
    for line in (part for whole in lines for part in textwrap.wrap(whole, out.console.width - 17)):
        out.text(f"{'':>11}{bar}    {line}")
    if not last:
        out.text(f"{'':>11}│")


def _ancillaries(one: LevelShown) -> list[str]:
    if one.interest == one.flat_fee == "where_possible":
        return [f"{say('plans.interest')} · {say('plans.flat_fee')} ({say('plans.where_possible')})"]
    asked = [(say(f"plans.{name}"), getattr(one, name)) for name in ("interest", "flat_fee")]
    told = [
        text if how == "always" else f"{text} ({say('plans.where_possible')})" for text, how in asked if how != "never"
    ]
    return [" · ".join(told)] if told else []


def _point(out: Out, day: str, text: str, style: str) -> None:
    out.text(f"{day:>10} ●─── {text}", style)
    if style == "dim":
        out.text(f"{'':>11}│")


def _start(one: LevelShown) -> str:
    return say(f"start.{one.start}", count=one.days)


def made(out: Out, one: PlanMade) -> None:
    """Print which file was written, and what comes next."""
    out.line("plans.made", path=one.path, source=one.source, style="ok")
    if one.listed:
        out.line("plans.listed", config=one.config)
    else:
        out.line("plans.not_listed", config=one.config, path=one.path, style="warning")
    out.line("plans.next", name=one.name, path=one.path, style="dim")


def versions(out: Out, rows: Sequence[VersionShown]) -> None:
    """Print the versions of a plan, newest first."""
    if not rows:
        out.line("plans.no_versions")
        return
    out.table(
        ("version", "since", "levels", "in_force"),
        [(one.version, one.first_on, ", ".join(one.levels), say("yes") if one.in_force else "") for one in rows],
    )
    out.line("plans.version_how", name=rows[0].name, version=rows[0].version, style="dim")


def variables(out: Out, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print what texts may use, with type and example."""
    out.table(
        ("variable", "type", "meaning", "example"),
        [
            (
                one["name"],
                say(f"kind.{one['kind']}"),
                one["meaning"] + (f": {', '.join(one['parts'])}" if one["parts"] else ""),
                one["example"],
            )
            for one in rows
        ],
    )
    for one in rows:
        if one["parts"]:
            samples = zip(one["parts"], one["samples"], strict=True)
            out.text(f"{one['example']}  " + ", ".join(f"one.{part} = {sample}" for part, sample in samples), "dim")
    out.line("plans.variables_how", style="dim")


def weaknesses(out: Out, found: Sequence[WeaknessShown]) -> None:
    """Print what lint found."""
    for one in found:
        numbers = ", ".join(map(str, one.levels))
        text = shown(one.text) or say(f"lint.{one.code}", levels=numbers, **dict(one.facts))
        sign = {"error": "✗", "warning": "!"}.get(one.severity, "·")
        out.text(f"{sign} {one.plan}: {text}  [{one.code}]", style=one.severity)
    if not found:
        out.line("lint.ok", style="ok")


def rehearsal(out: Out, result: Rehearsal) -> None:
    """Print the difference that a changed file makes, by day and by debtor."""
    out.title("rehearse.title", file=result.file, start=shown(result.today), end=shown(result.until))
    if result.instead_of:
        out.line("rehearse.instead", plan=result.plan, old=result.instead_of, style="warning")
    out.line("rehearse.counts", was=result.was, now=result.now, difference=f"{result.now - result.was:+d}")
    for one in result.levels:
        held = one.now is not None and one.now > one.written_now and one.was is not None and one.now >= one.was
        out.line(
            "rehearse.level_held" if held and one.written_now < one.written_was else "rehearse.level",
            level=level(one.level, one.name), was=f"{one.written_was:+d}", now=f"{one.written_now:+d}",
            day_was="-" if one.was is None else one.was, day_now="-" if one.now is None else one.now,
        )  # fmt: skip
    if not result.differences:
        out.line("rehearse.same", style="ok")
        return
    changed = [one for one in result.days if one.was != one.now]
    if changed:
        out.title("rehearse.by_day")
        rows = [(shown(one.on), one.was, one.now, f"{one.now - one.was:+d}") for one in changed]
        out.table(("on", "was", "now", "difference"), rows)
    out.title("rehearse.by_debtor", count=len(result.differences))
    out.table(
        ("sign", "customer", "invoices", "level", "on", "before", "total"),
        [_row(one) for one in result.differences],
        drop=("total", "invoices"),
    )
    out.text(", ".join(f"{sign} {say(f'change.{name}')}" for name, sign in _SIGNS.items()), "dim")
    out.line("rehearse.nothing", style="dim")


def forewarned(out: Out, result: Forewarned) -> None:
    """Print what goes out on the next day of sending, and to whom that was mailed."""
    out.text(result.subject, "bold")
    if result.notices:
        out.text(result.text)
    if result.sent_to:
        out.line("forewarn.sent", style="ok", to=", ".join(result.sent_to))
    if result.not_sent:
        out.text(shown(result.not_sent), "warning")


def _row(one: Difference) -> tuple[object, ...]:
    its = one.notice
    before = (
        "" if one.was is None or one.change == "dropped" else shown(one.was.on) if one.change == "moved" else _what(one)
    )
    return (
        _SIGNS[one.change],
        its.customer,
        ", ".join(its.invoices),
        _level(its),
        shown(its.on),
        before,
        Money(its.total, its.currency),
    )


def _what(one: Difference) -> str:
    return ", ".join(say(f"changed.{name}") for name in one.what[:2]) + (" …" if len(one.what) > 2 else "")
