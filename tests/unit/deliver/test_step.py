"""One step: every edge, every error, and what the debtor got."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.contract import (
    Act,
    BadAnswer,
    BadRecord,
    CannotTell,
    ConfigError,
    NotFound,
    NotSupported,
    Reason,
    Refused,
    RetryLater,
    Unclear,
)
from bridge.errors import UsageError, WrongState
from bridge.http import Http
from bridge.store.states import NOTICE_EDGES, STEP_EDGES, move_notice, move_step
from bridge.store.tables import account, claim, invoice, notice, step
from bridge.testing.server import Response, Server
from tests.unit.deliver.scene import BY_PROVIDER, MAIL, OWN_LETTER, TODAY

STEP_STATES = ("waiting", "queued", "sending", "unclear", "done", "parked", "dropped", "discarded")
NOTICE_STATES = ("proposed", "approved", "queued", "landed", "waiting", "dropped", "refused", "parked")


@pytest.mark.feature("S-SEV-5")
def test_mail_lands(both):
    """A mail that was accepted raises the level, sets the term and the fee, and leaves who, what, when and how in the journal."""
    made = both.notice()
    report = both.deliver()
    assert report.done == 1
    assert both.states(made) == ["done"]
    assert both.get(made).state == "landed"
    row = both.row(claim, invoice_id="1")
    assert (row["level"], row["level_on"], row["level_name"]) == (1, TODAY, "Mahnung")
    assert str(row["deadline"]) == "2026-03-12"
    assert both.row(invoice, id="1")["next_on"] == TODAY
    [landed] = both.events("notice_landed")
    assert landed["invoice_id"] == "1"
    assert landed["data"]["recipient"] == "a@b.example"
    assert (landed["data"]["level"], landed["data"]["channel"]) == (1, "mail")
    assert both.provider.calls == [("look", ("1",))]


def test_second_run_does_nothing(scene):
    """A second run on the same day sends nothing."""
    scene.notice()
    scene.deliver()
    assert scene.deliver().done == 0
    assert len(scene.mail.sent) == 1


def test_outside_the_hours_of_sending_nothing_is_touched(scene):
    """Before the office opens: no look, no claim, no letter; it is said until when; then it goes out once."""
    made = scene.notice()
    scene.rules.opening = scene.clock() + timedelta(hours=9)
    report = scene.deliver()
    assert (report.done, report.later, report.opens_at) == (0, 1, scene.rules.opening)
    assert (scene.states(made), scene.provider.calls, scene.mail.sent) == (["queued"], [], [])
    scene.rules.opening = None
    assert scene.deliver().done == 1
    assert scene.deliver().done == 0


def test_what_finishes_a_notice_that_went_out_waits_for_no_hour(scene):
    """The mail left at the last moment: its note at the provider follows all the same."""
    scene.notice(acts=(Act.MAIL, Act.NOTE))
    scene.deliver(limit=1)
    scene.rules.opening = scene.clock() + timedelta(hours=9)
    report = scene.deliver()
    assert (report.done, report.later) == (1, 0)


def test_look_right_before_call(scene):
    """Create, complete and send each come right after a look of their own."""
    scene.notice(BY_PROVIDER)
    scene.deliver()
    assert [one[0] for one in scene.provider.calls] == [
        "look", Act.CREATE, "look", Act.COMPLETE, "look", Act.SEND_EMAIL, Act.NOTE,
    ]  # fmt: skip


def test_later_steps_know_our_reminder(scene):
    """Each later step is told the provider's id of our reminder, and the level that its counter must show."""
    scene.notice(BY_PROVIDER)
    seen = []
    scene.provider.pushes = [lambda w: seen.append(w) or scene.provider.effect(w) for _ in range(4)]
    scene.deliver()
    assert [write.reminder_id for write in seen] == [None, "r2", "r2", "r2"]
    assert [write.expected_provider_level for write in seen] == [1, 1, 1, None]
    assert seen[0].baseline.invoice_id == "1"
    assert seen[0].started_at is not None


