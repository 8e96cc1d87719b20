"""The service as a real process: it works unattended, answers on its port, and stops within ten seconds without losing anything."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from bridge.app import Bridge
from bridge.store.files import NewFile
from bridge.store.tables import dunning_case, kept_file


@pytest.fixture
def serve(office):
    """Start `mahnbridge serve`; give the process and a way to ask its port."""
    started = []

    def start(port):
        office.env["MAHNBRIDGE__MONITOR__PORT"] = str(port)
        process = subprocess.Popen(
            office.command("serve"), cwd=office.folder, env=office.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ask(port, page):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}", timeout=5) as answer:
        return answer.read().decode()


def until(condition, seconds=60):
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = condition()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.05)
    pytest.fail("it did not happen in time")


@pytest.mark.feature("P-27")
@pytest.mark.feature("S-SEV-4")
@pytest.mark.xdist_group("e2e-service")
def test_a_stop_finishes_or_parks_the_step_in_hand(office, near, serve, free_port):
    """Approved mail goes out unattended; SIGTERM in the middle of one ends the process within ten seconds, and it is not sent twice."""
    sandbox = office.sandbox
    customer = sandbox.add_contact(
        "Späth GmbH", email="buch@spaeth.example", number="1001", address=("Weg 1", "20095", "Hamburg")
    )
    sandbox.add_transaction("5.00", status=400)
    sandbox.add_invoice(customer, number="RE-1", issued_on=date(2026, 8, 3))
    near.init()
    near("run", "--no-deliver")
    near("approve", "--all", "--as", "Erika")
    near("go-live", "--yes", "--as", "Erika")
    office.mails.hold.clear()  # the mail server takes the message and then says nothing

    process = serve(free_port)
    until(lambda: ask(free_port, "/healthz") == "ok\n")
    until(lambda: json.loads(ask(free_port, "/readyz"))["ready"])
    until(lambda: office.mails.begun)
    assert near("health", "--url", f"http://127.0.0.1:{free_port}/healthz").code == 0
    metrics = ask(free_port, "/metrics")
    assert 'mahnbridge_open_invoices{account="main",currency="EUR"} 1.0' in metrics
    assert sandbox.token not in metrics
    second = office("serve", code=1)
    assert "already running" in second.err

    asked = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert time.monotonic() - asked < 12
    assert "Traceback" not in out + err
    events = [json.loads(line)["event"] for line in err.splitlines() if line.startswith("{")]
    assert events[0] == "started" or "started" in events
    assert events[-1] == "stopped"
    assert near("health", "--url", f"http://127.0.0.1:{free_port}/healthz", code=1).code == 1

    # what was in hand is kept as unclear; it is looked up, never sent a second time by itself
    office.mails.hold.set()
    report = near.json("deliver", code=None)
    assert report["unclear"] + report["parked"] == 1, report
    assert len(office.mails.begun) == 1


def kept(near, ends):
    """Plant a file whose retention ends with each of these days, and an old line of the journal; return where the bytes lie."""
    with Bridge.open(near.folder / "bridge.yaml", actor="Erika", env=near.environment()) as bridge:
        paths = []
        with bridge.store.begin() as conn:
            case_id, _ = bridge.store.cases.open_case(conn, "main", "former customer", bridge.stamp())
            conn.execute(update(dunning_case).values(state="closed", closed_on=bridge.today()))
        for day in ends:
            digest = bridge.archive.keep(f"%PDF-{day}".encode())
            paths.append(bridge.archive.path(digest))
            with bridge.store.begin() as conn:
                bridge.store.files.add(
                    conn,
                    NewFile(
                        account="main", case_id=case_id, kind="letter", name="x.pdf", media_type="application/pdf", sha256=digest, size=1,
                        kept_at=bridge.clock(), on=day, years=6,
                    ),
                )  # fmt: skip
                conn.execute(update(kept_file).where(kept_file.c.sha256 == digest).values(keep_until=day))
        with bridge.store.begin() as conn:
            for year in (2015, 2016):
                bridge.store.journal.record(
                    conn, "held", at=bridge.clock(), on=date(year, 12, 31), data={"name": "Erna Muster"}
                )
    return paths


def events(near):
    """Return every event of the journal."""
    near("audit", "export", "trail.jsonl")
    return [json.loads(line) for line in (near.folder / "trail.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.feature("S-SEV-4")
@pytest.mark.xdist_group("e2e-service")
def test_three_due_days_with_nobody_there(office, near, free_port):
    """The service runs over three due days and a weekend, and is started again in a night: each invoice is reminded of on its day, once,
    in the morning; each night what is over by then is erased, once, and nothing else.
    """
    sandbox, due = office.sandbox, date(2026, 8, 31)  # a Monday; reminded of three days later: Thursday, Friday, Monday
    days = [date(2026, 9, 3), date(2026, 9, 4), date(2026, 9, 7)]
    for number in range(3):
        customer = sandbox.add_contact(f"Kunde {number}", email=f"k{number}@kunde.example")
        sandbox.add_invoice(customer, number=f"RE-{number}", issued_on=due + timedelta(days=number - 14))
    near.init()
    first, second, stays = kept(near, (date(2026, 9, 1), date(2026, 9, 3), date(2026, 9, 7)))
    path = office.folder / "bridge.yaml"
    text = path.read_text(encoding="utf-8").replace("automation: propose", "automation: send")
    path.write_text(text, encoding="utf-8")
    plan = office.folder / "standard.yaml"
    plan.write_text(
        plan.read_text(encoding="utf-8").replace("automation: propose", "automation: send"), encoding="utf-8"
    )
    env = office.environment() | {"MAHNBRIDGE__MONITOR__PORT": str(free_port), "MAHNBRIDGE__SCHEDULE__PULL": "[]"}
    del env["MAHNBRIDGE__CLOCK"]
    options = {"cwd": office.folder, "env": env, "text": True}

    def command(begins, *words):
        return [sys.executable, "-m", "tests.e2e.machine", begins, *words]

    def started(begins):
        process = subprocess.Popen(
            command(begins, "serve"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
        )
        running.append(process)
        until(lambda: json.loads(ask(free_port, "/readyz"))["ready"])
        return process

    def go_to(process, moment):
        process.stdin.write(f"{moment}\n")
        process.stdin.flush()

    def nights(count):
        until(lambda: f'job="house",outcome="done"}} {count}.0' in ask(free_port, "/metrics"))

    def ended(process):
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0, err

    running = []
    live = command("2026-09-01T20:00:00+02:00", "go-live", "--yes", "--as", "Erika")
    subprocess.run(live, check=True, capture_output=True, stdin=subprocess.DEVNULL, **options)
    try:
        process = started("2026-09-01T20:00:00+02:00")
        nights(1)  # missed until now
        go_to(process, "2026-09-02T03:29:59.5+02:00")
        nights(2)
        assert (first.exists(), second.exists()) == (False, True)
        ended(process)
        process = started("2026-09-02T03:40:00+02:00")
        for number, day in enumerate(days, 1):
            sandbox.today = day
            sandbox.add_transaction("1.00", status=400)
            go_to(process, f"{day}T07:29:59.5+02:00")
            until(lambda count=number: len(office.mails.received) == count)
            assert second.exists() is (day <= date(2026, 9, 3))
        nights(3)
        ended(process)
    finally:
        for process in running:
            process.kill()
            process.communicate()
    assert [people for people, _ in office.mails.received] == [[f"k{number}@kunde.example"] for number in range(3)]
    assert all("RE-" in str(mail["Subject"]) for _, mail in office.mails.received)
    near.on(days[-1])
    assert [one["state"] for one in near.json("cases")] == ["open"] * 3

    assert stays.exists()
    told = events(near)
    erased = [one for one in told if one["kind"] == "retention_applied"]
    assert [(one["business_date"], one["data"]["files"], one["data"]["trail"]) for one in erased] == [
        ("2026-09-01", 0, 1),  # at the first start: the journal of 2015
        ("2026-09-02", 1, 0),
        ("2026-09-04", 1, 0),
    ]
    assert [one["data"] for one in told if one["kind"] == "held" and one["data"]] == [{"name": "Erna Muster"}]
    near("audit", "verify")
