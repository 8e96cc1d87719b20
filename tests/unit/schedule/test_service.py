"""The service: once per deployment, one log line per outage, health and metrics without secrets, nothing missed or doubled."""

import io
import json
import sqlite3
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
import structlog
from sqlalchemy.exc import OperationalError

from bridge import log
from bridge.app.results import Delivered, Planned, Pulled, Ran, ReturnsRead
from bridge.config.housekeeping import Retention
from bridge.config.model import Account, Config
from bridge.errors import AlreadyRunning, RetryLater
from bridge.metrics import documented
from bridge.schedule import Service
from bridge.words import Sentence


class Stub:
    """The facade as the service sees it, answering what a test wants."""

    def __init__(self, store, *, run_at, last_run=None, port=0, accounts=None):
        self.store = store
        self.config = Config.model_validate(
            {
                "accounts": accounts or {"main": Account(connector="sevdesk")},
                "schedule": {"run": [run_at], "pull": []},
                "monitor": {"port": port},
            }
        )
        self.accounts = {name: SimpleNamespace(name=name) for name in self.config.accounts}
        self.channels = {}
        self.returned = ReturnsRead()
        self.stop = threading.Event()
        self.answers = []
        self.erased_at = datetime.now(UTC)
        self.ran = []
        self._last_run = last_run
        self.started = threading.Event()

    def last_run(self, account):
        return self._last_run

    def last_erased(self):
        return self.erased_at

    def erase_over(self):
        return SimpleNamespace(counts={})

    def pull(self, accounts):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return (answer,)

    def run(self, accounts):
        self.ran.append(accounts)
        self.started.set()
        pulled = tuple(Pulled(one, "done") for one in accounts)
        return Ran(pulled, Planned(datetime.now(UTC).date(), (), ()), Delivered({}), self.returned)

    def deliver(self, accounts):
        return Delivered({})

    def readings(self):
        return {"mahnbridge_sending": {(): 0.0}, "mahnbridge_open_invoices": {("main", "EUR"): 3.0}}


