"""What must hold on bad days too: one run at a time, failures in sight, limits kept, sending off, broken records, reminders by hand."""

from dataclasses import replace

import pytest

from bridge.contract import Act
from tests.faults.history import History, Incident
from tests.faults.world import World

DIES = Incident("deliver.attempt._begin", 1, "die", after=True)


def history(*incidents, way="provider", debtors=(0,), **more):
    amounts = ("119.00", "238.00")[: len(debtors)]
    return History(0, "billomat", way, debtors, amounts, incidents, **{"levels": 1, "gaps": (1,), **more})


@pytest.fixture
def living(stage):
    """Return a world that is set up, to be lived through by hand."""

    def begin(lived):
        return World(lived, stage, stage.clear())

    return begin


@pytest.mark.feature("P-27", "N-2")
def test_a_second_run_while_the_first_one_reads(living, monkeypatch):
    """Two runs are started at once, and the first one dies in its first call: the second says that one is running, nothing comes twice."""
    world = living(history(Incident("read", 3, "other"), DIES))
    refused = []

    def run_too(_late):
        refused.extend(one.state for one in world.process().bridge.run().pulled)

    monkeypatch.setattr(world, "_other", run_too)
    world.run()
    assert refused == ["running"]
    assert world.wrong == []
    assert world.deaths == 1
    assert len(world.sendings()) == 1


@pytest.mark.feature("P-28", "P-29", "P-30")
def test_the_mail_server_fails_on_a_bad_day(living):
    """SMTP refuses, then cuts after taking the mail: failed in sight, level unchanged, retry offered; a person settles it, one mail in all."""
    world = living(
        history(Incident("mail", 1, "451"), Incident("mail", 2, "cut", after=True), way="mail", record=False)
    )
    with world.living():
        world.work(lambda process: process.bridge.run())
        bridge = world.processes[0].bridge
        [failure] = [one for group in bridge.failures() for one in group.ids]
        assert bridge.failure(failure).state == "queued"
        assert (world.sendings(), world.count("landed")) == ([], 0)
        assert [one.outcome for one in bridge.replay([failure], dry_run=True)] == ["again"]
        world.finish()
        assert world.wrong == []
        assert (len(world.sendings()), world.count("parked")) == (1, 1)
        world.help()
        world.round()
        assert (len(world.sendings()), world.count("parked"), world.count("landed")) == (1, 0, 1)
        assert all(one.outcome == "nothing" for one in bridge.replay([failure]))
        world.round()
        assert len(world.sendings()) == 1


@pytest.mark.feature("P-36")
def test_a_limit_is_kept_whoever_dies(living):
    """The provider says 429 to the call, and the process dies: the next one waits until the limit is over, and says until when."""
    dies = Incident("deliver.attempt._release", 1, "die", after=True)
    world = living(history(Incident(Act.CREATE, 1, "429"), dies))
    with world.living():
        began = world.clock()
        with pytest.raises(BaseException):  # noqa: B017  it dies
            world.process().bridge.run()
        world.doomed = False
        [account] = world.process().bridge.status().accounts
        assert (account.blocked_until - began).total_seconds() == pytest.approx(30, abs=5)
        world.finish()
    assert world.wrong == []
    assert len(world.sendings()) == 1


@pytest.mark.feature("P-37")
def test_sending_is_off_while_all_goes_wrong(living):
    """Sending is off, answers are cut and a process dies: the data is fresh, nothing is made; switched on again, it goes out once."""
    world = living(history(Incident("day", 1, "off"), Incident("read", 4, "cut"), Incident("pull._done", 1, "die")))
    with world.living():
        world.round()
        bridge = world.processes[0].bridge
        [account] = bridge.status().accounts
        assert (account.stale, account.open_count) == (False, 1)
        assert (world.sendings(), world.provider.drafts(), world.provider.records()) == ([], set(), [])
        world.finish()
    assert world.deaths == 1
    assert world.wrong == []
    assert len(world.sendings()) == 1


@pytest.mark.feature("P-31")
def test_a_broken_record_on_a_bad_day(living):
    """One invoice has a broken date, and the process dies while it reads: that one is set aside, the other one goes its way."""
    world = living(history(Incident("pull._write_group", 1, "die", after=True), debtors=(0, 1)))
    with world.living():
        world.provider.sandbox.change_invoice(world.invoices[0], due_date="kaputt")
        world.round()
        [group] = world.processes[0].bridge.failures()
        assert (group.kind, group.count) == ("reject", 1)
        assert [one.invoices for one in world.sendings()] == [[world.invoices[1]]]


@pytest.mark.feature("P-26", "N-2")
def test_reminded_by_hand_while_our_call_is_lost(living):
    """Somebody reminds by hand and the answer to our own call is lost: theirs is shown and adopted, ours does not come on top."""
    made = history(Incident("look", 2, "by_hand", after=True), Incident(Act.COMPLETE, 1, "cut", after=True), DIES)
    world = living(replace(made, levels=2, gaps=(1, 11)))
    world.run()
    assert world.wrong == []
    assert world.provider.truth(world.invoices[0]).by_hand
