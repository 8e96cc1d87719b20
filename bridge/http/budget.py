"""The rate budget of an account: shared by its threads and processes, with a reserve that polling leaves to delivery."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from bridge.errors import RetryLater
from bridge.http.limits import Limits, read_limits
from bridge.http.ports import Rate, RateStore
from bridge.http.settings import HttpSettings
from bridge.words import Sentence

_ONE_WINDOW = timedelta(seconds=2)  # two answers about the same window may round its end differently
_UNKNOWN_WINDOW = timedelta(minutes=1)  # where a provider does not say when the window ends
_SLIDING = 20  # more calls than can be under way at once
_SAVE_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """What the status page shows: calls left, calls per window, until when nothing is called, when the window ends."""

    remaining: int | None
    limit: int | None
    blocked_until: datetime | None
    reset_at: datetime | None
    reserve: int


class Budget:
    """Counts calls down between the provider's answers, and paces them.

    Knowledge of other processes is read at most once in `refresh`; a block (429) and a window that nears its end are written at
    once, the rest at most every ten seconds, so that counting costs no writes worth mentioning. Times are told in `zone`.
    """

    def __init__(
        self,
        account: str,
        settings: HttpSettings,
        store: RateStore,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        refresh: timedelta = timedelta(seconds=1),
        zone: tzinfo = UTC,
    ) -> None:
        self.account = account
        self._settings = settings
        self._store = store
        self._now = now
        self._sleep = sleep
        self._refresh = refresh
        self._zone = zone
        self._lock = threading.Lock()
        self._rate = Rate()
        self._in_flight = 0
        self._loaded_at: datetime | None = None
        self._saved_at: datetime | None = None
        self._slot_at: datetime | None = None
        self._slots_end: datetime | None = None

    def status(self) -> BudgetStatus:
        """Return what is known now."""
        with self._lock:
            rate, now = self._current(), self._now()
            blocked = rate.blocked_until if rate.blocked_until and rate.blocked_until > now else None
            if blocked is None and rate.remaining is not None and rate.remaining <= 0:
                blocked = rate.reset_at
            return BudgetStatus(rate.remaining, rate.limit, blocked, rate.reset_at, self._reserve(rate))

    def room(self, calls: int, *, delivery: bool = True) -> None:
        """Raise `RetryLater` unless `calls` may be made now."""
        with self._lock:
            self._require(calls, delivery=delivery)

    def take(self, *, delivery: bool) -> None:
        """Take one call out of the budget and wait for its turn under the pace.

        Polling also waits for a window or block that ends within `longest_wait`. Raises `RetryLater` with the time until then
        where that is longer; delivery never waits for it.
        """
        try:
            wait = self._take(delivery=delivery)
        except RetryLater as error:
            if delivery or error.after.total_seconds() > self._settings.longest_wait:
                raise
            self._sleep(error.after.total_seconds() + 0.1)
            wait = self._take(delivery=delivery)
        if wait > timedelta(0):
            self._sleep(wait.total_seconds())

    def _take(self, *, delivery: bool) -> timedelta:
        with self._lock:
            self._require(1, delivery=delivery)
            wait = self._pace()
            if wait.total_seconds() > self._settings.longest_wait + 1:
                raise RetryLater(
                    "{account}: other calls of this account come first",
                    account=self.account,
                    after=wait,
                    cause="rate_pace",
                )
            if self._rate.remaining is not None:
                self._rate = replace(self._rate, remaining=self._rate.remaining - 1)
            self._in_flight += 1
            return wait

    def learn(self, status: int | None, headers: Mapping[str, str]) -> timedelta | None:
        """Learn from an answer (`status` None: there was none) and return how long the provider wants to be left alone."""
        with self._lock:
            self._in_flight = max(0, self._in_flight - 1)
            if status is None:
                return None
            now = self._now()
            said = read_limits(headers, now)
            rate = self._rate
            if said.remaining is not None:
                rate = self._seen(rate, said, said.remaining, now)
            wait = said.retry_after
            if status == 429:
                if wait is None:
                    wait = said.reset_at - now if said.reset_at else _UNKNOWN_WINDOW
                wait = max(wait, timedelta(seconds=1))
                rate = replace(rate, blocked_until=max(now + wait, rate.blocked_until or now))
            self._save(rate, now, urgent=status == 429)
            return wait

    # ------------------------------------------------------------------------------------------------------- inside

    def _current(self) -> Rate:
        now = self._now()
        if self._loaded_at is None or now - self._loaded_at >= self._refresh or now < self._loaded_at:
            self._rate = merge(self._rate, self._store.load(self.account))
            self._loaded_at = now
        if self._rate.reset_at is not None and self._rate.reset_at <= now:
            self._rate = replace(self._rate, remaining=None, reset_at=None)
        return self._rate

    def _seen(self, rate: Rate, said: Limits, remaining: int, now: datetime) -> Rate:
        """Take over what an answer said, less the calls still under way.

        Answers of parallel calls arrive in any order: one about an earlier window is ignored, and within a window the fewer calls
        count, unless the provider says many more (a window that slides).
        """
        reset_at = said.reset_at or now + _UNKNOWN_WINDOW
        left = max(0, remaining - self._in_flight)
        # not every provider tells its limit; the most that was ever left is a lower bound
        limit = said.limit if said.limit is not None else max(rate.limit or 0, remaining + 1)
        if rate.reset_at is not None and said.reset_at is not None:
            if reset_at < rate.reset_at - _ONE_WINDOW:
                return rate
            if (
                reset_at <= rate.reset_at + _ONE_WINDOW
                and rate.remaining is not None
                and left <= rate.remaining + _SLIDING
            ):
                left = min(left, rate.remaining)
        return replace(rate, remaining=left, limit=limit, reset_at=reset_at)

    def _reserve(self, rate: Rate) -> int:
        if rate.limit is None:
            return self._settings.reserve
        return min(self._settings.reserve, int(rate.limit * self._settings.reserve_share))

    def _require(self, calls: int, *, delivery: bool) -> None:
        rate, now = self._current(), self._now()
        if rate.blocked_until is not None and rate.blocked_until > now:
            raise RetryLater(
                "{account}: the provider wants no calls until {until}",
                account=self.account,
                until=self._told(rate.blocked_until),
                after=rate.blocked_until - now,
                cause="http_429",
            )
        keep = 0 if delivery else self._reserve(rate)
        if rate.remaining is not None and rate.remaining - calls < keep:
            until = rate.reset_at or now + _UNKNOWN_WINDOW
            kept = Sentence(" ({calls} are kept for delivery)", calls=keep) if keep else ""
            raise RetryLater(
                "{account}: {left} {left|call|calls} left until {until}{kept}",
                account=self.account,
                left=max(0, rate.remaining),
                until=self._told(until),
                kept=kept,
                after=until - now,
                cause="rate_budget",
            )

    def _told(self, moment: datetime) -> str:
        """Return a time of day as the account's people read it."""
        return f"{moment.astimezone(self._zone):%H:%M:%S}"

    def _pace(self) -> timedelta:
        """Return how long to wait for the next slot; about a second's worth of slots is reserved at once, for all processes."""
        now = self._now()
        interval = timedelta(seconds=1 / self._settings.pace)
        slot = max(self._slot_at or now, now)
        if self._slots_end is None or slot >= self._slots_end:
            span = max(timedelta(seconds=1), interval)

            def reserve(stored: Rate) -> Rate:
                known = stored.next_at
                if known is None or known > now + 61 * span:  # later than any that is given: by a clock since set back
                    known = now
                first = max(known, now)
                return replace(stored, next_at=min(first, now + 60 * span) + span)

            changed = self._store.update(self.account, reserve)
            self._slots_end = changed.next_at or now + span
            slot = max(self._slots_end - span, now)
        self._slot_at = slot + interval
        return slot - now

    def _save(self, rate: Rate, now: datetime, *, urgent: bool) -> None:
        before, self._rate = self._rate, rate
        low = rate.remaining is not None and rate.remaining <= 2 * self._reserve(rate)
        new_window = rate.reset_at is not None and (
            before.reset_at is None or abs(rate.reset_at - before.reset_at) > _ONE_WINDOW
        )
        old = self._saved_at is None or now - self._saved_at >= (timedelta(seconds=1) if low else _SAVE_EVERY)
        if urgent or new_window or (old and rate.remaining is not None):
            self._saved_at = now
            self._store.update(self.account, lambda stored: merge(stored, rate))


def merge(known: Rate, seen: Rate) -> Rate:
    """Join two views of one account: the later window counts, within one window the fewer calls; blocks and pace only grow."""
    if known.reset_at is None or seen.reset_at is None:
        newer = seen if seen.remaining is not None else known
        remaining, reset_at = newer.remaining, newer.reset_at
    elif abs(known.reset_at - seen.reset_at) <= _ONE_WINDOW:
        counts = [count for count in (known.remaining, seen.remaining) if count is not None]
        remaining, reset_at = min(counts, default=None), max(known.reset_at, seen.reset_at)
    else:
        later = seen if seen.reset_at > known.reset_at else known
        remaining, reset_at = later.remaining, later.reset_at
    return Rate(
        remaining=remaining,
        limit=seen.limit if seen.limit is not None else known.limit,
        reset_at=reset_at,
        blocked_until=_later(known.blocked_until, seen.blocked_until),
        next_at=_later(known.next_at, seen.next_at),
    )


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    if first is None or second is None:
        return first or second
    return max(first, second)
