"""The real process against a real sandbox and a real mail server, on loopback, at a date of the story's choice."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import threading
from datetime import date
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import structlog
from aiosmtpd.controller import Controller

from bridge import cli as commandline
from bridge.cli import locale
from connectors.sevdesk.sandbox import Sandbox

ROOT = Path(__file__).parents[2]


class Mails:
    """A mail server that keeps what it is given, or refuses it."""

    def __init__(self):
        self.received, self.begun = [], []
        self.down = False
        self.hold = threading.Event()  # cleared: a message is taken, and then nothing is said
        self.hold.set()

    async def handle_DATA(self, server, session, envelope):  # noqa: N802  the name that the mail server calls
        self.begun.append(envelope.rcpt_tos)
        if self.down:
            return "451 try again later"
        while not self.hold.is_set():  # noqa: ASYNC110  set by the test's thread
            await asyncio.sleep(0.02)
        self.received.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.SMTP)))
        return "250 ok"


def a_free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def free_port():
    return a_free_port()


@pytest.fixture
def mails():
    handler = Mails()
    server = Controller(handler, hostname="127.0.0.1", port=a_free_port())
    server.start()
    handler.port = server.port
    yield handler
    server.stop()


@pytest.fixture
def sevdesk():
    with Sandbox(today=date(2026, 9, 1)) as sandbox:
        yield sandbox


class Result:
    """What one call of the command line printed, and its exit code."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"exit {self.code}\n{self.out}\n{self.err}"

    @property
    def json(self):
        return json.loads(self.out)


class Office:
    """An agency with its bridge.yaml: calls the real command line on a day of its choice."""

    def __init__(self, folder, sandbox, mails):
        self.folder, self.sandbox, self.mails = folder, sandbox, mails
        self.today = sandbox.today
        self.language = "en"
        self.env = {"MAIN_TOKEN": sandbox.token}

    def on(self, day):
        """Go to a day: ours and the provider's."""
        self.today = self.sandbox.today = day

    def environment(self):
        kept = {
            key: os.environ[key]
            for key in ("PATH", "HOME", "SYSTEMROOT", "COVERAGE_PROCESS_START")
            if key in os.environ
        }
        ours = {
            "MAHNBRIDGE__CLOCK": self.today.isoformat(), "MAHNBRIDGE_LANG": self.language, "COLUMNS": "120",
            "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        return kept | ours | self.env

    def command(self, *words):
        return [sys.executable, "-m", "bridge.cli", *map(str, words)]

    def __call__(self, *words, code=0, **more):
        done = subprocess.run(
            self.command(*words), cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=120,
            check=False, encoding="utf-8", **more,
        )  # fmt: skip
        result = Result(done)
        assert code is None or result.code == code, result
        assert "Traceback" not in result.out + result.err, result
        assert self.sandbox.token not in result.out + result.err
        return result

    def json(self, *words, code=0):
        return self(*words, "--json", code=code).json

    def init(self):
        """Let `init` write the configuration, at the sandbox's pace; the agency sends its own mails."""
        made = self("init", "--yes", "--account", "main:sevdesk", "--base-url", f"main={self.sandbox.base_url}",
                    "--company", "Lichtblick GmbH", "--cutoff", "2026-01-01", "--smtp", f"127.0.0.1:{self.mails.port}",
                    "--sender", "buchhaltung@lichtblick.example")  # fmt: skip
        path = self.folder / "bridge.yaml"
        text = path.read_text(encoding="utf-8")
        text = text.replace("    http:\n", "    http:\n      pace: 1000\n")
        path.write_text(text.replace("  # files: [plans.yaml]\n", "  files: [standard.yaml]\n"), encoding="utf-8")
        shipped = (ROOT / "bridge" / "policy" / "plans" / "standard.yaml").read_text(encoding="utf-8")
        (self.folder / "standard.yaml").write_text(shipped.replace("[email]", "[mail]"), encoding="utf-8")
        return made


@pytest.fixture
def office(tmp_path, sevdesk, mails):
    return Office(tmp_path, sevdesk, mails)


class Near(Office):
    """An office whose commands run inside this process: the same code, without a start for every call."""

    def __init__(self, office, monkeypatch, capsys):
        super().__init__(office.folder, office.sandbox, office.mails)
        self._patch, self._shown = monkeypatch, capsys

    def __call__(self, *words, code=0, **more):
        if more:  # what needs a process of its own, such as standard input
            return super().__call__(*words, code=code, **more)
        self._patch.chdir(self.folder)
        for name, value in self.environment().items():
            self._patch.setenv(name, value)
        locale._chosen.clear()
        self._shown.readouterr()
        with pytest.raises(SystemExit) as left:
            commandline.main([str(word) for word in words])
        shown = self._shown.readouterr()
        done = subprocess.CompletedProcess(words, int(left.value.code or 0), shown.out, shown.err)
        result = Result(done)
        assert code is None or result.code == code, result
        assert "Traceback" not in result.out + result.err, result
        assert self.sandbox.token not in result.out + result.err
        return result


@pytest.fixture
def near(office, monkeypatch, capsys):
    """The office, its commands inside this process."""
    yield Near(office, monkeypatch, capsys)
    structlog.reset_defaults()
    logging.basicConfig(force=True)


@pytest.fixture
def desk(office, monkeypatch, capsys):
    """The office's command line inside this process: the same code, without a start for every call."""
    monkeypatch.chdir(office.folder)

    class Desk:
        sandbox, mails, folder = office.sandbox, office.mails, office.folder

        def __call__(self, *words, code=0):
            for name, value in office.environment().items():
                monkeypatch.setenv(name, value)
            locale._chosen.clear()
            capsys.readouterr()
            with pytest.raises(SystemExit) as left:
                commandline.main([str(word) for word in words])
            shown = capsys.readouterr()
            assert code is None or (left.value.code or 0) == code, shown.out + shown.err
            assert office.sandbox.token not in shown.out + shown.err
            return shown.out + shown.err

        def json(self, *words, code=0):
            return json.loads(self(*words, "--json", code=code))

        def on(self, day):
            office.on(day)
            office.sandbox.add_transaction("1.00", status=400)

        def at(self, moment):
            office.env["MAHNBRIDGE__CLOCK"] = moment

        def speak(self, language, columns=120):
            office.language = language
            office.env["COLUMNS"] = str(columns)

        def configure(self, old, new):
            path = office.folder / "bridge.yaml"
            text = path.read_text(encoding="utf-8")
            assert old in text
            path.write_text(text.replace(old, new, 1), encoding="utf-8")

    office.init()
    customer = office.sandbox.add_contact(
        "Späth & Söhne Handelsgesellschaft mbH & Co. KG", email="buch@spaeth.example", number="1001", address=("Weg 1", "20095", "Hamburg"),
    )  # fmt: skip
    Desk.customer = customer
    Desk.invoice = office.sandbox.add_invoice(customer, number="RE-1", gross="1190.00", issued_on=date(2026, 8, 3))
    made = Desk()
    made.on(date(2026, 9, 1))
    yield made
    structlog.reset_defaults()
    logging.basicConfig(force=True)


@pytest.fixture
def live(desk):
    """The same desk, with sending switched on and the first reminder approved."""
    desk("run", "--no-deliver")
    desk("approve", "--all", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    return desk
