"""Checks of what a connector writes: `push` and `find`, act by act, on good days and on bad ones."""
# ruff: noqa: D401  the docstrings are promises, shown where a check fails

from collections.abc import Callable, Iterator

from bridge.contract import (
    REACHES_DEBTOR,
    Act,
    BadAnswer,
    CannotTell,
    ConfigError,
    Connector,
    NotSupported,
    Proof,
    RetryLater,
    Unclear,
    WriteBack,
)
from bridge.testing.kit import Kit
from bridge.testing.scene import NonconformantError, Scene, require
from bridge.testing.server import Server

WriteCheck = Callable[[Scene, Act], None]


def checks(kit: type[Kit], act: Act) -> Iterator[WriteCheck]:
    """Yield the checks of `act` that apply to `kit`."""
    yield push_and_find
    if kit.over_http and act in kit.calls:
        yield from (answer_lost, answer_late, never_arrived, nothing_listens, server_error, page_for_people)
        yield from (write_credentials_refused, write_rate_limited, write_redirected)


def once(kit: type[Kit]) -> Iterator[Callable[[Scene], None]]:
    """Yield the checks that need no act."""
    _ = kit
    yield unsupported_acts


def unsupported_acts(scene: Scene) -> None:
    """An act that the connector does not have is NotSupported, and nothing is called."""
    (id_,) = scene.kit.seed(1)
    invoice = scene.invoices()[id_]
    before = len(scene.server.log) if scene.kit.server is not None else 0
    for act in Act:
        if act not in scene.connector.acts:
            write = scene.kit.write(act, invoice, None)
            scene.raised(NotSupported, lambda write=write: scene.connector.push(write), f"push({act})")  # type: ignore[misc]
    after = len(scene.server.log) if scene.kit.server is not None else 0
    require(before == after, "a request was made for an act that does not exist")


def push_and_find(scene: Scene, act: Act) -> None:
    """`find` knows nothing before, `push` proves its one effect, `find` has the proof after."""
    (id_,) = scene.kit.seed(1)
    write = scene.ready(act, id_)
    _absent(scene, write)
    before = scene.calls() if scene.kit.over_http else 0
    proof = scene.connector.push(write)
    require(proof.key == write.key, "the proof is for another key")
    require(scene.kit.effects(act, id_) == 1, f"the ledger shows {scene.kit.effects(act, id_)} effects of one {act}")
    if scene.kit.over_http:
        calls = scene.calls() - before
        require(calls <= 1, f"one push made {calls} calls that are not harmless to repeat")
    _present(scene, write)


def answer_lost(scene: Scene, act: Act) -> None:
    """An answer lost after the effect is Unclear, there is one effect, and `find` does not deny it."""
    _after_fault(scene, act, lambda method, path: scene.server.faults.cut_after(path, method=method))


def answer_late(scene: Scene, act: Act) -> None:
    """An answer that comes after the deadline is Unclear, there is one effect, and `find` does not deny it."""

    def fault(method: str, path: str) -> object:
        return scene.server.faults.delay(60, path, method=method, after=True)

    _after_fault(scene, act, fault, scene.impatient())


def server_error(scene: Scene, act: Act) -> None:
    """A 500 in spite of the effect is Unclear, and `find` does not deny it."""
    _after_fault(scene, act, lambda method, path: scene.server.faults.status(500, path, method=method, after=True))


def page_for_people(scene: Scene, act: Act) -> None:
    """An HTML page in spite of the effect is Unclear, and `find` does not deny it."""
    _after_fault(scene, act, lambda method, path: scene.server.faults.html(path, method=method, after=True))


def _after_fault(
    scene: Scene, act: Act, fault: Callable[[str, str], object], connector: Connector | None = None
) -> None:
    (id_,) = scene.kit.seed(1)
    write = scene.ready(act, id_)
    method, path = scene.kit.calls[act]
    before = scene.calls()
    fault(method, path)
    scene.raised(Unclear, lambda: (connector or scene.connector).push(write), f"push({act}) whose answer was lost")
    effects, calls = scene.kit.effects(act, id_), scene.calls() - before
    require(calls == 1, f"push() made {calls} calls that are not harmless to repeat")
    require(effects == 1, f"the ledger shows {effects} effects of one {act}")
    scene.server.faults.clear()
    _present(scene, write)


