"""What one wrong sign in delivery would break, found by making such mistakes on purpose (`make mutants`)."""

from datetime import timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import update

from bridge.contract import (
    Act,
    ConfigError,
    NoticeStatus,
    ProviderNotice,
    Reason,
    Refused,
    RetryLater,
    Snapshot,
    Unclear,
)
from bridge.deliver import Attempt
from bridge.deliver.attempt import Outcome
from bridge.deliver.writing import expected_level, write_back
from bridge.errors import UsageError, WrongState
from bridge.model.patience import Delivery
from bridge.store.records import Beside
from bridge.store.tables import claim, notice, provider_notice, run
from tests.unit.deliver.scene import BY_PROVIDER, OWN_LETTER, START, TODAY, Stop
from tests.unit.deliver.test_notice import pay
from tests.unit.store.made import batch


def test_what_was_changed_after_the_decision_does_not_go_out(scene):
    """A level that needs no approval sends what was decided and nothing else; changed since, it waits for a person."""
    made = scene.notice()
    with scene.store.begin() as conn:
        conn.execute(update(notice).where(notice.c.id == made).values(total_cents=1))
    scene.deliver()
    assert scene.get(made).state == "proposed"
    assert scene.mail.sent == []


def test_a_level_that_only_proposes_never_goes_out_unapproved(scene):
    """Queued by whatever mistake, without an approval it does not leave."""
    made = scene.notice(automation="propose")
    scene.deliver()
    assert scene.get(made).state == "proposed"
    assert scene.mail.sent == []


def test_a_deleted_draft_holds_its_invoice_no_longer(scene):
    """Our draft is deleted at the provider because its claim was paid: what we know of it says so too."""
    made = scene.notice(BY_PROVIDER)
    scene.provider.pushes = [None, RetryLater("later")]
    scene.deliver()
    draft = scene.get(made).claims[0].reminder_id
    known = ProviderNotice(id=draft, invoice_id="1", level=1, status=NoticeStatus.DRAFT)
    with scene.store.begin() as conn:
        scene.store.mirror.write(conn, "a", batch(notices=[known]), business_date=TODAY, now=START)
    pay(scene, "1")
    scene.clock.pass_(hours=2)
    scene.deliver()
    assert scene.provider.did(Act.DISCARD)
    assert scene.row(provider_notice, id=draft)["status"] == "cancelled"


def test_one_lost_mail_is_one_parked_delivery(scene):
    """The report counts what it parked, once."""
    scene.notice()
    scene.mail.pushes = [Unclear("connection lost")]
    scene.deliver()
    assert sum(one.parked for one in scene.settle()) == 1


def test_only_a_written_letter_can_be_posted(scene):
    """A reminder that was only made at the provider is no letter of ours, whatever a person types."""
    made = scene.notice((Act.CREATE, Act.AMEND), automation="create")
    scene.deliver()
    with pytest.raises(WrongState, match="nothing that waits"):
        scene.deliverer.mark_posted(made, actor="anna")
    assert scene.get(made).state == "waiting"


@pytest.mark.parametrize(
    ("asked", "waits"),
    [(5, (5, 10, 20, 40, 60, 60)), (90, (90, 90))],
)
def test_waits_double_up_to_an_hour(scene, asked, waits):
    """A call that wrote nothing is made again after twice the wait each time, an hour at most; never sooner than the provider says."""
    made = scene.notice()
    for wait in waits:
        scene.mail.pushes = [RetryLater("busy", after=timedelta(minutes=asked))]
        scene.deliver()
        assert scene.steps(made)[0].not_before - scene.clock() == timedelta(minutes=wait)
        scene.clock.pass_(minutes=wait)
    scene.deliver()
    assert len(scene.mail.sent) == 1


def test_a_provider_that_is_down_is_no_read(scene):
    """However often it does not answer, a lost reminder is made again only after as many reads as ever."""
    made = scene.notice(BY_PROVIDER)
    scene.provider.pushes = [Unclear("connection lost")]
    scene.provider.finds = [RetryLater("down")] * scene.settings.finds
    scene.deliver()
    for asked in range(1, scene.settings.finds + 1):
        scene.clock.pass_(seconds=scene.settings.settling_seconds + 1)
        scene.deliver()
        scene.deliver()  # at once: it is left alone for as long as it says
        assert len(scene.provider.did("find")) == asked
    assert (scene.states(made)[0], scene.steps(made)[0].looks) == ("unclear", 0)
    scene.provider.finds = [None] * scene.settings.finds
    reports = scene.settle()
    assert [one.again for one in reports] == [0, 0, 1, 0]
    assert len(scene.provider.did(Act.CREATE)) == 2


