"""Lost answers, lost claims, late proofs: found, repeated only where absence is provable, else left to a person."""

from datetime import timedelta

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import OperationalError

from bridge.contract import Act, CannotTell, ConfigError, Reason, Refused, RetryLater, Unclear
from bridge.deliver import Attempt, write_back
from bridge.store.states import STEP_EDGES
from tests.unit.deliver.scene import BY_PROVIDER, OWN_LETTER, START

CREATE = (Act.CREATE,)


def after_effect(scene, error=None):
    """The provider writes, and the answer is lost."""

    def push(write):
        scene.provider.effect(write)
        raise error or Unclear("connection lost")

    return push


@pytest.mark.feature("N-2")
def test_found_after_settling(both):
    """A reminder that was made although its answer was lost is found and not made again."""
    made = both.notice(BY_PROVIDER)
    both.provider.pushes = [after_effect(both)]
    both.provider.finds = ["r2"]
    both.deliver()
    assert both.states(made)[0] == "unclear"
    both.deliver()
    assert not both.provider.did("find")  # not before the settling time
    both.clock.pass_(seconds=both.settings.settling_seconds + 1)
    report = both.deliver()
    assert report.found == 1
    assert len(both.provider.did(Act.CREATE)) == 1
    assert both.states(made) == ["done"] * 4
    assert both.get(made).claims[0].reminder_id == "r2"
    assert both.steps(made)[0].proof.found_later


@pytest.mark.feature("N-2")
def test_absence_is_believed_after_several_reads(scene):
    """Only after several reads, spread over time, is a lost create made again."""
    made = scene.notice(BY_PROVIDER)
    scene.provider.pushes = [Unclear("connection lost")]
    scene.provider.finds = [None, None, None]
    scene.deliver()
    scene.clock.pass_(seconds=scene.settings.settling_seconds + 1)
    for reads in (1, 2):
        scene.deliver()
        scene.deliver()
        assert len(scene.provider.did("find")) == reads
        assert len(scene.provider.did(Act.CREATE)) == 1
        scene.clock.pass_(seconds=scene.settings.settling_seconds / 3 + 1)
    assert scene.deliver().again == 1
    assert len(scene.provider.did(Act.CREATE)) == 2
    assert scene.states(made) == ["done"] * 4
    first = scene.steps(made)[0].id
    told = [scene.events(kind) for kind in ("step_unclear", "step_absent")]
    assert [[one["step_id"] for one in events] for events in told] == [[first], [first]], "both stand in the journal"
    assert told[0][0]["data"]["act"] == "create"


@pytest.mark.feature("N-2")
@pytest.mark.parametrize("act", [Act.MAIL, Act.LETTER, Act.SEND_EMAIL, Act.SEND_POST])
def test_absence_of_a_send_is_never_believed(scene, act):
    """Whatever `find` says, a send whose answer was lost is never repeated by itself."""
    made = scene.notice((act,))
    for giver in (scene.provider, scene.mail, scene.letter):
        giver.pushes = [Unclear("connection lost")]
    scene.provider.finds = [None] * 9
    scene.deliver()
    scene.settle()
    scene.settle()
    assert scene.states(made) == ["parked"]
    assert scene.get(made).state == "parked"
    assert scene.mail.sent == scene.letter.sent == []
    assert len(scene.provider.did(act)) <= 1
    assert scene.levels() == {"1": 0}


def test_find_that_cannot_tell_parks(scene):
    """A create of which the provider cannot tell is left to a person after the last read."""
    made = scene.notice(CREATE)
    scene.provider.pushes = [Unclear("lost")]
    scene.deliver()
    scene.settle()
    [only] = scene.steps(made)
    assert (only.state, only.cause) == ("parked", "cannot_tell")
    assert only.started_at is not None


