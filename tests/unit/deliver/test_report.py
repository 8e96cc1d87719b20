"""What a delivery tells of itself: its report, its run in the store, and one event for each thing that happened."""

import pytest
from sqlalchemy import select

from bridge.contract import Act, CannotTell, ConfigError, Refused, RetryLater, Unclear
from bridge.deliver.ports import Report
from bridge.deliver.writing import claim_of, write_back
from bridge.http.recorder import as_told
from bridge.store.tables import event, provider_notice, run
from bridge.words import Sentence
from tests.unit.deliver.scene import BY_PROVIDER, MAIL, OWN_LETTER, START, TODAY
from tests.unit.store.made import batch


@pytest.mark.parametrize(
    ("steps", "cause", "only_waits", "waits"),
    [
        ([], None, False, ()),
        ([(1, "done", "")], None, False, ()),
        ([(1, "dropped", "paid")], None, False, ()),  # held by the look: nobody has to look into it
        ([(1, "parked", "smtp_550")], "smtp_550", False, ()),
        ([(1, "unclear", "cut")], "cut", False, ()),
        ([(1, "stopped", "reconnect")], "reconnect", False, ()),
        ([(1, "released", "http_429"), (2, "wait", "busy")], "http_429", True, ("step-1:http_429", "step-2:busy")),
        ([(1, "released", "")], None, False, ()),
        ([(1, "done", ""), (2, "released", "busy"), (3, "parked", "no")], "busy", False, ("step-2:busy",)),
    ],
)
def test_a_report_names_its_first_trouble(steps, cause, only_waits, waits):
    """The cause is that of the first step that did not go through; only where all of them wait does the delivery wait."""
    report = Report("a", steps=steps)
    assert (report.cause, report.only_waits, report.waits) == (cause, only_waits, waits)


def runs(scene):
    with scene.store.reading() as conn:
        return conn.execute(select(run).where(run.c.kind == "deliver").order_by(run.c.id)).mappings().all()


@pytest.mark.parametrize(
    ("answer", "state", "cause", "outcome"),
    [
        (None, "done", None, "done"),
        (Refused("no such mailbox", cause="smtp_550"), "failed", "smtp_550", "parked"),
        (Unclear("cut", cause="cut"), "failed", "cut", "unclear"),
        (RetryLater("busy", cause="smtp_451"), "waiting", "smtp_451", "released"),
        (ConfigError("wrong password", cause="smtp_login"), "failed", "smtp_login", "stopped"),
    ],
)
def test_a_delivery_is_a_run_with_its_outcome(scene, answer, state, cause, outcome):
    """State, cause, counts, steps and the first error of a delivery stand in its run, which has an end and its actor's name."""
    made = scene.notice()
    scene.mail.pushes = [answer]
    begun = []
    report = scene.deliver(actor="erika", begun=begun.append)
    [row] = runs(scene)
    [only] = scene.steps(made)
    assert begun == [row["id"]] == [report.run]
    assert (row["state"], row["cause"], row["actor"], row["ended_at"]) == (state, cause, "erika", scene.clock())
    assert row["counts"] == {outcome: 1, "steps": [[only.id, outcome, cause or ""]]}
    assert (row["error"] is not None) is (cause is not None)
    numbers = {name: getattr(report, name) for name in ("done", "parked", "unclear", "dropped", "landed")}
    assert numbers == {name: int(name == outcome or (name == "landed" and answer is None)) for name in numbers}
    assert [str(one) for one in report.problems] == ([] if answer is None else [str(answer)])


def test_nothing_to_do_is_no_run(scene):
    """A delivery that finds nothing due leaves no run, and says for nobody that it began."""
    begun = []
    scene.deliver(begun=begun.append)
    assert (runs(scene), begun) == ([], [])


def test_a_limit_is_kept(scene):
    """So many steps are tried and no more; the rest goes with the next delivery."""
    scene.pair(BY_PROVIDER)
    assert len(scene.deliver(limit=3).steps) == 3
    assert len(scene.deliver(limit=1).steps) == 1


def events(scene, *names):
    with scene.store.reading() as conn:
        rows = conn.execute(select(event.c.kind, event.c.data).order_by(event.c.id))
        return [(kind, *(data.get(name) for name in names)) for kind, data in rows]