@pytest.mark.parametrize(("seconds", "sent"), [(230, 1), (231, 0)])
def test_the_lease_must_last_for_the_whole_call(scene, seconds, sent):
    """A look that leaves exactly the time of a call lets it begin; one second less does not."""
    made = scene.notice()
    scene.provider.on_look = lambda: scene.clock.pass_(seconds=seconds)
    scene.deliver()
    assert len(scene.mail.sent) == sent
    [only] = scene.steps(made)
    assert (only.state, only.attempts) == (("done", 1) if sent else ("queued", 0))  # what did not begin is not counted


@pytest.mark.parametrize(("commit", "sent"), [(230, 1), (231, 0)])
def test_a_commit_may_take_what_the_call_does_not_need(scene, commit, sent):
    """Between the commit that begins a call and the call itself the lease is judged by the same measure."""
    made = scene.notice()
    start = scene.store.outbox.steps.start

    def slow(*args, **values):
        start(*args, **values)
        scene.clock.pass_(seconds=commit)

    scene.store.outbox.steps.start = slow
    scene.deliver()
    assert len(scene.mail.sent) == sent
    assert scene.states(made) == (["done"] if sent else ["queued"])


def test_settings_under_which_a_call_could_be_made_twice_are_refused():
    """A lease outlasts its call and the margin, and settling a call by itself; to the second."""
    for wrong in ({"lease_seconds": 70}, {"settling_seconds": 60}):
        with pytest.raises(ValidationError, match="must be longer"):
            Delivery(**wrong)
    assert Delivery(lease_seconds=71, settling_seconds=61).needed == timedelta(seconds=70)


def test_the_level_that_the_providers_counter_must_show():
    """One more than the highest of the others; neither our own record nor a cancelled one counts. Without a look nobody knows."""

    def at(number, level, status=NoticeStatus.SENT):
        return ProviderNotice(id=str(number), invoice_id="1", level=level, status=status)

    look = Snapshot(invoice_id="1", taken_at=START, notices=(at(1, 1), at(2, 2), at(3, 3, NoticeStatus.CANCELLED)))
    assert expected_level(look, None) == 3
    assert expected_level(look, "2") == 2
    assert expected_level(look.model_copy(update={"notices": ()}), None) == 1
    assert expected_level(None, None) is None


def two(scene):
    """Two notices of one debtor, each over an invoice of its own."""
    first, case_id = scene.claim("1")
    second, _ = scene.claim("2", case_id=case_id)
    return [scene.notice(claims=[("1", first)], case_id=case_id), scene.notice(claims=[("2", second)], case_id=case_id)]


def test_a_notice_outside_its_hours_holds_up_no_other(scene):
    """One waits for its office hours, the next goes out; of two that wait, the earlier hour is told."""
    early, late = two(scene)
    opening = {early: scene.clock() + timedelta(hours=9), late: None}
    scene.rules.opens = lambda conn, one, now: opening[one.id]
    report = scene.deliver()
    assert (scene.states(early), scene.states(late), report.opens_at) == (["queued"], ["done"], opening[early])
    third, case_id = scene.claim("3")
    opening[scene.notice(claims=[("3", third)], case_id=case_id)] = scene.clock() + timedelta(hours=2)
    report = scene.deliver()
    assert (report.later, report.opens_at) == (2, scene.clock() + timedelta(hours=2))


def test_a_run_tells_how_it_ended(scene):
    """What every step came to is counted in the run; a step that did not go through makes it a failed one, with the cause."""
    two(scene)
    scene.mail.pushes = [Refused("no such address", cause="http_422")]
    told = []
    report = scene.deliver(begun=told.append)
    kept = scene.row(run, id=report.run)
    assert told == [report.run]
    assert (kept["state"], kept["cause"], kept["counts"]["parked"], kept["counts"]["done"]) == (
        "failed",
        "http_422",
        1,
        1,
    )
    assert [outcome for _, outcome, _ in kept["counts"]["steps"]] == ["parked", "done"]
    assert report.cause == "http_422"
    assert report.problems == ["no such address"]


def test_where_nothing_is_due_there_is_no_run(scene):
    """An empty delivery leaves no entry behind; one that did what it should is done, without a cause."""
    assert scene.deliver().run is None
    scene.notice()
    report = scene.deliver(limit=1)
    kept = scene.row(run, id=report.run)
    assert (kept["state"], kept["cause"], report.cause, report.problems) == ("done", None, None, [])


