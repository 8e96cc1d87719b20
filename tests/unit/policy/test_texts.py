"""Texts of levels: what they may do, how long they may become, and how amounts are written."""

import pytest

from bridge.policy import texts
from bridge.policy.texts import check, number, render, suggestion

LOOPS = 2
LONGEST = 1_000_000


@pytest.mark.parametrize("asked", ["several and credits", "not several and credits", "not several and not credits"])
def test_a_text_is_tried_for_one_invoice_and_for_several(asked):
    """A mistake in what is said of one invoice alone, or of several alone, is found when the plan is read."""
    with pytest.raises(ValueError, match="may be shorter than it takes for granted"):
        check(f"{{% if {asked} %}}{{{{ credits[1].number }}}}{{% endif %}}")
    check(f"{{% if {asked} %}}{{% for one in credits %}}{{{{ one.number }}}}{{% endfor %}}{{% endif %}}")


def test_the_examples_say_what_a_bundle_says():
    """Several invoices and two of them in the list."""
    values = texts.example()
    assert (values["several"], len(values["items"])) == (True, 2)


@pytest.mark.parametrize("deep", range(1, LOOPS + 2))
def test_so_many_loops_within_each_other(deep):
    """As many as texts need are fine, one more is refused."""
    source = "{% for one in items %}" * deep + "x" + "{% endfor %}" * deep
    if deep <= LOOPS:
        check(source)
    else:
        with pytest.raises(ValueError, match="loops within each other"):
            check(source)


def test_a_text_has_an_end():
    """Exactly as long as it may become it is sent, with one sign more it is refused."""
    source = "{{ debtor_name }}{{ number }}"
    most = {"debtor_name": "x" * (LONGEST - 1), "number": "y"}
    assert len(render(source, most)) == LONGEST
    with pytest.raises(ValueError, match="longer than"):
        render(source, most | {"number": "yy"})


def test_a_line_of_conditions_alone_leaves_no_line():
    """Nor its indentation; and what is filled in stays as it is."""
    source = "a\n  {% if several %}\n{{ debtor_name }}\n  {% endif %}\nb"
    assert render(source, {"several": True, "debtor_name": "Müller & <Söhne>"}) == "a\nMüller & <Söhne>\nb"


@pytest.mark.parametrize(
    ("word", "expected"),
    [("totl", ", did you mean 'total'?"), ("totle", ", did you mean 'total'?"), ("xyz", ""), ("", "")],
)
def test_the_nearest_word_is_suggested(word, expected):
    """One word, the closest; nothing where none is near."""
    assert str(suggestion(word, ["total", "totals", "today"])) == expected


@pytest.mark.parametrize(
    ("cents", "expected"),
    [(-123456, "-1.234,56"), (-1, "-0,01"), (0, "0,00"), (1, "0,01"), (100, "1,00"), (123456, "1.234,56")],
)
def test_amounts_keep_their_sign(cents, expected):
    """Below nothing with a sign, nothing and above without."""
    assert number(cents, "de") == expected
    assert number(cents, "de-CH") == expected.translate(str.maketrans(".,", "'."))
    assert number(cents, "en") == expected.translate(str.maketrans(".,", ",."))
