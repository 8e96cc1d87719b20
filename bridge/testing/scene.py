"""One check's stage: a kit just started, the way to it (direct, or behind an OAuth gateway), and a connector on it."""

import contextlib
import json
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, Self, TypeVar

import structlog

from bridge.contract import Act, Batch, BridgeError, Connector, Cursor, Http, Invoice, Proof, Ref, Snapshot, WriteBack
from bridge.http import HttpSettings
from bridge.http.recorder import Making
from bridge.testing.authserver import AuthServer
from bridge.testing.gateway import Gateway
from bridge.testing.kit import Kit
from bridge.testing.server import Server

MODES = ("direct", "gateway")
Error = TypeVar("Error", bound=BaseException)


class NonconformantError(AssertionError):
    """The connector breaks a promise of the contract."""


def require(condition: object, text: str) -> None:
    """Raise `NonconformantError` with `text` unless `condition` holds."""
    if not condition:
        raise NonconformantError(text)


class _Keeper(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(message)s %(exc_text)s"))
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


class Scene:
    """What a check acts on. Everything that was logged, recorded or raised is searched for secrets at the end."""

    def __init__(self, kit: type[Kit], mode: str) -> None:
        self.kit = kit()
        self.mode = mode
        self.said: list[str] = []
        """Every log line, recording and error of the check."""
        self._stack = contextlib.ExitStack()
        self._auth: AuthServer | None = None
        self._gateway: Gateway | None = None
        self._settings: HttpSettings | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._listening())
            around = stack.enter_context(
                contextlib.ExitStack()
            )  # left last: the sandbox stops first and lets what waits go
            stack.enter_context(self.kit)
            settings = self.kit.http().model_copy(update={"pace": 1000.0, "attempts": 3, "longest_wait": 5.0})
            if self.mode == "gateway":
                self._auth = around.enter_context(AuthServer())
                self._gateway = gateway = around.enter_context(Gateway(settings, self._auth))
                auth = self._auth.settings("client_credentials")
                settings = settings.model_copy(update={"base_url": gateway.base_url, "auth": auth})
            self._settings = settings
            self.http = self.session()
            self.connector = self.kit.make(self.http)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        secrets = self.secrets()
        self._stack.close()
        if kind is None:
            for text in self.said:
                require(not any(secret in text for secret in secrets), "a secret was logged, recorded or raised")

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        root, keeper = logging.getLogger(), _Keeper(self.said)
        level = root.level
        root.addHandler(keeper)
        root.setLevel(logging.DEBUG)
        try:
            with structlog.testing.capture_logs() as entries:
                yield
            self.said.extend(json.dumps(entry, default=str) for entry in entries)
        finally:
            root.setLevel(level)
            root.removeHandler(keeper)

    def secrets(self) -> set[str]:
        """Return the secrets that our side holds. Behind a gateway the provider's own token is not among them."""
        assert self._settings is not None
        found = set(self._settings.secrets)
        return found | self._auth.issued if self._auth is not None else found

    # ---------------------------------------------------------------------------------------------------- the connector

    @property
    def server(self) -> Server:
        """The sandbox's server."""
        if self.kit.server is None:
            raise NonconformantError(f"{type(self.kit).__name__}.start() must set `server`")
        return self.kit.server

    @property
    def front(self) -> Server:
        """The server that we speak to: the gateway's, or else the sandbox's."""
        return self._gateway.server if self._gateway is not None else self.server

    def session(self, **changes: Any) -> Http:
        """Return a session to the provider, with changed settings; it waits for nothing and is recorded."""
        assert self._settings is not None
        http = Http(
            self._settings.model_copy(update=changes),
            account="conformance",
            recorder=self,
            clock=self.kit.now,
            sleep=lambda _: None,
        )
        self._stack.callback(http.close)
        return http

    def record(self, _size: int, making: Making) -> None:
        """Keep a recording (this scene is the session's recorder)."""
        self.said.append(json.dumps(asdict(making()), default=str))

    def impatient(self) -> Connector:
        """Return a connector whose writes have a deadline of a third of a second."""
        return self.kit.make(self.session(write_deadline=0.35))

    def pull(self, cursor: Cursor | None = None, connector: Connector | None = None) -> list[Batch]:
        """Pull to the end; the cursor goes through JSON, as the store keeps it."""
        kept = Cursor.model_validate_json(cursor.model_dump_json()) if cursor is not None else None
        return list((connector or self.connector).pull(kept))

    def look(self, *ids: str) -> list[Snapshot]:
        """Look at these invoices."""
        known = self.invoices()
        refs = [Ref.invoice(id_, known[id_].number if id_ in known else None) for id_ in ids]
        return list(self.connector.look(refs))

    def invoices(self) -> Mapping[str, Invoice]:
        """Return all invoices by id, from a full pull."""
        return {invoice.id: invoice for batch in self.pull() for invoice in batch.invoices}

    def raised(self, kinds: type[Error] | tuple[type[Error], ...], act: Callable[[], object], what: str) -> Error:
        """Return the error that `act` must raise, exactly one of `kinds` or a subclass."""
        wanted = kinds if isinstance(kinds, tuple) else (kinds,)
        names = " or ".join(kind.__name__ for kind in wanted)
        try:
            result = act()
        except wanted as error:
            self.said += traceback.format_exception(error)
            self.said.append(repr(error))
            return error
        except BridgeError as error:
            text = f"{what}: expected {names}, got {type(error).__name__}: {error}"
            raise NonconformantError(text) from error
        raise NonconformantError(f"{what}: expected {names}, got {result!r}")

    # --------------------------------------------------------------------------------------------------------- write-backs

    def ready(self, act: Act, invoice_id: str) -> WriteBack:
        """Push what must come before `act`, and return its write-back on a fresh baseline."""
        steps = [step for step in self.kit.before.get(act, ()) if step in self.kit.available()]
        reminder: Proof | None = None
        for step in steps:
            proof = self.connector.push(self._write(step, invoice_id, reminder))
            reminder = reminder or (proof if proof.provider_id else None)
        return self._write(act, invoice_id, reminder)

    def _write(self, act: Act, invoice_id: str, reminder: Proof | None) -> WriteBack:
        invoice = self.invoices()[invoice_id]
        baseline = next(iter(self.connector.look([Ref.invoice(invoice.id, invoice.number)])))
        write = self.kit.write(act, invoice, reminder.provider_id if reminder else None)
        level = max((notice.level for notice in baseline.notices), default=0)
        return write.model_copy(
            update={
                "baseline": baseline,
                "expected_provider_level": level + 1 if act is Act.CREATE else level or None,
                "started_at": self.kit.now(),
            }
        )

    def calls(self, acts: frozenset[Act] | None = None) -> int:
        """Return how many requests reached the sandbox that are not harmless to repeat."""
        wanted = set(
            self.kit.calls.values() if acts is None else [self.kit.calls[act] for act in acts if act in self.kit.calls]
        )
        return sum(len(self.server.calls(method, pattern)) for method, pattern in wanted)
