"""Secrets leave through no door: redaction of text and structures, and what a recording keeps."""

import base64
import html
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BridgeError
from bridge.http import Exchange, FileRecorder, Http, HttpSettings, TokenAuth, redact
from bridge.http.recorder import of_step, went_well
from bridge.http.redact import MASK, TOO_DEEP, Redactor, is_secret_name
from bridge.testing.server import Request, Response, Server

SECRET = 'K3y+/="\\ä&<x>-0815'


@pytest.mark.parametrize(
    "form",
    [
        str, quote, lambda s: quote(s, safe=""), quote_plus, lambda s: quote(s, safe="").lower(), html.escape, json.dumps,
        lambda s: json.dumps(s, ensure_ascii=False), repr,
        lambda s: base64.b64encode(s.encode()).decode(), lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
        lambda s: base64.b64encode(f"me:{s}".encode()).decode(), lambda s: base64.b64encode(f"you:{s}!".encode()).decode(),
    ],
)  # fmt: skip
def test_known_secrets_in_every_form(form):
    """A known secret is taken out however it was written, also as part of a base64 text."""
    text = Redactor([SECRET]).text(f"before {form(SECRET)} after")
    assert text.startswith("before ")
    assert text.endswith(" after")
    assert MASK in text
    assert SECRET not in text
    assert base64.b64encode(SECRET.encode()).decode()[4:-4] not in text


@given(secret=st.text(min_size=4, max_size=40), before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_secret_survives(secret, before, after):
    """No text keeps a known secret, whatever stands around it."""
    assert secret not in Redactor([secret]).text(before + secret + after).replace(MASK, "\0")


@pytest.mark.parametrize(
    "text",
    [
        "GET /x?api_key=S3CRETVALUE&page=2", "https://h/cb?code=S3CRETVALUE&state=abc", "client_secret=S3CRETVALUE&a=b",
        '{"access_token": "S3CRETVALUE", "a": 1}', '{"password":"a\\"S3CRETVALUE"}', "{'refresh_token': 'S3CRETVALUE'}",
        '"{\\"id_token\\":\\"S3CRETVALUE\\"}"', "Authorization: Bearer S3CRETVALUE", "basic UzNDUkVUVkFMVUU=",
    ],
)  # fmt: skip
def test_values_under_telling_names(text):
    """Unknown values under telling names are taken out as well."""
    clean = redact(text)
    assert "S3CRETVALUE" not in clean
    assert "UzNDUkVU" not in clean
    assert MASK in clean


def test_ordinary_text_stays():
    """Invoice numbers, customer codes and our own keys are no secrets."""
    for text in ("RE-2026-0815 code=7100", "https://h/x?page=2&order_by=id", '{"key": "a/1/2", "name": "Müller"}'):
        assert redact(text) == text
    assert not any(map(is_secret_name, ("key", "account", "code", "Content-Type", "token_url", "X-Total-Count")))
    assert all(
        map(
            is_secret_name,
            ("Authorization", "X-BillomatApiKey", "Set-Cookie", "client_secret", "X-AppSecret", "X-Auth-Token"),
        )
    )


def test_structures():
    """Log lines are redacted in depth; numbers and other values stay what they are."""
    day = datetime(2026, 1, 1, tzinfo=UTC)
    clean = Redactor(["opensesame"]).value(
        {"a": ["x opensesame", b"opensesame"], "token": "zzz", "n": 3, "when": day, "opensesame": None, "n_token": 7}
    )
    assert clean == {"a": [f"x {MASK}", MASK], "token": MASK, "n": 3, "when": day, MASK: None, "n_token": 7}


def test_absurd_depth_is_cut_off():
    """A structure nested a thousand levels deep is told as far as anybody reads, without its secrets and without an error."""
    deep = {"token": "S3CRETVALUE"}
    for _ in range(500):
        deep = {"a": [deep]}
    text = str(redact(deep))
    assert TOO_DEEP in text
    assert "S3CRETVALUE" not in text


def test_keys_of_any_kind():
    """What stands in a key, a text or a tuple, is redacted too."""
    assert redact({("main", "/x?token=S3CRETVALUE"): 1, 7: 2}) == {f"('main', '/x?token={MASK}')": 1, 7: 2}


def test_short_values_are_no_secrets():
    """A value of three characters would redact half the text; it is ignored."""
    assert Redactor(["abc", ""]).text("abcdef") == "abcdef"


def test_many_tokens_do_not_pile_up():
    """Tokens that rotate for ever are forgotten after a while, configured secrets never."""
    redactor = Redactor(["configured"])
    for number in range(300):
        redactor.learn(f"token-{number:04}")
    assert redactor.text("configured token-0299 token-0000") == f"{MASK} {MASK} token-0000"


@pytest.fixture
def leaky():
    """A provider that throws everything back at whoever asks."""
    server = Server()

    def echo(request: Request) -> Response:
        said = {
            "message": f"bad key {request.headers.get('X-Key')}",
            "headers": dict(request.headers),
            "q": request.target,
        }
        return Response.json(
            {"error": said, "access_token": "fresh-token-1"}, 400, {"Set-Cookie": f"sid={SAFE}", "X-Echo": SAFE}
        )

    server.add("*", ".*", echo)
    with server:
        yield server


SAFE = "s3cr3t/Key+4711=="


def test_recordings_and_errors_hold_no_secret(leaky, tmp_path):
    """A recorded exchange keeps bodies and headers, but nothing that opens the provider's door; the error neither."""
    recorder = FileRecorder(tmp_path)
    settings = HttpSettings(
        base_url=leaky.base_url, auth=TokenAuth(token=SAFE, header="X-Key", headers={"X-AppSecret": "app-Secret-9"})
    )
    errors = []
    with Http(settings, account="ac/me", recorder=recorder) as http:
        for call in (
            lambda: http.read("/x", params={"api_key": SAFE, "page": 2}),
            lambda: http.write("POST", "/x", body={"note": f"our key is {SAFE}", "amount": "1.00"}),
        ):
            with pytest.raises(BridgeError) as caught:
                call()
            errors.append(f"{caught.value} {caught.value!r} {caught.value.__context__!r}")
        assert SAFE not in repr(http) + repr(http.settings) + str(http.settings.model_dump())
    (file,) = tmp_path.iterdir()
    text = file.read_text()
    assert file.name.startswith("http-ac_me-")
    assert file.stat().st_mode & 0o077 == 0
    for said in (text, *errors):
        assert not any(
            secret in said for secret in (SAFE, quote(SAFE, safe=""), quote(SAFE), "app-Secret-9", "fresh-token-1")
        )
    first, second = (json.loads(line) for line in text.splitlines())
    assert (first["method"], first["status"], second["method"]) == ("GET", 400, "POST")
    assert first["url"].endswith(f"/x?api_key={MASK}&page=2")
    assert json.loads(second["request_body"]) == {"note": f"our key is {MASK}", "amount": "1.00"}
    assert first["headers"]["Set-Cookie"] == MASK
    assert "bad key" in first["body"]


def exchange(day, body="x"):
    return Exchange(
        "acme", datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day), 0.1, "GET", "http://h/x", {}, "", 200, {}, body
    )


