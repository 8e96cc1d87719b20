"""Files, runs and evidence for people."""

from collections.abc import Mapping, Sequence

from bridge.app.bundling import Trace
from bridge.app.evidence import Evidence, Verdict
from bridge.app.filing import Checked, FileLine, Packed
from bridge.app.provider_files import Fetched
from bridge.app.runs import RunSummary
from bridge.cli.locale import say
from bridge.cli.naming import word
from bridge.cli.out import Out, shown


def files(out: Out, rows: Sequence[FileLine]) -> None:
    """Print a list of files."""
    if not rows:
        out.line("files.none")
        return
    table = [
        [one.id, one.on, say(f"files.kind.{one.kind}"), one.case, one.name, _size(one.size), one.keep_until]
        for one in rows
    ]
    out.table(["id", "day", "kind", "case", "file", "size", "keep_until"], table, drop=("keep_until", "size"))


def saved(out: Out, done: Packed) -> None:
    """Print where a file was written."""
    out.line("files.saved", style="ok", path=done.path, sha256=done.sha256)


def packed(out: Out, done: Packed) -> None:
    """Print where a package was written."""
    out.line("files.packed", style="ok", path=done.path, count=done.files, sha256=done.sha256)


def checked(out: Out, found: Checked) -> None:
    """Print what a check of all files found."""
    for name, problem in found.damaged:
        out.text(f"✗ {name}: {shown(problem)}", "error")
    key = "files.damaged" if found.damaged else "files.unchanged"
    out.line(key, style="error" if found.damaged else "ok", count=len(found.damaged) or found.count, all=found.count)


def fetched(out: Out, found: Fetched) -> None:
    """Print which documents were fetched, and which could not be had."""
    out.line("files.fetched", style="ok", count=found.kept)
    for text in found.problems:
        out.text(f"✗ {shown(text)}", "error")


def runs(out: Out, rows: Sequence[RunSummary]) -> None:
    """Print a list of runs."""
    if not rows:
        out.line("runs.none")
        return
    table = [
        [one.run, one.on, one.sent, one.to_post, one.waiting, sum(one.skipped.values()), one.failed, one.actor]
        for one in rows
    ]
    out.table(["run", "day", "sent", "to_post", "waiting", "skipped", "failed", "actor"], table, drop=("actor",))


def traces(out: Out, rows: Sequence[Trace]) -> None:
    """Print runs of every kind."""
    if not rows:
        out.line("trace.none")
        return
    table = [
        [
            one.run, say(f"trace.{one.kind}"), one.account or "", one.started_at, say(f"trace.{one.state}"), one.cause or "",
            len(one.steps) or one.counts.get("records", ""), say("trace.kept") if one.recorded else "",
        ]
        for one in rows
    ]  # fmt: skip
    out.table(["run", "trace", "account", "day", "state", "cause", "records", "recorded"], table, drop=("records",))


def trace(out: Out, one: Trace) -> None:
    """Print one reading or delivery: how it ended, what it counted, and which steps did not go through."""
    out.title(
        "trace.title", kind=say(f"trace.{one.kind}"), run=one.run, at=shown(one.started_at), actor=one.actor,
        account=one.account or "",
    )  # fmt: skip
    out.line("trace.state", style="error" if one.state == "failed" else "", state=say(f"trace.{one.state}"))
    counts = {name: count for name, count in one.counts.items() if count}
    if not counts:
        out.line("trace.nothing")
    for name, count in counts.items():
        out.text(f"  {count:>4}  {word('counted', name)}")
    for number, outcome, cause in one.steps:
        if cause:
            out.text(f"  step-{number}  {word('counted', outcome)}  [{cause}]", "warning")
    if one.error:
        out.text(f"{shown(one.error)}  [{one.cause}]", "error")


def run(out: Out, one: RunSummary) -> None:
    """Print the summary of one run."""
    out.title("runs.title", run=one.run, on=shown(one.on), actor=one.actor)
    out.line("runs.sent", style="ok" if one.sent else "", count=one.sent)
    for key, count in (("runs.to_post", one.to_post), ("runs.waiting", one.waiting)):
        if count:
            out.line(key, count=count)
    out.line("runs.skipped", count=sum(one.skipped.values()))
    _reasons(out, one.skipped, one.skipped_text)
    if one.dropped:
        out.line("runs.dropped", count=sum(one.dropped.values()))
        _reasons(out, one.dropped, one.skipped_text)
    out.line("runs.failed", style="error" if one.failed else "", count=one.failed)
    if one.error:
        out.text(one.error, "error")
    if one.files:
        out.line("runs.files", count=one.files, run=one.run)


def _reasons(out: Out, counts: Mapping[str, int], words: Mapping[str, str]) -> None:
    for code, count in sorted(counts.items(), key=lambda one: -one[1]):
        out.text(f"  {count:>4}  {words.get(code, code)}")


def evidence(out: Out, done: Evidence) -> None:
    """Print where a package of evidence was written, and what is missing in it."""
    packed(out, done.package)
    for one in done.missing:
        out.text(f"! {shown(one)}", "warning")
    out.line("evidence.seal", seal=done.seal)


def verdict(out: Out, found: Verdict) -> None:
    """Print what the check of a package found."""
    for problem in found.problems:
        out.text(f"✗ {shown(problem)}", "error")
    if not found.known:
        out.line("evidence.unknown", style="warning")
    if found.ok:
        out.line("evidence.ok", style="ok", count=found.files)


def _size(size: int) -> str:
    return f"{size / 1000:.0f} kB" if size >= 1000 else f"{size} B"