@pytest.fixture
def lines():
    stream = io.StringIO()
    log.set_up(style="json", level="info", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()


def ago(**parts):
    """Return a local time of day that was so long ago, rounded down to the minute."""
    moment = datetime.now(ZoneInfo("Europe/Berlin")) - timedelta(**parts)
    return time(moment.hour, moment.minute).strftime("%H:%M") if moment.hour != 2 else "03:00"


@pytest.fixture
def running(sqlite_store, lines):
    """Start a service in a thread; give the service, and stop it afterwards."""
    started = []

    def start(stub):
        service = Service(stub)
        thread = threading.Thread(target=service.run, daemon=True)
        thread.start()
        assert service.up.wait(10)
        started.append((service, thread))
        return service

    yield start
    for service, thread in started:
        service.stop()
        thread.join(15)
        assert not thread.is_alive()


def ask(service, page):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{service.port}{page}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.feature("S-SEV-4")
def test_a_missed_day_is_caught_up_once(sqlite_store, running):
    """A service that was down at its time runs once at its start, not once for every day that it was down."""
    stub = Stub(sqlite_store, run_at="07:30", last_run=datetime.now(UTC) - timedelta(days=5))
    service = running(stub)
    assert stub.started.wait(10)
    service.stop()
    assert stub.ran == [("main",)]


def planned(stub):
    service = Service(stub)
    service._plan()
    return {job.id for job in service.jobs()}


def test_a_missed_night_is_caught_up_once(sqlite_store):
    """A machine that is off at night erases what is over at its start, once; one that did so since the last night does not again."""
    stub = Stub(sqlite_store, run_at="07:30")
    for erased, missed in ((None, True), (timedelta(days=9), True), (timedelta(0), False)):
        stub.erased_at = None if erased is None else datetime.now(UTC) - erased
        assert {"house"} <= planned(stub)
        assert ("house:missed" in planned(stub)) is missed


def test_nothing_is_erased_by_itself_where_nobody_wants_it(sqlite_store):
    """With `retention.erase: false` neither the night nor a start erases anything."""
    stub = Stub(sqlite_store, run_at="07:30")
    stub.config = stub.config.model_copy(update={"retention": Retention(erase=False)})
    stub.erased_at = None
    assert not {one for one in planned(stub) if one.startswith("house")}


def test_accounts_that_are_due_together_are_one_run(sqlite_store, running):
    """What is due at the same time is one run under one cap, also what was missed; an account with a time of its own runs then."""
    sooner, other = {"run": ["07:30", "18:00"]}, {"run": ["09:00"]}
    accounts = {
        "first": Account(connector="sevdesk"),
        "second": Account(connector="billomat", schedule=sooner),
        "third": Account(connector="sevdesk", schedule=other),
    }
    stub = Stub(sqlite_store, run_at="07:30", last_run=datetime.now(UTC) - timedelta(days=2), accounts=accounts)
    service = running(stub)
    assert stub.started.wait(10)
    assert stub.ran == [("first", "second", "third")]
    rounds = {job.id: job.args for job in service.jobs() if job.id.startswith("run:")}
    assert rounds == {
        "run:07:30:00": ("run", "first", "second"),
        "run:18:00:00": ("run", "second"),
        "run:09:00:00": ("run", "third"),
    }


def test_nothing_is_caught_up_that_was_not_missed(sqlite_store, running, lines):
    """After a run since the last due time, and on a fresh installation, a start runs nothing."""
    for last in (datetime.now(UTC), None):
        stub = Stub(sqlite_store, run_at=ago(hours=3), last_run=last)
        service = running(stub)
        assert sorted(job.id for job in service.jobs()) == [
            "deliver:main",
            "house",
            f"run:{stub.config.schedule.run[0]}",
        ]
        service.stop()
        assert service.ended.wait(15)
        assert stub.ran == []
    assert "catch_up" not in [line["event"] for line in lines()]


@pytest.mark.feature("P-27")
def test_there_is_one_scheduler_per_deployment(sqlite_store, running):
    """A second service on the same database refuses to start and names the first."""
    running(Stub(sqlite_store, run_at=ago(hours=3), last_run=datetime.now(UTC)))
    with pytest.raises(AlreadyRunning, match="the scheduler is already running"):
        Service(Stub(sqlite_store, run_at="07:30")).run()


def test_an_outage_is_one_line_and_the_recovery_another(sqlite_store, lines):
    """Three failed pulls in a row and a good one give two lines; the jobs are counted all the same."""
    stub = Stub(sqlite_store, run_at="07:30")
    service = Service(stub)
    down = Pulled("main", "failed", cause="connection", error="no answer")
    stub.answers = [down, down, RetryLater("no answer", cause="connection"), Pulled("main", "done")]
    for _ in range(4):
        service.job("pull", "main")
    assert [line["event"] for line in lines() if line["event"] in ("outage", "recovered")] == ["outage", "recovered"]
    page = service.metrics.page().decode()
    assert 'mahnbridge_jobs_total{job="pull",outcome="failed"} 3.0' in page
    assert 'mahnbridge_jobs_total{job="pull",outcome="done"} 1.0' in page


def test_a_mailbox_of_returned_mail_that_is_away_is_an_outage(sqlite_store, lines):
    """Two rounds without it are one line, its return another; what came back is told by its notices, and the rounds go on."""
    stub = Stub(sqlite_store, run_at="07:30")
    stub.channels = {"smtp": object()}
    service = Service(stub)
    away = ReturnsRead(problems=(("smtp", "imap_connect", Sentence("not reachable")),))
    for read in (away, away, ReturnsRead(notices=(7,))):
        stub.returned = read
        service.job("run", "main")
    told = [line for line in lines() if line["event"] in ("outage", "recovered", "returned")]
    assert [line["event"] for line in told] == ["outage", "recovered", "returned"]
    assert told[-1]["notices"] == [7]
    assert stub.ran == [("main",)] * 3


def test_an_overlapping_job_is_skipped_not_failed(sqlite_store, lines):
    """A job whose work is under way elsewhere is skipped without being an outage."""
    stub = Stub(sqlite_store, run_at="07:30")
    stub.answers = [AlreadyRunning("reading account main is already running")]
    service = Service(stub)
    service.job("pull", "main")
    assert service.outages.down == {}
    assert [line["event"] for line in lines()] == ["skipped"]


def test_a_bug_in_a_job_does_not_end_the_service(sqlite_store, lines):
    """An unexpected error is logged and counted; the next job runs."""
    stub = Stub(sqlite_store, run_at="07:30")
    stub.answers = [ZeroDivisionError("oops"), Pulled("main", "done")]
    service = Service(stub)
    service.job("pull", "main")
    service.job("pull", "main")
    assert [line["event"] for line in lines()] == ["crashed", "pulled"]


def test_a_full_disk_is_an_outage_and_no_bug(sqlite_store, lines):
    """The job failed and is tried again; the log says that room is missing, once, without a traceback."""
    stub = Stub(sqlite_store, run_at="07:30")
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorname = "SQLITE_FULL"
    stub.answers = [OperationalError("insert", None, full)] * 2 + [Pulled("main", "done")]
    service = Service(stub)
    for _ in range(3):
        service.job("pull", "main")
    told = lines()
    assert [(line["event"], line.get("cause")) for line in told] == [
        ("outage", "disk_full"), ("recovered", None), ("pulled", None),
    ]  # fmt: skip
    assert "no room" in told[0]["message"]


def test_health_readiness_and_metrics_on_one_port(sqlite_store, running):
    """/healthz and /readyz answer, /metrics has exactly the documented metrics, anything else is not found.

    Without a public address no other port is opened.
    """
    service = running(Stub(sqlite_store, run_at=ago(hours=3), last_run=datetime.now(UTC)))
    assert service.page is None
    assert ask(service, "/healthz") == (200, "ok\n")
    status, text = ask(service, "/readyz")
    assert (status, json.loads(text)["ready"]) == (200, True)
    assert ask(service, "/secrets")[0] == 404
    status, text = ask(service, "/metrics")
    assert status == 200
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    assert names - {"mahnbridge_jobs_created", "mahnbridge_job_seconds_created"} == set(documented())
    assert 'mahnbridge_open_invoices{account="main",currency="EUR"} 3.0' in text


def test_links_to_cases_are_answered_where_only_they_are_made(sqlite_store, running):
    """With the address for staff alone the listener is up too, beside the port of health and metrics."""
    stub = Stub(sqlite_store, run_at=ago(hours=3), last_run=datetime.now(UTC))
    page = stub.config.debtor_page.model_copy(update={"port": 0})
    stub.config = stub.config.model_copy(update={"public_url": "https://m.example", "debtor_page": page})
    service = running(stub)
    with urllib.request.urlopen(f"http://127.0.0.1:{service.page.number}/cases/MA-000007", timeout=5) as answer:
        assert "mahnbridge case show MA-000007" in answer.read().decode()
    assert ask(service, "/cases/MA-000007")[0] == 404


def test_without_a_heartbeat_it_is_not_healthy(sqlite_store):
    """A service whose watch stands still says so, so that a container is started anew."""
    service = Service(Stub(sqlite_store, run_at="07:30"))
    assert service.healthz()[0] == 200
    service.beat -= 3600
    assert service.healthz()[0] == 503
    assert service.readyz()[0] == 503
