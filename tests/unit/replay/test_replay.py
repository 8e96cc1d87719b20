"""What staff may do with what stopped: seen, explained, tried again exactly once, or given up."""

import pytest

from bridge.contract import Act, Batch, Cursor, Refused, Reject, RetryLater, Unclear
from bridge.errors import UsageError
from bridge.replay import Again, FailedRun, Kind, Plan, Replay, parse_id
from tests.unit.deliver.scene import BY_PROVIDER, OWN_LETTER, START, TODAY

WHO = {"actor": "anna", "reason": "checked in the mailbox"}


def lost_mail(scene):
    """A mail whose answer was lost, parked after the settling time."""
    made = scene.notice()
    scene.mail.pushes = [Unclear("connection lost", cause="connection_lost")]
    scene.deliver()
    scene.settle()
    [only] = scene.steps(made)
    assert only.state == "parked"
    return made, f"step-{only.id}"


def refused_mail(scene):
    made = scene.notice()
    scene.mail.pushes = [Refused("no such mailbox", cause="smtp_550")]
    scene.deliver()
    return made, f"step-{scene.steps(made)[0].id}"


@pytest.mark.feature("P-28", "P-29")
def test_failed_item_is_seen_and_replayed_once(both):
    """A failed delivery is listed with its cause; replayed, exactly one mail goes out; replayed again, none."""
    replay = Replay(both.deliverer.desk, both.deliverer.accounts)
    made, item = refused_mail(both)
    [found] = replay.failures()
    assert (found.id, found.cause, found.text, found.invoices) == (item, "smtp_550", "no such mailbox", ("RE-1",))
    assert both.levels() == {"1": 0}
    assert replay.preview([item])[0].plan is Plan.AGAIN
    assert replay.replay(item, **WHO).plan is Plan.AGAIN
    both.deliver()
    assert replay.replay(item, **WHO).plan is Plan.NOTHING
    both.deliver()
    assert len(both.mail.sent) == 1
    assert both.get(made).state == "landed"
    assert replay.failures() == []
    [event] = both.events("step_replayed")
    assert (event["actor"], event["data"]["reason"]) == ("anna", WHO["reason"])


def test_grouped_by_cause(scene, replay):
    """Equal failures stand together, the largest group first."""
    for number in "123":
        claim_id, case_id = scene.claim(number)
        scene.notice(claims=[(number, claim_id)], case_id=case_id)
    scene.mail.pushes = [Refused("550", cause="smtp_550"), Refused("550", cause="smtp_550"), Unclear("lost")]
    scene.deliver()
    assert [(group.cause, len(group.items)) for group in replay.groups()] == [("smtp_550", 2), ("unclear", 1)]
    with scene.store.reading() as conn:
        found = scene.store.outbox.steps.failures_by_cause(conn)
    assert [(group.cause, group.state, group.count) for group in found] == [
        ("smtp_550", "parked", 2),
        ("unclear", "unclear", 1),
    ]


def test_waiting_after_a_fault_is_seen(scene, replay):
    """A delivery that is tried again later is visible meanwhile, and can be hurried."""
    scene.notice()
    scene.mail.pushes = [RetryLater("server is down", cause="smtp_421")]
    scene.deliver()
    [found] = replay.failures()
    assert (found.state, found.cause) == ("queued", "smtp_421")
    replay.replay(found.id, **WHO)
    scene.deliver()
    assert len(scene.mail.sent) == 1
    assert replay.failures() == []


@pytest.mark.feature("N-2")
def test_unknown_send_needs_a_person(scene, replay):
    """Of a mail of which nobody can tell, a person must say whether it went out; nothing happens without."""
    made, item = lost_mail(scene)
    assert replay.preview([item])[0].plan is Plan.ASK
    with pytest.raises(UsageError, match="say whether it went out"):
        replay.replay(item, **WHO)
    with pytest.raises(UsageError, match="may have reached the debtor"):
        replay.discard(item, **WHO)
    assert scene.states(made) == ["parked"]
    assert scene.events("step_replayed") == scene.events("step_discarded") == []


def test_person_says_it_went_out(scene, replay):
    """With evidence the mail counts as gone out, on the day it did; it is not sent again."""
    made, item = lost_mail(scene)
    replay.replay(item, **WHO, went_out=True, on=TODAY)
    assert scene.get(made).state == "landed"
    assert scene.levels() == {"1": 1}
    assert scene.steps(made)[0].proof.facts == {"asserted_by": "anna", "evidence": WHO["reason"]}
    scene.deliver()
    assert scene.mail.sent == []


