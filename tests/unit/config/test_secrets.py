"""Secrets at rest open only with their key and for their account, and keys can change."""

import base64
import stat

import pytest

from bridge.errors import ConfigError
from bridge.secrets import KEY_FILE, PREVIOUS_FILE, Vault, new_key


def test_a_sealed_secret_opens_for_its_account_only():
    """A record that is moved to another account does not open, and the same secret never looks the same twice."""
    vault = Vault([new_key()])
    record = vault.seal("main", "token-4711-ü")
    assert "4711" not in record
    assert vault.unseal("main", record) == "token-4711-ü"
    assert vault.seal("main", "token-4711-ü") != record
    with pytest.raises(ConfigError, match="belongs to another account"):
        vault.unseal("other", record)


def test_a_changed_record_does_not_open():
    """One changed byte is noticed."""
    vault = Vault([new_key()])
    head, _, body = vault.seal("main", "token").rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(body))
    raw[-1] ^= 1
    with pytest.raises(ConfigError, match="was changed"):
        vault.unseal("main", f"{head}.{base64.urlsafe_b64encode(bytes(raw)).decode()}")
    for broken in ("", "v1", "v1.x", "v2.a.b", f"{head}.not base64!"):
        with pytest.raises(ConfigError):
            vault.unseal("main", broken)


def test_keys_change_without_losing_what_was_sealed():
    """With a new key old records still open through `previous`, are sealed again, and then open without the old key."""
    old, new = new_key(), new_key()
    record = Vault([old]).seal("main", "token")
    both = Vault([new, old])
    assert both.unseal("main", record) == "token"
    again = both.reseal("main", record)
    assert Vault([new]).unseal("main", again) == "token"
    assert both.reseal("main", again) is None
    with pytest.raises(ConfigError, match="not configured"):
        Vault([new]).unseal("main", record)


def test_a_key_file_is_made_once_and_for_its_owner_alone(tmp_path):
    """Without a configured key one is made with mode 0600, and used again at the next start."""
    record = Vault.open(tmp_path).seal("main", "token")
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert Vault.open(tmp_path).unseal("main", record) == "token"


def test_a_key_file_that_others_can_read_is_refused(tmp_path):
    """A key that others can read is no key; the message says what to do."""
    Vault.open(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Vault.open(tmp_path)


@pytest.mark.parametrize("key", ["tiny4711", "a" * 31, base64.b64encode(b"16 bytes only...").decode()])
def test_a_short_key_is_refused_without_being_shown(key):
    """A key with too little in it is refused; the message does not show it."""
    with pytest.raises(ConfigError, match="too short") as caught:
        Vault([key])
    assert key not in str(caught.value)


def test_a_broken_key_file_is_named(tmp_path):
    """Where the key is the file's, its path is told, not a key of the configuration that nobody wrote."""
    for name in (KEY_FILE, PREVIOUS_FILE):
        Vault.open(tmp_path)
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text("broken")
        with pytest.raises(ConfigError, match=name):
            Vault.open(tmp_path)
        (tmp_path / name).unlink()


def test_a_long_text_is_a_key_too():
    """A passphrase of at least 32 characters works as a key, the same one each time."""
    words = "correct horse battery staple and some more"
    assert Vault([words]).unseal("main", Vault([words]).seal("main", "x")) == "x"


def test_a_key_file_is_changed_while_another_process_runs(tmp_path):
    """After a rotation old records still open and new ones too, in a process that began before it; forgotten, the old key opens nothing."""
    running, vault = Vault.open(tmp_path), Vault.open(tmp_path)
    before = vault.seal("main", "old")
    vault.rotate()
    after = vault.seal("main", "new")
    assert vault.reseal("main", after) is None
    assert [running.unseal("main", one) for one in (before, after)] == ["old", "new"]
    assert [Vault.open(tmp_path).unseal("main", one) for one in (before, after)] == ["old", "new"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    again = vault.reseal("main", before)
    vault.forget()
    assert Vault.open(tmp_path).unseal("main", again) == "old"
    with pytest.raises(ConfigError, match="not configured"):
        Vault.open(tmp_path).unseal("main", before)
    with pytest.raises(ConfigError, match=r"keys\.previous"):
        Vault([new_key()]).rotate()