def test_a_limit_is_a_limit(scene):
    """At most so many steps, and the rest the next time."""
    two(scene)
    assert [scene.deliver(limit=1).done for _ in range(3)] == [1, 1, 0]
    assert len(scene.mail.sent) == 2


@pytest.mark.parametrize("where", ["look", "call"])
def test_revoked_credentials_leave_the_step_as_it_was(scene, where):
    """Stopped at the look or at the call, the step is done the moment the account goes on, and the report says why it stopped."""
    made = scene.notice()

    def fail():
        raise ConfigError("revoked")

    if where == "look":
        scene.provider.on_look = fail
    else:
        scene.mail.pushes = [ConfigError("revoked")]
    assert [scene.deliver().stopped for _ in range(2)] == ["revoked", "revoked"]
    assert (scene.states(made), scene.steps(made)[0].not_before) == (["queued"], scene.clock())
    scene.provider.on_look = lambda: None
    with scene.store.begin() as conn:
        scene.store.mirror.accounts.set_state(conn, "a", "ok")
    assert scene.deliver().done == 1


def test_a_letter_lands_on_the_day_it_was_posted(scene):
    """Posted on Saturday and seen on Monday: the level is of Saturday, and all claims of the letter rise."""
    made = scene.pair(OWN_LETTER)
    scene.deliver()
    assert scene.deliver().landed == 0
    scene.letter.posted = START - timedelta(days=2)
    assert scene.deliver().landed == 2
    assert (scene.get(made).state, scene.row(claim, invoice_id="2")["level_on"]) == (
        "landed",
        TODAY - timedelta(days=2),
    )


@pytest.mark.parametrize("days", [0, 1])
def test_a_letter_is_not_posted_tomorrow(scene, days):
    """A person may say today or an earlier day, not a day to come."""
    made = scene.notice((Act.LETTER,))
    scene.deliver()
    if days:
        with pytest.raises(UsageError, match="in the future"):
            scene.deliverer.mark_posted(made, actor="anna", on=TODAY + timedelta(days=days))
        assert scene.get(made).state == "waiting"
    else:
        scene.deliverer.mark_posted(made, actor="anna", on=TODAY)
        assert scene.get(made).state == "landed"


def test_documents_are_made_for_what_we_send_ourselves(scene):
    """A mail gets its attachments, made from the fresh look; a reminder that the provider makes and sends gets none of ours."""
    made = []
    worker = scene.worker(files=lambda _notice, step, looked: made.append((step.act, [*looked])) or ())
    scene.notice(BY_PROVIDER)
    worker.run("a")
    assert made == []
    second, case_id = scene.claim("2")
    scene.notice(claims=[("2", second)], case_id=case_id)
    worker.run("a")
    assert made == [(Act.MAIL, ["2"])]


def test_after_the_letter_each_record_looks_at_its_own_invoice(scene):
    """The letter is posted: completing a record asks about that one invoice; before, every step asks about all of the letter."""
    scene.pair(OWN_LETTER)
    scene.deliver()
    assert {one[1] for one in scene.provider.did("look")} == {("1", "2")}
    scene.provider.calls.clear()
    scene.letter.posted = START
    scene.deliver()
    assert [one[1] for one in scene.provider.did("look")] == [("1",), ("2",)]


def test_what_is_asked_and_written_is_noted(scene, monkeypatch):
    """A recording of a delivery shows which invoices were looked at and what was handed over, in that order."""
    noted = []
    monkeypatch.setattr("bridge.deliver.attempt.note", lambda kind, told: noted.append((kind, told())))
    scene.notice()
    scene.deliver()
    assert [kind for kind, _ in noted] == ["look", "write"]
    assert noted[0][1]["refs"][0]["id"] == "1"
    assert noted[1][1]["write"]["act"] == Act.MAIL.value


def test_revoked_credentials_are_seen_before_the_claim(scene):
    """Where not even a session can be had, the account stops and its step is left as it was."""
    made = scene.notice()
    scene.http.fail = ConfigError("revoked")
    assert scene.deliver().stopped == "revoked"
    assert (scene.states(made), scene.provider.calls) == (["queued"], [])


def test_a_step_that_another_worker_did_is_let_go(scene):
    """Read as due by two workers and done by one: the other one finds it taken, asks nothing and sends nothing."""
    [stale] = scene.steps(scene.notice())
    scene.deliver()
    scene.provider.calls.clear()
    ended = Attempt(scene.deliverer.desk, scene.deliverer.accounts["a"], stale).run()
    assert (ended.outcome, scene.provider.calls, len(scene.mail.sent)) == (Outcome.LOST, [], 1)


