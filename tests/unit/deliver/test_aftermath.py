"""What follows a step: when to come again, who is told, what a person confirms, and what goes on beside a record that failed."""

import threading
from datetime import timedelta

import pytest

from bridge.contract import Act, Refused, RetryLater
from bridge.deliver.call import within
from bridge.errors import WrongState
from bridge.store.tables import claim
from tests.unit.deliver.scene import START, TODAY
from tests.unit.deliver.test_small_mistakes import two
from tests.unit.deliver.test_tell import told


def test_an_account_that_must_wait_is_not_asked_before(scene):
    """One step may be tried again in ten minutes, but the account has no calls left for an hour: the run says to come in an hour."""
    two(scene)

    def busy(_write):
        scene.http.fail = RetryLater("budget", after=timedelta(hours=1))
        raise RetryLater("busy", after=timedelta(minutes=10))

    scene.mail.pushes = [busy]
    assert scene.deliver().wait_until == scene.clock() + timedelta(hours=1)
    assert scene.http.prepared == [6, 6]  # a look with its lists, the act, what is read back: all or nothing


def test_word_to_colleagues_ahead_of_the_mail_is_no_landing(scene):
    """Only where colleagues alone are told has the level happened with that."""
    scene.mail.pushes = [None, Refused("no such address")]
    notice = told(scene, (Act.TELL, Act.MAIL))
    scene.deliver()
    assert (scene.states(notice), scene.levels()) == (["done", "parked"], {"1": 0})


@pytest.mark.parametrize(("days", "on"), [(None, TODAY), (0, TODAY), (2, TODAY - timedelta(days=2))])
def test_a_person_says_on_which_day_it_went_out(scene, days, on):
    """Today where nothing is said, else that day: the level counts from it."""
    letter = scene.notice((Act.LETTER,))
    scene.deliver()
    scene.deliverer.mark_posted(letter, actor="anna", on=None if days is None else TODAY - timedelta(days=days))
    assert scene.row(claim, invoice_id="1")["level_on"] == on
    [landed] = scene.events("notice_landed")
    assert landed["actor"] == "anna"


@pytest.mark.parametrize("days", [None, 2])
def test_a_person_confirms_a_reminder_that_was_only_made(scene, days):
    """Created at the provider and sent there by hand, on the day that the person says; without a written letter nothing is posted."""
    made = scene.notice((Act.CREATE,), automation="create")
    scene.deliver()
    on = TODAY if days is None else TODAY - timedelta(days=days)
    scene.deliverer.confirm_sent(made, actor="anna", on=None if days is None else on)
    assert (scene.get(made).state, scene.row(claim, invoice_id="1")["level_on"]) == ("landed", on)
    assert scene.letter.posted is None


def test_a_letter_that_somebody_marks_meanwhile_lands_once(scene):
    """While the folder is read a person says that it was posted: the run finds it landed and counts nothing."""
    made = scene.notice((Act.LETTER,))
    scene.deliver()

    def posted_at(_marker):
        scene.letter.posted_at = lambda _: START
        scene.worker().mark_posted(made, actor="anna")
        return START

    scene.letter.posted_at = posted_at
    assert scene.deliver().landed == 0
    assert len(scene.events("notice_landed")) == 1


def test_what_is_only_something_to_do_is_no_message(scene):
    """A call that waits for its outcome can neither be posted nor confirmed as sent."""
    call = scene.notice((), channel="call")
    scene.deliver()
    assert scene.get(call).state == "waiting"
    for confirm in (scene.deliverer.mark_posted, scene.deliverer.confirm_sent):
        with pytest.raises(WrongState, match="something to do"):
            confirm(call, actor="anna")


def test_a_mail_is_no_letter_that_was_posted(scene):
    """A number mistyped at `letters posted` says so instead of thanking."""
    mail = scene.notice((Act.SEND_EMAIL,))
    scene.deliver()
    assert scene.get(mail).state == "landed"
    with pytest.raises(WrongState, match="nothing that waits to be sent"):
        scene.deliverer.mark_posted(mail, actor="anna")


def test_a_call_that_never_ends_does_not_keep_the_process():
    """It runs beside the worker, and dies with it."""
    seen = []
    within(
        1, lambda: seen.append(threading.current_thread().daemon) or "proof", late=seen.append, stop=threading.Event()
    )
    assert seen == [True]
