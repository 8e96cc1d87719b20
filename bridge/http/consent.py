"""What `mahnbridge connect ACCOUNT` does: a person consents in the browser, we exchange the code and keep the token.

The answer comes to a listener on 127.0.0.1 (RFC 8252, section 7.3). On a host without a browser the person copies the address which
the browser could not open, and pastes it. PKCE (RFC 7636) binds the code to this attempt, `state` the answer to it.
"""

import hmac
import html
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

from bridge.errors import BridgeError, ConfigError, UsageError
from bridge.http.deadline import BoundedHandler
from bridge.http.oauth import call_token_endpoint, oauth_settings
from bridge.http.ports import TokenStore
from bridge.http.redact import KNOWN
from bridge.http.settings import HttpSettings

_PAGE = """<!DOCTYPE html><html lang="de"><head><meta charset="utf-8"><title>mahnbridge</title></head>
<body><h1>{title}</h1><p>{de}</p><p lang="en">{en}</p></body></html>"""
_DONE = ("Verbunden", "Sie können dieses Fenster schließen.", "Connected. You can close this window.")
_DENIED = ("Nicht verbunden", "Der Zugriff wurde nicht erlaubt.", "Access was not granted.")
_WRONG = (
    "Nicht verbunden",
    "Diese Antwort gehört zu einem anderen Versuch.",
    "This answer belongs to another attempt.",
)
_FAILED = ("Nicht verbunden", "Näheres zeigt das Programm.", "The program shows the details.")


