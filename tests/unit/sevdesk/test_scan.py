"""Reading a list while it changes."""

import pytest

from bridge.contract import BadAnswer
from connectors.sevdesk.scan import ROUNDS, Scan


class Provider:
    """A list of ids; `between` may change it after each page."""

    def __init__(self, ids, *, counts=True, largest=1000, between=lambda ids, call: None):
        self.ids, self.counts, self.largest, self.between, self.calls = list(ids), counts, largest, between, 0

    def __call__(self, params):
        self.calls += 1
        start, size = params["offset"], min(params["limit"], self.largest)
        page = {"objects": [{"id": str(id_)} for id_ in self.ids[start : start + size]]}
        if self.counts:
            page["total"] = str(len(self.ids))
        self.between(self.ids, self.calls)
        return page


def read(provider, size=3, **start):
    scan = Scan(provider, {}, size, **start)
    ids = [int(row["id"]) for page in scan for row in page.rows]
    return ids, scan.stable


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("length", [0, 1, 3, 6, 7])
def test_every_record_once(length, counts):
    """All pages are read, with and without a total, also where the last page is full."""
    assert read(Provider(range(length), counts=counts)) == (list(range(length)), True)


def test_any_order_and_any_ids():
    """Records in any order, with ids that are text or missing, come once each."""
    rows = [{"id": id_} for id_ in ("7", "3", "abc", "5", "3", "9" * 30, "abc")] + [{}, "junk"]
    scan = Scan(lambda params: {"objects": rows[params["offset"] : params["offset"] + 4]}, {}, 4)
    assert [row.get("id") if row != "junk" else row for page in scan for row in page.rows] == [
        "7", "3", "abc", "5", "9" * 30, None, "junk",
    ]  # fmt: skip


def test_smaller_pages_than_asked_for():
    """A server that gives fewer records than asked for is read to the end all the same."""
    assert read(Provider(range(7), largest=2), size=5) == (list(range(7)), True)


def test_a_record_that_moves_in_is_not_lost():
    """A record that is added in front while the list is read makes it be read again, and nothing is missing."""
    provider = Provider(range(10, 17), between=lambda ids, call: ids.insert(0, 5) if call == 1 else None)
    ids, stable = read(provider)
    assert set(ids) == {5, *range(10, 17)}
    assert stable


def test_a_record_that_moves_out_is_noticed():
    """A record that vanishes while the list is read shifts the rest; the second round has them all."""
    provider = Provider(range(7), between=lambda ids, call: ids.remove(0) if call == 1 else None)
    ids, stable = read(provider)
    assert set(ids) >= set(range(1, 7))
    assert stable


def test_exchanged_records_are_noticed():
    """Where the total stays but a page repeats a record, another one is missing: the list is read again."""

    def turn(ids, call):
        if call == 1:
            ids.insert(0, ids.pop())

    ids, stable = read(Provider(range(6), between=turn))
    assert set(ids) == set(range(6))
    assert stable


def test_a_list_that_never_rests_is_not_stable():
    """After some rounds a list that goes on changing counts as incomplete."""
    provider = Provider(range(6), between=lambda ids, call: ids.append(100 + call))
    assert read(provider)[1] is False


def test_offset_that_is_ignored_ends():
    """A server that gives the same page again and again is not read for ever, and not believed."""
    provider = Provider(range(3), counts=False)
    ids, stable = read(lambda params: provider({**params, "offset": 0}))
    assert ids == [0, 1, 2] * ROUNDS
    assert not stable


def test_resumed_with_the_same_total():
    """A list is continued where it stopped; if its total is another by now, it is begun anew."""
    assert read(Provider(range(7)), start=3, total=7) == ([3, 4, 5, 6], True)
    ids, stable = read(Provider(range(8)), start=3, total=7)
    assert set(ids) == set(range(8))
    assert stable


def test_no_list_is_a_bad_answer():
    """Something else than a list is never an empty list."""
    with pytest.raises(BadAnswer):
        read(lambda params: {"total": "0"})
