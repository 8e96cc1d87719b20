"""Half-way, where a person must act: refused, discarded, unknown whether it went out, approved and not; letters that wait for the post."""

import pytest
from sqlalchemy import update

from bridge.contract import Act, NoticeStatus, Refused, Unclear
from bridge.errors import UsageError, WrongState
from bridge.model import Reason
from bridge.store.tables import notice
from tests.unit.deliver.bundle import DAY, MONDAY, Bundle, Killed, bundling
from tests.unit.deliver.halfway import AFTER, ALL, MAIL, approve, block, choose, parked, replay, statuses, whole
from tests.unit.dun.stage import customer, debtor, invoice

# -------------------------------------------------------------------------------------------------- a person must act


@pytest.mark.parametrize("number", [1, 2, 3, MAIL])
def test_refused_before_the_mail(bundle, number):
    """It waits for a person with the drafts that were made; tried again it goes on, discarded its drafts are deleted."""
    bundle.happen(number, Refused("no"))
    bundle.calm()
    bundle.judge_all()
    assert (bundle.box.sent, len(bundle.waits())) == ([], 1)
    replay(bundle).replay(parked(bundle), actor="anna", reason="put right there")
    bundle.calm()
    whole(bundle)


@pytest.mark.parametrize("number", [3, MAIL])
def test_discarded_before_the_mail(bundle, number):
    """Given up by a person: every draft is deleted, and the bundle is decided anew."""
    bundle.happen(number, Refused("no"))
    bundle.calm()
    replay(bundle).discard(parked(bundle), actor="anna", reason="start again")
    bundle.deliver()
    assert statuses(bundle) == []
    bundle.calm()
    whole(bundle)


@pytest.mark.parametrize("when", ["instead", "after"])
@pytest.mark.parametrize("what", [Killed, Unclear("lost")], ids=["killed", "answer lost"])
def test_nobody_knows_whether_the_mail_went_out(bundle, what, when):
    """The archive cannot tell: it is never sent again by itself, no level rises, and a person decides what follows."""
    bundle.box.archive = False
    bundle.happen(MAIL, what, when)
    bundle.calm()
    bundle.judge_all()
    assert bundle.waits() == [Act.MAIL]
    assert len(bundle.box.sent) == (when == "after")
    assert (bundle.levels(), statuses(bundle)) == ([0, 0, 0], [("1", "draft"), ("2", "draft")])
    person = replay(bundle)
    with pytest.raises(UsageError, match="say whether it went out"):
        person.replay(parked(bundle), actor="anna", reason="looked")
    with pytest.raises(UsageError, match="may have reached the debtor"):
        person.discard(parked(bundle), actor="anna", reason="away with it")
    person.replay(parked(bundle), actor="anna", reason="asked the debtor", went_out=when == "after")
    bundle.calm()
    whole(bundle)


def test_a_mail_that_the_archive_holds(bundle):
    """The process dies after the mail was accepted: it is found in the archive, and the records are finished."""
    bundle.happen(MAIL, Killed, "after")
    bundle.calm()
    whole(bundle)


@pytest.mark.feature("N-1")
@pytest.mark.parametrize("before", ["", "alt@example.com"], ids=["none before", "another before"])
@pytest.mark.parametrize("level", ["", ":1"], ids=["at every level", "at this level"])
def test_a_recipient_that_a_person_chose_after_it_was_parked(sqlite_store, before, level):
    """The address is dead, somebody names another one, and only then lets it go out: it goes to the one that they named, and once."""
    bundle = Bundle(sqlite_store)
    if before:
        choose(customer(), mail_to=before)(bundle)
    bundle.decide()
    bundle.happen(MAIL, Refused("550 no such user"))
    bundle.calm()
    choose(customer(), **{f"mail_to{level}": "neu@example.com"})(bundle)
    replay(bundle).replay(parked(bundle), actor="anna", reason="to the new one")
    bundle.calm()
    whole(bundle)
    assert [one.content.recipients.to for one in bundle.box.sent] == [("neu@example.com",)]


@pytest.mark.feature("N-1")
def test_an_invoice_that_was_moved_to_another_customer(sqlite_store):
    """What people chose was for the customer before: nothing goes there, the other one is written to by themselves."""
    bundle = Bundle(sqlite_store)
    choose(customer(), mail_to="alt@example.com")(bundle)
    bundle.decide()

    def move(one):
        one.provider.debtor = debtor(2, email="neu@example.com")
        held = one.provider.invoices
        held |= {key: known.model_copy(update={"debtor_id": "d2"}) for key, known in held.items()}

    bundle.happen(MAIL, move, "look")
    report = bundle.deliver()
    assert (report.dropped, bundle.box.sent) == (1, [])
    bundle.calm()
    assert [one.content.recipients.to for one in bundle.box.sent] == [("neu@example.com",)]


@pytest.mark.parametrize("number", AFTER)
def test_refused_after_the_mail(bundle, number):
    """The record is parked for itself: every level has risen, the other record is finished, no second mail, and a person is told."""
    bundle.happen(number, Refused("locked"))
    bundle.calm()
    bundle.judge_all()
    assert bundle.asked() == ALL
    assert bundle.levels() == [1, 1, 0]
    assert len(bundle.waits()) == 1
    other = {6: "2", 7: "2", 8: "1"}.get(number)
    assert other is None or (other, "sent") in statuses(bundle)
    replay(bundle).replay(parked(bundle), actor="anna", reason="unlocked")
    bundle.calm()
    whole(bundle)


