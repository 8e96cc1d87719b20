"""Tokens are sealed and replaced only by whoever knew the newest; budgets are shared."""

import multiprocessing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from bridge.errors import ConfigError
from bridge.http import Rate, RateStore, TokenStore
from bridge.secrets import Vault, new_key
from bridge.store import Store
from bridge.store.tables import token as tokens
from bridge.store.tokens import Tokens
from tests.unit.store.made import NOW

SECRET = {"access_token": "a-very-secret-one", "refresh_token": "another", "expires_at": 1772445600}


@pytest.fixture
def sealed(store):
    store.tokens = Tokens(store.engine, store.now, store.leases, Vault([new_key()]))
    with store.begin() as conn:
        store.mirror.accounts.ensure(conn, "a", "fake")
    return store


def test_a_token_is_kept_sealed(sealed):
    """A token comes back as it was given; in the database it cannot be read."""
    kept: TokenStore = sealed.tokens
    assert kept.load("a") is None
    assert kept.save("a", SECRET, expected=0)
    found = kept.load("a")
    assert (dict(found.token), found.version) == (SECRET, 1)
    with sealed.reading() as conn:
        assert "secret" not in conn.execute(select(tokens.c.sealed)).scalar_one()


def test_a_token_opens_for_its_account_only(sealed):
    """A token that was moved to another account's row does not open."""
    sealed.tokens.save("a", SECRET, expected=None)
    with sealed.begin() as conn:
        conn.execute(text("update token set account = 'b'"))
    with pytest.raises(ConfigError):
        sealed.tokens.load("b")


def test_a_stale_refresh_does_not_overwrite(sealed):
    """Of two workers that refreshed at the same time the slower one changes nothing; a person's new consent always counts."""
    kept = sealed.tokens
    assert kept.save("a", SECRET, expected=0)
    assert not kept.save("a", SECRET | {"access_token": "x"}, expected=0)
    assert kept.save("a", SECRET | {"access_token": "second"}, expected=1)
    assert not kept.save("a", SECRET | {"access_token": "late"}, expected=1)
    assert (kept.load("a").token["access_token"], kept.load("a").version) == ("second", 2)
    assert kept.save("a", SECRET, expected=None)
    assert kept.load("a").version == 3


def test_a_new_token_ends_reconnect(sealed):
    """A revoked consent stops the account with a clear text; connecting it again lets it go on, but heals no other stop."""
    accounts = sealed.mirror.accounts
    sealed.tokens.reconnect_needed("a", "run `mahnbridge connect a`")
    with sealed.reading() as conn:
        assert (accounts.get(conn, "a").state, accounts.get(conn, "a").state_text) == (
            "reconnect",
            "run `mahnbridge connect a`",
        )
    sealed.tokens.save("a", SECRET, expected=0)
    with sealed.begin() as conn:
        assert (accounts.get(conn, "a").state, accounts.get(conn, "a").state_text) == ("ok", "")
        accounts.set_state(conn, "a", "stopped", "no rights")
    sealed.tokens.save("a", SECRET, expected=1)
    with sealed.reading() as conn:
        assert accounts.get(conn, "a").state == "stopped"


def test_one_worker_refreshes(sealed):
    """The lease on an account's token has one owner at a time."""
    kept = sealed.tokens
    assert kept.acquire("a", "w1", timedelta(seconds=30))
    assert not kept.acquire("a", "w2", timedelta(seconds=30))
    assert kept.acquire("b", "w2", timedelta(seconds=30))
    kept.release("a", "w2")
    assert not kept.acquire("a", "w2", timedelta(seconds=30))
    kept.release("a", "w1")
    assert kept.acquire("a", "w2", timedelta(seconds=30))


def test_without_a_key_no_token_is_kept(store):
    """A store that was opened without a key says so instead of keeping a token in the clear."""
    with pytest.raises(ConfigError, match="key"):
        store.tokens.save("a", SECRET, expected=None)


def test_a_rate_is_shared(store):
    """What one worker learnt about a budget, another one sees."""
    rates: RateStore = store.rates
    assert rates.load("a") == Rate()
    learnt = Rate(remaining=3, limit=300, reset_at=NOW, blocked_until=NOW + timedelta(minutes=1), next_at=NOW)
    assert rates.update("a", lambda _: learnt) == learnt
    assert rates.load("a") == learnt
    assert rates.update("a", lambda known: replace(known, remaining=known.remaining - 1)).remaining == 2
    assert rates.load("b") == Rate()


def _spend(where, count):
    with Store.open(where) as store:
        for _ in range(count):
            store.rates.update("a", lambda rate: replace(rate, remaining=(rate.remaining or 0) + 1))


def test_four_processes_lose_no_count(database):
    """Four processes that count on the same budget at once lose nothing and are never told that the database is locked."""
    spawn = multiprocessing.get_context("spawn")
    spenders = [spawn.Process(target=_spend, args=(database, 40)) for _ in range(4)]
    for spender in spenders:
        spender.start()
    for spender in spenders:
        spender.join()
    assert [spender.exitcode for spender in spenders] == [0] * 4
    with Store.open(database) as store:
        assert store.rates.load("a").remaining == 160