WRITTEN_NOTHING = [
    (RetryLater("busy", after=timedelta(minutes=5), cause="http_429"), "queued"),
    (Refused("no", cause="http_422"), "parked"),
    (NotFound("gone"), "parked"),
    (NotSupported("cannot"), "parked"),
    (ConfigError("key revoked"), "queued"),
]
MAY_BE_WRITTEN = [
    (Unclear("lost", cause="connection_lost"), "unclear"),
    (BadAnswer("html"), "unclear"),
    (BadRecord("strange"), "unclear"),
    (ValueError("a bug"), "unclear"),
    (CannotTell("who knows"), "parked"),
]


@pytest.mark.parametrize(
    ("error", "state"), [*WRITTEN_NOTHING, *MAY_BE_WRITTEN], ids=lambda value: type(value).__name__
)
@pytest.mark.feature("P-28")
def test_error_of_the_call(scene, error, state):
    """The class of an error alone decides what happens next, and a failed delivery never counts as sent."""
    made = scene.notice()
    scene.mail.pushes = [error]
    scene.deliver()
    [only] = scene.steps(made)
    assert only.state == state
    assert scene.levels() == {"1": 0}
    assert (only.started_at is None) == ((error, state) in WRITTEN_NOTHING)
    assert only.cause
    assert len(scene.mail.sent) == 0


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (RetryLater("busy"), "queued"),
        (BadAnswer("html"), "queued"),
        (ConfigError("key revoked"), "queued"),
        (Refused("no"), "parked"),
        (ValueError("a bug"), "parked"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_error_of_the_look(scene, error, state):
    """Whatever goes wrong before the call, nothing is sent and nothing can have been written."""
    made = scene.notice()

    def fail():
        raise error

    scene.provider.on_look = fail
    scene.deliver()
    [only] = scene.steps(made)
    assert (only.state, only.started_at) == (state, None)
    assert scene.mail.sent == []


def test_answer_that_shows_no_invoice(scene):
    """What cannot be read cannot be judged: the notice waits visibly for a person, is not decided anew, and goes out once it can be read."""
    made = scene.notice()
    known = scene.provider.invoices.pop("1")
    scene.deliver()
    [only] = scene.steps(made)
    assert (only.state, only.cause, only.started_at, scene.get(made).state) == ("parked", "unreadable", None, "parked")
    assert scene.events("step_parked")
    assert not scene.events("notice_dropped")
    scene.provider.invoices["1"] = known
    assert scene.deliver().done == 0
    with scene.store.begin() as conn:
        scene.store.outbox.steps.requeue(conn, only.id, now=scene.clock())
        scene.store.outbox.resume(conn, made, now=scene.clock())
    assert scene.deliver().done == 1


def test_retry_later_waits(scene):
    """After 429 the same call is made again, not before the provider's wait is over, and then exactly once."""
    made = scene.notice()
    scene.mail.pushes = [RetryLater("busy", after=timedelta(minutes=5))]
    scene.deliver()
    scene.clock.pass_(minutes=4)
    scene.deliver()
    assert scene.mail.sent == []
    scene.clock.pass_(minutes=1)
    scene.deliver()
    assert len(scene.mail.sent) == 1
    assert scene.states(made) == ["done"]


def test_one_invoice_that_cannot_be_looked_at_holds_up_no_other(both):
    """The look at one invoice fails every time: from the next delivery on the others go out, and it is tried after them."""
    first, case_id = both.claim("1")
    second, _ = both.claim("2", case_id=case_id)
    bad = both.notice(claims=[("1", first)], case_id=case_id)
    good = both.notice(claims=[("2", second)], case_id=case_id)

    def fail():
        if both.provider.calls[-1] == ("look", ("1",)):
            raise BadAnswer("html")

    both.provider.on_look = fail
    for _ in range(2):
        both.deliver()
        both.clock.pass_(minutes=5)
    assert (both.states(good), both.states(bad)) == (["done"], ["queued"])


def test_look_that_the_rules_stumble_over(both, monkeypatch):
    """What the rules cannot digest parks its own step, certainly uncalled, and holds up no other."""
    first, case_id = both.claim("1")
    second, _ = both.claim("2", case_id=case_id)
    bad = both.notice(claims=[("1", first)], case_id=case_id)
    good = both.notice(claims=[("2", second)], case_id=case_id)
    recheck = both.rules.recheck

    def stumbles(conn, notice, claim, *more):
        if claim.invoice_id == "1":
            raise OverflowError("date value out of range")
        return recheck(conn, notice, claim, *more)

    monkeypatch.setattr(both.rules, "recheck", stumbles)
    both.deliver()
    assert (both.states(bad), both.states(good)) == (["parked"], ["done"])
    assert both.steps(bad)[0].started_at is None


def test_letter_folder_that_cannot_be_read(scene, monkeypatch):
    """The outbox for letters is out of reach: letters wait on, mails go out, and the report says it."""
    letter = scene.pair(OWN_LETTER)
    scene.deliver()
    third, case_id = scene.claim("3")
    mail = scene.notice(claims=[("3", third)], case_id=case_id)

    def gone(_marker):
        raise ConfigError("no such folder")

    monkeypatch.setattr(scene.letter, "posted_at", gone)
    assert scene.deliver().problems == ["no such folder"]
    assert (scene.get(letter).state, scene.get(mail).state) == ("waiting", "landed")


def test_retries_end_with_a_person(scene):
    """A call that never gets through is left to a person in the end, certainly unwritten."""
    made = scene.notice()
    scene.mail.pushes = [RetryLater("down")] * 20
    for _ in range(scene.settings.retries + 3):
        scene.deliver()
        scene.clock.pass_(hours=2)
    [only] = scene.steps(made)
    assert (only.state, only.attempts, only.started_at) == ("parked", scene.settings.retries, None)
    assert scene.get(made).state == "parked"


def test_config_error_stops_the_account(scene):
    """Wrong credentials stop the account until a person acts; the rest of its steps is not tried."""
    scene.notice()
    claim_id, case_id = scene.claim("2")
    scene.notice(claims=[("2", claim_id)], case_id=case_id)
    scene.mail.pushes = [ConfigError("the key was revoked")]
    report = scene.deliver()
    assert report.stopped == "the key was revoked"
    assert scene.row(account, name="a")["state"] == "stopped"
    assert scene.deliver().stopped
    assert scene.mail.sent == []
    [told] = scene.events("account_stopped")
    assert (told["account"], told["step_id"] is None, told["data"]["state"]) == ("a", False, "stopped")


def test_budget_comes_before_the_claim(scene):
    """Without room in the rate budget nothing is claimed and nothing is asked."""
    made = scene.notice()
    scene.http.fail = RetryLater("budget used up", after=timedelta(minutes=10))
    report = scene.deliver()
    assert scene.states(made) == ["queued"]
    assert scene.provider.calls == []
    assert report.wait_until is not None


@pytest.mark.feature("P-37")
@pytest.mark.parametrize("reason", [Reason.SENDING_OFF, Reason.GLOBAL_PAUSE, Reason.WRITING_SUSPENDED])
def test_gate(scene, reason):
    """While sending is off, paused or suspended the provider is not even asked."""
    made = scene.notice()
    scene.rules.gated = reason
    assert scene.deliver().held is reason
    assert scene.states(made) == ["queued"]
    assert scene.provider.calls == []


def test_switched_off_during_the_look(scene):
    """Sending that is switched off while the provider is being looked at is off for this very call."""
    made = scene.notice()
    scene.provider.on_look = lambda: setattr(scene.rules, "gated", Reason.SENDING_OFF)
    assert scene.deliver().held is Reason.SENDING_OFF
    assert scene.states(made) == ["queued"]
    assert scene.mail.sent == []


def test_gate_lets_finding_go_on(scene):
    """What was lost is looked up although sending is off: asking is not sending."""
    made = scene.notice()
    scene.mail.pushes = [Unclear("lost")]
    scene.deliver()
    scene.rules.gated = Reason.SENDING_OFF
    scene.mail.finds = ["m7"]
    scene.clock.pass_(seconds=200)
    assert scene.deliver().found == 1
    assert scene.get(made).state == "landed"


@pytest.mark.parametrize("error", [RetryLater("read back failed"), ConfigError("read back refused")])
def test_error_after_the_write(scene, error):
    """Once the provider has answered the write, a failing read of its result does not say that nothing was written."""
    made = scene.notice(BY_PROVIDER)

    def push(write):
        scene.http.wrote = True
        raise error

    scene.provider.pushes = [push]
    scene.deliver()
    assert scene.steps(made)[0].state == "unclear"
    assert scene.row(account, name="a")["state"] == "ok"


def test_wrote_counts_within_delivery(scene):
    """The session tells of an answered write only, and only until delivery enters it again."""
    server = Server()
    server.add("POST", "/made", lambda _request: Response.json({}))
    server.add("POST", "/refused", lambda _request: Response.json({}, 400))
    with server, Http(server.base_url) as http:
        with http.delivering():
            with pytest.raises(Refused):
                http.write("POST", "/refused", body={})
            assert not http.wrote
            http.write("POST", "/made", body={})
            assert http.wrote
        with http.delivering():
            assert not http.wrote


def test_channel_that_is_gone(scene):
    """A mail whose channel was taken out of the configuration is parked, certainly unwritten; a lost one is left to a person."""
    made = scene.notice()
    scene.deliverer.desk.channels.clear()
    scene.deliver()
    [only] = scene.steps(made)
    assert (only.state, only.cause, only.started_at) == ("parked", "no_channel", None)


def test_account_that_was_never_pulled(scene):
    """There is nothing to deliver for an account that the database does not know."""
    deliverer = scene.worker()
    deliverer.accounts["b"] = replace(deliverer.accounts["a"], name="b")
    report = deliverer.run("b")
    assert (report.done, report.stopped) == (0, None)
    with pytest.raises(UsageError, match="there are a"):
        scene.deliverer.run("c")


def test_report_counts_landings(scene):
    """The report says how many claims rose."""
    scene.pair((Act.MAIL,))
    report = scene.deliver()
    assert (report.done, report.landed) == (1, 2)


@pytest.mark.parametrize("state", STEP_STATES)
@pytest.mark.parametrize("edge", sorted(STEP_EDGES))
def test_edges_of_steps(scene, edge, state):
    """A step moves along the edges of the diagram and along no other."""
    [only] = scene.steps(scene.notice())
    scene.force(only.id, state=state)
    allowed = state in STEP_EDGES[edge].sources
    if not allowed:
        with pytest.raises(WrongState), scene.store.begin() as conn:
            move_step(conn, only.id, edge)
    else:
        with scene.store.begin() as conn:
            move_step(conn, only.id, edge)
    assert scene.row(step, id=only.id)["state"] == (STEP_EDGES[edge].target if allowed else state)


@pytest.mark.parametrize("state", NOTICE_STATES)
@pytest.mark.parametrize("edge", sorted(NOTICE_EDGES))
def test_edges_of_notices(scene, edge, state):
    """A notice moves along the edges of the diagram and along no other."""
    made = scene.notice()
    with scene.store.begin() as conn:
        conn.execute(notice.update().values(state=state))
    allowed = state in NOTICE_EDGES[edge].sources
    if not allowed:
        with pytest.raises(WrongState), scene.store.begin() as conn:
            move_notice(conn, made, edge)
    else:
        with scene.store.begin() as conn:
            move_notice(conn, made, edge)
    assert scene.get(made).state == (NOTICE_EDGES[edge].target if allowed else state)


def test_landed_is_final():
    """What has reached the debtor never goes back: no edge leads out of `landed`, none out of `done`."""
    assert all("landed" not in edge.sources for edge in NOTICE_EDGES.values())
    assert all("done" not in edge.sources for edge in STEP_EDGES.values())


def test_own_letter_order(scene):
    """Drafts first, then the letter, and only when it was posted the records are finished."""
    made = scene.pair(OWN_LETTER)
    scene.deliver()
    assert scene.get(made).state == "waiting"
    assert scene.levels() == {"1": 0, "2": 0}
    assert len(scene.letter.sent) == 1
    assert not scene.provider.did(Act.COMPLETE)
    scene.deliverer.mark_posted(made, actor="anna")
    assert scene.levels() == {"1": 1, "2": 1}
    scene.deliver()
    assert [one[0] for one in scene.provider.calls if one[0] != "look"] == [
        Act.CREATE, Act.CREATE, Act.AMEND, Act.AMEND, Act.COMPLETE, Act.COMPLETE, Act.MARK_SENT, Act.MARK_SENT,
        Act.NOTE, Act.NOTE,
    ]  # fmt: skip
    assert scene.get(made).state == "landed"
    assert {event["actor"] for event in scene.events("notice_landed")} == {"anna"}


def test_letter_posted_by_moving_the_file(scene):
    """A letter that the channel shows as posted lands on the local date of its posting, without anybody typing anything."""
    made = scene.pair(OWN_LETTER)
    scene.deliver()
    scene.letter.posted = scene.clock.at + timedelta(hours=20)  # 04:00 on the third, in Berlin
    scene.deliver()
    assert scene.get(made).state == "landed"
    assert str(scene.row(claim, invoice_id="1")["level_on"]) == "2026-03-03"


def test_create_alone_does_not_raise(scene):
    """A reminder that is only created waits as our own until the provider shows it as sent; only then the level rises."""
    made = scene.notice((Act.CREATE, Act.AMEND), automation="create")
    scene.deliver()
    assert scene.get(made).state == "waiting"
    assert scene.levels() == {"1": 0}
    scene.deliverer.confirm_sent(made, actor="anna", on=TODAY)
    assert scene.levels() == {"1": 1}
    scene.deliverer.confirm_sent(made, actor="anna", on=TODAY)
    assert scene.row(claim, invoice_id="1")["level"] == 1


def test_confirm_needs_something_that_waits(scene):
    """A notice that was not created cannot be confirmed as sent, and nothing is sent in the future."""
    made = scene.notice()
    with pytest.raises(WrongState, match="queued"):
        scene.deliverer.confirm_sent(made, actor="anna")


def test_long_call_becomes_unclear(scene):
    """A call that exceeds its hard deadline is unclear, and its answer, once it comes, is kept as the proof."""
    gate = threading.Event()

    def slow(write):
        gate.wait()
        return scene.mail.effect(write)

    scene.settings = scene.settings.model_copy(update={"deadline_seconds": 0})
    deliverer = scene.worker()
    made = scene.notice(MAIL)
    scene.mail.pushes = [slow]
    deliverer.run("a")
    [only] = scene.steps(made)
    assert (only.state, only.cause) == ("unclear", "deadline")
    gate.set()
    for thread in threading.enumerate():
        if thread.name == "delivery-call":
            thread.join(10)
    assert scene.get(made).state == "landed"
    assert len(scene.mail.sent) == 1


@pytest.mark.parametrize("told", ["by_the_clock", "by_the_seconds"])
def test_what_took_too_long_to_be_kept_waits_for_another_look(scene, told):
    """The disk hangs, or the machine sleeps, between look and hand-over: nothing goes out by the old look, and once by a new one."""
    made, passed = scene.notice(), [0.0]

    def hang(*_):
        scene.clock.pass_(seconds=400 if told == "by_the_clock" else 0)
        passed[0] += 400 if told == "by_the_seconds" else 0

    worker = scene.worker(keep=hang, ticks=lambda: passed[0])
    worker.run("a")
    [only] = scene.steps(made)
    assert (scene.mail.sent, only.state, only.cause, only.started_at) == ([], "queued", "too_late", None)
    scene.clock.pass_(minutes=61)
    scene.deliver()
    assert (len(scene.mail.sent), len(scene.provider.did("look"))) == (1, 2)


def test_what_cannot_be_kept_does_not_go_out(scene):
    """A full disk lets nothing out: the notice waits, certainly unwritten, and goes out once it can be kept."""
    made = scene.notice()
    kept = []

    def keep(step, write, produced):
        if not kept:
            kept.append(write)
            raise OSError(28, "No space left on device")
        kept.append(write)

    worker = scene.worker(keep=keep)
    report = worker.run("a")
    assert (report.done, scene.mail.sent, scene.get(made).state) == (0, [], "queued")
    (step,) = [one for one in scene.steps(made) if one.act is Act.MAIL]
    assert (step.state, step.cause, step.started_at) == ("queued", "archive", None)
    scene.clock.pass_(minutes=61)
    worker.run("a")
    assert len(scene.mail.sent) == 1
    assert kept[1].started_at is not None