def test_the_proof_of_another_write_back_proves_nothing(scene):
    """An answer that names another write-back is no proof of this one, on the call or on `find`: it is looked for, then a person asked."""
    made = scene.notice(CREATE)

    def crossed(write):
        return scene.provider.effect(write).model_copy(update={"key": "a/99/1/create/00000000"})

    scene.provider.pushes = [crossed]
    scene.deliver()
    [only] = scene.steps(made)
    assert (only.state, only.cause, only.proof) == ("unclear", "other_proof", None)
    assert scene.get(made).claims[0].reminder_id is None  # another notice's record is not taken for ours
    scene.provider.find = crossed
    scene.settle()
    [only] = scene.steps(made)
    assert (only.state, only.cause, only.proof) == ("parked", "other_proof", None)
    assert len(scene.provider.did(Act.CREATE)) == 1


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (RetryLater("down"), "unclear"),
        (ConfigError("revoked"), "unclear"),
        (Refused("x"), "unclear"),
        (KeyError("bug"), "parked"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_error_of_find(scene, error, state):
    """A provider that does not answer proves nothing; the step stays unclear, a bug leaves it to a person."""
    made = scene.notice(CREATE)
    scene.provider.pushes = [Unclear("lost")]
    scene.provider.finds = [error]
    scene.deliver()
    scene.clock.pass_(seconds=200)
    scene.deliver()
    assert scene.states(made) == [state]
    assert len(scene.provider.did(Act.CREATE)) == 1


def claimed(scene, made, *, lease=300):
    """Claim the first step as a worker that then dies; return its owner."""
    [first, *_] = scene.steps(made)
    with scene.store.begin() as conn:
        until = scene.clock() + timedelta(seconds=lease)
        scene.store.outbox.steps.claim(conn, first.id, "dead", now=scene.clock(), until=until)
    return first.id


def started(scene, made, *, lease=300):
    """The same, died after the call had begun."""
    step_id = claimed(scene, made, lease=lease)
    with scene.store.begin() as conn:
        now = scene.clock()
        scene.store.outbox.steps.start(
            conn, step_id, "dead", now=now, acted_at=START, lasts_until=now + timedelta(seconds=70), baseline=[]
        )
    return step_id


def test_claim_of_the_dead_before_the_call(scene):
    """A worker that died before its call cost nothing: after the lease the step is done by another."""
    made = scene.notice()
    claimed(scene, made)
    scene.deliver()
    assert scene.states(made) == ["sending"]
    scene.clock.pass_(seconds=301)
    scene.deliver()
    assert scene.states(made) == ["done"]
    assert len(scene.mail.sent) == 1


def test_claim_of_the_dead_during_the_call(scene):
    """A worker that died during its call may have written: after the lease the step is unclear, never simply repeated."""
    made = scene.notice()
    started(scene, made)
    scene.clock.pass_(seconds=301)
    assert scene.deliver().unclear == 1
    assert scene.mail.sent == []
    [event] = scene.events("step_unclear")
    assert (event["data"]["cause"], event["notice_id"]) == ("lease_expired", made)
    scene.settle()
    assert scene.states(made) == ["parked"]
    assert scene.mail.sent == []


def test_lease_that_does_not_outlast_the_call(scene):
    """A call is not begun when its lease would end during it."""
    made = scene.notice()
    scene.provider.on_look = lambda: scene.clock.pass_(seconds=235)
    scene.deliver()
    assert scene.mail.sent == []
    [only] = scene.steps(made)
    assert (only.state, only.started_at) == ("queued", None)


def test_a_clock_set_back_makes_no_look_younger(scene):
    """The clock is set back during a look that took too long: the seconds that really passed count, and nothing is called."""
    made, passed = scene.notice(), [0.0]

    def hang():
        scene.clock.pass_(seconds=235, hours=-1)
        passed[0] += 235

    scene.provider.on_look = hang
    scene.worker(ticks=lambda: passed[0]).run("a")
    assert scene.mail.sent == []
    [only] = scene.steps(made)
    assert (only.state, only.started_at) == ("queued", None)


def test_slow_commit_uses_up_the_lease(scene):
    """The lease is judged again after the commit that begins the call."""
    made = scene.notice()
    start = scene.store.outbox.steps.start

    def slow(*args, **values):
        start(*args, **values)
        scene.clock.pass_(seconds=240)

    scene.store.outbox.steps.start = slow
    scene.deliver()
    assert scene.mail.sent == []
    [only] = scene.steps(made)
    assert (only.state, only.started_at) == ("queued", None)


def test_claim_lost_during_the_look(scene):
    """A worker whose lease ended during the look does not call, when another one has done the step."""
    made = scene.notice()
    other = scene.worker()

    def overtaken():
        scene.provider.on_look = lambda: None
        scene.clock.pass_(seconds=301)
        other.run("a")

    scene.provider.on_look = overtaken
    scene.deliver()
    assert len(scene.mail.sent) == 1
    assert scene.states(made) == ["done"]


def test_two_workers_at_every_call(both):
    """A second worker that comes at any call of the first one does not do the same step."""
    both.notice(BY_PROVIDER)
    other = both.worker()

    def interrupted(write):
        other.run("a")
        return both.provider.effect(write)

    both.provider.pushes = [interrupted] * 4
    both.deliver()
    assert [one[0] for one in both.provider.calls if one[0] != "look"] == [*BY_PROVIDER]


def late(scene, made, effect, *, meanwhile):
    """Let the call outlast its lease while others do `meanwhile`."""

    def push(write):
        scene.clock.pass_(seconds=301)
        meanwhile()
        return effect(write)

    return push


def test_late_proof_of_an_unclear_step(scene):
    """A proof that comes after the claim was lost turns unclear into done (edge f)."""
    made = scene.notice()
    other = scene.worker()
    scene.mail.pushes = [late(scene, made, scene.mail.effect, meanwhile=lambda: other.run("a"))]
    scene.deliver()
    assert scene.states(made) == ["done"]
    assert scene.get(made).state == "landed"
    assert len(scene.mail.sent) == 1


def test_late_proof_of_a_parked_step(scene):
    """A proof that comes after the step was parked turns it into done (edge l)."""
    made = scene.notice()
    other = scene.worker()

    def meanwhile():
        other.run("a")
        for _ in range(4):
            scene.clock.pass_(seconds=200)
            other.run("a")
        assert scene.get(made).state == "parked"

    scene.mail.pushes = [late(scene, made, scene.mail.effect, meanwhile=meanwhile)]
    scene.deliver()
    assert scene.states(made) == ["done"]
    assert scene.get(made).state == "landed"
    assert scene.levels() == {"1": 1}


@pytest.mark.parametrize("state", sorted(STEP_EDGES["k"].sources))
def test_late_proof_of_a_step_given_back(scene, state):
    """A proof that comes after the step was given back parks it with an alarm (edge k); the proof is kept."""
    made = scene.notice(CREATE)
    step_id = started(scene, made)
    scene.force(step_id, state=state, lease_owner="another", started_at=None)
    attempt = Attempt(scene.deliverer.desk, scene.deliverer.accounts["a"], scene.steps(made)[0])
    attempt._owner = "dead"
    ended = attempt._proved(scene.provider.effect(_write(scene, made)))
    assert ended.alarm
    [only] = scene.steps(made)
    assert (only.state, only.cause) == ("parked", "late_proof")
    assert only.proof is not None
    assert scene.get(made).state == "parked"
    assert scene.get(made).claims[0].reminder_id == only.proof.provider_id
    assert len(scene.events("step_alarm")) == 1


def _write(scene, made):
    return write_back(scene.get(made), scene.steps(made)[0])


def test_second_record_is_an_alarm(scene):
    """A late proof of another record than the proven one is told, and changes nothing."""
    made = scene.notice(CREATE)
    scene.deliver()
    attempt = Attempt(scene.deliverer.desk, scene.deliverer.accounts["a"], scene.steps(made)[0])
    proof = scene.steps(made)[0].proof
    assert not attempt._proved(proof).alarm
    assert attempt._proved(proof.model_copy(update={"provider_id": "another"})).alarm
    assert scene.states(made) == ["done"]


def test_nothing_written_told_late(scene):
    """A refusal that comes after the lease expired still says for certain that nothing was written."""
    made = scene.notice()
    other = scene.worker()

    def push(write):
        scene.clock.pass_(seconds=301)
        other.run("a")
        raise RetryLater("too many requests")

    scene.mail.pushes = [push]
    scene.deliver()
    [only] = scene.steps(made)
    assert (only.state, only.started_at) == ("queued", None)
    scene.clock.pass_(seconds=120)
    scene.deliver()
    assert len(scene.mail.sent) == 1


def test_other_notices_wait_for_an_unclear_one(scene):
    """While a call on a claim is unclear, no other notice touches that claim."""
    claim_id, case_id = scene.claim()
    first = scene.notice(CREATE, claims=[("1", claim_id)], case_id=case_id)
    scene.provider.pushes = [Unclear("lost")]
    scene.deliver()
    again = scene.compose(claims=[("1", claim_id)], case_id=case_id, channel="letter")
    second = scene.insert(again)
    scene.deliver()
    assert scene.states(first) == ["unclear"]
    assert scene.states(second) == ["queued"]


def test_stop_gives_the_call_a_short_time(scene):
    """Asked to stop, delivery finishes the step in hand and begins no other."""
    scene.notice(BY_PROVIDER)
    deliverer = scene.deliverer

    def push(write):
        deliverer.desk.stop.set()
        return scene.provider.effect(write)

    scene.provider.pushes = [push]
    deliverer.run("a")
    assert [one[0] for one in scene.provider.calls] == ["look", Act.CREATE]


def test_account_of_a_find_is_stopped(scene):
    """Credentials that fail while looking for a lost answer stop the account, also for the runs to come."""
    scene.notice(CREATE)
    scene.provider.pushes = [Unclear("lost")]
    scene.provider.finds = [ConfigError("revoked")]
    scene.deliver()
    scene.clock.pass_(seconds=200)
    assert scene.deliver().stopped == "revoked"
    assert scene.deliver().stopped == "revoked"
    assert len(scene.provider.did("find")) == 1
    assert len(scene.events("account_stopped")) == 1


def test_own_letter_lost_after_drafts(scene):
    """A letter that cannot be told to be written parks the notice; its drafts stay, its level does not rise."""
    made = scene.pair(OWN_LETTER)
    scene.letter.pushes = [Unclear("disk vanished")]
    scene.letter.finds = [CannotTell("folder is empty")] * 5
    scene.deliver()
    scene.settle()
    assert scene.get(made).state == "parked"
    assert scene.get(made).reason == Reason.PARKED.value
    assert scene.levels() == {"1": 0, "2": 0}
    assert len(scene.provider.notices) == 2


def test_a_deadlock_does_not_cost_the_proof(both, monkeypatch):
    """The database breaks off the transaction that stores the proof, as another one stood in its way: it is stored at once again."""
    made = both.notice()
    record, left = both.store.journal.record, [True]

    def breaks(*told, **more):
        record(*told, **more)
        if left:
            left.pop()
            raise OperationalError("update", {}, DeadlockDetected())

    monkeypatch.setattr(both.store.journal, "record", breaks)
    assert both.deliver().landed == 1
    assert both.states(made) == ["done"]
    assert len(both.mail.sent) == 1
    assert len(both.events("step_done")) == 1
