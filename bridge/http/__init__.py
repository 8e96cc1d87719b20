"""The one HTTP session of all connectors: authentication, timeouts, retries of reads, rate budget, recording, redaction."""

from bridge.http.ports import MemoryRates, MemoryTokens, Rate, RateStore, StoredToken, TokenStore
from bridge.http.session import Http, Reply
from bridge.http.settings import Auth, BasicAuth, HttpSettings, NoAuth, OAuth2Auth, TokenAuth

__all__ = [
    "Auth",
    "BasicAuth",
    "Http",
    "HttpSettings",
    "MemoryRates",
    "MemoryTokens",
    "NoAuth",
    "OAuth2Auth",
    "Rate",
    "RateStore",
    "Reply",
    "StoredToken",
    "TokenAuth",
    "TokenStore",
]
