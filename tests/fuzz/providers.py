"""What providers answer: everything that a connector reads and writes is played to it again with changed answers."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, ClassVar

from bridge.contract import Act, BridgeError, CannotTell, Connector, Cursor, Http, Mapping, Ref
from bridge.errors import UsageError
from bridge.http import HttpSettings
from bridge.http.player import Player
from bridge.http.recorder import Making
from bridge.http.reply import parse_json
from bridge.http.wire import Call
from bridge.testing.kit import Kit
from bridge.testing.scene import Scene
from tests.contract.billomat.test_conformance import BillomatKit
from tests.contract.sevdesk.test_conformance import SevDeskKit
from tests.fuzz.mutate import VALUES, mutated_json
from tests.fuzz.target import Target

MOST_CALLS = 400
"""Calls that one act of a connector makes here with answers as they were, many times over; more of them never end."""

_STATUS = (200, 201, 204, 301, 400, 401, 403, 404, 409, 422, 429, 500, 503, None)


class _Recorded(Scene):
    """A scene that keeps what is exchanged in the form in which recordings are kept."""

    def __init__(self, kit: type[Kit]) -> None:
        super().__init__(kit, "direct")
        self.kept: list[dict[str, Any]] = []

    def record(self, _size: int, making: Making) -> None:
        one = making()
        self.kept.append(asdict(one) | {"at": one.at.isoformat(), "headers": dict(one.headers)})


@dataclass(frozen=True)
class _Story:
    """One thing that a connector does, and what was said to it then."""

    what: str
    do: Callable[[Connector], object]
    said: list[dict[str, Any]]


class _Provider:
    """A connector whose recorded answers are changed before it reads them."""

    def __init__(self, kit: type[Kit], furnish: Callable[[Any, list[str]], None]) -> None:
        self._reads: list[_Story] = []
        self._writes: list[_Story] = []
        with _Recorded(kit) as scene:
            self._settings = HttpSettings(base_url=scene.http.base_url, attempts=1, pace=1000)
            self._kind = kit.connector
            self._options = self._kind.Settings.model_validate({"page_size": 3, **scene.kit.settings()})
            self._mapping, self._now = Mapping.load(self._kind.name), scene.kit.now()
            ids = scene.kit.seed(3)
            furnish(scene.kit, ids)
            self._record_reads(scene, ids)
            acts = sorted(scene.kit.available())
        for act in acts:  # each with an account of its own, for providers count calls
            with _Recorded(kit) as scene:
                self._record_write(scene, act)
        for story in (*self._reads, *self._writes):  # what is played as it was must go as it went
            with suppress(CannotTell):
                story.do(self._connector(story.said)[1])

        whole = next(one for one in self._reads if one.what == "pull")
        self._invoices = _invoices(_first(self._connector(whole.said)[1].pull(None)))
        bodies = [(at, json.loads(one["body"] or "0")) for at, one in enumerate(whole.said)]
        self._records = [(at, path) for at, body in bodies for path in _records(body)]

    def _record_reads(self, scene: _Recorded, ids: list[str]) -> None:
        first = scene.pull()
        self._cursors = [json.dumps(dict(one.cursor.data), default=str) for one in first if one.cursor is not None]
        refs = [Ref.invoice(one, number) for one, number in zip(ids, ("RE-1", None, "RE-3"), strict=True)]
        for what, do in (
            ("check", lambda connector: connector.check()),
            ("pull", lambda connector: _first(connector.pull(None))),
            ("pull again", lambda connector: _first(connector.pull(first[-1].cursor))),
            ("look", lambda connector: list(connector.look(refs))),
            ("document", lambda connector: connector.document(refs[0])),
            ("places", lambda connector: connector.prepare_places()),
        ):
            self._reads.append(self._told(scene, what, do))

    def _record_write(self, scene: _Recorded, act: Act) -> None:
        write = scene.ready(act, scene.kit.seed(1)[0])
        self._writes.append(self._told(scene, f"push {act}", lambda connector: connector.push(write)))
        self._writes.append(self._told(scene, f"find {act}", lambda connector: connector.find(write)))

    def _told(self, scene: _Recorded, what: str, do: Callable[[Connector], object]) -> _Story:
        begin = len(scene.kept)
        with suppress(CannotTell):  # some acts can be found at no provider
            do(scene.kit.make(scene.http))  # a new one, which remembers nothing
        return _Story(what, do, scene.kept[begin:])

    def read(self, random: Random) -> None:
        """Read with changed answers."""
        self._play(random, random.choice(self._reads))

    def hostile(self, random: Random) -> None:
        """Read everything where one field of one record holds what it never should: neighbours go through, what is set aside is kept."""
        story = next(one for one in self._reads if one.what == "pull")
        at, path = random.choice(self._records)
        data = json.loads(story.said[at]["body"])
        record = _at(data, path)
        name, value = random.choice(list(record)), random.choice((*VALUES, *_FLAT))
        written = value if value in _FLAT else json.dumps(value)
        changed = json.dumps(_put(data, (*path, name), _PLACE)).replace(f'"{_PLACE}"', str(written))
        said = [{**one, "body": changed} if number == at else one for number, one in enumerate(story.said)]
        try:
            batches = _first(self._connector(said)[1].pull(None))
        except UsageError as error:
            if error.cause != "not_recorded":  # it wants to look at something that nobody asked for then
                raise
            return
        except BridgeError as error:
            raise AssertionError(f"{name} = {value!r:.50} stops everything: {error}") from error
        own = str(record.get("id"))
        lost = {one for one in self._invoices - _invoices(batches) if own not in one}
        assert not lost, f"{story.said[at]['url']} {name} = {value!r:.50}: {lost} are missing"
        assert all(one.raw for batch in batches for one in batch.rejects), "a record set aside without its answer"

    def write(self, random: Random) -> None:
        """Write, or look for what was written, with changed answers."""
        self._play(random, random.choice(self._writes))

    def cursor(self, random: Random) -> None:
        """Go on reading from a place that was kept, changed."""
        data = parse_json(mutated_json(random, random.choice(self._cursors)).encode("utf-8", "replace"))
        if isinstance(data, dict):
            story = next(one for one in self._reads if one.what == "pull again")
            _, connector = self._connector(story.said)
            _first(connector.pull(Cursor(data=data)))

    def _play(self, random: Random, story: _Story) -> None:
        said = [dict(one) for one in story.said]
        for one in random.sample(said, min(len(said), random.choice((1, 1, 1, 2)))):
            if random.random() < 0.07:
                one["status"] = random.choice(_STATUS)
                one["error"] = "timeout" if one["status"] is None else None
            else:
                one["body"] = mutated_json(random, one["body"])
        player, connector = self._connector(said)
        story.do(connector)
        assert player.asked <= MOST_CALLS, f"{story.what} asked {player.asked} times"

    def _connector(self, said: list[dict[str, Any]]) -> tuple[Player, Connector]:
        player = _Counted(said, self._settings.base_url)
        http = Http(self._settings, clock=lambda: self._now, wire=player, sleep=lambda _: None)
        return player, self._kind("conformance", self._options, self._mapping, http)


class _Counted(Player):
    """Ends what goes on asking for ever, and is quick about what was asked before."""

    known: ClassVar[dict[tuple[str, str, str], Any]] = {}

    def key(self, call: Call) -> Any:
        """Return the key of the request, made once for the same one."""
        asked = (call.method, call.path, repr(call.params))
        if asked not in self.known:
            self.known[asked] = super().key(call)
        return self.known[asked]

    def send(self, *call: Any, **more: Any) -> Any:
        assert self.asked <= MOST_CALLS, "the connector goes on asking for ever"
        return super().send(*call, **more)


_PLACE = "a value stands here"
_FLAT = (
    "NaN", "Infinity", "-Infinity", "1e400", "1e999", "-0", "-0.0", "9" * 400, "9" * 5000, '{"id": 1, "id": 2}', '{"a":' * 40 + "1" + "}" * 40, '"\\u202e\\u0000"',
)  # fmt: skip
"""What no writer of JSON would write, and no whole answer is lost by."""


def _records(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where the records of an answer stand: objects in lists."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        if isinstance(data, list) and isinstance(value, dict) and value:
            yield (*path, key)
        else:
            yield from _records(value, (*path, key))


def _at(data: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def _put(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return `data` with another value at one place."""
    if not path:
        return value
    if isinstance(data, dict):
        return {**data, path[0]: _put(data[path[0]], path[1:], value)}
    return [_put(one, path[1:], value) if at == path[0] else one for at, one in enumerate(data)]


