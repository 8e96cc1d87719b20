"""Half-way: whatever happens between the first record of a bundle and the last, no second mail, no wrong amount, nothing untold.

The calls of the bundle under test, in the order of its steps: 1 create, 2 amend (invoice 1), 3 create, 4 amend (invoice 2), 5 the mail,
6 complete, 7 mark as sent (invoice 1), 8 complete, 9 mark as sent (invoice 2), 10 and 11 the notes. Invoice 3 only goes along.
"""

from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.contract import Act, ConfigError, NoticeStatus, Refused, RetryLater, Unclear
from bridge.errors import UsageError, WrongState
from bridge.model import Reason
from bridge.replay import Replay
from tests.unit.deliver.bundle import DAY, MONDAY, Bundle, Killed, bundling
from tests.unit.dun.stage import about, customer, invoice, reminder

MAIL = 5
BEFORE, AFTER = (1, 2, 3, 4), (6, 7, 8, 10)
ALL = [["RE-1", "RE-2", "RE-3"]]


@pytest.fixture
def bundle(sqlite_store):
    """A bundle that was decided and is queued."""
    made = Bundle(sqlite_store)
    made.decide()
    return made


def statuses(bundle):
    """Of the provider's reminders: the invoice and the status of each."""
    return sorted((one.invoice_id, one.status.value) for one in bundle.provider.notices.values())


SENT = [("1", "sent"), ("2", "sent")]


def whole(bundle):
    """Nothing is left to do: what was to happen did, one mail, every record finished, the due ones rose."""
    assert bundle.strikes == {}
    bundle.judge_all()
    assert bundle.asked() == ALL
    assert bundle.levels() == [1, 1, 0]
    assert statuses(bundle) == SENT
    assert bundle.waits() == []
    assert len(bundle.provider.notes) == 2


def replay(bundle):
    desk = bundle.worker()
    return Replay(desk.desk, desk.accounts)


def parked(bundle):
    [one] = [one for one in bundle.all_steps() if one.state == "parked"]
    return f"step-{one.id}"


# --------------------------------------------------------------------------------------------- it goes on by itself


def test_nothing_happens(bundle):
    """Drafts first, then the one mail over all claims, then what finishes each record; a second run adds nothing."""
    bundle.deliver()
    pushed = [call for call in bundle.provider.calls if call[0] not in ("look", "find")]
    assert pushed == [
        *((act, one) for one in "12" for act in (Act.CREATE, Act.AMEND)),
        *((act, one) for one in "12" for act in (Act.COMPLETE, Act.MARK_SENT)),
        *((Act.NOTE, one) for one in "12"),
    ]
    assert bundle.box.sent[0].content.total == Decimal("600.00")
    bundle.calm()
    whole(bundle)


@pytest.mark.feature("N-1", "N-2")
@pytest.mark.parametrize("what", [Killed, Unclear("lost")], ids=["killed", "answer lost"])
@pytest.mark.parametrize("when", ["instead", "after"])
@pytest.mark.parametrize("number", [*BEFORE[:3], *AFTER])
def test_a_record_whose_call_dies_or_is_lost(bundle, number, when, what):
    """Before or after its effect: it is looked up, made if it is not there, and the rest follows; the mail goes out once."""
    bundle.happen(number, what, when)
    bundle.deliver()
    bundle.judge_all()
    bundle.calm()
    whole(bundle)


@pytest.mark.parametrize("number", [1, 3, MAIL, 6, 8])
def test_dying_between_two_steps(bundle, number):
    """The process dies after a step was proven, during the look for the next one: that step is done by the next process."""
    bundle.happen(number, Killed, "look")
    bundle.deliver()
    assert len(bundle.box.sent) == (number > MAIL)
    bundle.calm()
    whole(bundle)


