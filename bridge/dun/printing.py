"""What a letter of ours could not print, told when it is proposed and not when it is due."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.engine import Connection

from bridge.documents.signs import unprintable
from bridge.model import Act, Address, Content
from bridge.policy import CaseView, NoticeDraft
from bridge.policy.actions import LETTER
from bridge.store import Store
from bridge.store.cases import Stamp
from bridge.store.tasks import NewTask
from bridge.words import Sentence, listed

CHARACTERS = "characters"
"""Kind of the task about letters that no font can print."""


def tell_unprintable(  # noqa: PLR0917  one call site
    store: Store, conn: Connection, case: CaseView, draft: NoticeDraft, notice_id: int, case_id: int, fonts: Path | None, stamp: Stamp
) -> None:  # fmt: skip
    """Give a person what the letter of a new notice cannot print, field by field; the task goes with its notice."""
    content = _printed(draft)
    if content is None:
        return
    found = [(field, signs) for field, lines in _fields(case, content) if (signs := unprintable(lines, fonts))]
    if not found:
        return
    fields = [Sentence("{field}: {signs}", field=field, signs=" ".join(signs)) for field, signs in found]
    task = NewTask(
        account=case.account,
        case_id=case_id,
        notice_id=notice_id,
        kind=CHARACTERS,
        title=Sentence(
            "notice {notice} to {customer} has letters that no font prints", notice=notice_id, customer=case.name
        ),
        note=Sentence(
            "{fields}; correct them at the provider, or put a font that has them into the folder of letters.fonts",
            fields=listed(fields),
        ),
    )
    store.tasks.add(conn, task, stamp)


def _printed(draft: NoticeDraft) -> Content | None:
    """Return what our own letter of this notice says, whether it is posted or goes with a mail; None where there is none."""
    for step in draft.steps:
        if step.act is Act.LETTER or any(one.path == LETTER for one in step.content.attachments):
            return step.content
    return None


def _fields(case: CaseView, content: Content) -> Iterator[tuple[Sentence, tuple[str, ...]]]:
    """Yield what stands in a letter by where it comes from."""
    address = content.address or case.address or Address()
    yield Sentence("name"), address.lines or (case.name,)
    yield Sentence("postal address"), (address.street, f"{address.postcode} {address.city}")
    yield Sentence("customer number"), (case.number or "",)
    if content.table is not None:
        rows = content.table.rows
        numbers = (*(one.number for one in rows), *(its.number for one in rows for its in one.credit_notes))
        yield Sentence("numbers of invoices"), (*numbers, *(one.number for one in content.table.mentions))
    yield Sentence("subject of the letter"), (content.subject,)
    yield Sentence("text of the letter"), tuple(content.text.split("\n"))
