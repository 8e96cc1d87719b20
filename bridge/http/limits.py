"""What providers say about their rate limits, in the dialects they say it in.

Billomat `X-Rate-Limit-Remaining` and `X-Rate-Limit-Reset` (epoch seconds of the next quarter of an hour); bexio
`RateLimit-Remaining`, `RateLimit-Reset` (seconds); the IETF draft's structured `RateLimit: "name";r=9;t=30` with `RateLimit-Policy`;
the widespread `X-RateLimit-*`; and `Retry-After` (RFC 9110, section 10.2.3: seconds or a date).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(hours=1)
"""No provider's word holds an account for longer than this; then one call asks again."""

_LONGEST_HEADER = 1000
_EPOCH = 1_000_000_000
_PREFIXES = ("x-rate-limit-", "x-ratelimit-", "ratelimit-", "rate-limit-")
_PARAMETER = re.compile(r";\s*([a-z]+)\s*=\s*(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer said: calls left, calls per window, start of the next window, and a wish to be left alone until then."""

    remaining: int | None = None
    limit: int | None = None
    reset_at: datetime | None = None
    retry_after: timedelta | None = None


def read_limits(headers: Mapping[str, str], now: datetime) -> Limits:
    """Read the limits of an answer that arrived at `now`; what is not understood counts as not said."""
    lower = {name.lower(): value[:_LONGEST_HEADER] for name, value in headers.items()}
    retry_after = read_retry_after(lower.get("retry-after"), now)
    structured = lower.get("ratelimit", "")
    if ";" in structured or "=" in structured:
        found = _structured(structured, lower.get("ratelimit-policy", ""), now)
        return Limits(found.remaining, found.limit, found.reset_at, retry_after)
    remaining = limit = reset = None
    for prefix in _PREFIXES:
        remaining = _number(lower.get(prefix + "remaining")) if remaining is None else remaining
        limit = _number(lower.get(prefix + "limit")) if limit is None else limit
        reset = _number(lower.get(prefix + "reset")) if reset is None else reset
    return Limits(remaining, limit, _instant(reset, now), retry_after)


def read_retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read `Retry-After` in seconds or as a date, between nothing and an hour."""
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"\d{1,12}(\.\d+)?", value):
        wait = timedelta(seconds=min(float(value), LONGEST.total_seconds()))
    else:
        try:
            until = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now
    return max(timedelta(0), min(wait, LONGEST))


def _structured(value: str, policy: str, now: datetime) -> Limits:
    """Read the IETF draft's fields; of several windows the one with the fewest calls left counts."""
    best = Limits()
    quotas = {_label(item): _parameters(item).get("q") for item in policy.split(",")}
    for item in value.split(","):
        values = _parameters(item) or {
            key: int(number) for key, number in re.findall(r"([a-z]+)\s*=\s*(\d{1,15})", item)
        }
        left = values.get("r", values.get("remaining"))
        if left is None or (best.remaining is not None and left >= best.remaining):
            continue
        best = Limits(
            left, quotas.get(_label(item), values.get("limit")), _instant(values.get("t", values.get("reset")), now)
        )
    return best


def _label(item: str) -> str:
    return item.partition(";")[0].strip()


def _parameters(item: str) -> dict[str, int]:
    return {key: int(number) for key, number in _PARAMETER.findall(item)}


def _number(value: str | None) -> int | None:
    """Read the first number: `100`, and `100, 100;w=60` of older drafts."""
    match = re.match(r"\s*(\d{1,15})", value or "")
    return int(match[1]) if match else None


def _instant(reset: int | None, now: datetime) -> datetime | None:
    """Return when the window ends: `reset` is in epoch seconds or in seconds from now; never later than in an hour."""
    if reset is None:
        return None
    wait = (
        timedelta(seconds=min(reset, 10**9))
        if reset < _EPOCH
        else timedelta(seconds=min(reset - now.timestamp(), 10**9))
    )
    return now + max(timedelta(0), min(wait, LONGEST))
