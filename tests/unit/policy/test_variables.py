"""The variables of texts as people look them up."""

import pytest

from bridge.policy.texts import VARIABLES
from bridge.policy.variables import GERMAN, variables


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_variable_is_told_with_type_and_example(language):
    """No variable without meaning, type and example, in both languages; the German words are German."""
    found = {one.name: one for one in variables(language)}
    assert list(found) == list(VARIABLES)
    assert set(GERMAN) == set(VARIABLES)
    assert all(one.meaning and one.kind and one.example.isprintable() and one.example for one in found.values())
    assert (found["total"].kind, found["deadline"].kind, found["items"].kind) == ("amount", "date", "list")
    assert found["items"].parts[0] == "number"
    assert found["items"].samples[:2] == ("RE-1042", "01.09.2026")
