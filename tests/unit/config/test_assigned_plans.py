"""Assignments against the plans there are, and against what was read."""

from datetime import UTC, datetime

import pytest

from bridge.app import Bridge
from bridge.app.rules import plans_of
from bridge.config import BadConfig, load
from bridge.errors import ConfigError
from bridge.model import Batch, Cursor, Debtor

CONFIG = """\
accounts:
  lists: {connector: generic_csv, settings: {inbox: inbox, profile: open_items}}
plans:
  assign:
    - {plan: gentle, customers: ["10017"]}
    - plan: gentle
      customers: ["1O018"]
    - {plan: two-weeks, tags: [VIP]}
"""


@pytest.fixture
def office(tmp_path):
    def write(text=CONFIG):
        (tmp_path / "bridge.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "bridge.yaml"

    return write


def test_a_plan_that_does_not_exist_is_named_with_its_line(office):
    """Each line of its own, and the default; with the plans that there are."""
    wrong = office(
        CONFIG.replace("plan: gentle\n", "plan: gentel\n").replace("plans:\n", "plans:\n  default: standart\n")
    )
    with pytest.raises(BadConfig) as caught:
        plans_of(load(wrong, {}))
    first, second = str(caught.value).splitlines()
    assert ":4: plans.default = 'standart': there is no such plan" in first
    assert (
        ":7: plans.assign.1.plan = 'gentel': there is no such plan (there are gentle, standard, two-weeks, none)"
        in second
    )


def test_customers_and_tags_that_nobody_has_are_found_once_everything_was_read(office):
    """Nothing is said before the first full reading; then each with file, line and value, by `check` and by lint, in both languages."""
    with Bridge.open(office(), actor="test", env={}) as bridge:
        assert bridge.unmatched() == ()
        with bridge.store.begin() as conn:
            known = Debtor(id="d1", number="10017", name="Muster GmbH", tags=("vip",))
            batch = Batch(debtors=(known,), cursor=Cursor(data={"n": 1}))
            now = datetime(2026, 9, 1, 8, tzinfo=UTC)
            bridge.store.mirror.write(conn, "lists", batch, business_date=now.date(), now=now)
            bridge.store.mirror.accounts.pulled(conn, "lists", at=now, full=True, totals={}, jump=None)
        for language, words in (
            ("de", ("kein Kunde hat diese Nummer", "dieses Schlagwort")),
            ("en", ("no customer has this number", "has this tag")),
        ):
            told = [one.told(language) for one in bridge.unmatched()]
            assert len(told) == 2
            assert all(word in text for word, text in zip(words, told, strict=True)), told
            assert "bridge.yaml:7: plans.assign.1.customers = '1O018'" in told[0]
            assert "plans.assign.2.tags = 'VIP'" in told[1]
        assert [one.code for one in bridge.check(offline=True).remarks].count("assignment_nobody") == 2
        assert [one.code for one in bridge.lint()].count("nobody") == 2
        assert not bridge.check(offline=True).ok
        with pytest.raises(ConfigError, match="no customer has this number; write it as"):
            bridge.go_live()
