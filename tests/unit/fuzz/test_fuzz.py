"""Every parser of foreign input, fed a few thousand inputs: a result or a typed error, and an end. `make fuzz` feeds a million."""

import pytest

from bridge.errors import Wrong
from bridge.policy import texts
from tests.fuzz.__main__ import run
from tests.fuzz.targets import targets

INPUTS = 1200


def test_no_parser_breaks():
    """No input ends in anything but a result or an error with a type of ours, and none never ends."""
    with targets() as every:
        found = run(every, INPUTS)
    assert {name: fed.wrong for name, fed in found.items() if fed.wrong} == {}
    assert len(found) == 39


def test_a_text_ends():
    """A loop in a loop over a customer's thousand invoices is broken off where no letter is that long."""
    source = "{% for a in items %}{% for b in items %}RE-1042, {% endfor %}{% endfor %}"
    texts.check(source)
    with pytest.raises(Wrong, match="longer than 1000000 characters"):
        texts.render(source, {"items": [{}] * 1000})
    assert len(texts.render(source, {"items": [{}] * 100})) == 90_000 - 1


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
        "{{ 'x' * 9999999999 }}",
        "{{ 9 ** 9999999999 }}",
        "{% set a = 'x' %}{{ a }}",
        "{{ 'x'|center(9999999999) }}",
        "{{ 'x'.join(items) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include '/etc/passwd' %}",
        "{{ ''.__class__.__mro__ }}",
        "{% for a in items %}{% for b in items %}{% for c in items %}x{% endfor %}{% endfor %}{% endfor %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
        "{{ items|map('center', 9999999999)|list }}",
    ],
)
def test_a_text_computes_nothing(text):
    """A text of a plan can neither call, nor multiply, nor loop without end, nor reach what is behind its variables."""

    with pytest.raises(Wrong):
        texts.check(text)
