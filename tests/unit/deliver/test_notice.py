"""A notice as a whole: its key, its approval, its drop, its landing."""

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from bridge.contract import Act, Batch, Cursor, InvoiceStatus, NoticeStatus, ProviderNotice, Reason, Refused, Unclear
from bridge.deliver import AccountPort
from bridge.deliver.attempt import Attempt, Outcome
from bridge.errors import WrongState
from bridge.store.outbox import NoticeExists
from bridge.store.tables import claim, invoice, notice, notice_claim, step
from tests.unit.deliver.scene import BY_PROVIDER, MAIL, OWN_LETTER, START, TODAY, Clock, Scene


def pay(scene, invoice_id="1"):
    known = scene.provider.invoices[invoice_id]
    scene.provider.invoices[invoice_id] = known.model_copy(
        update={"status": InvoiceStatus.PAID, "open": Decimal("0.00")}
    )


def approve(scene, made):
    with scene.store.begin() as conn:
        shown = scene.store.outbox.get(conn, made).hash
        scene.store.outbox.approve(conn, made, shown_hash=shown, actor="anna", now=scene.clock())


@pytest.mark.feature("N-1", "S-SEV-3")
def test_paid_before_sending(both):
    """Who pays after the decision and before the delivery gets no reminder, and the notice says why."""
    made = both.notice()
    pay(both)
    report = both.deliver()
    assert (report.dropped, report.problems) == (1, ["RE-1: paid meanwhile"])
    assert both.mail.sent == []
    found = both.get(made)
    assert (found.state, found.reason, found.reason_text) == ("dropped", "paid", "paid meanwhile")
    assert both.states(made) == ["dropped"]
    assert both.row(invoice, id="1")["next_on"] == TODAY
    [event] = both.events("notice_dropped")
    assert (event["invoice_id"], event["data"]["reason"]) == ("1", "paid")


@pytest.mark.feature("N-1")
def test_blocked_before_sending(scene):
    """A block set after the decision stops the reminder."""
    scene.notice()
    scene.rules.blocked.add("1")
    assert scene.deliver().dropped == 1
    assert scene.mail.sent == []


@pytest.mark.feature("P-26")
def test_reminder_by_hand_before_creating(scene):
    """A reminder that somebody made by hand meanwhile stops ours."""
    made = scene.notice(BY_PROVIDER)
    scene.provider.notices["h1"] = ProviderNotice(id="h1", invoice_id="1", level=1, status=NoticeStatus.SENT)
    scene.deliver()
    assert scene.get(made).reason == Reason.FOREIGN_REMINDER_RUNNING.value
    assert not scene.provider.did(Act.CREATE)


def test_drop_before_the_letter(both):
    """One claim that is paid before the letter drops the whole notice: no letter, our drafts are deleted, all is decided anew."""
    made = both.pair(OWN_LETTER)
    both.provider.pushes = [None, lambda w: pay(both, "1") or both.provider.effect(w)]
    both.deliver()
    assert both.letter.sent == []
    assert both.get(made).state == "dropped"
    assert both.provider.notices == {}
    discards = [one for one in both.steps(made) if one.act is Act.DISCARD]
    assert [one.state for one in discards] == ["done", "done"]
    assert {both.row(invoice, id=i)["next_on"] for i in "12"} == {TODAY}
    assert not any(claim.live for claim in both.get(made).claims)


def test_key_is_free_after_a_drop(scene):
    """After a drop the same level can be decided anew, and waits until our draft is gone."""
    claim_id, case_id = scene.claim()
    first = scene.notice(BY_PROVIDER, claims=[("1", claim_id)], case_id=case_id)
    scene.provider.pushes = [lambda w: scene.rules.blocked.add("1") or scene.provider.effect(w), Refused("not now")]
    scene.deliver()
    scene.rules.blocked.clear()
    second = scene.notice(BY_PROVIDER, claims=[("1", claim_id)], case_id=case_id)
    scene.deliver()
    assert scene.states(second)[0] == "queued"  # our draft is still there: deleting it was refused
    assert [one.state for one in scene.steps(first)][-1] == "parked"
    assert scene.provider.did(Act.CREATE) == [(Act.CREATE, "1")]


@pytest.mark.feature("N-2")
def test_key_is_unique(both):
    """A second notice for the same claim, round, level, repetition and channel cannot be stored."""
    new = both.compose()
    both.insert(new)
    with pytest.raises(NoticeExists, match="notice 1"):
        both.insert(new)
    with both.store.begin() as conn, pytest.raises(NoticeExists):
        both.store.outbox.insert(conn, new, now=START)
    both.deliver()
    with pytest.raises(NoticeExists):
        both.insert(new)