def test_person_says_it_did_not(scene, replay):
    """By name and reason the mail is queued again, and goes out exactly once."""
    made, item = lost_mail(scene)
    assert replay.replay(item, **WHO, went_out=False).plan is Plan.AGAIN
    scene.deliver()
    assert scene.get(made).state == "landed"
    assert len(scene.mail.sent) == 1


def test_proof_counts_more_than_a_word(scene, replay):
    """Somebody says that the mail did not go out, but the archive holds it: it is done, not sent again."""
    made, item = lost_mail(scene)
    scene.mail.finds = ["m1"]
    assert replay.replay(item, **WHO, went_out=False).plan is Plan.FOUND
    assert scene.get(made).state == "landed"
    scene.deliver()
    assert scene.mail.sent == []


def test_preview_changes_nothing(scene, replay):
    """A preview only reads."""
    made, item = lost_mail(scene)
    scene.mail.finds = ["m1"]
    assert replay.preview([item])[0].plan is Plan.FOUND
    assert scene.states(made) == ["parked"]


def test_provably_absent(scene, replay):
    """A lost create that the provider certainly does not hold is done again without asking anybody."""
    scene.notice(BY_PROVIDER)
    scene.provider.pushes = [Unclear("lost")]
    scene.deliver()
    scene.settle()
    [found] = replay.failures()
    scene.provider.finds = [None]
    assert replay.replay(found.id, **WHO).plan is Plan.AGAIN


def test_unclear_is_left_to_its_settling_time(scene, replay):
    """While it settles, a person cannot hurry it into a second call."""
    made = scene.notice()
    scene.mail.pushes = [Unclear("lost")]
    scene.deliver()
    item = f"step-{scene.steps(made)[0].id}"
    assert replay.replay(item, **WHO, went_out=False).plan is Plan.WAIT
    assert scene.states(made) == ["unclear"]
    scene.mail.finds = ["m1"]
    assert replay.replay(item, **WHO).plan is Plan.FOUND
    assert scene.get(made).state == "landed"


def test_provider_that_does_not_answer(scene, replay):
    """When the provider cannot be asked, nothing is done on its behalf."""
    made, item = lost_mail(scene)
    scene.mail.finds = [RetryLater("archive is down")]
    assert replay.replay(item, **WHO).plan is Plan.WAIT
    assert scene.states(made) == ["parked"]


def test_discard_drops_the_notice(scene, replay):
    """Giving up a refused draft drops its notice; what we made at the provider is deleted, and all is decided anew."""
    made = scene.notice(BY_PROVIDER)
    scene.provider.pushes = [None, Refused("locked")]
    scene.deliver()
    item = replay.failures()[0].id
    replay.discard(item, **WHO)
    scene.deliver()
    assert scene.get(made).state == "dropped"
    assert scene.provider.notices == {}
    assert replay.discard(item, **WHO).text == "it was discarded"
    [event] = scene.events("step_discarded")
    assert event["actor"] == "anna"


def test_discard_after_the_landing(scene, replay):
    """Giving up a record after the letter keeps the letter and its level."""
    made = scene.notice(OWN_LETTER)
    scene.deliver()
    scene.deliverer.mark_posted(made, actor="anna")
    scene.provider.pushes = [Refused("locked")]
    scene.deliver()
    replay.discard(replay.failures()[0].id, **WHO)
    scene.deliver()
    assert scene.get(made).state == "landed"
    assert scene.levels() == {"1": 1}
    assert [one.state for one in scene.steps(made)][3:] == ["discarded", "done", "done"]


def test_late_alarm_can_be_accepted(scene, replay):
    """A step parked with its late proof is accepted with it, or discarded; never done again."""
    made = scene.notice((Act.CREATE, Act.NOTE), automation="create")
    scene.provider.pushes = [lambda w: scene.provider.effect(w).model_copy(update={"level": 4})]
    scene.deliver()
    item = replay.failures()[0].id
    with pytest.raises(UsageError, match="accept it as done"):
        replay.replay(item, **WHO)
    with pytest.raises(UsageError, match="accept it as done"):
        replay.replay(item, **WHO, went_out=False)
    replay.replay(item, **WHO, went_out=True)
    scene.deliver()
    assert scene.states(made) == ["done", "done"]
    assert len(scene.provider.did(Act.CREATE)) == 1


