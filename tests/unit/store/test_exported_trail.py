"""An exported trail is checked without this program: by the recipe of `docs/operations.md`, which needs `hashlib` and `json` alone."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from bridge.store.columns import by_link
from bridge.store.evidence import DECIDED
from bridge.store.tables import decision, event
from bridge.store.trail import ERASED
from tests.unit.dun.stage import MONDAY, Stage, debtor, invoice
from tests.unit.policy.helpers import days, rules

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
GUIDE = Path(__file__).parents[3] / "docs" / "operations.md"


@pytest.fixture(scope="module")
def check():
    """Return the function of the guide that names what is wrong with exported lines."""
    [recipe] = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    assert set(re.findall(r"^import (\w+)", recipe, re.MULTILINE)) == {"hashlib", "json", "sys"}
    names = {"__name__": "recipe"}
    exec(recipe, names)  # the very text of the guide
    return lambda lines: list(names["check"](lines))


@pytest.fixture
def trail(store):
    """Events of every form: with and without whom they are about, of a run with its decisions, by a debtor's link, before and after an erasure."""
    old, new = date(2015, 3, 2), date(2026, 3, 2)
    with store.begin() as conn:
        for number, on in enumerate((old, old, new)):
            data = {
                "names": ["Späth \u2028 \U0001f600"],
                "amount": "12.50",
                "b": None,
                "a": [1, True],
                "number": number,
            }
            at = AT + timedelta(microseconds=number)
            store.journal.record(conn, "held", at=at, on=on, actor="Erika: 7", account="a", invoice_id="7", data=data)
        store.journal.record(conn, "debtor_answered", at=AT, on=new, actor=by_link(12), case_id=3, notice_id=12)
        store.journal.record(conn, ERASED, at=AT, on=new, data={"before": "2016-01-01"})
        assert store.trail.erase(conn, date(2016, 1, 1)) == 2
    stage = Stage(store, rules(days(7, 14, 28)))
    stage.tell(MONDAY, debtor(1), *(invoice(number, debtor_id="d1") for number in range(1, 4)))
    stage.run(MONDAY)
    with store.begin() as conn:
        store.trail.extend(conn)
    return store


def exported(store):
    with store.reading() as conn:
        return [json.dumps(one, ensure_ascii=False) for one in store.trail.lines(conn)]


def another(value):
    """Return another value of the same kind, a text for none."""
    if isinstance(value, dict):
        return value | {"x": 1}
    return [] if isinstance(value, list) else value + 1 if isinstance(value, int) else f"{value or ''}0"


@pytest.mark.feature("N-12")
def test_the_whole_chain_is_recomputed_from_the_exported_lines(trail, check, capsys):
    """Salt, data, digests, decisions and links of an untouched trail fit, erased data too; its newest link is printed."""
    lines = exported(trail)
    assert check(lines) == []
    rows = [json.loads(one) for one in lines]
    assert [one["salt"] is None for one in rows[:3]] == [True, True, False]
    assert rows[-1]["chain"] in capsys.readouterr().out
    assert len(next(one for one in rows if one["kind"] == DECIDED)["decisions"]) == 3


def test_any_changed_field_of_any_line_is_noticed(trail, check):
    """Each field of each line changed in turn, a line left out, doubled, or put elsewhere: the recipe names a line."""
    lines = exported(trail)
    for place, line in enumerate(lines):
        row = json.loads(line)
        for name in row.keys() - {"id"}:  # a number to be found by, of which nothing is proven
            changed = json.dumps(row | {name: another(row[name])})
            assert check([*lines[:place], changed, *lines[place + 1 :]]), (place, name)
        if place < len(lines) - 1:  # a file that was cut ends in another link
            assert check(lines[:place] + lines[place + 1 :]), place
        assert check([*lines[:place], line, *lines[place:]]), place


def test_what_was_changed_in_the_database_shows_in_the_export(trail, check):
    """An auditor sees what `audit verify` sees: an event changed, erased without a record or removed, and a decision that was changed."""
    sound = exported(trail)
    last = json.loads(sound[2])["id"]
    for change, said in (
        (update(event).where(event.c.id == last).values(actor="Max"), f"event {last} was changed"),
        (update(event).where(event.c.id == last).values(data={}), f"the data of event {last} was changed"),
        (update(event).where(event.c.id == last).values(data={}, salt=None), "erased without a record"),
        (delete(event).where(event.c.id == last), f"event {last} was removed"),
        (update(decision).values(level=9), "a decision of event"),
    ):
        with trail.engine.connect() as conn, conn.begin() as work:
            conn.execute(change)
            lines = [json.dumps(one) for one in trail.trail.lines(conn)]
            work.rollback()
        [wrong] = check(lines)
        assert said in wrong
    assert check(sound) == []