def _invoices(batches: list[Any]) -> set[str]:
    return {one.id for batch in batches for one in batch.invoices}


def _first(batches: Iterator[Any]) -> list[Any]:
    return [one for _, one in zip(range(60), batches, strict=False)]


def _sevdesk(kit: SevDeskKit, ids: list[str]) -> None:
    """Put a record of every kind into the account."""
    sandbox, contact = kit.sandbox, str(kit.sandbox.document(ids[0]).contact)
    sandbox.remind_by_hand(ids[0], fee="5.00")
    sandbox.remind_by_hand(ids[1], send=False)
    sandbox.pay(ids[0], "20.00", on_reminder=sandbox.reminders(ids[0])[0] and str(sandbox.reminders(ids[0])[0].id))
    sandbox.pay(ids[2], "50.00", transaction=sandbox.add_transaction("50.00", purpose="RE-3", payer="Schuldner 2 GmbH"))
    sandbox.add_transaction("10.00", purpose="RE-1 Rest", iban="DE02120300000000202051", on=date(2026, 11, 10))
    sandbox.add_credit_note(ids[1], "10.00")
    sandbox.tag(ids[1], "mahnsperre")
    sandbox.tag_contact(contact, "mahnsperre")
    sandbox.add_email(contact, "zweite@schuldner.example", key=2, main=True)
    sandbox.set_field(contact, "Mahnsperre", "ja")
    sandbox.add_invoice(contact, status=100)
    sandbox.add_invoice(contact, gross="1190.00", method="Lastschrift", mandate="M-1", currency="CHF")
    sandbox.cancel(sandbox.add_invoice(contact, gross="70.00"))


