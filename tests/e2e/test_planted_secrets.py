"""Secrets planted in every place that they could leak from: none comes out of any door."""

import json
import os
import zipfile
from pathlib import Path
from urllib.parse import quote

PASSWORD = "pl4nted/Pass+word=="
LOOKS = (
    ("check", "main"), ("failures", "show", "run-1"), ("config", "show"), ("runs", "trace"), ("status",), ("replay", "run-1", "--dry-run"), ("keys", "show"),
)  # fmt: skip


def forms(secret):
    return {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}


def test_no_door_tells_a_secret(desk, office):
    """The provider echoes the token in its error: no command, `--json`, recording, bundle, export, or file in the data folder shows it."""
    token = desk.sandbox.token
    office.env["MAHNBRIDGE__RECORDINGS__KEEP"] = "all"
    office.env["MAHNBRIDGE__CHANNELS__SMTP__USER"] = "office"
    office.env["MAHNBRIDGE__CHANNELS__SMTP__PASSWORD"] = PASSWORD
    body = json.dumps({"error": {"message": f"bad token {token}, password {PASSWORD}"}, "access_token": token})
    desk.sandbox.faults.status(500, "/Invoice", body=body.encode(), headers={"X-Echo": token}, times=None)
    said = [desk("pull", code=1)]
    said += [desk(*words, code=None) for words in LOOKS]
    said += [desk(*words, "--json", code=None) for words in LOOKS[:4]]
    desk("bundle", "1")
    desk("audit", "export", "trail.jsonl")
    with zipfile.ZipFile(desk.folder / "run-1.zip") as package:
        said += [package.read(name).decode() for name in package.namelist()]
    for path in Path(desk.folder).rglob("*"):
        if path.is_file() and path.suffix not in (".zip", ".key"):
            said.append(path.read_bytes().decode("latin-1"))
    assert (desk.folder / "data" / "recordings" / "run-1.jsonl").is_file()
    for secret in (token, PASSWORD):
        for form in forms(secret):
            assert [text[max(0, text.find(form) - 200) :][:400] for text in said if form in text] == []
    command = Path("/proc/self/cmdline")
    if os.name == "posix" and command.exists():
        assert token not in command.read_text("latin-1")
