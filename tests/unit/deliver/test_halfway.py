"""Half-way: whatever happens between the first record of a bundle and the last, no second mail, no wrong amount, nothing untold."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.contract import Act, ConfigError, NoticeStatus, RetryLater, Unclear
from bridge.model import Reason
from bridge.store.outbox import Outbox
from tests.unit.deliver.bundle import DAY, MONDAY, Bundle, Killed, bundling
from tests.unit.deliver.halfway import (
    AFTER,
    ALL,
    MAIL,
    SENT,
    approve,
    block,
    choose,
    credited,
    foreign,
    gone,
    moved,
    named,
    pay,
    statuses,
    whole,
)
from tests.unit.dun.stage import about, customer, invoice

BEFORE = (1, 2, 3, 4)
AMEND = 4


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


# ----------------------------------------------------------------------------------------------------------- terms


@pytest.mark.parametrize("what", [Killed, Unclear("lost")], ids=["killed", "answer lost"])
@pytest.mark.parametrize("when", ["instead", "after"])
def test_the_term_is_written_half_way(bundle, when, what):
    """Our payment term replaces the provider's own on each record before anything goes out; a call that dies does not leave the other one there."""
    bundle.happen(AMEND, what, when)
    bundle.deliver()
    assert bundle.box.sent == []
    assert bundle.provider.notices["r2"].deadline == MONDAY + (7 if when == "after" else 14) * DAY
    bundle.calm()
    whole(bundle)
    assert {one.deadline for one in bundle.provider.notices.values()} == {MONDAY + 7 * DAY}


@pytest.mark.feature("N-1")
@pytest.mark.parametrize(
    ("known", "told"), [(None, 7), (3, 7), (9, 9)], ids=["no term", "a shorter one", "a longer one"]
)
def test_dying_in_the_landing_that_extends_a_term(bundle, monkeypatch, known, told):
    """The mail is out, and the process dies between the levels and the term of what went along: all of it or nothing, then once, never shorter."""
    extend, died = Outbox._extend, []

    def dies(*given):
        extend(*given)
        if not died:
            died.append(given)
            raise Killed

    monkeypatch.setattr(Outbox, "_extend", dies)
    if known is not None:
        named(bundle, "3", MONDAY + known * DAY)
    before = bundle.standing("3").deadline
    bundle.deliver()
    assert (len(bundle.box.sent), len(died)) == (1, 1)
    assert (bundle.levels(), bundle.standing("3").deadline) == ([0, 0, 0], before)
    bundle.calm()
    whole(bundle)
    assert [bundle.standing(one).deadline for one in "123"] == [MONDAY + 7 * DAY, MONDAY + 7 * DAY, MONDAY + told * DAY]


# -------------------------------------------------------------------------------------------- the world has changed


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
    report = bundle.deliver()
    assert report.dropped == 1
    assert [one.told("de") for one in report.problems] == [
        "RE-4: seit der Entscheidung geändert: nur erwähnte Rechnung; mit verworfen: RE-1, RE-2, RE-3"
    ]
    bundle.decide()
    approve(bundle)
    bundle.deliver()
    assert bundle.asked() == [["RE-1", "RE-2", "RE-3", "RE-4"]]