def test_recordings_keep_their_budget(tmp_path):
    """The oldest recordings go when there are too many bytes; one long body is cut."""
    recorder = FileRecorder(tmp_path, largest=20_000, largest_body=1000)
    for day in range(10):
        for _ in range(5):
            recorder.record(5000, lambda day=day: exchange(day, "y" * 5000))
    files = sorted(path.name for path in tmp_path.iterdir())
    assert "http-acme-20260110.jsonl" in files
    assert "http-acme-20260104.jsonl" not in files
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 20_000
    assert "(5000 characters)" in (tmp_path / files[-1]).read_text()


def test_a_recorder_without_a_folder(tmp_path):
    """A folder that cannot be made loses recordings, not calls."""
    recorder = FileRecorder(tmp_path / "r")
    (tmp_path / "r").touch()
    recorder.record(1, lambda: exchange(0))


def test_binary_bodies(tmp_path):
    """A PDF is recorded by length and hash."""
    with Server() as server:
        server.add("GET", "/f", lambda _: Response(200, b"%PDF-1.7\xff\xfe", {"Content-Type": "application/pdf"}))
        with Http(server.base_url, recorder=FileRecorder(tmp_path)) as http:
            http.download("/f")
    assert "(10 bytes, SHA-256 " in next(tmp_path.iterdir()).read_text()


def broken_off(recorder):
    with recorder.run() as tape:
        tape.begin(3)
        raise RuntimeError


def test_the_recording_of_a_run_is_bounded(tmp_path):
    """A run that failed is kept with its facts, a good one not; of a long one the end is kept, and it says so."""
    recorder = FileRecorder(tmp_path, every=False)
    for number, keep in ((1, False), (2, True)):
        with recorder.run() as tape:
            tape.begin(number, kind="pull", clock="2026-09-01T08:00:00+02:00")
            for index in range(10):
                recorder.record(2_000_000, lambda index=index: exchange(0, f"answer {index}"))
            tape.keep = keep
    recorder.record(1, lambda: exchange(0))
    assert [path.name for path in tmp_path.iterdir()] == ["run-2.jsonl"]
    head, *said = recorder.read(2)
    assert (head["run"], head["kind"], head["whole"]) == (2, "pull", False)
    assert [one["body"] for one in said] == [f"answer {index}" for index in range(6, 10)]
    with pytest.raises(RuntimeError):
        broken_off(recorder)
    assert recorder.read(3)[0]["run"] == 3
    assert recorder.read(4) == []
    with recorder.run() as tape:
        tape.begin(2)
    assert recorder.read(2) == []  # the number came again after a restore: this run was another one, and went well


def test_what_a_failed_step_was_told_outlasts_the_others(tmp_path):
    """Of a delivery too long to be held, the steps that went well go first, but for what the first one asked for all."""
    recorder = FileRecorder(tmp_path, every=False)
    with recorder.run() as tape:
        tape.begin(1)
        for step in range(1, 60):
            with of_step(step):
                recorder.record(300_000, lambda step=step: exchange(0, f"answer {step}"))
            if step != 55:
                went_well(step)
        tape.keep = True
    head, *said = recorder.read(1)
    assert head["whole"]
    assert {55, 59} <= {one["step"] for one in said}
    assert len(said) < 59


def test_old_recordings_go(tmp_path):
    """What is older than the wished number of days goes with the next recording."""
    later = FileRecorder(tmp_path, days=5, now=lambda: datetime.now(UTC) + timedelta(days=6))
    FileRecorder(tmp_path).record(1, lambda: exchange(0))
    later.record(1, lambda: exchange(7))
    assert [path.name for path in tmp_path.iterdir()] == ["http-acme-20260108.jsonl"]
