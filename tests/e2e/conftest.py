"""The real process against a real sandbox and a real mail server, on loopback, at a date of the story's choice."""

import asyncio
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import chdir
from datetime import date
from email import message_from_bytes, policy
from pathlib import Path
from unittest.mock import patch

import pytest
import structlog
from aiosmtpd.controller import Controller

from bridge import cli as commandline
from bridge.cli import locale
from connectors.sevdesk.sandbox import Sandbox
from tests.unit.channels.conftest import script  # noqa: F401  a fixture

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


def noon(day):
    """Say that it is noon of a day, as at the sandboxes: what a test shows does not hang on the hour at which it runs."""
    return f"{day}T12:00:00"


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
            "MAHNBRIDGE__CLOCK": noon(self.today), "MAHNBRIDGE_LANG": self.language, "COLUMNS": "120",
            "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        return kept | ours | self.env

    def command(self, *words):
        return [sys.executable, "-m", "bridge.cli", *map(str, words)]

    def __call__(self, *words, code=0):
        result = Result(self._call(words))
        assert code is None or result.code == code, result
        assert "Traceback" not in result.out + result.err, result
        assert self.sandbox.token not in result.out + result.err
        return result

    def _call(self, words):
        return subprocess.run(
            self.command(*words), cwd=self.folder, env=self.environment(), capture_output=True, text=True, timeout=120,
            check=False, encoding="utf-8",
        )  # fmt: skip

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
        letters = shipped.partition("  - name: {de: Übergabe")[0]  # the stories end with the last letter
        (self.folder / "standard.yaml").write_text(letters.replace("[email]", "[mail]"), encoding="utf-8")
        return made


@pytest.fixture
def office(tmp_path, sevdesk, mails):
    return Office(tmp_path, sevdesk, mails)


@pytest.fixture
def inside(capsys):
    """Call the command line inside this process: the same code and environment, without a start for every call."""

    def call(words, folder, env):
        locale._chosen.clear()
        locale._zones.clear()
        capsys.readouterr()
        with chdir(folder), patch.dict(os.environ, env, clear=True), pytest.raises(SystemExit) as left:
            commandline.main([str(word) for word in words])
        shown = capsys.readouterr()
        return subprocess.CompletedProcess(words, int(left.value.code or 0), shown.out, shown.err)

    yield call
    structlog.reset_defaults()
    logging.basicConfig(force=True)


class Near(Office):
    """An office whose commands run inside this process, on the same day as those in processes of their own."""

    def __init__(self, office, inside, empty):
        super().__init__(office.folder, office.sandbox, office.mails)
        self._office, self._inside, self._empty = office, inside, empty
        self.env = office.env

    def on(self, day):
        super().on(day)
        self._office.today = day

    def _call(self, words):
        return self._inside(words, self.folder, self.environment())

    def init(self):
        """Let `init` write the configuration; the database is a copy of an empty one with all tables."""
        made = super().init()
        (self.folder / "data").mkdir(mode=0o700, exist_ok=True)
        shutil.copyfile(self._empty, self.folder / "data" / "mahnbridge.db")
        return made


@pytest.fixture
def near(office, inside, sqlite_template):
    """The office, its commands inside this process."""
    return Near(office, inside, sqlite_template)


class Desk:
    """The office's command line inside this process, by what it prints; with one customer and one overdue invoice, RE-1."""

    def __init__(self, near):
        self._near, self.sandbox, self.mails, self.folder = near, near.sandbox, near.mails, near.folder
        near.init()
        self.customer = self.sandbox.add_contact(
            "Späth & Söhne Handelsgesellschaft mbH & Co. KG", email="buch@spaeth.example", number="1001",
            address=("Weg 1", "20095", "Hamburg"),
        )  # fmt: skip
        self.invoice = self.sandbox.add_invoice(
            self.customer, number="RE-1", gross="1190.00", issued_on=date(2026, 8, 3)
        )
        self.on(date(2026, 9, 1))

    def __call__(self, *words, code=0):
        result = self._near(*words, code=code)
        return result.out + result.err

    def json(self, *words, code=0):
        return json.loads(self(*words, "--json", code=code))

    def on(self, day):
        self._near.on(day)
        self.sandbox.add_transaction("1.00", status=400)

    def environment(self):
        """Return what the commands see, for what a test opens beside them."""
        return self._near.environment()

    def at(self, moment):
        self._near.env["MAHNBRIDGE__CLOCK"] = moment

    def speak(self, language, columns=120):
        self._near.language = language
        self._near.env["COLUMNS"] = str(columns)

    def configure(self, old, new):
        path = self.folder / "bridge.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.fixture
def desk(near):
    """The office's command line inside this process: the same code, without a start for every call."""
    return Desk(near)


@pytest.fixture
def live(desk):
    """The same desk, with sending switched on and the first reminder approved."""
    desk("run", "--no-deliver")
    desk("approve", "--all", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    return desk