def test_a_document_that_is_refused(bundle):
    """No mail without what goes with it: it waits for a person, with the drafts that were made."""
    bundle.provider.documents = [Refused("there is no PDF of RE-1")]
    bundle.calm()
    bundle.judge_all()
    assert (bundle.box.sent, bundle.waits()) == ([], [Act.MAIL])
    replay(bundle).replay(parked(bundle), actor="anna", reason="made there")
    bundle.calm()
    whole(bundle)


def test_a_draft_that_cannot_be_deleted(bundle):
    """Somebody completed our draft by hand before the bundle was dropped: a person is told, and nothing goes out beside it."""

    def completed(one):
        one.provider.show("r1", NoticeStatus.FINAL)
        one.pay("2")

    bundle.happen(MAIL, completed, "look")
    bundle.calm()
    bundle.judge_all()
    assert (bundle.box.sent, bundle.waits()) == ([], [Act.DISCARD])
    bundle.provider.show("r1", NoticeStatus.DRAFT)
    replay(bundle).replay(parked(bundle), actor="anna", reason="set back there")
    bundle.calm()
    bundle.judge_all()
    assert bundle.asked() == [["RE-1", "RE-3"]]
    with bundle.store.reading() as conn:
        states = [one.state for one in bundle.store.outbox.listing(conn)]
    assert states == ["landed", "dropped"], "what was given up does not come back to be confirmed as sent"


def test_a_record_that_came_out_at_another_level(bundle):
    """The provider counts differently than was to be expected: no mail, a person sees it."""
    effect = bundle.provider.effect
    bundle.provider.pushes = [lambda write: effect(write).model_copy(update={"level": 3})]
    bundle.calm()
    bundle.judge_all()
    assert (bundle.box.sent, bundle.waits()) == ([], [Act.CREATE])


# ------------------------------------------------------------------------------------------------------------ approval


def change_the_mail(bundle):
    """Let somebody change what is stored, around the program: another total."""
    with bundle.store.begin() as conn:
        conn.execute(update(notice).values(total_cents=1))


@pytest.mark.parametrize("then", ["approved", "refused"])
def test_an_approval_that_no_longer_fits_half_way(proposal, then):
    """After the first draft the stored content differs: it is proposed again; refused then, the draft is deleted."""
    approve(proposal)
    proposal.happen(2, change_the_mail, "after")
    proposal.deliver()
    [found] = proposal.notices()
    assert (found.state, statuses(proposal)) == ("proposed", [("1", "draft")])
    if then == "approved":
        approve(proposal)
        proposal.deliver()
        assert proposal.asked() == ALL
        return
    with proposal.store.begin() as conn:
        proposal.store.outbox.refuse(conn, found.id, text="no", now=proposal.clock())
    proposal.deliver()
    assert (proposal.box.sent, statuses(proposal)) == ([], [])
    assert proposal.notices()[0].state == "refused"


def test_an_approval_withdrawn_half_way(proposal):
    """Once the first record is made the approval stands; a block is what stops the rest, and nothing of it is left."""
    approve(proposal)
    proposal.happen(3, Killed, "look")
    proposal.deliver()
    [found] = proposal.notices()
    with pytest.raises(WrongState), proposal.store.begin() as conn:
        proposal.store.outbox.refuse(conn, found.id, text="no", now=proposal.clock())
    block(customer(), Reason.DISPUTE)(proposal)
    proposal.calm()
    proposal.judge_all()
    assert (proposal.box.sent, statuses(proposal)) == ([], [])


def test_what_comes_up_while_a_bundle_waits_for_approval_belongs_into_it(proposal):
    """A further invoice falls due before anybody approved: one proposal over all, not a second one beside it."""
    proposal.day += DAY
    proposal.provider.invoices["4"] = invoice(4, due_on=MONDAY - 10 * DAY)
    proposal.decide()
    [waiting] = [one for one in proposal.notices() if one.state == "proposed"]
    assert [one.invoice_number for one in waiting.claims] == ["RE-1", "RE-2", "RE-3", "RE-4"]
    approve(proposal)
    proposal.deliver()
    assert len(proposal.box.sent) == 1


# ------------------------------------------------------------------------------------------------------------- letters


@pytest.fixture
def letter(sqlite_store):
    """A bundle that is to go out as our letter."""
    made = Bundle(sqlite_store, bundling(channel="letter"), act=Act.LETTER)
    made.decide()
    return made


def test_a_letter_is_the_point_of_no_return_once_it_is_posted(letter):
    """Written it raises nothing; posted all its claims rise and their records are finished, whatever was paid meanwhile."""
    letter.deliver()
    letter.judge_all()
    assert (letter.levels(), statuses(letter)) == ([0, 0, 0], [("1", "draft"), ("2", "draft")])
    letter.pay("1")
    letter.calm()
    assert len(letter.box.sent) == 1
    letter.worker().mark_posted(letter.notices()[-1].id, actor="anna")
    letter.calm()
    whole(letter)


def test_a_letter_taken_back(letter):
    """Taken back before the post: its drafts are deleted, and what is right now is decided anew."""
    letter.deliver()
    letter.pay("1")
    letter.worker().withdraw(letter.notices()[-1].id, actor="anna", reason="RE-1 was paid")
    letter.calm()
    assert letter.asked() == [["RE-1", "RE-2", "RE-3"], ["RE-2", "RE-3"]]
    assert len(letter.box.withdrawn) == 1


@pytest.mark.parametrize("when", ["instead", "after"])
def test_nobody_knows_whether_the_letter_was_written(letter, when):
    """It is not written again by itself, and no level rises."""
    letter.box.archive = False
    letter.happen(MAIL, Killed, when)
    letter.calm()
    assert letter.waits() == [Act.LETTER]
    assert len(letter.box.sent) == (when == "after")
    assert letter.levels() == [0, 0, 0]
