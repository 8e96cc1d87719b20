"""The log hides secrets, and says of an outage once that it began and once that it ended."""

import io
import json
import logging

import pytest
import structlog

from bridge import log
from bridge.http.redact import KNOWN


@pytest.fixture
def lines():
    stream = io.StringIO()
    log.set_up(style="json", level="info", stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()


def test_secrets_never_reach_the_log(lines):
    """Known values are hidden wherever they stand, unknown ones under telling names and in addresses."""
    KNOWN.add("known-secret-4711")
    logger = log.get("test")
    logger.info(
        "call with known-secret-4711",
        token="abc-not-known",
        url="https://x.example/?access_token=zzz-not-known&a=1",
        nested={"password": "pw-not-known", "ok": 1},
    )
    try:
        int("known-secret-4711")
    except ValueError:
        logger.exception("failed")
    text = json.dumps(lines())
    for secret in ("known-secret-4711", "abc-not-known", "zzz-not-known", "pw-not-known"):
        assert secret not in text
    assert lines()[0]["nested"]["ok"] == 1
    assert lines()[0]["room"] == "test"


@pytest.mark.parametrize("style", ["json", "console"])
def test_tracebacks_and_libraries_tell_no_secret(style):
    """A secret in the text of an exception, or in what a library says, is hidden, on a terminal too."""
    KNOWN.add("known-secret-4711")
    stream = io.StringIO()
    log.set_up(style=style, level="info", stream=stream)
    try:
        int("known-secret-4711")
    except ValueError:
        log.get("test").exception("failed")
        logging.getLogger("library").exception("retrying https://x.example/known-secret-4711")
    structlog.reset_defaults()
    logging.basicConfig(force=True)
    told = stream.getvalue()
    assert "known-secret-4711" not in told
    assert told.count("ValueError") >= 2
    assert "library: retrying https://x.example/" in told


def test_an_outage_is_logged_once_and_the_recovery_once(lines):
    """However often a provider is asked while it is out, there is one line at its beginning and one at its end."""
    outages = log.Outages(log.get("test"))
    for _ in range(5):
        outages.failed("main", "http_503", "no answer")
    assert outages.down == {"main": "http_503"}
    for _ in range(3):
        outages.worked("main")
    assert [(line["event"], line["level"]) for line in lines()] == [("outage", "warning"), ("recovered", "info")]
    assert outages.down == {}


def test_another_cause_is_another_line(lines):
    """When the reason changes during an outage, that is worth a line."""
    outages = log.Outages(log.get("test"))
    outages.failed("main", "http_503", "no answer")
    outages.failed("main", "http_401", "refused")
    outages.failed("main", "http_401", "refused")
    assert [line["cause"] for line in lines()] == ["http_503", "http_401"]
