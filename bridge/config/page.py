"""The section `debtor_page`: where debtors answer, and how long links and pauses last."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from bridge.errors import Wrong
from bridge.model import Frozen


def public(value: str | None) -> str | None:
    """Return an address of pages without the slash at its end; refuse one that can be read on the way, or names more than a place."""
    if value is None:
        return None
    try:
        url = urlsplit(value)
        _ = url.port  # a port that is no number
    except ValueError as error:
        raise Wrong("expected an address such as https://mahnung.example.com") from error
    local = url.hostname in ("localhost", "127.0.0.1", "::1")
    if url.scheme != "https" and not (url.scheme == "http" and local):
        raise Wrong("expected an address that begins with https://; what is said there must not be readable on the way")
    if not url.hostname or url.query or url.fragment or url.username or len(value) > 200:
        raise Wrong("expected host and path alone, such as https://mahnung.example.com")
    return value.rstrip("/")


class DebtorPage(Frozen):
    """The page on which debtors answer a reminder (Antwortseite), by a link of their own. Off until `public_url` is set.

    Its listener also answers /cases/NUMBER where the top-level `public_url` is set.
    """

    public_url: Annotated[str, AfterValidator(public)] | None = Field(
        None,
        description="Address under which debtors reach the page, such as https://mahnung.example.com; empty: no page, no links.",
    )
    host: str = Field(
        "127.0.0.1", description="Address the page listens on; a proxy with a certificate stands before it."
    )
    port: int = Field(8081, ge=0, le=65535, description="Port of the page, never the one of /metrics; 0: any free one.")
    proxies: int = Field(
        1, ge=0, le=5, description="How many proxies stand before the page, each adding to X-Forwarded-For; 0: none."
    )
    link_days: int = Field(60, ge=1, le=365, description="Days for which a link can be used.")
    promise_days: int = Field(14, ge=1, le=90, description="How far ahead a debtor may promise to pay, in days.")
    paid_wait_days: int = Field(
        5, ge=1, le=30, description="Bank working days that a payment which a debtor reports is waited for."
    )
    copy_wait_days: int = Field(7, ge=1, le=60, description="Days of quiet after a debtor asked for the invoice again.")