class AuthorizationFlow:
    """One attempt to connect an account.

    ```python
    with AuthorizationFlow(account, settings, store.tokens) as flow:
        print(flow.url)                 # the person opens it
        if not flow.wait(300):          # the browser came back to the listener, or
            flow.finish(pasted_address) # the person pasted the address it could not open
    ```
    """

    def __init__(
        self,
        account: str,
        settings: HttpSettings,
        store: TokenStore,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.account = account
        self._settings = settings
        self._auth = oauth_settings(account, settings)
        if self._auth.grant != "authorization_code" or self._auth.authorize_url is None:
            raise ConfigError(
                "{account}: grant {grant} needs no person; there is nothing to connect",
                account=account,
                grant=self._auth.grant,
            )
        self._store = store
        self._now = now
        self._state = secrets.token_urlsafe(32)
        self._verifier = secrets.token_urlsafe(64)
        KNOWN.learn(self._verifier)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._error: BridgeError | None = None
        self._done = False
        self._listener: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------------------------------------------ the listener

    def __enter__(self) -> Self:
        """Listen on the configured port of 127.0.0.1. Raises `ConfigError` where that is taken."""
        try:
            listener = _Listener(("127.0.0.1", self._auth.redirect_port), self)
        except OSError as error:
            raise ConfigError(
                "{account}: port {redirect_port} of 127.0.0.1 is taken; set another auth.redirect_port",
                account=self.account,
                redirect_port=self._auth.redirect_port,
            ) from error
        self._listener = listener
        self._thread = threading.Thread(target=listener.serve_forever, args=(0.1,), name="oauth-redirect", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None and self._thread is not None:
            self._listener.shutdown()
            self._thread.join()
            self._listener.server_close()
            self._listener = self._thread = None

    @property
    def redirect_uri(self) -> str:
        """Return the address to which the browser comes back."""
        if self._listener is None:
            raise RuntimeError("enter the flow first")
        return f"http://127.0.0.1:{self._listener.server_port}{self._auth.redirect_path}"

    @property
    def url(self) -> str:
        """Return the address that the person opens."""
        values = {
            "response_type": "code",
            "client_id": self._auth.client_id,
            "redirect_uri": self.redirect_uri,
            "state": self._state,
            "code_challenge": create_s256_code_challenge(self._verifier),
            "code_challenge_method": "S256",
        }
        if self._auth.scope:
            values["scope"] = self._auth.scope
        return f"{self._auth.authorize_url}?{urlencode(values)}"

    def wait(self, seconds: float) -> bool:
        """Wait for the browser; True once the token is stored, False when the time is over. Errors as `finish`."""
        until = time.monotonic() + seconds
        if not self._ended.wait(max(0.0, until - time.monotonic())):
            return False
        if self._error is not None:
            raise self._error
        return self._done

    # -------------------------------------------------------------------------------------------------------- the answer

    def finish(self, address: str) -> None:
        """Take the address to which the browser came back, exchange its code, and store the token.

        Raises `UsageError` where it is not the answer to this attempt, `ConfigError` where the person or the server refused,
        `RetryLater` where the server did not answer.
        """
        values = _answer(address)
        state = values.get("state", "")
        if not hmac.compare_digest(state.encode("utf-8", "replace"), self._state.encode()):
            raise UsageError(
                "{account}: this is not the answer to this attempt; paste the whole address, beginning with {redirect_uri}",
                account=self.account,
                redirect_uri=self.redirect_uri,
            )
        if "error" in values:
            word = "".join(letter for letter in values["error"] if letter.isalnum() or letter == "_")[:40]
            raise ConfigError(
                "{account}: consent was not given ({word})", account=self.account, word=word, cause="consent_refused"
            )
        code = values.get("code", "")
        if not code:
            raise UsageError("{account}: the address has no code; paste the whole address", account=self.account)
        KNOWN.learn(code)
        with self._lock:
            if self._done:
                return
            self._exchange(code)
            self._done = True
        self._ended.set()

    def _exchange(self, code: str) -> None:
        token = call_token_endpoint(
            self.account,
            self._settings,
            self._now,
            lambda session: session.fetch_token(
                self._auth.token_url,
                grant_type="authorization_code",
                code=code,
                code_verifier=self._verifier,
                redirect_uri=self.redirect_uri,
                allow_redirects=False,
                timeout=(10, 20),
            ),
        )
        self._store.save(self.account, token, expected=None)

    def came_back(self, target: str) -> tuple[int, tuple[str, str, str]]:
        """Handle the browser's request and return status and page; a stranger's request changes nothing."""
        if target.partition("?")[0] != self._auth.redirect_path:
            return 404, _WRONG
        try:
            self.finish(target)
        except UsageError:
            return 400, _WRONG
        except BridgeError as error:
            self._error = error
            self._ended.set()
            return 200, _DENIED if error.cause == "consent_refused" else _FAILED
        return 200, _DONE


def _answer(address: str) -> Mapping[str, str]:
    """Return the parameters of an address, of its query alone, or of a line of a browser's bar with spaces around it."""
    text = address.strip().strip("<>\"'")
    try:
        query = urlsplit(text).query if "?" in text else text
        return {name: values[0] for name, values in parse_qs(query, max_num_fields=50).items()}
    except ValueError:  # it is no address, and so no answer to anything
        return {}


class _Listener(ThreadingHTTPServer):
    """Waits for the browser, on this machine alone."""

    allow_reuse_address = True
    daemon_threads = True  # browsers open connections on suspicion and leave them idle

    def __init__(self, address: tuple[str, int], flow: AuthorizationFlow) -> None:
        self.flow = flow
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that goes away is no error, and a traceback could show the code."""


class _Handler(BoundedHandler):
    """Answers the browser. Only requests by this listener's own address count, so that no web page can speak to it by a name."""

    server: _Listener

    def do_GET(self) -> None:  # noqa: N802  its name in the base class
        own = {f"127.0.0.1:{self.server.server_port}", f"localhost:{self.server.server_port}"}
        status, words = self.server.flow.came_back(self.path) if self.headers.get("Host") in own else (400, _WRONG)
        title, german, english = (html.escape(word) for word in words)
        page = _PAGE.format(title=title, de=german, en=english).encode()
        self.send_response(status)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(page))),
            ("Content-Security-Policy", "default-src 'none'"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page)
