"""What is with the collection agency stays there until it is called back, whatever else people do with its case."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from bridge.app.cases import Cases
from bridge.app.collection import Collection
from bridge.app.results import CaseSums
from bridge.errors import UsageError
from bridge.model import Reason
from bridge.store.files import NewFile
from tests.unit.dun.stage import MONDAY, Stage, about, at, customer, days_after, debtor, invoice


class Desk(Cases):
    """The part of the facade that acts in cases, on a store alone."""

    def __init__(self, stage, today):
        self.store, self.accounts, self.actor, self.language = stage.store, {"main": None}, "anna", "en"
        self.plans = stage.rules.plans
        self.today = lambda account: today
        self.stamp = lambda account=None: stage.stamp(today)


@pytest.fixture
def stage(sqlite_store):
    """One customer with two invoices; the first is with the agency."""
    stage = Stage(sqlite_store)
    stage.tell(MONDAY, debtor(), invoice(1), invoice(2))
    stage.run(MONDAY)
    stage.land(MONDAY)
    case = stage.standing().case_id
    with sqlite_store.begin() as conn:
        sqlite_store.handovers.hand_over(conn, "main", case, {"1": "100.00"}, stage.stamp(MONDAY), agency="Muster")
    return stage


def blocks(stage, today):
    with stage.store.reading() as conn:
        found = stage.store.choices.blocks(conn, "main", debtor_ids=["d1"], invoice_ids=["1", "2"], active_on=today)
    return [(one.invoice_id, one.reason) for one in found]


def at_collection(stage):
    with stage.store.reading() as conn:
        return stage.store.handovers.among(conn, "main", ["1", "2"]), len(
            stage.store.overview.cases(conn, "collection")
        )


def test_no_unblocking_takes_a_claim_from_the_agency(stage):
    """Lifting blocks leaves the one of a hand-over, and says what ends it."""
    desk = Desk(stage, MONDAY)
    for words in (("RE-1",), ("MA-000001",), ("MA-000001", "RE-1")):
        with pytest.raises(UsageError, match="collection recall MA-000001"):
            desk.unblock(words[0], invoice=words[-1] if len(words) > 1 else None)
    with stage.store.begin() as conn:
        stage.store.choices.block(conn, about(), Reason.DISPUTE, stage.stamp(MONDAY))
    done = desk.unblock("RE-1")
    assert (done.count, blocks(stage, MONDAY)) == (1, [("1", Reason.COLLECTION)])
    stage.run(days_after(1))
    assert stage.reason() == Reason.COLLECTION.value


def test_a_case_closed_and_opened_again_is_still_with_the_agency(stage):
    """Closing tells that the agency must hear of it; opened again the claim is listed at collection, and can be called back."""
    desk = Desk(stage, MONDAY)
    desk.close_case("MA-000001", note="Kulanz")
    desk.reopen_case("MA-000001", note="doch nicht")
    assert at_collection(stage) == (["1"], 1)
    stage.run(days_after(1))
    assert stage.reason() == Reason.COLLECTION.value
    with stage.store.begin() as conn:
        stage.store.handovers.call_back(conn, "main", stage.standing().case_id, (), stage.stamp(days_after(1)), note="")
    assert (at_collection(stage), blocks(stage, days_after(1))) == (([], 0), [])
    assert (stage.standing().round, stage.standing().level) == (2, 0), "a new round, before level 1"


def test_closing_what_is_with_the_agency_says_so(stage):
    """Whoever closes such a case is told that the agency goes on unless it hears of it."""
    done = Desk(stage, MONDAY).close_case("MA-000001", note="Kulanz")
    assert [str(one) for one in done.notes] == [
        "with the collection agency: RE-1; tell the agency too, it claims what was handed over to it"
    ]


def test_what_still_blocks_is_told_by_who_lifts_a_block(stage):
    """A block of the customer lifted, one of an invoice stays, and the other way round; one whose day is over is none."""
    desk, stamp = Desk(stage, days_after(5)), stage.stamp(MONDAY)
    with stage.store.begin() as conn:
        choices = stage.store.choices
        choices.block(conn, customer(), Reason.DEFERRED, stamp, until=days_after(2))
        choices.block(conn, about("2"), Reason.DISPUTE, stamp)
    assert desk.unblock("MA-000001").count == 1, "the deferral is over: what is lifted is the dispute"
    assert blocks(stage, days_after(5)) == [("1", Reason.COLLECTION)]
    with stage.store.begin() as conn:
        choices.block(conn, customer(), Reason.CUSTOMER_EXCLUDED, stamp)
        choices.block(conn, about("2"), Reason.DISPUTE, stamp)
    [one] = desk.unblock("RE-2").notes
    assert (
        str(one) == "the customer is still blocked: excluded: customer; `mahnbridge case unblock MA-000001` lifts that"
    )
    with stage.store.begin() as conn:
        choices.block(conn, about("2"), Reason.DISPUTE, stamp)
    told = [str(one) for one in desk.unblock("MA-000001").notes]
    assert told == [
        "RE-1 is still blocked by itself: with a collection agency",
        "RE-2 is still blocked by itself: disputed",
    ]


def test_what_is_opened_again_in_another_case_is_told_with_that_case(stage):
    """The customer has another case open by now: the closed one stays closed, and the answer names where its invoices are."""
    desk = Desk(stage, days_after(2))
    desk.close_case("MA-000001", note="Kulanz")
    stage.tell(days_after(1), invoice(3))
    stage.run(days_after(1))
    sums = CaseSums()
    sums.add("EUR", Decimal(50), Decimal(0))
    desk.case_sums = lambda name: {"d1": sums}
    assert {one.number: one.total for one in desk.cases("all")} == {"MA-000002": {"EUR": Decimal(50)}, "MA-000001": {}}
    done = desk.reopen_case("MA-000001", note="doch")
    assert (done.what, done.subject, done.text) == ("reopened_elsewhere", "MA-000001", "MA-000002")
    with stage.store.reading() as conn:
        told = desk.entries(conn, stage.store.overview.timeline(conn, 1), {})
    assert any(one.text == "RE-1 enters the case" for one in told), "named, though it is in the other case by now"


def test_letters_of_an_earlier_case_go_to_the_agency_too(stage):
    """An invoice was reminded, its case closed, and opened again within another one: the agency gets that letter all the same."""
    desk = Desk(stage, days_after(2))
    with stage.store.begin() as conn:
        kept = NewFile(
            account="main", case_id=1, notice_id=2, kind="mail", name="erste.eml", media_type="message/rfc822", sha256="0" * 64,
            size=4, kept_at=at(MONDAY), on=MONDAY, years=6,
        )  # fmt: skip
        stage.store.files.add(conn, kept)
    desk.close_case("MA-000001", note="Kulanz")
    stage.tell(days_after(1), invoice(3))
    stage.run(days_after(1))
    desk.reopen_case("MA-000001", note="doch")
    stage.run(days_after(30))
    [notice] = [one for one in stage.notices("proposed", "queued") if one.claims[0].invoice_id == "2"]
    files = SimpleNamespace(store=stage.store, archive=SimpleNamespace(read=lambda digest: b"mail"))
    assert [one.name for one in Collection._letter_files(files, notice)] == ["erste.eml"]
