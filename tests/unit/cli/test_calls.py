"""Calling the command line wrongly, and what goes wrong inside: one clear message, the right exit code, never a traceback."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge import cli as commandline
from bridge.app.results import Remark
from bridge.cli import locale
from bridge.cli.base import Words
from bridge.cli.session import plain
from bridge.config import load
from bridge.errors import AlreadyRunning, ConfigError, Refused, RetryLater, UsageError
from bridge.model import Severity

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _language(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAHNBRIDGE_LANG", "en")
    monkeypatch.delenv("MAHNBRIDGE_CONFIG", raising=False)
    locale._chosen.clear()
    yield
    locale._chosen.clear()


def call(capsys, *words):
    with pytest.raises(SystemExit) as left:
        commandline.main(list(words))
    shown = capsys.readouterr()
    return left.value.code or 0, shown.out, shown.err


@pytest.mark.parametrize(
    ("words", "english", "german"),
    [
        (
            ["stats"],
            "there is no command stats. Did you mean status, tasks?",
            "den Befehl stats gibt es nicht. Ist status, tasks gemeint?",
        ),
        (
            ["status", "--jsn"],
            "there is no option --jsn. Did you mean --json?",
            "die Option --jsn gibt es nicht. Ist --json gemeint?",
        ),
        (["explain"], "INVOICE is missing.", "INVOICE fehlt."),
        (["explain", "RE-1", "--on", "31.02.2026"], "31.02.2026 is no date", "31.02.2026 ist kein Datum"),
        (["explain", "RE-1", "--on", "tomorrow"], "write 2026-12-24", "richtig wäre 2026-12-24"),
        (
            ["explain", "RE-1", "--on", "9999-12-31"],
            "between the years 1900 and 2200",
            "zwischen den Jahren 1900 und 2200",
        ),
        (
            ["claim", "RE-1", "--on", "01.01.0001"],
            "between the years 1900 and 2200",
            "zwischen den Jahren 1900 und 2200",
        ),
        (["case", "block", "MA-1"], "option --reason is missing.", "die Option --reason fehlt."),
        (["case", "block", "MA-1", "--reason", "mood"], "--reason:", "--reason:"),
        (["case", "level", "MA-1", "0"], "level:", "level:"),
        (["failures", "discard", "--reason", "x"], "FAILURES is missing.", "FAILURES fehlt."),
        (["edit", "1", "--text-file", "none.txt"], "--text-file: is not there", "--text-file: gibt es nicht"),
        (["files", "save", "1", "--out", "."], "--out: is a folder", "--out: ist ein Ordner"),
        (["collection", "export", "--to", __file__], "--to: is a file", "--to: ist eine Datei"),
    ],
)
def test_a_wrong_call_is_said_in_both_languages(capsys, words, english, german):
    """A wrong call ends with exit code 2 and one message that says what would be right."""
    for lang, said in (("en", english), ("de", german)):
        code, out, err = call(capsys, *words, "--lang", lang)
        assert code == 2, err
        assert out == ""
        assert said.lower() in err.lower()
        assert err.startswith("Wrong call:" if lang == "en" else "Falscher Aufruf:")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError("accounts.main: the token is wrong"), 1, "A person must act: accounts.main: the token is wrong"),
        (RetryLater("no connection"), 1, "Not now: no connection"),
        (Refused("the letter cannot be printed", cause="letter_characters"), 1, "Refused: the letter cannot"),
        (
            AlreadyRunning("the dunning run is already running"),
            1,
            "Already running: the dunning run is already running",
        ),
        (UsageError("there is no account 'x'"), 2, "Wrong call: there is no account 'x'"),
        (PermissionError(13, "Permission denied", "/data"), 1, "The system refused: Permission denied (/data)"),
        (
            ZeroDivisionError("division by zero"),
            1,
            "This is a mistake in mahnbridge: ZeroDivisionError: division by zero",
        ),
    ],
)
def test_what_goes_wrong_inside_is_one_message(capsys, monkeypatch, error, code, said):
    """A typed error is printed as one message, anything else as a mistake of ours; never a traceback."""

    def fail(*_):
        raise error

    monkeypatch.setattr("bridge.config.load", fail)
    got, out, err = call(capsys, "config", "show")
    assert (got, out) == (code, "")
    assert err.startswith(said)
    assert "Traceback" not in err


def test_without_a_configuration_it_says_what_to_do(capsys):
    """On a fresh machine every command names the one that helps."""
    code, _, err = call(capsys, "status")
    assert code == 1
    assert "mahnbridge init" in err


def test_init_never_overwrites_by_itself(capsys, tmp_path):
    """A second init leaves the file alone unless --force says otherwise; the file is readable by its owner alone."""
    assert call(capsys, "init", "--yes", "--account", "main:sevdesk")[0] == 0
    path = tmp_path / "bridge.yaml"
    path.write_text("language: en\n", encoding="utf-8")
    code, _, err = call(capsys, "init", "--yes", "--account", "main:sevdesk")
    assert code == 1
    assert "exists already" in err
    assert path.read_text(encoding="utf-8") == "language: en\n"
    assert call(capsys, "init", "--yes", "--force", "--account", "main:sevdesk")[0] == 0
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("lang", ["de", "en"])
@pytest.mark.parametrize("connector", ["sevdesk", "billomat", "generic_csv"])
def test_what_init_writes_is_harmless_and_valid(capsys, tmp_path, lang, connector):
    """The file that init writes is valid once its secrets are set; in it sending is off, the cut-off is today, all is proposed."""

    code, _, err = call(
        capsys, "init", "--yes", "--account", f"main:{connector}", "--company", 'A "B" & Söhne', "--lang", lang
    )
    assert code == 0, err
    loaded = load(tmp_path / "bridge.yaml", {"MAIN_TOKEN": "a" * 32, "MAIN_KEY": "b" * 32})
    assert loaded.warnings == ()
    dunning = loaded.config.dunning
    assert dunning.sending.value == "after_go_live"
    assert dunning.automation == "propose"
    assert abs((dunning.cutoff - datetime.now(UTC).astimezone(ZoneInfo("Europe/Berlin")).date()).days) <= 1
    assert loaded.config.creditor.name == 'A "B" & Söhne'
    assert loaded.config.language.value == lang


def test_the_cutoff_is_written_like_every_date(capsys, tmp_path):
    """`init --cutoff` takes a German date as the other options do."""
    assert call(capsys, "init", "--yes", "--account", "main:sevdesk", "--cutoff", "24.12.2026")[0] == 0
    assert "cutoff: 2026-12-24" in (tmp_path / "bridge.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--account", "Main:sevdesk"], "is no account name"),
        (["--account", "main:sevdsk"], "did you mean sevdesk?"),
        (["--account", "a:sevdesk", "--account", "a:billomat"], "stands here twice"),
        (["--account", "a:sevdesk", "--base-url", "b=https://x.example"], "with the name of an account of this call"),
        (["--account", "a:sevdesk", "--cutoff", "morgen"], "is no date"),
        (["--account", "a:sevdesk", "--smtp", "mail.example.com"], "needs --sender"),
    ],
)
def test_wrong_answers_to_init_write_nothing(capsys, tmp_path, words, said):
    """A wrong answer is named, and no file is written."""
    code, _, err = call(capsys, "init", "--yes", *words)
    assert code == 2
    assert said in err
    assert not (tmp_path / "bridge.yaml").exists()


def test_the_overview_needs_neither_pydantic_nor_sqlalchemy():
    """`mahnbridge --help` imports click and the texts alone, so that it starts at once."""
    script = (
        "import sys\nsys.argv = ['mahnbridge', '--help']\nfrom bridge.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted(set(sys.modules) & {'pydantic', 'sqlalchemy', 'rich', 'requests', 'babel', 'ruamel.yaml'}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "LANG": "de_DE.UTF-8"},
        encoding="utf-8",
    )
    assert done.stderr.strip() == "[]"
    assert "explain" in done.stdout


def test_values_for_scripts_are_plain():
    """Amounts are decimal text, dates and instants ISO, in everything that --json prints."""

    value = {
        "a": Decimal("1190.00"),
        "d": date(2026, 9, 1),
        "t": datetime(2026, 9, 1, 8, tzinfo=UTC),
        "r": Remark(Severity.ERROR, "x", "y"),
    }
    assert plain(value) == {
        "a": "1190.00", "d": "2026-09-01", "t": "2026-09-01T08:00:00+00:00",
        "r": {"severity": "error", "code": "x", "text": "y", "subject": ""},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "language"),
    [({"LANG": "de_DE.UTF-8"}, "de"), ({"LANG": "en_GB.UTF-8"}, "en"), ({"LANG": "fr_FR.UTF-8"}, "en"), ({"LANG": "C.UTF-8"}, "de"), ({}, "de"), ({"LANG": "de_DE", "MAHNBRIDGE_LANG": "en"}, "en"), ({"LANG": "de_DE", "LC_ALL": "en_US"}, "en")],
)  # fmt: skip
def test_the_language_is_that_of_the_locale_else_german(monkeypatch, environment, language):
    """German or English by locale; where nothing is said, German."""
    for name in ("MAHNBRIDGE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert locale.language() == language


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["approve", "1", "--refuse", ""], "--refuse: a text is missing here"),
        (["approve", "1", "--refuse", "  "], "--refuse: a text is missing here"),
        (["letters", "returned", "1", "--reason", ""], "--reason: a text is missing here"),
        (["case", "charge", "RE-1", "5", "--note", "\x1b[31mrot"], "--note: the sign U+001B"),
        (["case", "defer", "RE-1", "--note", "x" * 2001], "--note: 2001 characters are too many"),
        (["pause", "--as", "Eri\u202eka"], "--as: the sign U+202E"),
    ],
)
def test_what_people_write_is_a_line_that_can_be_shown(capsys, words, said):
    """An empty reason never approves what was to be refused; nothing that steers a terminal gets into the journal or a letter."""
    code, _, err = call(capsys, *words)
    assert code == 2
    assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["preview", "RE-1", "--level", "0"], "--level: expected a whole number from 1 on"),
        (["case", "defer", "RE-1", "--days", "0"], "--days: expected a whole number from 1 to "),
        (["case", "defer", "RE-1", "--days", "x"], "--days: expected a whole number from 1 to "),
    ],
)
def test_a_number_out_of_range_is_told_its_range(capsys, words, said):
    """0 is a whole number: what is said is which ones are right."""
    code, _, err = call(capsys, *words)
    assert (code, said in err) == (2, True)


def test_a_note_keeps_its_words():
    """Line breaks become spaces; emoji of several signs stay."""
    assert Words().convert(" zwei\n Zeilen 👩‍👧 ", None, None) == "zwei Zeilen 👩‍👧"
