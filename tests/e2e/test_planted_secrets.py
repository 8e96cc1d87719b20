"""Secrets planted in every place that they could leak from: none comes out of any door."""

import io
import json
import re
import urllib.error
import urllib.request
import zipfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit

import structlog

from bridge import log
from bridge.app import Bridge
from bridge.page import PageServer
from bridge.schedule.service import Service
from tests.docs.reference import tree

PASSWORD = "pl4nted/Pass+word=="
LOOKS = (
    ("check", "main"), ("failures", "show", "run-1"), ("config", "show"), ("runs", "trace"), ("status",), ("replay", "run-1", "--dry-run"), ("keys", "show"),
    ("doctor",), ("audit", "verify"), ("cases",), ("explain", "RE-1"),
)  # fmt: skip


def forms(secret):
    return {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}


def echoing(sandbox):
    """Let the provider answer every read of invoices with its own token and our password."""
    body = json.dumps({"error": {"message": f"bad token {sandbox.token}, {PASSWORD}"}, "access_token": sandbox.token})
    sandbox.faults.status(500, "/Invoice", body=body.encode(), headers={"X-Echo": sandbox.token}, times=None)


def nothing_told(said, *secrets):
    for secret in secrets:
        for form in forms(secret):
            assert [text[max(0, text.find(form) - 200) :][:400] for text in said if form in text] == []


def test_no_door_tells_a_secret(desk, office):
    """The provider echoes the token in its error: no command, `--json`, recording, bundle, export, backup, package of evidence, or file in
    the data folder shows it.
    """
    token, sealing = desk.sandbox.token, "s3aling-Key/of+ours" * 2
    office.env["MAHNBRIDGE__KEYS__KEY"] = sealing
    office.env["MAHNBRIDGE__RECORDINGS__KEEP"] = "all"
    office.env["MAHNBRIDGE__CHANNELS__SMTP__USER"] = "office"
    office.env["MAHNBRIDGE__CHANNELS__SMTP__PASSWORD"] = PASSWORD
    desk("run", "--no-deliver")
    desk("evidence", "export", "MA-000001", "--out", "case.zip", "--offline")
    echoing(desk.sandbox)
    said = [desk("pull", code=1)]
    said += [desk(*words, code=None) for words in LOOKS]
    said += [desk(*words, "--json", code=None) for words in LOOKS[:4]]
    run = next(one for one in sorted((desk.folder / "data" / "recordings").glob("run-*.jsonl"), reverse=True)).stem
    desk("bundle", run.removeprefix("run-"), "--out", f"{run}.zip")
    desk("audit", "export", "trail.jsonl")
    desk("backup", "b.zip")
    for file in (f"{run}.zip", "case.zip", "b.zip"):
        with zipfile.ZipFile(desk.folder / file) as package:
            said += [package.read(name).decode("latin-1") for name in package.namelist()]
    for path in Path(desk.folder).rglob("*"):
        if path.is_file() and path.suffix not in (".zip", ".key"):
            said.append(path.read_bytes().decode("latin-1"))
    nothing_told(said, token, PASSWORD, sealing)


def test_no_option_takes_a_secret():
    """What a command is given stands in the list of processes and in the shell's history: no option and no argument is a secret."""
    named = re.compile(r"token|secret|password|passwd|key\b|api_?key", re.IGNORECASE)
    given = [(path, param.name) for path, command in tree() for param in command.params]
    assert len(given) > 50
    assert [one for one in given if named.search(one[1] or "")] == []


def asked(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.read().decode() + str(answer.headers)
    except urllib.error.HTTPError as error:
        return error.read().decode() + str(error.headers)


def test_the_service_tells_no_secret(desk, office):
    """Jobs fail with the token in the provider's answer and in a crash: the log, the metrics, the states and the debtor's page say neither."""
    secrets = (desk.sandbox.token, PASSWORD, "s3aling-Key/of+ours" * 2)
    office.env["MAHNBRIDGE__CHANNELS__SMTP__USER"] = "office"
    office.env["MAHNBRIDGE__CHANNELS__SMTP__PASSWORD"] = PASSWORD
    office.env["MAHNBRIDGE__RETENTION__ERASE"] = "true"
    office.env["MAHNBRIDGE__KEYS__KEY"] = secrets[2]
    path = desk.folder / "bridge.yaml"
    page = "\ndebtor_page: {public_url: https://mahnung.example.com/antwort, port: 0, proxies: 0}\n"
    path.write_text(path.read_text("utf-8") + page, encoding="utf-8")
    echoing(desk.sandbox)
    lines = io.StringIO()
    log.set_up(style="json", level="debug", stream=lines)
    with Bridge.open(path, actor="service", env=desk.environment()) as bridge:
        service = Service(bridge)
        for job in ("pull", "deliver", "run"):
            service.job(job, "main")
        bridge.erase_over = lambda: int(" ".join(secrets))
        service.job("house")
        said = [service.metrics.page().decode(), str(service.readyz()), str(service.healthz())]
        with closing(PageServer(bridge)) as server:
            link = urlsplit(bridge.links.of("a" * 32, bridge.today()).url).path.rpartition("/")[2]
            said += [asked(server.number, f"/{one}") for one in ("", "style.css", link, quote(secrets[0]))]
    structlog.reset_defaults()
    told = lines.getvalue()
    assert '"event": "outage"' in told
    assert '"event": "crashed"' in told
    assert "mahnbridge_jobs" in said[0]
    nothing_told([*said, told], *secrets)
