"""Opening an installation: keys change, plans are checked, the date is never set against a real provider."""

from datetime import UTC, datetime

import pytest

from bridge.app import Bridge
from bridge.errors import ConfigError
from bridge.secrets import Vault, new_key

TEXT = """
language: en
creditor: {{name: A GmbH}}
accounts:
  main:
    connector: sevdesk
    http:
      base_url: {url}
      auth: {{type: token, token: "${{TOKEN}}"}}
{more}
"""


def write(folder, more="", url="http://127.0.0.1:9"):
    path = folder / "bridge.yaml"
    path.write_text(TEXT.format(url=url, more=more), encoding="utf-8")
    return path


def test_a_new_key_seals_stored_tokens_again(tmp_path):
    """With a new key and the old one under `previous` a start seals everything anew; the old key is then needed no more."""
    old, new = new_key(), new_key()
    env = {"TOKEN": "x" * 32, "OLD": old, "NEW": new}
    with Bridge.open(write(tmp_path, 'keys: {key: "${OLD}"}'), actor="t", env=env) as bridge:
        bridge.store.tokens.save("main", {"access_token": "abc"}, expected=0)
    with Bridge.open(write(tmp_path, 'keys: {key: "${NEW}", previous: ["${OLD}"]}'), actor="t", env=env):
        pass
    with Bridge.open(write(tmp_path, 'keys: {key: "${NEW}"}'), actor="t", env=env) as bridge:
        assert bridge.store.tokens.load("main").token == {"access_token": "abc"}
    assert isinstance(bridge.vault, Vault)


def test_what_is_opened_is_closed_whatever_happens(tmp_path, monkeypatch):
    """A mistake while the journal is sealed leaves no connection open."""
    bridge = Bridge.open(write(tmp_path), actor="t", env={"TOKEN": "x" * 32})
    closed = []
    monkeypatch.setattr(bridge, "seal", lambda: 1 / 0)
    monkeypatch.setattr(bridge.store, "close", lambda: closed.append("store"))
    with pytest.raises(ZeroDivisionError):
        bridge.close()
    assert closed == ["store"]
    monkeypatch.undo()
    bridge.close()


def test_a_clock_from_outside_is_refused_with_a_real_provider(tmp_path):
    """Nobody can make the program believe another date while it speaks to a provider's real host, not even a caller."""
    path = write(tmp_path, url="https://my.sevdesk.de/api/v1")
    with pytest.raises(ConfigError, match=r"cannot be set from outside while account main speaks to my\.sevdesk\.de"):
        Bridge.open(path, actor="t", env={"TOKEN": "x" * 32}, clock=lambda: datetime(2026, 9, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("plans: {default: standart}", "plans.default = 'standart': there is no such plan (there are "),
        ("plans: {assign: [{plan: vip}]}", "plans.assign.0.plan = 'vip': there is no such plan"),
        ("plans: {files: [own.yaml]}", "own.yaml: cannot be read"),
    ],
)
def test_a_plan_that_does_not_exist_is_named(tmp_path, more, said):
    """A plan that is assigned but not there is found at the start, not when a letter is due."""
    with pytest.raises(ConfigError) as caught:
        Bridge.open(write(tmp_path, more), actor="t", env={"TOKEN": "x" * 32})
    assert said in str(caught.value)


def test_the_configuration_caps_how_far_a_level_goes(tmp_path):
    """dunning.automation: propose makes every level of every plan only propose."""
    with Bridge.open(write(tmp_path, "dunning: {automation: propose}"), actor="t", env={"TOKEN": "x" * 32}) as bridge:
        assert {level.automation.value for plan in bridge.plans.values() for level in plan.levels} == {"propose"}
        remarks = {one.code for one in bridge.check(offline=True).remarks}
    assert {"no_cutoff", "sending_off"} <= remarks


def test_a_company_without_address_or_account_is_said_before_a_letter_goes_out(tmp_path):
    """Where our own letters or mails could go out, `check` names what they would not say: who writes, and where to pay."""
    outbox, town = "channels: {letter_outbox: {folder: letters}}", "street: Weg 1, postcode: '20095', city: Hamburg"
    for own, more, keys in (
        ("name: A GmbH", "", None),  # the providers' own reminders name theirs
        ("name: A GmbH", outbox, "street, postcode, city, iban"),
        (f"name: A GmbH, {town}", outbox, "iban"),
        (f"name: A GmbH, {town}, iban: DE02120300000000202051", outbox, None),
    ):
        path = write(tmp_path, more)
        path.write_text(path.read_text("utf-8").replace("name: A GmbH", own), "utf-8")
        with Bridge.open(path, actor="t", env={"TOKEN": "x" * 32}) as bridge:
            told = [str(one.text) for one in bridge.check(offline=True).remarks if one.code == "creditor_incomplete"]
        assert [one.split(";")[0] for one in told] == ([f"empty under creditor: {keys}"] if keys else [])