def test_failed_insert_leaves_the_transaction_usable(both):
    """A run that meets a taken key goes on with its other notices in the same transaction."""
    new = both.compose()
    other_id, case_id = both.claim("2")
    other = both.compose(claims=[("2", other_id)], case_id=case_id)
    with both.store.begin() as conn:
        both.store.outbox.insert(conn, new, now=START)
        with pytest.raises(NoticeExists):
            both.store.outbox.insert(conn, new, now=START)
        both.store.outbox.insert(conn, other, now=START)
    assert both.deliver().done == 2


def test_proposal_waits_for_approval(both):
    """A proposal is not delivered; approved, it is, and by whom is kept."""
    made = both.notice(automation="propose", needs_approval=True)
    assert both.deliver().done == 0
    approve(both, made)
    assert both.deliver().done == 1
    assert both.get(made).approved_by == "anna"


def test_approval_binds_to_what_was_shown(scene):
    """What changed after it was shown cannot be approved."""
    new = scene.compose(automation="propose", needs_approval=True)
    made = scene.insert(new)
    shown = scene.get(made).hash
    with scene.store.begin() as conn:
        content = new.content.model_copy(update={"subject": "another"})
        assert scene.store.outbox.edit(conn, made, replace(new, content=content), now=START) == 2
    with pytest.raises(WrongState), scene.store.begin() as conn:
        scene.store.outbox.approve(conn, made, shown_hash=shown, actor="anna", now=START)
    approve(scene, made)
    assert scene.deliver().done == 1


def edited(scene, made, new, subject="another"):
    """Change the subject of a stored notice in itself and its steps."""
    content = new.content.model_copy(update={"subject": subject})
    steps = tuple(replace(one, content=content) for one in new.steps)
    with scene.store.begin() as conn:
        return scene.store.outbox.edit(conn, made, replace(new, content=content, steps=steps), now=scene.clock())


@pytest.mark.feature("S-AGI-9")
@pytest.mark.parametrize("queued", [False, True], ids=["approved", "queued"])
def test_what_was_approved_and_waits_is_edited(both, queued):
    """Approved, or handed to delivery already and waiting for its hours: an edit is a new version, and only that one, approved again, goes out."""
    new = both.compose(automation="propose", needs_approval=True)
    made = both.insert(new)
    approve(both, made)
    if queued:
        both.rules.opening = START + timedelta(hours=1)
        assert both.deliver().later == 1
        both.rules.opening = None
    assert edited(both, made, new) == 2
    found = both.get(made)
    assert (found.state, found.approved_hash, found.approved_by) == ("proposed", None, None)
    assert both.deliver().done == 0
    approve(both, made)
    both.deliver()
    assert [one.content.subject for one in both.mail.sent] == ["another"]


def test_an_edit_comes_too_late(both):
    """A worker that has claimed the step is not overtaken: the edit is refused in plain words, and what was approved goes out."""
    new = both.compose()
    made = both.insert(new)
    [step_id] = [one.id for one in both.steps(made)]
    with both.store.begin() as conn:
        both.store.outbox.steps.claim(conn, step_id, "w", now=START, until=START + timedelta(minutes=5))
    with pytest.raises(WrongState, match="being delivered already, and can no longer be edited"):
        edited(both, made, new)
    assert (both.get(made).version, both.states(made)) == (1, ["sending"])


def test_what_is_sent_is_not_edited(scene):
    """What went out is not edited, and the refusal says why."""
    new = scene.compose()
    made = scene.insert(new)
    scene.deliver()
    with pytest.raises(WrongState, match="is sent; only what has not begun to go out"):
        edited(scene, made, new)


def test_a_claim_comes_too_late(both):
    """A worker that read the step before the edit claims nothing: what it read is gone, and the new version waits for its approval."""
    new = both.compose()
    made = both.insert(new)
    [before] = both.steps(made)
    edited(both, made, new)
    port = AccountPort("a", both.provider, both.http, both.settings)
    assert Attempt(both.deliverer.desk, port, before).run().outcome is Outcome.LOST
    assert both.mail.sent == []
    assert both.states(made) == ["waiting"]


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (notice, {"total_cents": 99900}),
        (notice, {"recipient": "thief@example.org"}),
        (notice_claim, {"open_cents": 1}),
        (step, {"content": {"recipients": {"to": ["thief@example.org"]}}}),
    ],
    ids=["total", "recipient", "claim", "step"],
)
def test_changed_after_approval(scene, table, values):
    """What differs from the approved content in any way is proposed again instead of sent."""
    made = scene.notice(automation="propose", needs_approval=True)
    approve(scene, made)
    with scene.store.begin() as conn:
        conn.execute(update(table).values(**values))
    scene.deliver()
    assert scene.mail.sent == []
    found = scene.get(made)
    assert (found.state, found.approved_hash) == ("proposed", None)
    assert scene.states(made) == ["waiting"]


