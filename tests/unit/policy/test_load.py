"""Reading plans: numbers and texts as they stand, and each mistake at its line."""

from decimal import Decimal

import pytest

from bridge.policy.load import BadPlan, is_plan, parse_plan

GOOD = """name: agency
levels:
  - name: Erinnerung
    trigger: {after_due: 7}
    automation: send
    fee: 2.50
    channels: [mail]
    texts:
      de:
        subject: "Rechnung {{ invoice_number }}"
        body: "Bitte zahlen Sie {{ total }}."
"""


def wrong(text):
    with pytest.raises(BadPlan) as error:
        parse_plan(text, "a.yaml")
    return str(error.value)


def test_an_amount_is_what_stands_there():
    """A fee with a point is read as an exact decimal."""
    assert parse_plan(GOOD, "a.yaml").levels[0].fee == Decimal("2.50")


@pytest.mark.parametrize(
    ("old", "new", "starts"),
    [
        ("name: agency\n", "name: agency\nname: b\n", "a.yaml:2: a key stands here twice"),
        ("    fee: 2.50\n", "    fee: 2.50\n    fee: 3\n", "a.yaml:7: a key stands here twice"),
        ("    fee: 2.50\n", "    fee: [\n", "a.yaml:8: not valid YAML"),
        ("    fee: 2.50\n", "    fee: .nan.\n", "a.yaml:6: levels.1.fee"),
        ("    fee: 2.50\n", "    fee: 2026-09-01\n", "a.yaml:6: levels.1.fee"),
        ("    fee: 2.50\n", "    fee: 2026-02-30\n", "a.yaml:6: levels.1.fee = '2026-02-30'"),
        ("fee: 2.50", "fee: .inf", "a.yaml:6: levels.1.fee = '.inf'"),
        ("fee: 2.50", "feee: 2.50", "a.yaml:6: levels.1.feee"),
        ("[mail]", "[pigeon]", "a.yaml:7: levels.1.channels.1"),
        ("name: agency", "name: A", "a.yaml:1: name"),
        ("{{ total }}", "{{ totl }}", "a.yaml:11: levels.1.texts.de.body"),
        ("{after_due: 7}", "{after_previous: 7}", "a.yaml:3: levels.1"),
    ],
)
def test_a_mistake_is_told_with_its_line(old, new, starts):
    """File, line and field, however deep it stands; a mistake of the whole plan at the level that it names."""
    assert wrong(GOOD.replace(old, new)).startswith(starts)


def test_what_is_no_list_of_keys_is_no_plan():
    """Told at its first line."""
    assert wrong("- a\n").startswith("a.yaml:1: a plan is a list of keys")


@pytest.mark.parametrize(("text", "is_one"), [(GOOD, True), ("levels: []", True), ("accounts: []", False), ("{}", False)])  # fmt: skip
def test_a_plan_is_told_from_a_configuration(tmp_path, text, is_one):
    """It has levels."""
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    assert is_plan(path) is is_one


def test_a_mistake_of_a_second_level_stands_at_its_line():
    """Lines are those of the item in a list, and positions count from one."""
    second = GOOD[GOOD.index("  - name") :].replace("after_due: 7", "after_previous: 7").replace("fee: 2.50", "fee: -1")
    assert wrong(GOOD + second).startswith("a.yaml:15: levels.2.fee = -1")
