"""Words of others (providers, debtors, mail servers) on each way out: no terminal obeys them, no log line is forged, no cell computes."""

import csv
import io
import json
import logging
from datetime import date
from types import SimpleNamespace

import click
import pytest

from bridge import log
from bridge.app.evidence import _csv, _timeline
from bridge.cli import _run
from bridge.cli.out import Out
from bridge.cli.session import Session
from bridge.cli.wrong import explain_error, explain_usage
from bridge.errors import ConfigError, UsageError
from bridge.plain import cell, escaped, on_screen
from bridge.words import Sentence
from connectors.generic_csv import status

HOSTILE = "Muster\x1b[2J\x1b]0;x\x07\x9b31m\x7f\u202eGmbH\u2066\r\nzweite\u2028dritte\x85vierte\x08\x00"
STEERING = [sign for sign in HOSTILE if not sign.isprintable() and sign != "\n"]


def harmless(text):
    """Nothing is left in `text` that steers, and something of the words is."""
    return not any(sign in text for sign in STEERING) and "Muster" in text and "GmbH" in text


@pytest.mark.parametrize(
    "show",
    [
        lambda out: out.text(HOSTILE),
        lambda out: out.text(Sentence("{name}", name=HOSTILE)),
        lambda out: out.line("wrong.extra", words=HOSTILE),
        lambda out: out.title("wrong.extra", words=HOSTILE),
        lambda out: out.table(["customer", "reason"], [[HOSTILE, HOSTILE]]),
        lambda out: out.facts([("customer", HOSTILE), ("note", Sentence("{name}", name=HOSTILE))]),
    ],
    ids=["text", "sentence", "line", "title", "table", "facts"],
)
def test_what_is_shown(show, monkeypatch, capsys):
    """Every way to print for people."""
    monkeypatch.setenv("COLUMNS", "300")
    show(Out())
    assert harmless(capsys.readouterr().out)


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("provider: {said}", said=HOSTILE),
        UsageError("provider: {said}", said=HOSTILE),
        OSError(2, "x", HOSTILE.replace("\0", "")),
        RuntimeError(HOSTILE),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_went_wrong(error, capsys):
    """Errors, of whatever kind, with what a provider said in them."""
    explain_error(error)
    assert harmless(capsys.readouterr().err.replace("\\x", ""))


def test_what_was_called_wrongly(capsys):
    """A word of the command line that somebody copied from a mail."""
    assert _run(["status", "Muster\x1b[2JGmbH"]) == 2
    assert "\x1b" not in capsys.readouterr().err
    assert "\x1b" in explain_usage(click.UsageError("a\x1b[2J"))  # which is why it is taken out where it is printed


def test_bytes_that_are_no_text(capsys):
    """A terminal of another encoding is told so; nothing reaches the store."""
    assert _run(["explain", "Gr\udcf6\udcdfe"]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_json_means_the_same(capsys):
    """Scripts read what was said, and a terminal that shows it obeys nothing of it."""
    words = HOSTILE + "\ud800😀ä"
    Session(config="x", as_json=True).emit({"said": words, words: 1}, lambda *_: None)
    printed = capsys.readouterr().out
    assert harmless(printed)
    assert json.loads(printed) == {"said": words, words: 1}
    assert escaped('"\U000e0001"') == '"\\udb40\\udc01"'


@pytest.fixture
def logged():
    before = logging.getLogger().handlers[:], logging.getLogger().level
    out = io.StringIO()
    yield out
    logging.getLogger().handlers[:], logging.getLogger().level = before


@pytest.mark.parametrize("style", ["console", "json"])
def test_a_log_line_is_one_line(logged, style):
    """What others said stands in one line of the log, and cannot look like another."""
    log.set_up(style=style, stream=logged)
    log.get("x").warning(f"outage {HOSTILE}", message=HOSTILE, many=[HOSTILE], one={"a": HOSTILE})
    text = logged.getvalue()
    assert harmless(text)
    assert text.count("\n") == 1
    if style == "json":
        assert json.loads(text)["message"] == HOSTILE


def test_lines_of_libraries(logged):
    """What a library quotes is one line too; a traceback keeps its own."""
    log.set_up(style="json", stream=logged)
    logging.getLogger("urllib3").warning("answer %s", HOSTILE)
    assert harmless(logged.getvalue())
    assert logged.getvalue().count("\n") == 1
    try:
        int(HOSTILE.replace("\0", ""))
    except ValueError:
        logging.getLogger("urllib3").exception("broken")
    assert harmless(logged.getvalue())
    assert "Traceback" in logged.getvalue()


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "\n=cmd|' /C calc'!A0", "\uff1d1", "\x00=1"]


@pytest.mark.parametrize("words", FORMULAS)
def test_no_cell_computes(words, tmp_path):
    """A spreadsheet takes none of it for a formula, in no list that is written."""
    assert cell(words).startswith("'")
    status.write(tmp_path / "list.csv", [dict.fromkeys(status.COLUMNS, words)])
    rows = list(csv.reader(io.StringIO((tmp_path / "list.csv").read_text("utf-8-sig"), newline=""), delimiter=";"))
    assert all(one.startswith("'") for one in rows[1])
    _, row = csv.reader(
        io.StringIO(_csv([(words, "2026-11-16", "1.00", "EUR", "payment", words)]).decode(), newline=""), delimiter=";"
    )
    assert (row[0][0], row[-1][0]) == ("'", "'")


def test_evidence_is_told_line_by_line():
    """A note that looks like the next line of the history stays in its own."""
    event = SimpleNamespace(on=date(2026, 11, 16), actor="Erika", text=f"{HOSTILE}\n2026-11-17  Erika  bezahlt")
    line = SimpleNamespace(number="MA-000001", customer=HOSTILE, customer_number=None)
    text = _timeline(SimpleNamespace(line=line, timeline=[event]), "en")
    assert harmless(text)
    assert text.count("\n") == 3


def test_words_stay_what_they_are():
    """Nothing is taken from ordinary text."""
    text = "Größe: 1.190,00 € – „Müller“ & Søn, 日本 😀\nzweite Zeile"
    assert on_screen(text) == text
    assert on_screen("a\nb", lines=False) == "a b"
    assert escaped(json.dumps(text, ensure_ascii=False)) == json.dumps(text, ensure_ascii=False)
