"""Connections under a hard total deadline, which know whether any byte of a request may have left this machine.

`requests` has timeouts between two bytes only: a server that trickles would hold a call for ever. Here a timer shuts the socket
down. And an error before the first byte of the request was sent (name, connect, TLS, proxy) proves that nothing was written.
"""

import socket
import ssl
from contextvars import ContextVar, Token
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from bridge.errors import ConfigError
from bridge.http.deadline import Deadline
from bridge.http.guard import Guard
from bridge.http.settings import HttpSettings, is_loopback

_current: ContextVar["Watch | None"] = ContextVar("mahnbridge_http_watch", default=None)


class Watch(Deadline):
    """One call's hard deadline in seconds. `sent`: bytes of the request may have left."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.sent = False
        self._token: Token[Watch | None] | None = None

    def __enter__(self) -> Self:
        self._token = _current.set(self)
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        if self._token is not None:
            _current.reset(self._token)

    def sending(self, connection: socket.socket | None) -> None:
        """Note that bytes of the request are about to leave; refuse it when the deadline has passed before that."""
        self.follow(connection)
        self.sent = True


class _Watched(HTTPConnection):
    """Reports its socket, and the first byte of a request (not of a proxy's CONNECT), to the current `Watch`."""

    _tunnelling = False
    _guard: Guard | None = None

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        if self._guard is not None:
            self._guard.check(self.host, connection)
        watch = _current.get()
        if watch is not None:
            watch.follow(connection)
        return connection

    def _tunnel(self) -> None:
        self._tunnelling = True
        try:
            super()._tunnel()
        finally:
            self._tunnelling = False

    def send(self, data: Any) -> None:
        watch = _current.get()
        if watch is not None and not self._tunnelling:
            if self.sock is None:
                self.connect()
            watch.sending(self.sock)
        super().send(data)


class _WatchedTls(_Watched, HTTPSConnection):
    pass


def _pools(guard: Guard | None) -> dict[str, type[HTTPConnectionPool]]:
    """Return pools of watched connections; a proxy is somebody's own choice and not guarded, what lies behind it cannot be."""
    guarded = {"_guard": guard}
    return {
        "http": type("_Pool", (HTTPConnectionPool,), {"ConnectionCls": type("_Conn", (_Watched,), guarded)}),
        "https": type("_TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": type("_TlsConn", (_WatchedTls,), guarded)}),
    }


def configure(session: requests.Session, settings: HttpSettings, *, host: str | None, connections: int = 10) -> None:
    """Give `session` watched connections and the account's proxy; `trusted` says what it verifies against.

    The environment's proxy is used for other machines, never for this one.
    """
    session.trust_env = settings.proxy is None and not is_loopback(host)
    if settings.proxy is not None:
        session.proxies = {"http": settings.proxy, "https": settings.proxy}
    guard = Guard(settings)
    session.mount("https://", WatchedAdapter(connections, guard))
    session.mount("http://", WatchedAdapter(connections, guard))


def trusted(settings: HttpSettings) -> str | bool:
    """Return what certificates are verified against: the account's own file, else those of the system.

    Raises `ConfigError` where that file cannot be read or holds no certificate.
    """
    if settings.ca_file is None:
        return True
    try:
        ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigError(
            "ca_file {ca_file}: {error}", ca_file=str(settings.ca_file), error=why, cause="tls_ca"
        ) from error
    return str(settings.ca_file)


class WatchedAdapter(HTTPAdapter):
    """The transport of `requests` on watched connections; it repeats nothing by itself."""

    def __init__(self, connections: int = 10, guard: Guard | None = None) -> None:
        self._guard = guard
        super().__init__(pool_connections=2, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._guard)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if isinstance(manager, ProxyManager):
            manager.pool_classes_by_scheme = _pools(None)
        return manager