def test_edit_after_the_first_claim(scene):
    """Once a step was claimed the notice can no longer be edited or refused."""
    new = scene.compose(BY_PROVIDER)
    made = scene.insert(new)
    scene.provider.pushes = [Unclear("lost")]
    scene.deliver()
    with scene.store.begin() as conn:
        with pytest.raises(WrongState, match="being delivered already"):
            scene.store.outbox.edit(conn, made, new, now=START)
        with pytest.raises(WrongState):
            scene.store.outbox.refuse(conn, made, text="no", now=START)
        with pytest.raises(WrongState, match="under way"):
            scene.store.outbox.drop(conn, made, reason="paid", text="", today=TODAY, now=START)


def test_refuse(scene):
    """A refused proposal frees its key and is never delivered."""
    new = scene.compose(automation="propose", needs_approval=True)
    made = scene.insert(new)
    with scene.store.begin() as conn:
        scene.store.outbox.refuse(conn, made, text="not this customer", now=START)
    assert scene.states(made) == ["dropped"]
    assert scene.deliver().done == 0
    assert scene.insert(new) != made


def test_record_after_the_letter_fails_for_itself(scene):
    """After the letter a record that is refused is parked alone: no second letter, no lower level, the others go on."""
    made = scene.pair(OWN_LETTER)
    scene.deliver()
    scene.deliverer.mark_posted(made, actor="anna")
    scene.provider.pushes = [Refused("locked")]
    scene.deliver()
    states = {(one.act, one.claim_id): one.state for one in scene.steps(made)}
    assert states[Act.COMPLETE, 1] == "parked"
    assert states[Act.MARK_SENT, 1] == "waiting"
    assert states[Act.NOTE, 1] == states[Act.COMPLETE, 2] == states[Act.MARK_SENT, 2] == "done"
    assert scene.get(made).state == "landed"
    assert scene.levels() == {"1": 1, "2": 1}
    assert len(scene.letter.sent) == 1


def test_paid_after_the_letter(scene):
    """After the letter has gone its records are finished even if the debtor pays meanwhile."""
    made = scene.pair(OWN_LETTER)
    scene.deliver()
    scene.deliverer.mark_posted(made, actor="anna")
    pay(scene, "1")
    scene.deliver()
    assert {one.state for one in scene.steps(made)} == {"done"}


def test_wrong_level_is_parked(scene):
    """A reminder that came out at another level than expected is not sent; a person sees it."""
    made = scene.notice(BY_PROVIDER)
    scene.provider.pushes = [lambda w: scene.provider.effect(w).model_copy(update={"level": 3})]
    scene.deliver()
    first = scene.steps(made)[0]
    assert (first.state, first.cause) == ("parked", "mismatch")
    assert "level 3 where 1" in first.error
    assert scene.get(made).state == "parked"
    assert not scene.provider.did(Act.SEND_EMAIL)


def test_level_is_never_lowered(scene):
    """A landing leaves alone a claim that is further already, or in a new round."""
    made = scene.pair(MAIL)
    with scene.store.begin() as conn:
        conn.execute(update(claim).where(claim.c.invoice_id == "1").values(level=2))
        conn.execute(update(claim).where(claim.c.invoice_id == "2").values(round=2))
    scene.deliver()
    assert scene.get(made).state == "landed"
    assert scene.levels() == {"1": 2, "2": 0}


def test_partly_landed_notice_keeps_what_landed(scene):
    """Where the provider sends one mail per claim, a change to a later claim drops only what has not gone out."""
    made = scene.pair((Act.SEND_EMAIL, Act.NOTE))
    scene.provider.pushes = [lambda w: pay(scene, "2") or scene.provider.effect(w)]
    scene.deliver()
    assert scene.levels() == {"1": 1, "2": 0}
    assert scene.provider.did(Act.SEND_EMAIL) == [(Act.SEND_EMAIL, "1")]
    assert scene.provider.did(Act.NOTE) == [(Act.NOTE, "1")]
    found = scene.get(made)
    assert found.state == "landed"
    assert [one.live for one in found.claims] == [True, False]