def reject(scene, **values):
    given = {"kind": "invoice", "provider_id": "1", "field": "dueDate", "value": "x", "reason": "no date", "raw": "{}"}
    with scene.store.begin() as conn:
        batch = Batch(rejects=(Reject(**(given | values)),), cursor=Cursor(data={}))
        scene.store.mirror.write(conn, "a", batch, business_date=TODAY, now=START)
        return f"reject-{scene.store.mirror.rejects.list(conn)[0].id}"


def test_reject_is_read_again(scene, replay):
    """A record that was mended at the provider fits after a replay, and is listed no more."""
    scene.claim("1")
    item = reject(scene)
    assert replay.failures()[0].text == "dueDate = x: no date"
    assert replay.preview([item])[0].plan is Plan.READ
    assert replay.replay(item, **WHO).text == "it fits now"
    assert replay.failures() == []
    assert replay.replay(item, **WHO).plan is Plan.NOTHING


def test_reject_of_another_kind(scene):
    """A record that cannot be looked at singly is read again with its account."""
    pulled = []
    replay = Replay(scene.deliverer.desk, scene.deliverer.accounts, Again(pull=lambda *told: pulled.append(told)))
    item = reject(scene, kind="debtor", provider_id="d9")
    assert "still does not fit" in replay.replay(item, **WHO).text
    assert pulled == [("a", "anna")]
    replay.discard(item, **WHO)
    assert replay.failures() == []
    assert scene.events("reject_discarded")[0]["data"]["reason"] == WHO["reason"]


def test_records_without_a_field_are_one_group(scene, replay):
    """Lines of a file that cannot be read are one cause, whatever their numbers."""
    for line in (6, 17):
        reject(scene, kind="row", provider_id=None, field="", raw=f"line {line}")
    [group] = replay.groups()
    assert (group.cause, len(group.items)) == ("bad_record", 2)


def test_failed_run(scene):
    """A failed run is listed and can be run again."""
    failed, again = [FailedRun(id=3, kind="pull", account="a", cause="http_503", text="down", started_at=START)], []
    ports = Again(failed_runs=lambda _conn, _account: failed, rerun=lambda run, *told: again.append((run.id, *told)))
    replay = Replay(scene.deliverer.desk, scene.deliverer.accounts, ports)
    assert replay.failures()[0].id == "run-3"
    assert replay.replay("run-3", **WHO).plan is Plan.RUN
    assert again == [(3, "anna", WHO["reason"])]
    failed.clear()
    assert replay.replay("run-3", **WHO).plan is Plan.NOTHING


def test_a_step_whose_turn_has_not_come(scene, replay):
    """What nobody approved or delivered yet has not failed: a replay says so, and so does giving it up."""
    item = f"step-{scene.steps(scene.notice(OWN_LETTER))[-1].id}"
    for told in (replay.preview([item])[0], replay.replay(item, **WHO), replay.discard(item, **WHO)):
        assert (told.plan, told.text) == (Plan.NOTHING, "its turn has not come yet")


def test_a_record_is_found_by_its_number(scene, replay):
    """A record that was set aside is kept as it came, and found by any value of it, whole."""
    reject(scene, raw='{"id": "9", "invoiceNumber": "RE-900", "sumGross": "a lot"}')
    reject(scene, provider_id=None, field="", raw="RE-901; Café ;12,00")
    found = replay.failures()
    assert [[one.about(number) for one in found] for number in ("RE-900", "RE-901", "RE-90")] == [
        [False, True], [True, False], [False, False],
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", "12", "step", "step-", "step-x", "letter-1", "step--1"])
def test_bad_id(text, replay):
    """What is no id of a failure is refused with an example."""
    with pytest.raises(UsageError, match="step-12"):
        parse_id(text)


def test_words_are_needed(scene, replay):
    """Nobody acts without name and reason."""
    _, item = refused_mail(scene)
    for words in ({"actor": " ", "reason": "x"}, {"actor": "anna", "reason": ""}):
        with pytest.raises(UsageError):
            replay.replay(item, **words)
        with pytest.raises(UsageError):
            replay.discard(item, **words)
    assert parse_id(item)[0] is Kind.STEP
    with pytest.raises(UsageError, match="not stopped"):
        replay.get("step-99")
    assert replay.get(item).id == item