def _billomat(kit: BillomatKit, ids: list[str]) -> None:
    """Put a record of every kind into the account."""
    sandbox, day = kit.sandbox, kit.today
    sandbox.remind_by_hand(ids[0], email="r@schuldner.example")
    sandbox.remind_by_hand(ids[1], complete=False)
    sandbox.pay(ids[0], "20.00")
    sandbox.delete_payment(sandbox.pay(ids[1], "10.00"))
    client = sandbox.add_client("Frau Muster", email="f@schuldner.example", first_name="Anna", last_name="Muster")
    contact = sandbox.add_contact(client, "k@schuldner.example", first_name="Bea", last_name="Muster")
    more = sandbox.add_invoice(client, "75.00", due_on=day - timedelta(days=3), contact_id=contact)
    sandbox.add_invoice(client, "75.00", due_on=None, status="DRAFT")
    sandbox.add_credit_note(client, "10.00", invoice_id=more)
    sandbox.correct(sandbox.add_invoice(client, "30.00", due_on=day - timedelta(days=30)))
    sandbox.cancel(sandbox.add_invoice(client, "31.00", due_on=day - timedelta(days=30)))
    sandbox.tag_invoice(more, "mahnsperre")
    sandbox.tag_client(client, "mahnsperre")


def targets() -> Iterator[Target]:
    """Yield what reads the answers of each provider."""
    for kit, furnish in ((SevDeskKit, _sevdesk), (BillomatKit, _billomat)):
        provider = _Provider(kit, furnish)
        name = kit.connector.name
        yield Target(name, 25, provider.read)
        yield Target(f"{name}_writes", 40, provider.write)
        yield Target(f"{name}_hostile", 25, provider.hostile)
        yield Target(f"{name}_cursor", 5, provider.cursor)


def recorded_pull(kit: type[Kit]) -> list[dict[str, Any]]:
    """Return what was exchanged for a first reading of an account with an invoice."""
    with _Recorded(kit) as scene:
        scene.kit.seed(1)
        scene.pull()
        return scene.kept
