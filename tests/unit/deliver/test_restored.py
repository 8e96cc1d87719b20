"""After a backup was put back: what was on its way is looked up before it is done again, step by step."""

from datetime import timedelta

from bridge.contract import Act, CannotTell
from bridge.model import Covered
from bridge.store.cases import Stamp
from bridge.store.restored import RESTORED
from tests.unit.deliver.scene import BY_PROVIDER, OWN_LETTER, START, TODAY

STAMP = Stamp(at=START, on=TODAY, actor="Erika")


def restore(scene):
    store = scene.store
    with store.begin() as conn:
        return store.restored.begin(conn, START - timedelta(days=3), STAMP, now=store.now())


def settle(scene, times=12):
    for _ in range(times):
        scene.deliver()
        scene.clock.pass_(seconds=scene.settings.settling_seconds + 1)


def test_what_was_done_since_is_found_and_not_done_again(both):
    """Every step of a notice that was queued in the backup and went out since is found at the provider; none is called."""
    made = both.notice(BY_PROVIDER)
    assert restore(both) == {"dropped": 0, "doubted": len(both.states(made))}
    both.provider.finds = ["r2"] * 12
    settle(both)
    assert both.states(made) == ["done"] * len(both.states(made))
    assert not [one for one in both.provider.calls if isinstance(one[0], Act)]


def test_what_was_not_done_is_done_once(both):
    """Where the provider provably holds nothing of the first step, nothing after it happened either: all of it is done, once."""
    made = both.notice(BY_PROVIDER)
    restore(both)
    both.provider.finds = [None] * 3
    settle(both)
    assert both.states(made) == ["done"] * len(both.states(made))
    assert len(both.provider.did(Act.CREATE)) == 1


def test_a_message_that_nobody_can_look_up_waits_for_a_person(scene):
    """A letter that may have been laid out since, and that the outbox no longer holds, is never laid out by itself."""
    made = scene.notice(OWN_LETTER)
    restore(scene)
    settle(scene)
    assert "parked" in scene.states(made)
    assert "done" not in scene.states(made)


def test_a_doubted_notice_can_be_given_up(scene):
    """What waits behind a doubted step goes with its notice."""
    made = scene.notice(BY_PROVIDER)
    restore(scene)
    scene.provider.finds = [CannotTell("gone")] * 3
    settle(scene, 4)
    assert scene.states(made)[0] == "parked"
    with scene.store.begin() as conn:
        scene.store.outbox.steps.discard(conn, scene.steps(made)[0].id, now=START)
        scene.store.outbox.drop(conn, made, reason="changed", text="x", today=TODAY, now=START)
    assert set(scene.states(made)) == {"discarded", "dropped"}


def test_proposals_of_the_backup_are_decided_anew(scene):
    """What a person may have approved and what may have gone out since is not taken from an old proposal."""
    made = scene.notice(BY_PROVIDER, needs_approval=True)
    assert restore(scene)["dropped"] == 1
    assert scene.get(made).state == "dropped"


def adopt(scene, said, *, on=TODAY, deadline=None):
    with scene.store.begin() as conn:
        known = scene.store.restored.invoices(conn, ["a"])
        where = known.get(said.fingerprint)
        assert where is not None
        more = {"on": on, "deadline": deadline, "identity": "<1@x>"}
        return scene.store.restored.adopt(conn, where, said, STAMP, **more)


def standing(scene, invoice_id):
    with scene.store.reading() as conn:
        return scene.store.cases.standings(conn, "a", [invoice_id])[invoice_id]


def said(scene, invoice_id, level, *, round_=1, repetition=0):
    return Covered.of("a", invoice_id, round_=round_, level=level, repetition=repetition)


def test_a_level_rises_to_what_went_out_and_never_falls(both):
    """The newest message counts, however often and in whatever order they are read."""
    invoice_id = both.get(both.notice(BY_PROVIDER)).claims[0].invoice_id
    assert adopt(both, said(both, invoice_id, 2))
    assert not adopt(both, said(both, invoice_id, 2))
    assert not adopt(both, said(both, invoice_id, 1), on=TODAY + timedelta(days=1))
    assert adopt(both, said(both, invoice_id, 2, repetition=1), on=TODAY + timedelta(days=2))
    found = standing(both, invoice_id)
    assert (found.level, found.repetition, found.level_on, found.adopted) == (2, 1, TODAY + timedelta(days=2), True)


def test_a_message_of_a_later_round_blocks_what_it_is_about(scene):
    """A payment was taken back since: that round is not known here, so a person decides."""
    invoice_id = scene.get(scene.notice(BY_PROVIDER)).claims[0].invoice_id
    adopt(scene, said(scene, invoice_id, 2))
    assert adopt(scene, said(scene, invoice_id, 1, round_=2), on=TODAY + timedelta(days=1))
    with scene.store.reading() as conn:
        [block] = scene.store.choices.blocks(conn, "a", invoice_ids=[invoice_id])
    assert (block.reason, block.note) == ("parked", "<1@x>")
    assert standing(scene, invoice_id).level == 2


def test_the_hold_ends_by_a_person_alone(scene):
    """It is kept in the database, with who was asked; the release is in the journal."""
    restore(scene)
    store = scene.store
    with store.begin() as conn:
        store.restored.asked(conn, "smtp", 3, STAMP)
        assert store.restored.hold(conn).asked == {"smtp": 3}
        store.restored.release(conn, STAMP, note="x")
        assert store.restored.hold(conn) is None
        assert store.settings.get(conn, RESTORED) is False
