"""The service as a real process: it works unattended, answers on its port, and stops within ten seconds without losing anything."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import date, timedelta

import pytest


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


@pytest.mark.feature("S-SEV-4")
@pytest.mark.xdist_group("e2e-service")
def test_three_due_days_with_nobody_there(office, near, free_port):
    """The service runs over three due days and a weekend: each invoice is reminded of on its day, once, in the morning."""
    sandbox, due = office.sandbox, date(2026, 8, 31)  # a Monday; reminded of three days later: Thursday, Friday, Monday
    days = [date(2026, 9, 3), date(2026, 9, 4), date(2026, 9, 7)]
    for number in range(3):
        customer = sandbox.add_contact(f"Kunde {number}", email=f"k{number}@kunde.example")
        sandbox.add_invoice(customer, number=f"RE-{number}", issued_on=due + timedelta(days=number - 14))
    near.init()
    path = office.folder / "bridge.yaml"
    text = path.read_text(encoding="utf-8").replace("automation: propose", "automation: send")
    path.write_text(text, encoding="utf-8")
    plan = office.folder / "standard.yaml"
    plan.write_text(
        plan.read_text(encoding="utf-8").replace("automation: propose", "automation: send"), encoding="utf-8"
    )
    env = office.environment() | {"MAHNBRIDGE__MONITOR__PORT": str(free_port), "MAHNBRIDGE__SCHEDULE__PULL": "[]"}
    del env["MAHNBRIDGE__CLOCK"]
    command = [sys.executable, "-m", "tests.e2e.machine", "2026-09-01T20:00:00+02:00"]
    options = {"cwd": office.folder, "env": env, "text": True}
    subprocess.run(
        [*command, "go-live", "--yes", "--as", "Erika"],
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        **options,
    )
    process = subprocess.Popen(
        [*command, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
    try:
        until(lambda: ask(free_port, "/healthz") == "ok\n")
        for number, day in enumerate(days, 1):
            sandbox.today = day
            sandbox.add_transaction("1.00", status=400)
            process.stdin.write(f"{day}T07:29:59.5+02:00\n")
            process.stdin.flush()
            until(lambda count=number: len(office.mails.received) == count)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    assert [people for people, _ in office.mails.received] == [[f"k{number}@kunde.example"] for number in range(3)]
    assert all("RE-" in str(mail["Subject"]) for _, mail in office.mails.received)
    near.on(days[-1])
    assert [one["state"] for one in near.json("cases")] == ["open"] * 3