def never_arrived(scene: Scene, act: Act) -> None:
    """A connection lost before the effect is RetryLater or Unclear, without any effect."""
    (id_,) = scene.kit.seed(1)
    write = scene.ready(act, id_)
    method, path = scene.kit.calls[act]
    for fault in (scene.server.faults.refuse, scene.server.faults.cut_before):
        fault(path, method=method)
        scene.raised((RetryLater, Unclear), lambda: scene.connector.push(write), f"push({act}) that never arrived")
        require(scene.kit.effects(act, id_) == 0, f"{act} that never arrived had an effect")
        _absent(scene, write)


def nothing_listens(scene: Scene, act: Act) -> None:
    """While nothing listens a push is RetryLater (behind a gateway: or Unclear)."""
    (id_,) = scene.kit.seed(1)
    write = scene.ready(act, id_)
    kinds: tuple[type[Exception], ...] = (RetryLater,) if scene.mode == "direct" else (RetryLater, Unclear)
    with scene.server.refusing():
        scene.raised(kinds, lambda: scene.connector.push(write), f"push({act}) while nothing listens")
    require(scene.kit.effects(act, id_) == 0, f"{act} had an effect while nothing listened")


def write_credentials_refused(scene: Scene, act: Act) -> None:
    """Refused credentials stop the account, at the latest after a new token was refused as well."""
    (id_,) = scene.kit.seed(1)
    write = scene.ready(act, id_)
    method, path = scene.kit.calls[act]
    scene.server.faults.status(401, path, body={}, method=method, times=None)
    kinds: tuple[type[Exception], ...] = (ConfigError,) if scene.mode == "direct" else (ConfigError, RetryLater)
    first = scene.raised(kinds, lambda: scene.connector.push(write), f"push({act}) with refused credentials")
    if not isinstance(first, ConfigError):
        scene.raised(ConfigError, lambda: scene.connector.push(write), f"second push({act}) with refused credentials")
    require(scene.kit.effects(act, id_) == 0, f"{act} had an effect although it was refused")


def write_rate_limited(scene: Scene, act: Act) -> None:
    """A 429 is RetryLater with the provider's wait; the write is not repeated."""
    (id_,) = scene.kit.seed(1)
    write = scene.ready(act, id_)
    method, path = scene.kit.calls[act]
    before = scene.calls()
    scene.server.faults.status(429, path, body={}, headers={"Retry-After": "600"}, method=method)
    error = scene.raised(RetryLater, lambda: scene.connector.push(write), f"push({act}) answered with 429")
    require(not isinstance(error, BadAnswer), "a 429 is no bad answer")
    require(590 <= error.after.total_seconds() <= 600, f"the provider asked for 600 s, the error says {error.after}")
    require(scene.calls() - before == 1, "a write was repeated on 429")
    require(scene.kit.effects(act, id_) == 0, f"{act} had an effect in spite of 429")


def write_redirected(scene: Scene, act: Act) -> None:
    """A redirect of a write is not followed; it is Unclear."""
    (id_,) = scene.kit.seed(1)
    write = scene.ready(act, id_)
    method, path = scene.kit.calls[act]
    with Server() as trap:
        scene.server.faults.redirect(trap.base_url + "/x", path, code=307, method=method)
        scene.raised(Unclear, lambda: scene.connector.push(write), f"push({act}) answered with a redirect")
        require(not trap.log, "a redirect of a write was followed")


def _absent(scene: Scene, write: WriteBack) -> None:
    """Require that `find` says absent or that it cannot tell; what reaches the debtor is never said to be absent."""
    try:
        found = scene.connector.find(write)
    except CannotTell:
        return
    require(found is None, f"find() has a proof of {write.act}, which did not happen: {found}")
    if write.act in REACHES_DEBTOR:
        raise NonconformantError(
            f"find({write.act}) says absent; the absence of what reaches the debtor is never provable"
        )


def _present(scene: Scene, write: WriteBack) -> None:
    """Require that `find` has the proof, or where the provider is blind, that it cannot tell."""
    found: Proof | None
    try:
        found = scene.connector.find(write)
    except CannotTell:
        require(
            write.act in scene.kit.blind,
            f"find() cannot tell of {write.act}, which happened, and the kit does not call it blind",
        )
        return
    require(found is not None, f"find() denies {write.act}, which happened: it would be done twice")
    assert found is not None
    require(found.key == write.key, "find() answers the proof of another key")
