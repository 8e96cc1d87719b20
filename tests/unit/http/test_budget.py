"""Rate budgets: read from each provider's own headers, shared, with a reserve for delivery, and shown."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import RetryLater
from bridge.http import Http, HttpSettings, MemoryRates, Rate
from bridge.http.budget import merge
from bridge.http.limits import read_limits, read_retry_after
from bridge.testing.server import Response, Server

NOW = datetime(2026, 11, 16, 10, 7, tzinfo=UTC)
QUARTER = datetime(2026, 11, 16, 10, 15, tzinfo=UTC)


class Time:
    def __init__(self):
        self.now = NOW
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def billomat(time):
    """A provider with Billomat's windows: 12 calls per quarter of an hour."""
    server = Server()
    server.left, server.reset = 12, QUARTER

    def count(request):
        if time.now >= server.reset:
            server.left, server.reset = 12, server.reset + timedelta(minutes=15)
        if server.left == 0:
            return Response.json({"errors": {"error": "limit exceeded"}}, 429)
        server.left -= 1
        return None

    server.before(count)
    server.after(
        lambda _, answer: answer.with_headers(
            {"X-Rate-Limit-Remaining": str(server.left), "X-Rate-Limit-Reset": str(int(server.reset.timestamp()))}
        )
    )
    server.add("GET", "/x", lambda _: Response.json({}))
    server.add("POST", "/x", lambda _: Response.json({}))
    with server:
        yield server


def session(server, time, rates=None, **changes):
    values = {"pace": 1000, "reserve": 4, "attempts": 1, **changes}
    settings = HttpSettings(base_url=server.base_url, **values)
    return Http(
        settings,
        account="acme",
        rates=rates or MemoryRates(),
        technical=time,
        sleep=time.sleep,
        zone=ZoneInfo("Europe/Berlin"),
    )


@pytest.mark.feature("P-36")
def test_polling_leaves_a_reserve_for_delivery(billomat, time):
    """Polling stops before the window is empty and says until when, by the account's clock; delivery goes on with the reserve; then a new window begins."""
    with session(billomat, time) as http:
        for _ in range(8):
            http.read("/x")
        with pytest.raises(RetryLater, match="4 calls left until 11:15:00 ") as caught:
            http.read("/x")
        assert timedelta(minutes=7) < caught.value.after <= timedelta(minutes=8)
        assert len(billomat.log) == 8
        with http.delivering():
            http.prepare(4)
            with pytest.raises(RetryLater):
                http.prepare(5)
            for _ in range(4):
                http.write("POST", "/x")
            with pytest.raises(RetryLater):
                http.write("POST", "/x")
        assert len(billomat.log) == 12
        status = http.budget()
        assert (status.remaining, status.blocked_until, status.reserve) == (0, QUARTER, 4)
        time.now = QUARTER + timedelta(seconds=1)
        http.read("/x")
        assert http.budget().remaining == 11


@pytest.mark.feature("P-36")
def test_429_is_waited_out_by_everyone(billomat, time, store):
    """A 429 blocks the account for every session of every process until the provider's reset, shown as such; then it goes on."""
    billomat.left = 0
    with session(billomat, time, store.rates) as first, session(billomat, time, store.rates) as second:
        with pytest.raises(RetryLater) as caught:
            first.write("POST", "/x")
        assert caught.value.cause == "http_429"
        assert caught.value.after == timedelta(minutes=8)
        for call in (first.prepare, lambda: second.read("/x"), lambda: second.write("POST", "/x"), second.prepare):
            with pytest.raises(RetryLater, match="11:15:00") as caught:
                call()
            assert caught.value.after > timedelta(minutes=7)
        assert len(billomat.log) == 1
        assert second.budget().blocked_until == QUARTER
        time.now = QUARTER + timedelta(seconds=1)
        assert second.budget().blocked_until is None
        second.read("/x")
    assert len(billomat.log) == 2


def test_the_budget_is_shared(billomat, time, store):
    """A second process knows from the first what is left, before its own first call."""
    with session(billomat, time, store.rates) as first:
        for _ in range(8):
            first.read("/x")
            time.now += timedelta(seconds=2)
    with session(billomat, time, store.rates) as second, pytest.raises(RetryLater, match="4 calls left"):
        second.read("/x")
    assert len(billomat.log) == 8


