"""A new user's first ten minutes: what `init` writes passes `check`, and what is missing is said plainly."""

from datetime import date

import pytest

from connectors.billomat.sandbox import Sandbox as Billomat
from connectors.sevdesk.sandbox import Sandbox as Sevdesk
from tests.e2e.conftest import noon


@pytest.fixture
def call(tmp_path, inside):
    def run(*words, **env):
        return inside(words, tmp_path, {"MAHNBRIDGE_LANG": "en", "COLUMNS": "120"} | env)

    return run


@pytest.mark.parametrize(("connector", "sandbox"), [("sevdesk", Sevdesk), ("billomat", Billomat)])
def test_what_init_writes_for_a_provider_that_sends_passes_check(call, connector, sandbox):
    """No mail server is configured: the provider sends its own reminders, so nothing is missing."""
    with sandbox(today=date(2026, 9, 1)) as provider:
        token = provider.token if connector == "sevdesk" else provider.key
        env = {"AGENTUR_TOKEN": token, "AGENTUR_KEY": token, "MAHNBRIDGE__CLOCK": noon("2026-09-01")}
        words = ("--account", f"agentur:{connector}", "--base-url", f"agentur={provider.base_url}")
        assert call("init", "--yes", *words, **env).returncode == 0
        checked = call("check", **env)
        assert checked.returncode == 0, checked.stdout + checked.stderr
        assert "Everything that is needed works." in checked.stdout
        assert checked.stdout.count("plan_no_own_channel") == 1


def test_exports_alone_need_a_mail_server_and_check_says_so_once(call, tmp_path):
    """Nobody can send for a list of open items: one error names the key that is missing."""
    (tmp_path / "inbox").mkdir()
    assert call("init", "--yes", "--account", "liste:generic_csv").returncode == 0
    checked = call("check")
    assert checked.returncode == 1, checked.stdout + checked.stderr
    assert checked.stdout.count("[plan_channel]") == 1
    assert "set channels.smtp" in " ".join(checked.stdout.split())


@pytest.mark.parametrize(("connector", "sandbox"), [("sevdesk", Sevdesk), ("billomat", Billomat)])
def test_places_are_prepared_once_the_secret_is_set(call, tmp_path, connector, sandbox):
    """`init --places` without the secret writes the file and says how it goes on; again, it prepares the places and nothing else."""
    with sandbox(today=date(2026, 9, 1)) as provider:
        token = provider.token if connector == "sevdesk" else provider.key
        env = {"AGENTUR_TOKEN": token, "AGENTUR_KEY": token}
        words = ("--account", f"agentur:{connector}", "--base-url", f"agentur={provider.base_url}")
        first = call("init", "--yes", "--places", *words)
        assert first.returncode == 0, first.stdout + first.stderr
        [line] = [one for one in first.stdout.splitlines() if "init --places" in one]
        assert "set the secrets" in line
        written = (tmp_path / "bridge.yaml").read_bytes()
        missing = "sevdesk_no_note_field" if connector == "sevdesk" else "billomat_no_place"
        assert missing in call("check", **env).stdout
        for _ in range(2):
            again = call("init", "--places", **env)
            assert again.returncode == 0, again.stdout + again.stderr
        assert (tmp_path / "bridge.yaml").read_bytes() == written
        assert missing not in call("check", **env).stdout
        unset = call("init", "--places")
        assert unset.returncode == 1
        assert "is not set" in unset.stderr