def test_shown_as_sent_by_the_provider(scene):
    """A created reminder that a person sent at the provider lands as soon as a pull shows it."""
    made = scene.notice((Act.CREATE,), automation="create")
    scene.deliver()
    reminder = scene.get(made).claims[0].reminder_id
    shown = scene.provider.notices[reminder].model_copy(update={"status": NoticeStatus.SENT})
    with scene.store.begin() as conn:
        batch = Batch(notices=(shown,), cursor=Cursor(data={}))
        scene.store.mirror.write(conn, "a", batch, business_date=TODAY, now=START)
    assert scene.deliver().landed == 1
    assert scene.levels() == {"1": 1}
    assert scene.row(claim, invoice_id="1")["level_on"] == date(2026, 3, 2)


def test_written_letter_is_not_dropped(scene):
    """A letter that lies in the outbox may be on its way to the post: only a person who takes it back can drop its notice."""
    made = scene.pair(OWN_LETTER)
    scene.deliver()
    with scene.store.begin() as conn, pytest.raises(WrongState, match="withdraw it"):
        scene.store.outbox.drop(conn, made, reason="paid", text="", today=TODAY, now=START)
    scene.deliverer.withdraw(made, actor="anna", reason="taken out of the folder")
    scene.deliver()
    assert scene.get(made).state == "dropped"
    assert scene.provider.notices == {}
    assert scene.levels() == {"1": 0, "2": 0}
    assert scene.events("notice_dropped")[0]["actor"] == "anna"
    assert scene.letter.withdrawn == [scene.letter.sent[0].marker]
    with pytest.raises(WrongState, match="nothing that waits"):
        scene.deliverer.withdraw(made, actor="anna", reason="again")


def test_posted_letter_is_not_taken_back(scene):
    """A letter that somebody has just posted cannot be withdrawn: it lands, and no second one takes its place."""
    made = scene.pair(OWN_LETTER)
    scene.deliver()
    scene.letter.posted = START
    with pytest.raises(Refused, match="posted"):
        scene.deliverer.withdraw(made, actor="anna", reason="too late")
    scene.deliver()
    assert scene.get(made).state == "landed"


@pytest.mark.postgres
def test_edit_while_a_worker_begins(postgres_store, monkeypatch):
    """A worker begins its call while somebody edits the notice: the edit is refused, the step and its proof are not lost."""
    scene = Scene(postgres_store, Clock())
    new = scene.compose()
    made = scene.insert(new)
    get, left = scene.store.outbox.get, [True]

    def begins(conn, notice_id, *, lock=False):
        if lock and left:
            left.pop()
            scene.deliver()
        return get(conn, notice_id, lock=lock)

    with scene.store.begin() as conn:
        monkeypatch.setattr(scene.store.outbox, "get", begins)
        with pytest.raises(WrongState):
            scene.store.outbox.edit(conn, made, new, now=START)
    assert scene.states(made) == ["done"]


@pytest.mark.postgres
def test_no_worker_claims_what_is_being_edited(postgres_store, monkeypatch):
    """Between the look of an edit and its change no worker gets the step: its claim waits, and finds nothing."""
    scene = Scene(postgres_store, Clock())
    new = scene.compose()
    made = scene.insert(new)
    steps, claims = scene.store.outbox.steps, []
    read = steps.of_notice

    def reads(conn, notice_id, **more):
        found = read(conn, notice_id, **more)
        with suppress(OperationalError), scene.store.begin() as other:
            other.exec_driver_sql("set local lock_timeout = '20ms'")
            steps.claim(other, found[0].id, "w", now=START, until=START + timedelta(minutes=5))
            claims.append(found[0].id)
        return found

    with scene.store.begin() as conn:
        monkeypatch.setattr(steps, "of_notice", reads)
        scene.store.outbox.changeable(conn, made, lock=True)
    assert claims == []


def test_created_reminder_can_be_dropped(scene):
    """A reminder that is only created can be dropped again; the draft is deleted."""
    made = scene.notice((Act.CREATE,), automation="create")
    scene.deliver()
    with scene.store.begin() as conn:
        scene.store.outbox.drop(conn, made, reason="paid", text="", today=TODAY, now=START)
    scene.deliver()
    assert scene.provider.notices == {}


def test_reopened_notice_can_be_approved_as_it_is(scene):
    """What was sent back to be approved again is approved as it is stored now, and then goes out."""
    made = scene.notice(automation="propose", needs_approval=True)
    approve(scene, made)
    with scene.store.begin() as conn:
        conn.execute(update(notice).values(total_cents=12000))
    scene.deliver()
    assert scene.get(made).state == "proposed"
    assert scene.get(made).version == 2
    assert [one["notice_id"] for one in scene.events("notice_reopened")] == [made]
    approve(scene, made)
    scene.deliver()
    assert scene.get(made).state == "landed"
