"""Links and answers for people."""

from collections.abc import Sequence

from bridge.app.answering import LinkLine
from bridge.cli.locale import say
from bridge.cli.out import Out


def links(out: Out, rows: Sequence[LinkLine]) -> None:
    """Print the links of a case."""
    if not rows:
        out.line("links.none")
        return
    table = []
    for one in rows:
        going = "links.valid" if one.out else "links.never_out" if one.over else "links.not_out"
        state = "links.revoked" if one.revoked else going
        answers = ", ".join(say(f"links.answer.{answer}") for answer in one.answers)
        table.append([one.notice, one.sent_on, say(state), answers])
    out.table(["notice", "sent_on", "state", "answers"], table)
