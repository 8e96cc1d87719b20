"""Secrets planted in every place that they could leak from: none comes out of any door."""

import base64
import io
import json
import re
import threading
import urllib.error
import urllib.request
import zipfile
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlsplit

import structlog

from bridge import log
from bridge.app import Bridge
from bridge.errors import ConfigError
from bridge.page import PageServer
from bridge.schedule.port import Port
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


SEEN = (
    ("failures", "list"), ("failures", "show", "step-1"), ("status",), ("doctor",), ("check", "main"), ("config", "show"), ("plans", "show"),
    ("runs", "list"), ("cases",), ("explain", "RE-1"), ("tasks", "list"), ("health",), ("case", "show", "MA-000001"),
)  # fmt: skip


def test_what_a_mail_server_echoes_and_what_a_crash_holds_is_told_nowhere(live, office, script, monkeypatch):
    """The mail server refuses with our password in its line, and commands crash with it in arguments and locals: no command, no file
    that they leave, and not even the traceback that was asked for, shows it.
    """
    secrets = (live.sandbox.token, PASSWORD)
    echo = f" no mail for {PASSWORD}, {base64.b64encode(PASSWORD.encode()).decode()}\r\n".encode()
    answers = {
        b"EHLO": b"250-hi\r\n250 AUTH PLAIN LOGIN\r\n",
        b"AUTH": b"235 OK\r\n",
        b"RCPT": b"550" + echo,
        b"DATA": b"354 go on\r\n",
    }
    port = script(answers)
    office.env["MAHNBRIDGE__CHANNELS__SMTP__PORT"] = str(port)
    office.env["MAHNBRIDGE__CHANNELS__SMTP__USER"] = "office"
    office.env["MAHNBRIDGE__CHANNELS__SMTP__PASSWORD"] = PASSWORD
    office.env["MAHNBRIDGE__RECORDINGS__KEEP"] = "all"
    said = [live("deliver", code=None)]
    assert "no mail for" in live("failures", "list", code=1)
    said += [live(*words, code=None) for words in SEEN] + [live(*words, "--json", code=None) for words in SEEN[1:4]]
    answers |= {b"RCPT": b"250 OK\r\n", b".": b"250" + echo}  # taken at last, and said once more
    said += [live("replay", "step-1", "--as", "Erika"), live("deliver")]
    run = max((live.folder / "data" / "recordings").glob("run-*.jsonl")).stem
    newest = live.json("runs", "list")[:3]
    said += [live("runs", what, one["run"], code=None) for one in newest for what in ("show", "trace")]
    made = {"case.zip": ("evidence", "export", "MA-000001", "--offline"), "run.zip": ("runs", "zip", newest[0]["run"])}
    made |= {"bundle.zip": ("bundle", run.removeprefix("run-")), "trail.jsonl": ("audit", "export", "trail.jsonl")}
    said += [
        live(*words, *(("--out", name) if name != "trail.jsonl" else ()), code=None) for name, words in made.items()
    ]
    said.append(live("backup", "b.zip"))
    assert {*made, "b.zip"} <= {one.name for one in live.folder.iterdir()}
    for crash in (
        lambda: RuntimeError(*secrets),
        lambda: OSError(5, PASSWORD, PASSWORD),
        lambda: ConfigError(PASSWORD),
    ):

        def broken(_self, *_, _crash=crash, _held=secrets):
            raise _crash() from ValueError(_held)

        monkeypatch.setattr(Bridge, "pull", broken)
        for more in ({}, {"MAHNBRIDGE_TRACEBACK": "1"}):
            done = live._near._inside(("pull",), live.folder, live.environment() | more)
            assert done.returncode == 1
            assert ("Traceback" in done.stderr) is bool(more)
            said.append(done.stdout + done.stderr)
    for path in Path(live.folder).rglob("*"):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as package:
                said += [package.read(name).decode("latin-1") for name in package.namelist()]
        elif path.is_file() and path.suffix != ".key":
            said.append(path.read_bytes().decode("latin-1"))
    nothing_told(said, *secrets, base64.b64encode(PASSWORD.encode()).decode().rstrip("="))


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
            bridge.asked = lambda _token: int(" ".join(secrets))
            said.append(asked(server.number, f"/{link}"))
        with closing(Port("127.0.0.1", 0, {"/metrics": lambda: int(" ".join(secrets))})) as port:
            said.append(asked(port.number, "/metrics"))
        nobody = threading.Thread(target=lambda: int(" ".join(secrets)))
        nobody.start()
        nobody.join()
        bridge.accounts["main"].connector.pull = lambda _cursor: int(" ".join(secrets))
        service.job("pull", "main")
        with bridge.store.reading() as conn:
            said.append(str(bridge.store.runs.listing(conn)))
    structlog.reset_defaults()
    told = lines.getvalue()
    assert '"event": "outage"' in told
    assert told.count('"event": "crashed"') == 2
    assert told.count('"event": "page_failed"') == 2
    assert "invalid literal" in said[-1]
    assert "thread: crashed" in told
    assert "mahnbridge_jobs" in said[0]
    nothing_told([*said, told], *secrets)
