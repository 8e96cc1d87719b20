"""A support bundle run again: the real connector and the real store, with the recording in the provider's place."""

import os
import shutil
import tempfile
from collections.abc import Mapping as Facts
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bridge import __version__
from bridge import pull as acts
from bridge.config import plugins
from bridge.contract import BadAnswer, Batch, BridgeError, Connector, Cursor, Http, Invoice, Ref, RetryLater, WriteBack
from bridge.deliver import AccountPort
from bridge.deliver.ports import WAITING
from bridge.errors import UsageError
from bridge.http import HttpSettings, said_by
from bridge.http.player import Player
from bridge.mapping import Mapping
from bridge.plain import file_stem
from bridge.replay.bundle import LACKS, Bundle, Misfit, Packed
from bridge.store import Store
from bridge.words import NOTHING, Sentence


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run, or the first step of a delivery that did not go through, ended: `done`, or the cause.

    `misfits` are the records that were set aside, by kind and field, or all steps that did not go through, each with its cause.
    """

    state: str
    cause: str
    text: Sentence
    misfits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offline:
    """A bundle and what came of it here. `same` tells whether it ended as then; `newer` what differs between there and here."""

    run: int
    kind: str
    connector: str
    then: Ending
    now: Ending
    same: bool
    asked: int
    newer: tuple[Sentence, ...] = ()


def replay_bundle(path: Path, mappings: Path | None = None) -> Offline:
    """Run a bundle again, without network, credentials or configuration; nothing is kept.

    `mappings` is a folder with a mapping to try instead. Raises `UsageError` where it is no bundle, or holds nothing to be replayed.
    """
    packed = Packed.read(path)
    if not packed.exchanges and not packed.notes("said") and not packed.notes("auth") and not packed.files:
        raise UsageError("{path}: no exchange with a provider was recorded; there is nothing to replay", path=path)
    if packed.bundle.clock is None or packed.bundle.kind == "dun":
        raise UsageError("{path}: this run asked no provider; there is nothing to replay", path=path)
    mapping = _mapping(packed, mappings)
    with tempfile.TemporaryDirectory(prefix="mahnbridge-") as folder:
        again = _Again(packed, mapping, Path(folder))
        again.lay_out(mappings)
        then, now = again.pulled() if packed.bundle.kind == "pull" else again.delivered()
    same = (then.state, then.cause, then.misfits) == (now.state, now.cause, now.misfits)
    one = packed.bundle
    return Offline(one.run, one.kind, one.connector, then, now, same, again.asked, tuple(_newer(one, mapping)))


def _mapping(packed: Packed, folder: Path | None) -> Mapping:
    name = packed.bundle.connector
    if packed.mapping and folder is None:
        return Mapping.parse(name, packed.mapping, "mapping.yaml")
    return Mapping.load(name, folder)


def _newer(one: Bundle, mapping: Mapping) -> Sequence[Sentence]:
    found = []
    then = one.versions.get("mahnbridge", "?")
    if then != __version__:
        found.append(Sentence("recorded with version {then}, replayed with {now}", then=then, now=__version__))
    if one.mapping != mapping.digest:
        found.append(Sentence("the mapping is another one than then"))
    found += [LACKS[code] for code in one.lacks]
    if not one.whole:
        found.append(Sentence("the first exchanges of this run are missing; a later run that failed may replay better"))
    return found


class _Again:
    """One replay."""

    def __init__(self, packed: Packed, mapping: Mapping, folder: Path) -> None:
        self.packed, self.bundle, self.mapping, self.folder = packed, packed.bundle, mapping, folder
        self.asked = 0
        now = packed.bundle.clock
        assert now is not None
        self._now: datetime = now

    def lay_out(self, mappings: Path | None) -> None:
        """Put what was read to where it is read again, each with its time; tables of `mappings` in the place of those of the bundle."""
        for name in ("files", "tables"):
            if name == "files" or any(entry.startswith("tables/") for entry in self.packed.files):
                (self.folder / name).mkdir()
        for entry, data in self.packed.files.items():
            (self.folder / entry).write_bytes(data)
        own = mappings / "csv" if mappings else None
        if own is not None and own.is_dir():
            shutil.copytree(own, self.folder / "tables", dirs_exist_ok=True)
        for note in self.packed.notes("file"):
            entry = str(note["entry"])
            if entry in self.packed.files:
                place = self.folder / entry
                target = place.with_name(f"{place.name}-{file_stem(str(note['name']))}")
                at = datetime.fromisoformat(str(note["as_of"])).timestamp()
                place.rename(target)
                os.utime(target, (at, at))
                self.asked += 1

    def _connector(self, exchanges: Sequence[Any], beside: Sequence[Any] = ()) -> tuple[Connector, Player]:
        one, player = self.bundle, Player(exchanges, str(self.bundle.http.get("base_url", "")), beside)
        kind = plugins.connector(one.connector)
        try:
            http_settings = HttpSettings.model_validate(dict(one.http))
            settings = kind.Settings.model_validate(kind.on_files(dict(one.settings), self.folder))
        except ValidationError as error:
            raise UsageError("the bundle's settings do not fit {name}", name=one.connector) from error
        http = Http(
            http_settings,
            account=one.account,
            clock=lambda: self._now,
            wire=player,
            sleep=lambda _: None,
            jitter=lambda: 0.0,
        )
        return kind(one.account, settings, self.mapping, http), player

    # ------------------------------------------------------------------------------------------------------------ pull

    def pulled(self) -> tuple[Ending, Ending]:
        """Read again; return how it ended then and now."""
        one = self.bundle
        then = Ending(
            "done" if one.state in ("done", "waiting") else one.state,
            _failing(one.state, one.cause),
            Sentence.stored(one.error),
            _named(one.rejects),
        )
        connector, player = self._connector(self.packed.asked)
        store = Store.open(f"sqlite:///{self.folder}/replay.db")
        try:
            self._as_then(store, connector)
            now = self._pull(store, connector)
        finally:
            store.close()
        self.asked += player.asked
        return then, now

    def _as_then(self, store: Store, connector: Connector) -> None:
        """Make the account as it was: where reading stands, and which open invoices are known."""
        one = self.bundle
        batch = Batch(
            invoices=tuple(
                Invoice(id=key, number=number, status="open", gross="0.01", open="0.01") for key, number in one.open
            ),
            cursor=Cursor(data=one.cursor or {}),
        )
        with store.begin() as conn:
            store.mirror.accounts.ensure(conn, one.account, connector.name)
            store.mirror.write(
                conn, one.account, batch, business_date=date.fromisoformat(one.business_date), now=store.now()
            )
            if one.cursor is not None:
                store.mirror.accounts.read(conn, one.account, batch.cursor, None)

    def _pull(self, store: Store, connector: Connector) -> Ending:
        one, port = self.bundle, AccountPort(self.bundle.account, connector, connector.http)
        try:
            result = acts.pull(
                store, port, business_date=date.fromisoformat(one.business_date), full=one.cursor is None
            )
        except Exception as error:  # noqa: BLE001  a mistake in a connector is what is looked for
            return Ending("failed", "crash", said_by(error, named=True))
        with store.reading() as conn:
            found = [known.reject for known in store.mirror.rejects.list(conn, one.account)]
        misfits = _named(tuple(Misfit(kind=item.kind, field=item.field, reason=item.reason.template) for item in found))
        failed = result.outcome is not acts.Outcome.DONE
        return Ending(
            "failed" if failed else "done", result.cause or "" if failed else "", result.error or NOTHING, misfits
        )

    # -------------------------------------------------------------------------------------------------------- delivery

    def delivered(self) -> tuple[Ending, Ending]:
        """Do the steps of a delivery again of which something is recorded, and that did not go through; return how they ended then and now."""
        recorded = {one.get("step") for one in self.packed.lines}
        failed = [step for step in self.bundle.steps if step[2] and step[0] in recorded]
        if not failed and any(cause for _, _, cause in self.bundle.steps):
            raise UsageError("of the steps that failed nothing is in this bundle; there is nothing to replay")
        if not failed:
            raise UsageError("no step of this delivery failed")
        endings = [self._step(number) for number, _, _ in failed]
        _, outcome, cause = failed[0]
        then = Ending(
            "waiting" if outcome in WAITING else "failed", cause, Sentence.stored(self.bundle.error), _steps(failed)
        )
        causes = [(number, one.state, one.cause) for (number, _, _), one in zip(failed, endings, strict=True)]
        return then, replace(endings[0], misfits=_steps(causes))

    def _step(self, number: int) -> Ending:
        own = [one for one in self.packed.asked if one.get("step") == number]
        others = [one for one in self.packed.exchanges if one.get("step") != number]
        connector, player = self._connector(own, others)
        noted = [one for one in self.packed.lines if one.get("step") == number and "note" in one]
        looked = False
        try:
            for note in (one for one in noted if one["note"] == "look"):
                list(connector.look([Ref.model_validate(one) for one in note["refs"]]))
            looked = True
            for note in (one for one in noted if one["note"] == "write" and not one.get("channel")):
                with connector.http.delivering():
                    connector.push(WriteBack.model_validate({**note["write"]}))
        except RetryLater as error:
            waits = not looked or not isinstance(error, BadAnswer)
            return Ending("waiting" if waits else "failed", error.cause, error.sentence)
        except BridgeError as error:
            return Ending("failed", error.cause, error.sentence)
        except Exception as error:  # noqa: BLE001  as in `_pull`
            return Ending("failed", f"unexpected_{type(error).__name__}", said_by(error))
        finally:
            self.asked += player.asked
        return _as_said([one for one in noted if one["note"] == "said"])


def _as_said(said: Sequence[Facts[str, Any]]) -> Ending:
    """Return how a step ended that one of our own channels did: what it said is recorded, for it is not asked again."""
    if not said:
        return Ending("done", "", NOTHING)
    kind, cause = str(said[-1].get("error")), str(said[-1].get("cause") or "")
    state = "waiting" if kind == RetryLater.__name__ else "failed"
    return Ending(state, cause or f"unexpected_{kind}", Sentence.stored(str(said[-1].get("text", ""))))


def _steps(ended: Sequence[tuple[int, str, str]]) -> tuple[str, ...]:
    return tuple(f"step-{number}: {cause}" for number, _, cause in ended if cause)


def _failing(state: str, cause: str | None) -> str:
    return (cause or "") if state == "failed" else ""


def _named(rejects: Sequence[Misfit]) -> tuple[str, ...]:
    return tuple(sorted(f"{one.kind}:{one.field}" if one.field else one.kind for one in rejects))