def test_threads_share_the_budget(billomat, time):
    """Eight threads together do not take one call more than polling may."""
    done, refused = [], []

    def work(http):
        for _ in range(5):
            try:
                http.read("/x")
                done.append(1)
            except RetryLater:
                refused.append(1)

    with session(billomat, time) as http:
        http.read("/x")
        threads = [threading.Thread(target=work, args=(http,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert billomat.left >= 4
    assert len(done) == 12 - 1 - billomat.left
    assert len(done) + len(refused) == 40


def test_counting_costs_few_writes(billomat, time):
    """A hundred calls in a wide window write the budget a handful of times."""

    class Counting(MemoryRates):
        writes = 0

        def update(self, account, change):
            before = self.load(account)
            after = super().update(account, change)
            self.writes += before != after
            return after

    rates = Counting()
    billomat.left = 5000
    with session(billomat, time, rates) as http:
        for _ in range(100):
            http.read("/x")
            time.now += timedelta(milliseconds=10)
    assert rates.writes <= 6


def test_an_unknown_window_does_not_block_for_ever(time):
    """Where a provider says what is left but not until when, one minute later one call asks again."""
    with Server() as server:
        server.add("GET", "/x", lambda _: Response.json({}, headers={"X-RateLimit-Remaining": "0"}))
        with session(server, time) as http:
            http.read("/x")
            with pytest.raises(RetryLater) as caught:
                http.read("/x")
            assert caught.value.after <= timedelta(minutes=1)
            time.now += timedelta(seconds=61)
            http.read("/x")


def test_a_window_that_ends_soon_is_waited_for(billomat, time):
    """Polling waits for a window that ends within seconds; delivery is told so instead, for it never waits."""
    time.now = QUARTER - timedelta(seconds=5)
    with session(billomat, time) as http:
        for _ in range(8):
            http.read("/x")
        with http.delivering():
            for _ in range(4):
                http.read("/x")
            with pytest.raises(RetryLater):
                http.read("/x")
        assert time.now < QUARTER
        http.read("/x")
    assert time.now > QUARTER
    assert billomat.left == 11


def test_a_sliding_window(time):
    """A provider whose window slides along with every call is not taken for one that runs empty."""
    with Server() as server:
        server.add(
            "GET", "/x", lambda _: Response.json({}, headers={"RateLimit-Remaining": "99", "RateLimit-Reset": "1"})
        )
        with session(server, time) as http:
            for _ in range(150):
                http.read("/x")
                time.now += timedelta(milliseconds=100)
        assert not time.slept or max(time.slept) < 0.1


def test_pace(time):
    """Calls of one account keep their distance, in one session and across two."""
    with Server() as server:
        server.add("GET", "/x", lambda _: Response.json({}))
        rates = MemoryRates()
        with session(server, time, rates, pace=2) as first, session(server, time, rates, pace=2) as second:
            times = []
            for http in (first, first, first, first, second, first):
                http.read("/x")
                times.append((time.now - NOW).total_seconds())
        assert times[:4] == [0.0, 0.5, 1.0, 1.5]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert min(gaps) >= 0.5


def test_a_clock_set_back_holds_no_account(time):
    """A slot given by a clock that was weeks ahead is later than any that can be given; calls go on, at their pace."""
    with Server() as server:
        server.add("GET", "/x", lambda _: Response.json({}))
        rates = MemoryRates()
        rates.update("acme", lambda rate: replace(rate, next_at=NOW + timedelta(days=26)))
        with session(server, time, rates, pace=2) as http:
            times = []
            for _ in range(3):
                http.read("/x")
                times.append((time.now - NOW).total_seconds())
    assert times == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("headers", "remaining", "limit", "reset"),
    [
        ({"X-Rate-Limit-Remaining": "299", "X-Rate-Limit-Reset": str(int(QUARTER.timestamp()))}, 299, None, QUARTER),
        ({"RateLimit-Limit": "1000", "RateLimit-Remaining": "7", "RateLimit-Reset": "30"}, 7, 1000, NOW + timedelta(seconds=30)),
        ({"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59"}, 59, 60, None),
        ({"RateLimit-Limit": "100, 100;w=60", "RateLimit-Remaining": "3"}, 3, 100, None),
        ({"RateLimit": '"day";r=900;t=60, "min";r=9;t=30', "RateLimit-Policy": '"day";q=1000;w=86400, "min";q=10;w=60'}, 9, 10, NOW + timedelta(seconds=30)),
        ({"RateLimit": "limit=100, remaining=50, reset=5"}, 50, None, None),
        ({"X-Rate-Limit-Remaining": "many", "X-Rate-Limit-Reset": "-5"}, None, None, None),
        ({"RateLimit-Remaining": "1", "RateLimit-Reset": "99999999999999"}, 1, None, NOW + timedelta(hours=1)),
        ({"X-Rate-Limit-Remaining": "1", "X-Rate-Limit-Reset": "1700000000"}, 1, None, NOW),
        ({}, None, None, None),
    ],
)  # fmt: skip
def test_dialects(headers, remaining, limit, reset):
    """Every known dialect is read; nonsense is not; no word of a provider reaches further than an hour."""
    said = read_limits(headers, NOW)
    assert (said.remaining, said.limit, said.reset_at) == (remaining, limit, reset)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), ("0", 0), ("1.5", 1.5), ("999999999", 3600), ("-3", None), ("soon", None), ("", None), (None, None),
        ("Mon, 16 Nov 2026 10:08:00 GMT", 60), ("Mon, 16 Nov 2026 10:00:00 GMT", 0), ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("99999999999999999999", None),
    ],
)  # fmt: skip
def test_retry_after(value, seconds):
    """Retry-After is read as seconds and as a date, and clamped to an hour."""
    wait = read_retry_after(value, NOW)
    assert (wait.total_seconds() if wait is not None else None) == seconds


def test_merge():
    """The later window counts, within one the fewer calls, and a block only grows."""
    old = Rate(5, 100, QUARTER, QUARTER, None)
    new = Rate(90, None, QUARTER + timedelta(minutes=15), None, NOW)
    assert merge(old, new) == merge(new, old) == Rate(90, 100, new.reset_at, QUARTER, NOW)
    assert merge(old, Rate(3, None, QUARTER + timedelta(seconds=1))).remaining == 3
    assert merge(Rate(3, None, QUARTER), old).remaining == 3
    assert merge(Rate(), old) == merge(old, Rate()) == old