@pytest.mark.parametrize("number", [2, 3, MAIL, 7])
@pytest.mark.parametrize("what", [RetryLater("slow down"), ConfigError("the token was revoked")], ids=["429", "token"])
def test_a_provider_that_is_gone_for_a_while(bundle, number, what):
    """Too many calls, or credentials that were revoked: nothing is repeated that was done, and it goes on once that is over."""
    bundle.happen(number, what)
    report = bundle.deliver()
    assert len(bundle.box.sent) == (number > MAIL)
    if isinstance(what, ConfigError):
        assert report.stopped == "the token was revoked"
        bundle.clock.pass_(hours=1)
        bundle.deliver()
        assert bundle.number == number, "a stopped account is left alone"
        bundle.reconnect()
    bundle.calm()
    whole(bundle)


@pytest.mark.parametrize("number", [2, 4, MAIL, 7])
def test_two_workers(bundle, number):
    """A second worker that delivers in the middle of a call of the first one finds nothing to do, or does the rest: never the same."""
    other = []
    bundle.happen(number, lambda one: other.append(one.worker().run("main")))
    bundle.deliver()
    assert len(other) == 1
    bundle.calm()
    whole(bundle)


def test_a_document_that_cannot_be_fetched_for_a_while(bundle):
    """The mail waits for its attachments, with the drafts made; then it goes out once."""
    bundle.provider.documents = [RetryLater("the document is not ready")]
    bundle.deliver()
    assert (bundle.box.sent, statuses(bundle)) == ([], [("1", "draft"), ("2", "draft")])
    bundle.calm()
    whole(bundle)


# -------------------------------------------------------------------------------------------- the world has changed


def pay(invoice_id, paid=None):
    return lambda bundle: bundle.pay(invoice_id, paid)


def block(target, reason, **more):
    def act(bundle):
        with bundle.store.begin() as conn:
            bundle.store.choices.block(conn, target, reason, bundle.stamp(bundle.day), **more)

    return act


def choose(target, **choice):
    def act(bundle):
        [(name, value)] = choice.items()
        with bundle.store.begin() as conn:
            bundle.store.choices.choose(conn, target, name, value, bundle.stamp(bundle.day))

    return act


def foreign(invoice_id, status):
    def act(bundle):
        made = reminder(99, invoice_id, 1, status, dated_on=bundle.day)
        bundle.provider.notices[made.id] = made

    return act


def gone(bundle):
    del bundle.provider.invoices["2"]


def moved(bundle):
    bundle.provider.debtor = bundle.provider.debtor.model_copy(update={"email": "neu@example.com"})


def credited(bundle):
    known = bundle.provider.invoices["2"]
    bundle.provider.invoices["2"] = known.model_copy(update={"open": Decimal("150.00"), "gross": Decimal("150.00")})


LATER = MONDAY + timedelta(days=30)
CHANGES = {
    "first paid": (pay("1"), [["RE-2", "RE-3"]]),
    "second paid": (pay("2"), [["RE-1", "RE-3"]]),
    "one along paid": (pay("3"), [["RE-1", "RE-2"]]),
    "partly paid": (pay("2", Decimal("50.00")), ALL),
    "amount changed": (credited, ALL),
    "gone": (gone, [["RE-1", "RE-3"]]),
    "disputed": (block(about("1"), Reason.DISPUTE), [["RE-2", "RE-3"]]),
    "one along disputed": (block(about("3"), Reason.DISPUTE), [["RE-1", "RE-2"]]),
    "deferred": (block(about("2"), Reason.DEFERRED, until=LATER), [["RE-1", "RE-3"]]),
    "switched off": (choose(about("2"), include="exclude"), [["RE-1", "RE-3"]]),
    "insolvent": (block(customer(), Reason.INSOLVENCY), []),
    "address changed": (moved, ALL),
    "reminded by hand": (foreign("2", NoticeStatus.SENT), []),
    "one along reminded by hand": (foreign("3", NoticeStatus.SENT), []),
    "foreign draft": (foreign("2", NoticeStatus.DRAFT), [["RE-1", "RE-3"]]),
}


