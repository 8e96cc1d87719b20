"""Exchanges with a provider are recorded where the operator asks for it, without secrets."""

import json


def test_every_exchange_is_recorded_without_the_token(desk, office):
    """Switched on, each call of a read leaves one line; the provider's token is in none of them. Switched off, there is no file."""
    desk("pull")
    assert not (office.folder / "data" / "recordings").exists()
    office.env["MAHNBRIDGE__RECORDINGS__ON"] = "true"
    asked = len(office.sandbox.server.log)
    desk("pull", "--full")
    files = list((office.folder / "data" / "recordings").glob("*.jsonl"))
    text = "".join(file.read_text("utf-8") for file in files)
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) == len(office.sandbox.server.log) - asked > 0
    assert office.sandbox.token not in text
