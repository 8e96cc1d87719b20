"""Short seeded histories: whatever dies or gets lost, no level goes out twice, nobody who has paid is reminded, nothing is lost.

`FAULTS_SEED` and `FAULTS_COUNT` choose other histories; a failing one says with which seed it is repeated.
"""

import os

import pytest

from tests.faults.history import History

FIRST = int(os.environ.get("FAULTS_SEED", "0"))
COUNT = int(os.environ.get("FAULTS_COUNT", "200"))
AT_ONCE = 10


@pytest.mark.feature("N-1", "N-2", "P-29", "P-30")
@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, AT_ONCE))
def test_histories(live, first):
    """No level twice, nobody who has paid, nothing lost, ledgers and store agree: for every history."""
    for seed in range(first, min(first + AT_ONCE, FIRST + COUNT)):
        history = History.draw(seed, short=True)
        world = live(history)
        again = f"replay with FAULTS_SEED={seed} FAULTS_COUNT=1 pytest tests/faults/test_histories.py"
        assert world.wrong == [], f"{again}\n{history}"


@pytest.mark.postgres
@pytest.mark.feature("N-1", "N-2")
@pytest.mark.parametrize("seed", range(1000, 1006))
def test_histories_on_postgresql(live_postgres, seed):
    """The same holds on PostgreSQL."""
    history = History.draw(seed)
    assert live_postgres(history).wrong == [], history
