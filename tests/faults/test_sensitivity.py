"""The judge sees: each part of the protocol that is taken out on purpose is found by a history, which is clean with it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bridge.contract import Act, CannotTell
from bridge.deliver import Attempt, attempt
from bridge.deliver.landing import Landing
from bridge.deliver.writing import claim_of
from bridge.model.patience import Delivery
from bridge.store.records import Step
from bridge.store.tables import step
from bridge.words import Sentence
from tests.faults.history import History, Incident


def history(*incidents, way="provider", provider="billomat", record=True):
    return History(0, provider, way, (0,), ("119.00",), incidents, levels=1, record=record)


def no_lease(process, patch):
    """A step that another worker is sending counts as free."""

    def take(conn, step_id, **_values):
        conn.execute(update(step).where(step.c.id == step_id).values(state="queued", lease_owner=None, started_at=None))
        return "queued"

    steps = process.bridge.store.outbox.steps
    real = steps.expired
    patch.setattr(steps, "expired", lambda conn, account, now: real(conn, account, now + timedelta(days=1)))
    patch.setattr(steps, "expire", take)


def no_settling(process, patch):
    """A lost answer is looked for at once, and one look is believed."""
    hasty = Delivery.model_construct(**{**Delivery().model_dump(), "settling_seconds": 0, "finds": 1})
    process.bridge.accounts["a"] = replace(process.port, settings=hasty)


def no_look(process, patch):
    """Nothing is looked at before the call."""
    patch.setattr(attempt, "LOOKED", frozenset())


def no_recheck(process, patch):
    """The look is taken and not judged."""
    patch.setattr("bridge.dun.judge.recheck", lambda *_told: None)


def absence_believed(process, patch):
    """A mail of which there is no trace counts as not sent."""

    def believing(find):
        def none(write):
            try:
                return find(write)
            except CannotTell:
                return None

        return none

    patch.setattr(Step, "reaches_debtor", False)
    for giver in (process.port.connector, *process.bridge.channels.values()):
        giver.find = believing(giver.find)


def blind_retry(process, patch):
    """A lost answer counts as nothing written."""

    def again(self, cause, text):
        return self._give_back(text)

    patch.setattr(Attempt, "_lose", again)


def no_fence(process, patch):
    """A worker whose claim was lost during its look calls all the same."""
    steps = process.bridge.store.outbox.steps

    def start(conn, step_id, owner, *, now, acted_at, **_values):
        conn.execute(update(step).where(step.c.id == step_id).values(started_at=now, acted_at=acted_at))

    patch.setattr(steps, "start", start)
    patch.setattr(Attempt, "_used_up", lambda _self: False)


def drafts_left(process, patch):
    """The drafts of a dropped notice are forgotten."""
    patch.setattr(process.bridge.store.outbox, "_discards", lambda *_told: [])


def level_of_plan(process, patch):
    """The provider's own counter of reminders is compared with the plan's level."""

    def mismatch(_self, notice, step, proof):
        claim = claim_of(notice, step)
        wrong = step.act is Act.CREATE and proof.level != claim.level
        return Sentence("made level {level}", level=proof.level) if wrong else None

    patch.setattr(Landing, "_mismatch", mismatch)


def no_landing(process, patch):
    """What went out does not raise the level."""
    patch.setattr(process.bridge.store.outbox, "land", lambda *_told, **_values: [])


CASES = [
    (no_lease, history(Incident(Act.SEND_EMAIL, 1, "other")), "went out 2 times"),
    (no_lease, history(Incident(Act.SEND_EMAIL, 1, "other"), provider="sevdesk"), "went out 2 times"),
    (no_settling, history(Incident(Act.CREATE, 1, "other_late")), "is ours, and we do not know it"),
    (no_look, history(), "without a look"),
    (no_recheck, history(Incident(Act.CREATE, 1, "pay", after=True)), "although it was paid"),
    (no_recheck, history(Incident(Act.CREATE, 1, "local_block", after=True)), "although it was blocked"),
    (
        no_recheck,
        history(Incident(Act.CREATE, 1, "cancel", after=True), provider="sevdesk"),
        "although it was cancelled",
    ),
    (no_recheck, history(Incident(Act.CREATE, 1, "part", after=True)), "was asked for"),
    (absence_believed, history(Incident("mail", 1, "cut", after=True), way="mail"), "went out 2 times"),
    (blind_retry, history(Incident(Act.SEND_EMAIL, 1, "cut", after=True)), "went out 2 times"),
    (blind_retry, history(Incident(Act.SEND_EMAIL, 1, "500", after=True)), "went out 2 times"),
    (no_fence, history(Incident("look", 1, "other_late"), way="mail", record=False), "went out 2 times"),
    (no_fence, history(Incident("look", 1, "other_late"), way="mail"), "is ours, and we do not know it"),
    (drafts_left, history(Incident(Act.CREATE, 1, "pay", after=True)), "was left over"),
    (no_landing, history(), "do not show it as landed"),
    (
        level_of_plan,
        replace(history(Incident("day", 2, "pay"), Incident("day", 3, "give_back")), gaps=(11, 11, 11)),
        "parked although nothing failed",
    ),
]


@pytest.mark.parametrize(
    ("change", "lived", "found"), CASES, ids=[f"{case[0].__name__}-{n}" for n, case in enumerate(CASES)]
)
def test_broken_protocol_is_found(live, monkeypatch, change, lived, found):
    """Without this part of the protocol the history goes wrong; with it, it does not."""
    assert live(lived).wrong == []
    with monkeypatch.context() as patch:
        world = live(lived, change=lambda process: change(process, patch))
    assert any(found in one.text for one in world.wrong), world.wrong