@pytest.mark.feature("N-1")
@pytest.mark.parametrize(
    ("number", "name"),
    [(MAIL, name) for name in CHANGES] + [(2, name) for name in ("first paid", "partly paid", "insolvent")],
    ids=lambda given: {2: "after a draft", MAIL: "before the mail"}.get(given, given),
)
def test_a_change_before_the_mail_drops_the_whole_bundle(bundle, name, number):
    """The drafts are deleted, all is decided anew on the same day, and one mail asks for what is right now."""
    change, asked = CHANGES[name]
    bundle.happen(number, change, "look" if number == MAIL else "after")
    report = bundle.deliver()
    assert (report.dropped, bundle.box.sent) == (1, [])
    bundle.calm()
    bundle.judge_all()
    assert bundle.asked() == asked
    assert bundle.waits() == []
    assert "draft" not in {status for one, status in statuses(bundle) if (one, name) != ("2", "foreign draft")}
    if name == "address changed":
        assert bundle.box.sent[0].content.recipients.to == ("neu@example.com",)


@pytest.mark.parametrize("name", ["second paid", "disputed", "insolvent", "address changed", "reminded by hand"])
def test_a_change_after_the_mail_finishes_the_records(bundle, name):
    """The mail is the point of no return: every record is finished, no level is taken back, nothing goes out again."""
    bundle.happen(MAIL, CHANGES[name][0], "after")
    bundle.calm()
    bundle.judge_all()
    assert bundle.asked() == ALL
    assert bundle.levels() == [1, 1, 0]
    assert [bundle.provider.notices[one].status.value for one in ("r1", "r2")] == ["sent", "sent"]


@pytest.mark.parametrize(("number", "asked"), [(3, [["RE-1"], ["RE-2"]]), (MAIL, ALL)], ids=["drafts", "mail"])
def test_a_process_dies_half_way_and_the_next_reads_a_changed_plan(bundle, number, asked):
    """Before the mail the drafts are deleted and all is decided anew by it; after the mail every record is finished as decided."""

    def change(one):
        one.rules = bundling(when="never")
        raise Killed

    bundle.happen(number, change, "after")
    bundle.deliver()
    bundle.calm()
    bundle.judge_all()
    assert (bundle.asked(), bundle.levels()) == (asked, [1, 1, 0])
    assert (statuses(bundle), bundle.waits()) == (SENT, [])


def test_mentioned_invoices_are_looked_at_too(sqlite_store):
    """An invoice that the text only mentions is paid before the mail: the mail that goes out no longer names it."""
    bundle = Bundle(sqlite_store, bundling(scope="unpaid"))
    bundle.provider.invoices["4"] = invoice(4, due_on=MONDAY + 9 * DAY)
    bundle.decide()
    bundle.happen(MAIL, lambda one: one.pay("4"), "look")
    assert bundle.deliver().dropped == 1
    bundle.calm()
    whole(bundle)
    assert "RE-4" not in bundle.box.sent[0].content.text


def test_a_mentioned_invoice_that_fell_due_meanwhile(sqlite_store):
    """Approved days later, the mail does not say of an invoice that it is not yet due when it is."""
    bundle = Bundle(sqlite_store, bundling(scope="unpaid", automation="propose"))
    bundle.provider.invoices["4"] = invoice(4, due_on=MONDAY)
    bundle.decide()
    bundle.day += 2 * DAY
    approve(bundle)
    assert bundle.deliver().dropped == 1
    bundle.decide()
    approve(bundle)
    bundle.deliver()
    assert bundle.asked() == [["RE-1", "RE-2", "RE-3", "RE-4"]]


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


def approve(bundle):
    with bundle.store.begin() as conn:
        for one in bundle.store.outbox.listing(conn, states=["proposed"]):
            bundle.store.outbox.approve(conn, one.id, shown_hash=one.hash, actor="anna", now=bundle.clock())


@pytest.fixture
def proposal(sqlite_store):
    """A bundle that waits for an approval."""
    made = Bundle(sqlite_store, bundling(automation="propose"))
    made.decide()
    return made


def change_the_mail(bundle):
    """Let somebody change what is stored, around the program: another total."""
    from sqlalchemy import update  # noqa: PLC0415

    from bridge.store.tables import notice  # noqa: PLC0415

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