def test_every_proof_and_landing_is_an_event(scene):
    """A reminder made, completed and mailed by the provider: one event for each proof with the provider's id, and one for the landing."""
    scene.notice(BY_PROVIDER)
    scene.deliver()
    told = events(scene, "act", "provider_id", "found")
    assert told == [
        ("step_done", "create", "r2", False),
        ("step_done", "complete", "r4", False),
        ("step_done", "send_email", "r6", False),
        ("notice_landed", None, None, None),
        ("step_done", "note", "r7", False),
    ]
    landed = next(data for kind, data in _data(scene) if kind == "notice_landed")
    assert landed == {
        "level": 1, "level_name": "Mahnung", "channel": "mail", "recipient": "a@b.example", "open": "119.00", "fee": "5.00",
        "currency": "EUR", "deadline": "2026-03-12",
    }  # fmt: skip


def _data(scene):
    with scene.store.reading() as conn:
        return conn.execute(select(event.c.kind, event.c.data).order_by(event.c.id)).all()


def test_what_is_unclear_absent_or_parked_is_an_event(scene):
    """An answer that was lost, its absence once proven, and a refusal: each is told with act and cause."""
    scene.notice(BY_PROVIDER)
    scene.provider.pushes = [Unclear("cut", cause="cut")]
    scene.provider.finds = [None] * scene.settings.finds
    scene.deliver()
    scene.settle()
    assert events(scene, "act", "cause")[:3] == [
        ("step_unclear", "create", "cut"),
        ("step_absent", "create", None),
        ("step_done", "create", None),
    ]


def test_a_refusal_is_an_event_and_parks_the_notice(scene):
    """550 of the mail server: the step and its notice wait for a person, and the journal has the cause."""
    made = scene.notice()
    scene.mail.pushes = [Refused("no such mailbox", cause="smtp_550")]
    scene.deliver()
    assert events(scene, "act", "cause") == [("step_parked", "mail", "smtp_550")]
    assert scene.get(made).state == "parked"


def test_a_lost_mail_that_nobody_can_find_is_one_event_more(scene):
    """Unclear first, then left to a person with the reason why nobody can tell."""
    scene.notice()
    scene.mail.pushes = [Unclear("cut", cause="cut")]
    scene.mail.finds = [CannotTell("no archive", cause="smtp_no_archive")] * scene.settings.finds
    scene.deliver()
    scene.settle()
    assert events(scene, "act", "cause") == [
        ("step_unclear", "mail", "cut"),
        ("step_parked", "mail", "smtp_no_archive"),
    ]


def test_a_reminder_that_was_read_before_its_proof_is_ours(scene):
    """Another process reads our draft while the call still lasts: with the proof it is no reminder of somebody else any more."""

    def read_meanwhile(write):
        proof = scene.provider.effect(write)
        held = tuple(scene.provider.notices.values())
        with scene.store.begin() as conn:
            scene.store.mirror.write(conn, "a", batch(notices=held), business_date=TODAY, now=START)
        assert not scene.row(provider_notice, id=proof.provider_id)["ours"]
        return proof

    scene.notice(BY_PROVIDER)
    scene.provider.pushes = [read_meanwhile]
    scene.deliver()
    assert scene.row(provider_notice, id="r2")["ours"]


def test_a_step_without_a_claim_is_about_the_only_one(scene):
    """In a bundle it is about none; only mails and letters say which notices they cover."""
    made = scene.pair(OWN_LETTER)
    with scene.store.reading() as conn:
        pair, steps = scene.store.outbox.get(conn, made), scene.store.outbox.steps.of_notice(conn, made)
    create = next(one for one in steps if one.act is Act.CREATE)
    letter = next(one for one in steps if one.act is Act.LETTER)
    assert claim_of(pair, create).invoice_id == "1"
    assert claim_of(pair, letter) is None
    assert (len(write_back(pair, letter).covers), write_back(pair, create).covers) == (2, ())


def test_a_single_mail_is_about_its_invoice(scene):
    """A mail over one invoice names it, and covers its notice."""
    made = scene.notice(MAIL)
    with scene.store.reading() as conn:
        one, [mail] = scene.store.outbox.get(conn, made), scene.store.outbox.steps.of_notice(conn, made)
    assert claim_of(one, mail).invoice_id == write_back(one, mail).invoice.id == "1"
    assert len(write_back(one, mail).covers) == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Refused("no", cause="smtp_550"), ("Refused", "smtp_550", Sentence("no").to_store())),
        (ValueError("secret"), ("ValueError", "", "ValueError")),
    ],
)
def test_what_a_channel_said_is_kept_without_foreign_texts(error, told):
    """For a replay: class, cause and sentence of an error of ours; of any other its class alone."""
    assert tuple(as_told(error)[name] for name in ("error", "cause", "text")) == told
