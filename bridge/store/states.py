"""The states of a notice and of its steps, and every way from one to another. All changes of state go through `move_*`.

Steps (write-backs):

```
waiting -n-> queued -o-> waiting   queued, sending -u-> unclear   queued -a-> sending -b-> done      waiting, queued, sending (not yet called) -i-> dropped
sending -c-> parked   -d-> queued   -e-> unclear -f-> done  -g-> parked  -h-> queued
parked -p-> done (it went out, with evidence)   -q-> queued (it did not go out)   -x-> discarded
unclear, parked -l-> done (the late proof)      waiting, queued, sending, dropped, discarded -k-> parked (late proof: alarm)
```

n its turn · o its notice must be approved again · a claimed · b proof stored · c refused by the provider · d nothing was written · e answer lost or lease expired ·
f found · g cannot tell · h absent, provably, after the settling time · i by re-check or by a person · p, q, x by a person ·
l a proof that came after the claim was lost · k the same, where the step had meanwhile been given back ·
u a backup was restored: it may have been done since.

Notices:

```
proposed -A-> approved -Q-> queued -L-> landed        proposed, approved -R-> refused (who, why)
approved, queued -O-> proposed (the approval no longer fits)
queued -W-> waiting (created there, letter not posted) -L-> landed
queued -P-> parked -Q-> queued, -L-> landed           proposed, approved, queued, waiting, parked -D-> dropped -L-> landed
```

The last edge, dropped to landed, needs a proof or a person's evidence that the message went out all the same.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, update

from bridge.errors import WrongState
from bridge.store.tables import notice, step
from bridge.words import Sentence

_SAID: Mapping[str, Sentence] = {
    "proposed": Sentence("proposed"),
    "approved": Sentence("approved"),
    "refused": Sentence("refused"),
    "queued": Sentence("queued"),
    "waiting": Sentence("waiting"),
    "sending": Sentence("under way"),
    "unclear": Sentence("unclear"),
    "parked": Sentence("parked"),
    "landed": Sentence("sent"),
    "done": Sentence("done"),
    "dropped": Sentence("dropped"),
    "discarded": Sentence("discarded"),
}


def state_words(state: str) -> Sentence:
    """Return the state of a notice or step in words."""
    return _SAID[state]


class Edge(NamedTuple):
    """One allowed way: from any of `sources` to `target`."""

    sources: frozenset[str]
    target: str


def _edge(sources: str, target: str) -> Edge:
    return Edge(frozenset(sources.split()), target)


STEP_EDGES: dict[str, Edge] = {
    "n": _edge("waiting", "queued"),
    "a": _edge("queued", "sending"),
    "b": _edge("sending", "done"),
    "c": _edge("sending", "parked"),
    "d": _edge("sending", "queued"),
    "e": _edge("sending", "unclear"),
    "f": _edge("unclear", "done"),
    "g": _edge("unclear", "parked"),
    "h": _edge("unclear", "queued"),
    "i": _edge("waiting queued sending", "dropped"),
    "k": _edge("waiting queued sending dropped discarded", "parked"),
    "l": _edge("unclear parked", "done"),
    "o": _edge("queued", "waiting"),
    "p": _edge("parked", "done"),
    "q": _edge("parked", "queued"),
    "u": _edge("queued sending", "unclear"),
    "x": _edge("parked", "discarded"),
}

NOTICE_EDGES: dict[str, Edge] = {
    "A": _edge("proposed", "approved"),
    "R": _edge("proposed approved", "refused"),
    "Q": _edge("approved parked", "queued"),
    "O": _edge("approved queued", "proposed"),
    "P": _edge("queued waiting dropped", "parked"),
    "W": _edge("queued", "waiting"),
    "L": _edge("queued waiting parked dropped", "landed"),
    "D": _edge("proposed approved queued waiting parked", "dropped"),
}

SETTLED = frozenset({"done", "dropped", "discarded"})
"""Step states in which nothing more is to come."""


def move_step(conn: Connection, step_id: int, edge: str, *where: Any, **values: Any) -> None:
    """Move one step along `edge` and set `values`; further conditions in `where`.

    Raises `WrongState` where the step is not in a state from which that edge starts, or a condition does not hold.
    """
    _move(conn, step, STEP_EDGES, edge, step_id, *where, **values)


def move_notice(conn: Connection, notice_id: int, edge: str, *where: Any, **values: Any) -> None:
    """Move one notice along `edge` and set `values`; further conditions in `where`. Raises `WrongState`."""
    _move(conn, notice, NOTICE_EDGES, edge, notice_id, *where, **values)


def _move(
    conn: Connection, table: Table, edges: dict[str, Edge], letter: str, row: int, *where: Any, **values: Any
) -> None:
    edge = edges[letter]
    changed = conn.execute(
        update(table)
        .where(table.c.id == row, table.c.state.in_(sorted(edge.sources)), *where)
        .values(state=edge.target, **values)
    )
    if changed.rowcount != 1:
        asked = sorted(edge.sources)
        raise WrongState(
            "{table} {row} is not {asked}, or not ours, as edge {letter} to {target} asks for",
            table=table.name,
            row=row,
            asked=asked,
            letter=letter,
            target=edge.target,
        )
