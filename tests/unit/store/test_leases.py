"""One owner at a time, across threads and processes, on the technical clock."""

import multiprocessing
import os
import socket
from datetime import timedelta

import pytest
from sqlalchemy import select

from bridge.errors import AlreadyRunning
from bridge.store import Store
from bridge.store.leases import new_owner
from bridge.store.tables import lease
from tests.unit.store.made import NOW


@pytest.fixture
def clock(store):
    """The technical clock, to be moved by hand."""

    class Clock:
        now = NOW

        def __call__(self):
            return self.now

    clock = Clock()
    store.leases._now = clock
    return clock


def acquire(store, owner, seconds=60, name="dun"):
    with store.begin() as conn:
        return store.leases.acquire(conn, name, owner, seconds)


def test_a_lease_has_one_owner(store, clock):
    """A lease is taken by one owner, who may take it again; others get it when it ended or was given back."""
    assert acquire(store, "a")
    assert acquire(store, "a")
    assert not acquire(store, "b")
    assert acquire(store, "b", name="other")
    clock.now += timedelta(seconds=60)
    assert acquire(store, "b")
    with store.begin() as conn:
        assert not store.leases.renew(conn, "dun", "a", 60)
        store.leases.release(conn, "dun", "a")
        assert store.leases.holder(conn, "dun") == ("b", clock.now + timedelta(seconds=60))
        store.leases.release(conn, "dun", "b")
        assert store.leases.holder(conn, "dun") is None


def test_a_lease_can_be_prolonged_late(store, clock):
    """An owner who comes a little late keeps the lease if nobody else has taken it."""
    acquire(store, "a")
    clock.now += timedelta(seconds=90)
    with store.begin() as conn:
        assert store.leases.holder(conn, "dun") is None
        assert store.leases.renew(conn, "dun", "a", 60)
    assert not acquire(store, "b")


@pytest.mark.feature("P-27")
def test_a_held_lease_refuses_others_and_ends_with_its_block(store):
    """While work is under way a second start is refused, naming who works; afterwards, even after an error, it is free."""
    with store.leases.holding("dun", seconds=60, what="the dunning run"):
        with (
            pytest.raises(AlreadyRunning, match=f"the dunning run is already running.*process {os.getpid()} on"),
            store.leases.holding("dun", seconds=60, what="the dunning run"),
        ):
            pass
        with store.leases.holding("dun:b", seconds=60):
            pass
    with pytest.raises(KeyError), store.leases.holding("dun", seconds=60):
        raise KeyError
    with store.reading() as conn:
        assert conn.execute(select(lease)).all() == []


def test_a_dead_process_holds_nothing(store):
    """A lease of a process of this machine that was killed is taken over at once; one of another machine is waited for."""
    gone = multiprocessing.get_context("spawn").Process(target=os.getpid)
    gone.start()
    gone.join()
    host, _, rest = new_owner().partition(":")
    assert host == socket.gethostname()[:36]
    assert acquire(store, f"{host}:{gone.pid}:{rest.rpartition(':')[2]}", 600)
    with store.leases.holding("dun", seconds=60):
        pass
    assert acquire(store, f"elsewhere:{gone.pid}:x", 600)
    with pytest.raises(AlreadyRunning, match="on elsewhere"), store.leases.holding("dun", seconds=60):
        pass


def _race(where, count, results):
    with Store.open(where) as store:
        won = 0
        for number in range(count):
            with store.begin() as conn:
                won += store.leases.acquire(conn, f"job-{number}", new_owner(), 60)
        results.put(won)


def test_four_processes_never_share_a_lease(database):
    """Of four processes that reach for the same leases at once, exactly one gets each; none fails on a locked database."""
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    racers = [spawn.Process(target=_race, args=(database, 50, results)) for _ in range(4)]
    for racer in racers:
        racer.start()
    won = [results.get(timeout=60) for _ in racers]
    for racer in racers:
        racer.join()
    assert [racer.exitcode for racer in racers] == [0] * 4
    assert sum(won) == 50
