"""Histories told by hand: bundles, several levels, money that comes in between, and a person who reminds too."""

from decimal import Decimal

import pytest

from bridge.contract import Act
from tests.faults.history import History, Incident


def story(*incidents, provider="billomat", way="mail", **more):
    return History(
        0,
        provider,
        way,
        (0, 0, 0),
        ("100.00", "200.00", "300.00"),
        incidents,
        gaps=(11, 11),
        **{"bundle": True, **more},
    )


@pytest.mark.feature("N-1", "N-2")
@pytest.mark.parametrize("provider", ["billomat", "sevdesk"])
@pytest.mark.parametrize("way", ["mail", "letter"])
def test_a_bundle_leaves_one_record_per_invoice(live, provider, way):
    """Two levels over three invoices: two messages in all, each over three invoices, and two silent records for each invoice."""
    world = live(story(provider=provider, way=way))
    assert world.wrong == []
    assert [len(sent.invoices) for sent in world.sendings()] == [3, 3]
    assert [sent.total for sent in world.sendings()] == [Decimal("600.00")] * 2
    assert sorted(world.provider.records()) == sorted(world.invoices * 2)


@pytest.mark.feature("N-1", "N-2")
@pytest.mark.parametrize("after", [False, True], ids=["before_effect", "after_effect"])
@pytest.mark.parametrize("act", [Act.CREATE, Act.COMPLETE])
def test_a_record_of_a_bundle_that_was_lost(live, act, after):
    """The answer about the second of three records is lost: found or made again, never doubled, and the mail goes out once."""
    world = live(story(Incident(act, 2, "cut", after), levels=1))
    assert world.wrong == []
    assert len(world.sendings()) == 1
    assert sorted(world.provider.records()) == sorted(world.invoices)


@pytest.mark.feature("N-1")
def test_money_between_the_levels(live):
    """Between level 1 and 2 one invoice is paid and one in part: the second mail asks for what is left, and for nothing else."""
    world = live(story(Incident("day", 2, "pay", target=0), Incident("day", 2, "part", target=1)))
    assert world.wrong == []
    first, second = world.sendings()
    assert (len(first.invoices), first.total) == (3, Decimal("600.00"))
    assert dict(second.asked) == {world.invoices[1]: Decimal("199.00"), world.invoices[2]: Decimal("300.00")}


@pytest.mark.feature("N-1")
@pytest.mark.parametrize("what", ["pay", "part", "block", "cancel", "local_block"])
def test_a_bundle_is_decided_anew_when_one_of_it_changes(live, what):
    """One of three invoices changes after the drafts are made, right before the mail: nothing of the old content goes out."""
    world = live(story(Incident("look", 4, what, after=True, target=1), levels=1))
    assert world.wrong == []
    kept = 3 if what == "part" else 2
    sizes = [len(sent.invoices) for sent in world.sendings()]
    assert sizes in ([kept], [3])  # overtaken between the last look and the call: the whole bundle went out before
    assert world.overtaken == (0 if sizes == [kept] or what == "part" else 1)


@pytest.mark.feature("N-1")
@pytest.mark.parametrize("provider", ["billomat", "sevdesk"])
def test_a_person_reminds_by_hand(live, provider):
    """Somebody reminds by hand between two levels: their reminder counts, and ours does not come on top."""
    by_hand = Incident("day", 2, "by_hand")
    world = live(story(by_hand, provider=provider, way="provider", bundle=False))
    assert world.wrong == []
    assert len([sent for sent in world.sendings() if world.invoices[0] in sent.invoices]) == 1


@pytest.mark.feature("N-1")
def test_approved_and_paid_before_it_goes_out(live):
    """A person approves, the customer pays, delivery begins: the paid invoice is not reminded of."""
    world = live(story(Incident("look", 1, "pay", target=2), levels=1, approval=True))
    assert world.wrong == []
    assert all(world.invoices[2] not in sent.invoices for sent in world.sendings())