@pytest.mark.parametrize("error", [Refused("no"), Unclear("lost")], ids=["refused", "lost"])
def test_who_lost_the_claim_decides_nothing(scene, error):
    """Another worker took the step over during the call: what the first one learned too late neither parks it nor makes it unclear."""
    [first] = scene.steps(scene.notice())

    def push(_write):
        scene.force(first.id, lease_owner="another", state="sending", started_at=None)
        raise error

    scene.mail.pushes = [push]
    report = scene.deliver()
    assert (report.parked, report.unclear, report.problems) == (0, 0, [])
    assert report.steps == [(first.id, "lost", "")]
    assert scene.states(first.notice_id) == ["sending"]


@pytest.mark.parametrize("speaks", [False, True])
def test_an_invoice_that_is_only_mentioned_is_looked_at(scene, speaks):
    """The text names it with its amount, so that is asked for too; what speaks against naming it drops the notice, with that invoice."""
    mentioned = Beside(
        invoice_id="2", number="RE-2", part="mentioned", why="not_due", text="", demand=11900, credits=0, currency="EUR"
    )
    stop = Stop(Reason.CHANGED, "paid meanwhile") if speaks else None
    scene.rules.recheck_mention = lambda _notice, one, look, _today: stop if one.invoice_id == look.invoice_id else None
    made = scene.notice(beside=(mentioned,))
    scene.deliver()
    assert scene.provider.did("look") == [("look", ("1", "2"))]
    assert (len(scene.mail.sent), scene.get(made).state) == ((0, "dropped") if speaks else (1, "landed"))
    assert [one["invoice_id"] for one in scene.events("notice_dropped")] == (["2"] if speaks else [])


def test_a_claim_of_a_dead_worker_that_came_back_holds_up_no_other(scene, monkeypatch):
    """Two leases have ended; the first worker comes back meanwhile and keeps its step, the second step is freed all the same."""
    first, second = (scene.steps(one)[0] for one in two(scene))
    for one in (first, second):
        with scene.store.begin() as conn:
            scene.store.outbox.steps.claim(
                conn, one.id, "dead", now=scene.clock(), until=scene.clock() + timedelta(seconds=300)
            )
    scene.clock.pass_(seconds=301)
    expire = scene.store.outbox.steps.expire

    def back(conn, step_id, **more):
        if step_id == first.id:
            raise WrongState("its owner came back")
        return expire(conn, step_id, **more)

    monkeypatch.setattr(scene.store.outbox.steps, "expire", back)
    scene.deliver()
    assert (scene.states(first.notice_id), scene.states(second.notice_id)) == (["sending"], ["done"])


@pytest.mark.parametrize("state", ["landed", "dropped"])
def test_posting_a_letter_twice_is_harmless(scene, state):
    """A second word of the same person changes nothing; of a notice that was given up nothing can be posted."""
    made = scene.notice((Act.LETTER,))
    scene.deliver()
    if state == "landed":
        for day in (TODAY, TODAY - timedelta(days=1)):
            scene.deliverer.mark_posted(made, actor="anna", on=day)
        assert scene.row(claim, invoice_id="1")["level_on"] == TODAY
        assert scene.letter.posted is not None
        assert len(scene.events("notice_landed")) == 1
    else:
        scene.deliverer.withdraw(made, actor="anna", reason="wrong address")
        with pytest.raises(WrongState, match="nothing that waits"):
            scene.deliverer.mark_posted(made, actor="anna")


def test_only_what_reaches_the_debtor_from_here_says_what_it_covers(scene):
    """A mail or letter carries for each claim what it reminds of, so that an archive is understood; a record at the provider does not."""
    scene.pair((Act.CREATE, Act.MAIL))
    scene.deliver()
    assert scene.provider.last.covers == ()
    [sent] = scene.mail.sent
    assert (len(sent.covers), sent.invoice) == (2, None)  # of both, and about neither alone


def test_a_letter_proven_after_it_was_given_up_waits_for_the_post(scene):
    """Nobody knew whether it was written, and a person was asked; its proof comes late: it lies in the outbox and waits like every other."""
    made = scene.notice((Act.LETTER,))
    scene.letter.pushes = [Unclear("disk vanished")]
    scene.deliver()
    scene.settle()
    [only] = scene.steps(made)
    assert (only.state, scene.get(made).state) == ("parked", "parked")
    attempt = Attempt(scene.deliverer.desk, scene.deliverer.accounts["a"], only)
    assert not attempt._proved(scene.letter.effect(write_back(scene.get(made), only))).alarm
    assert (scene.states(made), scene.get(made).state, scene.levels()) == (["done"], "waiting", {"1": 0})
