"""The one HTTP session of all connectors: authentication, timeouts, retries of reads, rate budget, recording, redaction."""

from bridge.http.budget import BudgetStatus
from bridge.http.consent import AuthorizationFlow
from bridge.http.ports import MemoryRates, MemoryTokens, Rate, RateStore, StoredToken, TokenStore
from bridge.http.recorder import Exchange, FileRecorder, Recorder, Tape
from bridge.http.redact import redact, said_by
from bridge.http.reply import Reply
from bridge.http.session import Http
from bridge.http.settings import Auth, BasicAuth, HttpSettings, NoAuth, OAuth2Auth, TokenAuth

__all__ = [
    "Auth",
    "AuthorizationFlow",
    "BasicAuth",
    "BudgetStatus",
    "Exchange",
    "FileRecorder",
    "Http",
    "HttpSettings",
    "MemoryRates",
    "MemoryTokens",
    "NoAuth",
    "OAuth2Auth",
    "Rate",
    "RateStore",
    "Recorder",
    "Reply",
    "StoredToken",
    "Tape",
    "TokenAuth",
    "TokenStore",
    "redact",
    "said_by",
]
